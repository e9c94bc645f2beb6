/* How many different patterns the signs of the images have over the ReLUs' inputs: of one input, a
 * pattern is its sign for each image. Peng, Song, Fayek, Ciesielski & Chang, SWAP-NAS: sample-wise
 * activation patterns for ultra-fast NAS, ICLR 2024; without regularisation by size. */
#include "worker/engine/metrics/metric.h"

static double value(const nas_metric_input_t *input)
{
    return input->run->patterns;
}

const nas_metric_t nas_metric_swap = {
    .name = "swap",
    .summary = "patterns of signs of few images over the ReLUs",
    .needs = NAS_NEED_PATTERNS,
    .on = NAS_RUNS_FEW,
    .value = value,
};
