#include "common/base/isa.h"
#include "common/base/rng.h"
#include "worker/ranking/score.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 2100, MAX_METRICS = 13, MAX_WEIGHTS = 5, MAX_K = 64 };

/* Rows around the borders of tiles (16 rows) and of blocks (1024 rows). */
static const int64_t SIZES[] = {1, 2, 15, 16, 17, 63, 1023, 1024, 1025, 1040, 2048, 2049, MAX_ROWS};

enum { N_SIZES = sizeof SIZES / sizeof *SIZES };

/* What values and weights are drawn from. */
typedef enum kind {
    KIND_REAL, /* any value in [0, 1) and weight in [-1, 1) */
    KIND_TIES, /* few distinct values and weights, zeros and opposite weights among them */
    KIND_ZERO  /* weights 0 and -0: every row ties */
} kind_t;

typedef struct problem {
    float *tile;
    double weights[MAX_WEIGHTS * MAX_METRICS];
    nas_score_shard_t shard;
} problem_t;

static double draw_weight(nas_rng_t *rng, kind_t kind)
{
    if (kind == KIND_REAL) return nas_rng_between(rng, -1.0, 1.0);
    if (kind == KIND_TIES) return 0.5 * ((double)nas_rng_below(rng, 5) - 2.0);
    return nas_rng_below(rng, 2) == 0 ? 0.0 : -0.0;
}

static float draw_value(nas_rng_t *rng, kind_t kind)
{
    return kind == KIND_REAL ? (float)nas_rng_uniform(rng) : 0.5F * (float)nas_rng_below(rng, 3);
}

static void setup(problem_t *problem, int64_t n_rows, int64_t n_metric, kind_t kind)
{
    const size_t n_values = (size_t)(nas_score_tiles(n_rows) * NAS_SCORE_TILE * n_metric);
    problem->tile = aligned_alloc(NAS_SCORE_LINE, n_values * sizeof *problem->tile);
    cr_assert_not_null(problem->tile);
    memset(problem->tile, 0, n_values * sizeof *problem->tile);
    nas_rng_t rng;
    nas_rng_init(&rng, (uint64_t)kind, NAS_STREAM_BENCH, (uint64_t)(n_rows * 100 + n_metric));
    for (int64_t row = 0; row < n_rows; row++) {
        for (int64_t m = 0; m < n_metric; m++)
            problem->tile[nas_score_at(row, m, n_metric)] = draw_value(&rng, kind);
    }
    for (int i = 0; i < MAX_WEIGHTS * MAX_METRICS; i++)
        problem->weights[i] = draw_weight(&rng, kind);
    problem->shard = (nas_score_shard_t){
        .tile = problem->tile, .first = 1000, .n_rows = n_rows, .n_metric = n_metric};
}

static double naive_score(const problem_t *problem, const double *weights, int64_t row)
{
    const int64_t n_metric = problem->shard.n_metric;
    volatile double sum = 0; /* volatile: nothing is contracted or reordered */
    for (int64_t m = 0; m < n_metric; m++) {
        volatile double product =
            weights[m] * (double)problem->tile[nas_score_at(row, m, n_metric)];
        sum = sum + product;
    }
    return sum;
}

static int better_first(const void *a, const void *b)
{
    const nas_top_entry_t *x = a, *y = b;
    if (x->score > y->score) return -1;
    if (x->score < y->score) return 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* All rows, sorted. */
static void naive_order(const problem_t *problem, const double *weights, nas_top_entry_t *all)
{
    for (int64_t row = 0; row < problem->shard.n_rows; row++)
        all[row] =
            (nas_top_entry_t){naive_score(problem, weights, row), problem->shard.first + row};
    qsort(all, (size_t)problem->shard.n_rows, sizeof *all, better_first);
}

/* One instruction set, n weight vectors and k places against the naive answer, bit for bit. */
static void check_scan(const problem_t *problem, nas_isa_t isa, int64_t n, int64_t k)
{
    static nas_top_entry_t all[MAX_ROWS];
    nas_top_entry_t list[MAX_WEIGHTS * MAX_K];
    const nas_score_query_t query = {.weights = problem->weights, .n = n, .k = k};
    nas_score_scan(&problem->shard, nas_score_kernel(isa), &query, list);
    for (int64_t i = 0; i < n; i++) {
        naive_order(problem, problem->weights + i * problem->shard.n_metric, all);
        for (int64_t at = 0; at < k; at++) {
            const nas_top_entry_t *found = &list[i * k + at];
            if (at >= problem->shard.n_rows) {
                cr_assert_eq(found->index, -1, "place %d of %d rows is not empty", (int)at,
                             (int)problem->shard.n_rows);
                continue;
            }
            cr_assert_eq(found->index, all[at].index, "%s: place %d of weights %d",
                         nas_isa_name(isa), (int)at, (int)i);
            cr_assert_eq(memcmp(&found->score, &all[at].score, sizeof found->score), 0,
                         "%s: score of row %d", nas_isa_name(isa), (int)found->index);
        }
    }
}

Test(score_kernel, block_equals_a_naive_loop_bit_for_bit)
{
    for (int s = 0; s < N_SIZES; s++) {
        for (int64_t m = 1; m <= MAX_METRICS; m++) {
            problem_t problem;
            setup(&problem, SIZES[s], m, KIND_REAL);
            _Alignas(NAS_SCORE_LINE) static double score[MAX_ROWS + NAS_SCORE_TILE];
            for (nas_isa_t isa = 0; isa < NAS_ISA_COUNT; isa++) {
                if (!nas_isa_available(isa)) continue;
                const double best = nas_score_kernel(isa)->block(
                    problem.tile, nas_score_tiles(SIZES[s]), m, problem.weights, score);
                double largest =
                    SIZES[s] % NAS_SCORE_TILE == 0 ? -INFINITY : 0.0; /* rows that fill up */
                for (int64_t row = 0; row < SIZES[s]; row++) {
                    const double expected = naive_score(&problem, problem.weights, row);
                    cr_assert_eq(memcmp(&score[row], &expected, sizeof expected), 0);
                    if (expected > largest) largest = expected;
                }
                cr_assert(best == largest, "%s, %d rows", nas_isa_name(isa), (int)SIZES[s]);
            }
            free(problem.tile);
        }
    }
}

/* Every number of metrics, with the numbers of weight vectors and places going round besides. */
static void check_all(kind_t kind)
{
    static const int64_t places[] = {1, 2, 3, 20, MAX_K};
    for (int s = 0; s < N_SIZES; s++) {
        for (int64_t m = 1; m <= MAX_METRICS; m++) {
            problem_t problem;
            setup(&problem, SIZES[s], m, kind);
            for (nas_isa_t isa = 0; isa < NAS_ISA_COUNT; isa++) {
                if (nas_isa_available(isa))
                    check_scan(&problem, isa, 1 + (m + s) % MAX_WEIGHTS, places[m % 5]);
            }
            free(problem.tile);
        }
    }
}

Test(score_kernel, scan_finds_the_best_rows)
{
    check_all(KIND_REAL);
}

Test(score_kernel, ties_go_to_the_lower_index)
{
    check_all(KIND_TIES);
}

Test(score_kernel, rows_of_score_zero_tie_whatever_the_sign_of_the_weights)
{
    check_all(KIND_ZERO);
}

Test(score_kernel, every_number_of_places_and_weight_vectors)
{
    problem_t problem;
    setup(&problem, 1041, 6, KIND_TIES);
    for (int64_t k = 1; k <= MAX_K; k++) {
        for (int64_t n = 1; n <= MAX_WEIGHTS; n++) check_scan(&problem, nas_isa_best(), n, k);
    }
    free(problem.tile);
}

/* Every row enters the list, and leaves it but for the last. */
Test(score_kernel, rows_that_come_in_rising_order)
{
    problem_t problem;
    setup(&problem, MAX_ROWS, 1, KIND_REAL);
    for (int64_t row = 0; row < MAX_ROWS; row++)
        problem.tile[nas_score_at(row, 0, 1)] = (float)(row / 3) / (float)MAX_ROWS;
    problem.weights[0] = 0.5;
    problem.weights[1] = -0.5;
    for (int64_t k = 1; k <= MAX_K; k += 7) check_scan(&problem, nas_isa_best(), 2, k);
    free(problem.tile);
}

static bool stops(void *n_asked, double share)
{
    cr_assert(share > 0 && share < 1);
    ++*(int *)n_asked;
    return true;
}

/* The best row is the last one, which is not looked at any more. */
Test(score_kernel, a_scan_is_interrupted)
{
    problem_t problem;
    int n_asked = 0;
    nas_top_entry_t list[MAX_WEIGHTS];
    const nas_interrupt_t interrupt = {.asked = stops, .context = &n_asked};
    setup(&problem, MAX_ROWS, 1, KIND_REAL);
    for (int64_t row = 0; row < MAX_ROWS; row++)
        problem.tile[nas_score_at(row, 0, 1)] = (float)row / (float)MAX_ROWS;
    for (int i = 0; i < MAX_WEIGHTS; i++) problem.weights[i] = 1.0;
    const nas_score_query_t query = {
        .weights = problem.weights, .n = MAX_WEIGHTS, .k = 1, .interrupt = &interrupt};
    nas_score_scan(&problem.shard, nas_score_kernel(nas_isa_best()), &query, list);
    cr_assert_eq(n_asked, 1);
    cr_assert_lt(list[0].index, problem.shard.first + MAX_ROWS - 1);
    free(problem.tile);
}

Test(score_kernel, negative_scores_are_not_beaten_by_the_rows_that_fill_up_a_tile)
{
    problem_t problem;
    setup(&problem, 17, 2, KIND_REAL);
    problem.weights[0] = problem.weights[1] = -1.0;
    for (nas_isa_t isa = 0; isa < NAS_ISA_COUNT; isa++) {
        if (nas_isa_available(isa)) check_scan(&problem, isa, 1, 20);
    }
    free(problem.tile);
}

Test(score_kernel, an_empty_shard_has_empty_places_only)
{
    const double weight = 1.0;
    const nas_score_shard_t shard = {.n_metric = 1};
    const nas_score_query_t query = {.weights = &weight, .n = 1, .k = 2};
    nas_top_entry_t list[2] = {{1.0, 5}, {1.0, 6}};
    nas_score_scan(&shard, nas_score_kernel(NAS_ISA_PLAIN), &query, list);
    cr_assert_eq(list[0].index, -1);
    cr_assert_eq(list[1].index, -1);
}

Test(score_kernel, read_sees_every_word)
{
    enum { N_LINES = 30, N_WORDS = N_LINES * NAS_SCORE_LINE / 8 };
    _Alignas(NAS_SCORE_LINE) static uint64_t word[N_WORDS];
    for (nas_isa_t isa = 0; isa < NAS_ISA_COUNT; isa++) {
        if (!nas_isa_available(isa)) continue;
        for (int i = 0; i < N_WORDS; i++) {
            word[i] = UINT64_C(1) << i % 64;
            cr_assert_eq(nas_score_kernel(isa)->read(word, N_LINES), word[i], "%s, word %d",
                         nas_isa_name(isa), i);
            word[i] = 0;
        }
    }
}

Test(isa, the_best_is_the_largest_available)
{
    cr_assert(nas_isa_available(NAS_ISA_PLAIN));
    cr_assert(nas_isa_available(nas_isa_best()));
    for (nas_isa_t isa = nas_isa_best() + 1; isa < NAS_ISA_COUNT; isa++)
        cr_assert_not(nas_isa_available(isa));
}
