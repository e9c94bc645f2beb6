/* What a network of blocks makes of noise, block by block. Lee & Ham, AZ-NAS: assembling zero-cost
 * proxies for network architecture search, CVPR 2024.
 *
 * The entropy of a block's end: with the shares p that the eigenvalues of its channels' covariance
 * have in their sum, - sum (p log (p + 1e-8)). Expressivity is the sum of all blocks' entropies,
 * progressivity the least by which one exceeds that of the block before. */
#include "worker/engine/metrics/metric.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_finite(const double *x, int n)
{
    for (int i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

/* work [out] c (c + 1). NaN where the channels do not vary. */
static double entropy(const double *covariance, int c, double *work)
{
    double *eigenvalue = work + (size_t)c * (size_t)c, total = 0, sum = 0;
    memcpy(work, covariance, (size_t)c * (size_t)c * sizeof *work);
    if (!is_finite(work, c * c) ||
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', c, work, c, eigenvalue))
        return NAN;
    for (int i = 0; i < c; i++) total += eigenvalue[i];
    for (int i = 0; i < c; i++) {
        const double share = eigenvalue[i] / total;
        sum -= share * log(share + 1e-8);
    }
    return sum;
}

typedef struct entropies {
    double sum;
    double least_step; /* infinity where there is one block alone */
} entropies_t;

/* NaN of any block is that of both. */
static entropies_t fold(const nas_graph_t *graph, const double *covariance, double *work)
{
    entropies_t all = {0, INFINITY};
    double before = -INFINITY; /* so that the first step is no less than any */
    for (int i = 0; i < graph->n_nodes; i++) {
        const int c = graph->node[i].extents.c;
        if (!graph->node[i].ends_block) continue;
        const double own = entropy(covariance, c, work);
        if (!(own - before >= all.least_step)) all.least_step = own - before;
        all.sum += own;
        before = own;
        covariance += (size_t)c * (size_t)c;
    }
    return all;
}

static entropies_t entropies_of(const nas_metric_input_t *input)
{
    const nas_graph_t *graph = input->graph;
    entropies_t all = {NAN, NAN};
    size_t widest = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        const size_t c = (size_t)graph->node[i].extents.c;
        if (graph->node[i].ends_block && c > widest) widest = c;
    }
    double *work = malloc((widest * (widest + 1) + 1) * sizeof *work);
    if (work && input->run->covariance) all = fold(graph, input->run->covariance, work);
    free(work);
    return isnan(all.sum) ? (entropies_t){NAN, NAN} : all;
}

static double expressivity(const nas_metric_input_t *input)
{
    return entropies_of(input).sum;
}

static double progressivity(const nas_metric_input_t *input)
{
    return entropies_of(input).least_step;
}

const nas_metric_t nas_metric_az_expressivity = {
    .name = "az_expressivity",
    .summary = "entropies of the blocks' channels, summed",
    .needs = NAS_NEED_COVARIANCE,
    .on = NAS_RUNS_NOISE,
    .value = expressivity,
};

const nas_metric_t nas_metric_az_progressivity = {
    .name = "az_progressivity",
    .summary = "least growth of the entropy of the channels from block to block",
    .needs = NAS_NEED_COVARIANCE,
    .on = NAS_RUNS_NOISE,
    .value = progressivity,
};
