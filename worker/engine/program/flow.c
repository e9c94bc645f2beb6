/* Powers of two that keep synflow's network within float32.
 *
 * Without BN every cell multiplies its input by hundreds, up to 1e50 in all. A node is stored as
 * x times 2^-exponent, its adjoint as d times 2^-d_exponent; both are brought to about 1 at the
 * output of every cell and block, in exact steps. The two BNs of a reduction block do not commute
 * with a scaling for their eps, which is scaled too (norm.c).
 */
#include "worker/engine/program/program_internal.h"

#include <math.h>

void nas_flow_begin(nas_program_t *program, int unused)
{
    (void)unused;
    for (int i = 0; i < program->graph->n_nodes; i++) {
        program->node[i].exponent = 0;
        program->node[i].d_exponent = 0;
    }
}

/* The exponent of the largest value goes to *exponent, and its inverse into the coefficients. */
static void rescale(nas_program_t *program, int node, int *exponent)
{
    nas_node_tensors_t *t = &program->node[node];
    int shift = 0;
    if (t->max_abs > 0 && isfinite(t->max_abs)) (void)frexp(t->max_abs, &shift);
    *exponent += shift;
    for (int c = 0; c < program->graph->node[node].c; c++) t->rescale[c] = ldexp(1.0, -shift);
}

void nas_flow_rescale(nas_program_t *program, int node)
{
    rescale(program, node, &program->node[node].exponent);
}

void nas_flow_rescale_adjoint(nas_program_t *program, int node)
{
    rescale(program, node, &program->node[node].d_exponent);
}

/* All live readers of a node have one exponent: those of a cell that of the cell's output. */
void nas_flow_follow_adjoint(nas_program_t *program, int node)
{
    const nas_graph_t *graph = program->graph;
    for (int to = node + 1; to < graph->n_nodes; to++) {
        const nas_graph_node_t *n = &graph->node[to];
        for (int i = 0; n->live && i < n->n_inputs; i++) {
            if (nas_graph_source(graph, to, i) != node) continue;
            program->node[node].d_exponent = program->node[to].d_exponent;
            return;
        }
    }
}

/* One layer's sum of |w dR/dw|, as value times 2^exponent. */
typedef struct part {
    double value;
    int exponent;
} part_t;

static part_t add(part_t a, part_t b)
{
    if (b.value == 0) return a;
    if (a.value == 0) return b;
    if (a.exponent < b.exponent) return add(b, a);
    a.value += ldexp(b.value, b.exponent - a.exponent);
    return a;
}

static part_t group_part(const nas_program_t *program, int group)
{
    const nas_group_tensors_t *t = &program->group[group];
    const nas_graph_conv_t *conv = nas_group_conv(program, group);
    double sums[2] = {0};
    program->backend->weight_dots(t->packed, t->gradient, t->elements, sums);
    const int exponent = conv->source >= 0 ? program->node[conv->source].exponent : 0;
    return (part_t){sums[1], exponent + program->node[conv->target].d_exponent};
}

/* d R / d W[o, c] is the feature c, whatever o. */
static part_t linear_part(const nas_program_t *program)
{
    const nas_graph_t *graph = program->graph;
    const nas_parameter_t *weight = &graph->parameter[graph->linear_weight];
    const int n_features = weight->shape[1];
    double sum = 0;
    for (int64_t i = 0; i < weight->n; i++)
        sum += fabs(program->parameters[weight->offset + i] * program->features[i % n_features]);
    return (part_t){sum, program->node[graph->n_nodes - 1].exponent};
}

void nas_flow_sum(const nas_program_t *program, double *mantissa, int *exponent)
{
    part_t sum = linear_part(program);
    for (int g = 0; g < program->graph->n_groups; g++)
        if (program->graph->group[g].live) sum = add(sum, group_part(program, g));
    *mantissa = sum.value;
    *exponent = sum.exponent;
}
