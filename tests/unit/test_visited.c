#include "common/base/visited.h"

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

/* Rising, falling and mixed orders, against a plain list. */
Test(visited, numbers_members_in_the_order_of_adding)
{
    enum { N = 2000 };
    for (int order = 0; order < 3; order++) {
        nas_visited_t visited = {.n_arch = 3 * N};
        for (int64_t i = 0; i < N; i++) {
            const int64_t arch = 3 * (order == 0 ? i : order == 1 ? N - 1 - i : i * 7 % N);
            cr_assert_eq(nas_visited_find(&visited, arch), -1);
            cr_assert_eq(nas_visited_reserve(&visited, i + 1, NULL), NAS_OK);
            cr_assert(nas_visited_add(&visited, arch));
            cr_assert_eq(nas_visited_find(&visited, arch), i);
        }
        for (int64_t i = 0; i < N; i++) {
            const int64_t arch = 3 * (order == 0 ? i : order == 1 ? N - 1 - i : i * 7 % N);
            cr_assert_eq(nas_visited_find(&visited, arch), i);
            cr_assert_eq(nas_visited_find(&visited, arch + 1), -1);
        }
        nas_visited_fini(&visited);
    }
}

/* The architecture that number r of the non-members is, counted one by one. */
static int64_t non_member(const bool *is_member, int64_t r)
{
    int64_t arch = 0;
    for (;; arch++) {
        if (is_member[arch]) continue;
        if (r-- == 0) return arch;
    }
}

Test(visited, draws_by_the_members_alone)
{
    enum { N_ARCH = 400 };
    bool is_member[N_ARCH] = {false};
    nas_visited_t visited = create(N_ARCH, N_ARCH);
    for (uint64_t i = 0; i < N_ARCH; i++) {
        nas_rng_t rng, same;
        nas_rng_init(&rng, 3, NAS_STREAM_RANDOM, i);
        same = rng;
        const int64_t arch = nas_visited_draw(&visited, &rng);
        const int64_t r = (int64_t)nas_rng_below(&same, N_ARCH - i);
        cr_assert_eq(arch, non_member(is_member, r));
        cr_assert(nas_visited_add(&visited, arch));
        is_member[arch] = true;
    }
    nas_visited_fini(&visited);
}

/* The tree's depth, not the clock, shows that no order of adding makes it a list. */
static int64_t depth(const nas_visited_t *visited, int64_t i)
{
    if (i < 0) return 0;
    const int64_t below = depth(visited, visited->node[i].below);
    const int64_t above = depth(visited, visited->node[i].above);
    return 1 + (below > above ? below : above);
}

Test(visited, stays_shallow_where_architectures_come_in_order)
{
    enum { N = 100000 };
    nas_visited_t visited = create(N, N);
    for (int64_t i = 0; i < N; i++) cr_assert(nas_visited_add(&visited, i));
    cr_assert_eq(visited.node[visited.root].n, N);
    const int64_t found = depth(&visited, visited.root);
    cr_assert(found < 64, "depth %d", (int)found);
    nas_visited_fini(&visited);
}

Test(visited, cleared_is_empty_and_takes_members_anew)
{
    nas_visited_t visited = create(10, 3), zeroed = {0};
    for (int64_t i = 9; i > 6; i--) cr_assert(nas_visited_add(&visited, i));
    nas_visited_clear(&visited);
    cr_assert(visited.n == 0 && visited.capacity == 3 && !nas_visited_has(&visited, 9));
    cr_assert(nas_visited_add(&visited, 7) && nas_visited_add(&visited, 9));
    cr_assert(nas_visited_find(&visited, 9) == 1 && nas_visited_find(&visited, 8) == -1);
    nas_visited_clear(&zeroed);
    cr_assert_eq(zeroed.n, 0);
    nas_visited_fini(&visited);
}
