/* Evolution: the population is kept again by the rules, beside the method. */
#include "method_driver.h"

#include <math.h>

static search_t rea_search(const pool_t *pool, int64_t budget, int64_t parallel)
{
    return (search_t){.method = nas_method_find("rea"),
                      .pool = pool,
                      .budget = budget,
                      .parallel = parallel,
                      .seed = 3};
}

static int distance(const pool_t *pool, int64_t a, int64_t b)
{
    const uint8_t *code_a = nas_encoding_at(pool->encoding, a);
    const uint8_t *code_b = nas_encoding_at(pool->encoding, b);
    int n = 0;
    for (int p = 0; p < pool->n_position; p++) n += code_a[p] != code_b[p];
    return n;
}

static double fitness(const nas_result_t *result)
{
    return result->failed ? -1.0 : result->target;
}

/* The best observation still alive below n, the earliest on a tie; it dies. */
static int64_t kill_best(const trace_t *trace, bool *dead, int64_t n)
{
    int64_t best = -1;
    for (int64_t i = 0; i < n; i++)
        if (!dead[i] && (best < 0 || fitness(&trace->result[i]) > fitness(&trace->result[best])))
            best = i;
    cr_assert_geq(best, 0);
    dead[best] = true;
    return best;
}

/* Every step after the first T/3 observations replaces the q best by one neighbour each. */
static void check_evolution(const pool_t *pool, int64_t budget, int64_t parallel)
{
    const search_t search = rea_search(pool, budget, parallel);
    trace_t trace = search_run(&search);
    cr_assert_eq(trace.n, budget);
    bool *dead = calloc((size_t)budget, sizeof *dead);
    cr_assert_not_null(dead);
    for (int64_t born = budget / 3; born < budget;) {
        const int64_t n = budget - born < parallel ? budget - born : parallel;
        for (int64_t i = 0; i < n; i++) {
            const int64_t parent = kill_best(&trace, dead, born);
            cr_assert_eq(distance(pool, trace.result[parent].arch, trace.result[born + i].arch), 1);
        }
        born += n;
    }
    free(dead);
    trace_destroy(&trace);
}

Test(rea, children_are_neighbours_of_the_best)
{
    pool_t pool = pool_create(4, 4, 7);
    check_evolution(&pool, 30, 1);
    check_evolution(&pool, 30, 3);
    pool_destroy(&pool);
}

Test(rea, earlier_ones_are_better_on_a_tie)
{
    pool_t pool = pool_create(4, 4, 7);
    for (int64_t i = 0; i < pool.n_arch; i++) pool.target[i] = floor(pool.target[i]);
    check_evolution(&pool, 30, 1);
    pool_destroy(&pool);
}

Test(rea, failed_ones_are_the_worst_parents)
{
    pool_t pool = pool_create(4, 4, 7);
    for (int64_t i = 0; i < pool.n_arch; i++) pool.failed[i] = i % 2 == 0;
    check_evolution(&pool, 30, 1);
    pool_destroy(&pool);
}

Test(rea, starts_with_draws_that_do_not_depend_on_parallel)
{
    pool_t pool = pool_create(4, 4, 0);
    search_t search = rea_search(&pool, 30, 1);
    trace_t alone = search_run(&search);
    search.parallel = 4;
    trace_t together = search_run(&search);
    for (int i = 0; i < 10; i++) cr_assert_eq(alone.result[i].arch, together.result[i].arch);
    trace_destroy(&alone);
    trace_destroy(&together);
    pool_destroy(&pool);
}

Test(rea, steps_take_no_more_than_the_population)
{
    pool_t pool = pool_create(4, 4, 0);
    const search_t search = rea_search(&pool, 10, 8); /* population 3 */
    trace_t trace = search_run(&search);
    cr_assert_eq(trace.n_step, 4); /* 3 drawn, then 3 + 3 + 1 */
    trace_destroy(&trace);
    pool_destroy(&pool);
}

/* Position 0 has 2 choices and position 1 has 5: uniform over positions, then over choices, changes
 * each half the time. 2,000 searches: 6 standard deviations are 134. */
Test(rea, mutates_positions_uniformly)
{
    enum { N_SEED = 2000 };
    uint8_t code[10][2];
    for (int i = 0; i < 10; i++) {
        code[i][0] = (uint8_t)(i % 2);
        code[i][1] = (uint8_t)(i / 2);
    }
    pool_t pool = pool_of(code[0], 10, 2);
    search_t search = rea_search(&pool, 2, 1);
    int n_first = 0, n_choice[5] = {0};
    for (search.seed = 0; search.seed < N_SEED; search.seed++) {
        trace_t trace = search_run(&search);
        const uint8_t *parent = code[trace.result[0].arch], *child = code[trace.result[1].arch];
        n_first += parent[0] != child[0];
        n_choice[(child[1] - parent[1] + 5) % 5]++;
        trace_destroy(&trace);
    }
    cr_assert_eq(n_first, n_choice[0]);
    cr_assert(abs(n_first - N_SEED / 2) < 134, "%d", n_first);
    for (int i = 1; i < 5; i++) cr_assert(abs(n_choice[i] - N_SEED / 8) < 89, "%d", n_choice[i]);
    pool_destroy(&pool);
}

/* No member of this pool has a neighbour in it. */
Test(rea, ends_where_nothing_can_be_mutated)
{
    uint8_t code[12][2];
    for (int i = 0; i < 12; i++) code[i][0] = code[i][1] = (uint8_t)i;
    pool_t pool = pool_of(code[0], 12, 2);
    for (int64_t parallel = 1; parallel <= 3; parallel += 2) {
        search_t search = rea_search(&pool, 12, parallel);
        trace_t through = search_run(&search);
        cr_assert_eq(through.n_distinct, 12);
        search.replay = true;
        trace_t restarted = search_run(&search);
        cr_assert(traces_equal(&through, &restarted));
        trace_destroy(&through);
        trace_destroy(&restarted);
    }
    pool_destroy(&pool);
}

Test(rea, refuses_the_record_of_another_search)
{
    pool_t pool = pool_create(4, 4, 0);
    search_t search = rea_search(&pool, 9, 1);
    trace_t trace = search_run(&search);
    search.seed = 4;
    void *self = method_create(&search);
    nas_error_t err = {0};
    cr_assert_eq(search.method->tell(self, trace.result, trace.n, &err), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "another search"));
    search.method->destroy(self);
    trace_destroy(&trace);
    pool_destroy(&pool);
}

Test(rea, refuses_a_record_of_more_than_its_budget)
{
    pool_t pool = pool_create(4, 4, 0);
    const search_t search = rea_search(&pool, 9, 1);
    trace_t trace = search_run(&search);
    void *self = method_create(&search);
    nas_error_t err = {0};
    must(search.method->tell(self, trace.result, trace.n, &err), &err);
    cr_assert_eq(search.method->tell(self, trace.result, 1, &err), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "another search"));
    search.method->destroy(self);
    trace_destroy(&trace);
    pool_destroy(&pool);
}
