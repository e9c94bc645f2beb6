/* Norms of scalars.cl, a lane a channel: worker/engine/host/norm.c, where the formulas are
 * explained, and moments of a tensor out of those of its tiles. */
#ifndef NAS_WORKER_ENGINE_GPU_KERNELS_NORM_H
#define NAS_WORKER_ENGINE_GPU_KERNELS_NORM_H

#include "worker/engine/gpu/kernels/lanes.h"

/* nas_norm_vectors_t */
enum {
    MEAN = 0,
    VARIANCE,
    INV,
    SCALE,
    SUM_DZ,
    D_COEF,
    X_COEF,
    REST,
    SUM_T,
    SUM_TZ,
    SUM_TD,
    T_COEF,
    TX_COEF,
    SUM_EZ,
    U_D,
    U_E,
    U_X,
    U_T,
    U_REST
};
#define NORM(which) s->vectors[op->norm + (i64)(which) * op->c + c]

FUNCTION norm_forward(OPERATION, int c)
{
    const double unit = nas_gpu_ldexp(1.0, -exponent_of(s, op->exponent));
    const double eps = nas_gpu_ldexp(op->eps, -2 * exponent_of(s, op->from_exponent));
    const double inv = 1.0 / sqrt(NORM(VARIANCE) + eps);
    const double scale = affine(s, op, op->gamma, c, 1.0) * inv * unit;
    NORM(INV) = inv;
    NORM(SCALE) = scale;
    s->vectors[op->out + c] += affine(s, op, op->beta, c, 0.0) * unit - scale * NORM(MEAN);
}

FUNCTION add_bias(OPERATION, int c)
{
    const double unit = nas_gpu_ldexp(1.0, -exponent_of(s, op->exponent));
    s->vectors[op->out + c] += affine(s, op, op->bias, c, 0.0) * unit;
}

/* Biases of convolutions are taken as they are here: there are no statistics in the flow. */
FUNCTION take_statistics(OPERATION, int c)
{
    const GLOBAL double *mean = s->vectors + op->statistics, *variance = mean + op->c;
    NORM(MEAN) = mean[c] - (op->bias < 0 ? 0 : s->vectors[op->bias + c]);
    NORM(VARIANCE) = variance[c];
}

FUNCTION give_moments(OPERATION, int c)
{
    GLOBAL double *mean = s->vectors + op->statistics, *variance = mean + op->c;
    mean[c] = NORM(MEAN) + (op->bias < 0 ? 0 : s->vectors[op->bias + c]);
    variance[c] = NORM(VARIANCE);
}

FUNCTION norm_backward(OPERATION, int c)
{
    const double unit = nas_gpu_ldexp(1.0, -exponent_of(s, op->from_exponent)), m = op->count;
    const double inv = NORM(INV);
    const double mean_d = s->vectors[op->in + c] / m;
    const double mean_zd = inv * NORM(SUM_DZ) / m;
    const double d_coef = affine(s, op, op->gamma, c, 1.0) * inv * unit;
    const double x_coef = -d_coef * inv * mean_zd;
    NORM(D_COEF) = d_coef;
    NORM(X_COEF) = x_coef;
    NORM(REST) = -d_coef * mean_d - x_coef * NORM(MEAN);
}

FUNCTION norm_gradient(OPERATION, int c)
{
    s->vectors[op->out + c] = NORM(INV) * NORM(SUM_DZ);
    s->vectors[op->more + c] = s->vectors[op->in + c];
}

/* z' = p t + q (x - mean) + r */
FUNCTION tangent_of_z(OPERATION, int c, double zt[3])
{
    const double inv = NORM(INV), m = op->count;
    const double mean_zt = inv * NORM(SUM_TZ) / m;
    const double along = op->along ? op->eps * inv * inv : 0.0;
    zt[0] = inv;
    zt[1] = inv * (along - inv * mean_zt);
    zt[2] = -inv * NORM(SUM_T) / m;
}

FUNCTION norm_tangent(OPERATION, int c)
{
    double zt[3];
    const double gamma = affine(s, op, op->gamma, c, 1.0);
    tangent_of_z(s, op, c, zt);
    NORM(T_COEF) = gamma * zt[0];
    NORM(TX_COEF) = gamma * zt[1];
    s->vectors[op->out + c] += gamma * (zt[2] - zt[1] * NORM(MEAN));
}

FUNCTION norm_curvature(OPERATION, int c)
{
    double zt[3];
    tangent_of_z(s, op, c, zt);
    const double inv = NORM(INV), mean = NORM(MEAN), m = op->count;
    const double x_coef = NORM(X_COEF), gain = affine(s, op, op->gamma, c, 1.0) * inv;
    const double mean_d = s->vectors[op->in + c] / m;
    const double mean_xd = NORM(SUM_DZ) / m;
    const double mean_zd = inv * mean_xd;
    const double mean_ztd = zt[0] * NORM(SUM_TD) / m + zt[1] * mean_xd + zt[2] * mean_d;
    const double mean_ze = inv * NORM(SUM_EZ) / m;
    const double part = zt[1] / inv;
    const double u_x = part * x_coef - gain * (mean_zd * zt[1] + inv * (mean_ztd + mean_ze));
    NORM(U_D) = part * NORM(D_COEF);
    NORM(U_E) = gain;
    NORM(U_T) = -gain * mean_zd * zt[0];
    NORM(U_X) = u_x;
    NORM(U_REST) = part * (NORM(REST) + x_coef * mean) - u_x * mean -
                   gain * (s->vectors[op->more + c] / m + mean_zd * zt[2]);
}

/* ------------------------------------------------------------------------------- tiles' moments */

/* Parts that a channel's tiles are dealt to, a lane each: as many as there are lanes for, at most
 * LEVEL. */
DEVICE int moment_parts(const GLOBAL nas_gpu_scalar_t *op)
{
    int parts = 1;
    while (parts < LEVEL && 2 * parts * op->c <= LANES) parts *= 2;
    return parts;
}

/* Of the tiles `part`, `part` + `parts` and so on: the sum of their values (`squares` 0), or that of
 * the squared deviations from `mean`: their own, and their mean's times their number of values. */
DEVICE double sum_tiles(OPERATION, int c, int part, int parts, int squares, double mean)
{
    const int row_tiles = (op->h + op->rows - 1) / op->rows;
    const int tiles = (op->n + op->per - 1) / op->per * row_tiles;
    const GLOBAL double *value = s->vectors + op->in + op->first + c;
    double sum = 0;
    for (int turn = 0; turn < tiles; turn += parts) {
        const int t = turn + part;
        if (t >= tiles) continue;
        const int image = t / row_tiles * op->per, row = t % row_tiles * op->rows;
        const int images = op->n - image < op->per ? op->n - image : op->per;
        const int rows = op->h - row < op->rows ? op->h - row : op->rows;
        const double count = (double)(images * rows * op->w);
        const double tile_mean = value[(i64)2 * t * op->stride] - mean;
        const double weighted = count * tile_mean;
        sum = squares ? sum + MAD64(weighted, tile_mean, value[((i64)2 * t + 1) * op->stride])
                      : sum + weighted;
    }
    return sum;
}

/* The parts' sums of a channel, in a room of [parts][c]. */
DEVICE double add_parts(OPERATION, int room, int c, int parts)
{
    double sum = 0;
    for (int i = 0; i < parts; i++) sum += s->room[room * LANES + i * op->c + c];
    return sum;
}

/* Mean and variance of the whole are exact functions of the tiles' (Chan, Golub & LeVeque 1983):
 * nothing is subtracted but means. */
FUNCTION merge_moments(OPERATION, int phase)
{
    const int parts = moment_parts(op), part = s->lane / op->c;
    if (parts == 1) { /* a lane has channels for itself */
        if (phase) return;
        EACH (c, op->c) {
            const double mean = sum_tiles(s, op, c, 0, 1, 0, 0.0) / op->count;
            NORM(MEAN) = mean;
            NORM(VARIANCE) = sum_tiles(s, op, c, 0, 1, 1, mean) / op->count;
        }
        return;
    }
    const int c = s->lane % op->c;
    if (part >= parts) return;
    if (phase == 0) {
        s->room[s->lane] = sum_tiles(s, op, c, part, parts, 0, 0.0);
        return;
    }
    const double mean = add_parts(s, op, 0, c, parts) / op->count;
    if (phase == 1) {
        s->room[LANES + s->lane] = sum_tiles(s, op, c, part, parts, 1, mean);
    } else if (part == 0) {
        NORM(MEAN) = mean;
        NORM(VARIANCE) = add_parts(s, op, 1, c, parts) / op->count;
    }
}

FUNCTION add_dot_parts(OPERATION, int c)
{
    double sum = 0;
    for (int part = 0; part < NAS_GPU_PARTS; part++)
        sum += s->vectors[op->in + (i64)part * op->c + c];
    s->vectors[op->out + c] = sum;
}

#endif
