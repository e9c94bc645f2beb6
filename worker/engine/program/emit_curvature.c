/* g' H w, for the weights w, the loss's gradient g and Hessian H, in two passes: tangents along w
 * forward, then the tangent of every adjoint backward. A layer's part is the product of g with
 *     conv-adjoint(tangent of input, dy) + conv-adjoint(input, u) - g
 * for u = dy + its tangent (host/norm.c). Pearlmutter, Fast exact multiplication by the Hessian,
 * 1994; the direction is w rather than g, so that the large parts, which cancel, are never formed.
 */
#include "worker/engine/program/emitter.h"

/* ------------------------------------------------------------------------------------- forward */

static void add_conv_tangent(nas_emitter_t *e, int conv)
{
    const nas_group_tensors_t *t = &e->group[e->place[conv].group];
    const nas_norm_vectors_t *v = nas_norm_of(e, e->graph->link[conv].norm);
    const bool is_along = e->graph->link[conv].kind == NAS_LINK_CONV;
    if (t->ty >= 0)
        nas_combine_add(e, NAS_TERM_PLAIN, nas_link_slice(e, conv, t->ty),
                        v ? v->t_coef : NAS_NOWHERE);
    if (is_along || (v && t->ty >= 0))
        nas_combine_add(e, NAS_TERM_PLAIN, nas_link_slice(e, conv, t->y),
                        v ? v->tx_coef : NAS_NOWHERE);
}

static void add_tangent_input(nas_emitter_t *e, int node, int input)
{
    const nas_lowered_input_t *in = &e->graph->node[node].input[input];
    const int index = in->index, source = in->source;
    if (in->kind == NAS_INPUT_LINK) {
        add_conv_tangent(e, index);
        return;
    }
    const bool is_norm = in->kind == NAS_INPUT_NORM;
    const nas_slice_t tx =
        nas_node_slice(e, source, in->rectified ? e->node[source].tr : e->node[source].tx);
    if (tx.tensor < 0) return;
    nas_combine_add(e, in->kind == NAS_INPUT_POOL3 ? NAS_TERM_POOL3 : NAS_TERM_PLAIN, tx,
                    is_norm ? nas_norm_of(e, index)->t_coef : NAS_NOWHERE);
    if (is_norm)
        nas_combine_add(e, NAS_TERM_PLAIN, nas_node_slice(e, source, e->node[source].x),
                        nas_norm_of(e, index)->tx_coef);
}

/* Sums of a tangent that its norm needs, for the norm of node `to` behind x. */
static void emit_tangent_sums(nas_emitter_t *e, int norm, int to, nas_slice_t t, nas_slice_t x)
{
    const nas_norm_vectors_t *v = nas_norm_of(e, norm);
    nas_combine_begin(e, nas_node_shape(e, to));
    nas_combine_add(e, NAS_TERM_PLAIN, t, NAS_NOWHERE);
    nas_combine_dot(e, nas_no_slice(), NAS_NOWHERE, v->sum_t);
    nas_combine_dot(e, x, v->mean, v->sum_tz);
    nas_combine_dot(e, nas_node_slice(e, to, e->node[to].d), NAS_NOWHERE, v->sum_td);
    nas_combine_end(e);
}

/* The tangent that a group reads. */
static int emit_tangent_source(nas_emitter_t *e, int group)
{
    const nas_lowered_link_t *first = nas_group_link(e, group);
    const int tx = e->node[first->source].tx;
    nas_group_tensors_t *t = &e->group[group];
    if (first->feed == NAS_FEED_RELU) return e->node[first->source].tr;
    if (first->feed == NAS_FEED_PLAIN || tx < 0) return tx;
    const nas_shape_t shape = nas_source_shape(e, group);
    t->tp = nas_emit_tensor(e, shape);
    nas_combine_begin(e, shape);
    nas_combine_add(e, NAS_TERM_POOL2, nas_node_slice(e, first->source, tx), NAS_NOWHERE);
    nas_combine_out(e, nas_node_slice(e, first->source, t->tp));
    nas_combine_end(e);
    return t->tp;
}

static void emit_tangent_group(nas_emitter_t *e, int group)
{
    nas_group_tensors_t *t = &e->group[group];
    const int input = emit_tangent_source(e, group);
    if (input < 0) return;
    if (nas_group_link(e, group)->kind == NAS_LINK_CONV) {
        t->ty = nas_emit_tensor(e, nas_group_shape(e, group));
        nas_emit_conv(e, NAS_OP_CONV_FORWARD, group, input, t->ty);
    } else {
        t->ty = nas_emit_link_tangent(e, group, nas_group_source(e, group), input);
    }
    for (int i = t->first; i < t->first + t->n_links; i++) {
        const nas_lowered_link_t *conv = &e->graph->link[e->member[i]];
        if (conv->norm >= 0)
            emit_tangent_sums(e, conv->norm, conv->target, nas_link_slice(e, e->member[i], t->ty),
                              nas_link_slice(e, e->member[i], t->y));
    }
}

/* Whether the tangent itself, and where the node is rectified, are read by anything. */
static void find_tangent_readers(const nas_emitter_t *e, int node, bool *x, bool *r)
{
    const nas_lowered_t *graph = e->graph;
    *x = node == graph->head && !graph->head_rectified;
    *r = node == graph->head && graph->head_rectified;
    for (int g = nas_first_group(e, node); g >= 0; g = e->group[g].next) {
        if (!e->group[g].live) continue;
        *x |= nas_group_link(e, g)->feed != NAS_FEED_RELU;
        *r |= nas_group_link(e, g)->feed == NAS_FEED_RELU;
    }
    const nas_lowered_input_t *reader = graph->node[node].reader;
    for (; reader; reader = reader->next_reader) {
        if (reader->kind == NAS_INPUT_LINK || !graph->node[reader->node].live) continue;
        *x |= !reader->rectified;
        *r |= reader->rectified;
    }
}

/* Sums for the norms that are behind another node, where that has a tangent. */
static void emit_norm_sums(nas_emitter_t *e, int node)
{
    const nas_lowered_node_t *n = &e->graph->node[node];
    for (int i = 0; i < n->n_inputs; i++) {
        if (n->input[i].kind != NAS_INPUT_NORM) continue;
        const int source = e->graph->norm[n->input[i].index].source;
        const nas_node_tensors_t *from = &e->node[source];
        if (from->tx >= 0)
            emit_tangent_sums(e, n->input[i].index, node, nas_node_slice(e, source, from->tx),
                              nas_node_slice(e, source, from->x));
    }
}

/* Of any but a concatenation. */
static void emit_tangent_sum(nas_emitter_t *e, int node, bool need_x, bool need_r)
{
    nas_node_tensors_t *t = &e->node[node];
    const nas_shape_t shape = nas_node_shape(e, node);
    const double ceiling = nas_ceiling_of(e, node);
    nas_combine_begin(e, shape);
    for (int i = 0; i < e->graph->node[node].n_inputs; i++) add_tangent_input(e, node, i);
    if (nas_combine_is_empty(e)) return; /* nothing but zeros above: no tangent */
    if (nas_is_passed(e, node) && need_x && !need_r) t->tx = nas_combine_copied(e);
    if (t->tx >= 0) return;
    nas_combine_shift(e, t->t_shift);
    if (need_x) nas_combine_out(e, nas_node_slice(e, node, t->tx = nas_emit_tensor(e, shape)));
    if (need_r) {
        nas_combine_mask(e, nas_node_slice(e, node, t->r), ceiling);
        nas_combine_relu(e, nas_node_slice(e, node, t->tr = nas_emit_tensor(e, shape)), ceiling);
    }
    nas_combine_end(e);
}

static void emit_tangent_concat(nas_emitter_t *e, int node, bool need_x, bool need_r)
{
    const nas_lowered_node_t *n = &e->graph->node[node];
    nas_node_tensors_t *t = &e->node[node];
    bool any = false;
    for (int i = 0; i < n->n_inputs; i++) {
        const nas_node_tensors_t *from = &e->node[n->input[i].source];
        any |= (n->input[i].rectified ? from->tr : from->tx) >= 0;
    }
    if (!any) return;
    if (need_x) t->tx = nas_emit_tensor(e, nas_node_shape(e, node));
    if (need_r) t->tr = nas_emit_tensor(e, nas_node_shape(e, node));
    nas_emit_concat(e, (nas_concat_t){node, true, t->tx, t->tr, t->r});
}

static void emit_tangent_node(nas_emitter_t *e, int node)
{
    bool need_x = false, need_r = false;
    find_tangent_readers(e, node, &need_x, &need_r);
    emit_norm_sums(e, node);
    nas_emit_node_tangent(e, node);
    if (e->graph->node[node].is_concat)
        emit_tangent_concat(e, node, need_x, need_r);
    else
        emit_tangent_sum(e, node, need_x, need_r);
}

static void emit_tangents(nas_emitter_t *e)
{
    const int head = e->graph->head;
    for (int node = 0; node < e->graph->n_nodes; node++) {
        if (!e->graph->node[node].live) continue;
        emit_tangent_node(e, node);
        for (int g = nas_first_group(e, node); g >= 0; g = e->group[g].next)
            if (e->group[g].live) emit_tangent_group(e, g);
    }
    const int tangent = e->graph->head_rectified ? e->node[head].tr : e->node[head].tx;
    if (tangent >= 0)
        nas_emit_image_dots(e, nas_node_shape(e, head), nas_node_slice(e, head, tangent),
                            nas_no_slice(), e->program->head.t_features);
    nas_emit_scalar(e, NAS_SCALAR_HEAD_TANGENT);
}

/* ------------------------------------------------------------------------------------ backward */

static void emit_u(nas_emitter_t *e, int conv)
{
    const nas_lowered_link_t *g = &e->graph->link[conv];
    const nas_node_tensors_t *target = &e->node[g->target];
    nas_group_tensors_t *t = &e->group[e->place[conv].group];
    const nas_norm_vectors_t *v = nas_norm_of(e, g->norm);
    if (!v && g->kind != NAS_LINK_CONV) { /* no weights that turn along */
        t->u = target->e;
        return;
    }
    if (t->u < 0) t->u = nas_emit_tensor(e, nas_group_shape(e, e->place[conv].group));
    nas_combine_begin(e, nas_node_shape(e, g->target));
    nas_combine_add(e, NAS_TERM_PLAIN, nas_node_slice(e, g->target, target->d),
                    v ? v->u_d : NAS_NOWHERE);
    nas_combine_add(e, NAS_TERM_PLAIN, nas_node_slice(e, g->target, target->e),
                    v ? v->u_e : NAS_NOWHERE);
    if (v) {
        nas_combine_add(e, NAS_TERM_PLAIN, nas_link_slice(e, conv, t->y), v->u_x);
        if (t->ty >= 0) nas_combine_add(e, NAS_TERM_PLAIN, nas_link_slice(e, conv, t->ty), v->u_t);
        nas_combine_shift(e, v->u_rest);
    }
    nas_combine_out(e, nas_link_slice(e, conv, t->u));
    nas_combine_end(e);
}

/* An adjoint by the weights is kept until the end, when all are multiplied with the gradients. */
static void emit_adjoint_weights(nas_emitter_t *e, int group, int in, int dy)
{
    nas_group_tensors_t *t = &e->group[group];
    nas_emit_conv_weights(e, group, in, dy, nas_group_curvature(e, group, t->n_curvatures++));
}

static int tangent_of(const nas_emitter_t *e, int group)
{
    const nas_lowered_link_t *first = nas_group_link(e, group);
    if (first->source < 0) return NAS_NO_TENSOR;
    if (first->feed == NAS_FEED_PLAIN) return e->node[first->source].tx;
    return first->feed == NAS_FEED_POOL2 ? e->group[group].tp : e->node[first->source].tr;
}

static void emit_adjoint_group(nas_emitter_t *e, int group)
{
    nas_group_tensors_t *t = &e->group[group];
    const int source = nas_group_link(e, group)->source, tangent = tangent_of(e, group);
    if (nas_group_link(e, group)->kind != NAS_LINK_CONV) {
        if (e->graph->node[source].n_inputs > 0)
            t->du = nas_emit_link_backward(e, group, nas_group_source(e, group), t->u);
        return;
    }
    if (tangent >= 0) {
        t->dy = NAS_NO_TENSOR; /* of the loss's pass; made anew, so that it need not be kept */
        for (int i = t->first; i < t->first + t->n_links; i++) nas_emit_dy(e, e->member[i]);
        emit_adjoint_weights(e, group, tangent, t->dy);
    }
    emit_adjoint_weights(e, group, nas_group_source(e, group), t->u);
    if (source < 0 || e->graph->node[source].n_inputs == 0) return;
    t->du = nas_emit_tensor(e, nas_source_shape(e, group));
    nas_emit_conv(e, NAS_OP_CONV_BACKWARD_DATA, group, t->u, t->du);
}

static void emit_adjoint_node(nas_emitter_t *e, int node)
{
    const nas_lowered_node_t *n = &e->graph->node[node];
    nas_node_tensors_t *t = &e->node[node];
    nas_combine_begin(e, nas_node_shape(e, node));
    if (node == e->graph->head)
        nas_combine_add_images(e, e->program->head.e_features, e->graph->head_rectified);
    nas_add_readers(e, node, true);
    nas_add_sums(e, node, true);
    t->e = nas_emit_node_adjoint(e, node);
    if (n->is_concat) nas_emit_parts(e, node, t->e);
    nas_emit_node_curvature(e, node);
    for (int i = 0; i < n->n_inputs; i++)
        if (n->input[i].kind == NAS_INPUT_LINK) emit_u(e, n->input[i].index);
}

static void emit_adjoint_groups_of(nas_emitter_t *e, int source)
{
    for (int g = nas_first_group(e, source); g >= 0; g = e->group[g].next)
        if (e->group[g].live) emit_adjoint_group(e, g);
}

void nas_emit_curvature(nas_emitter_t *e)
{
    emit_tangents(e);
    for (int node = e->graph->n_nodes - 1; node >= 0; node--) {
        if (!e->graph->node[node].live) continue;
        emit_adjoint_groups_of(e, node);
        if (e->graph->node[node].n_inputs > 0) emit_adjoint_node(e, node);
    }
    emit_adjoint_groups_of(e, -1);
}
