#include "coordinator/inputs/plan.h"

/* 2^24 float32 values, 64 MiB: below this a pool is small and every group keeps its own copy. */
static const int64_t small_pool_values = 1 << 24;

int64_t nas_plan_groups(int64_t asked, int64_t n_repeat, int64_t n_values, int n_ranks)
{
    int64_t n_groups = asked;
    if (n_groups == 0) n_groups = n_values <= small_pool_values ? n_repeat : 1;
    if (n_groups > n_repeat) n_groups = n_repeat;
    if (n_groups > n_ranks) n_groups = n_ranks;
    return n_groups;
}

int nas_plan_group_of(const nas_plan_t *plan, int rank, int n_ranks)
{
    return (int)((int64_t)rank * plan->n_groups / n_ranks);
}

nas_method_setup_t nas_plan_setup(const nas_plan_t *plan, uint64_t seed)
{
    return (nas_method_setup_t){.n_metric = plan->n_metric,
                                .n_arch = plan->n_arch,
                                .budget = plan->budget,
                                .parallel = plan->parallel,
                                .seed = seed,
                                .metric = plan->metric};
}
