/* Conversions to and from the blocked layout, compiled once per instruction set:
 * NAS_LAYOUT_KERNEL names the table of functions. */
#include "worker/engine/backends/cpu/kernels.h"
#include "worker/engine/backends/cpu/lanes.h"

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

static void block_images(nas_shape_t shape, const float *planes, float *tensor)
{
    const size_t plane = n_pixels(shape);
    memset(tensor, 0, tensor_bytes(shape));
    for (int n = 0; n < shape.n; n++) {
        for (int c = 0; c < shape.c; c++) {
            const float *from = planes + (size_t)(n * MAX_PLANES + c) * plane;
            float *to = tensor + blocked_at(shape, n, c);
            for (size_t i = 0; i < plane; i++) to[i * LANES] = from[i];
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

/* ------------------------------------------------------------------------------------ weights */

enum { MAX_TAPS = 9 };

/* A block of filters, of LANES output and input channels at most, where it lies among all. */
typedef struct filter_block {
    int n_o;
    int n_i;
    int k;
    size_t row; /* from one output channel to the next, in unpacked weights */
    size_t weights;
    size_t packed;
} filter_block_t;

/* The block in float32, [o][i, k]: conversion by rows, permutation in the cache. */
typedef float block_t[LANES][LANES * MAX_TAPS];

static filter_block_t block_at(nas_filters_t filters, nas_filter_layout_t layout, int o, int i)
{
    const size_t k = (size_t)filters.k, row = (size_t)filters.c_in * k;
    return (filter_block_t){.n_o = filters.c_out - o < LANES ? filters.c_out - o : LANES,
                            .n_i = filters.c_in - i < LANES ? filters.c_in - i : LANES,
                            .k = filters.k,
                            .row = row,
                            .weights = (size_t)o * row + (size_t)i * k,
                            .packed = (size_t)(o / LANES) * layout.o_block +
                                      (size_t)(i / LANES) * layout.i_block};
}

NAS_INLINE void pack_block(filter_block_t b, nas_filter_layout_t layout, const double *weights,
                           float *packed)
{
    block_t block;
    for (int o = 0; o < b.n_o; o++)
        for (int j = 0; j < b.n_i * b.k; j++)
            block[o][j] = (float)weights[(size_t)o * b.row + (size_t)j];
    for (int k = 0; k < b.k; k++, packed += layout.k) {
        if (layout.o == 1) {
            for (int i = 0; i < b.n_i; i++)
                for (int o = 0; o < b.n_o; o++)
                    packed[(size_t)i * layout.i + (size_t)o] = block[o][i * b.k + k];
        } else {
            for (int o = 0; o < b.n_o; o++)
                for (int i = 0; i < b.n_i; i++)
                    packed[(size_t)o * layout.o + (size_t)i] = block[o][i * b.k + k];
        }
    }
}

NAS_INLINE void unpack_block(filter_block_t b, nas_filter_layout_t layout, const float *packed,
                             double *weights)
{
    block_t block;
    for (int k = 0; k < b.k; k++, packed += layout.k)
        for (int o = 0; o < b.n_o; o++)
            for (int i = 0; i < b.n_i; i++)
                block[o][i * b.k + k] = packed[(size_t)o * layout.o + (size_t)i * layout.i];
    for (int o = 0; o < b.n_o; o++)
        for (int j = 0; j < b.n_i * b.k; j++)
            weights[(size_t)o * b.row + (size_t)j] = (double)block[o][j];
}

static bool is_whole(const filter_block_t *b)
{
    return b->n_o == LANES && b->n_i == LANES;
}

/* With its extents as constants, for the compiler. */
NAS_INLINE filter_block_t whole(filter_block_t b)
{
    b.n_o = b.n_i = LANES;
    return b;
}

static void pack(nas_filters_t filters, nas_filter_layout_t layout, const double *weights,
                 float *packed)
{
    for (int o = 0; o < filters.c_out; o += LANES)
        for (int i = 0; i < filters.c_in; i += LANES) {
            const filter_block_t b = block_at(filters, layout, o, i);
            if (is_whole(&b))
                pack_block(whole(b), layout, weights + b.weights, packed + b.packed);
            else
                pack_block(b, layout, weights + b.weights, packed + b.packed);
        }
}

static void unpack(nas_filters_t filters, nas_filter_layout_t layout, const float *packed,
                   double *weights)
{
    for (int o = 0; o < filters.c_out; o += LANES)
        for (int i = 0; i < filters.c_in; i += LANES) {
            const filter_block_t b = block_at(filters, layout, o, i);
            if (is_whole(&b))
                unpack_block(whole(b), layout, packed + b.packed, weights + b.weights);
            else
                unpack_block(b, layout, packed + b.packed, weights + b.weights);
        }
}

const nas_layout_kernel_t NAS_LAYOUT_KERNEL = {
    .lanes = LANES,
    .for_onednn = MAX_PLANES > 0,
    .max_planes = MAX_PLANES,
    .tensor_bytes = tensor_bytes,
    .image_bytes = image_bytes,
    .max_taps = MAX_TAPS,
    .load_images = load_images,
    .block_images = block_images,
    .load = load,
    .store = store,
    .pack = pack,
    .unpack = unpack,
};
