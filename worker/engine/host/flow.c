/* Powers of two that keep synflow's network within float32.
 *
 * Without BN every cell multiplies its input by hundreds, up to 1e50 in all. A node is stored as
 * x times 2^-exponent, its adjoint as d times 2^-d_exponent; both are brought to about 1 at the
 * output of every cell and block, in exact steps. The two BNs of a reduction block do not commute
 * with a scaling for their eps, which is scaled too (norm.c).
 */
#include "worker/engine/host/run.h"

#include <math.h>
#include <string.h>

/* The exponent of the largest value is added, and its inverse goes into the coefficients. */
static void rescale(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const double most = *nas_run_vector(run, op->in);
    double *coefficient = nas_run_vector(run, op->out);
    int shift = 0;
    if (most > 0 && isfinite(most)) (void)frexp(most, &shift);
    *nas_run_vector(run, op->exponent) += shift;
    for (int64_t c = 0; c < op->c; c++) coefficient[c] = ldexp(1.0, -shift);
}

/* A layer's share of the sum of |w dR/dw|, as value times 2^exponent. */
typedef struct share {
    double value;
    int exponent;
} share_t;

static share_t add(share_t a, share_t b)
{
    if (b.value == 0) return a;
    if (a.value == 0) return b;
    if (a.exponent < b.exponent) return add(b, a);
    a.value += ldexp(b.value, b.exponent - a.exponent);
    return a;
}

static void put(const nas_run_t *run, nas_vector_t flow, share_t share)
{
    double *to = nas_run_vector(run, flow);
    to[0] = share.value;
    to[1] = share.exponent;
}

static void add_share(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const double *flow = nas_run_vector(run, op->out);
    const int exponent =
        nas_run_exponent(run, op->from_exponent) + nas_run_exponent(run, op->exponent);
    const share_t so_far = {flow[0], (int)flow[1]};
    put(run, op->out, add(so_far, (share_t){nas_run_vector(run, op->in)[1], exponent}));
}

/* d R / d W[o, c] is the feature c, whatever o. */
static void begin_with_linear(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const nas_head_vectors_t *head = &run->program->head;
    const double *weight = nas_run_parameter(run, head->weight);
    const double *features = nas_run_vector(run, head->features);
    double sum = 0;
    for (int64_t i = 0; i < (int64_t)head->o * head->c; i++)
        sum += fabs(weight[i] * features[i % head->c]);
    put(run, op->out, (share_t){sum, nas_run_exponent(run, op->exponent)});
}

static void copy(const nas_run_t *run, const nas_scalar_op_t *op)
{
    memcpy(nas_run_vector(run, op->out), nas_run_vector(run, op->in),
           (size_t)op->c * sizeof(double));
}

static void add_vector(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const double *in = nas_run_vector(run, op->in);
    double *out = nas_run_vector(run, op->out);
    for (int64_t i = 0; i < op->c; i++) out[i] += in[i];
}

void nas_run_flow(const nas_run_t *run, const nas_scalar_op_t *op)
{
    switch (op->kind) {
    case NAS_SCALAR_COPY:
        copy(run, op);
        break;
    case NAS_SCALAR_ADD:
        add_vector(run, op);
        break;
    case NAS_SCALAR_RESCALE:
        rescale(run, op);
        break;
    case NAS_SCALAR_FLOW_LINEAR:
        begin_with_linear(run, op);
        break;
    default:
        add_share(run, op);
        break;
    }
}
