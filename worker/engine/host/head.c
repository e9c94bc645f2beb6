/* The head, in float64: mean over the pixels, linear layer, cross-entropy, and their adjoints. */
#include "worker/engine/host/run.h"

#include <math.h>
#include <string.h>

/* The sizes and arrays at hand everywhere here; op.h says what they are. */
typedef struct head {
    int64_t n, c, o; /* their products leave int */
    double n_pixels;
    const double *weight, *bias;
    double *features, *d_features, *t_features, *e_features;
    double *logits, *d_logits, *t_logits, *e_logits;
    double *transposed, *d_linear, *t_linear, *e_linear;
} head_t;

static head_t head_of(const nas_run_t *run)
{
    const nas_head_vectors_t *v = &run->program->head;
    return (head_t){.n = run->program->n,
                    .c = v->c,
                    .o = v->o,
                    .n_pixels = v->n_pixels,
                    .weight = nas_run_parameter(run, v->weight),
                    .bias = nas_run_parameter(run, v->bias),
                    .features = nas_run_vector(run, v->features),
                    .d_features = nas_run_vector(run, v->d_features),
                    .t_features = nas_run_vector(run, v->t_features),
                    .e_features = nas_run_vector(run, v->e_features),
                    .logits = nas_run_vector(run, v->logits),
                    .d_logits = nas_run_vector(run, v->d_logits),
                    .t_logits = nas_run_vector(run, v->t_logits),
                    .e_logits = nas_run_vector(run, v->e_logits),
                    .transposed = nas_run_vector(run, v->transposed),
                    .d_linear = nas_run_vector(run, v->d_linear),
                    .t_linear = nas_run_vector(run, v->t_linear),
                    .e_linear = nas_run_vector(run, v->e_linear)};
}

static nas_layer_values_t *layer_at(const nas_run_t *run, nas_vector_t vector)
{
    return (nas_layer_values_t *)(void *)nas_run_vector(run, vector);
}

/* y [rows, columns] += a [rows, terms] x [terms, columns]. a_row, a_term: distances in a. */
typedef struct product {
    int64_t rows, terms, columns;
    const double *a;
    int64_t a_row, a_term;
    const double *x;
    double *y;
} product_t;

/* Every sum is in the order of its terms; four rows of x a time save loads and stores of y. */
static void add_product(const product_t *p)
{
    const int64_t columns = p->columns;
    for (int64_t row = 0; row < p->rows; row++) {
        const double *a = p->a + row * p->a_row;
        const double *restrict x = p->x;
        double *restrict y = p->y + row * columns;
        int64_t k = 0;
        for (; k + 4 <= p->terms; k += 4, a += 4 * p->a_term, x += 4 * columns) {
            const double a0 = a[0], a1 = a[p->a_term], a2 = a[2 * p->a_term], a3 = a[3 * p->a_term];
            for (int64_t i = 0; i < columns; i++)
                y[i] = y[i] + a0 * x[i] + a1 * x[columns + i] + a2 * x[2 * columns + i] +
                       a3 * x[3 * columns + i];
        }
        for (; k < p->terms; k++, a += p->a_term, x += columns)
            for (int64_t i = 0; i < columns; i++) y[i] += a[0] * x[i];
    }
}

static void to_means(const head_t *head, double *sums)
{
    for (int64_t i = 0; i < head->n * head->c; i++) sums[i] /= head->n_pixels;
}

/* out [N, C] = in [N, O] times the weights, a pixel's share of it. */
static void back_through_linear(const head_t *head, const double *in, double *out)
{
    const product_t product = {head->n, head->o, head->c, in, head->o, 1, head->weight, out};
    memset(out, 0, (size_t)head->n * (size_t)head->c * sizeof *out);
    if (head->weight)
        add_product(&product);
    else
        memcpy(out, in, (size_t)head->n * (size_t)head->c * sizeof *out);
    to_means(head, out);
}

/* ------------------------------------------------------------------------------------ forward */

static void transpose(const head_t *head)
{
    for (int64_t c = 0; head->weight && c < head->c; c++)
        for (int64_t o = 0; o < head->o; o++)
            head->transposed[c * head->o + o] = head->weight[o * head->c + c];
}

/* logits [N, O] = weights (transposed: [C, O]) features + bias (NULL: none). */
static void linear(const head_t *head, const double *features, const double *bias, double *logits)
{
    const product_t product = {head->n, head->c, head->o,          features,
                               head->c, 1,       head->transposed, logits};
    if (!head->weight) {
        memcpy(logits, features, (size_t)head->n * (size_t)head->o * sizeof *logits);
        return;
    }
    for (int64_t i = 0; i < head->n * head->o; i++) logits[i] = bias ? bias[i % head->o] : 0;
    add_product(&product);
}

static void forward(const nas_run_t *run)
{
    const head_t head = head_of(run);
    to_means(&head, head.features);
    if (run->program->flow) return;
    transpose(&head);
    linear(&head, head.features, head.bias, head.logits);
}

/* Softmax of one image's logits into p; returns the logarithm of its normaliser. */
static double softmax(const double *logits, int64_t n, double *p)
{
    double top = logits[0], sum = 0;
    for (int64_t o = 1; o < n; o++) top = fmax(top, logits[o]);
    for (int64_t o = 0; o < n; o++) sum += p[o] = exp(logits[o] - top);
    for (int64_t o = 0; o < n; o++) p[o] /= sum;
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

static void sum_linear_layer(const nas_run_t *run, const head_t *head)
{
    nas_layer_values_t *layer = layer_at(run, run->program->head.layer);
    for (int64_t i = 0; i < head->o * head->c; i++) {
        const double g = head->d_linear[i], wg = g * head->weight[i];
        layer->gradient_squares += g * g;
        layer->dot += wg;
        layer->abs_dot += fabs(wg);
    }
}

static void add_linear_fisher(const nas_run_t *run, const head_t *head)
{
    nas_layer_values_t *layer = layer_at(run, run->program->head.layer);
    for (int64_t i = 0; i < head->n * head->o; i++)
        layer->fisher += pow(head->logits[i] * head->d_logits[i], 2.0);
    layer->fisher *= 0.5 * (double)head->c / (double)head->n;
}

/* Cross-entropy of one image, whose label has 1 - smoothing of its weight while all classes share
 * the rest, and its derivative d_logits. */
static double cross_entropy(const nas_run_t *run, const head_t *head, int64_t n)
{
    const double *logits = head->logits + n * head->o, smoothing = run->program->head.smoothing;
    const double rest = smoothing / (double)head->o, most = 1.0 - smoothing;
    const int label = run->task->labels[n];
    double *d = head->d_logits + n * head->o, sum = 0;
    for (int64_t o = 0; o < head->o; o++) sum += logits[o];
    const double loss = softmax(logits, head->o, d) - most * logits[label] - rest * sum;
    for (int64_t o = 0; o < head->o; o++) d[o] -= rest;
    d[label] -= most;
    return loss;
}

static void backward_loss(const nas_run_t *run)
{
    const nas_head_vectors_t *v = &run->program->head;
    const head_t head = head_of(run);
    double loss = 0;
    for (int64_t n = 0; n < head.n; n++) loss += cross_entropy(run, &head, n);
    for (int64_t i = 0; i < head.n * head.o; i++) head.d_logits[i] /= (double)head.n;
    *nas_run_vector(run, v->loss) = loss / (double)head.n;
    if (head.weight) linear_gradient(&head, head.d_logits, head.features, head.d_linear);
    if (v->sums) sum_linear_layer(run, &head);
    if (v->fisher) add_linear_fisher(run, &head);
    back_through_linear(&head, head.d_logits, head.d_features);
}

static void backward_sum(const nas_run_t *run)
{
    const head_t head = head_of(run);
    for (int64_t c = 0; c < head.c; c++) {
        double sum = head.weight ? 0 : 1;
        for (int64_t o = 0; head.weight && o < head.o; o++) {
            const double weight = head.weight[o * head.c + c];
            sum += run->program->flow ? fabs(weight) : weight;
        }
        for (int64_t n = 0; n < head.n; n++) head.d_features[n * head.c + c] = sum / head.n_pixels;
    }
}

static void backward_image(const nas_run_t *run, int image)
{
    const head_t head = head_of(run);
    backward_sum(run);
    for (int64_t i = 0; i < head.n * head.c; i++)
        if (i / head.c != image) head.d_features[i] = 0;
}

/* The gradient of an image's logits by the linear weights is its features for each class. */
static void add_kernel(const nas_run_t *run, double *kernel)
{
    const head_t head = head_of(run);
    for (int64_t i = 0; head.weight && i < head.n; i++)
        for (int64_t j = 0; j <= i; j++) {
            const double *a = head.features + i * head.c, *b = head.features + j * head.c;
            double sum = 0;
            for (int64_t c = 0; c < head.c; c++) sum += a[c] * b[c];
            kernel[2 * (i * head.n + j)] += (double)head.o * sum;
        }
}

/* Fisher's sum of one convolution, from sums an image. */
static void add_fisher(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const double *of_y = nas_run_vector(run, op->in), *of_bias = nas_run_vector(run, op->more);
    const double *bias = nas_run_parameter(run, op->entry);
    const int n_images = run->program->n;
    double sum = 0;
    for (int n = 0; n < n_images; n++)
        for (int64_t c = 0; c < op->c; c++) {
            const int64_t i = n * op->c + c;
            const double s = of_y[i] + (bias ? bias[c] * of_bias[i] : 0);
            sum += s * s;
        }
    layer_at(run, op->out)->fisher = 0.5 * sum / n_images * op->count;
}

/* The weights' sums are there; the gradient's, and its products with adjoints, are in op->in, every
 * other number. */
static void take_layer(const nas_run_t *run, const nas_scalar_op_t *op)
{
    nas_layer_values_t *layer = layer_at(run, op->out);
    const double *sums = nas_run_vector(run, op->in);
    layer->gradient_squares = sums[0];
    layer->curvature = -sums[0]; /* program/emit_curvature.c: "- g" */
    for (int i = 1; i <= (int)op->count; i++) layer->curvature += sums[2 * i];
}

/* ------------------------------------------------------------------------------------ tangent */

/* Tangents along the weights, the linear layer's among them: W features = logits - bias. */
static void linear_tangent(const head_t *head)
{
    linear(head, head->t_features, NULL, head->t_logits);
    if (!head->weight) return;
    for (int64_t n = 0; n < head->n; n++)
        for (int64_t o = 0; o < head->o; o++) {
            const int64_t i = n * head->o + o;
            head->t_logits[i] += head->logits[i] - (head->bias ? head->bias[o] : 0);
        }
}

/* Tangent of (softmax - one-hot) / N. */
static void loss_tangent(const head_t *head)
{
    for (int64_t n = 0; n < head->n; n++) {
        double *e = head->e_logits + n * head->o;
        const double *t = head->t_logits + n * head->o;
        double mean = 0;
        (void)softmax(head->logits + n * head->o, head->o, e);
        for (int64_t o = 0; o < head->o; o++) mean += e[o] * t[o];
        for (int64_t o = 0; o < head->o; o++) e[o] *= (t[o] - mean) / (double)head->n;
    }
}

static void curve_linear_layer(const nas_run_t *run, const head_t *head)
{
    nas_layer_values_t *layer = layer_at(run, run->program->head.layer);
    linear_gradient(head, head->e_logits, head->features, head->e_linear);
    linear_gradient(head, head->d_logits, head->t_features, head->t_linear);
    layer->curvature = 0;
    for (int64_t i = 0; i < head->o * head->c; i++)
        layer->curvature += head->d_linear[i] * (head->e_linear[i] + head->t_linear[i]);
}

static void tangent(const nas_run_t *run)
{
    const head_t head = head_of(run);
    to_means(&head, head.t_features);
    linear_tangent(&head);
    loss_tangent(&head);
    if (head.weight) curve_linear_layer(run, &head);
    double *both = head.t_logits; /* spent; now the adjoint's tangent, plus the adjoint (w again) */
    for (int64_t i = 0; i < head.n * head.o; i++)
        both[i] = head.e_logits[i] + (head.weight ? head.d_logits[i] : 0);
    back_through_linear(&head, both, head.e_features);
}

/* ----------------------------------------------------------------------------------- gradients */

static void give_gradient(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const head_t head = head_of(run);
    double *gradient = nas_run_vector(run, op->out);
    double *bias = gradient + run->program->head.bias;
    memcpy(gradient + run->program->head.weight, head.d_linear,
           (size_t)head.o * (size_t)head.c * sizeof *gradient);
    for (int64_t o = 0; head.bias && o < head.o; o++) {
        bias[o] = 0;
        for (int64_t n = 0; n < head.n; n++) bias[o] += head.d_logits[n * head.o + o];
    }
}

void nas_run_head(const nas_run_t *run, const nas_scalar_op_t *op)
{
    switch (op->kind) {
    case NAS_SCALAR_FISHER:
        add_fisher(run, op);
        break;
    case NAS_SCALAR_LAYER:
        take_layer(run, op);
        break;
    case NAS_SCALAR_HEAD_FORWARD:
        forward(run);
        break;
    case NAS_SCALAR_HEAD_LOSS:
        backward_loss(run);
        break;
    case NAS_SCALAR_HEAD_SUM:
        backward_sum(run);
        break;
    case NAS_SCALAR_HEAD_IMAGE:
        backward_image(run, (int)op->c);
        break;
    case NAS_SCALAR_HEAD_KERNEL:
        add_kernel(run, nas_run_vector(run, op->out));
        break;
    case NAS_SCALAR_HEAD_TANGENT:
        tangent(run);
        break;
    default:
        give_gradient(run, op);
        break;
    }
}
