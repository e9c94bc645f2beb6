/* Work on vectors and scalars, in float64: what worker/engine/host computes in norm.c, head.c and
 * flow.c, and what is left to do behind a device's sums.
 *
 * A group works through a list of operations. An operation is one phase or several, with a barrier
 * behind each; what one phase leaves for the next is in vectors or in local memory. Operations on
 * channels give a lane a channel. */
#include "worker/engine/gpu/kernels/lanes.h"

#include "worker/engine/gpu/kernels/flow.h"
#include "worker/engine/gpu/kernels/head.h"
#include "worker/engine/gpu/kernels/norm.h"
#include "worker/engine/gpu/kernels/scale.h"

/* ---------------------------------------------------------------------------- behind sums */

FUNCTION max_abs(OPERATION, int phase)
{
    const int pixels = op->h * op->w, pitch = NAS_GPU_PITCH(op->h, op->w);
    double most = 0;
    if (phase == 0) {
        EACH (i, op->n * op->c * pixels) {
            const int plane = i / pixels;
            const i64 at = (i64)(plane / op->c) * op->stride + plane % op->c;
            const double value = fabs((double)s->arena[op->in + at * pitch + i % pixels]);
            most = value > most ? value : most;
        }
    }
    most = find_most(s, phase, most);
    if (phase == 2 && s->lane == 0) s->vectors[op->out] = most;
}

FUNCTION agreement(OPERATION)
{
    const GLOBAL u32 *differ = (const GLOBAL u32 *)(s->vectors + op->in);
    EACH (at, op->n * op->n) {
        const int i = at / op->n, j = at % op->n;
        const int pair = i > j ? i * op->n + j : j * op->n + i;
        s->vectors[op->out + at] = op->count - (i == j ? 0.0 : (double)differ[pair]);
    }
}

/* ------------------------------------------------------------------------------------ the list */

/* How many there are: the same in all lanes. */
DEVICE int phases_of(const GLOBAL nas_gpu_scalar_t *op, const GLOBAL nas_gpu_head_t *h)
{
    switch (op->kind) {
    case NAS_GPU_MOMENTS:
        return moment_parts(op) == 1 ? 1 : 3;
    case NAS_GPU_MAX_ABS:
    case NAS_GPU_FISHER:
    case NAS_GPU_FLOW_LINEAR:
    case NAS_GPU_DOTS:
    case NAS_GPU_GAIN:
    case NAS_GPU_BOUND:
        return 3;
    case NAS_GPU_HEAD_FORWARD:
        return h->flow ? 1 : 2;
    case NAS_GPU_HEAD_LOSS:
        return 8;
    case NAS_GPU_HEAD_TANGENT:
        return 10;
    default:
        return 1;
    }
}

/* Whether its last phase but one adds what lanes left in the rooms. */
DEVICE int has_sums(const GLOBAL nas_gpu_scalar_t *op)
{
    return op->kind == NAS_GPU_FISHER || op->kind == NAS_GPU_FLOW_LINEAR ||
           op->kind == NAS_GPU_HEAD_LOSS || op->kind == NAS_GPU_HEAD_TANGENT ||
           op->kind == NAS_GPU_DOTS;
}

/* Operations on a channel. */
FUNCTION run_channel(OPERATION, int c)
{
    switch (op->kind) {
    case NAS_GPU_COPY:
        s->vectors[op->out + c] = s->vectors[op->in + c];
        break;
    case NAS_GPU_ADD:
        s->vectors[op->out + c] += s->vectors[op->in + c];
        break;
    case NAS_GPU_STATISTICS:
        take_statistics(s, op, c);
        break;
    case NAS_GPU_NORM_FORWARD:
        norm_forward(s, op, c);
        break;
    case NAS_GPU_BIAS:
        add_bias(s, op, c);
        break;
    case NAS_GPU_NORM_BACKWARD:
        norm_backward(s, op, c);
        break;
    case NAS_GPU_NORM_TANGENT:
        norm_tangent(s, op, c);
        break;
    case NAS_GPU_NORM_CURVATURE:
        norm_curvature(s, op, c);
        break;
    case NAS_GPU_NORM_GRADIENT:
        norm_gradient(s, op, c);
        break;
    case NAS_GPU_NORM_MOMENTS:
        give_moments(s, op, c);
        break;
    default: /* NAS_GPU_DOT_PARTS */
        add_dot_parts(s, op, c);
        break;
    }
}

FUNCTION run_phase(OPERATION, const GLOBAL nas_gpu_head_t *h, int phase)
{
    switch (op->kind) {
    case NAS_GPU_MOMENTS:
        merge_moments(s, op, phase);
        break;
    case NAS_GPU_MAX_ABS:
        max_abs(s, op, phase);
        break;
    case NAS_GPU_AGREEMENT:
        agreement(s, op);
        break;
    case NAS_GPU_RESCALE:
        rescale(s, op);
        break;
    case NAS_GPU_FLOW_ADD:
        flow_add(s, op);
        break;
    case NAS_GPU_FLOW_LINEAR:
        flow_linear(s, op, h, phase);
        break;
    case NAS_GPU_DOTS:
        dots(s, op, phase);
        break;
    case NAS_GPU_GAIN:
        gain(s, op, phase);
        break;
    case NAS_GPU_BOUND:
        bound(s, op, phase);
        break;
    case NAS_GPU_SCALE:
        scale(s, op);
        break;
    case NAS_GPU_ALIGN:
        align(s, op);
        break;
    case NAS_GPU_FISHER:
        fisher(s, op, phase);
        break;
    case NAS_GPU_LAYER:
        take_layer(s, op);
        break;
    case NAS_GPU_HEAD_FORWARD:
    case NAS_GPU_HEAD_LOSS:
    case NAS_GPU_HEAD_SUM:
    case NAS_GPU_HEAD_TANGENT:
    case NAS_GPU_HEAD_GRADIENT:
        run_head(s, op, h, phase);
        break;
    default:
        EACH (c, op->c) run_channel(s, op, c);
        break;
    }
}

NAS_KERNEL(scalars, LANES)
{
    LOCAL(double, room, N_ROOMS * LANES);
    LOCAL(double, level, N_ROOMS * LEVEL);
    const GLOBAL nas_gpu_scalars_t *k = NAS_WORK(nas_gpu_scalars_t);
    const GLOBAL nas_gpu_scalar_t *op = (const GLOBAL nas_gpu_scalar_t *)(table + k->ops);
    const scalars_t s = {arena, vectors, data, table, room, level, LANE};
    for (int i = 0; i < k->n; i++, op++) {
        const GLOBAL nas_gpu_head_t *h = (const GLOBAL nas_gpu_head_t *)(table + op->head);
        const int phases = phases_of(op, h);
        for (int phase = 0; phase < phases; phase++) {
            if (has_sums(op) && phase == phases - 2)
                add_level(&s);
            else
                run_phase(&s, op, h, phase);
            BARRIER();
        }
    }
}
