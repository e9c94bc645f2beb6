/* What is worked out when all passes are done, in one operation over all layers: sums of weights,
 * gradients and adjoints; then out of them the layers' values or the flow, and what trainings
 * read. */
#include "worker/engine/program/emitter.h"

/* ----------------------------------------------------------------------------------- layers'
 * sums */

static void add_dot(nas_emitter_t *e, nas_place_t a, nas_place_t b, size_t n, nas_vector_t sums)
{
    *(nas_weight_dot_t *)nas_emit_entry(e, &e->weight_dot) =
        (nas_weight_dot_t){.a = a, .b = b, .n = n, .sums = sums};
    nas_emit_use(e, nas_tensor_of(a));
    nas_emit_use(e, nas_tensor_of(b));
}

/* Of one layer of a group, whose weights lie behind those of the layers before: with the weights to
 * its values, of the gradient itself and of every adjoint with it to `sums`, two numbers each. */
static void add_layer(nas_emitter_t *e, int group, int layer, nas_vector_t sums)
{
    const nas_program_group_t *g = &e->program->group[group];
    const nas_group_tensors_t *t = &e->group[group];
    const size_t n = g->elements / (size_t)g->n_layers;
    const nas_place_t at =
        (nas_place_t)((size_t)(layer - g->layer) * n * e->backend->element_bytes);
    const int weight = e->graph->conv[e->member[layer]].weight;
    add_dot(e, g->weights + at, g->gradient + at, n, nas_layer_values(e, weight));
    add_dot(e, g->gradient + at, g->gradient + at, n, sums);
    for (int i = 0; i < t->n_curvatures; i++)
        add_dot(e, nas_group_curvature(e, group, i) + at, g->gradient + at, n, sums + 2 * (i + 1));
}

/* Sums of a layer: of the gradient, and of two adjoints at most. */
enum { LAYER_SUMS = 6 };

static void emit_layer(nas_emitter_t *e, int group, int layer, nas_vector_t sums)
{
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_LAYER);
    op->count = e->group[group].n_curvatures;
    op->in = sums;
    op->out = nas_layer_values(e, e->graph->conv[e->member[layer]].weight);
}

static void emit_layers(nas_emitter_t *e)
{
    const nas_vector_t sums = nas_emit_vector(e, LAYER_SUMS * (size_t)e->program->n_layers);
    nas_emit_op(e, NAS_OP_WEIGHT_DOTS);
    for (int g = 0; g < e->n_groups; g++) {
        const nas_group_tensors_t *t = &e->group[g];
        for (int i = t->first; t->live && i < t->first + t->n_convs; i++)
            add_layer(e, g, i, sums + LAYER_SUMS * i);
    }
    for (int g = 0; g < e->n_groups; g++) {
        const nas_group_tensors_t *t = &e->group[g];
        for (int i = t->first; t->live && i < t->first + t->n_convs; i++)
            emit_layer(e, g, i, sums + LAYER_SUMS * i);
    }
}

/* ------------------------------------------------------------------------------------------
 * flow */

static void emit_flow_add(nas_emitter_t *e, int group, nas_vector_t sums)
{
    const nas_lowered_conv_t *conv = nas_group_conv(e, group);
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_FLOW_ADD);
    op->in = sums;
    op->out = e->program->results.flow;
    op->from_exponent = conv->source >= 0 ? e->node[conv->source].exponent : NAS_NOWHERE;
    op->exponent = e->node[conv->target].d_exponent;
}

static void emit_flow(nas_emitter_t *e)
{
    const nas_vector_t sums = nas_emit_vector(e, 2 * (size_t)e->n_groups);
    nas_emit_op(e, NAS_OP_WEIGHT_DOTS);
    for (int g = 0; g < e->n_groups; g++) {
        const nas_program_group_t *group = &e->program->group[g];
        if (e->group[g].live)
            add_dot(e, group->weights, group->gradient, group->elements, sums + 2 * g);
    }
    nas_scalar_op_t *linear = nas_emit_scalar(e, NAS_SCALAR_FLOW_LINEAR);
    linear->out = e->program->results.flow;
    linear->exponent = e->node[e->graph->n_nodes - 1].exponent;
    for (int g = 0; g < e->n_groups; g++)
        if (e->group[g].live) emit_flow_add(e, g, sums + 2 * g);
}

/* -------------------------------------------------------------------------------------
 * trainings */

/* gamma: sum of d z; beta: sum of d. */
static void emit_norm_results(nas_emitter_t *e, int norm)
{
    const int node = nas_norm_target(e->graph, norm);
    if (!e->graph->node[node].live) return;
    if (e->graph->norm[norm].gamma >= 0) {
        nas_scalar_op_t *gradient = nas_emit_scalar(e, NAS_SCALAR_NORM_GRADIENT);
        gradient->norm = norm;
        gradient->in = e->node[node].sum_d;
        gradient->out = e->program->results.gradient;
    }
    nas_scalar_op_t *moments = nas_emit_scalar(e, NAS_SCALAR_NORM_MOMENTS);
    moments->norm = norm;
    moments->out = e->program->results.moments;
}

/* Entries of what does not reach the logits stay 0, as do convolutions' biases, which the BN takes
 * out again. */
static void emit_gradient(nas_emitter_t *e)
{
    for (int g = 0; g < e->n_groups; g++) {
        if (!e->group[g].live) continue;
        nas_emit_op(e, NAS_OP_UNPACK)->index = g;
        nas_emit_use(e, e->gradients);
    }
    for (int i = 0; i < e->graph->n_norms; i++) emit_norm_results(e, i);
    nas_emit_scalar(e, NAS_SCALAR_HEAD_GRADIENT)->out = e->program->results.gradient;
}

void nas_emit_results(nas_emitter_t *e)
{
    if (e->flow) emit_flow(e);
    if (nas_emits_sums(e)) emit_layers(e);
    if (e->needs & NAS_NEED_GRADIENT) emit_gradient(e);
}
