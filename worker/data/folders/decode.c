#include "worker/data/folders/decode.h"

#include "common/io/file.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_FILE_BYTES = 1 << 30 };

static const nas_decoder_t *const decoders[] = {&nas_decoder_jpeg, &nas_decoder_png};

static const nas_decoder_t *find_decoder(const nas_encoded_t *file)
{
    for (size_t i = 0; i < sizeof decoders / sizeof *decoders; i++) {
        const nas_decoder_t *decoder = decoders[i];
        if (file->size >= decoder->n_magic &&
            memcmp(file->data, decoder->magic, decoder->n_magic) == 0)
            return decoder;
    }
    return NULL;
}

/* What else people keep images in, or have in their place, by its first bytes. */
static const char *describe(const nas_encoded_t *file)
{
    static const struct {
        size_t at;
        const char *bytes;
        const char *name;
    } known[] = {
        {0, "GIF8", "a GIF image"},
        {8, "WEBP", "a WebP image"},
        {0, "BM", "a BMP image"},
        {0, "II*", "a TIFF image"},
        {0, "MM", "a TIFF image"},
        {4, "ftypavif", "an AVIF image"},
        {4, "ftyphei", "an HEIF image"},
        {4, "ftypmif1", "an HEIF image"},
        {0, "<svg", "an SVG image"},
        {0, "%PDF", "a PDF file"},
        {0, "<!DOCTYPE", "a web page"},
        {0, "<html", "a web page"},
        {0, "version https://git-lfs", "a pointer of Git LFS"},
    };
    if (file->size == 0) return "it is empty";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const size_t n = strlen(known[i].bytes);
        if (file->size >= known[i].at + n &&
            strncasecmp((const char *)file->data + known[i].at, known[i].bytes, n) == 0)
            return known[i].name;
    }
    return "neither JPEG nor PNG";
}

nas_status_t nas_picture_read(const char *path, nas_picture_t *picture, nas_error_t *err)
{
    char *data = NULL;
    size_t size = 0;
    nas_status_t status = nas_file_read(path, MOST_FILE_BYTES, &data, &size, err);
    if (status) return status;
    const nas_encoded_t file = {.path = path, .data = (const uint8_t *)data, .size = size};
    const nas_decoder_t *decoder = find_decoder(&file);
    status = decoder ? decoder->decode(&file, picture, err)
                     : nas_error_set(err, NAS_EINPUT,
                                     "%s: %s; a JPEG or PNG image was expected, whatever its name",
                                     path, describe(&file));
    free(data);
    return status;
}
