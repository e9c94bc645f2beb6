/* The rules of RoBoT, against brute force over the trace of a search. */
#include "coordinator/search/bo/acquisition.h"
#include "coordinator/search/bo/gp.h"
#include "method_driver.h"

#include <math.h>

static search_t robot_search(const pool_t *pool, int64_t budget, int64_t parallel)
{
    return (search_t){.method = nas_method_find("robot"),
                      .pool = pool,
                      .budget = budget,
                      .parallel = parallel,
                      .seed = 10};
}

/* The weight vectors of the next query of a robot that was told these observations. */
static nas_query_t ask_after(void *self, const nas_result_t *result, int64_t n)
{
    nas_error_t err = {0};
    const nas_method_t *method = nas_method_find("robot");
    nas_query_t query;
    must(method->tell(self, result, n, &err), &err);
    must(method->ask(self, &query, &err), &err);
    return query;
}

static bool same_weights(const double *a, const double *b)
{
    for (int m = 0; m < POOL_METRICS; m++)
        if (a[m] != b[m]) return false;
    return true;
}

/* Does a robot told `a` look at the same place next as one told `b`? */
static bool same_next(const search_t *search, const nas_result_t *a, const nas_result_t *b,
                      int64_t n)
{
    void *first = method_create(search), *second = method_create(search);
    const nas_query_t query_a = ask_after(first, a, n), query_b = ask_after(second, b, n);
    cr_assert_eq(query_a.kind, NAS_QUERY_BEST);
    cr_assert_eq(query_b.kind, NAS_QUERY_BEST);
    const bool same = same_weights(query_a.weights, query_b.weights);
    search->method->destroy(first);
    search->method->destroy(second);
    return same;
}

static const double W[4][POOL_METRICS] = {
    {0.5, 0.25, -1.0}, {-0.5, 0.75, 0.0}, {1.0, -0.25, 0.125}, {-0.75, -0.5, 0.5}};

static nas_result_t observation(int i, double target, bool failed)
{
    return (nas_result_t){
        .arch = i, .target = target, .failed = failed, .phase = NAS_PHASE_EXPLORE, .weights = W[i]};
}

/* w* of these observations, which are the whole budget, is that of number `best`. */
static void check_best(const nas_result_t *result, int64_t n, int best)
{
    pool_t pool = pool_create(3, 3, 0);
    const search_t search = robot_search(&pool, n, 1);
    void *self = method_create(&search);
    const nas_query_t query = ask_after(self, result, n);
    cr_assert_eq(query.kind, NAS_QUERY_TOP);
    cr_assert_eq(query.n_weights, 1);
    cr_assert_eq(query.k, n);
    cr_assert(same_weights(query.weights, W[best]));
    search.method->destroy(self);
    pool_destroy(&pool);
}

Test(robot, best_weights_are_the_later_on_a_tie)
{
    const nas_result_t result[] = {observation(0, 0.4, false), observation(1, 0.9, false),
                                   observation(2, 0.9, false), observation(3, 0.1, false)};
    check_best(result, 4, 2);
}

Test(robot, best_weights_never_failed)
{
    const nas_result_t result[] = {observation(0, 0.4, false), observation(1, 5.0, true),
                                   observation(2, 0.1, false), observation(3, 0.4, true)};
    check_best(result, 4, 0);
}

Test(robot, best_weights_are_the_last_where_all_failed)
{
    const nas_result_t result[] = {observation(0, 5.0, true), observation(1, 0.0, true),
                                   observation(2, 1.0, true)};
    check_best(result, 3, 2);
}

Test(robot, a_failure_counts_as_the_lowest_target)
{
    pool_t pool = pool_create(3, 3, 0);
    const search_t search = robot_search(&pool, 8, 1);
    nas_result_t a[] = {observation(0, 99.0, true), observation(1, 0.6, false),
                        observation(2, 0.3, false), observation(3, 0.8, false)};
    nas_result_t b[4];
    memcpy(b, a, sizeof b);
    b[0] = observation(0, 0.3, false);
    cr_assert(same_next(&search, a, b, 4));
    b[0] = observation(0, 0.0, false);
    cr_assert_not(same_next(&search, a, b, 4));
    pool_destroy(&pool);
}

Test(robot, failures_alone_count_as_zero)
{
    pool_t pool = pool_create(3, 3, 0);
    const search_t search = robot_search(&pool, 8, 1);
    const nas_result_t a[] = {observation(0, 1.0, true), observation(1, 2.0, true)};
    const nas_result_t b[] = {observation(0, 0.0, false), observation(1, 0.0, false)};
    cr_assert(same_next(&search, a, b, 2));
    pool_destroy(&pool);
}

/* The second of two vectors chosen at once, after n observations, is what one at a time would
 * choose next, were the first told with this target. */
static void check_pending(const nas_result_t *result, int64_t n, double target)
{
    pool_t pool = pool_create(3, 3, 0);
    const search_t two = robot_search(&pool, 8, 2), one = robot_search(&pool, 8, 1);
    void *both = method_create(&two), *single = method_create(&one);
    const nas_query_t query = ask_after(both, result, n);
    cr_assert_eq(query.n_weights, 2);
    const nas_query_t first = ask_after(single, result, n);
    cr_assert(same_weights(first.weights, query.weights));
    const nas_result_t pending = {
        .target = target, .phase = NAS_PHASE_EXPLORE, .weights = query.weights};
    const nas_query_t second = ask_after(single, &pending, 1);
    cr_assert(same_weights(second.weights, query.weights + POOL_METRICS));
    two.method->destroy(both);
    one.method->destroy(single);
    pool_destroy(&pool);
}

Test(robot, pending_vectors_count_as_zero_where_nothing_is_known)
{
    check_pending(NULL, 0, 0.0);
}

/* The mean at the weights that come third, by the process that chose them. */
static double mean_at_third(const nas_result_t *result)
{
    nas_error_t err = {0};
    pool_t pool = pool_create(3, 3, 0);
    const search_t search = robot_search(&pool, 8, 1);
    void *self = method_create(&search);
    const nas_query_t query = ask_after(self, result, 2);
    const nas_matrix_view_t X = {W[0], 2, POOL_METRICS, POOL_METRICS};
    const nas_matrix_view_t third = {query.weights, 1, POOL_METRICS, POOL_METRICS};
    const double y[] = {result[0].target, result[1].target};
    double mean, std;
    nas_gp_t *gp = NULL;
    must(nas_gp_create(POOL_METRICS, 8, NULL, &gp, &err), &err);
    must(nas_gp_fit(gp, X, y, search.seed, 2, &err), &err);
    nas_gp_predict(gp, third, &mean, &std);
    nas_gp_destroy(gp);
    search.method->destroy(self);
    pool_destroy(&pool);
    return mean;
}

Test(robot, pending_vectors_count_with_the_mean)
{
    const nas_result_t result[] = {observation(0, 0.3, false), observation(1, 0.7, false)};
    check_pending(result, 2, mean_at_third(result));
}

Test(robot, vectors_of_one_step_differ)
{
    pool_t pool = pool_create(3, 3, 0);
    const search_t search = robot_search(&pool, 8, 4);
    const nas_result_t result[] = {observation(0, 0.3, false), observation(1, 0.7, false)};
    void *self = method_create(&search);
    const nas_query_t query = ask_after(self, result, 2);
    cr_assert_eq(query.n_weights, 4);
    for (int64_t i = 0; i < 4; i++)
        for (int64_t j = 0; j < i; j++)
            cr_assert_not(
                same_weights(query.weights + i * POOL_METRICS, query.weights + j * POOL_METRICS));
    search.method->destroy(self);
    pool_destroy(&pool);
}

Test(robot, grouping_of_observations_does_not_matter)
{
    pool_t pool = pool_create(4, 3, 0);
    const search_t search = robot_search(&pool, 8, 3);
    trace_t trace = search_run(&search);
    void *at_once = method_create(&search), *one_by_one = method_create(&search);
    for (int i = 0; i < 5; i++) (void)ask_after(one_by_one, trace.result + i, 1);
    const nas_query_t a = ask_after(at_once, trace.result, 6);
    const nas_query_t b = ask_after(one_by_one, trace.result + 5, 1);
    cr_assert_eq(a.n_weights, 2);
    cr_assert_eq(b.n_weights, 2);
    cr_assert(same_weights(a.weights, b.weights));
    cr_assert(same_weights(a.weights + POOL_METRICS, b.weights + POOL_METRICS));
    search.method->destroy(at_once);
    search.method->destroy(one_by_one);
    trace_destroy(&trace);
    pool_destroy(&pool);
}

enum { BUDGET = 15 };

/* Exploration: T observations of the best under their weights. */
static void check_exploration(const pool_t *pool, const trace_t *trace)
{
    for (int64_t i = 0; i < trace->n; i++)
        cr_assert_eq(trace->result[i].phase, i < BUDGET ? NAS_PHASE_EXPLORE : NAS_PHASE_EXPLOIT);
    for (int64_t i = 0; i < BUDGET; i++) {
        int64_t top;
        pool_top(pool, trace->result[i].weights, 1, &top);
        cr_assert_eq(trace->result[i].arch, top);
        for (int m = 0; m < POOL_METRICS; m++) {
            const double w = trace->result[i].weights[m];
            cr_assert(w >= -1.0 && w <= 1.0);
        }
    }
}

/* Exploitation: from the T best under w*, those that exploration had not, in order. */
static void check_exploitation(const pool_t *pool, const trace_t *trace)
{
    int64_t best = 0, at = BUDGET;
    for (int64_t i = 1; i < BUDGET; i++)
        if (trace->result[i].target >= trace->result[best].target) best = i;
    cr_assert(same_weights(trace->best_weights, trace->result[best].weights));
    int64_t top[BUDGET];
    pool_top(pool, trace->best_weights, BUDGET, top);
    cr_assert_eq(trace->n_frontier, BUDGET);
    cr_assert_arr_eq(trace->frontier, top, sizeof top);
    for (int64_t j = 0; j < BUDGET && at < trace->n; j++) {
        bool known = false;
        for (int64_t i = 0; i < BUDGET; i++) known |= trace->result[i].arch == top[j];
        if (known) continue;
        cr_assert_eq(trace->result[at].arch, top[j]);
        cr_assert(same_weights(trace->result[at].weights, trace->best_weights));
        at++;
    }
    cr_assert_eq(at, trace->n);
}

Test(robot, explores_then_exploits_as_the_paper)
{
    pool_t pool = pool_create(4, 4, 0);
    for (int64_t parallel = 1; parallel <= 3; parallel += 2) {
        const search_t search = robot_search(&pool, BUDGET, parallel);
        trace_t trace = search_run(&search);
        cr_assert_gt(trace.n, BUDGET, "nothing was left to exploit");
        check_exploration(&pool, &trace);
        check_exploitation(&pool, &trace);
        trace_destroy(&trace);
    }
    pool_destroy(&pool);
}

Test(robot, learns_the_frontier_where_exploration_spent_the_budget)
{
    pool_t pool = pool_create(3, 3, 0);
    const search_t search = robot_search(&pool, 1, 1);
    trace_t trace = search_run(&search);
    cr_assert_eq(trace.n, 1);
    cr_assert_eq(trace.n_step, 2);
    cr_assert_eq(trace.n_frontier, 1);
    cr_assert_eq(trace.frontier[0], trace.result[0].arch);
    trace_destroy(&trace);
    pool_destroy(&pool);
}

Test(robot, beats_random_on_an_easy_pool)
{
    pool_t pool = pool_create(5, 4, 0);
    double sum[2] = {0.0, 0.0};
    search_t search = robot_search(&pool, 12, 1);
    for (search.seed = 10; search.seed < 20; search.seed++)
        for (int i = 0; i < 2; i++) {
            search.method = nas_method_find(i == 0 ? "robot" : "random");
            trace_t trace = search_run(&search);
            sum[i] += trace_best(&trace);
            trace_destroy(&trace);
        }
    cr_assert_gt(sum[0] / 10.0, sum[1] / 10.0 + 0.1);
    pool_destroy(&pool);
}

/* ---- More than 300 observations ---- */

enum { N_MANY = 366 };

/* Observations anywhere, of a smooth target; some failed. */
static nas_result_t *many_observations(double *weights)
{
    nas_rng_t rng;
    nas_rng_init(&rng, 2, NAS_STREAM_BENCH, 0);
    nas_result_t *result = calloc(N_MANY, sizeof *result);
    cr_assert_not_null(result);
    for (int i = 0; i < N_MANY; i++) {
        double *w = weights + i * POOL_METRICS;
        for (int m = 0; m < POOL_METRICS; m++) w[m] = nas_rng_between(&rng, -1.0, 1.0);
        result[i] = (nas_result_t){.arch = i,
                                   .target = sin(2.0 * w[0]) + w[1] * w[2],
                                   .failed = i % 50 == 7,
                                   .phase = NAS_PHASE_EXPLORE,
                                   .weights = w};
    }
    return result;
}

/* The vector that comes after n observations, none failed, when the length scale is that of the
 * first n_fitted. */
static void expect_next(int64_t parallel, const nas_result_t *result, const double *weights,
                        int64_t n, int64_t n_fitted)
{
    nas_error_t err = {0};
    nas_gp_t *gp = NULL;
    pool_t pool = pool_create(4, 5, 0);
    const search_t search = robot_search(&pool, n + 1, parallel);
    double y[N_MANY], expected[POOL_METRICS];
    const nas_matrix_view_t fitted = {weights, n_fitted, POOL_METRICS, POOL_METRICS};
    const nas_matrix_view_t all = {weights, n, POOL_METRICS, POOL_METRICS};
    for (int64_t i = 0; i < n; i++) y[i] = result[i].target;
    must(nas_gp_create(POOL_METRICS, n, NULL, &gp, &err), &err);
    must(nas_gp_fit(gp, fitted, y, search.seed, (uint64_t)n_fitted, &err), &err);
    must(nas_gp_condition(gp, all, y, nas_gp_length_scale(gp), &err), &err);
    must(nas_ucb_maximise(gp, POOL_METRICS, search.seed, (uint64_t)n, expected, &err), &err);
    void *self = method_create(&search);
    const nas_query_t query = ask_after(self, result, n);
    cr_assert(same_weights(query.weights, expected), "after %d", (int)n);
    search.method->destroy(self);
    nas_gp_destroy(gp);
    pool_destroy(&pool);
}

Test(robot, beyond_300_observations_the_length_scale_is_that_of_the_first)
{
    double weights[N_MANY * POOL_METRICS];
    nas_result_t *result = many_observations(weights);
    for (int i = 0; i < N_MANY; i++) result[i].failed = false;
    expect_next(1, result, weights, 329, 300);
    expect_next(1, result, weights, 330, 330);
    expect_next(7, result, weights, 301, 294);
    expect_next(310, result, weights, 310, 300);
    free(result);
}

/* From before the threshold to beyond the next: one that goes on and ones that begin anew, told all
 * at once, choose the same, also where the lowest target changes, which failures enter with. */
static void check_restarts(const search_t *search, nas_result_t *result, int64_t first)
{
    const int64_t q = search->parallel;
    void *through = method_create(search);
    (void)ask_after(through, result, first);
    for (int64_t n = first; n < first + 3 * q; n += q) {
        if (n == first + q) result[n].target = -3.0;
        const nas_query_t a = ask_after(through, result + n, q);
        void *anew = method_create(search);
        const nas_query_t b = ask_after(anew, result, n + q);
        cr_assert_eq(a.n_weights, q);
        cr_assert_eq(b.n_weights, q);
        for (int64_t i = 0; i < q; i++)
            cr_assert(same_weights(a.weights + i * POOL_METRICS, b.weights + i * POOL_METRICS),
                      "vector %d after %d", (int)i, (int)(n + q));
        search->method->destroy(anew);
    }
    search->method->destroy(through);
}

Test(robot, goes_on_after_a_restart_beyond_300_observations)
{
    double weights[N_MANY * POOL_METRICS];
    nas_result_t *result = many_observations(weights);
    pool_t pool = pool_create(4, 5, 0);
    const search_t one = robot_search(&pool, N_MANY, 1), two = robot_search(&pool, N_MANY, 2);
    check_restarts(&one, result, 328);
    check_restarts(&two, result, 296);
    pool_destroy(&pool);
    free(result);
}

/* Multiplied by a power of two, targets lead to the same vectors, however large they are. */
Test(robot, large_targets_are_halved_until_their_squares_are_finite)
{
    pool_t pool = pool_create(3, 3, 0);
    const search_t search = robot_search(&pool, 8, 3);
    nas_result_t a[] = {observation(0, 1.0, false), observation(1, -0.6, false),
                        observation(2, 0.3, false), observation(3, 0.8, true)};
    for (int exponent = 501; exponent <= 1023; exponent += 174) {
        nas_result_t b[4];
        memcpy(b, a, sizeof b);
        for (int i = 0; i < 4; i++) b[i].target = ldexp(a[i].target, exponent);
        cr_assert(same_next(&search, a, b, 4), "2^%d", exponent);
    }
    pool_destroy(&pool);
}

/* Of T = 2: a third exploration, and an exploitation before the second. */
Test(robot, refuses_a_record_out_of_order)
{
    pool_t pool = pool_create(3, 3, 0);
    const search_t search = robot_search(&pool, 2, 1);
    const nas_result_t third[] = {observation(0, 1, false), observation(1, 1, false),
                                  observation(1, 1, false)};
    nas_result_t early[] = {observation(0, 1, false), observation(1, 1, false)};
    early[1].phase = NAS_PHASE_EXPLOIT;
    for (int i = 0; i < 2; i++) {
        nas_error_t err = {0};
        void *self = method_create(&search);
        cr_assert_eq(search.method->tell(self, i ? early : third, i ? 2 : 3, &err), NAS_EINPUT);
        cr_assert_not_null(strstr(err.text, "another search"));
        search.method->destroy(self);
    }
    pool_destroy(&pool);
}
