/* Drives a search method over a small pool in memory, as the run loop does, and keeps a trace of
 * it. */
#ifndef NAS_TESTS_METHOD_DRIVER_H
#define NAS_TESTS_METHOD_DRIVER_H

#include "common/base/rng.h"
#include "coordinator/search/methods/method.h"
#include "posterior_model.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { POOL_METRICS = 3, MAX_OBSERVATIONS = 50000 };

/** Every code of n_position positions with n_choice choices, but one of `drop_every`. */
typedef struct pool {
    int64_t n_arch;
    int n_position;
    double *metric; /**< [n_arch x POOL_METRICS]: the target with noise, noise, minus the target
                       with noise */
    double *target; /**< [n_arch] */
    bool *failed;   /**< [n_arch] */
    nas_encoding_t *encoding;
} pool_t;

static inline void must(nas_status_t status, const nas_error_t *err)
{
    cr_assert_eq(status, NAS_OK, "status %d: %s", (int)status, err->text);
}

/** The target is a sum of one term for each position and choice. */
static inline void pool_fill(pool_t *pool)
{
    nas_rng_t rng;
    nas_rng_init(&rng, 1, NAS_STREAM_BENCH, 0);
    double term[NAS_ENCODING_MAX_POSITIONS][NAS_ENCODING_MAX_CHOICES];
    for (int p = 0; p < pool->n_position; p++)
        for (int c = 0; c < NAS_ENCODING_MAX_CHOICES; c++) term[p][c] = nas_rng_uniform(&rng);
    for (int64_t i = 0; i < pool->n_arch; i++) {
        const uint8_t *code = nas_encoding_at(pool->encoding, i);
        for (int p = 0; p < pool->n_position; p++) pool->target[i] += term[p][code[p]];
        double *metric = pool->metric + i * POOL_METRICS;
        metric[0] = pool->target[i] + 0.3 * nas_rng_normal(&rng);
        metric[1] = nas_rng_normal(&rng);
        metric[2] = -pool->target[i] + nas_rng_normal(&rng);
    }
}

static inline pool_t pool_of(const uint8_t *code, int64_t n_arch, int n_position)
{
    nas_error_t err = {0};
    pool_t pool = {.n_arch = n_arch, .n_position = n_position};
    const nas_codes_t codes = {.code = code, .n = n_arch, .n_position = n_position};
    must(nas_encoding_from_codes(&codes, NULL, &pool.encoding, &err), &err);
    pool.metric = calloc((size_t)n_arch * POOL_METRICS, sizeof *pool.metric);
    pool.target = calloc((size_t)n_arch, sizeof *pool.target);
    pool.failed = calloc((size_t)n_arch, sizeof *pool.failed);
    cr_assert(pool.metric && pool.target && pool.failed);
    pool_fill(&pool);
    return pool;
}

static inline pool_t pool_create(int n_position, int n_choice, int drop_every)
{
    int64_t n_code = 1, n_arch = 0;
    for (int p = 0; p < n_position; p++) n_code *= n_choice;
    uint8_t *code = calloc((size_t)n_code, (size_t)n_position);
    cr_assert_not_null(code);
    for (int64_t i = 0; i < n_code; i++) {
        if (drop_every > 0 && i % drop_every == 0) continue;
        int64_t rest = i;
        for (int p = 0; p < n_position; p++, rest /= n_choice)
            code[n_arch * n_position + p] = (uint8_t)(rest % n_choice);
        n_arch++;
    }
    const pool_t pool = pool_of(code, n_arch, n_position);
    free(code);
    return pool;
}

static inline void pool_destroy(pool_t *pool)
{
    free(pool->metric);
    free(pool->target);
    free(pool->failed);
    nas_encoding_destroy(pool->encoding);
}

static inline double pool_score(const pool_t *pool, int64_t arch, const double *weights)
{
    double score = 0.0;
    for (int m = 0; m < POOL_METRICS; m++)
        score += weights[m] * pool->metric[arch * POOL_METRICS + m];
    return score;
}

/** The k best architectures under weights, ties to the lower index: k passes of brute force. top
 * [out] k. */
static inline void pool_top(const pool_t *pool, const double *weights, int64_t k, int64_t *top)
{
    bool *taken = calloc((size_t)pool->n_arch, sizeof *taken);
    cr_assert_not_null(taken);
    for (int64_t j = 0; j < k; j++) {
        top[j] = -1;
        for (int64_t i = 0; i < pool->n_arch; i++) {
            if (taken[i]) continue;
            if (top[j] < 0 || pool_score(pool, i, weights) > pool_score(pool, top[j], weights))
                top[j] = i;
        }
        taken[top[j]] = true;
    }
    free(taken);
}

/** One search to make. */
typedef struct search {
    const nas_method_t *method;
    const pool_t *pool;
    int64_t budget;
    int64_t parallel;
    uint64_t seed;
    bool replay; /**< after each step with observations, tell all of them at once to a new method */
    bool no_metrics;  /**< for the posterior */
    bool no_encoding; /**< likewise */
    double hidden;
    const nas_interrupt_t *interrupt; /**< the method's, or NULL */
} search_t;

/** What a search did. */
typedef struct trace {
    nas_result_t *result; /**< [n] */
    double *weights;      /**< [n x POOL_METRICS], pointed into by result */
    int64_t n;
    int64_t n_step;
    int64_t n_distinct;
    int64_t *frontier; /**< [n_frontier] */
    int64_t n_frontier;
    int n_learned; /**< steps that learned something: what follows */
    double best_weights[POOL_METRICS];
    double posterior_mean, posterior_std;
    bool *evaluated;              /**< [n_arch] */
    posterior_model_t *posterior; /**< that the method asks; NULL where it asks none */
} trace_t;

static inline void *method_create(const search_t *search)
{
    nas_error_t err = {0};
    void *self = NULL;
    const bool learns = search->method->has_posterior;
    const nas_method_setup_t setup = {
        .n_metric = search->method->needs_metrics || learns ? POOL_METRICS : 0,
        .n_arch = search->pool->n_arch,
        .budget = search->budget,
        .parallel = search->parallel,
        .seed = search->seed,
        .metric = search->method->needs_metric ? 0 : -1,
        .n_kept = learns && !search->no_metrics ? POOL_METRICS : 0,
        .n_position = learns && !search->no_encoding ? search->pool->n_position : 0,
        .hidden = search->hidden,
        .encoding = search->method->needs_encoding ? search->pool->encoding : NULL,
        .interrupt = search->interrupt,
    };
    must(search->method->create(&setup, &self, &err), &err);
    return self;
}

/** NULL where there is nothing to answer. The caller frees it. */
static inline int64_t *answer_to(const nas_query_t *query, const search_t *search)
{
    if (query->kind == NAS_QUERY_NONE) return NULL;
    cr_assert(query->kind == NAS_QUERY_BEST || query->kind == NAS_QUERY_TOP);
    if (query->kind == NAS_QUERY_BEST)
        cr_assert(query->k == 1 && query->n_weights <= search->parallel);
    else
        cr_assert(query->k <= search->budget && query->n_weights == 1);
    int64_t *answer = calloc((size_t)(query->n_weights * query->k), sizeof *answer);
    cr_assert_not_null(answer);
    for (int64_t i = 0; i < query->n_weights; i++)
        pool_top(search->pool, query->weights + i * POOL_METRICS, query->k, answer + i * query->k);
    return answer;
}

static inline void trace_append(trace_t *trace, const search_t *search,
                                const nas_proposals_t *proposals)
{
    cr_assert(proposals->n >= 0 && proposals->n <= search->parallel);
    for (int64_t i = 0; i < proposals->n; i++) {
        const int64_t arch = proposals->arch[i];
        cr_assert(arch >= 0 && arch < search->pool->n_arch);
        cr_assert_lt(trace->n, MAX_OBSERVATIONS);
        if (!trace->evaluated[arch]) trace->n_distinct++;
        trace->evaluated[arch] = true;
        double *weights = trace->weights + trace->n * POOL_METRICS;
        if (search->method->needs_metrics)
            memcpy(weights, proposals->weights + i * POOL_METRICS, POOL_METRICS * sizeof *weights);
        trace->result[trace->n++] = (nas_result_t){
            .arch = arch,
            .target = search->pool->target[arch],
            .failed = search->pool->failed[arch],
            .phase = (nas_phase_t)proposals->phase[i],
            .weights = search->method->needs_metrics ? weights : NULL,
        };
    }
    if (proposals->n_frontier > 0) trace->n_frontier = proposals->n_frontier;
    memcpy(trace->frontier, proposals->frontier,
           (size_t)proposals->n_frontier * sizeof *trace->frontier);
    if (!proposals->has_learned) return;
    trace->n_learned++;
    trace->posterior_mean = proposals->posterior_mean;
    trace->posterior_std = proposals->posterior_std;
    memcpy(trace->best_weights, proposals->best_weights, sizeof trace->best_weights);
}

/** The method's question, after all those that the posterior answers. */
static inline nas_status_t ask_until_answered(const search_t *search, void *self, trace_t *trace,
                                              nas_query_t *query)
{
    nas_error_t err = {0};
    nas_status_t status;
    while ((status = search->method->ask(self, query, &err)) == NAS_OK &&
           query->kind >= NAS_QUERY_APPEND) {
        nas_posterior_answer_t answer;
        cr_assert_not_null(trace->posterior);
        model_answer(trace->posterior, query, search->seed, &answer);
        must(search->method->hear(self, &answer, &err), &err);
    }
    if (status != NAS_ESTOP) must(status, &err);
    return status;
}

/** One step of the method, and whether it is done. NAS_ESTOP: it was interrupted. */
static inline nas_status_t search_try(const search_t *search, void *self, trace_t *trace,
                                      bool *is_done)
{
    nas_error_t err = {0};
    nas_query_t query;
    nas_status_t status = ask_until_answered(search, self, trace, &query);
    if (status) return status;
    *is_done = query.kind == NAS_QUERY_DONE;
    if (*is_done) return NAS_OK;
    int64_t *answer = answer_to(&query, search);
    nas_proposals_t proposals = {
        .arch = calloc((size_t)search->parallel, sizeof(int64_t)),
        .phase = calloc((size_t)search->parallel, sizeof(int64_t)),
        .weights = calloc((size_t)search->parallel * POOL_METRICS, sizeof(double)),
        .frontier = calloc((size_t)search->budget, sizeof(int64_t)),
        .best_weights = calloc(POOL_METRICS, sizeof(double)),
    };
    status = search->method->propose(self, answer, &proposals, &err);
    if (!status) {
        const int64_t before = trace->n;
        trace_append(trace, search, &proposals);
        trace->n_step++;
        status = search->method->tell(self, trace->result + before, trace->n - before, &err);
    }
    free(answer);
    free(proposals.arch);
    free(proposals.phase);
    free(proposals.weights);
    free(proposals.frontier);
    free(proposals.best_weights);
    if (status != NAS_ESTOP) must(status, &err);
    return status;
}

/** One step of a method that nobody interrupts; false when it is done. */
static inline bool search_step(const search_t *search, void *self, trace_t *trace)
{
    bool is_done = false;
    const nas_error_t err = {"interrupted"};
    must(search_try(search, self, trace, &is_done), &err);
    return !is_done;
}

static inline posterior_model_t *posterior_of(const search_t *search)
{
    const pool_t *pool = search->pool;
    if (!search->method->has_posterior) return NULL;
    return model_create(pool->metric, pool->n_arch, search->no_metrics ? 0 : POOL_METRICS,
                        search->no_encoding ? NULL : pool->encoding, search->budget);
}

static inline trace_t trace_create(const search_t *search)
{
    const trace_t trace = {
        .posterior = posterior_of(search),
        .result = calloc(MAX_OBSERVATIONS, sizeof *trace.result),
        .weights = calloc((size_t)MAX_OBSERVATIONS * POOL_METRICS, sizeof *trace.weights),
        .frontier = calloc((size_t)search->budget, sizeof *trace.frontier),
        .evaluated = calloc((size_t)search->pool->n_arch, sizeof *trace.evaluated),
    };
    cr_assert(trace.result && trace.weights && trace.frontier && trace.evaluated);
    return trace;
}

static inline void trace_destroy(trace_t *trace)
{
    free(trace->result);
    free(trace->weights);
    free(trace->frontier);
    free(trace->evaluated);
    model_destroy(trace->posterior);
}

/** The whole search. End with trace_destroy. */
static inline trace_t search_run(const search_t *search)
{
    nas_error_t err = {0};
    trace_t trace = trace_create(search);
    void *self = method_create(search);
    int64_t n_told = 0;
    while (search_step(search, self, &trace)) {
        if (!search->replay || trace.n == n_told) continue;
        n_told = trace.n;
        search->method->destroy(self);
        self = method_create(search);
        must(search->method->tell(self, trace.result, trace.n, &err), &err);
    }
    search->method->destroy(self);
    return trace;
}

/** Equal observations, weights to the bit? */
static inline bool traces_equal(const trace_t *a, const trace_t *b)
{
    if (a->n != b->n) return false;
    for (int64_t i = 0; i < a->n; i++)
        if (a->result[i].arch != b->result[i].arch || a->result[i].phase != b->result[i].phase)
            return false;
    return memcmp(a->weights, b->weights, (size_t)(a->n * POOL_METRICS) * sizeof *a->weights) == 0;
}

static inline double trace_best(const trace_t *trace)
{
    double best = -1.0;
    for (int64_t i = 0; i < trace->n; i++)
        if (!trace->result[i].failed && trace->result[i].target > best)
            best = trace->result[i].target;
    return best;
}

#endif
