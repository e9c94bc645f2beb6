/* Sum of |w dR/dw| for the sum R of the logits of the network with absolute weights, without BN in
 * stem, cells and head, on an image of ones. Tanaka et al., Pruning neural networks without any
 * data by iteratively conserving synaptic flow, NeurIPS 2020. It reaches 1e50 and more: its
 * logarithm is a metric of its own. */
#include "worker/engine/metrics/metric.h"
#include "worker/engine/metrics/portable.h"

#include <math.h>

static double value(const nas_metric_input_t *input)
{
    return ldexp(input->run->flow_mantissa, input->run->flow_exponent);
}

static double log_value(const nas_metric_input_t *input)
{
    double (*logarithm)(double) = input->is_portable ? nas_portable_log : log;
    return logarithm(input->run->flow_mantissa) + input->run->flow_exponent * logarithm(2.0);
}

const nas_metric_t nas_metric_synflow = {
    .name = "synflow",
    .summary = "synaptic flow of the network with absolute weights",
    .needs = NAS_NEED_FLOW,
    .on = NAS_RUNS_FLOW,
    .value = value,
};

const nas_metric_t nas_metric_log_synflow = {
    .name = "log_synflow",
    .summary = "natural logarithm of synflow, for networks beyond the range of float64 too",
    .needs = NAS_NEED_FLOW,
    .on = NAS_RUNS_FLOW,
    .value = log_value,
};
