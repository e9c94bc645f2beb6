/* REINFORCE: its policy by hand-computed numbers, then the search. */
#include "coordinator/search/methods/policy.h"
#include "method_driver.h"

#include <math.h>

static nas_policy_t policy_of(const pool_t *pool)
{
    nas_policy_t policy;
    nas_rng_t rng;
    nas_rng_init(&rng, 1, NAS_STREAM_REINFORCE, 0);
    nas_policy_init(&policy, pool->encoding, &rng);
    return policy;
}

Test(policy, has_only_choices_that_occur)
{
    const uint8_t code[3][2] = {{1, 0}, {3, 0}, {1, 5}};
    pool_t pool = pool_of(code[0], 3, 2);
    const nas_policy_t policy = policy_of(&pool);
    const nas_choices_t *choices = &policy.choices;
    cr_assert_eq(choices->n_position, 2);
    cr_assert_eq(choices->first[1], 2);
    cr_assert_eq(choices->first[2], 4);
    const uint8_t expected[] = {1, 3, 0, 5};
    cr_assert_arr_eq(choices->code, expected, sizeof expected);
    pool_destroy(&pool);
}

Test(policy, starts_near_uniform)
{
    pool_t pool = pool_create(3, 5, 0);
    const nas_policy_t policy = policy_of(&pool);
    for (int p = 0; p < 3; p++) {
        double probability[5], sum = 0.0;
        nas_policy_probabilities(&policy, p, probability);
        for (int i = 0; i < 5; i++) {
            cr_assert_float_eq(probability[i], 0.2, 2e-3);
            sum += probability[i];
        }
        cr_assert_float_eq(sum, 1.0, 1e-15);
    }
    for (int i = 0; i < 15; i++) cr_assert(policy.logit[i] != 0.0 && fabs(policy.logit[i]) < 5e-3);
    pool_destroy(&pool);
}

Test(policy, samples_by_its_probabilities)
{
    pool_t pool = pool_create(1, 3, 0);
    nas_policy_t policy = policy_of(&pool);
    policy.logit[0] = log(0.5);
    policy.logit[1] = log(0.2);
    policy.logit[2] = log(0.3);
    int count[3] = {0};
    nas_rng_t rng;
    nas_rng_init(&rng, 2, NAS_STREAM_REINFORCE, 0);
    for (int i = 0; i < 10000; i++) {
        uint8_t code;
        nas_policy_sample(&policy, &rng, &code);
        count[code]++;
    }
    cr_assert(abs(count[0] - 5000) < 250);
    cr_assert(abs(count[1] - 2000) < 200);
    cr_assert(abs(count[2] - 3000) < 230);
    pool_destroy(&pool);
}

/* Two choices of equal logits, choice 0 with reward 1, then choice 1 with reward 3.
 * Update 1: the baseline is the reward itself, the gradient 0, the step 0.
 * Update 2: baseline (0.9 * 0.1 * 1 + 0.1 * 3) / 0.19 = 0.39 / 0.19; advantage A = 3 - 0.39 / 0.19
 * = 0.18 / 0.19; gradients (p - chosen) A = A / 2 and -A / 2; m = 0.1 g, v = 0.001 g^2; corrected:
 * m / 0.19, v / (1 - 0.999^2). */
Test(policy, updates_as_computed_by_hand)
{
    pool_t pool = pool_create(1, 2, 0);
    nas_policy_t policy = policy_of(&pool);
    policy.logit[0] = policy.logit[1] = 0.25;
    const uint8_t zero = 0, one = 1;
    nas_policy_update(&policy, &zero, 1.0);
    cr_assert_float_eq(policy.logit[0], 0.25, 1e-12);
    cr_assert_float_eq(policy.logit[1], 0.25, 1e-12);
    nas_policy_update(&policy, &one, 3.0);
    const double g = 0.5 * 0.18 / 0.19;
    const double m = 0.1 * g / 0.19;
    const double v = 0.001 * g * g / (1.0 - 0.999 * 0.999);
    const double step = 0.01 * m / (sqrt(v) + 1e-8);
    cr_assert_float_eq(policy.logit[0], 0.25 - step, 1e-12);
    cr_assert_float_eq(policy.logit[1], 0.25 + step, 1e-12);
    cr_assert_gt(step, 0.005);
    pool_destroy(&pool);
}

/* What it learns does not depend on the unit of rewards, however large; and where a large one comes
 * after small ones, it goes on learning. */
Test(policy, learns_from_rewards_of_any_size)
{
    pool_t pool = pool_create(2, 3, 0);
    const double reward[] = {0.5, -1.0, 0.25, 1.0, 0.75};
    nas_policy_t policy[2] = {policy_of(&pool), policy_of(&pool)};
    nas_policy_t mixed = policy_of(&pool);
    for (int i = 0; i < 5; i++) {
        const uint8_t code[2] = {(uint8_t)(i % 3), (uint8_t)(i % 2)};
        nas_policy_update(&policy[0], code, ldexp(reward[i], 600));
        nas_policy_update(&policy[1], code, ldexp(reward[i], 1023));
        nas_policy_update(&mixed, code, i == 2 ? -1.7e308 : reward[i]);
    }
    for (int i = 0; i < 6; i++) {
        cr_assert_eq(policy[0].logit[i], policy[1].logit[i]);
        cr_assert(isfinite(mixed.logit[i]) && isfinite(mixed.m[i]) && isfinite(mixed.v[i]));
    }
    cr_assert_eq(policy[1].exponent, 1023);
    cr_assert_eq(mixed.exponent, 1024);
    const double before = mixed.logit[0];
    nas_policy_update(&mixed, (uint8_t[]){0, 0}, 1e308);
    cr_assert_gt(fabs(mixed.logit[0] - before), 1e-4);
    pool_destroy(&pool);
}

/* -log P(code) * A by central differences; the first update after a reward of 0 has A = 0.09 / 0.19
 * * reward. */
Test(policy, gradient_is_that_of_its_loss)
{
    pool_t pool = pool_create(2, 3, 0);
    nas_policy_t policy = policy_of(&pool);
    for (int i = 0; i < 6; i++) policy.logit[i] = 0.3 * i - 0.1 * i * i;
    const uint8_t code[2] = {2, 0};
    nas_policy_update(&policy, code, 0.0);
    nas_policy_t after = policy;
    nas_policy_update(&after, code, 2.0);
    const double advantage = 2.0 * 0.09 / 0.19, h = 1e-5;
    for (int i = 0; i < 6; i++) {
        double loss[2];
        for (int side = 0; side < 2; side++) {
            nas_policy_t moved = policy;
            double first[3], second[3];
            moved.logit[i] += side == 0 ? -h : h;
            nas_policy_probabilities(&moved, 0, first);
            nas_policy_probabilities(&moved, 1, second);
            loss[side] = -(log(first[code[0]]) + log(second[code[1]])) * advantage;
        }
        const double gradient = (loss[1] - loss[0]) / (2.0 * h);
        cr_assert_float_eq(after.m[i] / 0.1, gradient, 1e-8);
    }
    pool_destroy(&pool);
}

Test(policy, learns_the_best_choice)
{
    pool_t pool = pool_create(3, 4, 0);
    nas_policy_t policy = policy_of(&pool);
    nas_rng_t rng;
    nas_rng_init(&rng, 4, NAS_STREAM_REINFORCE, 1);
    for (int i = 0; i < 1500; i++) {
        uint8_t code[3];
        nas_policy_sample(&policy, &rng, code);
        nas_policy_update(&policy, code, (code[0] == 2) + (code[1] == 0) + (code[2] == 3));
    }
    const int best[3] = {2, 0, 3};
    for (int p = 0; p < 3; p++) {
        double probability[4];
        nas_policy_probabilities(&policy, p, probability);
        cr_assert_gt(probability[best[p]], 0.9, "position %d: %g", p, probability[best[p]]);
    }
    pool_destroy(&pool);
}

static search_t reinforce_search(const pool_t *pool, int64_t budget, int64_t parallel)
{
    return (search_t){.method = nas_method_find("reinforce"),
                      .pool = pool,
                      .budget = budget,
                      .parallel = parallel,
                      .seed = 3};
}

Test(reinforce, known_samples_are_observations)
{
    pool_t pool = pool_create(2, 3, 0);
    const search_t search = reinforce_search(&pool, 8, 1);
    trace_t trace = search_run(&search);
    cr_assert_gt(trace.n, 8);
    cr_assert_eq(trace.n_distinct, 8);
    trace_destroy(&trace);
    pool_destroy(&pool);
}

/* The policy can hardly sample 1 code of 12 in 12^8. */
Test(reinforce, ends_where_the_policy_misses_the_pool)
{
    uint8_t code[12][8];
    for (int i = 0; i < 12; i++) memset(code[i], i, sizeof code[i]);
    pool_t pool = pool_of(code[0], 12, 8);
    const search_t search = reinforce_search(&pool, 12, 3);
    trace_t trace = search_run(&search);
    cr_assert_eq(trace.n_distinct, 12);
    cr_assert_eq(trace.n, 12);
    trace_destroy(&trace);
    pool_destroy(&pool);
}

/* After a long row of known samples the one architecture that is left must come, whatever the
 * policy likes. */
Test(reinforce, ends_where_the_policy_has_settled)
{
    pool_t pool = pool_create(2, 3, 0);
    search_t search = reinforce_search(&pool, pool.n_arch, 1);
    for (search.seed = 0; search.seed < 10; search.seed++) {
        nas_error_t err = {0};
        void *self = method_create(&search);
        trace_t trace = trace_create(&search);
        while (trace.n_distinct < pool.n_arch - 1) cr_assert(search_step(&search, self, &trace));
        for (int i = 0; i < 1000; i++) must(search.method->tell(self, trace.result, 1, &err), &err);
        cr_assert(search_step(&search, self, &trace));
        cr_assert_eq(trace.n_distinct, pool.n_arch);
        search.method->destroy(self);
        trace_destroy(&trace);
    }
    pool_destroy(&pool);
}

/* One in five fails, among targets below 0: rewarded with 0 the failures would look best. */
Test(reinforce, a_failure_is_rewarded_with_the_lowest_target)
{
    enum { N_TOLD = 400 };
    pool_t pool = pool_create(3, 4, 0);
    const search_t search = reinforce_search(&pool, 40, 1);
    static nas_result_t a[N_TOLD], b[N_TOLD];
    for (int i = 0; i < N_TOLD; i++) {
        a[i] = b[i] = (nas_result_t){.arch = i % 10, .target = -1.0 - i % 5};
        if (i < 5 || i % 5 != 3) continue;
        a[i].failed = true;
        b[i].target = -5.0;
    }
    void *first = method_create(&search), *second = method_create(&search);
    trace_t trace_a = trace_create(&search), trace_b = trace_create(&search);
    nas_error_t err = {0};
    must(search.method->tell(first, a, N_TOLD, &err), &err);
    must(search.method->tell(second, b, N_TOLD, &err), &err);
    for (int i = 0; i < 30; i++) {
        cr_assert(search_step(&search, first, &trace_a));
        cr_assert(search_step(&search, second, &trace_b));
    }
    cr_assert(traces_equal(&trace_a, &trace_b));
    search.method->destroy(first);
    search.method->destroy(second);
    trace_destroy(&trace_a);
    trace_destroy(&trace_b);
    pool_destroy(&pool);
}
