/* Pools of any window, compiled once per instruction set: NAS_POOL_KERNEL names the table of
 * functions. Each works on a plane at a time. */
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

NAS_INLINE void pool_plane(const nas_pool_shape_t *pool, const float *x, const float *from,
                           float *to)
{
    for (int h = 0; h < pool->h_out; h++) {
        for (int w = 0; w < pool->w_out; w++, to += LANES) {
            const area_t area = area_of(pool, h, w);
            if (pool->kind == NAS_POOL_MAX)
                lanes_store(to, at_largest(pool, &area, x, from));
            else
                lanes_store(to, mean(pool, &area, from));
        }
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

/* x NULL: of a mean. */
NAS_INLINE void spread_plane(const nas_pool_shape_t *pool, const float *x, const float *dy,
                             float *dx)
{
    memset(dx, 0, (size_t)pool->h_in * (size_t)pool->w_in * LANES * sizeof *dx);
    for (int h = 0; h < pool->h_out; h++) {
        for (int w = 0; w < pool->w_out; w++, dy += LANES) {
            const area_t area = area_of(pool, h, w);
            if (x == NULL)
                add_to_mean(pool, &area, lanes_load(dy), dx);
            else
                add_to_largest(pool, &area, lanes_load(dy), x, dx);
        }
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
