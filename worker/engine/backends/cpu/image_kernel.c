/* The gradient of a convolution by its images, compiled once per instruction set:
 * NAS_IMAGE_KERNEL names the table of functions.
 *
 * Images have few channels, so that vectors run along their rows: the output's gradient is
 * transposed into planes first, with a border of zeros. Every pixel of the gradient is then a sum
 * over the taps of its phase in all planes.
 */
#include "worker/engine/backends/cpu/taps.h"

#include <string.h>

enum { TILE_ROWS = 4, TILE_CHANNELS = 3, MAX_RUN = 3, LINE = 64 };

/* The transposed gradient of one image. */
typedef struct planes {
    float *at;
    size_t top; /* rows and columns of zeros before it */
    size_t left;
    size_t width;
    size_t size; /* of a plane */
    int n;
} planes_t;

/* TILE_ROWS rows, LANES columns and a few channels of the gradient. */
typedef struct tile {
    lanes_t sum[TILE_ROWS][TILE_CHANNELS];
} tile_t;

static planes_t planes_of(const nas_conv_blocks_t *conv, float *at)
{
    const axis_t rows = rows_of(conv), columns = columns_of(conv);
    const size_t width = (size_t)padded_outputs(&columns, LANES);
    const size_t height = (size_t)padded_outputs(&rows, TILE_ROWS);
    return (planes_t){.at = at,
                      .top = (size_t)zeros_before(&rows),
                      .left = (size_t)zeros_before(&columns),
                      .width = width,
                      .size = width * height,
                      .n = conv->out * LANES};
}

static size_t planes_bytes(const nas_conv_blocks_t *conv)
{
    return (size_t)(conv->out * LANES) * planes_of(conv, NULL).size * sizeof(float);
}

/* Taps of one column, each of which meets the row above the one before it. */
typedef struct run {
    size_t at; /* of the last one */
    size_t weight;
    size_t weight_step; /* from one to the next */
    int n;
} run_t;

/* Room for the taps of a phase, and for them as runs. */
static size_t taps_bytes(const nas_conv_blocks_t *conv)
{
    const size_t n = (size_t)conv->window.k_h * (size_t)conv->window.k_w;
    return (n * (sizeof(tap_t) + sizeof(run_t)) + LINE - 1) / LINE * LINE;
}

static size_t scratch_bytes(const nas_conv_blocks_t *conv)
{
    return taps_bytes(conv) + planes_bytes(conv);
}

static void transpose(const nas_conv_blocks_t *conv, const float *dy, planes_t planes)
{
    for (int o = 0; o < conv->out; o++) {
        for (int h = 0; h < conv->h_out; h++) {
            const size_t row = (size_t)h + planes.top;
            float *to =
                planes.at + (size_t)(o * LANES) * planes.size + row * planes.width + planes.left;
            for (int w = 0; w < conv->w_out; w++, to++, dy += LANES)
                for (int l = 0; l < LANES; l++) to[(size_t)l * planes.size] = dy[l];
        }
    }
}

/* A phase of the gradient: the inputs (row + i stride, column + j stride). */
typedef struct phase {
    int row;
    int column;
    int h; /* inputs */
    int w;
    size_t filter; /* weights of an output channel */
    const run_t *run;
    int n_runs[MAX_RUN + 1]; /* of this length; longer ones come first */
} phase_t;

static bool continues(const run_t *run, const tap_t *tap, size_t width)
{
    const bool has_step =
        run->n == 1 || tap->weight == run->weight + (size_t)run->n * run->weight_step;
    return run->n < MAX_RUN && tap->at + width == run->at && has_step;
}

/* run [out]: room for n. Their number. */
static int find_runs(const tap_t *tap, int n, size_t width, run_t *run)
{
    int n_runs = 0;
    for (int t = 0; t < n; t++) {
        run_t *last = n_runs > 0 ? &run[n_runs - 1] : NULL;
        if (last != NULL && continues(last, &tap[t], width)) {
            if (last->n == 1) last->weight_step = tap[t].weight - last->weight;
            last->at = tap[t].at;
            last->n++;
        } else {
            run[n_runs++] = (run_t){.at = tap[t].at, .weight = tap[t].weight, .n = 1};
        }
    }
    return n_runs;
}

/* Longer ones first. */
static void sort_runs(run_t *run, int n)
{
    for (int i = 1; i < n; i++) {
        const run_t next = run[i];
        int at = i;
        for (; at > 0 && run[at - 1].n < next.n; at--) run[at] = run[at - 1];
        run[at] = next;
    }
}

/* A run in one plane. */
typedef struct column {
    const float *pixels; /* that the tile's first row meets by the last tap */
    size_t width;        /* of the plane */
    const float *weights;
    size_t step; /* from one of its weights to the next */
} column_t;

/* n and n_c are constants where this is inlined. */
NAS_INLINE void add_column(tile_t *tile, column_t column, int n, int n_c)
{
    lanes_t row[TILE_ROWS + MAX_RUN - 1];
#pragma GCC unroll 6
    for (int r = 0; r < TILE_ROWS + n - 1; r++)
        memcpy(&row[r], column.pixels + (size_t)r * column.width, sizeof row[r]);
#pragma GCC unroll 3
    for (int t = 0; t < n; t++) {
#pragma GCC unroll 3
        for (int c = 0; c < n_c; c++) {
            const float weight = column.weights[(size_t)t * column.step + (size_t)c];
#pragma GCC unroll 4
            for (int r = 0; r < TILE_ROWS; r++) tile->sum[r][c] += weight * row[r + n - 1 - t];
        }
    }
}

/* Runs of n taps, of which there are so many. */
NAS_INLINE const run_t *add_runs(tile_t *tile, const run_t *run, int n_runs, column_t plane, int n,
                                 int n_c)
{
    for (const run_t *end = run + n_runs; run < end; run++) {
        const column_t column = {plane.pixels + run->at, plane.width, plane.weights + run->weight,
                                 run->weight_step};
        add_column(tile, column, n, n_c);
    }
    return run;
}

/* planes.at: what the tile's first pixel meets in the first plane. n_c and mixed are constants where
 * this is inlined; mixed: not all runs have the greatest length. */
NAS_INLINE tile_t tile_of(const phase_t *phase, planes_t planes, const float *weights, int n_c,
                          bool mixed)
{
    column_t plane = {.pixels = planes.at, .width = planes.width, .weights = weights};
    tile_t tile = {0};
    for (int o = 0; o < planes.n; o++) {
        const run_t *run = add_runs(&tile, phase->run, phase->n_runs[3], plane, 3, n_c);
        if (mixed) {
            run = add_runs(&tile, run, phase->n_runs[2], plane, 2, n_c);
            add_runs(&tile, run, phase->n_runs[1], plane, 1, n_c);
        }
        plane.pixels += planes.size;
        plane.weights += phase->filter;
    }
    return tile;
}

static tile_t tile_of_3(const phase_t *phase, planes_t planes, const float *weights)
{
    return tile_of(phase, planes, weights, TILE_CHANNELS, false);
}

static tile_t tile_of_1(const phase_t *phase, planes_t planes, const float *weights)
{
    return tile_of(phase, planes, weights, 1, false);
}

static tile_t mixed_tile_of_3(const phase_t *phase, planes_t planes, const float *weights)
{
    return tile_of(phase, planes, weights, TILE_CHANNELS, true);
}

static tile_t mixed_tile_of_1(const phase_t *phase, planes_t planes, const float *weights)
{
    return tile_of(phase, planes, weights, 1, true);
}

static tile_t any_tile_of(const phase_t *phase, planes_t planes, const float *weights, int n_c)
{
    const bool mixed = phase->n_runs[2] + phase->n_runs[1] > 0;
    if (n_c == 1)
        return mixed ? mixed_tile_of_1(phase, planes, weights) : tile_of_1(phase, planes, weights);
    return mixed ? mixed_tile_of_3(phase, planes, weights) : tile_of_3(phase, planes, weights);
}

/* Where a tile stands in its phase, and its number of channels. */
typedef struct place {
    int n_c;
    int h;
    int w;
} place_t;

/* The part of a tile that lies in the image. */
static void store_tile(const nas_conv_blocks_t *conv, const phase_t *phase, const tile_t *tile,
                       place_t place, double *image)
{
    const nas_window_t *window = &conv->window;
    const size_t plane = (size_t)conv->h_in * (size_t)conv->w_in;
    const size_t step = (size_t)window->stride_w;
    for (int c = 0; c < place.n_c; c++, image += plane) {
        for (int r = 0; r < TILE_ROWS && place.h + r < phase->h; r++) {
            const int h = phase->row + (place.h + r) * window->stride_h;
            const int w = phase->column + place.w * window->stride_w;
            double *row = image + (size_t)h * (size_t)conv->w_in + (size_t)w;
            for (int l = 0; l < LANES && place.w + l < phase->w; l++)
                row[(size_t)l * step] = (double)tile->sum[r][c][l];
        }
    }
}

/* A phase of the gradient of one image, from its planes. */
static void one_phase(const nas_conv_blocks_t *conv, const phase_t *phase, planes_t planes,
                      const float *weights, double *image)
{
    const size_t size = (size_t)conv->h_in * (size_t)conv->w_in;
    for (int c = 0, n_c; c < conv->c_in; c += n_c, image += (size_t)n_c * size) {
        n_c = conv->c_in - c >= TILE_CHANNELS ? TILE_CHANNELS : 1;
        for (int h = 0; h < phase->h; h += TILE_ROWS) {
            for (int w = 0; w < phase->w; w += LANES) {
                planes_t at = planes;
                at.at += (size_t)h * planes.width + (size_t)w;
                const tile_t tile = any_tile_of(phase, at, weights + c, n_c);
                store_tile(conv, phase, &tile, (place_t){n_c, h, w}, image);
            }
        }
    }
}

/* tap, run [out]: room for all taps. */
static phase_t phase_of(const nas_conv_blocks_t *conv, planes_t planes, int row, int column,
                        tap_t *tap)
{
    const axis_t rows = rows_of(conv), columns = columns_of(conv);
    const padded_t padded = {planes.width, 1, (size_t)conv->c_in};
    run_t *run = (void *)(tap + conv->window.k_h * conv->window.k_w);
    phase_t phase = {.row = row,
                     .column = column,
                     .h = phase_size(&rows, row),
                     .w = phase_size(&columns, column),
                     .filter = (size_t)(conv->window.k_h * conv->window.k_w) * (size_t)conv->c_in,
                     .run = run};
    const int n_taps = phase_taps(conv, row, column, padded, tap);
    const int n_runs = find_runs(tap, n_taps, planes.width, run);
    sort_runs(run, n_runs);
    for (int i = 0; i < n_runs; i++) phase.n_runs[run[i].n]++;
    return phase;
}

/* The gradient of one image. */
static void one_image(const nas_conv_blocks_t *conv, planes_t planes, const float *weights,
                      double *image, tap_t *tap)
{
    for (int row = 0; row < conv->window.stride_h; row++) {
        for (int column = 0; column < conv->window.stride_w; column++) {
            const phase_t phase = phase_of(conv, planes, row, column, tap);
            one_phase(conv, &phase, planes, weights, image);
        }
    }
}

static void gradient(const nas_conv_blocks_t *conv, const float *weights, const float *dy,
                     double *images, void *scratch)
{
    tap_t *tap = scratch;
    const planes_t planes = planes_of(conv, (void *)((char *)scratch + taps_bytes(conv)));
    const size_t y_size = (size_t)(conv->out * LANES) * (size_t)conv->h_out * (size_t)conv->w_out;
    const size_t image_size = (size_t)conv->c_in * (size_t)conv->h_in * (size_t)conv->w_in;
    memset(planes.at, 0, planes_bytes(conv));
    for (int n = 0; n < conv->n; n++) {
        transpose(conv, dy + (size_t)n * y_size, planes);
        one_image(conv, planes, weights, images + (size_t)n * image_size, tap);
    }
}

const nas_image_kernel_t NAS_IMAGE_KERNEL = {.scratch_bytes = scratch_bytes, .gradient = gradient};
