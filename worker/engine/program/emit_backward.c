#include "worker/engine/program/emitter.h"

/* ------------------------------------------------------------------- adjoints of nodes' readers */

static int node_adjoint(const nas_emitter_t *e, int node, bool curvature)
{
    return curvature ? e->node[node].e : e->node[node].d;
}

static int group_adjoint(const nas_emitter_t *e, int group, bool curvature)
{
    return curvature ? e->group[group].du : e->group[group].dr;
}

static void add_norm_curvature(nas_emitter_t *e, int norm, int to)
{
    const nas_norm_vectors_t *v = nas_norm_of(e, norm);
    const int node = e->graph->norm[norm].source, tx = e->node[node].tx;
    nas_combine_add(e, NAS_TERM_PLAIN, nas_node_slice(e, to, e->node[to].d), v->u_d);
    nas_combine_add(e, NAS_TERM_PLAIN, nas_node_slice(e, node, e->node[node].x), v->u_x);
    nas_combine_shift(e, v->u_rest);
    nas_combine_add(e, NAS_TERM_PLAIN, nas_node_slice(e, to, e->node[to].e), v->u_e);
    if (tx >= 0) nas_combine_add(e, NAS_TERM_PLAIN, nas_node_slice(e, node, tx), v->u_t);
}

static void add_norm_reader(nas_emitter_t *e, const nas_lowered_input_t *input)
{
    const nas_norm_vectors_t *v = nas_norm_of(e, input->index);
    const int node = input->source, to = input->node;
    const nas_slice_t d = nas_node_slice(e, to, e->node[to].d);
    if (!nas_norm_active(e, input->index)) {
        nas_combine_add(e, NAS_TERM_PLAIN, d, nas_align_of(e, input));
        return;
    }
    nas_combine_add(e, NAS_TERM_PLAIN, d, v->d_coef);
    nas_combine_add(e, NAS_TERM_PLAIN, nas_node_slice(e, node, e->node[node].x), v->x_coef);
    nas_combine_shift(e, v->rest);
}

/* What an input of a node hands back to its source. */
static void add_input_reader(nas_emitter_t *e, const nas_lowered_input_t *input, bool curvature)
{
    const int to = input->node;
    const int whole = node_adjoint(e, to, curvature);
    if (!e->graph->node[to].live || whole < 0) return;
    const nas_slice_t adjoint = nas_part_slice(e, input, whole);
    switch (input->kind) {
    case NAS_INPUT_LINK:
        break;
    case NAS_INPUT_COPY:
        if (input->rectified)
            nas_combine_add_masked(e, adjoint, nas_align_of(e, input));
        else
            nas_combine_add(e, NAS_TERM_PLAIN, adjoint, nas_align_of(e, input));
        break;
    case NAS_INPUT_POOL3:
        nas_combine_add(e, NAS_TERM_POOL3_ADJOINT, adjoint, nas_align_of(e, input));
        break;
    case NAS_INPUT_NORM:
        if (curvature)
            add_norm_curvature(e, input->index, to);
        else
            add_norm_reader(e, input);
        break;
    }
}

static void add_group_reader(nas_emitter_t *e, int group, bool curvature)
{
    const nas_lowered_link_t *link = nas_group_link(e, group);
    const nas_slice_t adjoint = nas_node_slice(e, link->source, group_adjoint(e, group, curvature));
    if (adjoint.tensor < 0) return;
    if (link->feed == NAS_FEED_RELU)
        nas_combine_add_masked(e, adjoint, NAS_NOWHERE);
    else
        nas_combine_add(e, link->feed == NAS_FEED_POOL2 ? NAS_TERM_POOL2_ADJOINT : NAS_TERM_PLAIN,
                        adjoint, NAS_NOWHERE);
}

void nas_add_readers(nas_emitter_t *e, int node, bool curvature)
{
    for (int g = nas_first_group(e, node); g >= 0; g = e->group[g].next)
        if (e->group[g].live) add_group_reader(e, g, curvature);
    const nas_lowered_input_t *reader = e->graph->node[node].reader;
    for (; reader; reader = reader->next_reader) add_input_reader(e, reader, curvature);
    if (e->node[node].r >= 0)
        nas_combine_mask(e, nas_node_slice(e, node, e->node[node].r), nas_ceiling_of(e, node));
}

/* What the norm behind an input is of: its convolution's output, its node. */
static nas_slice_t norm_input(const nas_emitter_t *e, int node, int input, int *norm)
{
    const int index = e->graph->node[node].input[input].index;
    *norm = -1;
    switch (e->graph->node[node].input[input].kind) {
    case NAS_INPUT_LINK:
        *norm = e->graph->link[index].norm;
        return nas_link_slice(e, index, e->group[e->place[index].group].y);
    case NAS_INPUT_NORM:
        *norm = index;
        break;
    case NAS_INPUT_COPY:
    case NAS_INPUT_POOL3:
        return nas_no_slice();
    }
    const int source = e->graph->norm[index].source;
    return nas_node_slice(e, source, e->node[source].x);
}

/* Whether the gradient of a bias is that sum. */
static bool has_bias_gradient(const nas_emitter_t *e, const nas_lowered_input_t *input)
{
    if (!(e->needs & NAS_NEED_GRADIENT) || input->kind != NAS_INPUT_LINK) return false;
    const nas_lowered_link_t *link = &e->graph->link[input->index];
    return link->bias >= 0 && link->norm < 0;
}

/* Sums of the adjoint that the norms behind the node's inputs need, and biases without norm. */
void nas_add_sums(nas_emitter_t *e, int node, bool curvature)
{
    bool any = false;
    for (int i = 0; i < e->graph->node[node].n_inputs; i++) {
        int norm;
        const nas_slice_t x = norm_input(e, node, i, &norm);
        any |= !curvature && has_bias_gradient(e, &e->graph->node[node].input[i]);
        if (!nas_norm_active(e, norm)) continue;
        const nas_norm_vectors_t *v = nas_norm_of(e, norm);
        nas_combine_dot(e, x, v->mean, curvature ? v->sum_ez : v->sum_dz);
        any = true;
    }
    if (any)
        nas_combine_dot(e, nas_no_slice(), NAS_NOWHERE,
                        curvature ? e->node[node].sum_e : e->node[node].sum_d);
}

/* -------------------------------------------------------------------------------- convolutions */

/* Each use of a shared weight adds to its layer's. */
static void add_fisher(nas_emitter_t *e, nas_vector_t from, nas_vector_t to)
{
    const nas_vector_t at = offsetof(nas_layer_values_t, fisher) / sizeof(double);
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_ADD);
    op->c = 1;
    op->in = from + at;
    op->out = to + at;
}

static void emit_fisher(nas_emitter_t *e, int conv)
{
    const size_t n_layer_values = sizeof(nas_layer_values_t) / sizeof(double);
    const nas_lowered_link_t *g = &e->graph->link[conv];
    const nas_shape_t shape = nas_node_shape(e, g->target);
    const nas_slice_t dy = nas_dy_slice(e, conv);
    const nas_vector_t own = g->is_shared ? nas_emit_vector(e, n_layer_values) : NAS_NOWHERE;
    const int y = e->group[e->place[conv].group].y;
    nas_emit_image_dots(e, shape, nas_link_slice(e, conv, y), dy, e->image_sum[0]);
    if (g->bias >= 0) nas_emit_image_dots(e, shape, dy, nas_no_slice(), e->image_sum[1]);
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_FISHER);
    op->c = g->c_out;
    op->count = e->graph->parameter[g->weight].fan_in;
    op->in = e->image_sum[0];
    op->out = g->is_shared ? own : nas_layer_values(e, g->weight);
    if (g->bias >= 0) {
        op->more = e->image_sum[1];
        op->entry = e->graph->parameter[g->bias].offset;
    }
    if (g->is_shared) add_fisher(e, own, nas_layer_values(e, g->weight));
}

/* A link alone in its group and without BN has its target's adjoint as its own. */
static bool shares_adjoint(const nas_emitter_t *e, int link)
{
    return !nas_norm_active(e, e->graph->link[link].norm) && !nas_emits_scales(e) &&
           e->group[e->place[link].group].n_links == 1;
}

/* The input of its target that a link is. */
static const nas_lowered_input_t *input_of(const nas_emitter_t *e, int link)
{
    const nas_lowered_input_t *input = e->graph->node[e->graph->link[link].target].input;
    while (input->kind != NAS_INPUT_LINK || input->index != link) input++;
    return input;
}

nas_slice_t nas_dy_slice(const nas_emitter_t *e, int conv)
{
    return nas_link_slice(e, conv, e->group[e->place[conv].group].dy);
}

static void combine_dy(nas_emitter_t *e, int conv, nas_slice_t d)
{
    const nas_lowered_link_t *g = &e->graph->link[conv];
    const nas_group_tensors_t *t = &e->group[e->place[conv].group];
    const bool has_norm = nas_norm_active(e, g->norm);
    nas_combine_begin(e, nas_node_shape(e, g->target));
    nas_combine_add(e, NAS_TERM_PLAIN, d,
                    has_norm ? nas_norm_of(e, g->norm)->d_coef
                             : nas_align_of(e, input_of(e, conv)));
    if (has_norm) {
        nas_combine_add(e, NAS_TERM_PLAIN, nas_link_slice(e, conv, t->y),
                        nas_norm_of(e, g->norm)->x_coef);
        nas_combine_shift(e, nas_norm_of(e, g->norm)->rest);
    }
    nas_combine_out(e, nas_link_slice(e, conv, t->dy));
    nas_combine_end(e);
}

void nas_emit_dy(nas_emitter_t *e, int conv)
{
    const int group = e->place[conv].group, target = e->graph->link[conv].target;
    nas_group_tensors_t *t = &e->group[group];
    const nas_slice_t d = nas_node_slice(e, target, e->node[target].d);
    if (shares_adjoint(e, conv)) {
        t->dy = d.tensor;
        return;
    }
    if (t->dy < 0) t->dy = nas_emit_tensor(e, nas_group_shape(e, group));
    combine_dy(e, conv, d);
}

/* Where several groups read the images, what each hands back is added to that of the first. */
static void emit_image(nas_emitter_t *e, int group)
{
    const nas_shape_t s = e->program->image;
    const int64_t n = (int64_t)s.n * s.c * s.h * s.w;
    const bool is_first = e->program->results.jacobian < 0;
    const nas_vector_t part =
        is_first && e->jacobian >= 0 ? e->jacobian : nas_emit_vector(e, (size_t)n);
    nas_emit_conv_images(e, group, e->group[group].dy, part);
    if (is_first) {
        e->program->results.jacobian = part;
        return;
    }
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_ADD);
    op->c = n;
    op->in = part;
    op->out = e->program->results.jacobian;
}

static void emit_group(nas_emitter_t *e, nas_backward_t pass, int group)
{
    const int source = nas_group_link(e, group)->source;
    nas_group_tensors_t *t = &e->group[group];
    const bool is_conv = nas_group_link(e, group)->kind == NAS_LINK_CONV;
    if (pass.weights && is_conv)
        nas_emit_conv_weights(e, group, nas_group_source(e, group), t->dy,
                              e->program->group[group].gradient + (nas_place_t)pass.gradient_at);
    t->dr = NAS_NO_TENSOR;
    if (source < 0) {
        if (pass.image) emit_image(e, group);
    } else if (e->graph->node[source].n_inputs > 0 && !is_conv) {
        t->dr = nas_emit_link_backward(e, group, nas_group_source(e, group), t->dy);
    } else if (e->graph->node[source].n_inputs > 0) {
        t->dr = nas_emit_tensor(e, nas_source_shape(e, group));
        nas_emit_conv(e, NAS_OP_CONV_BACKWARD_DATA, group, t->dy, t->dr);
    }
}

static void emit_groups_of(nas_emitter_t *e, nas_backward_t pass, int source)
{
    for (int g = nas_first_group(e, source); g >= 0; g = e->group[g].next)
        if (e->group[g].live) emit_group(e, pass, g);
}

/* --------------------------------------------------------------------------------------- nodes */

/* Flow: bring the adjoint of an output to about 1. Then the sums of it, as it then is. */
static void emit_rescale(nas_emitter_t *e, int node)
{
    const nas_node_tensors_t *t = &e->node[node];
    const nas_slice_t d = nas_node_slice(e, node, t->d);
    nas_emit_rescale(e, node, t->d, t->d_exponent);
    nas_combine_begin(e, nas_node_shape(e, node));
    nas_combine_add(e, NAS_TERM_PLAIN, d, t->rescale);
    nas_combine_out(e, d);
    nas_add_sums(e, node, false);
    nas_combine_end(e);
}

int nas_emit_node_adjoint(nas_emitter_t *e, int node)
{
    const bool may_share = nas_is_passed(e, node) || e->graph->node[node].is_concat;
    const int copied = may_share ? nas_combine_copied(e) : NAS_NO_TENSOR;
    if (copied >= 0) return copied;
    const int d = nas_emit_tensor(e, nas_node_shape(e, node));
    nas_combine_out(e, nas_node_slice(e, node, d));
    nas_combine_end(e);
    return d;
}

static void emit_adjoint(nas_emitter_t *e, int node)
{
    const bool rescale = e->flow && e->graph->node[node].is_output;
    nas_node_tensors_t *t = &e->node[node];
    nas_combine_begin(e, nas_node_shape(e, node));
    if (node == e->graph->head)
        nas_combine_add_images(e, e->program->head.d_features, e->graph->head_rectified);
    nas_add_readers(e, node, false);
    if (!rescale) nas_add_sums(e, node, false);
    t->d = nas_emit_node_adjoint(e, node);
    if (e->flow && e->graph->has_blocks) nas_emit_follow_adjoint(e, node);
    if (rescale) emit_rescale(e, node);
}

static void emit_node(nas_emitter_t *e, nas_backward_t pass, int node)
{
    const nas_lowered_node_t *n = &e->graph->node[node];
    emit_adjoint(e, node);
    if (n->is_concat) nas_emit_parts(e, node, e->node[node].d);
    nas_emit_node_backward(e, node);
    for (int i = 0; i < n->n_inputs; i++) {
        if (n->input[i].kind != NAS_INPUT_LINK) continue;
        nas_emit_dy(e, n->input[i].index);
        if (pass.fisher && e->graph->link[n->input[i].index].kind == NAS_LINK_CONV)
            emit_fisher(e, n->input[i].index);
    }
}

static void emit_head(nas_emitter_t *e, nas_backward_t pass)
{
    if (pass.of_image)
        nas_emit_scalar(e, NAS_SCALAR_HEAD_IMAGE)->c = pass.number;
    else
        nas_emit_scalar(e, pass.of_loss ? NAS_SCALAR_HEAD_LOSS : NAS_SCALAR_HEAD_SUM);
}

void nas_emit_backward(nas_emitter_t *e, nas_backward_t pass)
{
    const nas_lowered_t *graph = e->graph;
    for (int g = 0; g < e->n_groups; g++) e->group[g].dy = NAS_NO_TENSOR;
    for (int node = 0; node < graph->n_nodes; node++) e->node[node].d = NAS_NO_TENSOR;
    emit_head(e, pass);
    for (int node = graph->n_nodes - 1; node >= 0; node--) {
        if (!graph->node[node].live) continue;
        emit_groups_of(e, pass, node);
        if (graph->node[node].n_inputs > 0) emit_node(e, pass, node);
    }
    emit_groups_of(e, pass, -1);
}
