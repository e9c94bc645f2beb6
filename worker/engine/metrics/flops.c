/* Multiply-adds of all convolutions and of the linear layer for one image, dead edges included. */
#include "worker/engine/graph/cost.h"
#include "worker/engine/metrics/metric.h"

#include <math.h>

static double value(const nas_metric_input_t *input)
{
    nas_cost_t cost;
    return nas_graph_cost(input->graph, &cost, NULL, NULL) ? (double)NAN : (double)cost.flops;
}

const nas_metric_t nas_metric_flops = {
    .name = "flops",
    .summary = "multiply-adds for one image",
    .value = value,
};
