#include "worker/engine/program/program_internal.h"

int nas_group_source(const nas_program_t *program, int group)
{
    const nas_graph_conv_t *first = nas_group_conv(program, group);
    switch (first->feed) {
    case NAS_FEED_IMAGE:
        return program->image;
    case NAS_FEED_RELU:
        return program->node[first->source].r;
    case NAS_FEED_POOL2:
        break;
    }
    return program->group[group].p;
}

const nas_graph_conv_t *nas_group_conv(const nas_program_t *program, int group)
{
    return &program->graph->conv[program->graph->group[group].conv[0]];
}

nas_shape_t nas_group_shape(const nas_program_t *program, int group)
{
    nas_shape_t shape = nas_node_shape(program, nas_group_conv(program, group)->target);
    shape.c = program->graph->group[group].c_out;
    return shape;
}

bool nas_group_evaluated(const nas_program_t *program, int group)
{
    const nas_graph_group_t *g = &program->graph->group[group];
    for (int i = 0; i < g->n_convs; i++)
        if (program->evaluated[program->graph->conv[g->conv[i]].target]) return true;
    return false;
}

/* ------------------------------------------------------------------------------ what is needed */

/* Whether an evaluated node's plain value, and its rectified one, are read by anything. */
static void find_readers(const nas_program_t *program, int node, bool *x, bool *r)
{
    const nas_graph_t *graph = program->graph;
    *x = program->flow && graph->node[node].is_output;
    *r = node == graph->n_nodes - 1 ||
         ((program->needs & NAS_NEED_SIGNS) && graph->node[node].n_relu > 0);
    for (int g = 0; g < graph->n_groups; g++) {
        const nas_graph_conv_t *conv = nas_group_conv(program, g);
        if (conv->source != node || !nas_group_evaluated(program, g)) continue;
        *x |= conv->feed == NAS_FEED_POOL2;
        *r |= conv->feed == NAS_FEED_RELU;
    }
    for (int to = node + 1; to < graph->n_nodes; to++)
        for (int i = 0; program->evaluated[to] && i < graph->node[to].n_inputs; i++) {
            if (graph->node[to].input[i].kind == NAS_INPUT_CONV) continue;
            *x |= nas_graph_source(graph, to, i) == node;
        }
}

/* -------------------------------------------------------------------------------- convolutions */

static void emit_group(nas_program_t *program, int group)
{
    const nas_graph_group_t *g = &program->graph->group[group];
    const nas_graph_conv_t *first = nas_group_conv(program, group);
    nas_group_tensors_t *t = &program->group[group];
    if (first->feed == NAS_FEED_POOL2) {
        nas_shape_t shape = nas_node_shape(program, first->target);
        shape.c = first->c_in;
        t->p = nas_emit_tensor(program, shape);
        const nas_combiner_t pool = nas_emit_combine(program, shape);
        const int x = program->node[first->source].x;
        nas_combine_add(pool, NAS_TERM_POOL2, nas_node_slice(program, first->source, x), NULL);
        nas_combine_out(pool, nas_node_slice(program, first->source, t->p));
    }
    t->y = nas_emit_tensor(program, nas_group_shape(program, group));
    nas_emit_conv(program, NAS_OP_CONV_FORWARD, group, nas_group_source(program, group), t->y);
    for (int i = 0; i < g->n_convs; i++) {
        const nas_graph_conv_t *conv = &program->graph->conv[g->conv[i]];
        if (nas_norm_has_moments(program, conv->norm))
            nas_emit_moments(program, conv->norm, nas_node_shape(program, conv->target),
                             nas_conv_slice(program, g->conv[i], t->y));
    }
}

static void emit_groups_of(nas_program_t *program, int source)
{
    for (int g = 0; g < program->graph->n_groups; g++)
        if (nas_group_conv(program, g)->source == source && nas_group_evaluated(program, g))
            emit_group(program, g);
}

/* --------------------------------------------------------------------------------------- nodes */

static void add_input(nas_program_t *program, nas_combiner_t c, int node, int input)
{
    const int index = program->graph->node[node].input[input].index;
    const nas_graph_conv_t *conv = &program->graph->conv[index];
    const nas_graph_norm_t *norm = &program->graph->norm[index];
    switch (program->graph->node[node].input[input].kind) {
    case NAS_INPUT_CONV:
        nas_combine_add(
            c, NAS_TERM_PLAIN, nas_conv_slice(program, index, program->group[conv->group].y),
            nas_norm_active(program, conv->norm) ? program->norm[conv->norm].scale : NULL);
        break;
    case NAS_INPUT_COPY:
        nas_combine_add(c, NAS_TERM_PLAIN, nas_node_slice(program, index, program->node[index].x),
                        NULL);
        break;
    case NAS_INPUT_POOL3:
        nas_combine_add(c, NAS_TERM_POOL3, nas_node_slice(program, index, program->node[index].x),
                        NULL);
        break;
    case NAS_INPUT_NORM:
        nas_combine_add(c, NAS_TERM_PLAIN,
                        nas_node_slice(program, norm->source, program->node[norm->source].x),
                        nas_norm_active(program, index) ? program->norm[index].scale : NULL);
        break;
    }
}

/* Flow: bring an output to about 1, as x = rescale * x, with its rectified value. */
static void emit_rescale(nas_program_t *program, int node)
{
    const nas_slice_t x = nas_node_slice(program, node, program->node[node].x);
    nas_emit_node(program, NAS_OP_MAX_ABS, node, program->node[node].x);
    nas_emit_scalar(program, nas_flow_rescale, node);
    const nas_combiner_t c = nas_emit_combine(program, nas_node_shape(program, node));
    nas_combine_add(c, NAS_TERM_PLAIN, x, program->node[node].rescale);
    nas_combine_out(c, x);
    if (program->node[node].r >= 0)
        nas_combine_relu(c, nas_node_slice(program, node, program->node[node].r));
}

static void emit_node(nas_program_t *program, int node)
{
    const nas_graph_node_t *n = &program->graph->node[node];
    nas_node_tensors_t *t = &program->node[node];
    const nas_shape_t shape = nas_node_shape(program, node);
    bool need_x = false, need_r = false;
    find_readers(program, node, &need_x, &need_r);
    for (int i = 0; i < n->n_inputs; i++) {
        const int norm = n->input[i].index;
        if (n->input[i].kind != NAS_INPUT_NORM || !nas_norm_has_moments(program, norm)) continue;
        const int source = program->graph->norm[norm].source;
        nas_emit_moments(program, norm, shape,
                         nas_node_slice(program, source, program->node[source].x));
    }
    nas_emit_scalar(program, nas_node_forward, node);
    if (!need_x && !need_r) return; /* an output of a cell that nothing follows */
    const bool rescale = program->flow && n->is_output;
    if (need_x) t->x = nas_emit_tensor(program, shape);
    if (need_r) t->r = nas_emit_tensor(program, shape);
    const nas_combiner_t c = nas_emit_combine(program, shape);
    for (int i = 0; i < n->n_inputs; i++) add_input(program, c, node, i);
    c.to->shift = t->shift;
    if (need_x) nas_combine_out(c, nas_node_slice(program, node, t->x));
    if (need_r && !rescale) nas_combine_relu(c, nas_node_slice(program, node, t->r));
    if (rescale) emit_rescale(program, node);
    if ((program->needs & NAS_NEED_SIGNS) && n->n_relu > 0)
        nas_emit_node(program, NAS_OP_SIGNS, node, t->r);
}

void nas_emit_forward(nas_program_t *program)
{
    const int head = program->graph->n_nodes - 1;
    if (program->flow) nas_emit_scalar(program, nas_flow_begin, 0);
    emit_groups_of(program, -1);
    for (int node = 0; node <= head; node++) {
        if (!program->evaluated[node]) continue;
        emit_node(program, node);
        emit_groups_of(program, node);
    }
    nas_emit_image_dots(program, nas_node_shape(program, head),
                        nas_node_slice(program, head, program->node[head].r), nas_no_slice(),
                        program->features);
    nas_emit_scalar(program, nas_head_forward, 0);
}
