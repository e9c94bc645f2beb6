#include "worker/engine/program/program_internal.h"

/* ------------------------------------------------------------------- adjoints of nodes' readers */

/* What the readers of a node hand back, under the names of one pass. */
typedef struct adjoints {
    bool curvature; /* of the tangent pass: e and du; otherwise d and dr */
} adjoints_t;

static int node_adjoint(const nas_program_t *program, adjoints_t pass, int node)
{
    return pass.curvature ? program->node[node].e : program->node[node].d;
}

static int group_adjoint(const nas_program_t *program, adjoints_t pass, int group)
{
    return pass.curvature ? program->group[group].du : program->group[group].dr;
}

static void add_norm_reader(nas_program_t *program, nas_combiner_t c, adjoints_t pass, int norm,
                            int to)
{
    const nas_norm_vectors_t *v = &program->norm[norm];
    const int node = program->graph->norm[norm].source;
    const nas_slice_t d = nas_node_slice(program, to, program->node[to].d);
    if (!nas_norm_active(program, norm)) {
        nas_combine_add(c, NAS_TERM_PLAIN, d, NULL);
        return;
    }
    const nas_slice_t x = nas_node_slice(program, node, program->node[node].x);
    nas_combine_add(c, NAS_TERM_PLAIN, d, pass.curvature ? v->u_d : v->d_coef);
    nas_combine_add(c, NAS_TERM_PLAIN, x, pass.curvature ? v->u_x : v->x_coef);
    c.to->shift = pass.curvature ? v->u_rest : v->rest;
    if (!pass.curvature) return;
    nas_combine_add(c, NAS_TERM_PLAIN, nas_node_slice(program, to, program->node[to].e), v->u_e);
    if (program->node[node].tx >= 0)
        nas_combine_add(c, NAS_TERM_PLAIN, nas_node_slice(program, node, program->node[node].tx),
                        v->u_t);
}

static void add_node_reader(nas_program_t *program, nas_combiner_t c, adjoints_t pass, int node,
                            int to)
{
    const nas_graph_node_t *n = &program->graph->node[to];
    const int adjoint = node_adjoint(program, pass, to);
    for (int i = 0; adjoint >= 0 && i < n->n_inputs; i++) {
        const int index = n->input[i].index;
        switch (n->input[i].kind) {
        case NAS_INPUT_CONV:
            break;
        case NAS_INPUT_COPY:
            if (index == node)
                nas_combine_add(c, NAS_TERM_PLAIN, nas_node_slice(program, to, adjoint), NULL);
            break;
        case NAS_INPUT_POOL3:
            if (index == node)
                nas_combine_add(c, NAS_TERM_POOL3_ADJOINT, nas_node_slice(program, to, adjoint),
                                NULL);
            break;
        case NAS_INPUT_NORM:
            if (program->graph->norm[index].source == node)
                add_norm_reader(program, c, pass, index, to);
            break;
        }
    }
}

static void add_group_reader(nas_program_t *program, nas_combiner_t c, adjoints_t pass, int group)
{
    const nas_graph_conv_t *conv = nas_group_conv(program, group);
    const nas_slice_t adjoint =
        nas_node_slice(program, conv->source, group_adjoint(program, pass, group));
    if (adjoint.tensor < 0) return;
    if (conv->feed == NAS_FEED_RELU)
        nas_combine_add_masked(c, adjoint);
    else
        nas_combine_add(c, NAS_TERM_POOL2_ADJOINT, adjoint, NULL);
}

void nas_add_readers(nas_program_t *program, nas_combiner_t c, int node, bool curvature)
{
    const adjoints_t pass = {.curvature = curvature};
    const nas_graph_t *graph = program->graph;
    for (int g = 0; g < graph->n_groups; g++)
        if (graph->group[g].live && nas_group_conv(program, g)->source == node)
            add_group_reader(program, c, pass, g);
    for (int to = node + 1; to < graph->n_nodes; to++)
        if (graph->node[to].live) add_node_reader(program, c, pass, node, to);
    if (program->node[node].r >= 0)
        nas_combine_mask(c, nas_node_slice(program, node, program->node[node].r));
}

/* Sums of the adjoint that the norms behind the node's inputs need. */
void nas_add_sums(nas_program_t *program, nas_combiner_t c, int node, bool curvature)
{
    const nas_graph_node_t *n = &program->graph->node[node];
    bool any = false;
    for (int i = 0; i < n->n_inputs; i++) {
        const int index = n->input[i].index;
        nas_slice_t x = nas_no_slice();
        int norm = -1;
        if (n->input[i].kind == NAS_INPUT_CONV) {
            norm = program->graph->conv[index].norm;
            x = nas_conv_slice(program, index, program->group[program->graph->conv[index].group].y);
        } else if (n->input[i].kind == NAS_INPUT_NORM) {
            norm = index;
            x = nas_node_slice(program, program->graph->norm[index].source,
                               program->node[program->graph->norm[index].source].x);
        }
        if (!nas_norm_active(program, norm)) continue;
        const nas_norm_vectors_t *v = &program->norm[norm];
        nas_combine_dot(c, x, v->mean, curvature ? v->sum_ez : v->sum_dz);
        any = true;
    }
    if (any)
        nas_combine_dot(c, nas_no_slice(), NULL,
                        curvature ? program->node[node].sum_e : program->node[node].sum_d);
}

/* ------------------------------------------------------------------------------- convolutions */

static void emit_fisher(nas_program_t *program, int conv)
{
    const nas_graph_conv_t *g = &program->graph->conv[conv];
    const nas_group_tensors_t *t = &program->group[g->group];
    const nas_shape_t shape = nas_node_shape(program, g->target);
    const nas_slice_t dy = nas_dy_slice(program, conv);
    nas_emit_image_dots(program, shape, nas_conv_slice(program, conv, t->y), dy,
                        program->image_sum[0]);
    if (g->bias >= 0)
        nas_emit_image_dots(program, shape, dy, nas_no_slice(), program->image_sum[1]);
    nas_emit_scalar(program, nas_fisher_add, conv);
}

/* A convolution alone in its group and without BN has its target's adjoint as its own. */
static bool shares_adjoint(const nas_program_t *program, const nas_graph_conv_t *conv)
{
    return !nas_norm_active(program, conv->norm) && program->graph->group[conv->group].n_convs == 1;
}

nas_slice_t nas_dy_slice(const nas_program_t *program, int conv)
{
    return nas_conv_slice(program, conv, program->group[program->graph->conv[conv].group].dy);
}

void nas_emit_dy(nas_program_t *program, int conv)
{
    const nas_graph_conv_t *g = &program->graph->conv[conv];
    nas_group_tensors_t *t = &program->group[g->group];
    const nas_slice_t d = nas_node_slice(program, g->target, program->node[g->target].d);
    if (shares_adjoint(program, g)) {
        t->dy = d.tensor;
        return;
    }
    if (t->dy < 0) t->dy = nas_emit_tensor(program, nas_group_shape(program, g->group));
    const nas_combiner_t c = nas_emit_combine(program, nas_node_shape(program, g->target));
    if (nas_norm_active(program, g->norm)) {
        const nas_norm_vectors_t *v = &program->norm[g->norm];
        nas_combine_add(c, NAS_TERM_PLAIN, d, v->d_coef);
        nas_combine_add(c, NAS_TERM_PLAIN, nas_conv_slice(program, conv, t->y), v->x_coef);
        c.to->shift = v->rest;
    } else {
        nas_combine_add(c, NAS_TERM_PLAIN, d, NULL);
    }
    nas_combine_out(c, nas_conv_slice(program, conv, t->dy));
}

nas_shape_t nas_source_shape(const nas_program_t *program, int group)
{
    const nas_graph_conv_t *conv = nas_group_conv(program, group);
    nas_shape_t shape = nas_node_shape(program, conv->source);
    if (conv->feed != NAS_FEED_POOL2) return shape;
    shape.h /= 2;
    shape.w /= 2;
    return shape;
}

static void emit_group(nas_program_t *program, nas_backward_t pass, int group)
{
    const nas_graph_conv_t *conv = nas_group_conv(program, group);
    nas_group_tensors_t *t = &program->group[group];
    if (pass.weights)
        nas_emit_conv(program, NAS_OP_CONV_BACKWARD_WEIGHTS, group,
                      nas_group_source(program, group), t->dy);
    t->dr = NAS_NO_TENSOR;
    if (conv->source < 0) {
        if (pass.image)
            nas_emit_conv(program, NAS_OP_CONV_BACKWARD_DATA, group, t->dy, program->jacobian);
    } else if (program->graph->node[conv->source].n_inputs > 0) {
        t->dr = nas_emit_tensor(program, nas_source_shape(program, group));
        nas_emit_conv(program, NAS_OP_CONV_BACKWARD_DATA, group, t->dy, t->dr);
    }
}

static void emit_groups_of(nas_program_t *program, nas_backward_t pass, int source)
{
    for (int g = 0; g < program->graph->n_groups; g++)
        if (program->graph->group[g].live && nas_group_conv(program, g)->source == source)
            emit_group(program, pass, g);
}

/* --------------------------------------------------------------------------------------- nodes */

/* Flow: bring the adjoint of an output to about 1. Then the sums of it, as it then is. */
static void emit_rescale(nas_program_t *program, int node)
{
    const nas_slice_t d = nas_node_slice(program, node, program->node[node].d);
    nas_emit_node(program, NAS_OP_MAX_ABS, node, program->node[node].d);
    nas_emit_scalar(program, nas_flow_rescale_adjoint, node);
    const nas_combiner_t c = nas_emit_combine(program, nas_node_shape(program, node));
    nas_combine_add(c, NAS_TERM_PLAIN, d, program->node[node].rescale);
    nas_combine_out(c, d);
    nas_add_sums(program, c, node, false);
}

static void emit_node(nas_program_t *program, nas_backward_t pass, int node)
{
    const nas_graph_node_t *n = &program->graph->node[node];
    nas_node_tensors_t *t = &program->node[node];
    t->d = nas_emit_tensor(program, nas_node_shape(program, node));
    const nas_combiner_t c = nas_emit_combine(program, nas_node_shape(program, node));
    if (node == program->graph->n_nodes - 1) nas_combine_add_images(c, program->d_features);
    nas_add_readers(program, c, node, false);
    nas_combine_out(c, nas_node_slice(program, node, t->d));
    const bool rescale = program->flow && n->is_output;
    if (!rescale) nas_add_sums(program, c, node, false);
    if (program->flow) nas_emit_scalar(program, nas_flow_follow_adjoint, node);
    if (rescale) emit_rescale(program, node);
    nas_emit_scalar(program, nas_node_backward, node);
    for (int i = 0; i < n->n_inputs; i++) {
        if (n->input[i].kind != NAS_INPUT_CONV) continue;
        nas_emit_dy(program, n->input[i].index);
        if (pass.fisher) emit_fisher(program, n->input[i].index);
    }
}

void nas_emit_backward(nas_program_t *program, nas_backward_t pass)
{
    const nas_graph_t *graph = program->graph;
    for (int g = 0; g < graph->n_groups; g++) program->group[g].dy = NAS_NO_TENSOR;
    for (int node = 0; node < graph->n_nodes; node++) program->node[node].d = NAS_NO_TENSOR;
    nas_emit_scalar(program, pass.of_loss ? nas_head_backward_loss : nas_head_backward_logits, 0);
    for (int node = graph->n_nodes - 1; node >= 0; node--) {
        if (!graph->node[node].live) continue;
        emit_groups_of(program, pass, node);
        if (graph->node[node].n_inputs > 0) emit_node(program, pass, node);
    }
    emit_groups_of(program, pass, -1);
}
