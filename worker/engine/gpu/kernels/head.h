/* The head, and layers' values, of scalars.cl: worker/engine/host/head.c. Every sum of a product is in
 * the order of its terms. */
#ifndef NAS_WORKER_ENGINE_GPU_KERNELS_HEAD_H
#define NAS_WORKER_ENGINE_GPU_KERNELS_HEAD_H

#include "worker/engine/gpu/kernels/lanes.h"

/* -------------------------------------------------------------------------------------- layers */

/* nas_layer_values_t */
enum { DOT = 0, ABS_DOT, GRADIENT_SQUARES, OF_FISHER, CURVATURE };

FUNCTION fisher(OPERATION, int phase)
{
    if (phase == 0) {
        double sum = 0;
        EACH (i, op->n * op->c) {
            const double of_bias =
                op->bias < 0 ? 0 : s->vectors[op->bias + i % op->c] * s->vectors[op->more + i];
            const double value = s->vectors[op->in + i] + of_bias;
            sum = MAD64(value, value, sum);
        }
        s->room[s->lane] = sum;
    } else if (s->lane == 0) {
        s->vectors[op->out + OF_FISHER] = 0.5 * total(s, 0) / op->n * op->count;
    }
}

FUNCTION take_layer(OPERATION)
{
    if (s->lane != 0) return;
    const GLOBAL double *sums = s->vectors + op->in;
    double curvature = -sums[0];
    for (int i = 1; i <= (int)op->count; i++) curvature += sums[2 * i];
    s->vectors[op->out + GRADIENT_SQUARES] = sums[0];
    s->vectors[op->out + CURVATURE] = curvature;
}

/* -------------------------------------------------------------------------------------- products */

#define HEAD const scalars_t *s, const GLOBAL nas_gpu_head_t *h

/* y [rows, columns] = (onto: y +) a [rows, terms] x [terms, columns] / divisor. Places of vectors;
 * a_row, a_term: distances in a. */
typedef struct product {
    i64 a, x, y;
    int a_row, a_term;
    int rows, terms, columns;
    int onto;
    double divisor;
} product_t;

/* Every sum is in the order of its terms; loads of four of them are under way at once. */
FUNCTION add_product(const scalars_t *s, const product_t *p)
{
    EACH (i, p->rows * p->columns) {
        const GLOBAL double *a = s->vectors + p->a + i / p->columns * p->a_row;
        const GLOBAL double *x = s->vectors + p->x + i % p->columns;
        const int term = p->a_term, row = p->columns;
        double sum = p->onto ? s->vectors[p->y + i] : 0.0;
        int k = 0;
        for (; k + 4 <= p->terms; k += 4, a += 4 * term, x += 4 * row) {
            const double a0 = a[0], a1 = a[term], a2 = a[2 * term], a3 = a[3 * term];
            const double x0 = x[0], x1 = x[row], x2 = x[2 * row], x3 = x[3 * row];
            sum = MAD64(a3, x3, MAD64(a2, x2, MAD64(a1, x1, MAD64(a0, x0, sum))));
        }
        for (; k < p->terms; k++, a += term, x += row) sum = MAD64(a[0], x[0], sum);
        s->vectors[p->y + i] = sum / p->divisor;
    }
}

/* to [N, O] += features times the transposed weights. */
DEVICE product_t linear(const GLOBAL nas_gpu_head_t *h, i64 features, i64 to)
{
    const product_t p = {features, h->transposed, to, h->c, 1, h->n, h->c, h->o, 1, 1.0};
    return p;
}

/* to [N, C] = from [N, O] times the weights, a pixel's share of it. */
DEVICE product_t back_through_linear(const GLOBAL nas_gpu_head_t *h, i64 from, i64 to)
{
    const product_t p = {from, h->weight, to, h->o, 1, h->n, h->o, h->c, 0, h->n_pixels};
    return p;
}

/* to [O, C] of the linear layer. */
DEVICE product_t linear_gradient(const GLOBAL nas_gpu_head_t *h, i64 d_logits, i64 features, i64 to)
{
    const product_t p = {d_logits, features, to, 1, h->o, h->o, h->n, h->c, 0, 1.0};
    return p;
}

/* How many products a phase has, and which they are. Without a layer there are none. */
DEVICE int products_of(const GLOBAL nas_gpu_head_t *h, int kind, int phase)
{
    if (h->weight < 0) return 0;
    if (kind == NAS_GPU_HEAD_FORWARD) return phase == 1;
    if (kind == NAS_GPU_HEAD_LOSS) return phase == 4 ? 2 : 0;
    if (kind == NAS_GPU_HEAD_TANGENT) return phase == 1 ? 1 : phase == 6 ? 3 : 0;
    return 0;
}

DEVICE product_t product_of(const GLOBAL nas_gpu_head_t *h, int kind, int phase, int i)
{
    if (kind == NAS_GPU_HEAD_FORWARD) return linear(h, h->features, h->logits);
    if (kind == NAS_GPU_HEAD_LOSS)
        return i == 0 ? linear_gradient(h, h->d_logits, h->features, h->d_linear)
                      : back_through_linear(h, h->d_logits, h->d_features);
    if (phase == 1) return linear(h, h->t_features, h->t_logits);
    if (i == 0) return linear_gradient(h, h->e_logits, h->features, h->e_linear);
    if (i == 1) return linear_gradient(h, h->d_logits, h->t_features, h->t_linear);
    return back_through_linear(h, h->t_logits, h->e_features);
}

/* -------------------------------------------------------------------------------------- softmax */

FUNCTION to_means(HEAD, i64 at)
{
    EACH (i, h->n * h->c) s->vectors[at + i] /= h->n_pixels;
}

DEVICE double bias_of(HEAD, int o)
{
    return h->bias < 0 ? 0 : s->vectors[h->bias + o];
}

/* Without a layer: to [N, C] = from / divisor, a lane what it has of both. */
FUNCTION pass_on(HEAD, i64 from, i64 to, double divisor)
{
    EACH (i, h->n * h->c) s->vectors[to + i] = s->vectors[from + i] / divisor;
}

/* Features become means; behind it logits are the bias, to which their product is added. */
FUNCTION head_forward(HEAD)
{
    to_means(s, h, h->features);
    if (h->flow) return;
    if (h->weight < 0) {
        pass_on(s, h, h->features, h->logits, 1.0);
        return;
    }
    EACH (i, h->n * h->o) s->vectors[h->logits + i] = bias_of(s, h, i % h->o);
    EACH (i, h->c * h->o)
        s->vectors[h->transposed + i] = s->vectors[h->weight + i % h->o * h->c + i / h->o];
}

/* The largest logit of every image, to the first of C numbers that it has at `to`. */
FUNCTION find_top(HEAD, i64 to)
{
    EACH (n, h->n) {
        const GLOBAL double *logits = s->vectors + h->logits + n * h->o;
        double top = logits[0];
        for (int o = 1; o < h->o; o++) top = fmax(top, logits[o]);
        s->vectors[to + n * h->c] = top;
    }
}

FUNCTION exponentiate(HEAD, i64 top, i64 to)
{
    EACH (i, h->n * h->o)
        s->vectors[to + i] =
            nas_gpu_exp(s->vectors[h->logits + i] - s->vectors[top + i / h->o * h->c]);
}

DEVICE double sum_of(const GLOBAL double *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i];
    return sum;
}

/* ---------------------------------------------------------------------------------------- loss */

/* Of a learner's image: the step says where in the order it is. */
DEVICE int label_of(HEAD, int n)
{
    const GLOBAL int *labels = (const GLOBAL int *)(s->data + h->labels);
    if (!h->learns) return labels[n];
    const GLOBAL int *order = (const GLOBAL int *)(s->data + h->order) + h->first + n;
    return labels[order[(int)s->vectors[h->step + NAS_GPU_STEP_PLACE]]];
}

/* Normalisers of all images, in the place of their largest logits, and losses. d_logits: exp. */
FUNCTION sum_losses(HEAD, i64 top)
{
    const double rest = h->smoothing / h->o, most = 1.0 - h->smoothing;
    double loss = 0;
    EACH (n, h->n) {
        const GLOBAL double *logits = s->vectors + h->logits + n * h->o;
        const double sum = sum_of(s->vectors + h->d_logits + n * h->o, h->o);
        const double log_sum = s->vectors[top + n * h->c] + nas_gpu_log(sum);
        loss += log_sum - most * logits[label_of(s, h, n)] - rest * sum_of(logits, h->o);
        s->vectors[top + n * h->c] = sum;
    }
    s->room[4 * LANES + s->lane] = loss;
}

FUNCTION loss_derivative(HEAD, i64 normaliser)
{
    const double rest = h->smoothing / h->o, most = 1.0 - h->smoothing;
    EACH (i, h->n * h->o) {
        const int n = i / h->o;
        double d = s->vectors[h->d_logits + i] / s->vectors[normaliser + n * h->c] - rest;
        if (i % h->o == label_of(s, h, n)) d -= most;
        s->vectors[h->d_logits + i] = d / h->n;
    }
}

FUNCTION sum_linear_layer(HEAD)
{
    double squares = 0, dots = 0, abs_dots = 0, of_fisher = 0;
    const int n_weights = h->weight < 0 ? 0 : h->o * h->c;
    EACH (i, n_weights) {
        const double g = s->vectors[h->d_linear + i], wg = g * s->vectors[h->weight + i];
        squares = MAD64(g, g, squares);
        dots += wg;
        abs_dots += fabs(wg);
    }
    EACH (i, h->n * h->o) {
        const double value = s->vectors[h->logits + i] * s->vectors[h->d_logits + i];
        of_fisher = MAD64(value, value, of_fisher);
    }
    s->room[DOT * LANES + s->lane] = dots;
    s->room[ABS_DOT * LANES + s->lane] = abs_dots;
    s->room[GRADIENT_SQUARES * LANES + s->lane] = squares;
    s->room[OF_FISHER * LANES + s->lane] = of_fisher;
}

/* A lane a sum. */
FUNCTION give_loss(HEAD)
{
    if (s->lane == 4) s->vectors[h->loss] = total(s, 4) / h->n;
    if (s->lane < OF_FISHER && h->sums) s->vectors[h->layer + s->lane] = total(s, s->lane);
    if (s->lane == OF_FISHER && h->fisher)
        s->vectors[h->layer + OF_FISHER] = total(s, OF_FISHER) * (0.5 * h->c / h->n);
}

FUNCTION head_sum(HEAD)
{
    EACH (c, h->c) {
        double sum = h->weight < 0 ? 1 : 0;
        for (int o = 0; h->weight >= 0 && o < h->o; o++) {
            const double weight = s->vectors[h->weight + o * h->c + c];
            sum += h->flow ? fabs(weight) : weight;
        }
        sum /= h->n_pixels;
        for (int n = 0; n < h->n; n++) s->vectors[h->d_features + n * h->c + c] = sum;
    }
}

/* ------------------------------------------------------------------------------------- tangent */

/* W features = logits - bias is the linear layer's own part of the tangent of logits. */
FUNCTION begin_tangent(HEAD)
{
    to_means(s, h, h->t_features);
    if (h->weight < 0) {
        pass_on(s, h, h->t_features, h->t_logits, 1.0);
        return;
    }
    EACH (i, h->n * h->o)
        s->vectors[h->t_logits + i] = s->vectors[h->logits + i] - bias_of(s, h, i % h->o);
}

/* Tangent of (softmax - one-hot) / N in steps: e_logits are exp, then softmax, then that; the
 * normaliser, then the mean of t over softmax is at `at`. */
FUNCTION softmax_tangent(HEAD, i64 at, int phase)
{
    if (phase == 2 || phase == 4) {
        EACH (n, h->n) {
            const GLOBAL double *e = s->vectors + h->e_logits + n * h->o;
            const GLOBAL double *t = s->vectors + h->t_logits + n * h->o;
            double sum = 0;
            for (int o = 0; o < h->o; o++) sum = MAD64(e[o], phase == 2 ? 1.0 : t[o], sum);
            s->vectors[at + n * h->c] = sum;
        }
    } else {
        EACH (i, h->n * h->o) {
            const double of_image = s->vectors[at + i / h->o * h->c];
            GLOBAL double *e = s->vectors + h->e_logits + i, *t = s->vectors + h->t_logits + i;
            if (phase == 3) {
                *e /= of_image;
            } else {
                *e *= (*t - of_image) / h->n;
                /* spent; now the adjoint's tangent, plus the adjoint (w again) */
                *t = h->weight < 0 ? *e : *e + s->vectors[h->d_logits + i];
            }
        }
    }
}

FUNCTION share_of_curvature(HEAD)
{
    double sum = 0;
    const int n_weights = h->weight < 0 ? 0 : h->o * h->c;
    EACH (i, n_weights)
        sum = MAD64(s->vectors[h->d_linear + i],
                    s->vectors[h->e_linear + i] + s->vectors[h->t_linear + i], sum);
    s->room[s->lane] = sum;
}

/* ---------------------------------------------------------------------------------------- head */

/* A phase but for its products. A number an image has room in the features that the last product
 * writes. */
FUNCTION head_loss(HEAD, int phase)
{
    if (phase == 2) sum_losses(s, h, h->d_features);
    if (phase == 3) loss_derivative(s, h, h->d_features);
    if (phase == 4 && h->weight < 0) pass_on(s, h, h->d_logits, h->d_features, h->n_pixels);
    if (phase == 5) sum_linear_layer(s, h);
    if (phase == 7) give_loss(s, h);
}

FUNCTION head_tangent(HEAD, int phase)
{
    if (phase == 0) begin_tangent(s, h);
    if (phase >= 2 && phase <= 5) softmax_tangent(s, h, h->e_features, phase);
    if (phase == 6 && h->weight < 0) pass_on(s, h, h->t_logits, h->e_features, h->n_pixels);
    if (phase == 7) share_of_curvature(s, h);
    if (phase == 9 && s->lane == 0 && h->layer >= 0)
        s->vectors[h->layer + CURVATURE] = total(s, 0);
}

FUNCTION head_gradient(HEAD, i64 to, i64 to_bias)
{
    EACH (i, h->o * h->c) s->vectors[to + i] = s->vectors[h->d_linear + i];
    if (to_bias < 0) return;
    EACH (o, h->o) {
        double sum = 0;
        for (int n = 0; n < h->n; n++) sum += s->vectors[h->d_logits + n * h->o + o];
        s->vectors[to_bias + o] = sum;
    }
}

FUNCTION run_head(OPERATION, const GLOBAL nas_gpu_head_t *h, int phase)
{
    const int kind = op->kind;
    for (int i = 0; i < products_of(h, kind, phase); i++) {
        const product_t product = product_of(h, kind, phase, i);
        add_product(s, &product);
    }
    if (kind == NAS_GPU_HEAD_LOSS || kind == NAS_GPU_HEAD_TANGENT) {
        const int is_loss = kind == NAS_GPU_HEAD_LOSS;
        const i64 room = is_loss ? h->d_features : h->e_features;
        if (phase == 0) find_top(s, h, room);
        if (phase == 1) exponentiate(s, h, room, is_loss ? h->d_logits : h->e_logits);
        if (is_loss)
            head_loss(s, h, phase);
        else
            head_tangent(s, h, phase);
    } else if (kind == NAS_GPU_HEAD_FORWARD) {
        if (phase == 0) head_forward(s, h);
    } else if (kind == NAS_GPU_HEAD_SUM) {
        head_sum(s, h);
    } else {
        head_gradient(s, h, op->out, op->more);
    }
}

#endif
