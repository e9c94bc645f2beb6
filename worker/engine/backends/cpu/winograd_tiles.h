/* Winograd's tiles: how planes are covered with them, and a tile's way into the transformed
 * positions and back. For the files that are compiled once per instruction set.
 *
 * A transformed tile has POSITIONS vectors. Tiles are transformed in groups, whose vectors lie
 * [POSITIONS, PLACES, LANES]: a position's vectors of all the group's tiles in one piece.
 */
#ifndef NAS_WORKER_ENGINE_BACKENDS_CPU_WINOGRAD_TILES_H
#define NAS_WORKER_ENGINE_BACKENDS_CPU_WINOGRAD_TILES_H

#include "worker/engine/backends/cpu/winograd.h"

#include <string.h>

enum {
    TILE = NAS_WINOGRAD_TILE,
    PATCH = NAS_WINOGRAD_PATCH,
    TAPS = NAS_WINOGRAD_TAPS,
    POSITIONS = PATCH * PATCH,
    BLOCK = LANES * LANES,
    FILTER = TAPS * TAPS * BLOCK, /* of a block of outputs and one of inputs */
    GROUP = LANES,                /* tiles: as many sums stay in registers */
    PLACES = GROUP + 1,           /* odd: positions spread over the first-level cache's sets */
    STEP = PLACES * LANES,        /* from one position to the next, in numbers */
    BORDER = PATCH - TILE         /* columns that neighbouring patches share */
};

/* Blocked planes. */
typedef struct planes {
    float *at;
    int n; /* images */
    int blocks;
    int h;
    int w;
} planes_t;

/* A tile of a plane: its first pixel. */
typedef struct tile {
    float *plane;
    int h;
    int w;
} tile_t;

/* Pixels in memory, rows `step` numbers apart. */
typedef struct pixels {
    float *at;
    size_t step;
} pixels_t;

static int tiles_along(int extent)
{
    return (extent + TILE - 1) / TILE;
}

static int n_tiles(const planes_t *planes)
{
    return planes->n * tiles_along(planes->h) * tiles_along(planes->w);
}

static tile_t tile_at(const planes_t *planes, int index, int block)
{
    const int columns = tiles_along(planes->w), rows = tiles_along(planes->h);
    const size_t image = (size_t)(index / columns / rows);
    const size_t plane = image * (size_t)planes->blocks + (size_t)block;
    return (tile_t){planes->at + plane * (size_t)planes->h * (size_t)planes->w * LANES,
                    index / columns % rows * TILE, index % columns * TILE};
}

static pixels_t pixels_from(const planes_t *planes, const float *plane, int h, int w)
{
    const size_t step = (size_t)planes->w * LANES;
    return (pixels_t){(float *)plane + (size_t)h * step + (size_t)w * LANES, step};
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static bool is_whole(const planes_t *planes, tile_t tile)
{
    return tile.h + TILE <= planes->h && tile.w + TILE <= planes->w;
}

/* ------------------------------------------------------------------------------------ inputs */

/* Columns of the patches of n tiles next to each other, along which they are transformed; what is
 * outside the plane is 0. */
static void transform_columns(const planes_t *from, tile_t first, int n, lanes_t column[][PATCH])
{
    static const _Alignas(lanes_t) float zeros[LANES];
    const int end = first.w - 1 + n * TILE + BORDER;
    const float *row[PATCH];
    size_t step[PATCH];
    int w = first.w - 1;
    for (; w < 0; w++, column++) memset(*column, 0, sizeof *column);
    for (int i = 0; i < PATCH; i++) {
        const int h = first.h - 1 + i;
        const bool inside = h >= 0 && h < from->h;
        row[i] = inside ? pixels_from(from, first.plane, h, w).at : zeros;
        step[i] = inside ? LANES : 0;
    }
    for (; w < smaller(end, from->w); w++, column++) {
        lanes_t pixel[PATCH];
#pragma GCC unroll 6
        for (int i = 0; i < PATCH; i++) {
            pixel[i] = lanes_load(row[i]);
            row[i] += step[i];
        }
        winograd_input(pixel, *column, 1);
    }
    for (; w < end; w++, column++) memset(*column, 0, sizeof *column);
}

/* Patches of n tiles next to each other, to n places from `to` on. Columns come first, each of them
 * once for both patches that have it. */
static void transform_patches(const planes_t *from, tile_t first, int n, float *to)
{
    lanes_t column[TILE * GROUP + BORDER][PATCH];
    transform_columns(from, first, n, column);
    for (int t = 0; t < n; t++, to += LANES) {
        for (int i = 0; i < PATCH; i++) {
            lanes_t row[PATCH], along[PATCH];
#pragma GCC unroll 6
            for (int j = 0; j < PATCH; j++) row[j] = column[t * TILE + j][i];
            winograd_input(row, along, 1);
#pragma GCC unroll 6
            for (int j = 0; j < PATCH; j++) lanes_store(to + (i * PATCH + j) * STEP, along[j]);
        }
    }
}

/* ----------------------------------------------------------------------------------- outputs */

/* Products of one tile to its outputs. */
static void transform_products(const float *products, pixels_t to)
{
    lanes_t half[TILE][PATCH]; /* [row, column] */
#pragma GCC unroll 6
    for (int j = 0; j < PATCH; j++) {
        lanes_t column[PATCH];
#pragma GCC unroll 6
        for (int i = 0; i < PATCH; i++) column[i] = lanes_load(products + (i * PATCH + j) * STEP);
        winograd_output(column, &half[0][j], PATCH);
    }
#pragma GCC unroll 4
    for (int i = 0; i < TILE; i++) {
        lanes_t row[TILE];
        winograd_output(half[i], row, 1);
#pragma GCC unroll 4
        for (int j = 0; j < TILE; j++)
            lanes_store(to.at + (size_t)i * to.step + (size_t)j * LANES, row[j]);
    }
}

/* Likewise; outputs outside the plane are dropped. */
static void write_tile(const planes_t *to, tile_t tile, const float *products)
{
    _Alignas(lanes_t) float outputs[TILE][TILE * LANES];
    const pixels_t pixels = pixels_from(to, tile.plane, tile.h, tile.w);
    const int n_rows = smaller(TILE, to->h - tile.h), n_columns = smaller(TILE, to->w - tile.w);
    if (is_whole(to, tile)) {
        transform_products(products, pixels);
        return;
    }
    transform_products(products, (pixels_t){outputs[0], TILE * LANES});
    for (int i = 0; i < n_rows; i++)
        memcpy(pixels.at + (size_t)i * pixels.step, outputs[i],
               (size_t)n_columns * LANES * sizeof **outputs);
}

/* The outputs' gradient of one tile to its place. */
static void transform_gradient(pixels_t from, float *to)
{
    lanes_t half[PATCH][TILE]; /* [column, row] */
#pragma GCC unroll 4
    for (int i = 0; i < TILE; i++) {
        lanes_t row[TILE];
#pragma GCC unroll 4
        for (int j = 0; j < TILE; j++)
            row[j] = lanes_load(from.at + (size_t)i * from.step + (size_t)j * LANES);
        winograd_output_adjoint(row, &half[0][i], TILE);
    }
#pragma GCC unroll 6
    for (int j = 0; j < PATCH; j++) {
        lanes_t column[PATCH];
        winograd_output_adjoint(half[j], column, 1);
#pragma GCC unroll 6
        for (int i = 0; i < PATCH; i++) lanes_store(to + (i * PATCH + j) * STEP, column[i]);
    }
}

/* Likewise; outside the plane it is 0. */
static void read_gradient(const planes_t *from, tile_t tile, float *to)
{
    _Alignas(lanes_t) float gradient[TILE][TILE * LANES] = {0};
    const pixels_t pixels = pixels_from(from, tile.plane, tile.h, tile.w);
    const int n_rows = smaller(TILE, from->h - tile.h), n_columns = smaller(TILE, from->w - tile.w);
    if (is_whole(from, tile)) {
        transform_gradient(pixels, to);
        return;
    }
    for (int i = 0; i < n_rows; i++)
        memcpy(gradient[i], pixels.at + (size_t)i * pixels.step,
               (size_t)n_columns * LANES * sizeof **gradient);
    transform_gradient((pixels_t){gradient[0], TILE * LANES}, to);
}

/* ----------------------------------------------------------------------------------- filters */

/* Positions go `step` numbers apart. */
static void transform_filter(const lanes_t taps[TAPS * TAPS], float *to, size_t step)
{
    lanes_t half[PATCH][TAPS]; /* [column, row] */
    for (int i = 0; i < TAPS; i++) winograd_filter(taps + i * TAPS, &half[0][i], TAPS);
    for (int j = 0; j < PATCH; j++) {
        lanes_t column[PATCH];
        winograd_filter(half[j], column, 1);
        for (int i = 0; i < PATCH; i++) lanes_store(to + (size_t)(i * PATCH + j) * step, column[i]);
    }
}

/* Sums of all positions, `step` apart, to a filter's gradient, taps BLOCK apart. */
static void transform_sums(const float *sums, size_t step, float *to)
{
    lanes_t half[TAPS][PATCH]; /* [row, column] */
    for (int j = 0; j < PATCH; j++) {
        lanes_t column[PATCH];
        for (int i = 0; i < PATCH; i++)
            column[i] = lanes_load(sums + (size_t)(i * PATCH + j) * step);
        winograd_filter_adjoint(column, &half[0][j], PATCH);
    }
    for (int i = 0; i < TAPS; i++) {
        lanes_t row[TAPS];
        winograd_filter_adjoint(half[i], row, 1);
        for (int j = 0; j < TAPS; j++) lanes_store(to + (size_t)(i * TAPS + j) * BLOCK, row[j]);
    }
}

#endif
