/* Multiply-adds of all convolutions and of the linear layer for one image, dead edges included. */
#include "common/space/space_nb201_cost.h"
#include "worker/engine/metrics/metric.h"

static double value(const nas_metric_input_t *input)
{
    nas_nb201_cost_t cost;
    nas_nb201_cost(input->arch->code, &input->graph->network, &cost);
    return (double)cost.flops;
}

const nas_metric_t nas_metric_flops = {
    .name = "flops",
    .summary = "multiply-adds for one image",
    .value = value,
};
