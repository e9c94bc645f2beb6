#include "worker/data/images.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

nas_status_t nas_images_shape(nas_images_t *images, nas_pixel_t pixel, const int64_t extent[4],
                              const char *path, nas_error_t *err)
{
    static const int64_t most[4] = {INT32_MAX, NAS_IMAGES_MAX_CHANNELS, NAS_IMAGES_MAX_SIDE,
                                    NAS_IMAGES_MAX_SIDE};
    static const char *const what[4] = {"images", "channels", "rows", "columns"};
    int64_t room = NAS_IMAGES_MAX_BYTES / (int64_t)nas_pixel_bytes(pixel);
    for (int i = 0; i < 4; i++) {
        if (extent[i] < 1 || extent[i] > most[i])
            return nas_error_set(err, NAS_EINPUT, "%s: %lld %s; expected 1 to %lld", path,
                                 (long long)extent[i], what[i], (long long)most[i]);
        room /= extent[i];
    }
    if (room == 0)
        return nas_error_set(
            err, NAS_EINPUT, "%s: %lld images of %lld x %lld x %lld take more than 16 GiB", path,
            (long long)extent[0], (long long)extent[1], (long long)extent[2], (long long)extent[3]);
    images->pixel = pixel;
    images->n = extent[0];
    images->c = (int)extent[1];
    images->h = (int)extent[2];
    images->w = (int)extent[3];
    return NAS_OK;
}

size_t nas_pixel_bytes(nas_pixel_t pixel)
{
    return pixel == NAS_PIXEL_U8 ? sizeof(uint8_t) : sizeof(float);
}

size_t nas_images_values(const nas_images_t *images)
{
    return (size_t)images->c * (size_t)images->h * (size_t)images->w;
}

static size_t image_bytes(const nas_images_t *images)
{
    return nas_images_values(images) * nas_pixel_bytes(images->pixel);
}

nas_status_t nas_images_allocate(nas_images_t *images, nas_error_t *err)
{
    const size_t n = (size_t)images->n;
    if (!images->data) images->data = malloc(n * image_bytes(images));
    if (!images->labels) images->labels = malloc(n * sizeof *images->labels);
    return images->data && images->labels ? NAS_OK : nas_error_nomem(err, "images");
}

/* Grow to n images; what is there stays. */
static nas_status_t reserve(nas_images_t *images, size_t n, nas_error_t *err)
{
    void *data = realloc(images->data, n * image_bytes(images));
    if (!data) return nas_error_nomem(err, "images");
    images->data = data;
    int32_t *labels = realloc(images->labels, n * sizeof *labels);
    if (!labels) return nas_error_nomem(err, "labels");
    images->labels = labels;
    return NAS_OK;
}

nas_status_t nas_images_append(nas_images_t *images, nas_images_t *part, nas_error_t *err)
{
    if (images->n == 0) {
        nas_images_fini(images);
        *images = *part;
        *part = (nas_images_t){0};
        return NAS_OK;
    }
    const size_t n = (size_t)images->n, n_more = (size_t)part->n, bytes = image_bytes(images);
    const nas_status_t status = reserve(images, n + n_more, err);
    if (status) return status;
    memcpy((char *)images->data + n * bytes, part->data, n_more * bytes);
    memcpy(images->labels + n, part->labels, n_more * sizeof *part->labels);
    images->n += part->n;
    nas_images_fini(part);
    return NAS_OK;
}

/* Add the sum of n values, and of their squares: whole numbers, which float64 holds exactly. */
static void add_bytes(const uint8_t *value, size_t n, double sum[2])
{
    uint64_t first = 0, second = 0;
    for (size_t i = 0; i < n; i++) {
        first += value[i];
        second += (uint64_t)value[i] * value[i];
    }
    sum[0] += (double)first;
    sum[1] += (double)second;
}

/* The same of their distances from `origin`, so that values all equal to it give 0. */
static void add_floats(const float *value, double origin, size_t n, double sum[2])
{
    for (size_t i = 0; i < n; i++) {
        const double distance = (double)value[i] - origin;
        sum[0] += distance;
        sum[1] += distance * distance;
    }
}

void nas_images_moments(const nas_images_t *images, double *mean, double *std)
{
    const bool bytes = images->pixel == NAS_PIXEL_U8;
    const size_t plane = (size_t)images->h * (size_t)images->w;
    const double unit = bytes ? 255 : 1;
    const double n_values = (double)images->n * (double)plane;
    for (int c = 0; c < images->c; c++) {
        const double origin = bytes ? 0 : (double)((const float *)images->data)[(size_t)c * plane];
        double sum[2] = {0};
        for (int64_t i = 0; i < images->n; i++) {
            const size_t first = ((size_t)i * (size_t)images->c + (size_t)c) * plane;
            if (bytes)
                add_bytes((const uint8_t *)images->data + first, plane, sum);
            else
                add_floats((const float *)images->data + first, origin, plane, sum);
        }
        const double distance = sum[0] / n_values;
        const double variance = sum[1] / n_values - distance * distance;
        mean[c] = (origin + distance) / unit;
        std[c] = variance > 0 ? sqrt(variance) / unit : 1;
    }
}

nas_status_t nas_images_bad_label(const char *path, int64_t image, int64_t label, int n_classes,
                                  nas_error_t *err)
{
    return nas_error_set(
        err, NAS_EINPUT, "%s: image %lld (the first is 0) has label %lld; expected 0 to %d", path,
        (long long)image, (long long)label, (n_classes ? n_classes : NAS_IMAGES_MAX_CLASSES) - 1);
}

void nas_images_fini(nas_images_t *images)
{
    free(images->data);
    free(images->labels);
    *images = (nas_images_t){0};
}
