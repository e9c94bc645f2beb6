/* Pools of the reference backend, a plane at a time. */
#include "worker/engine/backends/ref/ref_internal.h"

#include <math.h>
#include <string.h>

/* Along one axis. */
typedef struct range {
    int first;
    int end;
} range_t;

/* Pixels of a window that lie in the input. */
typedef struct area {
    range_t rows;
    range_t columns;
    double count; /* that a mean is over */
} area_t;

static range_t clip(range_t r, int low, int high)
{
    return (range_t){r.first < low ? low : r.first, r.end > high ? high : r.end};
}

static range_t slide(nas_axis_t axis, int out)
{
    const int first = out * axis.stride - axis.before;
    return (range_t){first, first + axis.k};
}

static double extent(range_t rows, range_t columns)
{
    return (double)(rows.end - rows.first) * (columns.end - columns.first);
}

static area_t find_area(const nas_pool_shape_t *pool, int h, int w)
{
    const nas_axis_t along_h = nas_window_rows(&pool->window);
    const nas_axis_t along_w = nas_window_columns(&pool->window);
    const range_t rows = slide(along_h, h), columns = slide(along_w, w);
    area_t area = {.rows = clip(rows, 0, pool->h_in), .columns = clip(columns, 0, pool->w_in)};
    area.count = extent(area.rows, area.columns);
    if (pool->counts_padding)
        area.count = extent(clip(rows, -along_h.before, pool->h_in + along_h.after),
                            clip(columns, -along_w.before, pool->w_in + along_w.after));
    return area;
}

static double mean(const nas_pool_shape_t *pool, const area_t *area, const double *x)
{
    double sum = 0;
    for (int h = area->rows.first; h < area->rows.end; h++)
        for (int w = area->columns.first; w < area->columns.end; w++)
            sum += x[(int64_t)h * pool->w_in + w];
    return sum / area->count;
}

/* Where in the plane the largest value stands. */
static int64_t largest(const nas_pool_shape_t *pool, const area_t *area, const double *x)
{
    int64_t best = (int64_t)area->rows.first * pool->w_in + area->columns.first;
    for (int h = area->rows.first; h < area->rows.end; h++) {
        for (int w = area->columns.first; w < area->columns.end; w++) {
            const int64_t at = (int64_t)h * pool->w_in + w;
            if (x[at] > x[best] || isnan(x[at])) best = at;
        }
    }
    return best;
}

static nas_shape_t shape_in(const nas_pool_shape_t *pool)
{
    return (nas_shape_t){pool->n, pool->c, pool->h_in, pool->w_in};
}

static nas_shape_t shape_out(const nas_pool_shape_t *pool)
{
    return (nas_shape_t){pool->n, pool->c, pool->h_out, pool->w_out};
}

/* to [H_out, W_out] = pixels of `from` where x is largest, or means of it. */
static void pool_plane(const nas_pool_shape_t *pool, const double *x, const double *from,
                       double *to)
{
    for (int h = 0; h < pool->h_out; h++) {
        for (int w = 0; w < pool->w_out; w++) {
            const area_t area = find_area(pool, h, w);
            *to++ = pool->kind == NAS_POOL_MAX ? from[largest(pool, &area, x)]
                                               : mean(pool, &area, from);
        }
    }
}

static void spread_plane(const nas_pool_shape_t *pool, const double *x, const double *dy,
                         double *dx)
{
    memset(dx, 0, (size_t)nas_ref_pixels(shape_in(pool)) * sizeof *dx);
    for (int out = 0; out < pool->h_out * pool->w_out; out++) {
        const area_t area = find_area(pool, out / pool->w_out, out % pool->w_out);
        if (pool->kind == NAS_POOL_MAX) {
            dx[largest(pool, &area, x)] += dy[out];
            continue;
        }
        for (int h = area.rows.first; h < area.rows.end; h++)
            for (int w = area.columns.first; w < area.columns.end; w++)
                dx[(int64_t)h * pool->w_in + w] += dy[out] / area.count;
    }
}

void nas_ref_pool_tangent(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t tx,
                          nas_channels_t ty)
{
    const nas_shape_t in = shape_in(pool), out = shape_out(pool);
    for (int n = 0; n < pool->n; n++)
        for (int c = 0; c < pool->c; c++)
            pool_plane(pool, nas_ref_plane(x, in, n, c), nas_ref_plane(tx, in, n, c),
                       nas_ref_plane(ty, out, n, c));
}

void nas_ref_pool_forward(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t y)
{
    nas_ref_pool_tangent(pool, x, x, y);
}

void nas_ref_pool_backward(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t dy,
                           nas_channels_t dx)
{
    const nas_shape_t in = shape_in(pool), out = shape_out(pool);
    for (int n = 0; n < pool->n; n++)
        for (int c = 0; c < pool->c; c++)
            spread_plane(pool, x.data ? nas_ref_plane(x, in, n, c) : NULL,
                         nas_ref_plane(dy, out, n, c), nas_ref_plane(dx, in, n, c));
}
