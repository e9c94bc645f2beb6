/* Copies of channels and flat tensors, compiled once per instruction set: NAS_COPY_KERNEL names the
 * table of functions.
 *
 * A copy fills blocks of the target. Where their channels are whole blocks of the source, too, rows
 * are copied as they are; elsewhere a pixel is made of lanes of one or two blocks of the source.
 */
#include "worker/engine/backends/cpu/kernels.h"
#include "worker/engine/backends/cpu/lanes.h"

#include <string.h>

/* What goes to one block of the target in one image. */
typedef struct part {
    const nas_copy_t *copy;
    int n;
    int lane; /* [lane, end) of the block */
    int end;
    bool fills; /* what is beyond them in the block becomes 0 */
    int from;   /* the first lane's channel in the source */
    float *to;  /* the block */
} part_t;

static nas_shape_t source_shape(const nas_copy_t *copy)
{
    return (nas_shape_t){copy->shape.n, copy->from.c_total, copy->h_from, copy->w_from};
}

/* The block of the source that has channel c. */
static const float *source(const part_t *part, int c)
{
    const nas_channels_t all = {part->copy->from.data, part->copy->from.c_total, 0};
    return lanes_plane(source_shape(part->copy), all, part->n, c / LANES * LANES);
}

/* Columns of a row that the source has: [first, end). */
typedef struct span {
    int first;
    int end;
} span_t;

static span_t columns(const nas_copy_t *copy)
{
    const int first = copy->left < 0 ? -copy->left : 0;
    const int rest = copy->w_from - copy->left;
    const int end = rest < copy->shape.w ? rest : copy->shape.w;
    return end > first ? (span_t){first, end} : (span_t){0, 0};
}

/* The source's row for one of the target, or NULL. from: its plane. */
static const float *source_row(const nas_copy_t *copy, const float *from, int h)
{
    const int row = h + copy->top;
    if (row < 0 || row >= copy->h_from) return NULL;
    return from + (ptrdiff_t)(row * copy->w_from + copy->left) * LANES;
}

static void copy_vectors(const part_t *part)
{
    const nas_copy_t *copy = part->copy;
    const span_t there = columns(copy);
    const size_t n_row = (size_t)copy->shape.w * LANES;
    const size_t first = (size_t)there.first * LANES, end = (size_t)there.end * LANES;
    const float *from = source(part, part->from);
    float *to = part->to;
    for (int h = 0; h < copy->shape.h; h++, to += n_row) {
        const float *row = source_row(copy, from, h);
        memset(to, 0, (row == NULL ? n_row : first) * sizeof *to);
        if (row == NULL) continue;
        memcpy(to + first, row + first, (end - first) * sizeof *to);
        memset(to + end, 0, (n_row - end) * sizeof *to);
    }
}

/* Lanes [lane, end) of the target's block become those of a block of the source from `from_lane` on.
 * from: the block; NULL: 0. */
static void copy_lanes(const part_t *part, const float *from, int from_lane)
{
    const nas_copy_t *copy = part->copy;
    const span_t there = columns(copy);
    float *to = part->to;
    lane_mask_t mask = {0}, index = {0};
    for (int l = part->lane; l < part->end; l++) {
        mask[l] = -1;
        index[l] = from_lane + l - part->lane;
    }
    for (int h = 0; h < copy->shape.h; h++) {
        const float *row = from == NULL ? NULL : source_row(copy, from, h);
        for (int w = 0; w < copy->shape.w; w++, to += LANES) {
            lanes_t value = {0};
            if (row != NULL && w >= there.first && w < there.end)
                value = lanes_permute(lanes_load(row + (size_t)w * LANES), index);
            lanes_store(to, lanes_choose(mask, value, lanes_load(to)));
        }
    }
}

/* Whether lanes of the target are those of a block of the source, with nothing else in it. */
static bool is_whole(const part_t *part)
{
    const bool ends_source = part->from + part->end - part->lane == part->copy->from.c_total;
    return part->lane == 0 && part->from % LANES == 0 &&
           (part->end == LANES || (part->fills && ends_source));
}

static void copy_part(const part_t *part)
{
    if (is_whole(part)) {
        copy_vectors(part);
        return;
    }
    part_t piece = *part; /* of one block of the source */
    for (int l = part->lane; l < part->end; l = piece.end) {
        const int c = part->from + l - part->lane, rest = LANES - c % LANES;
        piece.lane = l;
        piece.end = part->end - l < rest ? part->end : l + rest;
        copy_lanes(&piece, source(part, c), c % LANES);
    }
    if (!part->fills || part->end == LANES) return;
    piece.lane = part->end;
    piece.end = LANES;
    copy_lanes(&piece, NULL, 0);
}

static void copy(const nas_copy_t *call)
{
    const nas_channels_t all = {call->to.data, call->to.c_total, 0};
    const int first = call->to.c_first, end = first + call->shape.c;
    for (int n = 0; n < call->shape.n; n++) {
        for (int block = first / LANES * LANES; block < end; block += LANES) {
            const int begin = block < first ? first : block;
            const part_t part = {.copy = call,
                                 .n = n,
                                 .lane = begin - block,
                                 .end = end - block < LANES ? end - block : LANES,
                                 .fills = end == call->to.c_total,
                                 .from = call->from.c_first + begin - first,
                                 .to = lanes_plane(call->shape, all, n, block)};
            copy_part(&part);
        }
    }
}

/* --------------------------------------------------------------------------------- flat tensors */

static size_t n_pixels(nas_shape_t shape)
{
    return (size_t)shape.h * (size_t)shape.w;
}

static size_t whole_blocks(size_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

static void flatten(nas_shape_t shape, const void *x, void *y)
{
    const size_t pixels = n_pixels(shape), used = (size_t)shape.c * pixels;
    const nas_channels_t all = {(void *)x, shape.c, 0};
    float *to = y;
    for (int n = 0; n < shape.n; n++) {
        for (int c = 0; c < shape.c; c++) {
            const float *from = lanes_plane(shape, all, n, c / LANES * LANES) + c % LANES;
            for (size_t i = 0; i < pixels; i++) *to++ = from[i * LANES];
        }
        for (size_t i = used; i < whole_blocks(used); i++) *to++ = 0;
    }
}

static void unflatten(nas_shape_t shape, const void *y, void *x)
{
    const size_t pixels = n_pixels(shape), used = (size_t)shape.c * pixels;
    const nas_channels_t all = {x, shape.c, 0};
    const float *from = y;
    for (int n = 0; n < shape.n; n++, from += whole_blocks(used)) {
        for (int c = 0; c < (int)whole_blocks((size_t)shape.c); c++) {
            float *to = lanes_plane(shape, all, n, c / LANES * LANES) + c % LANES;
            const float *channel = from + (size_t)c * pixels;
            for (size_t i = 0; i < pixels; i++) to[i * LANES] = c < shape.c ? channel[i] : 0;
        }
    }
}

const nas_copy_kernel_t NAS_COPY_KERNEL = {
    .copy = copy, .flatten = flatten, .unflatten = unflatten};
