/* A pool with metrics, codes and targets, and a small search over it by the posterior, whose every
 * number is kept. Without Criterion: the MPI test runs it, too. */
#ifndef NAS_TESTS_UNIT_POSTERIOR_CASE_H
#define NAS_TESTS_UNIT_POSTERIOR_CASE_H

#include "common/base/rng.h"
#include "worker/ranking/posterior.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CASE_METRICS = 13, CASE_POSITIONS = 6, CASE_POINTS = 40 };

/** The same on all ranks. */
typedef struct posterior_case {
    int64_t n_arch;
    int64_t n_metric;
    int n_position;
    double *value; /**< [n_metric][n_arch] raw */
    uint8_t *code; /**< [n_arch][n_position] */
} posterior_case_t;

/** Metrics with ties, missing values, one that is constant and one with a single value; codes of
 *  which those of position 3 are all the same. */
static inline posterior_case_t case_create(int64_t n_arch, int64_t n_metric, int n_position)
{
    posterior_case_t pool = {n_arch, n_metric, n_position, NULL, NULL};
    nas_rng_t rng;
    nas_rng_init(&rng, 5, NAS_STREAM_BENCH, (uint64_t)n_arch);
    pool.value = malloc((size_t)(n_metric * n_arch + 1) * sizeof *pool.value);
    pool.code = malloc((size_t)(n_position * n_arch + 1));
    NAS_ASSERT(pool.value && pool.code);
    for (int64_t i = 0; i < n_arch; i++) {
        for (int p = 0; p < n_position; p++)
            pool.code[i * n_position + p] = p == 3 ? 2 : (uint8_t)nas_rng_below(&rng, 5);
        const double quality = nas_rng_normal(&rng);
        for (int64_t m = 0; m < n_metric; m++) {
            double x = quality * (double)(m % 3) + nas_rng_normal(&rng);
            if (m % 4 == 1) x = floor(2.0 * x);
            if (m == 5 && nas_rng_below(&rng, 4) == 0) x = nas_rng_below(&rng, 2) ? NAN : INFINITY;
            if (m == 6) x = -3.5;
            if (m == 7) x = i == n_arch / 2 ? 1.0 : NAN;
            pool.value[m * n_arch + i] = x;
        }
    }
    return pool;
}

static inline void case_destroy(posterior_case_t *pool)
{
    free(pool->value);
    free(pool->code);
}

/** Metrics of a case that a posterior keeps, where the pool has two architectures at least. */
static inline int64_t case_kept(const posterior_case_t *pool)
{
    return pool->n_metric < 7 ? pool->n_metric : pool->n_metric < 9 ? 6 : pool->n_metric - 2;
}

static inline nas_posterior_t *case_posterior(const posterior_case_t *pool, nas_comm_t *comm,
                                              int64_t memory_bytes)
{
    nas_error_t err = {0};
    nas_posterior_t *posterior = NULL;
    int64_t first = 0, n = 0;
    const nas_posterior_options_t options = {.n_arch = pool->n_arch,
                                             .n_metric = pool->n_metric,
                                             .n_position = pool->n_position,
                                             .max_points = CASE_POINTS,
                                             .memory_bytes = memory_bytes};
    NAS_ASSERT(nas_posterior_create(comm, &options, &posterior, &err) == NAS_OK);
    nas_posterior_shard(posterior, &first, &n);
    double *value = malloc((size_t)(n + 1) * sizeof *value);
    NAS_ASSERT(value);
    for (int64_t m = 0; m < pool->n_metric; m++) {
        memcpy(value, pool->value + m * pool->n_arch + first, (size_t)n * sizeof *value);
        NAS_ASSERT(nas_posterior_load(posterior, value, &err) == NAS_OK);
    }
    nas_posterior_load_codes(posterior, 0, n, pool->code + first * pool->n_position);
    nas_posterior_settle(posterior);
    free(value);
    return posterior;
}

/** Points as the leader knows them. */
typedef struct case_points {
    int64_t n;
    int64_t arch[CASE_POINTS];
    double mean[CASE_POINTS];
    double L[CASE_POINTS][CASE_POINTS];
    double t[CASE_POINTS]; /**< targets */
    double z[CASE_POINTS];
} case_points_t;

/** A target of an architecture. */
static inline double case_target(int64_t arch)
{
    nas_rng_t rng;
    nas_rng_init(&rng, 9, NAS_STREAM_BENCH, (uint64_t)arch);
    return nas_rng_normal(&rng);
}

static inline void case_append(nas_posterior_t *posterior, int64_t arch, case_points_t *points)
{
    nas_error_t err = {0};
    const int64_t n = points->n++;
    points->arch[n] = arch;
    points->t[n] = case_target(arch);
    NAS_ASSERT(nas_posterior_points(posterior) == n);
    NAS_ASSERT(nas_posterior_append(posterior, arch, &points->mean[n], points->L[n], &err) ==
               NAS_OK);
    double rest = points->t[n] - points->mean[n];
    for (int64_t l = 0; l < n; l++) rest -= points->L[n][l] * points->z[l];
    points->z[n] = rest / points->L[n][n];
}

static inline nas_posterior_query_t case_query(const case_points_t *points, double hidden)
{
    double incumbent = -INFINITY;
    for (int64_t i = 0; i < points->n; i++) incumbent = fmax(incumbent, points->t[i]);
    return (nas_posterior_query_t){points->z, incumbent, 3, hidden};
}

/** The leader's answer, on all ranks. */
static inline nas_posterior_pick_t case_improve(nas_posterior_t *posterior, nas_comm_t *comm,
                                                const case_points_t *points, double hidden)
{
    nas_posterior_pick_t pick = {-1, 0, 0};
    const nas_posterior_query_t query = case_query(points, hidden);
    int flag = 0;
    nas_posterior_improve(posterior, &query, &flag, &pick);
    NAS_ASSERT(flag == 0);
    nas_comm_bcast(comm, 0, &pick, sizeof pick);
    return pick;
}

static inline nas_posterior_learned_t case_learned(nas_posterior_t *posterior, nas_comm_t *comm,
                                                   const case_points_t *points, int64_t arch,
                                                   double correlation[CASE_METRICS])
{
    nas_error_t err = {0};
    const nas_posterior_query_t query = case_query(points, 0);
    nas_posterior_learned_t learned = {0, 0, correlation};
    int flag = 0;
    NAS_ASSERT(nas_posterior_learned(posterior, &query, arch, &flag, &learned, &err) == NAS_OK);
    nas_comm_bcast(comm, 0, &learned, sizeof learned);
    learned.correlation = correlation;
    return learned;
}

/** Every number of a search. Of unused places, 0. */
typedef struct case_trace {
    case_points_t points;
    nas_posterior_pick_t pick[CASE_POINTS];
    double mean[CASE_POINTS], std[CASE_POINTS]; /**< of an architecture after each step */
    double correlation[CASE_POINTS][CASE_METRICS];
} case_trace_t;

/** n steps from the points that there are on: each finds a pick and makes it a point, but one of
 *  six, which takes an architecture of no merit and looks only with the next. */
static inline void case_search(nas_posterior_t *posterior, nas_comm_t *comm, int64_t n_arch,
                               int64_t n, case_trace_t *trace)
{
    case_points_t *points = &trace->points;
    for (int64_t i = points->n; i < n; i++) {
        nas_posterior_pick_t *pick = &trace->pick[i];
        *pick = (nas_posterior_pick_t){(i * 7919 + 3) % n_arch, 0, 0};
        if (i % 6 != 2) *pick = case_improve(posterior, comm, points, i < 10 ? 0.1 : 0.0);
        if (pick->arch < 0) break;
        case_append(posterior, pick->arch, points);
        if (i % 5 != 4) continue;
        const nas_posterior_learned_t learned =
            case_learned(posterior, comm, points, i % n_arch, trace->correlation[i]);
        trace->mean[i] = learned.mean;
        trace->std[i] = learned.std;
    }
}

#endif
