/* Conversions to and from the blocked layout, compiled once per instruction set:
 * NAS_LAYOUT_KERNEL names the table of functions. */
#include "worker/kernels/cpu/kernels.h"
#include "worker/kernels/cpu/lanes.h"

#include <string.h>

/* oneDNN's first convolutions read planes, but only of 3 channels on every instruction set. */
#if defined(__AVX__)
enum { MAX_PLANES = 3 };
#else
enum { MAX_PLANES = 0 };
#endif

static size_t n_pixels(nas_shape_t shape)
{
    return (size_t)shape.h * (size_t)shape.w;
}

static size_t tensor_bytes(nas_shape_t shape)
{
    const size_t n_blocks = (size_t)(shape.c + LANES - 1) / LANES;
    return (size_t)shape.n * n_blocks * n_pixels(shape) * LANES * sizeof(float);
}

static size_t image_bytes(nas_shape_t shape)
{
    if (shape.c > MAX_PLANES) return tensor_bytes(shape);
    return (size_t)shape.n * MAX_PLANES * n_pixels(shape) * sizeof(float);
}

/* Where value [n, c, 0, 0] stands; pixels are LANES apart. */
static size_t blocked_at(nas_shape_t shape, int n, int c)
{
    const size_t n_blocks = (size_t)(shape.c + LANES - 1) / LANES;
    const size_t block = (size_t)n * n_blocks + (size_t)c / LANES;
    return block * n_pixels(shape) * LANES + (size_t)c % LANES;
}

static void load_planes(nas_shape_t shape, const float *images, float *tensor)
{
    const size_t plane = n_pixels(shape);
    for (int n = 0; n < shape.n; n++) {
        float *planes = tensor + (size_t)n * MAX_PLANES * plane;
        const size_t used = (size_t)shape.c * plane;
        memcpy(planes, images + (size_t)n * used, used * sizeof *planes);
        memset(planes + used, 0, ((size_t)MAX_PLANES * plane - used) * sizeof *planes);
    }
}

static void load_images(nas_shape_t shape, const float *images, void *tensor)
{
    if (shape.c <= MAX_PLANES) {
        load_planes(shape, images, tensor);
        return;
    }
    memset(tensor, 0, tensor_bytes(shape));
    for (int n = 0; n < shape.n; n++) {
        for (int c = 0; c < shape.c; c++) {
            float *to = (float *)tensor + blocked_at(shape, n, c);
            for (size_t i = 0; i < n_pixels(shape); i++) to[i * LANES] = *images++;
        }
    }
}

static void load(nas_shape_t shape, const double *values, void *tensor)
{
    memset(tensor, 0, tensor_bytes(shape));
    for (int n = 0; n < shape.n; n++) {
        for (int c = 0; c < shape.c; c++) {
            float *to = (float *)tensor + blocked_at(shape, n, c);
            for (size_t i = 0; i < n_pixels(shape); i++) to[i * LANES] = (float)*values++;
        }
    }
}

static void store(nas_shape_t shape, const void *tensor, double *values)
{
    for (int n = 0; n < shape.n; n++) {
        for (int c = 0; c < shape.c; c++) {
            const float *from = (const float *)tensor + blocked_at(shape, n, c);
            for (size_t i = 0; i < n_pixels(shape); i++) *values++ = (double)from[i * LANES];
        }
    }
}

const nas_layout_kernel_t NAS_LAYOUT_KERNEL = {
    .lanes = LANES,
    .for_onednn = MAX_PLANES > 0,
    .max_planes = MAX_PLANES,
    .tensor_bytes = tensor_bytes,
    .image_bytes = image_bytes,
    .load_images = load_images,
    .load = load,
    .store = store,
};
