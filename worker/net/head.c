/* The head, in float64: mean over the pixels, linear layer, cross-entropy, and their adjoints. */
#include "worker/net/program_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The sizes at hand everywhere here. */
typedef struct head {
    int n, c, o;
    double n_pixels;
    const double *weight; /* [O, C] */
    const double *bias;   /* [O] */
} head_t;

static head_t head_of(const nas_program_t *program)
{
    const nas_graph_t *graph = program->graph;
    const nas_graph_node_t *node = &graph->node[graph->n_nodes - 1];
    return (head_t){.n = program->n,
                    .c = node->c,
                    .o = graph->network.classes,
                    .n_pixels = (double)node->h * node->w,
                    .weight = program->parameters + graph->parameter[graph->linear_weight].offset,
                    .bias = program->parameters + graph->parameter[graph->linear_bias].offset};
}

/* out [N, C] = in [N, O] times the weights, a pixel's share of it. */
static void back_through_linear(const head_t *head, const double *in, double *out)
{
    for (int n = 0; n < head->n; n++)
        for (int c = 0; c < head->c; c++) {
            double sum = 0;
            for (int o = 0; o < head->o; o++)
                sum += in[n * head->o + o] * head->weight[o * head->c + c];
            out[n * head->c + c] = sum / head->n_pixels;
        }
}

static void to_means(const head_t *head, double *sums)
{
    for (int i = 0; i < head->n * head->c; i++) sums[i] /= head->n_pixels;
}

/* ------------------------------------------------------------------------------------ forward */

/* logits [N, O] = weights features + bias (NULL: none). */
static void linear(const head_t *head, const double *features, const double *bias, double *logits)
{
    for (int n = 0; n < head->n; n++)
        for (int o = 0; o < head->o; o++) {
            double sum = bias ? bias[o] : 0;
            for (int c = 0; c < head->c; c++)
                sum += head->weight[o * head->c + c] * features[n * head->c + c];
            logits[n * head->o + o] = sum;
        }
}

void nas_head_forward(nas_program_t *program, int unused)
{
    (void)unused;
    const head_t head = head_of(program);
    to_means(&head, program->features);
    if (!program->flow) linear(&head, program->features, head.bias, program->logits);
}

/* Softmax of one image's logits into p; returns the logarithm of its normaliser. */
static double softmax(const double *logits, int n, double *p)
{
    double top = logits[0], sum = 0;
    for (int o = 1; o < n; o++) top = fmax(top, logits[o]);
    for (int o = 0; o < n; o++) sum += p[o] = exp(logits[o] - top);
    for (int o = 0; o < n; o++) p[o] /= sum;
    return top + log(sum);
}

/* ----------------------------------------------------------------------------------- backward */

/* dW of the linear layer at one entry. */
static double gradient_at(const head_t *head, const double *d_logits, const double *features, int o,
                          int c)
{
    double sum = 0;
    for (int n = 0; n < head->n; n++) sum += d_logits[n * head->o + o] * features[n * head->c + c];
    return sum;
}

static void sum_linear_layer(nas_program_t *program, const head_t *head)
{
    nas_layer_values_t *layer = &program->layer[program->graph->linear_weight];
    *layer = (nas_layer_values_t){0};
    for (int o = 0; o < head->o; o++)
        for (int c = 0; c < head->c; c++) {
            const double g = gradient_at(head, program->d_logits, program->features, o, c);
            const double wg = g * head->weight[o * head->c + c];
            layer->gradient_squares += g * g;
            layer->dot += wg;
            layer->abs_dot += fabs(wg);
        }
    for (int i = 0; i < head->n * head->o; i++)
        layer->fisher += pow(program->logits[i] * program->d_logits[i], 2.0);
    layer->fisher *= 0.5 * head->c / head->n;
}

void nas_head_backward_loss(nas_program_t *program, int unused)
{
    (void)unused;
    const head_t head = head_of(program);
    double loss = 0;
    for (int n = 0; n < head.n; n++) {
        double *d = program->d_logits + n * head.o;
        const double *logits = program->logits + n * head.o;
        loss += softmax(logits, head.o, d) - logits[program->labels[n]];
        d[program->labels[n]] -= 1.0;
        for (int o = 0; o < head.o; o++) d[o] /= head.n;
    }
    program->loss = loss / head.n;
    sum_linear_layer(program, &head);
    back_through_linear(&head, program->d_logits, program->d_features);
}

void nas_head_backward_logits(nas_program_t *program, int unused)
{
    (void)unused;
    const head_t head = head_of(program);
    for (int c = 0; c < head.c; c++) {
        double sum = 0;
        for (int o = 0; o < head.o; o++) {
            const double weight = head.weight[o * head.c + c];
            sum += program->flow ? fabs(weight) : weight;
        }
        for (int n = 0; n < head.n; n++) program->d_features[n * head.c + c] = sum / head.n_pixels;
    }
}

void nas_fisher_add(nas_program_t *program, int conv)
{
    const nas_graph_conv_t *g = &program->graph->conv[conv];
    const nas_parameter_t *weight = &program->graph->parameter[g->weight];
    const double *bias =
        g->bias >= 0 ? program->parameters + program->graph->parameter[g->bias].offset : NULL;
    double sum = 0;
    for (int n = 0; n < program->n; n++)
        for (int c = 0; c < g->c_out; c++) {
            const int i = n * g->c_out + c;
            const double s =
                program->image_sum[0][i] + (bias ? bias[c] * program->image_sum[1][i] : 0);
            sum += s * s;
        }
    program->layer[g->weight].fisher = 0.5 * sum / program->n * weight->fan_in;
}

/* ------------------------------------------------------------------------------------ tangent */

/* Tangents along the weights, the linear layer's among them: W features = logits - bias. */
static void linear_tangent(nas_program_t *program, const head_t *head)
{
    linear(head, program->t_features, NULL, program->t_logits);
    for (int n = 0; n < head->n; n++)
        for (int o = 0; o < head->o; o++) {
            const int i = n * head->o + o;
            program->t_logits[i] += program->logits[i] - head->bias[o];
        }
}

/* Tangent of (softmax - one-hot) / N. */
static void loss_tangent(nas_program_t *program, const head_t *head)
{
    for (int n = 0; n < head->n; n++) {
        double *e = program->e_logits + n * head->o;
        const double *t = program->t_logits + n * head->o;
        double mean = 0;
        (void)softmax(program->logits + n * head->o, head->o, e);
        for (int o = 0; o < head->o; o++) mean += e[o] * t[o];
        for (int o = 0; o < head->o; o++) e[o] *= (t[o] - mean) / head->n;
    }
}

void nas_head_tangent(nas_program_t *program, int unused)
{
    (void)unused;
    const head_t head = head_of(program);
    nas_layer_values_t *layer = &program->layer[program->graph->linear_weight];
    to_means(&head, program->t_features);
    linear_tangent(program, &head);
    loss_tangent(program, &head);
    layer->curvature = 0;
    for (int o = 0; o < head.o; o++)
        for (int c = 0; c < head.c; c++)
            layer->curvature += gradient_at(&head, program->d_logits, program->features, o, c) *
                                (gradient_at(&head, program->e_logits, program->features, o, c) +
                                 gradient_at(&head, program->d_logits, program->t_features, o, c));
    double *both =
        program->t_logits; /* spent; now the adjoint's tangent, plus the adjoint (w again) */
    for (int i = 0; i < head.n * head.o; i++) both[i] = program->e_logits[i] + program->d_logits[i];
    back_through_linear(&head, both, program->e_features);
}

/* ----------------------------------------------------------------------------------- gradients */

static void linear_gradient(const nas_program_t *program, bool bias, double *gradient)
{
    const head_t head = head_of(program);
    for (int o = 0; o < head.o; o++) {
        if (bias) {
            gradient[o] = 0;
            for (int n = 0; n < head.n; n++) gradient[o] += program->d_logits[n * head.o + o];
            continue;
        }
        for (int c = 0; c < head.c; c++)
            gradient[o * head.c + c] =
                gradient_at(&head, program->d_logits, program->features, o, c);
    }
}

/* gamma: sum of d z; beta: sum of d. A convolution's bias is left at 0: the BN takes it out again. */
static void norm_gradient(const nas_program_t *program, int parameter, double *gradient)
{
    const nas_graph_t *graph = program->graph;
    for (int i = 0; i < graph->n_norms; i++) {
        const nas_graph_norm_t *norm = &graph->norm[i];
        if (norm->gamma != parameter && norm->beta != parameter) continue;
        const int node = norm->conv >= 0 ? graph->conv[norm->conv].target : graph->n_nodes - 1;
        if (!graph->node[node].live) return;
        const nas_norm_vectors_t *v = &program->norm[i];
        for (int c = 0; c < norm->c; c++)
            gradient[c] =
                norm->gamma == parameter ? v->inv[c] * v->sum_dz[c] : program->node[node].sum_d[c];
        return;
    }
}

/* The convolution that has this weight, or NULL where it does not reach the logits. */
static const nas_graph_conv_t *conv_of(const nas_graph_t *graph, int weight)
{
    for (int i = 0; i < graph->n_convs; i++)
        if (graph->conv[i].weight == weight) return graph->conv[i].live ? &graph->conv[i] : NULL;
    return NULL;
}

static nas_status_t conv_gradient(const nas_program_t *program, const nas_graph_conv_t *conv,
                                  double *gradient, nas_error_t *err)
{
    const nas_graph_t *graph = program->graph;
    const nas_group_tensors_t *t = &program->group[conv->group];
    const size_t n = (size_t)graph->parameter[conv->weight].n;
    double *all = malloc(n * (size_t)graph->group[conv->group].n_convs * sizeof *all);
    if (!all) return nas_error_nomem(err, "a gradient");
    program->backend->conv_unpack(t->conv, t->gradient, all);
    memcpy(gradient, all + n * (size_t)(conv->c_first / conv->c_out), n * sizeof *gradient);
    free(all);
    return NAS_OK;
}

nas_status_t nas_program_gradient(const nas_program_t *program, int parameter, double *gradient,
                                  nas_error_t *err)
{
    const nas_graph_t *graph = program->graph;
    const nas_graph_conv_t *conv = conv_of(graph, parameter);
    if (conv) return conv_gradient(program, conv, gradient, err);
    memset(gradient, 0, (size_t)graph->parameter[parameter].n * sizeof *gradient);
    if (parameter == graph->linear_weight || parameter == graph->linear_bias)
        linear_gradient(program, parameter == graph->linear_bias, gradient);
    else
        norm_gradient(program, parameter, gradient);
    return NAS_OK;
}
