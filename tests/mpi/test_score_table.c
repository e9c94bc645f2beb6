/* The score table at any number of ranks: every answer equals a brute force on the leader, whose
 * bits do not know of ranks. */
#include "common/base/rng.h"
#include "worker/ranking/normalise.h"
#include "worker/ranking/score.h"
#include "worker/ranking/score_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ARCH = 5000, MAX_LOADED = 100000, N_METRIC = 6, MAX_WEIGHTS = 4, MAX_K = 40 };

static const nas_transform_t TRANSFORMS[N_METRIC] = {NAS_TRANSFORM_NONE, NAS_TRANSFORM_LOG,
                                                     NAS_TRANSFORM_EXP,  NAS_TRANSFORM_RANK,
                                                     NAS_TRANSFORM_NONE, NAS_TRANSFORM_RANK};

/* Any rank may find it; the job then ends with the place. */
#define CHECK(condition)                                                                           \
    ((condition) ? (void)0 : nas_comm_abort(__FILE__ ": " #condition " does not hold"))

static double column[N_METRIC][MAX_ARCH];    /* raw, the same on all ranks */
static float normalised[N_METRIC][MAX_ARCH]; /* by brute force */

static int before(const void *a, const void *b)
{
    const nas_top_entry_t *x = a, *y = b;
    if (x->score > y->score) return -1;
    if (x->score < y->score) return 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Heavy ties in metrics 1, 3, 4 and 5, and one value in ten missing, NaN or infinite. */
static void draw_columns(int64_t n)
{
    nas_rng_t rng;
    nas_rng_init(&rng, 1, NAS_STREAM_BENCH, (uint64_t)n);
    for (int m = 0; m < N_METRIC; m++) {
        for (int64_t i = 0; i < n; i++) {
            const double x = nas_rng_between(&rng, -40.0, 80.0);
            column[m][i] = m == 0 || m == 2 ? x : floor(x / 20.0);
            const uint64_t kind = nas_rng_below(&rng, 30);
            if (kind == 0) column[m][i] = NAN;
            if (kind == 1) column[m][i] = INFINITY;
            if (kind == 2) column[m][i] = -INFINITY;
        }
        column[m][0] = 7.0; /* so that no metric is all missing, however small the pool */
    }
}

/* By definition: 1 + how many are smaller, and half of how many others are equal. Quadratic. */
static double brute_rank(const double *value, int64_t n, int64_t i)
{
    double rank = 1.0;
    for (int64_t j = 0; j < n; j++) {
        if (value[j] < value[i]) rank += 1.0;
        if (j != i && value[j] == value[i]) rank += 0.5;
    }
    return rank;
}

static double brute_transform(nas_transform_t transform, const double *value, int64_t n, int64_t i,
                              double max)
{
    switch (transform) {
    case NAS_TRANSFORM_LOG:
        return value[i] > 0 ? log(value[i]) : NAN;
    case NAS_TRANSFORM_EXP:
        return exp(value[i] - max);
    case NAS_TRANSFORM_RANK:
        return isnan(value[i]) ? NAN : brute_rank(value, n, i);
    case NAS_TRANSFORM_NONE:
        break;
    }
    return value[i];
}

static void brute_normalise(int m, int64_t n)
{
    static double raw[MAX_ARCH], value[MAX_ARCH];
    double max_raw = -INFINITY, min = INFINITY, max = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        raw[i] = isfinite(column[m][i]) ? column[m][i] : NAN;
        max_raw = fmax(max_raw, raw[i]);
    }
    for (int64_t i = 0; i < n; i++) {
        value[i] = brute_transform(TRANSFORMS[m], raw, n, i, max_raw);
        min = fmin(min, value[i]);
        max = fmax(max, value[i]);
    }
    for (int64_t i = 0; i < n; i++)
        normalised[m][i] =
            isnan(value[i]) || max == min ? 0.0F : (float)((value[i] - min) / (max - min));
}

static void brute_top(const double *weights, int64_t n, nas_top_entry_t *all)
{
    for (int64_t i = 0; i < n; i++) {
        double score = 0;
        for (int m = 0; m < N_METRIC; m++) score += weights[m] * (double)normalised[m][i];
        all[i] = (nas_top_entry_t){score, i};
    }
    qsort(all, (size_t)n, sizeof *all, before);
}

static nas_score_table_t *create(nas_comm_t *world, int64_t n_arch, int64_t n_metric)
{
    nas_error_t err = {0};
    nas_score_table_t *table = NULL;
    const nas_score_table_options_t options = {
        .n_arch = n_arch, .n_metric = n_metric, .max_places = MAX_WEIGHTS * MAX_K};
    CHECK(nas_score_table_create(world, &options, &table, &err) == NAS_OK);
    return table;
}

/* Every rank gives its shard of the values. */
static nas_status_t load_named(nas_score_table_t *table, int64_t metric, const double *values,
                               nas_transform_t transform, const char *name, nas_error_t *err)
{
    static double shard[MAX_LOADED];
    int64_t first = 0, n_rows = 0;
    nas_score_table_shard(table, &first, &n_rows);
    CHECK(n_rows <= MAX_LOADED);
    memcpy(shard, values + first, (size_t)n_rows * sizeof *shard);
    return nas_score_table_load(table, metric, shard, transform, name, err);
}

static nas_status_t load(nas_score_table_t *table, int64_t metric, const double *values,
                         nas_transform_t transform)
{
    nas_error_t err = {0};
    return load_named(table, metric, values, transform, "metric", &err);
}

static void check_values(const nas_score_table_t *table)
{
    int64_t first = 0, n_rows = 0;
    nas_score_table_shard(table, &first, &n_rows);
    for (int m = 0; m < N_METRIC; m++) {
        for (int64_t i = first; i < first + n_rows; i++)
            CHECK(nas_score_table_value(table, m, i) == normalised[m][i]);
    }
}

static void check_query(nas_comm_t *world, nas_score_table_t *table, const nas_score_query_t *query,
                        int64_t n_arch)
{
    static nas_top_entry_t all[MAX_ARCH];
    int64_t answer[MAX_WEIGHTS * MAX_K];
    double score[MAX_WEIGHTS * MAX_K];
    int flag = nas_comm_rank(world) + 1;
    nas_score_table_top(table, query, &flag, answer, score);
    if (nas_comm_rank(world) != 0) return;
    CHECK(flag == nas_comm_size(world));
    for (int64_t v = 0; v < query->n; v++) {
        brute_top(query->weights + v * N_METRIC, n_arch, all);
        for (int64_t at = 0; at < query->k; at++) {
            const int64_t place = v * query->k + at;
            CHECK(answer[place] == (at < n_arch ? all[at].index : -1));
            CHECK(at >= n_arch || memcmp(&score[place], &all[at].score, sizeof *score) == 0);
        }
    }
}

/* Weights of few values, zero and negative among them, so that rows tie across the borders of
 * shards. */
static void check_queries(nas_comm_t *world, nas_score_table_t *table, int64_t n_arch)
{
    static const int64_t places[] = {1, 2, 7, MAX_K};
    double weights[MAX_WEIGHTS * N_METRIC];
    nas_score_query_t query = {.weights = weights};
    nas_rng_t rng;
    nas_rng_init(&rng, 2, NAS_STREAM_BENCH, (uint64_t)n_arch);
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < MAX_WEIGHTS * N_METRIC; i++)
            weights[i] =
                round < 4 ? nas_rng_between(&rng, -1.0, 1.0) : (double)nas_rng_below(&rng, 3) - 1.0;
        query.n = 1 + round % MAX_WEIGHTS;
        query.k = places[(round + round / 4) % 4];
        check_query(world, table, &query, n_arch);
    }
    memset(weights, 0, sizeof weights); /* every row ties */
    check_query(world, table, &query, n_arch);
}

static void test_equals_brute_force(nas_comm_t *world, int64_t n_arch)
{
    draw_columns(n_arch);
    nas_score_table_t *table = create(world, n_arch, N_METRIC);
    for (int m = 0; m < N_METRIC; m++) {
        brute_normalise(m, n_arch);
        CHECK(load(table, m, column[m], TRANSFORMS[m]) == NAS_OK);
    }
    check_values(table);
    for (nas_isa_t isa = 0; isa < NAS_ISA_COUNT; isa++) {
        if (!nas_isa_available(isa)) continue;
        nas_score_table_use(table, isa);
        check_queries(world, table, n_arch);
    }
    nas_score_table_destroy(table);
}

/* Room for the best of q weight vectors, or for the T best of one: no more is asked. */
static void test_places_are_shared(nas_comm_t *world)
{
    enum { Q = 3, T = 60 };
    nas_error_t err = {0};
    nas_score_table_t *table = NULL;
    const double weights[Q * N_METRIC] = {1.0, 0.5, -0.5, 0.25};
    const nas_score_table_options_t options = {
        .n_arch = 100, .n_metric = N_METRIC, .max_places = T};
    draw_columns(options.n_arch);
    CHECK(nas_score_table_create(world, &options, &table, &err) == NAS_OK);
    for (int m = 0; m < N_METRIC; m++) {
        brute_normalise(m, options.n_arch);
        CHECK(load(table, m, column[m], TRANSFORMS[m]) == NAS_OK);
    }
    check_query(world, table, &(nas_score_query_t){.weights = weights, .n = Q, .k = 1},
                options.n_arch);
    check_query(world, table, &(nas_score_query_t){.weights = weights, .n = 1, .k = T},
                options.n_arch);
    nas_score_table_destroy(table);
}

static bool stops(void *n_asked, double share)
{
    (void)share;
    ++*(int *)n_asked;
    return true;
}

/* Each is asked once, and all hear that it was stopped. */
static void test_loading_is_interrupted(nas_comm_t *world)
{
    enum { N = MAX_LOADED };
    static double large[N];
    nas_error_t err = {0};
    nas_score_table_t *table = NULL;
    int n_asked = 0;
    const nas_interrupt_t interrupt = {.asked = stops, .context = &n_asked};
    const nas_score_table_options_t options = {
        .n_arch = N, .n_metric = 1, .max_places = 1, .interrupt = &interrupt};
    for (int i = 0; i < N; i++) large[i] = (double)(i * 7919 % N);
    CHECK(nas_score_table_create(world, &options, &table, &err) == NAS_OK);
    CHECK(load(table, 0, large, NAS_TRANSFORM_RANK) == NAS_ESTOP);
    CHECK(n_asked == 1);
    nas_score_table_destroy(table);
}

/* One metric whose normalised values are known. */
static void check_normalised(nas_comm_t *world, nas_transform_t transform, const double *raw,
                             const float *expected, int64_t n)
{
    nas_score_table_t *table = create(world, n, 1);
    CHECK(load(table, 0, raw, transform) == NAS_OK);
    int64_t first = 0, n_rows = 0;
    nas_score_table_shard(table, &first, &n_rows);
    for (int64_t i = first; i < first + n_rows; i++)
        CHECK(nas_score_table_value(table, 0, i) == expected[i]);
    nas_score_table_destroy(table);
}

static void test_normalisation_by_hand(nas_comm_t *world)
{
    const double plain[] = {2, NAN, 6, INFINITY, 4, -INFINITY};
    check_normalised(world, NAS_TRANSFORM_NONE, plain, (float[]){0, 0, 1, 0, 0.5F, 0}, 6);
    const double constant[] = {3, 3, NAN, 3};
    check_normalised(world, NAS_TRANSFORM_NONE, constant, (float[]){0, 0, 0, 0}, 4);
    const double positive[] = {1, 0, 100, 10, -5};
    check_normalised(world, NAS_TRANSFORM_LOG, positive, (float[]){0, 0, 1, 0.5F, 0}, 5);
    const double ties[] = {5, NAN, 1, 5, 9, 5};
    check_normalised(world, NAS_TRANSFORM_RANK, ties, (float[]){0.5F, 0, 0, 0.5F, 1, 0.5F}, 6);
    const double huge[] = {1e6, -1e6, NAN};
    check_normalised(world, NAS_TRANSFORM_EXP, huge, (float[]){1, 0, 0}, 3);
    const double widest[] = {1.7e308, -1.7e308, 0};
    check_normalised(world, NAS_TRANSFORM_NONE, widest, (float[]){1, 0, 0.5F}, 3);
}

/* Of a whole column, and of one that the ranks share. */
static void check_facts(nas_comm_t *world, nas_transform_t transform, const double raw[5],
                        nas_metric_facts_t facts)
{
    for (int shared = 0; shared < 2; shared++) {
        double value[5];
        int64_t first = 0, n = 5;
        if (shared) nas_comm_shard(5, nas_comm_rank(world), nas_comm_size(world), &first, &n);
        memcpy(value, raw + first, (size_t)n * sizeof *value);
        const nas_metric_facts_t found =
            nas_normalise_look(shared ? world : NULL, transform, value, n);
        CHECK(found.n_given == facts.n_given && found.n_left == facts.n_left);
        CHECK(found.is_constant == facts.is_constant);
    }
}

/* What is constant here is what normalisation makes 0 everywhere. */
static void test_facts_by_hand(nas_comm_t *world)
{
    const double mixed[] = {1, -2, NAN, 0, 3}, below[] = {-1, -2, -3, 0, NAN};
    const double constant[] = {-7, -7, NAN, -7, -7}, none[] = {NAN, NAN, INFINITY, NAN, NAN};
    const double one[] = {NAN, 5, NAN, NAN, NAN}, steep[] = {0, 1, 2, 3, 1e4};
    const double widest[] = {1.7e308, -1.7e308, 0, 0, 0}, close[] = {1e17, 1e17, 1e17, 1e17, 1e17};
    check_facts(world, NAS_TRANSFORM_NONE, mixed, (nas_metric_facts_t){4, 4, false});
    check_facts(world, NAS_TRANSFORM_LOG, mixed, (nas_metric_facts_t){4, 2, false});
    check_facts(world, NAS_TRANSFORM_LOG, below, (nas_metric_facts_t){4, 0, false});
    check_facts(world, NAS_TRANSFORM_NONE, constant, (nas_metric_facts_t){4, 4, true});
    check_facts(world, NAS_TRANSFORM_EXP, constant, (nas_metric_facts_t){4, 4, true});
    check_facts(world, NAS_TRANSFORM_RANK, constant, (nas_metric_facts_t){4, 4, true});
    check_facts(world, NAS_TRANSFORM_NONE, none, (nas_metric_facts_t){0, 0, false});
    check_facts(world, NAS_TRANSFORM_LOG, one, (nas_metric_facts_t){1, 1, true});
    check_facts(world, NAS_TRANSFORM_EXP, steep, (nas_metric_facts_t){5, 5, false});
    check_facts(world, NAS_TRANSFORM_NONE, widest, (nas_metric_facts_t){5, 5, false});
    check_facts(world, NAS_TRANSFORM_NONE, close, (nas_metric_facts_t){5, 5, true});
}

static void test_all_missing_fails_everywhere(nas_comm_t *world, nas_transform_t transform,
                                              double value)
{
    const double raw[] = {NAN, value, INFINITY};
    nas_error_t err = {0};
    nas_score_table_t *table = create(world, 3, 2);
    CHECK(load_named(table, 0, raw, transform, "snip", &err) == NAS_EINPUT);
    CHECK(
        strcmp(err.text, transform == NAS_TRANSFORM_LOG
                             ? "metric 'snip' has no value for any architecture after transform log"
                             : "metric 'snip' has no value for any architecture") == 0);

    /* The table is as it was and takes another column. */
    const double usable[] = {1, 2, 3};
    CHECK(load(table, 0, usable, NAS_TRANSFORM_NONE) == NAS_OK);
    int flag = 0;
    int64_t answer = -1;
    const nas_score_query_t query = {.weights = (double[]){1, 0}, .n = 1, .k = 1};
    nas_score_table_top(table, &query, &flag, &answer, NULL);
    CHECK(nas_comm_rank(world) != 0 || answer == 2);
    nas_score_table_destroy(table);
}

int main(void)
{
    nas_error_t err = {0};
    nas_comm_t *world = NULL;
    if (nas_comm_init(&world, &err) != NAS_OK) nas_comm_abort(err.text);
    const int64_t sizes[] = {1, 2, 3, 5, 17, 1500, MAX_ARCH};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        test_equals_brute_force(world, sizes[i]);
    test_places_are_shared(world);
    test_loading_is_interrupted(world);
    test_normalisation_by_hand(world);
    test_facts_by_hand(world);
    test_all_missing_fails_everywhere(world, NAS_TRANSFORM_NONE, -INFINITY);
    test_all_missing_fails_everywhere(world, NAS_TRANSFORM_LOG, -1.0);
    test_all_missing_fails_everywhere(world, NAS_TRANSFORM_EXP, NAN);
    test_all_missing_fails_everywhere(world, NAS_TRANSFORM_RANK, NAN);
    return nas_comm_finalize(world, 0);
}
