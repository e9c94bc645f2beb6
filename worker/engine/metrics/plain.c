/* Sum of w dL/dw over all weights; almost nothing, since a BN undoes any scaling of its weights. */
#include "worker/engine/metrics/metric.h"

static double value(const nas_metric_input_t *input)
{
    double sum = 0;
    for (int i = 0; i < input->graph->n_parameters; i++) sum += input->run->layer[i].dot;
    return sum;
}

const nas_metric_t nas_metric_plain = {
    .name = "plain",
    .summary = "sum of weight x gradient",
    .needs = NAS_NEED_SUMS,
    .value = value,
};
