/* Combinations of tensors, compiled once per instruction set: NAS_COMBINE_KERNEL names the
 * function.
 *
 * They are bound by memory, so that every tensor is read once and the value never leaves the
 * registers: a plane is walked in groups of pixels, and a group goes through all terms, the mask,
 * the stores and the sums. Pooled terms are the exception. They need neighbours, and are first
 * added up for a segment of the plane in a buffer that stays in the first-level cache; to the
 * group the buffer is one more term.
 */
#include "worker/engine/backends/cpu/kernels.h"
#include "worker/engine/backends/cpu/pool.h"

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
    lanes_t ceiling;
    bool has_constants; /* terms that depend on the image alone */
    side_t masked;
    side_t other;
    stream_t mask; /* there only where it is needed */
    stream_t out;
    stream_t relu;
    product_t product[NAS_MAX_DOTS];
} block_t;

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

/* A pooled term for pixels [first, first + n) of a plane, row by row. */
NAS_INLINE void put_pooled(const block_t *block, const nas_term_t *term, int first, int n,
                           float *sum, bool is_first)
{
    const nas_shape_t value = block->call->shape;
    const nas_shape_t shape = pooled_shape(term->kind, value);
    const pooled_t from = {lanes_plane(shape, term->tensor, block->n, block->c), shape.h, shape.w,
                           lanes_of_channels(term->coefficient, block->c, value.c)};
    for (int done = 0, step; done < n; done += step, sum += (size_t)step * LANES) {
        const int h = (first + done) / value.w;
        const int w = (first + done) % value.w;
        step = value.w - w < n - done ? value.w - w : n - done;
        put_row_part(term->kind, &from, (row_part_t){h, w, step}, sum, is_first);
    }
}

/* The last of a side's plain terms is its buffer of pooled ones. */
static void fill_buffer(const block_t *block, const side_t *side, int first, int n, float *buffer)
{
    if (side->n_pooled == 0) return;
    put_pooled(block, side->pooled[0], first, n, buffer, true);
    for (int i = 1; i < side->n_pooled; i++)
        put_pooled(block, side->pooled[i], first, n, buffer, false);
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

/* What a mask is > 0 where it counts, by. capped: the rectifier has a ceiling; a constant where this
 * is inlined. */
NAS_INLINE lanes_t gate(const block_t *block, const float *mask, bool capped)
{
    const lanes_t value = lanes_load(mask);
    if (!capped) return value;
    return lanes_choose((lane_mask_t)(value < block->ceiling), value, (lanes_t){0});
}

NAS_INLINE lanes_t rectified(const block_t *block, lanes_t value, bool capped)
{
    lanes_t low = value;
    if (capped) low = lanes_choose((lane_mask_t)(value < block->ceiling), value, block->ceiling);
    return lanes_where_positive(value, low);
}

NAS_INLINE void rectify(const block_t *block, int at, int n, const lanes_t value[GROUP],
                        bool capped)
{
    float *to = block->relu.at + (size_t)at * LANES;
    if (block->mask.at == NULL) {
#pragma GCC unroll 8
        for (int i = 0; i < n; i++)
            lanes_store(to + (size_t)i * LANES, rectified(block, value[i], capped));
        return;
    }
    const float *mask = block->mask.at + (size_t)at * LANES;
#pragma GCC unroll 8
    for (int i = 0; i < n; i++) {
        const lanes_t open = gate(block, mask + (size_t)i * LANES, capped);
        lanes_store(to + (size_t)i * LANES, lanes_where_positive(open, value[i]));
    }
}

/* n is GROUP or 1, a constant where this is inlined, like capped. */
NAS_INLINE void group(block_t *block, int at, int n, bool capped)
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
            value[i] =
                block->other.constant +
                lanes_where_positive(gate(block, mask + (size_t)i * LANES, capped), value[i]);
    }
    add_plain(&block->other, at, n, value);
    if (block->out.at != NULL) {
#pragma GCC unroll 8
        for (int i = 0; i < n; i++) lanes_store(block->out.at + (size_t)(at + i) * LANES, value[i]);
    }
    if (block->relu.at != NULL) rectify(block, at, n, value, capped);
    for (int d = 0; d < block->call->n_dots; d++) add_product(&block->product[d], at, n, value);
}

static void walk_groups(block_t *block, int n)
{
    int at = 0;
    for (; at + GROUP <= n; at += GROUP) group(block, at, GROUP, false);
    for (; at < n; at++) group(block, at, 1, false);
}

static void walk_groups_capped(block_t *block, int n)
{
    int at = 0;
    for (; at + GROUP <= n; at += GROUP) group(block, at, GROUP, true);
    for (; at < n; at++) group(block, at, 1, true);
}

static void walk_segment(block_t *block, int n)
{
    if (block->call->ceiling > 0)
        walk_groups_capped(block, n);
    else
        walk_groups(block, n);
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
    block->ceiling = lanes_all((float)call->ceiling);
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
