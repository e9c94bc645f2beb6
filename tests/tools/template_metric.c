/* Logarithm of the number of parameters: a metric to begin one of your own with. Copy this file to
 * worker/engine/metrics/NAME.c and call it NAME here too; CONTRIBUTING says where else it is named.
 * tests/system/add_metric.sh does so. Say what it is, and who found it. */
#include "worker/engine/metrics/metric.h"

#include <math.h>

/* What a metric may look at: the graph and its parameters; and, where it says that it needs them,
 * what a run found (nas_need_t). */
static double value(const nas_metric_input_t *input)
{
    return log((double)input->graph->n_values);
}

const nas_metric_t nas_metric_template = {
    .name = "template",
    .summary = "logarithm of the number of parameters",
    .needs = 0,
    .value = value,
};
