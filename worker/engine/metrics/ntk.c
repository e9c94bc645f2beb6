/* Condition number of the neural tangent kernel: of the products of every two images' gradients of the
 * sum of an image's logits by all weights. Less is better. Chen, Gong & Wang, Neural architecture
 * search on ImageNet in four GPU hours: a theoretically inspired perspective (TE-NAS), ICLR 2021. */
#include "worker/engine/metrics/metric.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

/* NaN where the least is no more than what float32 leaves of the largest. */
static double condition(double *K, int n, double *eigenvalue)
{
    const double most = 1e6;
    if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', n, K, n, eigenvalue)) return NAN;
    const double number = eigenvalue[n - 1] / eigenvalue[0];
    return number > 0 && number <= most ? number : (double)NAN;
}

static double value(const nas_metric_input_t *input)
{
    const int n = input->batch;
    const double *kernel = input->run->kernel;
    double *K = malloc((size_t)n * (size_t)(n + 1) * sizeof *K), result = NAN;
    bool is_finite = K != NULL;
    for (int i = 0; is_finite && i < n * n; i++) {
        K[i] = i % n <= i / n ? kernel[2 * i] : 0;
        is_finite = isfinite(K[i]);
    }
    if (is_finite) result = condition(K, n, K + (size_t)n * (size_t)n);
    free(K);
    return result;
}

const nas_metric_t nas_metric_ntk = {
    .name = "ntk",
    .summary = "condition number of the neural tangent kernel of few images",
    .needs = NAS_NEED_KERNEL,
    .on = NAS_RUNS_FEW,
    .value = value,
};
