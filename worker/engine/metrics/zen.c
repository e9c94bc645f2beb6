/* How far the features of noise move where the noise is changed a little, and how large BNs have made
 * them: log of the mean over the images of sum |f(x) - f(x + 0.01 e)|, plus for every BN whose input
 * varies the log of the root of the mean variance of its channels. Lin et al., Zen-NAS: a zero-shot
 * NAS for high performance image recognition, ICCV 2021. */
#include "worker/engine/metrics/metric.h"

#include <math.h>

static double log_of_change(const nas_metric_input_t *input)
{
    const double *a = input->run[0].features, *b = input->run[1].features;
    double sum = 0;
    for (int64_t k = 0; k < input->run->n_features; k++) sum += fabs(a[k] - b[k]);
    return log(sum / input->batch);
}

/* Where nothing varies a BN has brought nothing to size 1, and there is nothing to give back. */
static double log_of_size(const nas_node_t *norm, const double *moments)
{
    const int c = norm->extents.c;
    const double *variance = moments + norm->statistics + c;
    double sum = 0;
    for (int k = 0; k < c; k++) sum += variance[k];
    return sum == 0 ? 0 : 0.5 * log(sum / c);
}

static double value(const nas_metric_input_t *input)
{
    const nas_graph_t *graph = input->graph;
    double sum = log_of_change(input);
    for (int i = 0; i < graph->n_nodes; i++) {
        const nas_node_t *node = &graph->node[i];
        if (node->kind == NAS_NODE_NORM && node->live)
            sum += log_of_size(node, input->run->moments);
    }
    return sum;
}

const nas_metric_t nas_metric_zen = {
    .name = "zen",
    .summary = "change of the features of noise, rescaled by the BNs",
    .needs = NAS_NEED_FEATURES,
    .on = NAS_RUNS_CHANGE,
    .value = value,
};
