/* Concatenations. Where every input begins at a whole block of the layout's channels and ends at one,
 * or with the whole, it is a range that kernels read and write; else inputs are copied, there and
 * back. */
#include "worker/engine/program/emitter.h"

static int channels_of(const nas_emitter_t *e, const nas_lowered_input_t *input)
{
    return e->graph->node[input->source].c;
}

static bool is_range(const nas_emitter_t *e, const nas_lowered_input_t *input)
{
    const int block = e->backend->channel_block, c = channels_of(e, input);
    const bool ends = input->c_first + c == e->graph->node[input->node].c;
    return input->c_first % block == 0 && (c % block == 0 || ends);
}

static bool is_ranges(const nas_emitter_t *e, int node)
{
    const nas_lowered_node_t *n = &e->graph->node[node];
    for (int i = 0; i < n->n_inputs; i++)
        if (!is_range(e, &n->input[i])) return false;
    return true;
}

static nas_slice_t range_of(const nas_emitter_t *e, const nas_lowered_input_t *input, int tensor)
{
    return (nas_slice_t){
        .tensor = tensor, .c_total = e->graph->node[input->node].c, .c_first = input->c_first};
}

/* What an input is copied from; NAS_NO_TENSOR: zeros. */
static int tensor_of(const nas_emitter_t *e, const nas_lowered_input_t *input, bool tangent)
{
    const nas_node_tensors_t *t = &e->node[input->source];
    if (tangent) return input->rectified ? t->tr : t->tx;
    return input->rectified ? t->r : t->x;
}

static void rectify(nas_emitter_t *e, nas_concat_t concat, nas_slice_t relu, nas_slice_t mask)
{
    const double ceiling = nas_ceiling_of(e, concat.node);
    if (concat.mask >= 0) nas_combine_mask(e, mask, ceiling);
    nas_combine_relu(e, relu, ceiling);
}

/* One pass an input: into its range of the whole. */
static void emit_range(nas_emitter_t *e, nas_concat_t concat, const nas_lowered_input_t *input)
{
    const nas_shape_t shape = nas_node_shape(e, input->source);
    const int from = tensor_of(e, input, concat.tangent);
    nas_combine_begin(e, shape);
    if (from >= 0)
        nas_combine_add(e, NAS_TERM_PLAIN, nas_node_slice(e, input->source, from),
                        nas_align_of(e, input));
    if (concat.out >= 0) nas_combine_out(e, range_of(e, input, concat.out));
    if (concat.relu >= 0)
        rectify(e, concat, range_of(e, input, concat.relu), range_of(e, input, concat.mask));
    nas_combine_end(e);
}

/* Its tensor, at its node's exponent. */
static int aligned(nas_emitter_t *e, const nas_lowered_input_t *input, int from)
{
    const nas_vector_t align = nas_align_of(e, input);
    if (align == NAS_NOWHERE) return from;
    const nas_shape_t shape = nas_node_shape(e, input->source);
    const int to = nas_emit_tensor(e, shape);
    nas_combine_begin(e, shape);
    nas_combine_add(e, NAS_TERM_PLAIN, nas_node_slice(e, input->source, from), align);
    nas_combine_out(e, nas_node_slice(e, input->source, to));
    nas_combine_end(e);
    return to;
}

static void emit_zeros(nas_emitter_t *e, int node, int tensor)
{
    nas_combine_begin(e, nas_node_shape(e, node));
    nas_combine_out(e, nas_node_slice(e, node, tensor));
    nas_combine_end(e);
}

/* All inputs side by side, then the whole rectified. */
static void emit_copies(nas_emitter_t *e, nas_concat_t concat)
{
    const nas_lowered_node_t *n = &e->graph->node[concat.node];
    const nas_shape_t shape = nas_node_shape(e, concat.node);
    const int out = concat.out >= 0 ? concat.out : nas_emit_tensor(e, shape);
    emit_zeros(e, concat.node, out);
    for (int i = 0; i < n->n_inputs; i++) {
        const int from = tensor_of(e, &n->input[i], concat.tangent);
        if (from < 0) continue;
        const nas_shape_t part = nas_node_shape(e, n->input[i].source);
        const nas_slice_t of =
            nas_node_slice(e, n->input[i].source, aligned(e, &n->input[i], from));
        nas_emit_copy(e, (nas_emit_copy_t){.shape = part,
                                           .from_shape = part,
                                           .from = of,
                                           .to = range_of(e, &n->input[i], out)});
    }
    if (concat.relu < 0) return;
    nas_combine_begin(e, shape);
    nas_combine_add(e, NAS_TERM_PLAIN, nas_node_slice(e, concat.node, out), NAS_NOWHERE);
    rectify(e, concat, nas_node_slice(e, concat.node, concat.relu),
            nas_node_slice(e, concat.node, concat.mask));
    nas_combine_end(e);
}

void nas_emit_concat(nas_emitter_t *e, nas_concat_t concat)
{
    const nas_lowered_node_t *n = &e->graph->node[concat.node];
    if (!is_ranges(e, concat.node)) {
        emit_copies(e, concat);
        return;
    }
    for (int i = 0; i < n->n_inputs; i++) emit_range(e, concat, &n->input[i]);
}

void nas_emit_parts(nas_emitter_t *e, int node, int adjoint)
{
    const nas_lowered_node_t *n = &e->graph->node[node];
    for (int i = 0; i < n->n_inputs; i++) {
        const nas_lowered_input_t *input = &n->input[i];
        if (is_range(e, input)) continue;
        const nas_shape_t shape = nas_node_shape(e, input->source);
        const int part = nas_emit_tensor(e, shape);
        nas_emit_copy(e, (nas_emit_copy_t){.shape = shape,
                                           .from_shape = shape,
                                           .from = range_of(e, input, adjoint),
                                           .to = nas_node_slice(e, input->source, part)});
        e->part[nas_input_number(e, input)] = part;
    }
}

nas_slice_t nas_part_slice(const nas_emitter_t *e, const nas_lowered_input_t *input, int adjoint)
{
    if (!e->graph->node[input->node].is_concat) return nas_node_slice(e, input->node, adjoint);
    if (is_range(e, input)) return range_of(e, input, adjoint);
    return nas_node_slice(e, input->source, e->part[nas_input_number(e, input)]);
}
