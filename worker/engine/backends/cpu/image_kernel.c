/* The gradient of a convolution by its images, compiled once per instruction set:
 * NAS_IMAGE_KERNEL names the table of functions.
 *
 * Images have few channels, so that vectors run along their rows: the output's gradient is
 * transposed into planes first, with a border of zeros, and with zeros between its pixels where
 * the stride is above 1. Every pixel of the gradient is then a sum over a K x K window of all
 * planes.
 */
#include "worker/engine/backends/cpu/kernels.h"
#include "worker/engine/backends/cpu/lanes.h"

#include <string.h>

enum { TILE_ROWS = 4, TILE_CHANNELS = 3, MAX_K = 3 };

/* The transposed gradient of one image. */
typedef struct planes {
    float *at;
    size_t width;
    size_t size; /* of a plane */
} planes_t;

/* TILE_ROWS rows, LANES columns and a few channels of the gradient. */
typedef struct tile {
    lanes_t sum[TILE_ROWS][TILE_CHANNELS];
} tile_t;

static size_t round_up(int value, int step)
{
    return (size_t)((value + step - 1) / step * step);
}

static planes_t planes_of(const nas_conv_blocks_t *conv, float *scratch)
{
    const size_t width = round_up(conv->w_in, LANES) + LANES;
    const size_t height = round_up(conv->h_in, TILE_ROWS) + MAX_K - 1;
    return (planes_t){scratch, width, width * height};
}

static size_t scratch_bytes(const nas_conv_blocks_t *conv)
{
    return (size_t)(conv->out * LANES) * planes_of(conv, NULL).size * sizeof(float);
}

static void transpose(const nas_conv_blocks_t *conv, const float *dy, planes_t planes)
{
    const int border = conv->k / 2;
    for (int o = 0; o < conv->out; o++) {
        for (int h = 0; h < conv->h_out; h++) {
            const size_t row = (size_t)(h * conv->stride + border);
            float *to = planes.at + (size_t)(o * LANES) * planes.size + row * planes.width + border;
            for (int w = 0; w < conv->w_out; w++, to += conv->stride, dy += LANES)
                for (int l = 0; l < LANES; l++) to[(size_t)l * planes.size] = dy[l];
        }
    }
}

/* A column of the filter in one plane. */
typedef struct column {
    const float *pixels; /* that the tile's first row meets first */
    size_t width;        /* of the plane */
    const float *weights;
    int step; /* from one of its weights to the next */
} column_t;

/* k and n_c are constants where this is inlined. */
NAS_INLINE void add_column(tile_t *tile, column_t column, int k, int n_c)
{
    lanes_t row[TILE_ROWS + MAX_K - 1];
#pragma GCC unroll 6
    for (int r = 0; r < TILE_ROWS + k - 1; r++)
        memcpy(&row[r], column.pixels + (size_t)r * column.width, sizeof row[r]);
#pragma GCC unroll 3
    for (int kh = 0; kh < k; kh++) {
#pragma GCC unroll 3
        for (int c = 0; c < n_c; c++) {
            const float weight = column.weights[kh * column.step + c];
#pragma GCC unroll 4
            for (int r = 0; r < TILE_ROWS; r++) tile->sum[r][c] += weight * row[r + k - 1 - kh];
        }
    }
}

/* planes.at: the tile's first pixel in the first plane. */
NAS_INLINE tile_t tile_of(const nas_conv_blocks_t *conv, planes_t planes, const float *weights,
                          int k, int n_c)
{
    tile_t tile = {0};
    for (int o = 0; o < conv->out * LANES; o++) {
        for (int kw = 0; kw < k; kw++) {
            const column_t column = {planes.at + (k - 1 - kw), planes.width,
                                     weights + kw * conv->c_in, k * conv->c_in};
            add_column(&tile, column, k, n_c);
        }
        planes.at += planes.size;
        weights += k * k * conv->c_in;
    }
    return tile;
}

static tile_t tile_of_3_3(const nas_conv_blocks_t *conv, planes_t planes, const float *weights)
{
    return tile_of(conv, planes, weights, 3, TILE_CHANNELS);
}

static tile_t tile_of_3_1(const nas_conv_blocks_t *conv, planes_t planes, const float *weights)
{
    return tile_of(conv, planes, weights, 3, 1);
}

static tile_t tile_of_1_1(const nas_conv_blocks_t *conv, planes_t planes, const float *weights)
{
    return tile_of(conv, planes, weights, 1, 1);
}

/* Where a tile stands, and its number of channels. */
typedef struct place {
    int n_c;
    int h;
    int w;
} place_t;

/* The part of a tile that lies in the image. */
static void store_tile(const nas_conv_blocks_t *conv, const tile_t *tile, place_t place,
                       double *image)
{
    const int h = place.h;
    const int w = place.w;
    const size_t plane = (size_t)conv->h_in * (size_t)conv->w_in;
    for (int c = 0; c < place.n_c; c++, image += plane) {
        for (int r = 0; r < TILE_ROWS && h + r < conv->h_in; r++) {
            double *row = image + (size_t)(h + r) * (size_t)conv->w_in;
            for (int l = 0; l < LANES && w + l < conv->w_in; l++)
                row[w + l] = (double)tile->sum[r][c][l];
        }
    }
}

/* The gradient of one image, from its planes. */
static void one_image(const nas_conv_blocks_t *conv, planes_t planes, const float *weights,
                      double *image)
{
    const size_t size = (size_t)conv->h_in * (size_t)conv->w_in;
    for (int c = 0, n_c; c < conv->c_in; c += n_c, image += (size_t)n_c * size) {
        n_c = conv->k == 3 && conv->c_in - c >= TILE_CHANNELS ? TILE_CHANNELS : 1;
        for (int h = 0; h < conv->h_in; h += TILE_ROWS) {
            for (int w = 0; w < conv->w_in; w += LANES) {
                planes_t at = planes;
                at.at += (size_t)h * planes.width + (size_t)w;
                const tile_t tile = conv->k == 1 ? tile_of_1_1(conv, at, weights + c)
                                    : n_c == 1   ? tile_of_3_1(conv, at, weights + c)
                                                 : tile_of_3_3(conv, at, weights + c);
                store_tile(conv, &tile, (place_t){n_c, h, w}, image);
            }
        }
    }
}

static void gradient(const nas_conv_blocks_t *conv, const float *weights, const float *dy,
                     double *images, float *scratch)
{
    const planes_t planes = planes_of(conv, scratch);
    const size_t y_size = (size_t)(conv->out * LANES) * (size_t)conv->h_out * (size_t)conv->w_out;
    const size_t image_size = (size_t)conv->c_in * (size_t)conv->h_in * (size_t)conv->w_in;
    memset(scratch, 0, scratch_bytes(conv));
    for (int n = 0; n < conv->n; n++) {
        transpose(conv, dy + (size_t)n * y_size, planes);
        one_image(conv, planes, weights, images + (size_t)n * image_size);
    }
}

const nas_image_kernel_t NAS_IMAGE_KERNEL = {.scratch_bytes = scratch_bytes, .gradient = gradient};
