/* Gradients of a run, out of the program's layouts into the parameters' own. */
#include "worker/engine/program/program_internal.h"

#include <string.h>

static double *gradient_of(const nas_program_t *program, int parameter, double *gradient)
{
    return gradient + program->graph->parameter[parameter].offset;
}

static void clear(const nas_program_t *program, int parameter, double *gradient)
{
    if (parameter >= 0)
        memset(gradient_of(program, parameter, gradient), 0,
               (size_t)program->graph->parameter[parameter].n * sizeof *gradient);
}

/* A convolution's bias is left at 0: the BN takes it out again. */
static void take_group(const nas_program_t *program, int group, double *gradient)
{
    const nas_graph_t *graph = program->graph;
    const nas_graph_group_t *g = &graph->group[group];
    const double *from = program->joined;
    if (g->live)
        program->backend->conv_unpack(program->group[group].conv, program->group[group].gradient,
                                      program->joined);
    for (int i = 0; i < g->n_convs; i++) {
        const nas_graph_conv_t *conv = &graph->conv[g->conv[i]];
        const size_t n = (size_t)graph->parameter[conv->weight].n;
        clear(program, conv->bias, gradient);
        if (g->live)
            memcpy(gradient_of(program, conv->weight, gradient), from, n * sizeof *from);
        else
            clear(program, conv->weight, gradient);
        from += n;
    }
}

/* gamma: sum of d z; beta: sum of d. */
static void take_norm(const nas_program_t *program, int norm, double *gradient)
{
    const nas_graph_norm_t *g = &program->graph->norm[norm];
    const nas_norm_vectors_t *v = &program->norm[norm];
    const int node = nas_norm_target(program->graph, norm);
    if (g->gamma < 0) return;
    if (!program->graph->node[node].live) {
        clear(program, g->gamma, gradient);
        clear(program, g->beta, gradient);
        return;
    }
    double *gamma = gradient_of(program, g->gamma, gradient);
    for (int c = 0; c < g->c; c++) gamma[c] = v->inv[c] * v->sum_dz[c];
    memcpy(gradient_of(program, g->beta, gradient), program->node[node].sum_d,
           (size_t)g->c * sizeof *gradient);
}

void nas_program_gradients(const nas_program_t *program, double *gradient)
{
    const nas_graph_t *graph = program->graph;
    NAS_ASSERT(program->needs & NAS_NEED_GRADIENT);
    for (int g = 0; g < graph->n_groups; g++) take_group(program, g, gradient);
    for (int i = 0; i < graph->n_norms; i++) take_norm(program, i, gradient);
    nas_head_gradient(program, gradient_of(program, graph->linear_weight, gradient),
                      gradient_of(program, graph->linear_bias, gradient));
}
