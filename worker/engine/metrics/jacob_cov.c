/* How alike the images' input gradients are. Mellor et al., Neural architecture search without
 * training, 2020 (version 1): with the eigenvalues v of the correlations of the rows of the
 * Jacobian,
 * - sum (log(v + k) + 1 / (v + k)), k = 1e-5. NaN where a row is constant: no path from the
 * input. */
#include "worker/engine/metrics/metric.h"
#include "worker/engine/metrics/portable.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* v [out] n eigenvalues; work [out] n. */
static double score(double *K, int n, double *v, double *work, bool is_portable)
{
    const double k = 1e-5;
    double (*logarithm)(double) = is_portable ? nas_portable_log : log;
    double sum = 0;
    const bool has_values = is_portable
                                ? nas_portable_eigenvalues(K, n, v, work)
                                : LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', n, K, n, v) == 0;
    if (!has_values) return NAN;
    for (int i = 0; i < n; i++) sum += logarithm(v[i] + k) + 1.0 / (v[i] + k);
    return -sum;
}

/* NaN where a correlation is no number: a row is constant. */
static bool is_finite(const double *K, size_t n)
{
    for (size_t i = 0; i < n * n; i++)
        if (!isfinite(K[i])) return false;
    return true;
}

static double value(const nas_metric_input_t *input)
{
    const int n = input->batch;
    const size_t rows = (size_t)n;
    if (!input->run->correlation || !is_finite(input->run->correlation, rows)) return NAN;
    double *K = malloc(rows * (rows + 2) * sizeof *K), result = NAN;
    if (K) {
        memcpy(K, input->run->correlation, rows * rows * sizeof *K);
        result = score(K, n, K + rows * rows, K + rows * (rows + 1), input->is_portable);
    }
    free(K);
    return result;
}

const nas_metric_t nas_metric_jacob_cov = {
    .name = "jacob_cov",
    .summary = "correlations of the images' input gradients",
    .needs = NAS_NEED_CORRELATION,
    .value = value,
};
