#include "worker/data/folders/decode.h"

#include <stdlib.h>

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
