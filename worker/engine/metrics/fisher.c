/* Squared products of a layer's outputs and their gradients. Turner et al., BlockSwap, ICLR
 * 2020. */
#include "worker/engine/metrics/metric.h"

static double value(const nas_metric_input_t *input)
{
    double sum = 0;
    for (int i = 0; i < input->graph->n_parameters; i++) sum += input->run->layer[i].fisher;
    return sum;
}

const nas_metric_t nas_metric_fisher = {
    .name = "fisher",
    .summary = "squares of (output x gradient), summed over the layers",
    .needs = NAS_NEED_FISHER,
    .value = value,
};
