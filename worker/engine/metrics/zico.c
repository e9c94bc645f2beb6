/* How large gradients are beside how they vary from batch to batch: the sum over the layers of the
 * logarithm of the sum over their weights of mean |g| / standard deviation of g, over two batches.
 * Weights whose gradient does not vary do not count, nor do layers of such weights. Li, Yang,
 * Bhardwaj & Marculescu, ZiCo: zero-shot NAS via inverse coefficient of variation on gradients,
 * ICLR 2023. */
#include "worker/engine/metrics/metric.h"
#include "worker/engine/metrics/portable.h"

#include <math.h>

/* Of two numbers the mean of their values is (|a| + |b|) / 2, their deviation |a - b| / 2. */
static double sum_ratios(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t k = 0; k < n; k++)
        if (a[k] != b[k]) sum += (fabs(a[k]) + fabs(b[k])) / fabs(a[k] - b[k]);
    return sum;
}

static double value(const nas_metric_input_t *input)
{
    double (*logarithm)(double) = input->is_portable ? nas_portable_log : log;
    const double *a = input->run[0].gradient, *b = input->run[1].gradient;
    double sum = 0;
    int n_layers = 0;
    for (int i = 0; i < input->graph->n_parameters; i++) {
        const nas_parameter_t *parameter = &input->graph->parameter[i];
        if (parameter->kind != NAS_PARAMETER_WEIGHT) continue;
        const double ratios =
            sum_ratios(a + parameter->offset, b + parameter->offset, parameter->n);
        if (ratios == 0) continue;
        sum += logarithm(ratios);
        n_layers++;
    }
    return n_layers > 0 ? sum : (double)NAN;
}

const nas_metric_t nas_metric_zico = {
    .name = "zico",
    .summary = "gradients beside how they vary between two batches",
    .needs = NAS_NEED_LOSS | NAS_NEED_GRADIENT,
    .on = NAS_RUNS_HALVES,
    .value = value,
};
