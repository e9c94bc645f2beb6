/* Sum of |w dL/dw| over all weights. Lee, Ajanthan & Torr, SNIP, ICLR 2019. */
#include "worker/engine/metrics/metric.h"

static double value(const nas_metric_input_t *input)
{
    double sum = 0;
    for (int i = 0; i < input->graph->n_parameters; i++) sum += input->run->layer[i].abs_dot;
    return sum;
}

const nas_metric_t nas_metric_snip = {
    .name = "snip",
    .summary = "sum of |weight x gradient|",
    .needs = NAS_NEED_SUMS,
    .value = value,
};
