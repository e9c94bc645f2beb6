#include "coordinator/search/search_needs.h"

#include "coordinator/search/search_parameters.h"

#include <math.h>

/* A pass over a rank's shard of the score table for each observation. */
static double passes_s(const nas_search_parameters_t *parameters, double ranks_of_group)
{
    const double values_per_s = 2e9; /* 4 bytes each, from memory */
    const double n_values =
        (double)parameters->budget * (double)parameters->n_arch * (double)parameters->n_metric;
    return n_values / values_per_s / ranks_of_group;
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
    needs->seconds = turns * (method.seconds + passes_s(&parameters, ranks_of_group));
    needs->method_bytes = method.n_bytes;
}

nas_search_needs_t nas_search_needs(const nas_search_inputs_t *inputs, const nas_pool_t *pool,
                                    int n_ranks)
{
    nas_search_needs_t needs = {.n_groups = 1};
    if (inputs->method) add_method(&needs, inputs, pool, n_ranks);
    const double n_values = (double)nas_pool_count(pool) * (double)inputs->job->metrics.names.n;
    needs.shard_bytes = 4.0 * n_values / floor((double)n_ranks / (double)needs.n_groups);
    return needs;
}
