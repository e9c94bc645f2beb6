#include "worker/data/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct memory {
    nas_images_t images;
    double mean[NAS_IMAGES_MAX_CHANNELS];
    double std[NAS_IMAGES_MAX_CHANNELS];
} memory_t;

/* One plane of an image. A byte has but 256 values, worked out once in `table`. */
static void normalise_bytes(const uint8_t *x, const float *table, size_t n, float *y)
{
    for (size_t i = 0; i < n; i++) y[i] = table[x[i]];
}

static void normalise_floats(const float *x, double mean, double std, size_t n, float *y)
{
    for (size_t i = 0; i < n; i++) y[i] = (float)(((double)x[i] - mean) / std);
}

static void make_table(const memory_t *memory, int c, float *table)
{
    const double mean = memory->mean[c], std = memory->std[c];
    for (int x = 0; x < NAS_BYTE_VALUES; x++) table[x] = (float)((x / 255.0 - mean) / std);
}

static void read_values(const nas_image_source_t *source, const int64_t *index, int64_t n,
                        float *values)
{
    const memory_t *memory = source->self;
    const nas_images_t *images = &memory->images;
    const size_t plane = (size_t)images->h * (size_t)images->w,
                 n_values = nas_images_values(images);
    for (int c = 0; c < images->c; c++) {
        const double mean = memory->mean[c], std = memory->std[c];
        float table[NAS_BYTE_VALUES];
        make_table(memory, c, table);
        for (int64_t i = 0; i < n; i++) {
            const size_t from = (size_t)index[i] * n_values + (size_t)c * plane;
            float *to = values + (size_t)i * n_values + (size_t)c * plane;
            if (images->pixel == NAS_PIXEL_U8)
                normalise_bytes((const uint8_t *)images->data + from, table, plane, to);
            else
                normalise_floats((const float *)images->data + from, mean, std, plane, to);
        }
    }
}

static nas_status_t hash(const nas_image_source_t *source, nas_hasher_t *hasher,
                         const nas_interrupt_t *interrupt, nas_error_t *err)
{
    const size_t block = 1 << 24; /* bytes between two questions */
    const nas_images_t *images = nas_memory_images(source);
    nas_status_t status = NAS_OK;
    nas_hasher_update(hasher, images->labels, (size_t)images->n * sizeof *images->labels);
    for (size_t at = 0; !status && at < source->n_bytes; at += block) {
        const size_t left = source->n_bytes - at;
        nas_hasher_update(hasher, (const char *)images->data + at, left < block ? left : block);
        if (left > block)
            status = nas_interrupt_check(interrupt, (double)at / (double)source->n_bytes, err);
    }
    return status;
}

static void destroy(void *self)
{
    memory_t *memory = self;
    nas_images_fini(&memory->images);
    free(memory);
}

static const nas_source_functions_t functions = {read_values, hash, destroy};

nas_status_t nas_memory_source(nas_images_t *images, const double *mean, const double *std,
                               nas_image_source_t *source, nas_error_t *err)
{
    if (images->n == 0) {
        nas_images_fini(images);
        *source = (nas_image_source_t){0};
        return NAS_OK;
    }
    const size_t n_numbers = (size_t)images->c;
    memory_t *memory = calloc(1, sizeof *memory);
    if (!memory) return nas_error_nomem(err, "images");
    memory->images = *images;
    memcpy(memory->mean, mean, n_numbers * sizeof *mean);
    memcpy(memory->std, std, n_numbers * sizeof *std);
    *source = (nas_image_source_t){.n = images->n,
                                   .c = images->c,
                                   .h = images->h,
                                   .w = images->w,
                                   .labels = images->labels,
                                   .n_bytes = (size_t)images->n * nas_images_values(images) *
                                              nas_pixel_bytes(images->pixel),
                                   .functions = &functions,
                                   .self = memory};
    *images = (nas_images_t){0};
    return NAS_OK;
}

const uint8_t *nas_memory_pixels(const nas_image_source_t *source)
{
    const memory_t *memory = source->self;
    if (source->functions != &functions || memory->images.pixel != NAS_PIXEL_U8) return NULL;
    return memory->images.data;
}

void nas_memory_table(const nas_image_source_t *source, float *table)
{
    for (int c = 0; c < source->c; c++)
        make_table(source->self, c, table + (size_t)c * NAS_BYTE_VALUES);
}

const nas_images_t *nas_memory_images(const nas_image_source_t *source)
{
    static const nas_images_t none = {0};
    if (!source->self) return &none;
    NAS_ASSERT(source->functions == &functions);
    return &((const memory_t *)source->self)->images;
}
