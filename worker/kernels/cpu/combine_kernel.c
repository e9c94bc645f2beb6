/* Combinations of tensors, compiled once per instruction set: NAS_COMBINE_KERNEL names the
 * function.
 *
 * They are bound by memory, so that every tensor is read once and the value never leaves the
 * registers: a plane is walked in groups of pixels, and a group goes through all terms, the mask,
 * the stores and the sums. Pooled terms are the exception. They need neighbours, and are first
 * added up for a segment of the plane in a buffer that stays in the first-level cache; to the
 * group the buffer is one more term.
 */
#include "worker/kernels/cpu/kernels.h"
#include "worker/kernels/cpu/lanes.h"

#include <string.h>

enum {
    GROUP = 8,     /* pixels in registers */
    SEGMENT = 128, /* pixels of a buffer, and of a sum in float32 */
    MAX_PLAIN = NAS_MAX_TERMS + 1
};

/* A tensor as a block of its channels is walked: `at` moves along the pixels of an image. */
typedef struct stream {
    float *at;
    float *first; /* of the first image; NULL: there is no tensor */
    size_t image_step;
} stream_t;

/* A term that is read pixel by pixel. */
typedef struct plain {
    stream_t from;
    lanes_t coefficient;
} plain_t;

/* The masked or the other terms of a block. */
typedef struct side {
    lanes_t constant; /* of the image at hand */
    int n_plain;
    plain_t plain[MAX_PLAIN]; /* the last may be the buffer */
    int n_pooled;
    const nas_term_t *pooled[NAS_MAX_TERMS];
} side_t;

typedef struct product {
    stream_t with;
    lanes_t center;
    lanes_t sum; /* of the segment at hand */
    double total[LANES];
} product_t;

/* What is done to a block of channels. */
typedef struct block {
    const nas_combination_t *call;
    int c;
    int n; /* the image at hand */
    lanes_t shift;
    bool has_constants; /* terms that depend on the image alone */
    side_t masked;
    side_t other;
    stream_t mask; /* there only where it is needed */
    stream_t out;
    stream_t relu;
    product_t product[NAS_MAX_DOTS];
} block_t;

/* A pooled term where it is read: rows of the tensor's plane, and how many it has. */
typedef struct pooled {
    const float *plane;
    int h;
    int w;
    lanes_t coefficient;
} pooled_t;

static stream_t stream_of(nas_shape_t shape, nas_channels_t tensor, int c)
{
    if (tensor.data == NULL) return (stream_t){0};
    float *first = lanes_plane(shape, tensor, 0, c);
    return (stream_t){first, first, (size_t)(lanes_plane(shape, tensor, 1, c) - first)};
}

static void start_image(stream_t *stream, int n)
{
    if (stream->first != NULL) stream->at = stream->first + (size_t)n * stream->image_step;
}

static void advance(stream_t *stream, int n_pixels)
{
    if (stream->first != NULL) stream->at += (size_t)n_pixels * LANES;
}

/* Do to all streams of a block. */
NAS_INLINE void each_stream(block_t *block, void (*visit)(stream_t *stream, int n), int n)
{
    for (int t = 0; t < block->masked.n_plain; t++) visit(&block->masked.plain[t].from, n);
    for (int t = 0; t < block->other.n_plain; t++) visit(&block->other.plain[t].from, n);
    for (int d = 0; d < block->call->n_dots; d++) visit(&block->product[d].with, n);
    visit(&block->mask, n);
    visit(&block->out, n);
    visit(&block->relu, n);
}

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
static lanes_t any_column(const three_rows_t *rows, int w)
{
    if (w < 0 || w >= rows->w) return (lanes_t){0};
    const lanes_t sum = inner_column(rows, w);
    if (!rows->adjoint) return sum;
    return sum * (3 * axis_weight(w, rows->w));
}

static void add_pool3_at_border(const three_rows_t *rows, int w, float *sum)
{
    const float weight = rows->adjoint ? 1.0F / 3 : axis_weight(w, rows->w);
    const lanes_t columns = any_column(rows, w - 1) + any_column(rows, w) + any_column(rows, w + 1);
    lanes_store(sum, lanes_load(sum) + weight * columns);
}

/* Mean of the neighbours, or its adjoint, for columns [w, end) of the middle row. */
static void add_pool3(const three_rows_t *rows, int w, int end, float *sum)
{
    const int inner_end = end < rows->w - 2 ? end : rows->w - 2;
    for (; w < end && w < 1; w++, sum += LANES) add_pool3_at_border(rows, w, sum);
    if (w < inner_end) {
        lanes_t left = any_column(rows, w - 1);
        lanes_t middle = any_column(rows, w);
        for (; w < inner_end; w++, sum += LANES) {
            const lanes_t right = inner_column(rows, w + 1);
            lanes_store(sum, lanes_load(sum) + (1.0F / 3) * (left + middle + right));
            left = middle;
            middle = right;
        }
    }
    for (; w < end; w++, sum += LANES) add_pool3_at_border(rows, w, sum);
}

/* Pixels [w, w + n) of row h of the value. */
typedef struct row_part {
    int h;
    int w;
    int n;
} row_part_t;

/* Mean of 2 x 2 pixels. */
static void add_pool2(const pooled_t *from, row_part_t part, float *sum)
{
    const size_t row = (size_t)from->w * LANES;
    const float *upper = from->plane + (size_t)(2 * part.h) * row + (size_t)(2 * part.w) * LANES;
    const lanes_t coefficient = from->coefficient * 0.25F;
    for (int i = 0; i < part.n; i++, upper += (size_t)2 * LANES, sum += LANES) {
        const lanes_t four = (lanes_load(upper) + lanes_load(upper + LANES)) +
                             (lanes_load(upper + row) + lanes_load(upper + row + LANES));
        lanes_store(sum, lanes_load(sum) + coefficient * four);
    }
}

/* Its adjoint. */
static void add_pool2_adjoint(const pooled_t *from, row_part_t part, float *sum)
{
    const float *row = from->plane + (size_t)(part.h / 2) * (size_t)from->w * LANES;
    const lanes_t coefficient = from->coefficient * 0.25F;
    for (int i = 0; i < part.n; i++, sum += LANES) {
        const float *at = row + (size_t)((part.w + i) / 2) * LANES;
        lanes_store(sum, lanes_load(sum) + coefficient * lanes_load(at));
    }
}

static void add_row_part(nas_term_kind_t kind, const pooled_t *from, row_part_t part, float *sum)
{
    if (kind == NAS_TERM_POOL2) {
        add_pool2(from, part, sum);
    } else if (kind == NAS_TERM_POOL2_ADJOINT) {
        add_pool2_adjoint(from, part, sum);
    } else {
        const three_rows_t rows = three_rows(from, part.h, kind == NAS_TERM_POOL3_ADJOINT);
        add_pool3(&rows, part.w, part.w + part.n, sum);
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

/* A pooled term for pixels [first, first + n) of a plane, row by row. */
static void add_pooled(const block_t *block, const nas_term_t *term, int first, int n, float *sum)
{
    const nas_shape_t value = block->call->shape;
    const nas_shape_t shape = pooled_shape(term->kind, value);
    const pooled_t from = {lanes_plane(shape, term->tensor, block->n, block->c), shape.h, shape.w,
                           lanes_of_channels(term->coefficient, block->c, value.c)};
    for (int done = 0, step; done < n; done += step, sum += (size_t)step * LANES) {
        const int h = (first + done) / value.w;
        const int w = (first + done) % value.w;
        step = value.w - w < n - done ? value.w - w : n - done;
        add_row_part(term->kind, &from, (row_part_t){h, w, step}, sum);
    }
}

/* The last of a side's plain terms is its buffer of pooled ones. */
static void fill_buffer(const block_t *block, const side_t *side, int first, int n, float *buffer)
{
    if (side->n_pooled == 0) return;
    memset(buffer, 0, (size_t)n * LANES * sizeof *buffer);
    for (int i = 0; i < side->n_pooled; i++) add_pooled(block, side->pooled[i], first, n, buffer);
}

NAS_INLINE void add_plain(const side_t *side, int at, int n, lanes_t value[GROUP])
{
    for (int t = 0; t < side->n_plain; t++) {
        const lanes_t coefficient = side->plain[t].coefficient;
        const float *from = side->plain[t].from.at + (size_t)at * LANES;
#pragma GCC unroll 8
        for (int i = 0; i < n; i++) value[i] += coefficient * lanes_load(from + (size_t)i * LANES);
    }
}

NAS_INLINE lanes_t group_sum(const lanes_t value[GROUP], int n)
{
    if (n == 1) return value[0];
    return ((value[0] + value[1]) + (value[2] + value[3])) +
           ((value[4] + value[5]) + (value[6] + value[7]));
}

NAS_INLINE void add_product(product_t *product, int at, int n, const lanes_t value[GROUP])
{
    if (product->with.at == NULL) {
        product->sum += (1 - product->center) * group_sum(value, n);
        return;
    }
    const float *from = product->with.at + (size_t)at * LANES;
    lanes_t term[GROUP];
#pragma GCC unroll 8
    for (int i = 0; i < n; i++)
        term[i] = value[i] * (lanes_load(from + (size_t)i * LANES) - product->center);
    product->sum += group_sum(term, n);
}

NAS_INLINE void rectify(const block_t *block, int at, int n, const lanes_t value[GROUP])
{
    float *to = block->relu.at + (size_t)at * LANES;
    if (block->mask.at == NULL) {
#pragma GCC unroll 8
        for (int i = 0; i < n; i++)
            lanes_store(to + (size_t)i * LANES, lanes_where_positive(value[i], value[i]));
        return;
    }
    const float *mask = block->mask.at + (size_t)at * LANES;
#pragma GCC unroll 8
    for (int i = 0; i < n; i++) {
        const lanes_t gate = lanes_load(mask + (size_t)i * LANES);
        lanes_store(to + (size_t)i * LANES, lanes_where_positive(gate, value[i]));
    }
}

/* n is GROUP or 1, a constant where this is inlined. */
NAS_INLINE void group(block_t *block, int at, int n)
{
    lanes_t value[GROUP];
    const lanes_t constant =
        block->mask.at == NULL ? block->other.constant : block->masked.constant;
#pragma GCC unroll 8
    for (int i = 0; i < n; i++) value[i] = constant;
    if (block->mask.at != NULL) {
        const float *mask = block->mask.at + (size_t)at * LANES;
        add_plain(&block->masked, at, n, value);
#pragma GCC unroll 8
        for (int i = 0; i < n; i++)
            value[i] = block->other.constant +
                       lanes_where_positive(lanes_load(mask + (size_t)i * LANES), value[i]);
    }
    add_plain(&block->other, at, n, value);
    if (block->out.at != NULL) {
#pragma GCC unroll 8
        for (int i = 0; i < n; i++) lanes_store(block->out.at + (size_t)(at + i) * LANES, value[i]);
    }
    if (block->relu.at != NULL) rectify(block, at, n, value);
    for (int d = 0; d < block->call->n_dots; d++) add_product(&block->product[d], at, n, value);
}

static void walk_segment(block_t *block, int n)
{
    int at = 0;
    for (; at + GROUP <= n; at += GROUP) group(block, at, GROUP);
    for (; at < n; at++) group(block, at, 1);
    for (int d = 0; d < block->call->n_dots; d++) {
        product_t *product = &block->product[d];
        for (int l = 0; l < LANES; l++) product->total[l] += (double)product->sum[l];
        product->sum = (lanes_t){0};
    }
}

static void add_constants(block_t *block)
{
    const nas_shape_t shape = block->call->shape;
    block->masked.constant = (lanes_t){0};
    block->other.constant = block->shift;
    for (int t = 0; t < block->call->n_terms; t++) {
        const nas_term_t *term = &block->call->term[t];
        if (term->kind != NAS_TERM_IMAGE) continue;
        const double *of_image = term->coefficient;
        if (of_image != NULL) of_image += (size_t)block->n * (size_t)shape.c;
        side_t *side = term->masked ? &block->masked : &block->other;
        side->constant += lanes_of_channels(of_image, block->c, shape.c);
    }
}

static void walk_image(block_t *block, float *masked, float *other)
{
    const int n_pixels = block->call->shape.h * block->call->shape.w;
    each_stream(block, start_image, block->n);
    if (block->has_constants) add_constants(block);
    for (int first = 0; first < n_pixels; first += SEGMENT) {
        const int n = n_pixels - first < SEGMENT ? n_pixels - first : SEGMENT;
        fill_buffer(block, &block->masked, first, n, masked);
        fill_buffer(block, &block->other, first, n, other);
        walk_segment(block, n);
        each_stream(block, advance, n);
    }
}

static void add_term(block_t *block, const nas_term_t *term)
{
    const nas_shape_t shape = block->call->shape;
    side_t *side = term->masked ? &block->masked : &block->other;
    if (term->kind == NAS_TERM_IMAGE)
        block->has_constants = true;
    else if (term->kind == NAS_TERM_PLAIN)
        side->plain[side->n_plain++] =
            (plain_t){stream_of(shape, term->tensor, block->c),
                      lanes_of_channels(term->coefficient, block->c, shape.c)};
    else
        side->pooled[side->n_pooled++] = term;
}

/* A buffer is read like a tensor that does not move on. */
static void add_buffer(side_t *side, float *buffer)
{
    if (side->n_pooled == 0) return;
    side->plain[side->n_plain++] = (plain_t){{.at = buffer}, lanes_all(1)};
}

static bool needs_mask(const nas_combination_t *call)
{
    if (call->relu.data != NULL) return true;
    for (int t = 0; t < call->n_terms; t++)
        if (call->term[t].masked) return true;
    return false;
}

static void prepare(block_t *block)
{
    const nas_combination_t *call = block->call;
    for (int t = 0; t < call->n_terms; t++) add_term(block, &call->term[t]);
    if (call->shift != NULL) block->shift = lanes_of_channels(call->shift, block->c, call->shape.c);
    block->other.constant = block->shift;
    if (needs_mask(call)) block->mask = stream_of(call->shape, call->mask, block->c);
    block->out = stream_of(call->shape, call->out, block->c);
    block->relu = stream_of(call->shape, call->relu, block->c);
    for (int d = 0; d < call->n_dots; d++) {
        const double *center = call->dot[d].center;
        block->product[d].with = stream_of(call->shape, call->dot[d].tensor, block->c);
        if (center != NULL)
            block->product[d].center = lanes_of_channels(center, block->c, call->shape.c);
    }
}

static void combine_block(const nas_combination_t *call, int c)
{
    _Alignas(lanes_t) float masked[SEGMENT * LANES];
    _Alignas(lanes_t) float other[SEGMENT * LANES];
    block_t block = {.call = call, .c = c};
    prepare(&block);
    add_buffer(&block.masked, masked);
    add_buffer(&block.other, other);
    for (; block.n < call->shape.n; block.n++) walk_image(&block, masked, other);
    for (int d = 0; d < call->n_dots; d++)
        for (int l = 0; l < LANES && c + l < call->shape.c; l++)
            call->dot[d].sum[c + l] = block.product[d].total[l];
}

static void combine(const nas_combination_t *call)
{
    for (int c = 0; c < call->shape.c; c += LANES) combine_block(call, c);
}

const nas_combine_kernel_t NAS_COMBINE_KERNEL = {.combine = combine};
