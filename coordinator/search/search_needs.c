#include "coordinator/search/search_needs.h"

#include "common/io/memory.h"
#include "coordinator/search/features.h"

#include <math.h>

/* A pass over a rank's shard of the score table for each observation. */
static double passes_s(const nas_search_parameters_t *parameters, double ranks_of_group)
{
    const double values_per_s = 2e9; /* 4 bytes each, from memory */
    const double n_values =
        (double)parameters->budget * (double)parameters->n_arch * (double)parameters->n_metric;
    return n_values / values_per_s / ranks_of_group;
}

/* Values that a posterior goes through for one architecture until it has T points, after each of
 * which it is asked: to make their rows, and to sum over them. */
static double rows_values(const nas_search_parameters_t *parameters)
{
    const double n = (double)parameters->budget;
    return n * (double)(parameters->n_metric + parameters->encoding) + n * n / 2.0;
}

static double sums_values(const nas_search_parameters_t *parameters)
{
    const double n = (double)parameters->budget;
    return n * n / 2.0;
}

/* Where rows are not kept, those of all points there are by then. */
static double rows_again_values(const nas_search_parameters_t *parameters)
{
    const double n = (double)parameters->budget;
    return n * n / 2.0 * (double)(parameters->n_metric + parameters->encoding) + n * n * n / 6.0;
}

/* Sweeps over a rank's shard of a posterior; turns: repeats that a group works on. A value took
 * 0.2 ns with AVX-512, in a pool of 10^6 with 13 metrics, 6 positions and 150 points. */
static void add_posterior(nas_search_needs_t *needs, const nas_search_parameters_t *parameters,
                          int n_ranks, double turns)
{
    const double value_s = 0.3e-9; /* a metric, a position or a point */
    const double ranks_of_group = floor((double)n_ranks / (double)needs->n_groups);
    const double n_rows = ceil((double)parameters->n_arch / ranks_of_group);
    const int n_processors = nas_memory_processors();
    nas_posterior_options_t options = nas_features_posterior(parameters);
    options.memory_bytes = nas_features_memory(n_ranks < n_processors ? n_ranks : n_processors);
    needs->shard_bytes = nas_posterior_bytes(&options, (int64_t)n_rows, &needs->keeps_rows);
    needs->has_posterior = true;
    needs->rows_bytes = 4.0 * n_rows * (double)parameters->budget;
    needs->seconds += turns * value_s * n_rows * sums_values(parameters);
    if (needs->keeps_rows) {
        needs->rows_room = needs->rows_bytes;
        needs->rows_seconds = value_s * n_rows * rows_values(parameters);
        needs->seconds += turns * needs->rows_seconds;
    } else {
        const double again_s = value_s * rows_again_values(parameters);
        needs->rows_room = fmax((double)options.memory_bytes - needs->shard_bytes, 0.0);
        needs->rows_seconds = again_s * NAS_SCORE_TILE; /* by one rank, for each point its tile */
        needs->seconds += turns * (again_s * n_rows + needs->rows_seconds);
    }
}

static void add_method(nas_search_needs_t *needs, const nas_search_inputs_t *inputs,
                       const nas_pool_t *pool, int n_ranks)
{
    const nas_search_parameters_t parameters = nas_search_parameters(inputs, pool, n_ranks);
    const nas_method_setup_t setup = nas_search_setup(&parameters, parameters.seed);
    const nas_method_need_t method = inputs->method->need(&setup);
    const double ranks_of_group = floor((double)n_ranks / (double)parameters.n_groups);
    const double turns = ceil((double)parameters.n_repeat / (double)parameters.n_groups);
    needs->n_repeat = parameters.n_repeat;
    needs->n_groups = parameters.n_groups;
    needs->n_candidates = parameters.parallel * parameters.n_groups;
    needs->n_evaluations = parameters.budget * parameters.n_repeat;
    needs->method_bytes = method.n_bytes;
    needs->seconds = turns * method.seconds;
    if (inputs->method->has_posterior)
        add_posterior(needs, &parameters, n_ranks, turns);
    else
        needs->seconds += turns * passes_s(&parameters, ranks_of_group);
}

nas_search_needs_t nas_search_needs(const nas_search_inputs_t *inputs, const nas_pool_t *pool,
                                    int n_ranks)
{
    nas_search_needs_t needs = {.n_groups = 1};
    if (inputs->method) add_method(&needs, inputs, pool, n_ranks);
    if (needs.has_posterior) return needs;
    const double n_values = (double)nas_pool_count(pool) * (double)inputs->job->metrics.names.n;
    needs.shard_bytes = 4.0 * n_values / floor((double)n_ranks / (double)needs.n_groups);
    return needs;
}
