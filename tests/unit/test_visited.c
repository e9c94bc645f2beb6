#include "coordinator/visited.h"

#include <criterion/criterion.h>

static nas_visited_t create(int64_t n_arch, int64_t capacity)
{
    nas_error_t err = {0};
    nas_visited_t visited;
    cr_assert_eq(nas_visited_init(&visited, n_arch, capacity, &err), NAS_OK);
    return visited;
}

Test(visited, holds_what_was_added_in_any_order)
{
    nas_visited_t visited = create(100, 34);
    for (int64_t i = 0; i < 34; i++) cr_assert(nas_visited_add(&visited, (i * 3 * 7) % 102));
    cr_assert_not(nas_visited_add(&visited, 99));
    cr_assert_eq(visited.n, 34);
    for (int64_t i = 0; i < 100; i++) cr_assert_eq(nas_visited_has(&visited, i), i % 3 == 0);
    nas_visited_fini(&visited);
}

Test(visited, draws_every_other_architecture_and_only_those)
{
    nas_visited_t visited = create(10, 10);
    const int64_t member[] = {0, 1, 4, 8, 9};
    for (int i = 0; i < 5; i++) cr_assert(nas_visited_add(&visited, member[i]));
    int count[10] = {0};
    for (uint64_t i = 0; i < 1000; i++) {
        nas_rng_t rng;
        nas_rng_init(&rng, 5, NAS_STREAM_RANDOM, i);
        count[nas_visited_draw(&visited, &rng)]++;
    }
    for (int64_t i = 0; i < 10; i++) {
        if (nas_visited_has(&visited, i))
            cr_assert_eq(count[i], 0);
        else
            cr_assert(count[i] > 150 && count[i] < 250, "%d: %d", (int)i, count[i]);
    }
    nas_visited_fini(&visited);
}

Test(visited, draws_the_whole_pool_without_repeating)
{
    nas_visited_t visited = create(1000, 1000);
    nas_rng_t rng;
    nas_rng_init(&rng, 1, NAS_STREAM_RANDOM, 0);
    for (int i = 0; i < 1000; i++)
        cr_assert(nas_visited_add(&visited, nas_visited_draw(&visited, &rng)));
    nas_visited_fini(&visited);
}

Test(visited, needs_no_memory_for_the_pool)
{
    const int64_t n_arch = (int64_t)1 << 60;
    nas_visited_t visited = create(n_arch, 500);
    nas_rng_t rng;
    nas_rng_init(&rng, 1, NAS_STREAM_RANDOM, 0);
    int64_t n_upper = 0;
    for (int i = 0; i < 500; i++) {
        const int64_t arch = nas_visited_draw(&visited, &rng);
        cr_assert(nas_visited_add(&visited, arch));
        n_upper += arch >= n_arch / 2;
    }
    cr_assert(n_upper > 200 && n_upper < 300);
    nas_visited_fini(&visited);
}

Test(visited, copies)
{
    nas_visited_t from = create(10, 5), to = create(10, 5);
    cr_assert(nas_visited_add(&from, 3));
    cr_assert(nas_visited_add(&to, 7));
    nas_visited_copy(&to, &from);
    cr_assert(nas_visited_has(&to, 3));
    cr_assert_not(nas_visited_has(&to, 7));
    cr_assert(nas_visited_add(&to, 7));
    cr_assert_not(nas_visited_has(&from, 7));
    nas_visited_fini(&from);
    nas_visited_fini(&to);
}
