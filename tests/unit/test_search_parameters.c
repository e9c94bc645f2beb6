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

/* Of a pool of 1000 with two metrics. */
Test(search_parameters, a_posterior_needs_its_points)
{
    const nas_search_needs_t one = needs_of("pool-gp", 1), robot = needs_of("robot", 1);
    cr_assert_eq(one.rows_bytes, 4.0 * 1000 * 10);
    cr_assert(one.shard_bytes >= robot.shard_bytes + one.rows_bytes);
    cr_assert(one.keeps_rows && one.rows_room == one.rows_bytes, "this machine has 40 kB");
    cr_assert(one.rows_seconds > 0 && one.rows_seconds < one.seconds);
    cr_assert(one.has_posterior && !robot.has_posterior && robot.rows_bytes == 0);
}

/* Rows of points count like metrics. */
Test(search_parameters, many_points_are_sharded_over_all_ranks)
{
    const nas_job_t job = {.search = {.budget = 1000, .repeats = 4, .parallel = 1}};
    const nas_search_inputs_t inputs = {.job = &job, .method = nas_method_find("pool-gp")};
    const nas_pool_t small = nas_pool_of_table(16000), large = nas_pool_of_table(17000);
    cr_assert_eq(nas_search_parameters(&inputs, &small, 8).n_groups, 4);
    cr_assert_eq(nas_search_parameters(&inputs, &large, 8).n_groups, 1);
}

/* A pool that no machine keeps the points of. */
Test(search_parameters, rows_that_do_not_fit_are_made_again)
{
    const int64_t n_arch = INT64_C(1) << 40;
    const nas_job_t job = {.search = {.budget = 100, .repeats = 1, .parallel = 1}};
    const nas_search_inputs_t inputs = {.job = &job, .method = nas_method_find("pool-gp")};
    const nas_pool_t pool = nas_pool_of_table(n_arch), half = nas_pool_of_table(n_arch / 2);
    const nas_search_needs_t needs = nas_search_needs(&inputs, &pool, 1);
    cr_assert(!needs.keeps_rows && needs.rows_room < needs.rows_bytes);
    cr_assert(needs.shard_bytes < needs.rows_bytes);
    cr_assert(needs.rows_seconds > 0 && needs.rows_seconds < 1);
    cr_assert_float_eq(nas_search_needs(&inputs, &half, 1).seconds, needs.seconds / 2,
                       1e-3 * needs.seconds);
}

Test(search_parameters, scoring_alone_needs_no_search)
{
    const nas_search_needs_t needs = needs_of(NULL, 4);
    cr_assert(needs.n_groups == 1 && needs.n_evaluations == 0 && needs.seconds == 0);
    cr_assert(needs.method_bytes == 0 && needs.shard_bytes == 1000 * 2);
}
