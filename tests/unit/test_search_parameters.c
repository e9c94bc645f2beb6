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
