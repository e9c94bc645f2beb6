/* How alike the images' gradients are: correlations of the rows of the Jacobian. */
#include "worker/engine/host/run.h"

#include <math.h>

/* A row of length d about its mean, scaled to norm 1. */
static void standardise(int64_t d, double *row)
{
    double mean = 0, squares = 0;
    for (int64_t k = 0; k < d; k++) mean += row[k];
    mean /= (double)d;
    for (int64_t k = 0; k < d; k++) squares += (row[k] - mean) * (row[k] - mean);
    const double scale = 1.0 / sqrt(squares);
    for (int64_t k = 0; k < d; k++) row[k] = (row[k] - mean) * scale;
}

/* What is no number stays so. */
static double cut(double x)
{
    return isfinite(x) ? fmax(-1.0, fmin(1.0, x)) : x;
}

static void correlate(int64_t n, int64_t d, const double *Z, double *K)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = 0;
            for (int64_t k = 0; k < d; k++) sum += Z[i * d + k] * Z[j * d + k];
            K[i * n + j] = K[j * n + i] = cut(sum);
        }
}

void nas_run_jacobian(const nas_run_t *run, const nas_scalar_op_t *op)
{
    double *rows = nas_run_vector(run, op->in);
    const int n = run->program->n;
    for (int i = 0; i < n; i++) standardise(op->c, rows + i * op->c);
    correlate(n, op->c, rows, nas_run_vector(run, op->out));
}
