/* What is worked out when all passes are done, in one operation over all layers: sums of weights,
 * gradients and adjoints; then out of them the layers' values or the flow, and what trainings
 * read. */
#include "worker/engine/program/emitter.h"

/* ----------------------------------------------------------------------------------- layers'
 * sums */

void nas_emit_weight_dot(nas_emitter_t *e, nas_place_t a, nas_place_t b, size_t n,
                         nas_vector_t sums)
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
    const int weight = e->graph->link[e->member[layer]].weight;
    nas_emit_weight_dot(e, g->weights + at, g->gradient + at, n, nas_layer_values(e, weight));
    nas_emit_weight_dot(e, g->gradient + at, g->gradient + at, n, sums);
    for (int i = 0; i < t->n_curvatures; i++)
        nas_emit_weight_dot(e, nas_group_curvature(e, group, i) + at, g->gradient + at, n,
                            sums + 2 * (i + 1));
}

/* Sums of a layer: of the gradient, and of two adjoints at most. */
enum { LAYER_SUMS = 6 };

static void emit_layer(nas_emitter_t *e, int group, int layer, nas_vector_t sums)
{
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_LAYER);
    op->count = e->group[group].n_curvatures;
    op->in = sums;
    op->out = nas_layer_values(e, e->graph->link[e->member[layer]].weight);
}

/* ------------------------------------------------------------------------------ shared weights */

static bool is_conv(const nas_emitter_t *e, int group)
{
    return e->group[group].live && nas_group_link(e, group)->kind == NAS_LINK_CONV;
}

bool nas_group_owns_weights(const nas_emitter_t *e, int group)
{
    return is_conv(e, group) && !nas_group_link(e, group)->is_shared;
}

bool nas_group_shares(const nas_emitter_t *e, int group, int weight)
{
    return is_conv(e, group) && nas_group_link(e, group)->is_shared &&
           nas_group_link(e, group)->weight == weight;
}

bool nas_group_is_first_share(const nas_emitter_t *e, int group)
{
    const int weight = nas_group_link(e, group)->weight;
    if (!nas_group_shares(e, group, weight)) return false;
    for (int g = 0; g < group; g++)
        if (nas_group_shares(e, g, weight)) return false;
    return true;
}

void nas_emit_add_gradient(nas_emitter_t *e, int group, nas_place_t from, nas_vector_t to)
{
    nas_emit_op(e, NAS_OP_ADD_GRADIENT)->gradient =
        (nas_gradient_op_t){.group = group, .from = from, .to = to};
    nas_emit_use(e, nas_tensor_of(from));
}

/* The gradients of all groups that share a weight, added to a vector. */
static void add_gradients(nas_emitter_t *e, int weight, nas_vector_t to)
{
    for (int g = 0; g < e->n_groups; g++)
        if (nas_group_shares(e, g, weight))
            nas_emit_add_gradient(e, g, e->program->group[g].gradient, to);
}

static nas_vector_t emit_shared_gradient(nas_emitter_t *e, int weight)
{
    const nas_vector_t sum = nas_emit_vector(e, (size_t)e->graph->parameter[weight].n);
    add_gradients(e, weight, sum);
    return sum;
}

void nas_emit_dots(nas_emitter_t *e, int weight, nas_vector_t a, nas_vector_t b, nas_vector_t sums)
{
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_DOTS);
    op->c = e->graph->parameter[weight].n;
    op->entry = e->graph->parameter[weight].offset;
    op->in = a;
    op->more = b;
    op->out = sums;
}

static void emit_shared_layer(nas_emitter_t *e, int group)
{
    const int weight = nas_group_link(e, group)->weight;
    const nas_vector_t gradient = emit_shared_gradient(e, weight);
    const nas_vector_t sums = nas_emit_vector(e, LAYER_SUMS);
    nas_emit_dots(e, weight, gradient, NAS_NOWHERE, nas_layer_values(e, weight));
    nas_emit_dots(e, weight, gradient, gradient, sums);
    if (e->needs & NAS_NEED_CURVATURE) {
        const nas_vector_t curved = nas_emit_vector(e, (size_t)e->graph->parameter[weight].n);
        for (int g = 0; g < e->n_groups; g++)
            for (int i = 0; nas_group_shares(e, g, weight) && i < e->group[g].n_curvatures; i++)
                nas_emit_add_gradient(e, g, nas_group_curvature(e, g, i), curved);
        nas_emit_dots(e, weight, gradient, curved, sums + 2);
    }
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_LAYER);
    op->count = e->needs & NAS_NEED_CURVATURE ? 1 : 0;
    op->in = sums;
    op->out = nas_layer_values(e, weight);
}

static void emit_layers(nas_emitter_t *e)
{
    const nas_vector_t sums = nas_emit_vector(e, LAYER_SUMS * (size_t)e->program->n_layers);
    nas_emit_op(e, NAS_OP_WEIGHT_DOTS);
    for (int g = 0; g < e->n_groups; g++) {
        const nas_group_tensors_t *t = &e->group[g];
        for (int i = t->first; nas_group_owns_weights(e, g) && i < t->first + t->n_links; i++)
            add_layer(e, g, i, sums + LAYER_SUMS * i);
    }
    for (int g = 0; g < e->n_groups; g++) {
        const nas_group_tensors_t *t = &e->group[g];
        for (int i = t->first; nas_group_owns_weights(e, g) && i < t->first + t->n_links; i++)
            emit_layer(e, g, i, sums + LAYER_SUMS * i);
    }
    for (int g = 0; g < e->n_groups; g++)
        if (nas_group_is_first_share(e, g)) emit_shared_layer(e, g);
}

/* ------------------------------------------------------------------------------------------
 * flow */

static void emit_flow_add(nas_emitter_t *e, int group, nas_vector_t sums)
{
    const nas_lowered_link_t *link = nas_group_link(e, group);
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_FLOW_ADD);
    op->in = sums;
    op->out = e->program->results.flow;
    op->exponent =
        nas_emits_scales(e) ? e->node[e->graph->head].exponent : e->node[link->target].d_exponent;
    if (!nas_emits_scales(e) && link->source >= 0)
        op->from_exponent = e->node[link->source].exponent;
}

static void emit_flow(nas_emitter_t *e)
{
    const nas_vector_t sums = nas_emit_vector(e, 2 * (size_t)e->n_groups);
    nas_emit_op(e, NAS_OP_WEIGHT_DOTS);
    for (int g = 0; g < e->n_groups; g++) {
        const nas_program_group_t *group = &e->program->group[g];
        if (nas_group_owns_weights(e, g))
            nas_emit_weight_dot(e, group->weights, group->gradient, group->elements, sums + 2 * g);
    }
    for (int g = 0; g < e->n_groups; g++)
        if (nas_group_is_first_share(e, g)) {
            const int weight = nas_group_link(e, g)->weight;
            nas_emit_dots(e, weight, emit_shared_gradient(e, weight), NAS_NOWHERE, sums + 2 * g);
        }
    if (e->graph->linear_weight >= 0) {
        nas_scalar_op_t *linear = nas_emit_scalar(e, NAS_SCALAR_FLOW_LINEAR);
        linear->out = e->program->results.flow;
        linear->exponent = e->node[e->graph->head].exponent;
    }
    for (int g = 0; g < e->n_groups; g++)
        if (nas_group_owns_weights(e, g) || nas_group_is_first_share(e, g))
            emit_flow_add(e, g, sums + 2 * g);
}

/* -------------------------------------------------------------------------------------
 * trainings */

/* gamma: sum of d z; beta: sum of d. */
static void emit_norm_gradient(nas_emitter_t *e, int norm)
{
    nas_scalar_op_t *gradient = nas_emit_scalar(e, NAS_SCALAR_NORM_GRADIENT);
    gradient->norm = norm;
    gradient->in = e->node[e->graph->norm[norm].target].sum_d;
    gradient->out = e->program->results.gradient;
}

static void emit_norm_results(nas_emitter_t *e, int norm)
{
    const nas_lowered_norm_t *n = &e->graph->norm[norm];
    if (!e->graph->node[n->target].live) return;
    if ((e->needs & NAS_NEED_GRADIENT) && n->gamma >= 0) emit_norm_gradient(e, norm);
    nas_scalar_op_t *moments = nas_emit_scalar(e, NAS_SCALAR_NORM_MOMENTS);
    moments->norm = norm;
    moments->out = e->program->results.moments;
}

static void emit_all_norm_results(nas_emitter_t *e)
{
    for (int i = 0; i < e->graph->n_norms; i++) emit_norm_results(e, i);
}

/* Of a bias without BN: sum of d. */
static void emit_bias_gradient(nas_emitter_t *e, const nas_lowered_link_t *link)
{
    if (!link->live || link->bias < 0 || link->norm >= 0) return;
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_COPY);
    op->c = link->c_out;
    op->in = e->node[link->target].sum_d;
    op->out = e->program->results.gradient + e->graph->parameter[link->bias].offset;
}

/* Entries of what does not reach the logits stay 0, as do biases of convolutions before a BN, which
 * takes them out again. */
static void emit_gradient(nas_emitter_t *e)
{
    for (int g = 0; g < e->n_groups; g++) {
        const int weight = nas_group_link(e, g)->weight;
        if (nas_group_is_first_share(e, g))
            add_gradients(e, weight,
                          e->program->results.gradient + e->graph->parameter[weight].offset);
        if (!nas_group_owns_weights(e, g)) continue;
        nas_emit_op(e, NAS_OP_UNPACK)->index = g;
        nas_emit_use(e, e->gradients);
    }
    emit_all_norm_results(e);
    for (int i = 0; i < e->graph->n_links; i++) emit_bias_gradient(e, &e->graph->link[i]);
    if (e->graph->linear_weight >= 0)
        nas_emit_scalar(e, NAS_SCALAR_HEAD_GRADIENT)->out = e->program->results.gradient;
}

void nas_emit_results(nas_emitter_t *e)
{
    if (e->flow) emit_flow(e);
    if (nas_emits_sums(e)) emit_layers(e);
    if (e->needs & NAS_NEED_GRADIENT)
        emit_gradient(e);
    else if (e->needs & NAS_NEED_FEATURES)
        emit_all_norm_results(e);
}
