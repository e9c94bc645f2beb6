/* Sum over the layers of the L2 norm of the loss's gradient by their weights. */
#include "worker/engine/metrics/metric.h"

#include <math.h>

static double value(const nas_metric_input_t *input)
{
    double sum = 0;
    for (int i = 0; i < input->graph->n_parameters; i++)
        sum += sqrt(input->run->layer[i].gradient_squares);
    return sum;
}

const nas_metric_t nas_metric_grad_norm = {
    .name = "grad_norm",
    .summary = "sum over the layers of the norm of the gradient",
    .needs = NAS_NEED_SUMS,
    .value = value,
};
