#include "worker/engine/program/emitter.h"

#include <stdlib.h>

/* -------------------------------------------------------------------------------------- entries */

/* Room of a pool to begin with: a network of cells has a few thousand operations. */
enum { FEWEST_ENTRIES = 1024 };

/* What is emitted without memory: large enough for an entry of any pool. */
static void *nobody(void)
{
    static _Thread_local union {
        nas_op_t op;
        nas_program_combination_t combination;
        nas_program_term_t term;
        nas_program_dot_t dot;
        nas_weight_dot_t weight_dot;
        nas_conv_shape_t conv;
        nas_pool_shape_t pool;
        nas_tensor_t tensor;
    } entry;
    return &entry;
}

void *nas_emit_entry(nas_emitter_t *e, nas_pool_t *pool)
{
    if (pool->n == pool->room) {
        const int room = pool->room ? 2 * pool->room : FEWEST_ENTRIES;
        void *data = realloc(pool->data, (size_t)room * pool->size);
        e->failed |= !data;
        if (data) {
            pool->data = data;
            pool->room = room;
        }
    }
    if (e->failed) return nobody();
    return (char *)pool->data + (size_t)pool->n++ * pool->size;
}

/* ------------------------------------------------------------------------- tensors and vectors */

int nas_emit_bytes(nas_emitter_t *e, size_t bytes)
{
    nas_tensor_t *tensor = nas_emit_entry(e, &e->tensor);
    *tensor = (nas_tensor_t){.bytes = bytes, .first_op = -1};
    return e->tensor.n - 1;
}

int nas_emit_tensor(nas_emitter_t *e, nas_shape_t shape)
{
    return nas_emit_bytes(e, e->backend->tensor_bytes(shape));
}

nas_vector_t nas_emit_vector(nas_emitter_t *e, size_t n)
{
    const nas_vector_t vector = (nas_vector_t)e->program->n_vectors;
    e->program->n_vectors += n;
    return vector;
}

/* A tensor lives from the first to the last operation that names it. */
void nas_emit_use(nas_emitter_t *e, int tensor)
{
    if (tensor < 0 || tensor >= e->tensor.n) return;
    nas_tensor_t *t = (nas_tensor_t *)e->tensor.data + tensor;
    if (t->first_op < 0) t->first_op = e->op.n - 1;
    t->last_op = e->op.n - 1;
}

static nas_range_t use_slice(nas_emitter_t *e, nas_slice_t slice)
{
    nas_emit_use(e, slice.tensor);
    return (nas_range_t){nas_emit_place(slice.tensor, 0), slice.c_total, slice.c_first};
}

/* ----------------------------------------------------------------------------------- operations */

nas_op_t *nas_emit_op(nas_emitter_t *e, nas_op_kind_t kind)
{
    nas_op_t *op = nas_emit_entry(e, &e->op);
    *op = (nas_op_t){.kind = kind};
    return op;
}

nas_scalar_op_t *nas_emit_scalar(nas_emitter_t *e, nas_scalar_kind_t kind)
{
    nas_scalar_op_t *scalar = &nas_emit_op(e, NAS_OP_SCALAR)->scalar;
    *scalar = (nas_scalar_op_t){.kind = kind,
                                .norm = -1,
                                .entry = NAS_NOWHERE,
                                .in = NAS_NOWHERE,
                                .more = NAS_NOWHERE,
                                .out = NAS_NOWHERE,
                                .exponent = NAS_NOWHERE,
                                .from_exponent = NAS_NOWHERE};
    return scalar;
}

static nas_conv_op_t *emit_conv(nas_emitter_t *e, nas_op_kind_t kind, int group, int in)
{
    nas_conv_op_t *conv = &nas_emit_op(e, kind)->conv;
    *conv = (nas_conv_op_t){.conv = e->program->group[group].conv,
                            .weights = e->program->group[group].weights,
                            .in = nas_emit_place(in, 0),
                            .other = NAS_NOWHERE,
                            .out = NAS_NOWHERE,
                            .jacobian = NAS_NOWHERE};
    nas_emit_use(e, e->weights);
    nas_emit_use(e, e->scratch);
    nas_emit_use(e, in);
    return conv;
}

void nas_emit_conv(nas_emitter_t *e, nas_op_kind_t kind, int group, int in, int out)
{
    nas_conv_op_t *conv = emit_conv(e, kind, group, in);
    conv->out = nas_emit_place(out, 0);
    nas_emit_use(e, out);
}

void nas_emit_conv_images(nas_emitter_t *e, int group, int dy, nas_vector_t jacobian)
{
    emit_conv(e, NAS_OP_CONV_BACKWARD_DATA, group, dy)->jacobian = jacobian;
}

void nas_emit_conv_weights(nas_emitter_t *e, int group, int in, int dy, nas_place_t out)
{
    nas_conv_op_t *conv = emit_conv(e, NAS_OP_CONV_BACKWARD_WEIGHTS, group, in);
    conv->other = nas_emit_place(dy, 0);
    conv->out = out;
    nas_emit_use(e, dy);
    nas_emit_use(e, nas_tensor_of(out));
}

void nas_emit_pool(nas_emitter_t *e, nas_op_kind_t kind, int group, int x, int in, int out)
{
    nas_emit_op(e, kind)->pool = (nas_pool_op_t){.pool = e->group[group].pool,
                                                 .x = nas_emit_place(x, 0),
                                                 .in = nas_emit_place(in, 0),
                                                 .out = nas_emit_place(out, 0)};
    nas_emit_use(e, x);
    nas_emit_use(e, in);
    nas_emit_use(e, out);
}

void nas_emit_copy(nas_emitter_t *e, nas_emit_copy_t copy)
{
    nas_copy_op_t *op = &nas_emit_op(e, NAS_OP_COPY)->copy;
    *op = (nas_copy_op_t){.shape = copy.shape,
                          .h_from = copy.from_shape.h,
                          .w_from = copy.from_shape.w,
                          .top = copy.top,
                          .left = copy.left};
    op->from = use_slice(e, copy.from);
    op->to = use_slice(e, copy.to);
}

/* The caller says where the results go. */
static nas_tensor_op_t *emit_tensor_op(nas_emitter_t *e, nas_op_kind_t kind, nas_shape_t shape,
                                       nas_slice_t a, nas_slice_t b)
{
    nas_tensor_op_t *op = &nas_emit_op(e, kind)->tensor;
    *op = (nas_tensor_op_t){.shape = shape, .out = {NAS_NOWHERE, NAS_NOWHERE}};
    op->a = use_slice(e, a);
    op->b = use_slice(e, b);
    return op;
}

void nas_emit_flat(nas_emitter_t *e, nas_op_kind_t kind, nas_shape_t shape, int tensor, int flat)
{
    (void)emit_tensor_op(e, kind, shape, (nas_slice_t){.tensor = tensor, .c_total = shape.c},
                         (nas_slice_t){.tensor = flat, .c_total = shape.c * shape.h * shape.w});
}

void nas_emit_moments(nas_emitter_t *e, int norm, nas_shape_t shape, nas_slice_t slice)
{
    nas_tensor_op_t *op = emit_tensor_op(e, NAS_OP_MOMENTS, shape, slice, nas_no_slice());
    op->out[0] = e->program->norm[norm].mean;
    op->out[1] = e->program->norm[norm].variance;
}

void nas_emit_image_dots(nas_emitter_t *e, nas_shape_t shape, nas_slice_t a, nas_slice_t b,
                         nas_vector_t sum)
{
    emit_tensor_op(e, NAS_OP_IMAGE_DOTS, shape, a, b)->out[0] = sum;
}

nas_tensor_op_t *nas_emit_node(nas_emitter_t *e, nas_op_kind_t kind, int node, int tensor)
{
    return emit_tensor_op(e, kind, nas_node_shape(e, node), nas_node_slice(e, node, tensor),
                          nas_no_slice());
}

/* ------------------------------------------------------------------------------------- of a
 * graph */

nas_shape_t nas_node_shape(const nas_emitter_t *e, int node)
{
    const nas_lowered_node_t *n = &e->graph->node[node];
    return (nas_shape_t){.n = e->n, .c = n->c, .h = n->h, .w = n->w};
}

nas_slice_t nas_node_slice(const nas_emitter_t *e, int node, int tensor)
{
    return (nas_slice_t){.tensor = tensor, .c_total = e->graph->node[node].c};
}

nas_slice_t nas_link_slice(const nas_emitter_t *e, int link, int tensor)
{
    const nas_group_place_t *place = &e->place[link];
    return (nas_slice_t){
        .tensor = tensor, .c_total = e->group[place->group].c_out, .c_first = place->c_first};
}

nas_slice_t nas_no_slice(void)
{
    return (nas_slice_t){.tensor = NAS_NO_TENSOR};
}

double nas_ceiling_of(const nas_emitter_t *e, int node)
{
    return e->flow ? 0 : e->graph->node[node].ceiling;
}

bool nas_is_passed(const nas_emitter_t *e, int node)
{
    const nas_lowered_node_t *n = &e->graph->node[node];
    if (e->flow || n->is_concat || n->n_inputs != 1 || n->input->kind != NAS_INPUT_LINK)
        return false;
    const nas_lowered_link_t *link = &e->graph->link[n->input->index];
    return link->norm < 0 && link->bias < 0 &&
           e->group[e->place[n->input->index].group].n_links == 1;
}

int nas_input_number(const nas_emitter_t *e, const nas_lowered_input_t *input)
{
    return (int)(input - e->graph->input);
}

/* ------------------------------------------------------------------------------- what is wanted */

bool nas_emits_sums(const nas_emitter_t *e)
{
    return (e->needs & (NAS_NEED_SUMS | NAS_NEED_CURVATURE)) != 0;
}

bool nas_emits_signs(const nas_emitter_t *e)
{
    return (e->needs & (NAS_NEED_SIGNS | NAS_NEED_PATTERNS)) != 0;
}

bool nas_emits_covariance(const nas_emitter_t *e, int node)
{
    return (e->needs & NAS_NEED_COVARIANCE) && e->graph->node[node].ends_block;
}

bool nas_emits_backward(const nas_emitter_t *e)
{
    const unsigned forward_only = NAS_NEED_LOSS | NAS_NEED_SIGNS | NAS_NEED_INFERENCE |
                                  NAS_NEED_PATTERNS | NAS_NEED_FEATURES | NAS_NEED_COVARIANCE;
    return (e->needs & ~forward_only) != 0;
}
