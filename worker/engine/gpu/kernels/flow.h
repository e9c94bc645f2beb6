/* Powers of two that keep the flow within float32: worker/engine/host/flow.c. */
#ifndef NAS_WORKER_ENGINE_GPU_KERNELS_FLOW_H
#define NAS_WORKER_ENGINE_GPU_KERNELS_FLOW_H

#include "worker/engine/gpu/kernels/lanes.h"

FUNCTION rescale(OPERATION)
{
    const double most = s->vectors[op->in];
    const int shift = most > 0 ? nas_gpu_exponent(most) : 0;
    if (s->lane == 0) s->vectors[op->exponent] += shift;
    EACH (c, op->c) s->vectors[op->out + c] = nas_gpu_ldexp(1.0, -shift);
}

/* A layer's share, as value times 2^exponent, is added to out. */
FUNCTION flow_add(OPERATION)
{
    if (s->lane != 0) return;
    GLOBAL double *flow = s->vectors + op->out;
    const double value = s->vectors[op->in + 1], so_far = flow[0];
    const int exponent = exponent_of(s, op->from_exponent) + exponent_of(s, op->exponent);
    const int old = (int)flow[1];
    if (value == 0) return;
    if (so_far == 0) {
        flow[0] = value;
        flow[1] = exponent;
    } else if (old < exponent) {
        flow[0] = value + nas_gpu_ldexp(so_far, old - exponent);
        flow[1] = exponent;
    } else {
        flow[0] = so_far + nas_gpu_ldexp(value, exponent - old);
    }
}

FUNCTION flow_linear(OPERATION, const GLOBAL nas_gpu_head_t *h, int phase)
{
    if (phase == 0) {
        double sum = 0;
        EACH (i, h->o * h->c)
            sum += fabs(s->vectors[h->weight + i] * s->vectors[h->features + i % h->c]);
        s->room[s->lane] = sum;
    } else if (s->lane == 0) {
        s->vectors[op->out] = total(s, 0);
        s->vectors[op->out + 1] = exponent_of(s, op->exponent);
    }
}

#endif
