/* What follows from the rules of pool-gp. */
#include "pool_gp_case.h"

Test(pool_gp, evaluates_the_whole_pool_once)
{
    pool_t pool = pool_create(3, 5, 0);
    for (int64_t i = 0; i < pool.n_arch; i++) pool.failed[i] = i % 5 == 0;
    for (int i = 0; i < N_PARALLEL; i++) {
        search_t search = search_of(&pool, pool.n_arch, PARALLEL[i]);
        search.hidden = 0.5;
        trace_t trace = search_run(&search);
        cr_assert_eq(trace.n, pool.n_arch);
        cr_assert_eq(trace.n_distinct, pool.n_arch);
        cr_assert_eq(trace.n_step, 2 + (pool.n_arch - 2 + PARALLEL[i]) / PARALLEL[i]);
        trace_destroy(&trace);
    }
    pool_destroy(&pool);
}

Test(pool_gp, differs_by_seed_through_what_is_hidden)
{
    pool_t pool = pool_create(4, 4, 7);
    search_t search = search_of(&pool, 10, 1);
    trace_t first = search_run(&search);
    search.seed = 11;
    trace_t second = search_run(&search);
    cr_assert(traces_equal(&first, &second));
    trace_destroy(&second);
    search.hidden = 0.5;
    second = search_run(&search);
    search.seed = 12;
    trace_t third = search_run(&search);
    cr_assert_not(traces_equal(&second, &third));
    trace_destroy(&first);
    trace_destroy(&second);
    trace_destroy(&third);
    pool_destroy(&pool);
}

/* ... and hides nothing in a pool of fewer than 100. */
Test(pool_gp, hides_nothing_in_a_small_pool)
{
    pool_t pool = pool_create(2, 10, 100);
    cr_assert_eq(pool.n_arch, 99);
    search_t search = search_of(&pool, 10, 1);
    trace_t all = search_run(&search);
    search.hidden = 0.9;
    trace_t hiding = search_run(&search);
    cr_assert(traces_equal(&all, &hiding));
    trace_destroy(&all);
    trace_destroy(&hiding);
    pool_destroy(&pool);
}

/* The unit of the targets does not matter: multiplied by a power of two, whatever overflows, they
 * lead to the same picks. */
Test(pool_gp, takes_targets_in_any_unit)
{
    pool_t pool = pool_create(4, 3, 0);
    const search_t search = search_of(&pool, 25, 3);
    trace_t plain = search_run(&search);
    static const int exponent[] = {-1000, -300, 300, 1000};
    for (int k = 0; k < 4; k++) {
        pool_t scaled = pool_create(4, 3, 0);
        for (int64_t i = 0; i < pool.n_arch; i++)
            scaled.target[i] = ldexp(pool.target[i], exponent[k]);
        const search_t other = search_of(&scaled, 25, 3);
        trace_t trace = search_run(&other);
        cr_assert(traces_equal(&plain, &trace), "2^%d", exponent[k]);
        trace_destroy(&trace);
        pool_destroy(&scaled);
    }
    trace_destroy(&plain);
    pool_destroy(&pool);
}

static double mean_best(search_t search, int n_seeds)
{
    double sum = 0.0;
    for (search.seed = 0; search.seed < (uint64_t)n_seeds; search.seed++) {
        trace_t trace = search_run(&search);
        sum += trace_best(&trace) / n_seeds;
        trace_destroy(&trace);
    }
    return sum;
}

Test(pool_gp, beats_random_with_metrics_or_encoding)
{
    pool_t pool = pool_create(4, 4, 0);
    search_t search = search_of(&pool, 12, 1);
    search.hidden = 0.1;
    const double both = mean_best(search, 12);
    search.no_metrics = true;
    const double without_metrics = mean_best(search, 12);
    search.no_metrics = false;
    search.no_encoding = true;
    const double without_encoding = mean_best(search, 12);
    search.method = nas_method_find("random");
    const double random = mean_best(search, 12);
    cr_assert(both > random + 0.1 && without_metrics > random + 0.1 &&
                  without_encoding > random + 0.1,
              "%g %g %g, random %g", both, without_metrics, without_encoding, random);
    pool_destroy(&pool);
}

Test(pool_gp, is_random_where_it_has_neither_metrics_nor_positions)
{
    pool_t pool = pool_create(4, 4, 0);
    for (int i = 0; i < N_PARALLEL; i++) {
        search_t search = search_of(&pool, 20, PARALLEL[i]);
        search.no_metrics = search.no_encoding = true;
        search.hidden = 0.5;
        trace_t blind = search_run(&search);
        search.method = nas_method_find("random");
        trace_t random = search_run(&search);
        cr_assert(traces_equal(&blind, &random));
        cr_assert_eq(blind.n_step, random.n_step);
        cr_assert_eq(blind.n_learned, 0);
        trace_destroy(&blind);
        trace_destroy(&random);
    }
    pool_destroy(&pool);
}

/* Without metrics the first is drawn, by the key of the first pick, among those not hidden. */
Test(pool_gp, starts_with_a_draw_where_it_has_no_metrics)
{
    pool_t pool = pool_create(4, 4, 0);
    search_t search = search_of(&pool, 1, 1);
    search.no_metrics = true;
    search.hidden = 0.5;
    double sum = 0.0;
    for (search.seed = 0; search.seed < 200; search.seed++) {
        nas_rng_t rng;
        int64_t expected = 0;
        trace_t trace = search_run(&search);
        nas_rng_init(&rng, search.seed, NAS_STREAM_HEDGE, 0);
        (void)nas_rng_uniform(&rng);
        do expected = (int64_t)floor(nas_rng_uniform(&rng) * (double)pool.n_arch);
        while (nas_posterior_hides(search.seed, 0.5, expected));
        cr_assert_eq(trace.result[0].arch, expected);
        cr_assert_eq(trace.result[0].phase, NAS_PHASE_START);
        sum += (double)expected / 200.0;
        trace_destroy(&trace);
    }
    cr_assert_float_eq(sum, 128.0, 20.0);
    pool_destroy(&pool);
}

/* Half of the picks at most are drawn, and drawn uniformly: chi-square with 15 degrees of freedom
 * exceeds 45 in 8 of 100,000 tests. */
Test(pool_gp, hedges_uniformly)
{
    enum { N_BIN = 16 };
    pool_t pool = noise_pool();
    int count[N_BIN] = {0}, n_hedges = 0, n_others = 0;
    search_t search = search_of(&pool, 40, 4);
    for (search.seed = 0; search.seed < 30; search.seed++) {
        trace_t trace = search_run(&search);
        for (int64_t i = 10; i < trace.n; i++) {
            const bool is_hedge = trace.result[i].phase == NAS_PHASE_HEDGE;
            n_hedges += is_hedge;
            n_others += !is_hedge;
            count[trace.result[i].arch * N_BIN / pool.n_arch] += is_hedge;
        }
        trace_destroy(&trace);
    }
    double chi_square = 0.0;
    const double expected = (double)n_hedges / N_BIN;
    for (int i = 0; i < N_BIN; i++)
        chi_square += (count[i] - expected) * (count[i] - expected) / expected;
    cr_assert(n_hedges > 150 && n_hedges < n_others + 100, "%d hedges, %d others", n_hedges,
              n_others);
    cr_assert_lt(chi_square, 45.0, "%g", chi_square);
    pool_destroy(&pool);
}

/* ------------------------------------------------------------------------------ what it learned */

Test(pool_gp, learns_once_and_again_after_a_restart)
{
    nas_error_t err = {0};
    pool_t pool = pool_create(4, 4, 0);
    const search_t search = search_of(&pool, 25, 3);
    trace_t through = search_run(&search);
    cr_assert_eq(through.n_learned, 1);
    cr_assert_eq(through.n_step, 1 + 8 + 1);
    cr_assert(through.best_weights[0] > 0.5 && through.best_weights[2] < -0.2);
    cr_assert(fabs(through.best_weights[1]) < 0.4 && through.posterior_mean > 0.5);
    cr_assert(through.posterior_std > 0.05 && through.posterior_std < 0.5);
    trace_t again = trace_create(&search);
    void *self = method_create(&search);
    must(search.method->tell(self, through.result, through.n, &err), &err);
    while (search_step(&search, self, &again)) {
    }
    search.method->destroy(self);
    cr_assert_eq(again.n_learned, 1);
    cr_assert_eq(again.n, 0);
    cr_assert_arr_eq(again.best_weights, through.best_weights, sizeof again.best_weights);
    cr_assert_eq(again.posterior_mean, through.posterior_mean);
    cr_assert_eq(again.posterior_std, through.posterior_std);
    trace_destroy(&through);
    trace_destroy(&again);
    pool_destroy(&pool);
}

/* The best is the earliest of those with the highest target; failed ones are out of
 * the question. */
Test(pool_gp, asks_about_the_best)
{
    nas_error_t err = {0};
    nas_query_t query = {0};
    pool_t pool = pool_create(3, 3, 0);
    const search_t search = search_of(&pool, 4, 1);
    const nas_result_t result[] = {{.arch = 3, .target = 9.0, .failed = true},
                                   {.arch = 1, .target = -2.0},
                                   {.arch = 7, .target = -1.0},
                                   {.arch = 5, .target = -1.0}};
    posterior_model_t *model = posterior_of(&search);
    void *self = method_create(&search);
    must(search.method->tell(self, result, 4, &err), &err);
    must(search.method->ask(self, &query, &err), &err);
    while (query.kind == NAS_QUERY_APPEND) {
        nas_posterior_answer_t answer;
        model_answer(model, &query, search.seed, &answer);
        must(search.method->hear(self, &answer, &err), &err);
        must(search.method->ask(self, &query, &err), &err);
    }
    cr_assert_eq(query.kind, NAS_QUERY_LEARNED);
    cr_assert_eq(query.arch, 7);
    cr_assert_eq(query.n_points, 4);
    search.method->destroy(self);
    model_destroy(model);
    pool_destroy(&pool);
}

Test(pool_gp, learns_nothing_where_all_failed)
{
    pool_t pool = pool_create(3, 3, 0);
    for (int64_t i = 0; i < pool.n_arch; i++) pool.failed[i] = true;
    const search_t search = search_of(&pool, 15, 2);
    trace_t trace = search_run(&search);
    cr_assert_eq(trace.n_distinct, 15);
    cr_assert_eq(trace.n_learned, 0);
    trace_destroy(&trace);
    pool_destroy(&pool);
}

/* ------------------------------------------------------------------------------- long histories */

static bool at_once(void *context, double share)
{
    (void)context;
    (void)share;
    return true;
}

/* A million evaluations to come take no memory yet but for a few numbers each, and what is told can
 * be interrupted. */
Test(pool_gp, begins_small_and_can_be_interrupted)
{
    nas_error_t err = {0};
    void *self = NULL;
    const nas_method_t *method = nas_method_find("pool-gp");
    nas_interrupt_t interrupt = {0};
    const nas_method_setup_t setup = {.n_metric = 3,
                                      .n_arch = 100000000,
                                      .budget = 1000000,
                                      .parallel = 10000,
                                      .n_kept = 3,
                                      .interrupt = &interrupt};
    nas_result_t result[2] = {{.arch = 99999999, .target = 1.0}, {.arch = 0, .target = 2.0}};
    must(method->create(&setup, &self, &err), &err);
    must(method->tell(self, result, 2, &err), &err);
    interrupt.asked = at_once;
    cr_assert_eq(method->tell(self, result, 1, &err), NAS_ESTOP);
    nas_query_t query;
    cr_assert_eq(method->ask(self, &query, &err), NAS_ESTOP);
    method->destroy(self);
}

/* With its budget spent, and before. */
Test(pool_gp, refuses_a_record_that_names_one_twice)
{
    pool_t pool = pool_create(3, 3, 0);
    for (int64_t budget = 2; budget <= 4; budget += 2) {
        nas_error_t err = {0};
        const search_t search = search_of(&pool, budget, 1);
        const nas_result_t result[] = {{.arch = 3}, {.arch = 1}, {.arch = 3}};
        void *self = method_create(&search);
        cr_assert_eq(search.method->tell(self, result, 3, &err), NAS_EINPUT);
        search.method->destroy(self);
    }
    pool_destroy(&pool);
}
