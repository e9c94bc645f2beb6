/* The arena: every tensor gets an offset such that no two that live at the same time overlap.
 *
 * Tensors are placed from the largest to the smallest, each at the lowest offset that is free
 * during its whole life. That is the greedy-by-size plan, within a few per cent of the peak of live
 * bytes.
 */
#include "common/base/huge_pages.h"
#include "worker/engine/program/program_internal.h"

#include <stdlib.h>

enum { ALIGNMENT = 64 };

void nas_arena_fini(nas_arena_t *arena)
{
    free(arena->data);
    *arena = (nas_arena_t){0};
}

static int by_size(const void *a, const void *b)
{
    const nas_tensor_t *x = *(nas_tensor_t *const *)a, *y = *(nas_tensor_t *const *)b;
    if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
    return x < y ? -1 : x > y;
}

static bool live_together(const nas_tensor_t *a, const nas_tensor_t *b)
{
    return a->first_op <= b->last_op && b->first_op <= a->last_op;
}

/* The lowest offset at which the tensor overlaps none of the placed ones (sorted by offset) that
 * live together with it. */
static size_t lowest_gap(const nas_tensor_t *tensor, nas_tensor_t *const *placed, int n)
{
    size_t offset = 0;
    for (int i = 0; i < n; i++) {
        if (!live_together(tensor, placed[i])) continue;
        if (placed[i]->offset >= offset + tensor->bytes) break;
        const size_t end = placed[i]->offset + placed[i]->bytes;
        if (end > offset) offset = end;
    }
    return offset;
}

static void insert(nas_tensor_t *tensor, nas_tensor_t **placed, int n)
{
    int at = n;
    for (; at > 0 && placed[at - 1]->offset > tensor->offset; at--) placed[at] = placed[at - 1];
    placed[at] = tensor;
}

/* Offsets of all tensors that are used; returns the bytes of the whole. */
static size_t place_tensors(nas_program_t *program, nas_tensor_t **order, nas_tensor_t **placed)
{
    int n = 0;
    size_t end = 0;
    for (int i = 0; i < program->n_tensors; i++) {
        nas_tensor_t *tensor = &program->tensor[i];
        tensor->bytes = (tensor->bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (tensor->first_op >= 0) order[n++] = tensor;
    }
    qsort(order, (size_t)n, sizeof(nas_tensor_t *), by_size);
    for (int i = 0; i < n; i++) {
        order[i]->offset = lowest_gap(order[i], placed, i);
        insert(order[i], placed, i);
        if (order[i]->offset + order[i]->bytes > end) end = order[i]->offset + order[i]->bytes;
    }
    return end;
}

static nas_status_t reserve(nas_arena_t *arena, size_t bytes, nas_error_t *err)
{
    if (bytes <= arena->size) return NAS_OK;
    nas_arena_fini(arena);
    arena->data = nas_huge_pages_create(bytes);
    if (!arena->data)
        return nas_error_set(err, NAS_ENOMEM, "out of memory for a network's tensors (%zu MiB)",
                             bytes >> 20);
    arena->size = bytes;
    return NAS_OK;
}

nas_status_t nas_bind(nas_program_t *program, nas_error_t *err)
{
    const size_t n = (size_t)program->n_tensors + 1;
    nas_tensor_t **order = malloc(2 * n * sizeof(nas_tensor_t *));
    if (!order) return nas_error_nomem(err, "a plan of tensors");
    program->arena_bytes = place_tensors(program, order, order + n);
    free(order);
    return program->arena ? reserve(program->arena, program->arena_bytes, err) : NAS_OK;
}

void *nas_tensor_data(const nas_program_t *program, int tensor)
{
    if (tensor < 0) return NULL;
    return (char *)program->arena->data + program->tensor[tensor].offset;
}

/* Addresses of a combination's tensors, in the arena as it is now. */
void nas_bind_combination(const nas_program_t *program, nas_op_t *op)
{
    nas_combination_t *c = op->combination;
    const nas_combination_tensors_t *t = op->tensors;
    for (int i = 0; i < c->n_terms; i++)
        c->term[i].tensor.data = nas_tensor_data(program, t->term[i]);
    for (int i = 0; i < c->n_dots; i++) c->dot[i].tensor.data = nas_tensor_data(program, t->dot[i]);
    c->mask.data = nas_tensor_data(program, t->mask);
    c->out.data = nas_tensor_data(program, t->out);
    c->relu.data = nas_tensor_data(program, t->relu);
}
