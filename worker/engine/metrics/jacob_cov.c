/* How alike the images' input gradients are. Mellor et al., Neural architecture search without
 * training, 2020 (version 1): with the eigenvalues v of the correlations of the rows of the
 * Jacobian,
 * - sum (log(v + k) + 1 / (v + k)), k = 1e-5. NaN where a row is constant: no path from the
 * input. */
#include "worker/engine/metrics/metric.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

/* Rows of J [n, d] about their means, scaled to norm 1, into Z. */
static void standardise(const double *J, int n, int64_t d, double *Z)
{
    for (int i = 0; i < n; i++) {
        const double *row = J + i * d;
        double mean = 0, squares = 0;
        for (int64_t k = 0; k < d; k++) mean += row[k];
        mean /= (double)d;
        for (int64_t k = 0; k < d; k++) squares += (row[k] - mean) * (row[k] - mean);
        const double scale = 1.0 / sqrt(squares);
        for (int64_t k = 0; k < d; k++) Z[i * d + k] = (row[k] - mean) * scale;
    }
}

static bool correlate(const double *Z, int n, int64_t d, double *K)
{
    bool finite = true;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double sum = 0;
            for (int64_t k = 0; k < d; k++) sum += Z[i * d + k] * Z[j * d + k];
            K[i * n + j] = K[j * n + i] = fmax(-1.0, fmin(1.0, sum));
            finite &= isfinite(sum) != 0;
        }
    return finite;
}

static double score(double *K, int n, double *v)
{
    const double k = 1e-5;
    double sum = 0;
    if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', n, K, n, v)) return NAN;
    for (int i = 0; i < n; i++) sum += log(v[i] + k) + 1.0 / (v[i] + k);
    return -sum;
}

static double value(const nas_metric_input_t *input)
{
    const nas_network_t *net = &input->graph->network;
    const int n = input->batch;
    const int64_t d = (int64_t)net->image_channels * net->height * net->width;
    if (!input->run->jacobian) return NAN;
    const size_t rows = (size_t)n;
    double *Z = malloc(rows * (size_t)d * sizeof *Z), *K = malloc(rows * (rows + 1) * sizeof *K);
    double result = NAN;
    if (Z && K) {
        standardise(input->run->jacobian, n, d, Z);
        if (correlate(Z, n, d, K)) result = score(K, n, K + n * n);
    }
    free(Z);
    free(K);
    return result;
}

const nas_metric_t nas_metric_jacob_cov = {
    .name = "jacob_cov",
    .summary = "correlations of the images' input gradients",
    .needs = NAS_NEED_JACOBIAN,
    .value = value,
};
