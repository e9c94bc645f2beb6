/* - w' H g: how removing weights would change the gradient flow. Wang, Zhang & Grosse, Picking
 * winning tickets before training by preserving gradient flow, ICLR 2020. */
#include "worker/engine/metrics/metric.h"

static double value(const nas_metric_input_t *input)
{
    double sum = 0;
    for (int i = 0; i < input->graph->n_parameters; i++) sum += input->run->layer[i].curvature;
    return -sum;
}

const nas_metric_t nas_metric_grasp = {
    .name = "grasp",
    .summary = "minus weights x Hessian x gradient",
    .needs = NAS_NEED_CURVATURE,
    .value = value,
};
