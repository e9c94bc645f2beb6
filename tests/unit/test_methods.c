/* What every method must do, whatever it is. */
#include "method_driver.h"

#include <math.h>

static const int64_t PARALLEL[] = {1, 3};

enum { N_PARALLEL = sizeof PARALLEL / sizeof PARALLEL[0] };

/* Runs all methods for all q and asserts what holds for each search; one_in_failed 0: none fails.
 */
static void check_all(int64_t budget, int one_in_failed)
{
    pool_t pool = pool_create(4, 3, 5);
    for (int64_t i = 0; one_in_failed > 0 && i < pool.n_arch; i++)
        pool.failed[i] = i % one_in_failed == 0;
    int n_method;
    const nas_method_t *const *method = nas_method_list(&n_method);
    for (int i = 0; i < n_method; i++)
        for (int j = 0; j < N_PARALLEL; j++) {
            const search_t search = {
                .method = method[i], .pool = &pool, .budget = budget, .parallel = PARALLEL[j]};
            trace_t trace = search_run(&search);
            cr_assert_eq(trace.n_distinct, budget, "%s, q = %d: %d distinct", method[i]->name,
                         (int)PARALLEL[j], (int)trace.n_distinct);
            cr_assert_geq(trace.n, budget);
            trace_destroy(&trace);
        }
    pool_destroy(&pool);
}

Test(methods, are_found_by_name)
{
    int n;
    const nas_method_t *const *list = nas_method_list(&n);
    cr_assert_geq(n, 5);
    for (int i = 0; i < n; i++) cr_assert_eq(nas_method_find(list[i]->name), list[i]);
    cr_assert_eq(nas_method_find(NAS_METHOD_DEFAULT), list[0]);
    cr_assert_null(nas_method_find("Robot"));
    cr_assert_null(nas_method_find(""));
}

Test(methods, say_what_they_need)
{
    int n_method;
    const nas_method_t *const *method = nas_method_list(&n_method);
    for (int i = 0; i < n_method; i++) {
        nas_method_need_t before = {0};
        for (int64_t budget = 1; budget <= 100000; budget *= 10) {
            const nas_method_setup_t setup = {
                .n_metric = 6, .n_arch = 200000, .budget = budget, .parallel = 1};
            const nas_method_need_t need = method[i]->need(&setup);
            cr_assert(need.seconds > before.seconds && need.n_bytes > before.n_bytes, "%s",
                      method[i]->name);
            cr_assert(isfinite(need.seconds) && isfinite(need.n_bytes));
            before = need;
        }
    }
    const nas_method_setup_t setup = {.n_metric = 6, .n_arch = 200000, .budget = 10000};
    const nas_method_need_t robot = nas_method_find("robot")->need(&setup);
    cr_assert_float_eq(robot.n_bytes, 20.0 * 1e8, 0.05 * 20.0 * 1e8);
    cr_assert(robot.seconds > 3600.0 && nas_method_find("rea")->need(&setup).seconds < 60.0);
}

Test(methods, evaluate_exactly_the_budget)
{
    check_all(10, 0);
}

Test(methods, evaluate_exactly_the_budget_where_some_fail)
{
    check_all(10, 3);
}

Test(methods, end_where_all_fail)
{
    check_all(10, 1);
}

Test(methods, work_with_a_budget_of_one)
{
    check_all(1, 0);
}

Test(methods, work_with_the_whole_pool_as_budget)
{
    pool_t pool = pool_create(3, 3, 5);
    int n_method;
    const nas_method_t *const *method = nas_method_list(&n_method);
    for (int i = 0; i < n_method; i++) {
        const search_t search = {
            .method = method[i], .pool = &pool, .budget = pool.n_arch, .parallel = 2};
        trace_t trace = search_run(&search);
        cr_assert_eq(trace.n_distinct, pool.n_arch, "%s", method[i]->name);
        trace_destroy(&trace);
    }
    pool_destroy(&pool);
}

Test(methods, work_with_more_at_once_than_the_budget)
{
    pool_t pool = pool_create(3, 3, 0);
    int n_method;
    const nas_method_t *const *method = nas_method_list(&n_method);
    for (int i = 0; i < n_method; i++) {
        const search_t search = {.method = method[i], .pool = &pool, .budget = 4, .parallel = 9};
        trace_t trace = search_run(&search);
        cr_assert_eq(trace.n_distinct, 4, "%s", method[i]->name);
        trace_destroy(&trace);
    }
    pool_destroy(&pool);
}

Test(methods, depend_on_the_seed_alone)
{
    pool_t pool = pool_create(4, 4, 5);
    int n_method;
    const nas_method_t *const *method = nas_method_list(&n_method);
    for (int i = 0; i < n_method; i++) {
        search_t search = {.method = method[i],
                           .pool = &pool,
                           .budget = 10,
                           .parallel = 1,
                           .seed = 7,
                           .hidden = 0.5};
        trace_t first = search_run(&search);
        trace_t again = search_run(&search);
        search.seed = 8;
        trace_t other = search_run(&search);
        cr_assert(traces_equal(&first, &again), "%s", method[i]->name);
        const bool seeded = strcmp(method[i]->name, "single") != 0;
        cr_assert_neq(traces_equal(&first, &other), seeded, "%s", method[i]->name);
        trace_destroy(&first);
        trace_destroy(&again);
        trace_destroy(&other);
    }
    pool_destroy(&pool);
}

Test(methods, go_on_after_a_restart_at_any_step)
{
    pool_t pool = pool_create(4, 3, 5);
    for (int64_t i = 0; i < pool.n_arch; i++) pool.failed[i] = i % 4 == 0;
    int n_method;
    const nas_method_t *const *method = nas_method_list(&n_method);
    for (int i = 0; i < n_method; i++)
        for (int j = 0; j < N_PARALLEL; j++) {
            search_t search = {
                .method = method[i], .pool = &pool, .budget = 11, .parallel = PARALLEL[j]};
            trace_t through = search_run(&search);
            search.replay = true;
            trace_t restarted = search_run(&search);
            cr_assert(traces_equal(&through, &restarted), "%s, q = %d", method[i]->name,
                      (int)PARALLEL[j]);
            trace_destroy(&through);
            trace_destroy(&restarted);
        }
    pool_destroy(&pool);
}

static bool count_down(void *context, double share)
{
    (void)share;
    int *left = context;
    return --*left < 0;
}

/* A search that is stopped at question number n of its method, and goes on as after a restart;
 * whether it was. */
static bool check_stopped(search_t search, int n, const trace_t *through)
{
    nas_error_t err = {0};
    nas_status_t status = NAS_OK;
    bool is_done = false;
    const nas_interrupt_t interrupt = {.asked = count_down, .context = &n};
    trace_t trace = trace_create(&search);
    search.interrupt = &interrupt;
    void *self = method_create(&search);
    while (!status && !is_done) status = search_try(&search, self, &trace, &is_done);
    search.method->destroy(self);
    search.interrupt = NULL;
    self = method_create(&search);
    must(search.method->tell(self, trace.result, trace.n, &err), &err);
    while (search_step(&search, self, &trace)) {
    }
    search.method->destroy(self);
    cr_assert(traces_equal(through, &trace), "%s, q = %d", search.method->name,
              (int)search.parallel);
    trace_destroy(&trace);
    return status == NAS_ESTOP;
}

Test(methods, go_on_where_they_were_stopped_at_any_question)
{
    pool_t pool = pool_create(3, 3, 5);
    int n_method;
    const nas_method_t *const *method = nas_method_list(&n_method);
    for (int i = 0; i < n_method; i++)
        for (int j = 0; j < N_PARALLEL; j++) {
            const search_t search = {
                .method = method[i], .pool = &pool, .budget = 6, .parallel = PARALLEL[j]};
            trace_t through = search_run(&search);
            int n = 0;
            while (check_stopped(search, n, &through)) n += n < 20 ? 1 : 17;
            cr_assert_gt(n, 3, "%s hears nothing", method[i]->name);
            trace_destroy(&through);
        }
    pool_destroy(&pool);
}

/* Every target that is finite is valid, and so is a difference of two that is not. */
Test(methods, work_with_targets_of_any_size)
{
    static const double size[] = {1e154, 1e200, 1.7e308, 1e-300, 5e-324};
    int n_method;
    const nas_method_t *const *method = nas_method_list(&n_method);
    for (int k = 0; k < 5; k++) {
        pool_t pool = pool_create(3, 3, 5);
        for (int64_t i = 0; i < pool.n_arch; i++)
            if (i % 3) pool.target[i] = i % 3 == 1 ? size[k] : -size[k];
        for (int i = 0; i < n_method; i++)
            for (int j = 0; j < N_PARALLEL; j++) {
                search_t search = {
                    .method = method[i], .pool = &pool, .budget = 12, .parallel = PARALLEL[j]};
                trace_t through = search_run(&search);
                cr_assert_eq(through.n_distinct, 12, "%s", method[i]->name);
                search.replay = true;
                trace_t restarted = search_run(&search);
                cr_assert(traces_equal(&through, &restarted), "%s", method[i]->name);
                trace_destroy(&through);
                trace_destroy(&restarted);
            }
        pool_destroy(&pool);
    }
}

Test(methods, single_takes_the_best_by_its_metric)
{
    pool_t pool = pool_create(4, 3, 0);
    const double unit[POOL_METRICS] = {1.0, 0.0, 0.0};
    int64_t top[12];
    pool_top(&pool, unit, 12, top);
    const search_t search = {
        .method = nas_method_find("single"), .pool = &pool, .budget = 12, .parallel = 5};
    trace_t trace = search_run(&search);
    cr_assert_eq(trace.n, 12);
    cr_assert_eq(trace.n_step, 3);
    cr_assert_eq(trace.n_frontier, 12);
    cr_assert_arr_eq(trace.best_weights, unit, sizeof unit);
    cr_assert_arr_eq(trace.frontier, top, sizeof top);
    for (int i = 0; i < 12; i++) {
        cr_assert_eq(trace.result[i].arch, top[i]);
        cr_assert_eq(trace.result[i].phase, NAS_PHASE_EXPLOIT);
        cr_assert_arr_eq(trace.result[i].weights, unit, sizeof unit);
    }
    trace_destroy(&trace);
    pool_destroy(&pool);
}

/* 3,000 searches of 6 from 24: each draw is uniform. Chi-square with 23 degrees of freedom exceeds
 * 60 in 4 of 100,000 tests. */
Test(methods, random_is_uniform_at_each_draw)
{
    enum { N_ARCH = 24, BUDGET = 6, N_SEED = 3000 };
    pool_t pool = pool_create(3, 3, 9);
    cr_assert_eq(pool.n_arch, N_ARCH);
    int count[BUDGET][N_ARCH] = {{0}};
    search_t search = {
        .method = nas_method_find("random"), .pool = &pool, .budget = BUDGET, .parallel = 2};
    for (search.seed = 0; search.seed < N_SEED; search.seed++) {
        trace_t trace = search_run(&search);
        for (int i = 0; i < BUDGET; i++) count[i][trace.result[i].arch]++;
        trace_destroy(&trace);
    }
    const double expected = (double)N_SEED / N_ARCH;
    for (int i = 0; i < BUDGET; i++) {
        double chi_square = 0.0;
        for (int a = 0; a < N_ARCH; a++)
            chi_square += (count[i][a] - expected) * (count[i][a] - expected) / expected;
        cr_assert_lt(chi_square, 60.0, "draw %d: %g", i, chi_square);
    }
    pool_destroy(&pool);
}

Test(methods, random_draws_the_same_for_every_parallel)
{
    pool_t pool = pool_create(4, 3, 0);
    search_t search = {
        .method = nas_method_find("random"), .pool = &pool, .budget = 20, .parallel = 1};
    trace_t alone = search_run(&search);
    search.parallel = 7;
    trace_t together = search_run(&search);
    cr_assert(traces_equal(&alone, &together));
    trace_destroy(&alone);
    trace_destroy(&together);
    pool_destroy(&pool);
}
