/* Exponents of nodes, from sums over weights (program/emit_scale.c), and dot products of vectors in the
 * parameters' layout. */
#include "worker/engine/host/run.h"

#include <math.h>

static double weight_at(const nas_run_t *run, nas_entry_t entry, int64_t i)
{
    const double value = run->task->parameters[entry + i];
    return run->program->flow ? fabs(value) : value;
}

static void dots(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const double *a = nas_run_vector(run, op->in), *b = nas_run_vector(run, op->more);
    double *out = nas_run_vector(run, op->out);
    for (int64_t i = 0; i < op->c; i++) {
        const double product = a[i] * (b ? b[i] : weight_at(run, op->entry, i));
        out[0] += product;
        out[1] += fabs(product);
    }
}

static void gain(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const int64_t n = (int64_t)op->count;
    double most = 0;
    for (int64_t c = 0; c < op->c; c++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) sum += weight_at(run, op->entry, c * n + i);
        most = fmax(most, sum);
    }
    *nas_run_vector(run, op->out) = most;
}

/* Whether a gain or bound that is there is 0. */
static bool is_zero(const double *value)
{
    return value && *value == 0;
}

/* A bound is its mantissa and the exponent of a power of two, for it may be beyond any float64. */
static void bound(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const double *in = nas_run_vector(run, op->in);
    double *out = nas_run_vector(run, op->out), value = in ? *in : 1;
    int exponent = nas_run_exponent(run, op->from_exponent);
    if (op->entry >= 0) {
        value = 0;
        for (int64_t c = 0; c < op->c; c++) value = fmax(value, weight_at(run, op->entry, c));
    }
    if (value == 0 || is_zero(nas_run_vector(run, op->more))) return;
    if (out[0] == 0) {
        out[0] = value;
        out[1] = exponent;
        return;
    }
    const double common = fmax(out[1], exponent);
    value = ldexp(value, exponent - (int)common);
    const double so_far = ldexp(out[0], (int)(out[1] - common));
    out[0] = op->count > 0 ? fmax(so_far, value) : so_far + value;
    out[1] = common;
}

static void scale(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const double *in = nas_run_vector(run, op->in);
    int shift = 0;
    if (in[0] > 0 && isfinite(in[0])) (void)frexp(in[0], &shift);
    *nas_run_vector(run, op->exponent) = in[1] + shift;
}

static void align(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const int by = nas_run_exponent(run, op->from_exponent) - nas_run_exponent(run, op->exponent);
    const bool is_nothing =
        is_zero(nas_run_vector(run, op->in)) || is_zero(nas_run_vector(run, op->more));
    double *out = nas_run_vector(run, op->out);
    for (int64_t c = 0; c < op->c; c++) out[c] = is_nothing ? 0 : ldexp(1.0, by);
}

void nas_run_scale(const nas_run_t *run, const nas_scalar_op_t *op)
{
    switch (op->kind) {
    case NAS_SCALAR_DOTS:
        dots(run, op);
        break;
    case NAS_SCALAR_GAIN:
        gain(run, op);
        break;
    case NAS_SCALAR_BOUND:
        bound(run, op);
        break;
    case NAS_SCALAR_SCALE:
        scale(run, op);
        break;
    default:
        align(run, op);
        break;
    }
}
