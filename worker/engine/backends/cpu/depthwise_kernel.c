/* Convolutions in which every channel is a group, compiled once per instruction set:
 * NAS_DEPTHWISE_KERNEL names the table of functions.
 *
 * A pixel takes few products a number that is read, so that memory is the floor. A plane is copied
 * with zeros around it, which stays in the caches, and then no pixel is at an edge: all sums are
 * over the same taps. Forward and, phase by phase, backward_data are one walk over a grid of such
 * sums; backward_weights holds the sums of some taps in registers and walks over the outputs.
 */
#include "worker/engine/backends/cpu/taps.h"

#include <string.h>

enum {
    TILE = 8, /* sums in registers */
    SMALL_TILE = 4,
    MAX_GROUP = 9, /* taps whose sums are in registers */
    LINE = 64
};

static size_t n_weights(const nas_conv_blocks_t *conv)
{
    return (size_t)conv->window.k_h * (size_t)conv->window.k_w;
}

/* ------------------------------------------------------------------------------- padded planes */

/* A plane with zeros around it. */
typedef struct frame {
    int h; /* of the plane */
    int w;
    size_t top;
    size_t left;
    size_t width; /* of the frame */
    size_t height;
} frame_t;

/* Inputs of the forward pass along an axis, with all that its windows meet. */
static int padded_inputs(const axis_t *axis)
{
    const nas_axis_t *window = &axis->window;
    const int last = (axis->n_out - 1) * window->stride;
    const int met = last + (window->k - 1) * window->dilation + 1;
    const int here = window->before + axis->n_in;
    return met > here ? met : here;
}

static frame_t frame_of_inputs(const nas_conv_blocks_t *conv)
{
    const axis_t rows = rows_of(conv), columns = columns_of(conv);
    return (frame_t){conv->h_in,
                     conv->w_in,
                     (size_t)conv->window.top,
                     (size_t)conv->window.left,
                     (size_t)padded_inputs(&columns),
                     (size_t)padded_inputs(&rows)};
}

static frame_t frame_of_outputs(const nas_conv_blocks_t *conv)
{
    const axis_t rows = rows_of(conv), columns = columns_of(conv);
    return (frame_t){conv->h_out,
                     conv->w_out,
                     (size_t)zeros_before(&rows),
                     (size_t)zeros_before(&columns),
                     (size_t)padded_outputs(&columns, 1),
                     (size_t)padded_outputs(&rows, 1)};
}

static size_t frame_bytes(frame_t frame)
{
    return frame.width * frame.height * LANES * sizeof(float);
}

/* A plane on its way into a frame whose border holds zeros. Rows are copied when they are wanted
 * first, so that memory is read while sums are made. */
typedef struct source {
    frame_t frame;
    const float *plane;
    float *framed;
    int n_rows; /* of the plane that are there */
} source_t;

static void start_plane(source_t *source, const float *plane)
{
    source->plane = plane;
    source->n_rows = 0;
}

/* Have the frame's first rows. */
NAS_INLINE void want_rows(source_t *source, size_t n)
{
    const frame_t *frame = &source->frame;
    for (; source->n_rows < frame->h && frame->top + (size_t)source->n_rows < n; source->n_rows++) {
        const size_t row = frame->top + (size_t)source->n_rows;
        const float *from = source->plane + (size_t)(source->n_rows * frame->w) * LANES;
        float *to = source->framed + (row * frame->width + frame->left) * LANES;
        for (int w = 0; w < frame->w; w++, from += LANES, to += LANES)
            lanes_store(to, lanes_load(from));
    }
}

/* ---------------------------------------------------------------- forward and backward_data */

/* A grid of sums: steps from one to the next in memory, in numbers, of what is read and written. */
typedef struct grid {
    int h;
    int w;
    size_t rows;  /* of the frame, from one row of sums to the next */
    size_t reach; /* rows of the frame that one row of sums reads */
    size_t from_row;
    size_t from_step;
    size_t to_row;
    size_t to_step;
    const tap_t *tap;
    int n_taps;
    const float *weights;
} grid_t;

static size_t reach_of(const tap_t *tap, int n, frame_t frame)
{
    size_t most = 0;
    for (int t = 0; t < n; t++)
        if (tap[t].at > most) most = tap[t].at;
    return most / (frame.width * LANES) + 1;
}

/* n is a constant where this is inlined, and so are steps. */
NAS_INLINE void put_tile(const grid_t *grid, const float *from, float *to, int n)
{
    lanes_t sum[TILE] = {0};
    for (int t = 0; t < grid->n_taps; t++) {
        const lanes_t weight = lanes_load(grid->weights + grid->tap[t].weight);
        const float *at = from + grid->tap[t].at;
#pragma GCC unroll 8
        for (int i = 0; i < n; i++) sum[i] += lanes_load(at + (size_t)i * grid->from_step) * weight;
    }
#pragma GCC unroll 8
    for (int i = 0; i < n; i++) lanes_store(to + (size_t)i * grid->to_step, sum[i]);
}

/* The last tile overlaps the one before it, of which it finds the same sums. */
NAS_INLINE void put_row(const grid_t *grid, const float *from, float *to, int n)
{
    for (int w = 0; w < grid->w; w += n) {
        const size_t at = (size_t)(w + n <= grid->w ? w : grid->w - n);
        put_tile(grid, from + at * grid->from_step, to + at * grid->to_step, n);
    }
}

NAS_INLINE void put_rows(const grid_t *grid, source_t *source, float *to)
{
    const float *from = source->framed;
    for (int h = 0; h < grid->h; h++, from += grid->from_row, to += grid->to_row) {
        want_rows(source, (size_t)h * grid->rows + grid->reach);
        if (grid->w >= TILE)
            put_row(grid, from, to, TILE);
        else if (grid->w >= SMALL_TILE)
            put_row(grid, from, to, SMALL_TILE);
        else
            put_row(grid, from, to, 1);
    }
}

static void put_dense(const grid_t *grid, source_t *source, float *to)
{
    grid_t dense = *grid;
    dense.from_step = dense.to_step = LANES;
    put_rows(&dense, source, to);
}

static void put_grid(const grid_t *grid, source_t *source, float *to)
{
    if (grid->from_step == LANES && grid->to_step == LANES)
        put_dense(grid, source, to);
    else
        put_rows(grid, source, to);
}

/* What a call has in its scratch. */
typedef struct work {
    tap_t *tap;
    grid_t *phase;        /* [stride, stride] of backward_data */
    double (*sum)[LANES]; /* of a tap's weights */
    source_t source;
} work_t;

static size_t n_phases(const nas_conv_blocks_t *conv)
{
    return (size_t)conv->window.stride_h * (size_t)conv->window.stride_w;
}

static size_t whole_lines(size_t bytes)
{
    return (bytes + LINE - 1) / LINE * LINE;
}

/* The next piece of scratch. */
static void *cut(char **scratch, size_t bytes)
{
    char *piece = *scratch;
    *scratch += whole_lines(bytes);
    return piece;
}

static work_t start(const nas_conv_blocks_t *conv, frame_t frame, void *scratch)
{
    char *at = scratch;
    work_t work = {.source.frame = frame};
    work.tap = cut(&at, n_weights(conv) * sizeof *work.tap);
    work.phase = cut(&at, n_phases(conv) * sizeof *work.phase);
    work.sum = cut(&at, n_weights(conv) * sizeof *work.sum);
    work.source.framed = memset(at, 0, frame_bytes(frame));
    return work;
}

static size_t scratch_bytes(const nas_conv_blocks_t *conv)
{
    const size_t in = frame_bytes(frame_of_inputs(conv));
    const size_t out = frame_bytes(frame_of_outputs(conv));
    return whole_lines(n_weights(conv) * sizeof(tap_t)) +
           whole_lines(n_phases(conv) * sizeof(grid_t)) +
           whole_lines(n_weights(conv) * sizeof(double[LANES])) + (in > out ? in : out);
}

/* All elements of the filter, on a frame of inputs. */
static void list_taps(const nas_conv_blocks_t *conv, frame_t frame, tap_t *tap)
{
    const nas_window_t *window = &conv->window;
    for (int kh = 0, k = 0; kh < window->k_h; kh++) {
        for (int kw = 0; kw < window->k_w; kw++, k++) {
            const size_t row = (size_t)(kh * window->dilation_h);
            const size_t column = (size_t)(kw * window->dilation_w);
            tap[k] = (tap_t){(row * frame.width + column) * LANES, (size_t)k * LANES};
        }
    }
}

/* The sums of the forward pass; backward_weights has the same inputs. */
static grid_t grid_of_outputs(const nas_conv_blocks_t *conv, frame_t frame, tap_t *tap)
{
    const nas_window_t *window = &conv->window;
    const int n_taps = (int)n_weights(conv);
    list_taps(conv, frame, tap);
    return (grid_t){.h = conv->h_out,
                    .w = conv->w_out,
                    .rows = (size_t)window->stride_h,
                    .reach = reach_of(tap, n_taps, frame),
                    .from_row = (size_t)window->stride_h * frame.width * LANES,
                    .from_step = (size_t)window->stride_w * LANES,
                    .to_row = (size_t)conv->w_out * LANES,
                    .to_step = LANES,
                    .tap = tap,
                    .n_taps = n_taps};
}

static void forward(const nas_conv_blocks_t *conv, const float *weights, const float *x, float *y,
                    void *scratch)
{
    const frame_t frame = frame_of_inputs(conv);
    work_t work = start(conv, frame, scratch);
    grid_t grid = grid_of_outputs(conv, frame, work.tap);
    for (int n = 0; n < conv->n; n++) {
        for (int c = 0; c < conv->in; c++) {
            start_plane(&work.source, x);
            grid.weights = weights + (size_t)c * n_weights(conv) * LANES;
            put_grid(&grid, &work.source, y);
            x += (size_t)(conv->h_in * conv->w_in) * LANES;
            y += (size_t)(conv->h_out * conv->w_out) * LANES;
        }
    }
}

/* The sums of every phase of a plane. */
static void list_phases(const nas_conv_blocks_t *conv, frame_t frame, const work_t *work)
{
    const axis_t rows = rows_of(conv), columns = columns_of(conv);
    const padded_t padded = {frame.width, LANES, LANES};
    tap_t *tap = work->tap;
    grid_t *grid = work->phase;
    for (int row = 0; row < rows.window.stride; row++) {
        for (int column = 0; column < columns.window.stride; column++, grid++) {
            const int n_taps = phase_taps(conv, row, column, padded, tap);
            *grid = (grid_t){.h = phase_size(&rows, row),
                             .w = phase_size(&columns, column),
                             .rows = 1,
                             .reach = reach_of(tap, n_taps, frame),
                             .from_row = frame.width * LANES,
                             .from_step = LANES,
                             .to_row = (size_t)(rows.window.stride * columns.n_in) * LANES,
                             .to_step = (size_t)columns.window.stride * LANES,
                             .tap = tap,
                             .n_taps = n_taps};
            tap += n_taps;
        }
    }
}

/* All phases of one plane. */
static void put_phases(const nas_conv_blocks_t *conv, work_t *work, const float *weights, float *dx)
{
    const nas_window_t *window = &conv->window;
    for (size_t p = 0; p < n_phases(conv); p++) {
        const int row = (int)p / window->stride_w, column = (int)p % window->stride_w;
        grid_t *grid = &work->phase[p];
        grid->weights = weights;
        if (grid->w > 0)
            put_grid(grid, &work->source, dx + (size_t)(row * conv->w_in + column) * LANES);
    }
}

static void backward_data(const nas_conv_blocks_t *conv, const float *weights, const float *dy,
                          float *dx, void *scratch)
{
    const frame_t frame = frame_of_outputs(conv);
    work_t work = start(conv, frame, scratch);
    list_phases(conv, frame, &work);
    for (int n = 0; n < conv->n; n++) {
        for (int c = 0; c < conv->in; c++) {
            start_plane(&work.source, dy);
            put_phases(conv, &work, weights + (size_t)c * n_weights(conv) * LANES, dx);
            dx += (size_t)(conv->h_in * conv->w_in) * LANES;
            dy += (size_t)(conv->h_out * conv->w_out) * LANES;
        }
    }
}

/* ------------------------------------------------------------------------- backward_weights */

/* Add a plane's products for n taps, a constant where this is inlined: in float32 over the plane,
 * in float64 across planes. */
NAS_INLINE void add_taps(const grid_t *grid, source_t *source, int first, int n, const float *dy,
                         double (*total)[LANES])
{
    const tap_t *tap = grid->tap + first;
    const float *from = source->framed;
    lanes_t sum[MAX_GROUP] = {0};
    for (int h = 0; h < grid->h; h++, from += grid->from_row) {
        const float *at = from;
        want_rows(source, (size_t)h * grid->rows + grid->reach);
        for (int w = 0; w < grid->w; w++, at += grid->from_step, dy += LANES) {
            const lanes_t gradient = lanes_load(dy);
#pragma GCC unroll 9
            for (int t = 0; t < n; t++) sum[t] += lanes_load(at + tap[t].at) * gradient;
        }
    }
    for (int t = 0; t < n; t++)
        for (int l = 0; l < LANES; l++) total[first + t][l] += (double)sum[t][l];
}

/* Taps in groups of nearly equal size. */
static void add_plane(const grid_t *grid, source_t *source, const float *dy, double (*total)[LANES])
{
    const int n_groups = (grid->n_taps + MAX_GROUP - 1) / MAX_GROUP;
    for (int g = 0, first = 0, n; g < n_groups; g++, first += n) {
        n = (grid->n_taps - first + n_groups - g - 1) / (n_groups - g);
        switch (n) {
#define CASE(N)                                                                                    \
    case N:                                                                                        \
        add_taps(grid, source, first, N, dy, total);                                               \
        break
            CASE(1);
            CASE(2);
            CASE(3);
            CASE(4);
            CASE(5);
            CASE(6);
            CASE(7);
            CASE(8);
            CASE(9);
#undef CASE
        default:
            NAS_ASSERT(false);
        }
    }
}

static void backward_weights(const nas_conv_blocks_t *conv, const float *x, const float *dy,
                             float *dw, void *scratch)
{
    const frame_t frame = frame_of_inputs(conv);
    const size_t x_plane = (size_t)(conv->h_in * conv->w_in) * LANES;
    const size_t y_plane = (size_t)(conv->h_out * conv->w_out) * LANES;
    work_t work = start(conv, frame, scratch);
    const grid_t grid = grid_of_outputs(conv, frame, work.tap);
    for (int c = 0; c < conv->in; c++, dw += n_weights(conv) * LANES) {
        memset(work.sum, 0, n_weights(conv) * sizeof *work.sum);
        for (int n = 0; n < conv->n; n++) {
            const size_t plane = (size_t)(n * conv->in + c);
            start_plane(&work.source, x + plane * x_plane);
            add_plane(&grid, &work.source, dy + plane * y_plane, work.sum);
        }
        for (size_t k = 0; k < n_weights(conv); k++)
            for (int l = 0; l < LANES; l++) dw[k * LANES + (size_t)l] = (float)work.sum[k][l];
    }
}

const nas_depthwise_kernel_t NAS_DEPTHWISE_KERNEL = {.scratch_bytes = scratch_bytes,
                                                     .forward = forward,
                                                     .backward_data = backward_data,
                                                     .backward_weights = backward_weights};
