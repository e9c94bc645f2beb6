#include "worker/engine/program/emitter.h"

/* ------------------------------------------------------------------------------ what is needed */

/* What reads a node: its plain value, its rectified one. */
typedef struct readers {
    bool x, r;
} readers_t;

static void add_groups(const nas_emitter_t *e, int node, readers_t *readers)
{
    for (int g = nas_first_group(e, node); g >= 0; g = e->group[g].next) {
        if (!nas_group_evaluated(e, g)) continue;
        readers->x |= nas_group_link(e, g)->feed != NAS_FEED_RELU;
        readers->r |= nas_group_link(e, g)->feed == NAS_FEED_RELU;
    }
}

static void add_nodes(const nas_emitter_t *e, int node, readers_t *readers)
{
    const nas_lowered_input_t *reader = e->graph->node[node].reader;
    for (; reader; reader = reader->next_reader) {
        if (reader->kind == NAS_INPUT_LINK || !e->evaluated[reader->node]) continue;
        readers->x |= !reader->rectified;
        readers->r |= reader->rectified;
    }
}

static bool has_signs(const nas_emitter_t *e, int node)
{
    return nas_emits_signs(e) && e->graph->node[node].n_relu > 0;
}

static bool is_rescaled(const nas_emitter_t *e, int node)
{
    return e->flow && e->graph->node[node].is_output;
}

static readers_t find_readers(const nas_emitter_t *e, int node)
{
    const bool is_head = node == e->graph->head;
    readers_t readers = {.x = is_rescaled(e, node) || nas_emits_covariance(e, node) ||
                              (is_head && !e->graph->head_rectified),
                         .r = (is_head && e->graph->head_rectified) || has_signs(e, node)};
    add_groups(e, node, &readers);
    add_nodes(e, node, &readers);
    return readers;
}

/* -------------------------------------------------------------------------------- convolutions */

static void emit_pool(nas_emitter_t *e, int group)
{
    const nas_lowered_link_t *first = nas_group_link(e, group);
    nas_group_tensors_t *t = &e->group[group];
    const nas_shape_t shape = nas_source_shape(e, group);
    t->p = nas_emit_tensor(e, shape);
    nas_combine_begin(e, shape);
    nas_combine_add(e, NAS_TERM_POOL2, nas_node_slice(e, first->source, e->node[first->source].x),
                    NAS_NOWHERE);
    nas_combine_out(e, nas_node_slice(e, first->source, t->p));
    nas_combine_end(e);
}

static void emit_group(nas_emitter_t *e, int group)
{
    nas_group_tensors_t *t = &e->group[group];
    if (nas_group_link(e, group)->feed == NAS_FEED_POOL2) emit_pool(e, group);
    if (nas_group_link(e, group)->kind == NAS_LINK_CONV) {
        t->y = nas_emit_tensor(e, nas_group_shape(e, group));
        nas_emit_conv(e, NAS_OP_CONV_FORWARD, group, nas_group_source(e, group), t->y);
    } else {
        t->y = nas_emit_link_forward(e, group, nas_group_source(e, group));
    }
    for (int i = t->first; i < t->first + t->n_links; i++) {
        const nas_lowered_link_t *link = &e->graph->link[e->member[i]];
        if (nas_norm_has_moments(e, link->norm))
            nas_emit_moments(e, link->norm, nas_node_shape(e, link->target),
                             nas_link_slice(e, e->member[i], t->y));
    }
}

static void emit_groups_of(nas_emitter_t *e, int source)
{
    for (int g = nas_first_group(e, source); g >= 0; g = e->group[g].next)
        if (nas_group_evaluated(e, g)) emit_group(e, g);
}

/* --------------------------------------------------------------------------------------- nodes */

static nas_vector_t scale_of(const nas_emitter_t *e, int norm, const nas_lowered_input_t *input)
{
    return nas_norm_active(e, norm) ? nas_norm_of(e, norm)->scale : nas_align_of(e, input);
}

static void add_input(nas_emitter_t *e, int node, int input)
{
    const nas_lowered_input_t *in = &e->graph->node[node].input[input];
    const int index = in->index, source = in->source;
    if (in->kind == NAS_INPUT_LINK) {
        const int y = e->group[e->place[index].group].y;
        nas_combine_add(e, NAS_TERM_PLAIN, nas_link_slice(e, index, y),
                        scale_of(e, e->graph->link[index].norm, in));
        return;
    }
    nas_combine_add(
        e, in->kind == NAS_INPUT_POOL3 ? NAS_TERM_POOL3 : NAS_TERM_PLAIN,
        nas_node_slice(e, source, in->rectified ? e->node[source].r : e->node[source].x),
        scale_of(e, in->kind == NAS_INPUT_NORM ? index : -1, in));
}

/* Flow: bring an output to about 1, as x = rescale * x, with its rectified value. */
static void emit_rescale(nas_emitter_t *e, int node)
{
    const nas_node_tensors_t *t = &e->node[node];
    const nas_slice_t x = nas_node_slice(e, node, t->x);
    nas_emit_rescale(e, node, t->x, t->exponent);
    nas_combine_begin(e, nas_node_shape(e, node));
    nas_combine_add(e, NAS_TERM_PLAIN, x, t->rescale);
    nas_combine_out(e, x);
    if (t->r >= 0) nas_combine_relu(e, nas_node_slice(e, node, t->r), nas_ceiling_of(e, node));
    nas_combine_end(e);
}

/* Moments of norms that are behind another node. */
static void emit_norm_moments(nas_emitter_t *e, int node)
{
    const nas_lowered_node_t *n = &e->graph->node[node];
    for (int i = 0; i < n->n_inputs; i++) {
        const int norm = n->input[i].index;
        if (n->input[i].kind != NAS_INPUT_NORM || !nas_norm_has_moments(e, norm)) continue;
        const int source = e->graph->norm[norm].source;
        nas_emit_moments(e, norm, nas_node_shape(e, node),
                         nas_node_slice(e, source, e->node[source].x));
    }
}

/* The tensor of the link that the node is. */
static int passed(const nas_emitter_t *e, int node)
{
    return e->group[e->place[e->graph->node[node].input->index].group].y;
}

/* is_passed: it is there already, and rectified now. */
static void emit_value(nas_emitter_t *e, int node, bool is_passed)
{
    const nas_node_tensors_t *t = &e->node[node];
    if (is_passed && t->r < 0) return;
    nas_combine_begin(e, nas_node_shape(e, node));
    for (int i = 0; i < e->graph->node[node].n_inputs; i++) add_input(e, node, i);
    nas_combine_shift(e, t->shift);
    if (t->x >= 0 && !is_passed) nas_combine_out(e, nas_node_slice(e, node, t->x));
    if (t->r >= 0 && !is_rescaled(e, node))
        nas_combine_relu(e, nas_node_slice(e, node, t->r), nas_ceiling_of(e, node));
    nas_combine_end(e);
}

/* The bits of its signs are in a tensor of all nodes. */
static nas_tensor_op_t *emit_sign_op(nas_emitter_t *e, nas_op_kind_t kind, int node)
{
    nas_tensor_op_t *op = nas_emit_node(e, kind, node, e->node[node].r);
    op->b.at = nas_emit_place(e->bits, 0);
    op->times = e->graph->node[node].n_relu;
    nas_emit_use(e, e->bits);
    return op;
}

static void emit_signs(nas_emitter_t *e, int node)
{
    if (e->needs & NAS_NEED_SIGNS)
        emit_sign_op(e, NAS_OP_AGREEMENT, node)->out[0] = e->program->results.agreement;
    if (!(e->needs & NAS_NEED_PATTERNS)) return;
    nas_tensor_op_t *op = emit_sign_op(e, NAS_OP_PATTERNS, node);
    op->out[0] = e->seen;
    op->out[1] = e->program->results.patterns;
}

static void emit_store(nas_emitter_t *e, int node, int tensor, nas_vector_t to)
{
    nas_emit_node(e, NAS_OP_STORE, node, tensor)->out[0] = to;
}

static void emit_covariance(nas_emitter_t *e, int node)
{
    const nas_lowered_node_t *n = &e->graph->node[node];
    emit_store(e, node, e->node[node].x, e->stored);
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_COVARIANCE);
    op->c = n->c;
    op->count = (double)n->h * n->w;
    op->in = e->stored;
    op->out = e->program->results.covariance + e->n_covariance;
    e->n_covariance += (int64_t)n->c * n->c;
}

static void emit_node(nas_emitter_t *e, int node)
{
    nas_node_tensors_t *t = &e->node[node];
    const nas_shape_t shape = nas_node_shape(e, node);
    const readers_t readers = find_readers(e, node);
    emit_norm_moments(e, node);
    if (nas_emits_scales(e)) nas_emit_scale(e, node);
    nas_emit_node_forward(e, node);
    if (!readers.x && !readers.r) return; /* an output of a cell that nothing follows */
    const bool is_passed = readers.x && nas_is_passed(e, node);
    if (readers.x) t->x = is_passed ? passed(e, node) : nas_emit_tensor(e, shape);
    if (readers.r) t->r = nas_emit_tensor(e, shape);
    if (e->graph->node[node].is_concat)
        nas_emit_concat(e, (nas_concat_t){node, false, t->x, t->r, NAS_NO_TENSOR});
    else
        emit_value(e, node, is_passed);
    if (is_rescaled(e, node)) emit_rescale(e, node);
    if (has_signs(e, node)) emit_signs(e, node);
    if (nas_emits_covariance(e, node)) emit_covariance(e, node);
}

/* ---------------------------------------------------------------------------------------- all */

static void emit_load(nas_emitter_t *e)
{
    nas_tensor_op_t *load = &nas_emit_op(e, NAS_OP_LOAD_IMAGES)->tensor;
    *load = (nas_tensor_op_t){.shape = e->program->image,
                              .a = {.at = nas_emit_place(e->image, 0)},
                              .b = {.at = NAS_NOWHERE}};
    nas_emit_use(e, e->image);
    for (int g = 0; g < e->n_groups; g++) {
        if (e->program->group[g].conv < 0) continue;
        nas_emit_op(e, NAS_OP_PACK)->index = g;
        nas_emit_use(e, e->weights);
    }
}

static void emit_head(nas_emitter_t *e)
{
    const int head = e->graph->head;
    const int read = e->graph->head_rectified ? e->node[head].r : e->node[head].x;
    nas_emit_image_dots(e, nas_node_shape(e, head), nas_node_slice(e, head, read), nas_no_slice(),
                        e->program->head.features);
    if (e->needs & NAS_NEED_FEATURES) emit_store(e, head, read, e->program->results.features);
    nas_emit_scalar(e, NAS_SCALAR_HEAD_FORWARD);
    if (!e->flow) e->program->results.logits = e->program->head.logits;
}

void nas_emit_forward(nas_emitter_t *e)
{
    emit_load(e);
    if (e->needs & NAS_NEED_INFERENCE) nas_emit_statistics(e);
    emit_groups_of(e, -1);
    for (int node = 0; node < e->graph->n_nodes; node++) {
        if (!e->evaluated[node]) continue;
        emit_node(e, node);
        emit_groups_of(e, node);
    }
    emit_head(e);
}
