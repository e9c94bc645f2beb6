/* Sum over the layers of the L2 norm of their weights, dead edges included. */
#include "worker/engine/metrics/metric.h"

#include <math.h>

static double value(const nas_metric_input_t *input)
{
    double sum = 0;
    for (int i = 0; i < input->graph->n_parameters; i++) {
        const nas_parameter_t *parameter = &input->graph->parameter[i];
        double squares = 0;
        if (parameter->kind != NAS_PARAMETER_WEIGHT) continue;
        for (int64_t k = 0; k < parameter->n; k++) {
            const double weight = input->parameters[parameter->offset + k];
            squares += weight * weight;
        }
        sum += sqrt(squares);
    }
    return sum;
}

const nas_metric_t nas_metric_l2_norm = {
    .name = "l2_norm",
    .summary = "sum over the layers of the norm of the weights",
    .reads_parameters = true,
    .value = value,
};
