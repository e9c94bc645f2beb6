/* log |det K| for the numbers K of ReLU signs that two images share. Mellor et al., Neural
 * architecture search without training, ICML 2021. */
#include "worker/engine/metrics/metric.h"
#include "worker/engine/metrics/portable.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* By LAPACK; K is lost. */
static double log_determinant(double *K, int n)
{
    double sum = 0;
    lapack_int *pivot = malloc((size_t)n * sizeof *pivot);
    lapack_int info = -1;
    if (pivot) info = LAPACKE_dgetrf(LAPACK_ROW_MAJOR, n, n, K, n, pivot);
    free(pivot);
    for (int i = 0; i < n; i++) sum += log(fabs(K[(int64_t)i * n + i])); /* singular: log 0 */
    return info < 0 ? NAN : sum;
}

static double value(const nas_metric_input_t *input)
{
    const int n = input->batch;
    const size_t n_bytes = (size_t)n * (size_t)n * sizeof(double);
    double *K = malloc(n_bytes), result = NAN;
    if (K) {
        memcpy(K, input->run->agreement, n_bytes);
        result = input->is_portable ? nas_portable_log_determinant(K, n) : log_determinant(K, n);
    }
    free(K);
    return result;
}

const nas_metric_t nas_metric_nwot = {
    .name = "nwot",
    .summary = "log-determinant of the agreement of ReLU signs",
    .needs = NAS_NEED_SIGNS,
    .value = value,
};
