/* The head, in float64: mean over the pixels, linear layer, cross-entropy, and their adjoints. */
#include "worker/engine/program/program_internal.h"

#include <math.h>
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

/* y [rows, columns] += a [rows, terms] x [terms, columns]. a_row, a_term: distances in a. */
typedef struct product {
    int rows, terms, columns;
    const double *a;
    int a_row, a_term;
    const double *x;
    double *y;
} product_t;

/* Every sum is in the order of its terms; four rows of x a time save loads and stores of y. */
static void add_product(const product_t *p)
{
    const int columns = p->columns;
    for (int row = 0; row < p->rows; row++) {
        const double *a = p->a + row * p->a_row;
        const double *restrict x = p->x;
        double *restrict y = p->y + row * columns;
        int k = 0;
        for (; k + 4 <= p->terms; k += 4, a += 4 * p->a_term, x += 4 * columns) {
            const double a0 = a[0], a1 = a[p->a_term], a2 = a[2 * p->a_term], a3 = a[3 * p->a_term];
            for (int i = 0; i < columns; i++)
                y[i] = y[i] + a0 * x[i] + a1 * x[columns + i] + a2 * x[2 * columns + i] +
                       a3 * x[3 * columns + i];
        }
        for (; k < p->terms; k++, a += p->a_term, x += columns)
            for (int i = 0; i < columns; i++) y[i] += a[0] * x[i];
    }
}

static void to_means(const head_t *head, double *sums)
{
    for (int i = 0; i < head->n * head->c; i++) sums[i] /= head->n_pixels;
}

/* out [N, C] = in [N, O] times the weights, a pixel's share of it. */
static void back_through_linear(const head_t *head, const double *in, double *out)
{
    const product_t product = {head->n, head->o, head->c, in, head->o, 1, head->weight, out};
    memset(out, 0, (size_t)head->n * (size_t)head->c * sizeof *out);
    add_product(&product);
    to_means(head, out);
}

/* ------------------------------------------------------------------------------------ forward */

static void transpose(const head_t *head, double *transposed)
{
    for (int c = 0; c < head->c; c++)
        for (int o = 0; o < head->o; o++)
            transposed[c * head->o + o] = head->weight[o * head->c + c];
}

/* logits [N, O] = weights (transposed: [C, O]) features + bias (NULL: none). */
static void linear(const head_t *head, const double *transposed, const double *features,
                   const double *bias, double *logits)
{
    const product_t product = {head->n, head->c, head->o, features, head->c, 1, transposed, logits};
    for (int i = 0; i < head->n * head->o; i++) logits[i] = bias ? bias[i % head->o] : 0;
    add_product(&product);
}

void nas_head_forward(nas_program_t *program, int unused)
{
    (void)unused;
    const head_t head = head_of(program);
    to_means(&head, program->features);
    if (program->flow) return;
    transpose(&head, program->transposed);
    linear(&head, program->transposed, program->features, head.bias, program->logits);
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

/* dw [O, C] of the linear layer. */
static void linear_gradient(const head_t *head, const double *d_logits, const double *features,
                            double *dw)
{
    const product_t product = {head->o, head->n, head->c, d_logits, 1, head->o, features, dw};
    memset(dw, 0, (size_t)head->o * (size_t)head->c * sizeof *dw);
    add_product(&product);
}

static void sum_linear_layer(nas_program_t *program, const head_t *head)
{
    nas_layer_values_t *layer = &program->layer[program->graph->linear_weight];
    for (int i = 0; i < head->o * head->c; i++) {
        const double g = program->d_linear[i], wg = g * head->weight[i];
        layer->gradient_squares += g * g;
        layer->dot += wg;
        layer->abs_dot += fabs(wg);
    }
}

static void add_linear_fisher(nas_program_t *program, const head_t *head)
{
    nas_layer_values_t *layer = &program->layer[program->graph->linear_weight];
    for (int i = 0; i < head->n * head->o; i++)
        layer->fisher += pow(program->logits[i] * program->d_logits[i], 2.0);
    layer->fisher *= 0.5 * head->c / head->n;
}

/* Cross-entropy of one image, whose label has 1 - smoothing of its weight while all classes share
 * the rest, and its derivative d by the logits. */
static double cross_entropy(const nas_program_t *program, const head_t *head, int n, double *d)
{
    const double *logits = program->logits + n * head->o;
    const double rest = program->smoothing / head->o, most = 1.0 - program->smoothing;
    const int label = program->labels[n];
    double sum = 0;
    for (int o = 0; o < head->o; o++) sum += logits[o];
    const double loss = softmax(logits, head->o, d) - most * logits[label] - rest * sum;
    for (int o = 0; o < head->o; o++) d[o] -= rest;
    d[label] -= most;
    return loss;
}

void nas_head_backward_loss(nas_program_t *program, int unused)
{
    (void)unused;
    const head_t head = head_of(program);
    double loss = 0;
    for (int n = 0; n < head.n; n++)
        loss += cross_entropy(program, &head, n, program->d_logits + n * head.o);
    for (int i = 0; i < head.n * head.o; i++) program->d_logits[i] /= head.n;
    program->loss = loss / head.n;
    linear_gradient(&head, program->d_logits, program->features, program->d_linear);
    if (nas_program_sums(program)) sum_linear_layer(program, &head);
    if (program->needs & NAS_NEED_FISHER) add_linear_fisher(program, &head);
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
    linear(head, program->transposed, program->t_features, NULL, program->t_logits);
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
    linear_gradient(&head, program->e_logits, program->features, program->e_linear);
    linear_gradient(&head, program->d_logits, program->t_features, program->t_linear);
    layer->curvature = 0;
    for (int i = 0; i < head.o * head.c; i++)
        layer->curvature += program->d_linear[i] * (program->e_linear[i] + program->t_linear[i]);
    double *both =
        program->t_logits; /* spent; now the adjoint's tangent, plus the adjoint (w again) */
    for (int i = 0; i < head.n * head.o; i++) both[i] = program->e_logits[i] + program->d_logits[i];
    back_through_linear(&head, both, program->e_features);
}

/* ----------------------------------------------------------------------------------- gradients */

void nas_head_gradient(const nas_program_t *program, double *weight, double *bias)
{
    const head_t head = head_of(program);
    memcpy(weight, program->d_linear, (size_t)head.o * (size_t)head.c * sizeof *weight);
    for (int o = 0; o < head.o; o++) {
        bias[o] = 0;
        for (int n = 0; n < head.n; n++) bias[o] += program->d_logits[n * head.o + o];
    }
}
