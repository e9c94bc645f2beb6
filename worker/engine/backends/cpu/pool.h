/* Pooled terms of combinations, for the files that are compiled once per instruction set: parts of
 * a row of pooled pixels, into a buffer. */
#ifndef NAS_WORKER_ENGINE_BACKENDS_CPU_POOL_H
#define NAS_WORKER_ENGINE_BACKENDS_CPU_POOL_H

#include "worker/engine/backends/cpu/lanes.h"

enum { POOL_COLUMNS = 8 /* pixels in registers */ };

/* A pooled term where it is read: rows of the tensor's plane, and how many it has. */
typedef struct pooled {
    const float *plane;
    int h;
    int w;
    lanes_t coefficient;
} pooled_t;

/* One over the number of a pixel's neighbours along an axis, itself included. */
NAS_INLINE float axis_weight(int at, int extent)
{
    static const float weight[] = {1.0F, 1.0F / 2, 1.0F / 3};
    return weight[(at > 0) + (at < extent - 1)];
}

/* The rows above, at and below a pixel, each with the coefficient and its own weight. */
typedef struct three_rows {
    const float *row[3];
    lanes_t weight[3];
    int w;
    bool adjoint;
} three_rows_t;

/* A row that is not there weighs 0; the mean's weight is that of row h, the adjoint's that of the
 * row read. */
static three_rows_t three_rows(const pooled_t *from, int h, bool adjoint)
{
    three_rows_t rows = {.w = from->w, .adjoint = adjoint};
    for (int i = 0; i < 3; i++) {
        const int row = h - 1 + i;
        const bool inside = row >= 0 && row < from->h;
        const float weight = inside ? axis_weight(adjoint ? row : h, from->h) : 0;
        rows.weight[i] = from->coefficient * weight;
        rows.row[i] = from->plane + (size_t)(inside ? row : h) * (size_t)from->w * LANES;
    }
    return rows;
}

/* The rows' sum in a column that has neighbours on both sides. */
NAS_INLINE lanes_t inner_column(const three_rows_t *rows, int w)
{
    const size_t at = (size_t)w * LANES;
    return rows->weight[0] * lanes_load(rows->row[0] + at) +
           rows->weight[1] * lanes_load(rows->row[1] + at) +
           rows->weight[2] * lanes_load(rows->row[2] + at);
}

/* In any column, 0 outside; in the adjoint relative to the weight of an inner one. */
NAS_INLINE lanes_t any_column(const three_rows_t *rows, int w)
{
    if (w < 0 || w >= rows->w) return (lanes_t){0};
    const lanes_t sum = inner_column(rows, w);
    if (!rows->adjoint || (w > 0 && w < rows->w - 1)) return sum;
    return sum * (3 * axis_weight(w, rows->w));
}

/* What a term brings to a pixel of the buffer: the first one sets it. */
NAS_INLINE void put(float *sum, lanes_t value, bool is_first)
{
    if (!is_first) value += lanes_load(sum);
    lanes_store(sum, value);
}

/* Mean of the neighbours, or its adjoint, for columns [w, w + n) of the middle row, n a constant
 * where this is inlined. Only the outermost columns can be at the border. */
NAS_INLINE void put_pool3_columns(const three_rows_t *rows, int w, int n, float *sum, bool is_first)
{
    lanes_t column[POOL_COLUMNS + 2];
    column[0] = any_column(rows, w - 1);
    column[1] = any_column(rows, w);
#pragma GCC unroll 8
    for (int i = 2; i < n; i++) column[i] = inner_column(rows, w - 1 + i);
    if (n > 1) column[n] = any_column(rows, w - 1 + n);
    column[n + 1] = any_column(rows, w + n);
#pragma GCC unroll 8
    for (int i = 0; i < n; i++) {
        const bool inner = rows->adjoint || (i > 0 && i < n - 1);
        const float weight = inner ? 1.0F / 3 : axis_weight(w + i, rows->w);
        put(sum + i * LANES, weight * (column[i] + column[i + 1] + column[i + 2]), is_first);
    }
}

NAS_INLINE void put_pool3(const three_rows_t *rows, int w, int n, float *sum, bool is_first)
{
    const int end = w + n;
    for (; w + POOL_COLUMNS <= end; w += POOL_COLUMNS, sum += POOL_COLUMNS * LANES)
        put_pool3_columns(rows, w, POOL_COLUMNS, sum, is_first);
    for (; w < end; w++, sum += LANES) put_pool3_columns(rows, w, 1, sum, is_first);
}

/* Pixels [w, w + n) of row h of the value. */
typedef struct row_part {
    int h;
    int w;
    int n;
} row_part_t;

/* Mean of 2 x 2 pixels. */
NAS_INLINE void put_pool2(const pooled_t *from, row_part_t part, float *sum, bool is_first)
{
    const size_t row = (size_t)from->w * LANES;
    const float *upper = from->plane + (size_t)(2 * part.h) * row + (size_t)(2 * part.w) * LANES;
    const lanes_t coefficient = from->coefficient * 0.25F;
    for (int i = 0; i < part.n; i++, upper += (size_t)2 * LANES, sum += LANES) {
        const lanes_t four = (lanes_load(upper) + lanes_load(upper + LANES)) +
                             (lanes_load(upper + row) + lanes_load(upper + row + LANES));
        put(sum, coefficient * four, is_first);
    }
}

/* Its adjoint. */
NAS_INLINE void put_pool2_adjoint(const pooled_t *from, row_part_t part, float *sum, bool is_first)
{
    const float *row = from->plane + (size_t)(part.h / 2) * (size_t)from->w * LANES;
    const lanes_t coefficient = from->coefficient * 0.25F;
    for (int i = 0; i < part.n; i++, sum += LANES) {
        const float *at = row + (size_t)((part.w + i) / 2) * LANES;
        put(sum, coefficient * lanes_load(at), is_first);
    }
}

NAS_INLINE void put_row_part(nas_term_kind_t kind, const pooled_t *from, row_part_t part,
                             float *sum, bool is_first)
{
    if (kind == NAS_TERM_POOL2) {
        put_pool2(from, part, sum, is_first);
    } else if (kind == NAS_TERM_POOL2_ADJOINT) {
        put_pool2_adjoint(from, part, sum, is_first);
    } else {
        const three_rows_t rows = three_rows(from, part.h, kind == NAS_TERM_POOL3_ADJOINT);
        put_pool3(&rows, part.w, part.n, sum, is_first);
    }
}

static nas_shape_t pooled_shape(nas_term_kind_t kind, nas_shape_t value)
{
    nas_shape_t shape = value;
    if (kind == NAS_TERM_POOL2) {
        shape.h = 2 * value.h;
        shape.w = 2 * value.w;
    } else if (kind == NAS_TERM_POOL2_ADJOINT) {
        shape.h = value.h / 2;
        shape.w = value.w / 2;
    }
    return shape;
}

#endif
