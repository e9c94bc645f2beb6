/* Pools of any window, compiled once per instruction set: NAS_POOL_KERNEL names the table of
 * functions. Each works on a plane at a time.
 *
 * Windows that lie in the input as a whole are walked row by row, with the common sizes as constants
 * for the compiler; only those that stick out are looked at one by one. */
#include "worker/engine/backends/cpu/kernels.h"
#include "worker/engine/backends/cpu/lanes.h"

#include <string.h>

/* Pixels of a window that lie in the input: [first, end) along each axis. */
typedef struct area {
    int top;
    int bottom;
    int left;
    int right;
    float weight; /* of each in a mean */
} area_t;

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* What a mean counts along an axis. */
static int counted(nas_axis_t axis, int extent, int first, bool padding)
{
    const int low = padding ? -axis.before : 0;
    const int high = padding ? extent + axis.after : extent;
    return smaller(first + axis.k, high) - larger(first, low);
}

static area_t area_of(const nas_pool_shape_t *pool, int h, int w)
{
    const nas_axis_t rows = nas_window_rows(&pool->window);
    const nas_axis_t columns = nas_window_columns(&pool->window);
    const int top = h * rows.stride - rows.before;
    const int left = w * columns.stride - columns.before;
    const int count = counted(rows, pool->h_in, top, pool->counts_padding) *
                      counted(columns, pool->w_in, left, pool->counts_padding);
    return (area_t){.top = larger(top, 0),
                    .bottom = smaller(top + rows.k, pool->h_in),
                    .left = larger(left, 0),
                    .right = smaller(left + columns.k, pool->w_in),
                    .weight = 1.0F / (float)count};
}

static nas_shape_t shape_in(const nas_pool_shape_t *pool)
{
    return (nas_shape_t){pool->n, pool->c, pool->h_in, pool->w_in};
}

static nas_shape_t shape_out(const nas_pool_shape_t *pool)
{
    return (nas_shape_t){pool->n, pool->c, pool->h_out, pool->w_out};
}

/* Outputs [first, end) along an axis, whose windows lie in the input as a whole. */
typedef struct span {
    int first;
    int end;
} span_t;

static span_t whole_windows(nas_axis_t axis, int n_in, int n_out)
{
    const int first = (larger(axis.before, 0) + axis.stride - 1) / axis.stride;
    const int room = n_in - axis.k + axis.before;
    const int end = room < 0 ? 0 : smaller(room / axis.stride + 1, n_out);
    return first < end ? (span_t){first, end} : (span_t){0, 0};
}

/* What all whole windows share. */
typedef struct whole {
    span_t rows;
    span_t columns;
    int k_h;
    int k_w;
    size_t row;  /* of the input, in numbers */
    size_t step; /* from a window to the next */
    float weight;
} whole_t;

static whole_t whole_of(const nas_pool_shape_t *pool)
{
    const nas_axis_t rows = nas_window_rows(&pool->window);
    const nas_axis_t columns = nas_window_columns(&pool->window);
    return (whole_t){.rows = whole_windows(rows, pool->h_in, pool->h_out),
                     .columns = whole_windows(columns, pool->w_in, pool->w_out),
                     .k_h = rows.k,
                     .k_w = columns.k,
                     .row = (size_t)pool->w_in * LANES,
                     .step = (size_t)columns.stride * LANES,
                     .weight = 1.0F / (float)(rows.k * columns.k)};
}

/* The columns of a row of outputs whose windows are whole; none where the row's are not. */
static span_t whole_columns(const whole_t *whole, int h)
{
    const bool inside = h >= whole->rows.first && h < whole->rows.end;
    return inside ? whole->columns : (span_t){0, 0};
}

/* With the window's size as constants where they are common. */
#define FOR_SIZES(WHOLE, CALL)                                                                     \
    do {                                                                                           \
        if ((WHOLE)->k_h == 3 && (WHOLE)->k_w == 3) {                                              \
            enum { K_H = 3, K_W = 3 };                                                             \
            CALL;                                                                                  \
        } else if ((WHOLE)->k_h == 2 && (WHOLE)->k_w == 2) {                                       \
            enum { K_H = 2, K_W = 2 };                                                             \
            CALL;                                                                                  \
        } else {                                                                                   \
            const int K_H = (WHOLE)->k_h, K_W = (WHOLE)->k_w;                                      \
            CALL;                                                                                  \
        }                                                                                          \
    } while (0)

NAS_INLINE const float *pixel(const nas_pool_shape_t *pool, const float *plane, int h, int w)
{
    return plane + ((size_t)h * (size_t)pool->w_in + (size_t)w) * LANES;
}

NAS_INLINE lanes_t mean(const nas_pool_shape_t *pool, const area_t *area, const float *x)
{
    lanes_t sum = {0};
    for (int h = area->top; h < area->bottom; h++) {
        const float *at = pixel(pool, x, h, area->left);
        for (int w = area->left; w < area->right; w++, at += LANES) sum += lanes_load(at);
    }
    return sum * area->weight;
}

/* Lanes where a value takes the place of the largest one before it: a later NaN does. */
NAS_INLINE lane_mask_t is_taken(lanes_t value, lanes_t largest)
{
    return (lane_mask_t)(value > largest) | (lane_mask_t)(value != value);
}

/* Values of `from` where x is largest. */
NAS_INLINE lanes_t at_largest(const nas_pool_shape_t *pool, const area_t *area, const float *x,
                              const float *from)
{
    const size_t first = (size_t)(pixel(pool, x, area->top, area->left) - x);
    lanes_t largest = lanes_load(x + first), found = lanes_load(from + first);
    for (int h = area->top; h < area->bottom; h++) {
        size_t at = (size_t)(pixel(pool, x, h, area->left) - x);
        for (int w = area->left; w < area->right; w++, at += LANES) {
            const lanes_t value = lanes_load(x + at);
            const lane_mask_t taken = is_taken(value, largest);
            largest = lanes_choose(taken, value, largest);
            found = lanes_choose(taken, lanes_load(from + at), found);
        }
    }
    return found;
}

/* n windows of a row; those of inputs that begin at `from`. */
NAS_INLINE void put_means(const whole_t *whole, const float *from, float *to, int n, int k_h,
                          int k_w)
{
    for (int i = 0; i < n; i++, from += whole->step, to += LANES) {
        lanes_t sum = {0};
#pragma GCC unroll 3
        for (int h = 0; h < k_h; h++)
#pragma GCC unroll 3
            for (int w = 0; w < k_w; w++)
                sum += lanes_load(from + (size_t)h * whole->row + (size_t)w * LANES);
        lanes_store(to, sum * whole->weight);
    }
}

NAS_INLINE void put_largest(const whole_t *whole, const float *x, float *to, int n, int k_h,
                            int k_w)
{
    for (int i = 0; i < n; i++, x += whole->step, to += LANES) {
        lanes_t largest = lanes_load(x);
#pragma GCC unroll 3
        for (int h = 0; h < k_h; h++) {
#pragma GCC unroll 3
            for (int w = h == 0; w < k_w; w++) {
                const lanes_t value = lanes_load(x + (size_t)h * whole->row + (size_t)w * LANES);
                largest = lanes_choose(is_taken(value, largest), value, largest);
            }
        }
        lanes_store(to, largest);
    }
}

/* Values of `from` where x is largest. */
NAS_INLINE void put_at_largest(const whole_t *whole, const float *x, const float *from, float *to,
                               int n, int k_h, int k_w)
{
    for (int i = 0; i < n; i++, x += whole->step, from += whole->step, to += LANES) {
        lanes_t largest = lanes_load(x), found = lanes_load(from);
#pragma GCC unroll 3
        for (int h = 0; h < k_h; h++) {
#pragma GCC unroll 3
            for (int w = h == 0; w < k_w; w++) {
                const size_t at = (size_t)h * whole->row + (size_t)w * LANES;
                const lanes_t value = lanes_load(x + at);
                const lane_mask_t taken = is_taken(value, largest);
                largest = lanes_choose(taken, value, largest);
                found = lanes_choose(taken, lanes_load(from + at), found);
            }
        }
        lanes_store(to, found);
    }
}

static void put_whole(const nas_pool_shape_t *pool, const whole_t *whole, const float *x,
                      const float *from, float *to, int n)
{
    if (pool->kind != NAS_POOL_MAX)
        FOR_SIZES(whole, put_means(whole, from, to, n, K_H, K_W));
    else if (x == from)
        FOR_SIZES(whole, put_largest(whole, from, to, n, K_H, K_W));
    else
        FOR_SIZES(whole, put_at_largest(whole, x, from, to, n, K_H, K_W));
}

/* Windows [w, end) of row h, one by one. */
static void put_any(const nas_pool_shape_t *pool, int h, span_t columns, const float *x,
                    const float *from, float *to)
{
    for (int w = columns.first; w < columns.end; w++) {
        const area_t area = area_of(pool, h, w);
        float *at = to + (size_t)w * LANES;
        if (pool->kind == NAS_POOL_MAX)
            lanes_store(at, at_largest(pool, &area, x, from));
        else
            lanes_store(at, mean(pool, &area, from));
    }
}

/* The first number of the window of an output. */
static size_t window_at(const nas_pool_shape_t *pool, const whole_t *whole, int h, int w)
{
    const int row = h * pool->window.stride_h - pool->window.top;
    const int column = w * pool->window.stride_w - pool->window.left;
    return (size_t)row * whole->row + (size_t)column * LANES;
}

static void pool_plane(const nas_pool_shape_t *pool, const float *x, const float *from, float *to)
{
    const whole_t whole = whole_of(pool);
    for (int h = 0; h < pool->h_out; h++, to += (size_t)pool->w_out * LANES) {
        const span_t inner = whole_columns(&whole, h);
        put_any(pool, h, (span_t){0, inner.first}, x, from, to);
        put_any(pool, h, (span_t){inner.end, pool->w_out}, x, from, to);
        if (inner.end == inner.first) continue;
        const size_t at = window_at(pool, &whole, h, inner.first);
        put_whole(pool, &whole, x + at, from + at, to + (size_t)inner.first * LANES,
                  inner.end - inner.first);
    }
}

static void forward(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t y)
{
    for (int n = 0; n < pool->n; n++) {
        for (int c = 0; c < pool->c; c += LANES) {
            const float *from = lanes_plane(shape_in(pool), x, n, c);
            pool_plane(pool, from, from, lanes_plane(shape_out(pool), y, n, c));
        }
    }
}

static void tangent(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t tx,
                    nas_channels_t ty)
{
    for (int n = 0; n < pool->n; n++)
        for (int c = 0; c < pool->c; c += LANES)
            pool_plane(pool, lanes_plane(shape_in(pool), x, n, c),
                       lanes_plane(shape_in(pool), tx, n, c),
                       lanes_plane(shape_out(pool), ty, n, c));
}

/* --------------------------------------------------------------------------------- adjoints */

NAS_INLINE void add_to_mean(const nas_pool_shape_t *pool, const area_t *area, lanes_t dy, float *dx)
{
    const lanes_t part = dy * area->weight;
    for (int h = area->top; h < area->bottom; h++) {
        float *at = dx + (pixel(pool, dx, h, area->left) - dx);
        for (int w = area->left; w < area->right; w++, at += LANES)
            lanes_store(at, lanes_load(at) + part);
    }
}

/* Lanes of the window's pixel, counted row by row, where x is largest. */
NAS_INLINE lane_mask_t find_largest(const nas_pool_shape_t *pool, const area_t *area,
                                    const float *x)
{
    lanes_t largest = lanes_load(pixel(pool, x, area->top, area->left));
    lane_mask_t found = {0}, index = {0};
    for (int h = area->top; h < area->bottom; h++) {
        const float *at = pixel(pool, x, h, area->left);
        for (int w = area->left; w < area->right; w++, at += LANES, index += 1) {
            const lanes_t value = lanes_load(at);
            const lane_mask_t taken = is_taken(value, largest);
            largest = lanes_choose(taken, value, largest);
            found = (taken & index) | (~taken & found);
        }
    }
    return found;
}

NAS_INLINE void add_to_largest(const nas_pool_shape_t *pool, const area_t *area, lanes_t dy,
                               const float *x, float *dx)
{
    const lane_mask_t found = find_largest(pool, area, x);
    lane_mask_t index = {0};
    for (int h = area->top; h < area->bottom; h++) {
        float *at = dx + (pixel(pool, dx, h, area->left) - dx);
        for (int w = area->left; w < area->right; w++, at += LANES, index += 1) {
            const lane_mask_t is_here = (lane_mask_t)(index == found);
            lanes_store(at, lanes_load(at) + (lanes_t)(is_here & (lane_mask_t)dy));
        }
    }
}

/* Likewise to n windows of a row. */
NAS_INLINE void add_means(const whole_t *whole, const float *dy, float *dx, int n, int k_h, int k_w)
{
    for (int i = 0; i < n; i++, dx += whole->step, dy += LANES) {
        const lanes_t part = lanes_load(dy) * whole->weight;
#pragma GCC unroll 3
        for (int h = 0; h < k_h; h++) {
            float *at = dx + (size_t)h * whole->row;
#pragma GCC unroll 3
            for (int w = 0; w < k_w; w++, at += LANES) lanes_store(at, lanes_load(at) + part);
        }
    }
}

NAS_INLINE void add_largest(const whole_t *whole, const float *x, const float *dy, float *dx, int n,
                            int k_h, int k_w)
{
    for (int i = 0; i < n; i++, x += whole->step, dx += whole->step, dy += LANES) {
        lanes_t largest = lanes_load(x);
        lane_mask_t found = {0}, index = {0};
#pragma GCC unroll 3
        for (int h = 0; h < k_h; h++) {
#pragma GCC unroll 3
            for (int w = 0; w < k_w; w++, index += 1) {
                const lanes_t value = lanes_load(x + (size_t)h * whole->row + (size_t)w * LANES);
                const lane_mask_t taken = is_taken(value, largest);
                largest = lanes_choose(taken, value, largest);
                found = (lane_mask_t)lanes_choose(taken, (lanes_t)index, (lanes_t)found);
            }
        }
        index = (lane_mask_t){0};
#pragma GCC unroll 3
        for (int h = 0; h < k_h; h++) {
            float *at = dx + (size_t)h * whole->row;
#pragma GCC unroll 3
            for (int w = 0; w < k_w; w++, at += LANES, index += 1) {
                const lane_mask_t is_here = (lane_mask_t)(index == found);
                lanes_store(at, lanes_load(at) + (lanes_t)(is_here & (lane_mask_t)lanes_load(dy)));
            }
        }
    }
}

static void spread_any(const nas_pool_shape_t *pool, int h, span_t columns, const float *x,
                       const float *dy, float *dx)
{
    for (int w = columns.first; w < columns.end; w++) {
        const area_t area = area_of(pool, h, w);
        const lanes_t gradient = lanes_load(dy + (size_t)w * LANES);
        if (x == NULL)
            add_to_mean(pool, &area, gradient, dx);
        else
            add_to_largest(pool, &area, gradient, x, dx);
    }
}

/* x NULL: of a mean. */
static void spread_plane(const nas_pool_shape_t *pool, const float *x, const float *dy, float *dx)
{
    const whole_t whole = whole_of(pool);
    memset(dx, 0, (size_t)pool->h_in * (size_t)pool->w_in * LANES * sizeof *dx);
    for (int h = 0; h < pool->h_out; h++, dy += (size_t)pool->w_out * LANES) {
        const span_t inner = whole_columns(&whole, h);
        spread_any(pool, h, (span_t){0, inner.first}, x, dy, dx);
        const int n = inner.end - inner.first;
        if (n > 0) {
            const size_t at = window_at(pool, &whole, h, inner.first);
            const float *gradient = dy + (size_t)inner.first * LANES;
            if (x == NULL)
                FOR_SIZES(&whole, add_means(&whole, gradient, dx + at, n, K_H, K_W));
            else
                FOR_SIZES(&whole, add_largest(&whole, x + at, gradient, dx + at, n, K_H, K_W));
        }
        spread_any(pool, h, (span_t){inner.end, pool->w_out}, x, dy, dx);
    }
}

static void backward(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t dy,
                     nas_channels_t dx)
{
    const bool reads_x = pool->kind == NAS_POOL_MAX;
    for (int n = 0; n < pool->n; n++)
        for (int c = 0; c < pool->c; c += LANES)
            spread_plane(pool, reads_x ? lanes_plane(shape_in(pool), x, n, c) : NULL,
                         lanes_plane(shape_out(pool), dy, n, c),
                         lanes_plane(shape_in(pool), dx, n, c));
}

const nas_pool_kernel_t NAS_POOL_KERNEL = {
    .forward = forward, .backward = backward, .tangent = tangent};
