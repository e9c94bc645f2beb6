#include "coordinator/search/search_needs.h"
#include "coordinator/search/search_parameters.h"

#include <criterion/criterion.h>

enum { SMALL = 9445 * 6, LARGE = 1 << 30 };

Test(search_parameters, small_pools_get_a_group_a_repeat)
{
    cr_assert_eq(nas_search_groups(0, 20, SMALL, 8), 8);
    cr_assert_eq(nas_search_groups(0, 3, SMALL, 8), 3);
    cr_assert_eq(nas_search_groups(0, 20, SMALL, 1), 1);
}

Test(search_parameters, large_pools_are_sharded_over_all_ranks)
{
    cr_assert_eq(nas_search_groups(0, 20, LARGE, 8), 1);
}

Test(search_parameters, what_is_asked_is_done_as_far_as_it_goes)
{
    cr_assert_eq(nas_search_groups(2, 20, LARGE, 8), 2);
    cr_assert_eq(nas_search_groups(50, 20, SMALL, 8), 8);
    cr_assert_eq(nas_search_groups(50, 4, SMALL, 8), 4);
}

Test(search_parameters, groups_are_contiguous_and_none_is_empty)
{
    for (int n_ranks = 1; n_ranks < 12; n_ranks++) {
        for (int64_t n_groups = 1; n_groups <= n_ranks; n_groups++) {
            const nas_search_parameters_t parameters = {.n_groups = n_groups};
            int previous = 0;
            cr_assert_eq(nas_search_group_of(&parameters, 0, n_ranks), 0);
            for (int rank = 1; rank < n_ranks; rank++) {
                const int group = nas_search_group_of(&parameters, rank, n_ranks);
                cr_assert(group == previous || group == previous + 1);
                previous = group;
            }
            cr_assert_eq(previous, n_groups - 1);
        }
    }
}

/* A job of 8 repeats of 10 evaluations each, two at a time, over a table of 1000 rows. */
static nas_search_needs_t needs_of(const char *method, int n_ranks)
{
    char *names[] = {"x", "y"};
    const nas_job_t job = {.metrics = {.names = {.at = names, .n = 2}},
                           .search = {.budget = 10, .repeats = 8, .parallel = 2}};
    const nas_search_inputs_t inputs = {.job = &job,
                                        .method = method ? nas_method_find(method) : NULL};
    const nas_pool_t pool = nas_pool_of_table(1000);
    return nas_search_needs(&inputs, &pool, n_ranks);
}

Test(search_parameters, a_search_needs_what_its_groups_do_at_a_time)
{
    const nas_search_needs_t one = needs_of("robot", 1), four = needs_of("robot", 4);
    cr_assert(one.n_groups == 1 && one.n_candidates == 2 && one.n_evaluations == 80);
    cr_assert(four.n_groups == 4 && four.n_candidates == 8 && four.n_evaluations == 80);
    cr_assert_float_eq(four.seconds, one.seconds / 4, 1e-12);
    cr_assert(one.shard_bytes == 4.0 * 1000 * 2 && four.shard_bytes == one.shard_bytes);
    cr_assert(four.method_bytes == one.method_bytes && one.method_bytes > 0);
}

Test(search_parameters, scoring_alone_needs_no_search)
{
    const nas_search_needs_t needs = needs_of(NULL, 4);
    cr_assert(needs.n_groups == 1 && needs.n_evaluations == 0 && needs.seconds == 0);
    cr_assert(needs.method_bytes == 0 && needs.shard_bytes == 1000 * 2);
}
