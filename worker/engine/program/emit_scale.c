/* Synflow of networks without blocks. Values grow by orders of magnitude a layer, with weights that
 * are all positive, and a tensor may be read layers later, so that one rescaling at the end of each
 * block, as of NAS-Bench-201, has no place. In its stead every node has an exponent, known before
 * anything is computed: for an image of ones, a power of two that nothing in its tensor is above, by
 * the largest sums of weights on the way. Inputs are multiplied with what brings them to their
 * node's exponent. All of these factors are powers of two and none depends on the tensors, so this
 * is the same function of the weights, times a power of two; so are its derivatives. What is zero, for
 * its weights are, or what it is made of is, has no exponent: it says nothing of its node's and is
 * multiplied with 0.
 */
#include "worker/engine/program/emitter.h"

bool nas_emits_scales(const nas_emitter_t *e)
{
    return e->flow && !e->graph->has_blocks;
}

nas_vector_t nas_align_of(const nas_emitter_t *e, const nas_lowered_input_t *input)
{
    return nas_emits_scales(e) ? e->align[nas_input_number(e, input)] : NAS_NOWHERE;
}

static nas_vector_t exponent_of(const nas_emitter_t *e, int source)
{
    return source < 0 ? NAS_NOWHERE : e->node[source].exponent;
}

/* The bound of what an input is made of; NAS_NOWHERE: the images'. */
static nas_vector_t bound_of(const nas_emitter_t *e, int source)
{
    return source < 0 ? NAS_NOWHERE : e->node[source].bound;
}

static bool is_conv(const nas_emitter_t *e, const nas_lowered_input_t *input)
{
    return input->kind == NAS_INPUT_LINK && e->graph->link[input->index].kind == NAS_LINK_CONV;
}

/* The largest sum over a convolution's weights; NAS_NOWHERE: nothing grows. */
static nas_vector_t gain_of(const nas_emitter_t *e, const nas_lowered_input_t *input)
{
    return is_conv(e, input) ? e->gain[input->index] : NAS_NOWHERE;
}

static void emit_gain(nas_emitter_t *e, const nas_lowered_input_t *input)
{
    if (!is_conv(e, input)) return;
    const nas_lowered_link_t *link = &e->graph->link[input->index];
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_GAIN);
    op->c = link->c_out;
    op->count = e->graph->parameter[link->weight].fan_in;
    op->entry = e->graph->parameter[link->weight].offset;
    op->out = e->gain[input->index] = nas_emit_vector(e, 1);
}

static nas_scalar_op_t *emit_bound(nas_emitter_t *e, const nas_lowered_input_t *input)
{
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_BOUND);
    op->count = e->graph->node[input->node].is_concat ? 1 : 0;
    op->out = e->node[input->node].bound;
    return op;
}

static void add_to_bound(nas_emitter_t *e, const nas_lowered_input_t *input)
{
    emit_gain(e, input);
    nas_scalar_op_t *op = emit_bound(e, input);
    op->in = gain_of(e, input);
    op->more = bound_of(e, input->source);
    op->from_exponent = exponent_of(e, input->source);
    if (input->kind != NAS_INPUT_LINK) return;
    const nas_lowered_link_t *link = &e->graph->link[input->index];
    if (link->bias < 0) return;
    op = emit_bound(e, input);
    op->c = link->c_out;
    op->entry = e->graph->parameter[link->bias].offset;
}

static void emit_align(nas_emitter_t *e, const nas_lowered_input_t *input)
{
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_ALIGN);
    op->c = input->kind == NAS_INPUT_COPY ? e->graph->node[input->source].c
                                          : e->graph->node[input->node].c;
    op->in = gain_of(e, input);
    op->more = bound_of(e, input->source);
    op->from_exponent = exponent_of(e, input->source);
    op->exponent = e->node[input->node].exponent;
    op->out = nas_emit_vector(e, (size_t)op->c);
    e->align[nas_input_number(e, input)] = op->out;
}

void nas_emit_scale(nas_emitter_t *e, int node)
{
    const nas_lowered_node_t *n = &e->graph->node[node];
    e->node[node].bound = nas_emit_vector(e, 2);
    for (int i = 0; i < n->n_inputs; i++) add_to_bound(e, &n->input[i]);
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_SCALE);
    op->in = e->node[node].bound;
    op->exponent = e->node[node].exponent;
    for (int i = 0; i < n->n_inputs; i++) emit_align(e, &n->input[i]);
}
