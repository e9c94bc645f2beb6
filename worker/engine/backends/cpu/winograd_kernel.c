/* Convolutions 3 x 3 of stride 1 by Winograd's tiles, compiled once per instruction set:
 * NAS_WINOGRAD_KERNEL names the table of functions.
 *
 * A tile of 4 x 4 outputs takes 36 products a pair of channels instead of 144. The tiles of all
 * images form one row, which is walked in groups: the group's patches of 6 x 6 inputs are
 * transformed, each of the 36 positions is a small matrix product over the channels, and the
 * products are transformed back, all of it in the caches of the core. backward_data is the same
 * walk with the filters turned around and the channels' roles swapped; backward_weights adds up,
 * for every position, transformed inputs times transformed gradients of the outputs, and
 * transforms the sums at the end.
 *
 * A tile's result does not depend on the others in its group.
 */
#include "worker/engine/backends/cpu/kernels.h"
#include "worker/engine/backends/cpu/winograd_tiles.h"

#include <limits.h>

enum { GROUP_SIZE = POSITIONS * STEP };

static planes_t inputs_of(const nas_conv_blocks_t *conv, float *x)
{
    return (planes_t){x, conv->n, conv->in, conv->h_in, conv->w_in};
}

static planes_t outputs_of(const nas_conv_blocks_t *conv, float *y)
{
    return (planes_t){y, conv->n, conv->out, conv->h_out, conv->w_out};
}

/* Patches of a group of n tiles: [blocks, POSITIONS, PLACES, LANES]. */
static void transform_group(const planes_t *from, int first, int n, float *patches)
{
    const int columns = tiles_along(from->w);
    for (int b = 0; b < from->blocks; b++, patches += GROUP_SIZE) {
        for (int t = 0, n_row; t < n; t += n_row) {
            n_row = smaller(columns - (first + t) % columns, n - t);
            transform_patches(from, tile_at(from, first + t, b), n_row, patches + t * LANES);
        }
    }
}

/* ---------------------------------------------------------------- forward and backward_data */

/* Filters as a pass reads them: vectors of its output channels for every one of its inputs. */
typedef struct filters {
    const float *weights;
    size_t from_step; /* from one block of inputs to the next, in numbers */
    size_t to_step;
    bool turned; /* by 180 degrees */
} filters_t;

/* transformed [out]: [to, POSITIONS, from * LANES, LANES]. */
static void transform_filters(filters_t filters, int from, int to, float *transformed)
{
    const size_t step = (size_t)from * BLOCK;
    for (int o = 0; o < to; o++, transformed += POSITIONS * step) {
        for (int c = 0; c < from * LANES; c++) {
            const float *at = filters.weights + (size_t)o * filters.to_step +
                              (size_t)(c / LANES) * filters.from_step + (size_t)(c % LANES) * LANES;
            lanes_t taps[TAPS * TAPS];
            for (int k = 0; k < TAPS * TAPS; k++)
                taps[filters.turned ? TAPS * TAPS - 1 - k : k] = lanes_load(at + (size_t)k * BLOCK);
            transform_filter(taps, transformed + (size_t)c * LANES, step);
        }
    }
}

/* One position of a group: products [GROUP, LANES] of patches, [GROUP, LANES] of every block, and
 * filters [from, LANES, LANES]. */
NAS_INLINE void multiply(const float *patches, const float *filters, int from, float *products)
{
    lanes_t sum[GROUP] = {0};
    for (int b = 0; b < from; b++, patches += GROUP_SIZE) {
        for (int l = 0; l < LANES; l++, filters += LANES) {
            const lanes_t row = lanes_load(filters);
#pragma GCC unroll 16
            for (int t = 0; t < GROUP; t++) sum[t] += patches[t * LANES + l] * row;
        }
    }
#pragma GCC unroll 16
    for (int t = 0; t < GROUP; t++) lanes_store(products + t * LANES, sum[t]);
}

static void convolve(const planes_t *from, const planes_t *to, filters_t filters, float *scratch)
{
    const size_t filter_size = (size_t)from->blocks * BLOCK;
    float *transformed = scratch;
    float *patches = transformed + (size_t)to->blocks * POSITIONS * filter_size;
    float *products = patches + from->blocks * GROUP_SIZE;
    transform_filters(filters, from->blocks, to->blocks, transformed);
    for (int first = 0; first < n_tiles(to); first += GROUP) {
        const int n = smaller(GROUP, n_tiles(to) - first);
        const float *filter = transformed;
        transform_group(from, first, n, patches);
        for (int b = 0; b < to->blocks; b++) {
            for (int p = 0; p < POSITIONS; p++, filter += filter_size)
                multiply(patches + p * STEP, filter, from->blocks, products + p * STEP);
            for (int t = 0; t < n; t++)
                write_tile(to, tile_at(to, first + t, b), products + t * LANES);
        }
    }
}

static void forward(const nas_conv_blocks_t *conv, float *weights, float *x, float *y,
                    float *scratch)
{
    const planes_t from = inputs_of(conv, x), to = outputs_of(conv, y);
    convolve(&from, &to, (filters_t){weights, FILTER, (size_t)conv->in * FILTER, false}, scratch);
}

static void backward_data(const nas_conv_blocks_t *conv, float *weights, float *dy, float *dx,
                          float *scratch)
{
    const planes_t from = outputs_of(conv, dy), to = inputs_of(conv, dx);
    convolve(&from, &to, (filters_t){weights, (size_t)conv->in * FILTER, FILTER, true}, scratch);
}

/* ------------------------------------------------------------------------- backward_weights */

/* Add to one position's sums [LANES of inputs, LANES of outputs] the products of n tiles. */
NAS_INLINE void add_products(const float *patches, const float *gradients, int n, float *sums)
{
    lanes_t sum[LANES];
#pragma GCC unroll 16
    for (int l = 0; l < LANES; l++) sum[l] = lanes_load(sums + l * LANES);
    for (int t = 0; t < n; t++, patches += LANES, gradients += LANES) {
        const lanes_t gradient = lanes_load(gradients);
#pragma GCC unroll 16
        for (int l = 0; l < LANES; l++) sum[l] += patches[l] * gradient;
    }
#pragma GCC unroll 16
    for (int l = 0; l < LANES; l++) lanes_store(sums + l * LANES, sum[l]);
}

/* sums: [POSITIONS, out, in, LANES, LANES]. */
static void add_group(const nas_conv_blocks_t *conv, const float *patches, const float *gradients,
                      int n, float *sums)
{
    for (int p = 0; p < POSITIONS; p++, patches += STEP, gradients += STEP)
        for (int o = 0; o < conv->out; o++)
            for (int i = 0; i < conv->in; i++, sums += BLOCK)
                add_products(patches + i * GROUP_SIZE, gradients + o * GROUP_SIZE, n, sums);
}

static void backward_weights(const nas_conv_blocks_t *conv, float *x, float *dy, float *dw,
                             float *scratch)
{
    const planes_t inputs = inputs_of(conv, x), outputs = outputs_of(conv, dy);
    const size_t size = (size_t)conv->out * (size_t)conv->in * BLOCK; /* of a position's sums */
    float *sums = scratch;
    float *patches = sums + POSITIONS * size;
    float *gradients = patches + conv->in * GROUP_SIZE;
    memset(sums, 0, POSITIONS * size * sizeof *sums);
    for (int first = 0; first < n_tiles(&inputs); first += GROUP) {
        const int n = smaller(GROUP, n_tiles(&inputs) - first);
        transform_group(&inputs, first, n, patches);
        for (int b = 0; b < conv->out; b++)
            for (int t = 0; t < n; t++)
                read_gradient(&outputs, tile_at(&outputs, first + t, b),
                              gradients + b * GROUP_SIZE + t * LANES);
        add_group(conv, patches, gradients, n, sums);
    }
    for (size_t at = 0; at < size; at += LANES)
        transform_sums(sums + at, size, dw + at / BLOCK * FILTER + at % BLOCK);
}

/* -------------------------------------------------------------------------------------- use */

static size_t scratch_bytes(const nas_conv_blocks_t *conv)
{
    const size_t in = (size_t)conv->in, out = (size_t)conv->out;
    return (POSITIONS * in * out * BLOCK + (in + out) * GROUP_SIZE) * sizeof(float);
}

/* With few channels the rounding is about three times that of plain sums, so that three times as
 * many rectifiers switch by it. Among few images single ones weigh, wherefore their sums stay plain
 * unless they are long; short ones would hardly pay for the filters' transforms either. Nor do
 * tiles that lie outside to a large part. */
static bool pays(const nas_conv_blocks_t *conv)
{
    static const nas_window_t window = {TAPS, TAPS, 1, 1, 1, 1, 1, 1, 1, 1};
    enum { MIN_IMAGES = 32, MIN_CHANNELS = 32, MIN_TILES = 32 };
    const int64_t tiles = (int64_t)tiles_along(conv->h_in) * tiles_along(conv->w_in);
    const bool fits = 2 * tiles * TILE * TILE <= 3 * (int64_t)conv->h_in * conv->w_in;
    const bool wide = smaller(conv->in, conv->out) * LANES >= MIN_CHANNELS;
    const bool is_known = nas_window_is_same(&conv->window, &window) && conv->groups == 1 &&
                          conv->h_out == conv->h_in && conv->w_out == conv->w_in;
    const bool has_many = conv->n >= MIN_IMAGES || (wide && conv->n * tiles >= MIN_TILES);
    return is_known && fits && has_many && conv->n * tiles <= INT_MAX; /* tiles are numbered */
}

const nas_winograd_kernel_t NAS_WINOGRAD_KERNEL = {.pays = pays,
                                                   .scratch_bytes = scratch_bytes,
                                                   .forward = forward,
                                                   .backward_data = backward_data,
                                                   .backward_weights = backward_weights};
