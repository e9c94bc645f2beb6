#include "worker/data/decode.h"

#include "common/file.h"

#include <stdlib.h>
#include <string.h>

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
                                     path, size == 0 ? "it is empty" : "neither JPEG nor PNG");
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
