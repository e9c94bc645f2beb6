/* Exponents of nodes, from sums over weights, and dot products of vectors in the parameters' layout:
 * worker/engine/host/scale.c. */
#ifndef NAS_WORKER_ENGINE_GPU_KERNELS_SCALE_H
#define NAS_WORKER_ENGINE_GPU_KERNELS_SCALE_H

#include "worker/engine/gpu/kernels/lanes.h"

/* The largest of what lanes have, in three phases: each hands in its own, and the first lane is given
 * it in the third. */
DEVICE double find_most(const scalars_t *s, int phase, double most)
{
    if (phase == 0) {
        s->room[s->lane] = most;
    } else if (phase == 1 && s->lane < LEVEL) {
        for (int i = 0; i < LEVEL; i++) most = fmax(most, s->room[s->lane * LEVEL + i]);
        s->level[s->lane] = most;
    } else if (phase == 2 && s->lane == 0) {
        for (int i = 0; i < LEVEL; i++) most = fmax(most, s->level[i]);
    }
    return most;
}

FUNCTION dots(OPERATION, int phase)
{
    if (phase == 0) {
        double sum = 0, absolute = 0;
        EACH (i, op->c) {
            const double b =
                op->more < 0 ? affine(s, op, op->bias, i, 0.0) : s->vectors[op->more + i];
            const double product = s->vectors[op->in + i] * b;
            sum += product;
            absolute += fabs(product);
        }
        s->room[s->lane] = sum;
        s->room[LANES + s->lane] = absolute;
    } else if (s->lane < 2) {
        s->vectors[op->out + s->lane] = total(s, s->lane);
    }
}

FUNCTION gain(OPERATION, int phase)
{
    const int n = (int)op->count;
    double most = 0;
    if (phase == 0) {
        EACH (c, op->c) {
            double sum = 0;
            for (int i = 0; i < n; i++) sum += affine(s, op, op->bias + (i64)c * n, i, 0.0);
            most = fmax(most, sum);
        }
    }
    most = find_most(s, phase, most);
    if (phase == 2 && s->lane == 0) s->vectors[op->out] = most;
}

/* Whether a gain or bound that is there is 0. */
DEVICE int is_zero(const scalars_t *s, i64 at)
{
    return at >= 0 && s->vectors[at] == 0;
}

/* A bound is its mantissa and the exponent of a power of two. */
FUNCTION add_to_bound(OPERATION, double value)
{
    GLOBAL double *out = s->vectors + op->out;
    const int exponent = exponent_of(s, op->from_exponent), old = (int)out[1];
    const int common = old > exponent ? old : exponent;
    if (value == 0 || is_zero(s, op->more)) return;
    if (out[0] == 0) {
        out[0] = value;
        out[1] = exponent;
        return;
    }
    const double more = nas_gpu_ldexp(value, exponent - common);
    const double so_far = nas_gpu_ldexp(out[0], old - common);
    out[0] = op->count > 0 ? fmax(so_far, more) : so_far + more;
    out[1] = common;
}

FUNCTION bound(OPERATION, int phase)
{
    double value = 0;
    if (phase == 0 && op->bias >= 0)
        EACH (c, op->c) value = fmax(value, affine(s, op, op->bias, c, 0.0));
    value = find_most(s, phase, value);
    if (phase < 2 || s->lane != 0) return;
    if (op->bias < 0) value = op->in < 0 ? 1.0 : s->vectors[op->in];
    add_to_bound(s, op, value);
}

FUNCTION scale(OPERATION)
{
    const double most = s->vectors[op->in];
    if (s->lane == 0)
        s->vectors[op->exponent] =
            s->vectors[op->in + 1] + (most > 0 ? nas_gpu_exponent(most) : 0);
}

FUNCTION align(OPERATION)
{
    const int by = exponent_of(s, op->from_exponent) - exponent_of(s, op->exponent);
    const int is_nothing = is_zero(s, op->in) || is_zero(s, op->more);
    EACH (c, op->c) s->vectors[op->out + c] = is_nothing ? 0 : nas_gpu_ldexp(1.0, by);
}

#endif
