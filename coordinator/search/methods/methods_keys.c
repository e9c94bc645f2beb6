/* The job's keys about the search. */
#include "common/job/job.h"
#include "coordinator/search/methods/method.h"

static const char *method_name(size_t place)
{
    int n = 0;
    const nas_method_t *const *list = nas_method_list(&n);
    return place < (size_t)n ? list[place]->name : NULL;
}

static unsigned method_traits(size_t place)
{
    int n = 0;
    return nas_method_list(&n)[place]->has_posterior ? NAS_METHOD_WITH_POSTERIOR : 0;
}

static const nas_job_condition_t with_posterior = {
    .key = "search.method", .choices = NAS_METHOD_WITH_POSTERIOR, .tolerant = true};

static const nas_job_field_t fields[] = {
    {.key = "search.method",
     .type = NAS_JOB_ENUM,
     .affects = NAS_JOB_AFFECTS_VALUES,
     .search_only = true,
     .offset = offsetof(nas_job_t, search.method),
     .initial = NAS_METHOD_DEFAULT,
     .name = method_name,
     .traits = method_traits,
     .doc = "The search method: `docs/methods.md`."},
    {.key = "search.budget",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_AFFECTS_VALUES,
     .search_only = true,
     .offset = offsetof(nas_job_t, search.budget),
     .least = 1,
     .most = 1e6,
     .doc = "T, the number of architectures that a repeat evaluates."},
    {.key = "search.repeats",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_AFFECTS_VALUES,
     .search_only = true,
     .offset = offsetof(nas_job_t, search.repeats),
     .initial = "1",
     .least = 1,
     .most = 1e6,
     .doc = "How many times the search runs, each with its own seed."},
    {.key = "search.parallel",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_AFFECTS_VALUES,
     .search_only = true,
     .offset = offsetof(nas_job_t, search.parallel),
     .initial = "1",
     .least = 1,
     .most = 1e4,
     .doc =
         "q, the number of architectures proposed at a time. It shapes the search and is independent of the number of ranks; with 1 each is chosen by the results of all before it."},
    {.key = "search.groups",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_AFFECTS_NOTHING,
     .search_only = true,
     .offset = offsetof(nas_job_t, search.groups),
     .initial = "0",
     .most = 1e6,
     .doc =
         "Rank groups over which the repeats are spread; 0 chooses by the size of the pool. The results are the same."},
    {.key = "search.metric",
     .type = NAS_JOB_OPTIONAL,
     .affects = NAS_JOB_AFFECTS_VALUES,
     .search_only = true,
     .offset = offsetof(nas_job_t, search.metric),
     .initial = "",
     .doc = "The metric that the method `single` follows, one of `metrics.names`."},
    {.key = "search.hidden",
     .type = NAS_JOB_FLOAT,
     .affects = NAS_JOB_AFFECTS_VALUES,
     .condition = &with_posterior,
     .search_only = true,
     .offset = offsetof(nas_job_t, search.hidden),
     .initial = "0.1",
     .most = 0.9,
     .doc =
         "Share of the pool (pools of 100 and more), drawn by each repeat's seed, that is left out while fewer than 10 architectures are evaluated, so that repeats differ; 0 leaves out none."},
};

const nas_job_section_t nas_method_keys = {.fields = fields,
                                           .n_fields = sizeof fields / sizeof *fields};
