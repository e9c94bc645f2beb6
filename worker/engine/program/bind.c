/* The arena: every tensor gets an offset such that no two that live at the same time overlap.
 *
 * Tensors are placed from the largest to the smallest, each at the lowest offset that is free
 * during its whole life. That is the greedy-by-size plan, within a few per cent of the peak of live
 * bytes. Then their places are written into all operations and tables.
 */
#include "worker/engine/program/emitter.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

/* --------------------------------------------------------------------------------------
 * planning */

static int by_size(const void *a, const void *b)
{
    const nas_tensor_t *x = *(nas_tensor_t *const *)a, *y = *(nas_tensor_t *const *)b;
    if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* What placing asks of a tensor that has its place, side by side: most of them are looked at for
 * every tensor. */
typedef struct placed {
    int first_op, last_op;
    size_t offset, end;
} placed_t;

/* Behind all that are placed, and there all the time. */
static const placed_t END = {
    .first_op = 0, .last_op = INT_MAX, .offset = SIZE_MAX, .end = SIZE_MAX};

/* The lowest offset at which the tensor overlaps none of the placed ones (sorted by offset, END the
 * last) that live together with it. */
static size_t lowest_gap(const nas_tensor_t *tensor, const placed_t *placed)
{
    const int first_op = tensor->first_op, last_op = tensor->last_op;
    const size_t bytes = tensor->bytes;
    size_t offset = 0;
    for (const placed_t *p = placed;; p++) {
        if (p->first_op > last_op || p->last_op < first_op) continue;
        if (p->offset >= offset + bytes) return offset;
        if (p->end > offset) offset = p->end;
    }
}

static void insert(const nas_tensor_t *tensor, placed_t *placed, int n)
{
    int low = 0, high = n; /* behind those of the same offset */
    while (low < high) {
        const int middle = (low + high) / 2;
        if (placed[middle].offset > tensor->offset)
            high = middle;
        else
            low = middle + 1;
    }
    memmove(&placed[low + 1], &placed[low], (size_t)(n + 1 - low) * sizeof *placed);
    placed[low] = (placed_t){tensor->first_op, tensor->last_op, tensor->offset,
                             tensor->offset + tensor->bytes};
}

/* Offsets of all tensors that are used; returns the bytes of the whole. */
static size_t place_tensors(nas_emitter_t *e, nas_tensor_t **order, placed_t *placed)
{
    nas_tensor_t *all = e->tensor.data;
    int n = 0;
    size_t end = 0;
    for (int i = 0; i < e->tensor.n; i++) {
        all[i].bytes = (all[i].bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (all[i].first_op >= 0) order[n++] = &all[i];
    }
    qsort(order, (size_t)n, sizeof(nas_tensor_t *), by_size);
    placed[0] = END;
    for (int i = 0; i < n; i++) {
        order[i]->offset = lowest_gap(order[i], placed);
        insert(order[i], placed, i);
        if (order[i]->offset + order[i]->bytes > end) end = order[i]->offset + order[i]->bytes;
    }
    return end;
}

/* ----------------------------------------------------------------------------------------
 * places */

/* Until then a place is the number of a tensor, and below that the bytes from its beginning. */
enum { OFFSET_BITS = 40 };

nas_place_t nas_emit_place(int tensor, size_t offset)
{
    if (tensor < 0) return NAS_NOWHERE;
    return (nas_place_t)tensor << OFFSET_BITS | (nas_place_t)offset;
}

int nas_tensor_of(nas_place_t place)
{
    return place < 0 ? NAS_NO_TENSOR : (int)(place >> OFFSET_BITS);
}

static void put(const nas_emitter_t *e, nas_place_t *place)
{
    const nas_tensor_t *all = e->tensor.data;
    const int tensor = nas_tensor_of(*place);
    if (tensor < 0) return;
    *place -= nas_emit_place(tensor, 0);
    *place += (nas_place_t)all[tensor].offset;
}

static void put_combinations(const nas_emitter_t *e)
{
    nas_program_combination_t *combination = e->combination.data;
    nas_program_term_t *term = e->term.data;
    nas_program_dot_t *dot = e->dot.data;
    for (int i = 0; i < e->term.n; i++) put(e, &term[i].tensor.at);
    for (int i = 0; i < e->dot.n; i++) put(e, &dot[i].tensor.at);
    for (int i = 0; i < e->combination.n; i++) {
        put(e, &combination[i].mask.at);
        put(e, &combination[i].out.at);
        put(e, &combination[i].relu.at);
    }
}

static void put_conv(const nas_emitter_t *e, nas_conv_op_t *conv)
{
    put(e, &conv->weights);
    put(e, &conv->in);
    put(e, &conv->other);
    put(e, &conv->out);
}

static void put_op(const nas_emitter_t *e, nas_op_t *op)
{
    switch (op->kind) {
    case NAS_OP_CONV_FORWARD:
    case NAS_OP_CONV_BACKWARD_DATA:
    case NAS_OP_CONV_BACKWARD_WEIGHTS:
        put_conv(e, &op->conv);
        break;
    case NAS_OP_LOAD_IMAGES:
    case NAS_OP_MOMENTS:
    case NAS_OP_IMAGE_DOTS:
    case NAS_OP_AGREEMENT:
    case NAS_OP_PATTERNS:
    case NAS_OP_STORE:
    case NAS_OP_MAX_ABS:
    case NAS_OP_FLATTEN:
    case NAS_OP_UNFLATTEN:
        put(e, &op->tensor.a.at);
        put(e, &op->tensor.b.at);
        break;
    case NAS_OP_ADD_GRADIENT:
        put(e, &op->gradient.from);
        break;
    case NAS_OP_POOL_FORWARD:
    case NAS_OP_POOL_BACKWARD:
    case NAS_OP_POOL_TANGENT:
        put(e, &op->pool.x);
        put(e, &op->pool.in);
        put(e, &op->pool.out);
        break;
    case NAS_OP_COPY:
        put(e, &op->copy.from.at);
        put(e, &op->copy.to.at);
        break;
    case NAS_OP_PACK:
    case NAS_OP_COMBINE:
    case NAS_OP_WEIGHT_DOTS:
    case NAS_OP_UNPACK:
    case NAS_OP_SCALAR:
        break;
    }
}

static void put_all(nas_emitter_t *e)
{
    nas_op_t *op = e->op.data;
    nas_weight_dot_t *dot = e->weight_dot.data;
    for (int i = 0; i < e->op.n; i++) put_op(e, &op[i]);
    put_combinations(e);
    for (int i = 0; i < e->weight_dot.n; i++) {
        put(e, &dot[i].a);
        put(e, &dot[i].b);
    }
    for (int g = 0; g < e->n_groups; g++) {
        put(e, &e->program->group[g].weights);
        put(e, &e->program->group[g].gradient);
    }
    put(e, &e->program->scratch);
}

nas_status_t nas_bind(nas_emitter_t *e, nas_error_t *err)
{
    const size_t n = (size_t)e->tensor.n + 1;
    nas_tensor_t **order = malloc(n * sizeof(nas_tensor_t *));
    placed_t *placed = malloc(n * sizeof *placed);
    const bool has_memory = order && placed;
    if (has_memory) e->program->arena_bytes = place_tensors(e, order, placed);
    free(order);
    free(placed);
    if (!has_memory) return nas_error_nomem(err, "a plan of tensors");
    put_all(e);
    return NAS_OK;
}
