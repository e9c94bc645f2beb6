/* g' H w, for the weights w, the loss's gradient g and Hessian H, in two passes: tangents along w
 * forward, then the tangent of every adjoint backward. A layer's part is the product of g with
 *     conv-adjoint(tangent of input, dy) + conv-adjoint(input, u) - g
 * for u = dy + its tangent (norm.c). Pearlmutter, Fast exact multiplication by the Hessian, 1994;
 * the direction is w rather than g, so that the large parts, which cancel, are never formed.
 */
#include "worker/engine/program/program_internal.h"

/* ------------------------------------------------------------------------------------- forward */

static void add_tangent_input(nas_program_t *program, nas_combiner_t c, int node, int input)
{
    const nas_graph_node_t *n = &program->graph->node[node];
    const int index = n->input[input].index;
    const nas_input_kind_t kind = n->input[input].kind;
    if (kind == NAS_INPUT_CONV) {
        const nas_graph_conv_t *conv = &program->graph->conv[index];
        const nas_group_tensors_t *t = &program->group[conv->group];
        const nas_norm_vectors_t *v = conv->norm >= 0 ? &program->norm[conv->norm] : NULL;
        if (t->ty >= 0)
            nas_combine_add(c, NAS_TERM_PLAIN, nas_conv_slice(program, index, t->ty),
                            v ? v->t_coef : NULL);
        nas_combine_add(c, NAS_TERM_PLAIN, nas_conv_slice(program, index, t->y),
                        v ? v->tx_coef : NULL);
        return;
    }
    const bool is_norm = kind == NAS_INPUT_NORM;
    const int source = is_norm ? program->graph->norm[index].source : index;
    const nas_slice_t tx = nas_node_slice(program, source, program->node[source].tx);
    if (tx.tensor < 0) return;
    nas_combine_add(c, kind == NAS_INPUT_POOL3 ? NAS_TERM_POOL3 : NAS_TERM_PLAIN, tx,
                    is_norm ? program->norm[index].t_coef : NULL);
    if (is_norm)
        nas_combine_add(c, NAS_TERM_PLAIN, nas_node_slice(program, source, program->node[source].x),
                        program->norm[index].tx_coef);
}

/* Sums of a tangent that its norm needs, for the norm of node `to` behind x. */
static void emit_tangent_sums(nas_program_t *program, int norm, int to, nas_slice_t t,
                              nas_slice_t x)
{
    const nas_norm_vectors_t *v = &program->norm[norm];
    const nas_combiner_t c = nas_emit_combine(program, nas_node_shape(program, to));
    nas_combine_add(c, NAS_TERM_PLAIN, t, NULL);
    nas_combine_dot(c, nas_no_slice(), NULL, v->sum_t);
    nas_combine_dot(c, x, v->mean, v->sum_tz);
    nas_combine_dot(c, nas_node_slice(program, to, program->node[to].d), NULL, v->sum_td);
}

static void emit_tangent_group(nas_program_t *program, int group)
{
    const nas_graph_group_t *g = &program->graph->group[group];
    const nas_graph_conv_t *first = nas_group_conv(program, group);
    nas_group_tensors_t *t = &program->group[group];
    int input = program->node[first->source].tr;
    if (first->feed == NAS_FEED_POOL2 && program->node[first->source].tx >= 0) {
        const nas_shape_t shape = nas_source_shape(program, group);
        input = t->tp = nas_emit_tensor(program, shape);
        const nas_combiner_t pool = nas_emit_combine(program, shape);
        const int tx = program->node[first->source].tx;
        nas_combine_add(pool, NAS_TERM_POOL2, nas_node_slice(program, first->source, tx), NULL);
        nas_combine_out(pool, nas_node_slice(program, first->source, t->tp));
    }
    if (input < 0) return;
    t->ty = nas_emit_tensor(program, nas_group_shape(program, group));
    nas_emit_conv(program, NAS_OP_CONV_FORWARD, group, input, t->ty);
    for (int i = 0; i < g->n_convs; i++) {
        const nas_graph_conv_t *conv = &program->graph->conv[g->conv[i]];
        if (conv->norm >= 0)
            emit_tangent_sums(program, conv->norm, conv->target,
                              nas_conv_slice(program, g->conv[i], t->ty),
                              nas_conv_slice(program, g->conv[i], t->y));
    }
}

/* Whether the tangent itself, and where the node is rectified, are read by anything. */
static void find_tangent_readers(const nas_program_t *program, int node, bool *x, bool *r)
{
    const nas_graph_t *graph = program->graph;
    *x = false;
    *r = node == graph->n_nodes - 1;
    for (int g = 0; g < graph->n_groups; g++) {
        const nas_graph_conv_t *conv = nas_group_conv(program, g);
        if (conv->source != node || !graph->group[g].live) continue;
        *x |= conv->feed == NAS_FEED_POOL2;
        *r |= conv->feed == NAS_FEED_RELU;
    }
    for (int to = node + 1; to < graph->n_nodes; to++)
        for (int i = 0; graph->node[to].live && i < graph->node[to].n_inputs; i++) {
            if (graph->node[to].input[i].kind == NAS_INPUT_CONV) continue;
            *x |= nas_graph_source(graph, to, i) == node;
        }
}

static void emit_tangent_node(nas_program_t *program, int node)
{
    const nas_graph_node_t *n = &program->graph->node[node];
    nas_node_tensors_t *t = &program->node[node];
    const nas_shape_t shape = nas_node_shape(program, node);
    bool need_x = false, need_r = false;
    find_tangent_readers(program, node, &need_x, &need_r);
    for (int i = 0; i < n->n_inputs; i++) {
        if (n->input[i].kind != NAS_INPUT_NORM) continue;
        const int source = program->graph->norm[n->input[i].index].source;
        if (program->node[source].tx >= 0)
            emit_tangent_sums(program, n->input[i].index, node,
                              nas_node_slice(program, source, program->node[source].tx),
                              nas_node_slice(program, source, program->node[source].x));
    }
    nas_emit_scalar(program, nas_node_tangent, node);
    const nas_combiner_t c = nas_emit_combine(program, shape);
    for (int i = 0; i < n->n_inputs; i++) add_tangent_input(program, c, node, i);
    if (c.to->n_terms == 0) { /* nothing but zeros above: an empty operation, and no tangent */
        c.to->shape.n = 0;
        return;
    }
    c.to->shift = t->t_shift;
    if (need_x)
        nas_combine_out(c, nas_node_slice(program, node, t->tx = nas_emit_tensor(program, shape)));
    if (!need_r) return;
    nas_combine_mask(c, nas_node_slice(program, node, t->r));
    nas_combine_relu(c, nas_node_slice(program, node, t->tr = nas_emit_tensor(program, shape)));
}

static void emit_tangents(nas_program_t *program)
{
    const nas_graph_t *graph = program->graph;
    const int head = graph->n_nodes - 1;
    for (int node = 0; node <= head; node++) {
        if (!graph->node[node].live) continue;
        emit_tangent_node(program, node);
        for (int g = 0; g < graph->n_groups; g++)
            if (graph->group[g].live && nas_group_conv(program, g)->source == node)
                emit_tangent_group(program, g);
    }
    if (program->node[head].tr >= 0)
        nas_emit_image_dots(program, nas_node_shape(program, head),
                            nas_node_slice(program, head, program->node[head].tr), nas_no_slice(),
                            program->t_features);
    nas_emit_scalar(program, nas_head_tangent, 0);
}

/* ------------------------------------------------------------------------------------ backward */

static void emit_u(nas_program_t *program, int conv)
{
    const nas_graph_conv_t *g = &program->graph->conv[conv];
    const nas_node_tensors_t *target = &program->node[g->target];
    nas_group_tensors_t *t = &program->group[g->group];
    const bool has_norm = g->norm >= 0;
    const nas_norm_vectors_t *v = has_norm ? &program->norm[g->norm] : NULL;
    if (t->u < 0) t->u = nas_emit_tensor(program, nas_group_shape(program, g->group));
    const nas_combiner_t c = nas_emit_combine(program, nas_node_shape(program, g->target));
    nas_combine_add(c, NAS_TERM_PLAIN, nas_node_slice(program, g->target, target->d),
                    has_norm ? v->u_d : NULL);
    nas_combine_add(c, NAS_TERM_PLAIN, nas_node_slice(program, g->target, target->e),
                    has_norm ? v->u_e : NULL);
    if (has_norm) {
        nas_combine_add(c, NAS_TERM_PLAIN, nas_conv_slice(program, conv, t->y), v->u_x);
        if (t->ty >= 0)
            nas_combine_add(c, NAS_TERM_PLAIN, nas_conv_slice(program, conv, t->ty), v->u_t);
        c.to->shift = v->u_rest;
    }
    nas_combine_out(c, nas_conv_slice(program, conv, t->u));
}

static void emit_adjoint_group(nas_program_t *program, int group)
{
    const nas_graph_group_t *g = &program->graph->group[group];
    const nas_graph_conv_t *first = nas_group_conv(program, group);
    nas_group_tensors_t *t = &program->group[group];
    const int tangent = first->source < 0               ? NAS_NO_TENSOR
                        : first->feed == NAS_FEED_POOL2 ? t->tp
                                                        : program->node[first->source].tr;
    if (tangent >= 0) {
        t->dy = NAS_NO_TENSOR; /* of the loss's pass; made anew, so that it need not be kept */
        for (int i = 0; i < g->n_convs; i++) nas_emit_dy(program, g->conv[i]);
        nas_emit_conv(program, NAS_OP_CONV_CURVATURE, group, tangent, t->dy);
    }
    nas_emit_conv(program, NAS_OP_CONV_CURVATURE, group, nas_group_source(program, group), t->u);
    if (first->source < 0 || program->graph->node[first->source].n_inputs == 0) return;
    t->du = nas_emit_tensor(program, nas_source_shape(program, group));
    nas_emit_conv(program, NAS_OP_CONV_BACKWARD_DATA, group, t->u, t->du);
}

static void emit_adjoint_node(nas_program_t *program, int node)
{
    const nas_graph_node_t *n = &program->graph->node[node];
    nas_node_tensors_t *t = &program->node[node];
    t->e = nas_emit_tensor(program, nas_node_shape(program, node));
    const nas_combiner_t c = nas_emit_combine(program, nas_node_shape(program, node));
    if (node == program->graph->n_nodes - 1) nas_combine_add_images(c, program->e_features);
    nas_add_readers(program, c, node, true);
    nas_combine_out(c, nas_node_slice(program, node, t->e));
    nas_add_sums(program, c, node, true);
    nas_emit_scalar(program, nas_node_curvature, node);
    for (int i = 0; i < n->n_inputs; i++)
        if (n->input[i].kind == NAS_INPUT_CONV) emit_u(program, n->input[i].index);
}

static void emit_adjoint_groups_of(nas_program_t *program, int source)
{
    for (int g = 0; g < program->graph->n_groups; g++)
        if (program->graph->group[g].live && nas_group_conv(program, g)->source == source)
            emit_adjoint_group(program, g);
}

void nas_emit_curvature(nas_program_t *program)
{
    emit_tangents(program);
    for (int node = program->graph->n_nodes - 1; node >= 0; node--) {
        if (!program->graph->node[node].live) continue;
        emit_adjoint_groups_of(program, node);
        if (program->graph->node[node].n_inputs > 0) emit_adjoint_node(program, node);
    }
    emit_adjoint_groups_of(program, -1);
}
