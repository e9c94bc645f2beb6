/* Batch normalisation as coefficients a channel, in float64.
 *
 * Mean and variance are the batch's, or in inference given as statistics of many batches; all that
 * follows about adjoints and tangents is about the former.
 *
 * Forward, over N images of H W pixels (the mean of a channel below is over all of them):
 *     z = inv (x - mean), inv = 1 / sqrt(variance + eps), y = gamma z + beta
 * Adjoint d of y to that of x:
 *     gamma inv (d - mean(d) - z mean(z d))
 * Tangent t of x, by which inv changes at the rate -inv^2 mean(z t):
 *     z' = inv (t - mean(t) - z mean(z t)),  y' = gamma z'
 * The tangents here run along the weights w themselves. A convolution without bias is linear in
 * them, so its output's tangent is that through its input, t, plus the output x itself; through the
 * BN the latter leaves almost nothing, for a BN undoes any scaling but for eps:
 *     inv (x - mean) - z mean(z x) inv = z eps inv^2
 * That is why it is never formed as a difference. The same holds for the adjoint: with
 *     s = eps inv^2 - inv mean(z t)
 * the tangent of x's adjoint d_x, plus d_x itself (which is what the weights' tangent w adds on the
 * way through the convolution), is
 *     u = s d_x + gamma inv (e - mean(e) - z' mean(z d) - z (mean(z' d) + mean(z e)))
 * for the tangent e of d. Both pairs, forward and adjoint, are affine in tensors that exist.
 */
#include "worker/engine/program/program_internal.h"

#include <math.h>

static const double epsilon = 1e-5;

static nas_norm_vectors_t *vectors(nas_program_t *program, int norm)
{
    return &program->norm[norm];
}

void nas_norm_allocate(nas_program_t *program, int norm)
{
    nas_norm_vectors_t *v = vectors(program, norm);
    double **const all[] = {&v->mean,   &v->variance, &v->inv,     &v->scale,  &v->sum_dz,
                            &v->d_coef, &v->x_coef,   &v->rest,    &v->sum_t,  &v->sum_tz,
                            &v->sum_td, &v->t_coef,   &v->tx_coef, &v->sum_ez, &v->u_d,
                            &v->u_e,    &v->u_x,      &v->u_t,     &v->u_rest};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        *all[i] = nas_emit_vector(program, (size_t)program->graph->norm[norm].c);
}

bool nas_norm_active(const nas_program_t *program, int norm)
{
    return norm >= 0 && (!program->flow || program->graph->norm[norm].in_reduction);
}

bool nas_norm_has_moments(const nas_program_t *program, int norm)
{
    return nas_norm_active(program, norm) && !(program->needs & NAS_NEED_INFERENCE);
}

int nas_norm_target(const nas_graph_t *graph, int norm)
{
    const int conv = graph->norm[norm].conv;
    return conv >= 0 ? graph->conv[conv].target : graph->n_nodes - 1;
}

/* An entry of gamma or beta; flow takes absolute values of all parameters. */
static double affine(const nas_program_t *program, int parameter, int channel, double otherwise)
{
    if (parameter < 0) return otherwise;
    const double value = program->parameters[program->graph->parameter[parameter].offset + channel];
    return program->flow ? fabs(value) : value;
}

/* The norm behind an input of a node, or -1. */
static int norm_of(const nas_program_t *program, int node, int input)
{
    const nas_graph_node_t *n = &program->graph->node[node];
    int norm = -1;
    if (n->input[input].kind == NAS_INPUT_CONV)
        norm = program->graph->conv[n->input[input].index].norm;
    else if (n->input[input].kind == NAS_INPUT_NORM)
        norm = n->input[input].index;
    return nas_norm_active(program, norm) ? norm : -1;
}

/* Number of values that a channel's means are over. */
static double count(const nas_program_t *program, int node)
{
    const nas_shape_t shape = nas_node_shape(program, node);
    return (double)shape.n * shape.h * shape.w;
}

/* ------------------------------------------------------------------------------------ forward */

/* Flow stores x times 2^-source_exponent and wants y times 2^-node_exponent; both 0 otherwise. */
static void norm_forward(nas_program_t *program, int norm, int node)
{
    const nas_graph_norm_t *g = &program->graph->norm[norm];
    const int conv_source = g->conv >= 0 ? program->graph->conv[g->conv].source : -1;
    const int source_exponent = conv_source >= 0 ? program->node[conv_source].exponent : 0;
    const double unit = ldexp(1.0, -program->node[node].exponent);
    nas_norm_vectors_t *v = vectors(program, norm);
    double *shift = program->node[node].shift;
    for (int c = 0; c < g->c; c++) {
        v->inv[c] = 1.0 / sqrt(v->variance[c] + ldexp(epsilon, -2 * source_exponent));
        v->scale[c] = affine(program, g->gamma, c, 1.0) * v->inv[c] * unit;
        shift[c] += affine(program, g->beta, c, 0.0) * unit - v->scale[c] * v->mean[c];
    }
}

/* Without its BN (flow), a convolution's bias counts. */
static void add_bias(nas_program_t *program, int conv, int node)
{
    const nas_graph_conv_t *g = &program->graph->conv[conv];
    if (g->bias < 0) return;
    const double unit = ldexp(1.0, -program->node[node].exponent);
    for (int c = 0; c < g->c_out; c++)
        program->node[node].shift[c] += affine(program, g->bias, c, 0.0) * unit;
}

void nas_node_forward(nas_program_t *program, int node)
{
    const nas_graph_node_t *n = &program->graph->node[node];
    nas_node_tensors_t *t = &program->node[node];
    t->exponent = program->flow && n->scale_from >= 0 ? program->node[n->scale_from].exponent : 0;
    for (int c = 0; c < n->c; c++) t->shift[c] = 0;
    for (int i = 0; i < n->n_inputs; i++) {
        const int norm = norm_of(program, node, i);
        if (norm >= 0)
            norm_forward(program, norm, node);
        else if (n->input[i].kind == NAS_INPUT_CONV)
            add_bias(program, n->input[i].index, node);
    }
}

/* --------------------------------------------------------------------------------- statistics */

/* Bias of the convolution before a norm, which the norm's mean is without: batch statistics would
 * take it out again, so it is never added. NULL: none. */
static const double *bias_of(const nas_program_t *program, int norm)
{
    const nas_graph_t *graph = program->graph;
    const int conv = graph->norm[norm].conv;
    if (conv < 0 || graph->conv[conv].bias < 0) return NULL;
    return program->parameters + graph->parameter[graph->conv[conv].bias].offset;
}

void nas_norm_take_statistics(nas_program_t *program, const double *statistics)
{
    for (int i = 0; i < program->graph->n_norms; i++) {
        const nas_graph_norm_t *g = &program->graph->norm[i];
        const double *mean = statistics + g->statistics, *variance = mean + g->c;
        const double *bias = bias_of(program, i);
        for (int c = 0; c < g->c; c++) {
            program->norm[i].mean[c] = mean[c] - (bias ? bias[c] : 0);
            program->norm[i].variance[c] = variance[c];
        }
    }
}

void nas_program_moments(const nas_program_t *program, double *moments)
{
    for (int i = 0; i < program->graph->n_norms; i++) {
        const nas_graph_norm_t *g = &program->graph->norm[i];
        double *mean = moments + g->statistics, *variance = mean + g->c;
        const double *bias = bias_of(program, i);
        NAS_ASSERT(nas_norm_has_moments(program, i));
        if (!program->graph->node[nas_norm_target(program->graph, i)].live) continue;
        for (int c = 0; c < g->c; c++) {
            mean[c] = program->norm[i].mean[c] + (bias ? bias[c] : 0);
            variance[c] = program->norm[i].variance[c];
        }
    }
}

/* ----------------------------------------------------------------------------------- backward */

void nas_node_backward(nas_program_t *program, int node)
{
    const nas_graph_node_t *n = &program->graph->node[node];
    const double m = count(program, node);
    for (int i = 0; i < n->n_inputs; i++) {
        const int norm = norm_of(program, node, i);
        if (norm < 0) continue;
        const nas_graph_norm_t *g = &program->graph->norm[norm];
        const int conv_source = g->conv >= 0 ? program->graph->conv[g->conv].source : -1;
        const double unit = program->flow && conv_source >= 0
                                ? ldexp(1.0, -program->node[conv_source].exponent)
                                : 1.0;
        nas_norm_vectors_t *v = vectors(program, norm);
        for (int c = 0; c < g->c; c++) {
            const double mean_d = program->node[node].sum_d[c] / m;
            const double mean_zd = v->inv[c] * v->sum_dz[c] / m;
            v->d_coef[c] = affine(program, g->gamma, c, 1.0) * v->inv[c] * unit;
            v->x_coef[c] = -v->d_coef[c] * v->inv[c] * mean_zd;
            v->rest[c] = -v->d_coef[c] * mean_d - v->x_coef[c] * v->mean[c];
        }
    }
}

/* ------------------------------------------------------------------------------------ tangent */

/* z' = p t + q (x - mean) + r. Along the weights only where the norm is behind a convolution. */
static void tangent_of_z(const nas_program_t *program, int norm, int c, double m, double zt[3])
{
    const nas_norm_vectors_t *v = &program->norm[norm];
    const double inv = v->inv[c];
    const double mean_zt = inv * v->sum_tz[c] / m;
    const double along = program->graph->norm[norm].conv >= 0 ? epsilon * inv * inv : 0.0;
    zt[0] = inv;
    zt[1] = inv * (along - inv * mean_zt);
    zt[2] = -inv * v->sum_t[c] / m;
}

void nas_node_tangent(nas_program_t *program, int node)
{
    const nas_graph_node_t *n = &program->graph->node[node];
    const double m = count(program, node);
    double *shift = program->node[node].t_shift;
    for (int c = 0; c < n->c; c++) shift[c] = 0;
    for (int i = 0; i < n->n_inputs; i++) {
        const int norm = norm_of(program, node, i);
        if (norm < 0) continue;
        const nas_graph_norm_t *g = &program->graph->norm[norm];
        nas_norm_vectors_t *v = vectors(program, norm);
        for (int c = 0; c < g->c; c++) {
            double zt[3];
            const double gamma = affine(program, g->gamma, c, 1.0);
            tangent_of_z(program, norm, c, m, zt);
            v->t_coef[c] = gamma * zt[0];
            v->tx_coef[c] = gamma * zt[1];
            shift[c] += gamma * (zt[2] - zt[1] * v->mean[c]);
        }
    }
}

/* ---------------------------------------------------------------------- tangent of the adjoint */

static void norm_curvature(nas_program_t *program, int norm, int node)
{
    const nas_graph_norm_t *g = &program->graph->norm[norm];
    const double m = count(program, node);
    nas_norm_vectors_t *v = vectors(program, norm);
    for (int c = 0; c < g->c; c++) {
        double zt[3];
        tangent_of_z(program, norm, c, m, zt);
        const double inv = v->inv[c], mean = v->mean[c];
        const double gain = affine(program, g->gamma, c, 1.0) * inv;
        const double mean_d = program->node[node].sum_d[c] / m;
        const double mean_xd = v->sum_dz[c] / m; /* of (x - mean) d */
        const double mean_zd = inv * mean_xd;
        const double mean_ztd = zt[0] * v->sum_td[c] / m + zt[1] * mean_xd + zt[2] * mean_d;
        const double mean_ze = inv * v->sum_ez[c] / m;
        const double s = zt[1] / inv;
        v->u_d[c] = s * v->d_coef[c];
        v->u_e[c] = gain;
        v->u_t[c] = -gain * mean_zd * zt[0];
        v->u_x[c] = s * v->x_coef[c] - gain * (mean_zd * zt[1] + inv * (mean_ztd + mean_ze));
        v->u_rest[c] = s * (v->rest[c] + v->x_coef[c] * mean) - v->u_x[c] * mean -
                       gain * (program->node[node].sum_e[c] / m + mean_zd * zt[2]);
    }
}

void nas_node_curvature(nas_program_t *program, int node)
{
    const nas_graph_node_t *n = &program->graph->node[node];
    for (int i = 0; i < n->n_inputs; i++) {
        const int norm = norm_of(program, node, i);
        if (norm >= 0) norm_curvature(program, norm, node);
    }
}
