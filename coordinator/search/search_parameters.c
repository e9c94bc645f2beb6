#include "coordinator/search/search_parameters.h"

/* 2^24 float32 values, 64 MiB: below this a pool is small and every group keeps its own copy. */
static const int64_t small_pool_values = 1 << 24;

static int64_t index_of(const nas_method_t *method)
{
    int n = 0;
    const nas_method_t *const *list = nas_method_list(&n);
    int64_t index = 0;
    while (list[index] != method) index++;
    return index;
}

int64_t nas_search_groups(int64_t asked, int64_t n_repeat, int64_t n_values, int n_ranks)
{
    int64_t n_groups = asked;
    if (n_groups == 0) n_groups = n_values <= small_pool_values ? n_repeat : 1;
    if (n_groups > n_repeat) n_groups = n_repeat;
    if (n_groups > n_ranks) n_groups = n_ranks;
    return n_groups;
}

int nas_search_group_of(const nas_search_parameters_t *parameters, int rank, int n_ranks)
{
    return (int)((int64_t)rank * parameters->n_groups / n_ranks);
}

/* Of float32 that a group keeps: metrics, and a posterior's rows of points. */
static int64_t count_values(const nas_method_t *method, const nas_method_setup_t *setup)
{
    return setup->n_arch * (setup->n_metric + (method->has_posterior ? setup->budget : 0));
}

nas_search_parameters_t nas_search_parameters(const nas_search_inputs_t *inputs,
                                              const nas_pool_t *pool, int n_ranks)
{
    const nas_job_t *job = inputs->job;
    const uint64_t seed = (uint64_t)job->seed;
    const nas_method_setup_t setup = nas_search_inputs_setup(inputs, pool, seed);
    return (nas_search_parameters_t){
        .n_arch = setup.n_arch,
        .n_metric = setup.n_metric,
        .n_weight = inputs->method->needs_metrics ? setup.n_metric : 0,
        .budget = setup.budget,
        .parallel = setup.parallel,
        .n_repeat = job->search.repeats,
        .n_groups = nas_search_groups(job->search.groups, job->search.repeats,
                                      count_values(inputs->method, &setup), n_ranks),
        .metric = setup.metric,
        .method = index_of(inputs->method),
        .encoding = inputs->encoding ? nas_encoding_positions(inputs->encoding) : 0,
        .seed = seed,
        .hidden = setup.hidden,
        .silence_s = job->silence_s,
    };
}

const nas_method_t *nas_search_method(const nas_search_parameters_t *parameters)
{
    int n = 0;
    return nas_method_list(&n)[parameters->method];
}

nas_message_sizes_t nas_search_message_sizes(const nas_search_parameters_t *parameters)
{
    return (nas_message_sizes_t){.n_weight = parameters->n_weight,
                                 .n_metric = parameters->n_metric};
}

nas_method_setup_t nas_search_setup(const nas_search_parameters_t *parameters, uint64_t seed)
{
    const bool has_posterior = nas_search_method(parameters)->has_posterior;
    return (nas_method_setup_t){.n_metric = parameters->n_metric,
                                .n_arch = parameters->n_arch,
                                .budget = parameters->budget,
                                .parallel = parameters->parallel,
                                .seed = seed,
                                .metric = parameters->metric,
                                .n_kept = has_posterior ? parameters->n_metric : 0,
                                .n_position = has_posterior ? (int)parameters->encoding : 0,
                                .hidden = parameters->hidden};
}
