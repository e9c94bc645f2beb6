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

nas_status_t nas_picture_allocate(nas_picture_t *picture, const nas_encoded_t *file,
                                  const uint32_t size[2], size_t pixel_bytes, nas_error_t *err)
{
    const uint64_t n_pixels = (uint64_t)size[0] * size[1];
    if (n_pixels == 0 || n_pixels > (uint64_t)NAS_PICTURE_MAX_PIXELS)
        return nas_error_set(err, NAS_EINPUT, "%s: %u x %u pixels; expected 1 to %lld in all",
                             file->path, size[1], size[0], (long long)NAS_PICTURE_MAX_PIXELS);
    picture->pixel = malloc((size_t)n_pixels * pixel_bytes);
    if (!picture->pixel) return nas_error_nomem(err, file->path);
    picture->height = (int)size[0];
    picture->width = (int)size[1];
    return NAS_OK;
}

void nas_picture_fini(nas_picture_t *picture)
{
    free(picture->pixel);
    *picture = (nas_picture_t){0};
}
