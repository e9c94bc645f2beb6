/* Scalar operations of norms: their coefficients pass by pass (host/norm.c has the formulas), and
 * the powers of two of the flow beside them. */
#include "worker/engine/program/emitter.h"

bool nas_norm_active(const nas_emitter_t *e, int norm)
{
    return norm >= 0 && (!e->flow || (e->graph->has_blocks && e->graph->norm[norm].in_reduction));
}

bool nas_norm_has_moments(const nas_emitter_t *e, int norm)
{
    return nas_norm_active(e, norm) && !(e->needs & NAS_NEED_INFERENCE);
}

const nas_norm_vectors_t *nas_norm_of(const nas_emitter_t *e, int norm)
{
    return norm < 0 ? NULL : &e->program->norm[norm];
}

/* The norm behind an input of a node, or -1. */
static int norm_behind(const nas_emitter_t *e, int node, int input)
{
    const nas_lowered_node_t *n = &e->graph->node[node];
    int norm = -1;
    if (n->input[input].kind == NAS_INPUT_LINK)
        norm = e->graph->link[n->input[input].index].norm;
    else if (n->input[input].kind == NAS_INPUT_NORM)
        norm = n->input[input].index;
    return nas_norm_active(e, norm) ? norm : -1;
}

/* Number of values that a channel's means are over. */
static double count(const nas_emitter_t *e, int node)
{
    const nas_shape_t shape = nas_node_shape(e, node);
    return (double)shape.n * shape.h * shape.w;
}

/* Exponent of what a norm reads: the convolution before it hands on its source's. */
static nas_vector_t source_exponent(const nas_emitter_t *e, int norm)
{
    const int link = e->graph->norm[norm].link;
    const int source = link >= 0 ? e->graph->link[link].source : e->graph->norm[norm].source;
    return source >= 0 ? e->node[source].exponent : NAS_NOWHERE;
}

static nas_scalar_op_t *emit_norm(nas_emitter_t *e, nas_scalar_kind_t kind, int norm, int node)
{
    nas_scalar_op_t *op = nas_emit_scalar(e, kind);
    op->norm = norm;
    op->count = count(e, node);
    return op;
}

static void emit_copy(nas_emitter_t *e, nas_vector_t from, nas_vector_t to)
{
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_COPY);
    op->c = 1;
    op->in = from;
    op->out = to;
}

/* ------------------------------------------------------------------------------------- forward */

/* Without a BN, or without its BN (flow), a convolution's bias counts. */
static void emit_bias(nas_emitter_t *e, int link, int node)
{
    const nas_lowered_link_t *g = &e->graph->link[link];
    if (g->bias < 0) return;
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_BIAS);
    op->c = g->c_out;
    op->entry = e->graph->parameter[g->bias].offset;
    op->out = e->node[node].shift;
    op->exponent = e->node[node].exponent;
}

static void emit_forward(nas_emitter_t *e, int node, int input)
{
    const int norm = norm_behind(e, node, input);
    if (norm >= 0) {
        nas_scalar_op_t *op = emit_norm(e, NAS_SCALAR_NORM_FORWARD, norm, node);
        op->out = e->node[node].shift;
        op->exponent = e->node[node].exponent;
        op->from_exponent = source_exponent(e, norm);
    } else if (e->graph->node[node].input[input].kind == NAS_INPUT_LINK) {
        emit_bias(e, e->graph->node[node].input[input].index, node);
    }
}

void nas_emit_node_forward(nas_emitter_t *e, int node)
{
    const nas_lowered_node_t *n = &e->graph->node[node];
    if (e->flow && n->scale_from >= 0)
        emit_copy(e, e->node[n->scale_from].exponent, e->node[node].exponent);
    for (int i = 0; i < n->n_inputs; i++) emit_forward(e, node, i);
}

void nas_emit_statistics(nas_emitter_t *e)
{
    for (int i = 0; i < e->graph->n_norms; i++) nas_emit_scalar(e, NAS_SCALAR_STATISTICS)->norm = i;
}

/* ------------------------------------------------------------------- adjoint, tangent,
 * curvature */

void nas_emit_node_backward(nas_emitter_t *e, int node)
{
    for (int i = 0; i < e->graph->node[node].n_inputs; i++) {
        const int norm = norm_behind(e, node, i);
        if (norm < 0) continue;
        nas_scalar_op_t *op = emit_norm(e, NAS_SCALAR_NORM_BACKWARD, norm, node);
        op->in = e->node[node].sum_d;
        op->from_exponent = source_exponent(e, norm);
    }
}

void nas_emit_node_tangent(nas_emitter_t *e, int node)
{
    for (int i = 0; i < e->graph->node[node].n_inputs; i++) {
        const int norm = norm_behind(e, node, i);
        if (norm >= 0)
            emit_norm(e, NAS_SCALAR_NORM_TANGENT, norm, node)->out = e->node[node].t_shift;
    }
}

void nas_emit_node_curvature(nas_emitter_t *e, int node)
{
    for (int i = 0; i < e->graph->node[node].n_inputs; i++) {
        const int norm = norm_behind(e, node, i);
        if (norm < 0) continue;
        nas_scalar_op_t *op = emit_norm(e, NAS_SCALAR_NORM_CURVATURE, norm, node);
        op->in = e->node[node].sum_d;
        op->more = e->node[node].sum_e;
    }
}

/* ---------------------------------------------------------------------------------------- flow */

void nas_emit_rescale(nas_emitter_t *e, int node, int tensor, nas_vector_t exponent)
{
    const nas_node_tensors_t *t = &e->node[node];
    nas_emit_node(e, NAS_OP_MAX_ABS, node, tensor)->out[0] = t->max_abs;
    nas_scalar_op_t *op = nas_emit_scalar(e, NAS_SCALAR_RESCALE);
    op->c = e->graph->node[node].c;
    op->in = t->max_abs;
    op->out = t->rescale;
    op->exponent = exponent;
}

/* All live readers of a node have one exponent: those of a cell that of the cell's output. */
void nas_emit_follow_adjoint(nas_emitter_t *e, int node)
{
    const nas_lowered_t *graph = e->graph;
    const nas_lowered_input_t *reader = graph->node[node].reader;
    while (reader && !graph->node[reader->node].live) reader = reader->next_reader;
    if (reader) emit_copy(e, e->node[reader->node].d_exponent, e->node[node].d_exponent);
}
