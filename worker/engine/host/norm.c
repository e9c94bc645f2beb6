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
#include "worker/engine/host/run.h"

#include <math.h>
#include <string.h>

static const nas_norm_vectors_t *vectors(const nas_run_t *run, const nas_scalar_op_t *op)
{
    return &run->program->norm[op->norm];
}

/* An entry of gamma, beta or a bias; flow takes absolute values of all parameters. */
static double affine(const nas_run_t *run, nas_entry_t entry, int channel, double otherwise)
{
    if (entry < 0) return otherwise;
    const double value = run->task->parameters[entry + channel];
    return run->program->flow ? fabs(value) : value;
}

/* ------------------------------------------------------------------------------------ forward */

/* Flow stores x times 2^-from_exponent and wants y times 2^-exponent; both 0 otherwise. */
static void forward(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const nas_norm_vectors_t *v = vectors(run, op);
    const double *mean = nas_run_vector(run, v->mean), *variance = nas_run_vector(run, v->variance);
    const double unit = ldexp(1.0, -nas_run_exponent(run, op->exponent));
    const double eps = ldexp(v->eps, -2 * nas_run_exponent(run, op->from_exponent));
    double *inv = nas_run_vector(run, v->inv), *scale = nas_run_vector(run, v->scale);
    double *shift = nas_run_vector(run, op->out);
    for (int c = 0; c < v->c; c++) {
        inv[c] = 1.0 / sqrt(variance[c] + eps);
        scale[c] = affine(run, v->gamma, c, 1.0) * inv[c] * unit;
        shift[c] += affine(run, v->beta, c, 0.0) * unit - scale[c] * mean[c];
    }
}

static void add_bias(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const double unit = ldexp(1.0, -nas_run_exponent(run, op->exponent));
    double *shift = nas_run_vector(run, op->out);
    for (int c = 0; c < op->c; c++) shift[c] += affine(run, op->entry, c, 0.0) * unit;
}

/* --------------------------------------------------------------------------------- statistics */

/* The bias of the convolution before a norm is in no mean: batch statistics would take it out
 * again, so it is never added. */
static void take_statistics(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const nas_norm_vectors_t *v = vectors(run, op);
    const double *mean = run->task->statistics + v->statistics, *variance = mean + v->c;
    const double *bias = nas_run_parameter(run, v->bias);
    for (int c = 0; c < v->c; c++) {
        run->vectors[v->mean + c] = mean[c] - (bias ? bias[c] : 0);
        run->vectors[v->variance + c] = variance[c];
    }
}

static void give_moments(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const nas_norm_vectors_t *v = vectors(run, op);
    double *mean = nas_run_vector(run, op->out) + v->statistics, *variance = mean + v->c;
    const double *bias = nas_run_parameter(run, v->bias);
    for (int c = 0; c < v->c; c++) {
        mean[c] = run->vectors[v->mean + c] + (bias ? bias[c] : 0);
        variance[c] = run->vectors[v->variance + c];
    }
}

/* ----------------------------------------------------------------------------------- backward */

static void backward(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const nas_norm_vectors_t *v = vectors(run, op);
    const double unit = ldexp(1.0, -nas_run_exponent(run, op->from_exponent)), m = op->count;
    const double *sum_d = nas_run_vector(run, op->in), *sum_dz = nas_run_vector(run, v->sum_dz);
    const double *inv = nas_run_vector(run, v->inv), *mean = nas_run_vector(run, v->mean);
    double *d_coef = nas_run_vector(run, v->d_coef), *x_coef = nas_run_vector(run, v->x_coef);
    double *rest = nas_run_vector(run, v->rest);
    for (int c = 0; c < v->c; c++) {
        const double mean_d = sum_d[c] / m;
        const double mean_zd = inv[c] * sum_dz[c] / m;
        d_coef[c] = affine(run, v->gamma, c, 1.0) * inv[c] * unit;
        x_coef[c] = -d_coef[c] * inv[c] * mean_zd;
        rest[c] = -d_coef[c] * mean_d - x_coef[c] * mean[c];
    }
}

/* gamma: sum of d z; beta: sum of d. */
static void give_gradient(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const nas_norm_vectors_t *v = vectors(run, op);
    const double *inv = nas_run_vector(run, v->inv), *sum_dz = nas_run_vector(run, v->sum_dz);
    double *gradient = nas_run_vector(run, op->out), *gamma = gradient + v->gamma;
    for (int c = 0; c < v->c; c++) gamma[c] = inv[c] * sum_dz[c];
    memcpy(gradient + v->beta, nas_run_vector(run, op->in), (size_t)v->c * sizeof *gradient);
}

/* ------------------------------------------------------------------------------------ tangent */

/* z' = p t + q (x - mean) + r. Along the weights only where the norm is behind a convolution. */
static void tangent_of_z(const nas_run_t *run, const nas_norm_vectors_t *v, int c, double m,
                         double zt[3])
{
    const double inv = run->vectors[v->inv + c];
    const double mean_zt = inv * run->vectors[v->sum_tz + c] / m;
    const double along = v->along ? v->eps * inv * inv : 0.0;
    zt[0] = inv;
    zt[1] = inv * (along - inv * mean_zt);
    zt[2] = -inv * run->vectors[v->sum_t + c] / m;
}

static void tangent(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const nas_norm_vectors_t *v = vectors(run, op);
    double *shift = nas_run_vector(run, op->out);
    for (int c = 0; c < v->c; c++) {
        double zt[3];
        const double gamma = affine(run, v->gamma, c, 1.0);
        tangent_of_z(run, v, c, op->count, zt);
        run->vectors[v->t_coef + c] = gamma * zt[0];
        run->vectors[v->tx_coef + c] = gamma * zt[1];
        shift[c] += gamma * (zt[2] - zt[1] * run->vectors[v->mean + c]);
    }
}

/* ---------------------------------------------------------------------- tangent of the adjoint */

static void curvature(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const nas_norm_vectors_t *v = vectors(run, op);
    const double m = op->count;
    double *x = run->vectors;
    for (int c = 0; c < v->c; c++) {
        double zt[3];
        tangent_of_z(run, v, c, m, zt);
        const double inv = x[v->inv + c], mean = x[v->mean + c];
        const double gain = affine(run, v->gamma, c, 1.0) * inv;
        const double mean_d = x[op->in + c] / m;
        const double mean_xd = x[v->sum_dz + c] / m; /* of (x - mean) d */
        const double mean_zd = inv * mean_xd;
        const double mean_ztd = zt[0] * x[v->sum_td + c] / m + zt[1] * mean_xd + zt[2] * mean_d;
        const double mean_ze = inv * x[v->sum_ez + c] / m;
        const double s = zt[1] / inv;
        x[v->u_d + c] = s * x[v->d_coef + c];
        x[v->u_e + c] = gain;
        x[v->u_t + c] = -gain * mean_zd * zt[0];
        x[v->u_x + c] =
            s * x[v->x_coef + c] - gain * (mean_zd * zt[1] + inv * (mean_ztd + mean_ze));
        x[v->u_rest + c] = s * (x[v->rest + c] + x[v->x_coef + c] * mean) - x[v->u_x + c] * mean -
                           gain * (x[op->more + c] / m + mean_zd * zt[2]);
    }
}

void nas_run_norm(const nas_run_t *run, const nas_scalar_op_t *op)
{
    switch (op->kind) {
    case NAS_SCALAR_STATISTICS:
        take_statistics(run, op);
        break;
    case NAS_SCALAR_NORM_FORWARD:
        forward(run, op);
        break;
    case NAS_SCALAR_BIAS:
        add_bias(run, op);
        break;
    case NAS_SCALAR_NORM_BACKWARD:
        backward(run, op);
        break;
    case NAS_SCALAR_NORM_TANGENT:
        tangent(run, op);
        break;
    case NAS_SCALAR_NORM_CURVATURE:
        curvature(run, op);
        break;
    case NAS_SCALAR_NORM_GRADIENT:
        give_gradient(run, op);
        break;
    default:
        give_moments(run, op);
        break;
    }
}
