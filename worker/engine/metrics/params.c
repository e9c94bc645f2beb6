/* Number of parameters, of the whole network as built. */
#include "worker/engine/metrics/metric.h"

static double value(const nas_metric_input_t *input)
{
    return (double)input->graph->n_values;
}

const nas_metric_t nas_metric_params = {
    .name = "params",
    .summary = "number of parameters",
    .value = value,
};
