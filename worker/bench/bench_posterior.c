#include "worker/bench/bench_posterior.h"

#include "common/base/clock.h"
#include "common/base/rng.h"
#include "worker/bench/bench_read.h"
#include "worker/ranking/posterior.h"

#include <math.h>
#include <stdlib.h>

/* A search that has come to its last point but one. */
typedef struct bench {
    const nas_bench_posterior_options_t *options;
    nas_comm_t *self;
    nas_posterior_t *posterior;
    nas_bench_read_t read;
    int64_t *arch;  /* [n_points] */
    double *z;      /* [n_points] */
    double *row;    /* [n_points] of L */
    double *step_s; /* [n_repeats] */
    double *read_s; /* [n_repeats] */
    double incumbent;
} bench_t;

double nas_bench_posterior_row_bytes(const nas_bench_posterior_options_t *options)
{
    return 4.0 * (double)(options->n_metric + options->n_points) + NAS_BENCH_POSITIONS;
}

static nas_status_t allocate(bench_t *bench, nas_error_t *err)
{
    const nas_bench_posterior_options_t *options = bench->options;
    const nas_posterior_options_t posterior = {.n_arch = options->n_arch,
                                               .n_metric = options->n_metric,
                                               .n_position = NAS_BENCH_POSITIONS,
                                               .max_points = options->n_points,
                                               .memory_bytes = INT64_MAX};
    const size_t n_points = (size_t)options->n_points, n_repeats = (size_t)options->n_repeats;
    bench->arch = malloc(n_points * sizeof *bench->arch);
    bench->z = malloc(n_points * sizeof *bench->z);
    bench->row = malloc(n_points * sizeof *bench->row);
    bench->step_s = malloc(n_repeats * sizeof *bench->step_s);
    bench->read_s = malloc(n_repeats * sizeof *bench->read_s);
    if (!bench->arch || !bench->z || !bench->row || !bench->step_s || !bench->read_s)
        return nas_error_nomem(err, "the bench");
    nas_status_t status = nas_bench_read_init(
        &bench->read, options->n_arch * options->n_metric * (int64_t)sizeof(float), err);
    if (!status) status = nas_comm_self(&bench->self, err);
    if (!status) status = nas_posterior_create(bench->self, &posterior, &bench->posterior, err);
    return status;
}

/* Numbers like the ranks of a metric: sorting is not what is measured. */
static void fill_ranks(double *rank, int64_t n, nas_rng_t *rng)
{
    for (int64_t i = 0; i < n; i++) rank[i] = nas_rng_between(rng, 1.0, (double)n);
}

static nas_status_t load_pool(bench_t *bench, nas_error_t *err)
{
    const int64_t n = bench->options->n_arch;
    nas_rng_t rng;
    nas_rng_init(&rng, 0, NAS_STREAM_BENCH, 0);
    double *rank = malloc((size_t)n * sizeof *rank); /* its room holds the codes, too */
    if (!rank) return nas_error_nomem(err, "a synthetic metric");
    for (int64_t m = 0; m < bench->options->n_metric; m++) {
        fill_ranks(rank, n, &rng);
        nas_posterior_load_ranks(bench->posterior, rank);
    }
    uint8_t *code = (uint8_t *)rank;
    for (int64_t i = 0; i < n * NAS_BENCH_POSITIONS; i++) code[i] = (uint8_t)nas_rng_below(&rng, 5);
    nas_posterior_load_codes(bench->posterior, 0, n, code);
    nas_posterior_settle(bench->posterior);
    free(rank);
    return NAS_OK;
}

/* Point number i, at random, with a target near its prior mean. */
static nas_status_t append(bench_t *bench, int64_t i, nas_rng_t *rng, nas_error_t *err)
{
    double mean = 0;
    bench->arch[i] = (int64_t)nas_rng_below(rng, (uint64_t)bench->options->n_arch);
    const nas_status_t status =
        nas_posterior_append(bench->posterior, bench->arch[i], &mean, bench->row, err);
    if (status) return status;
    const double target = mean + nas_rng_normal(rng);
    double rest = target - mean;
    for (int64_t l = 0; l < i; l++) rest -= bench->row[l] * bench->z[l];
    bench->z[i] = rest / bench->row[i];
    if (i == 0 || target > bench->incumbent) bench->incumbent = target;
    return NAS_OK;
}

static void improve(bench_t *bench)
{
    const nas_posterior_query_t query = {.z = bench->z, .incumbent = bench->incumbent};
    nas_posterior_pick_t pick;
    int flag = 0;
    nas_posterior_improve(bench->posterior, &query, &flag, &pick);
}

/* All points, and a first sweep that makes their lines. */
static nas_status_t make_points(bench_t *bench, nas_error_t *err)
{
    nas_rng_t rng;
    nas_rng_init(&rng, 0, NAS_STREAM_BENCH, 1);
    nas_status_t status = NAS_OK;
    for (int64_t i = 0; !status && i < bench->options->n_points; i++)
        status = append(bench, i, &rng, err);
    if (!status) improve(bench);
    return status;
}

static nas_status_t time_step(bench_t *bench, double *seconds, nas_error_t *err)
{
    const int64_t last = bench->options->n_points - 1;
    nas_posterior_keep(bench->posterior, last);
    const double start = nas_clock_processor_s();
    const nas_status_t status =
        nas_posterior_append(bench->posterior, bench->arch[last], NULL, NULL, err);
    if (!status) improve(bench);
    *seconds = nas_clock_processor_s() - start;
    return status;
}

static nas_status_t measure(bench_t *bench, nas_bench_posterior_t *result, nas_error_t *err)
{
    const int64_t n = bench->options->n_repeats;
    nas_status_t status = NAS_OK;
    nas_posterior_use(bench->posterior, result->isa);
    for (int64_t r = 0; !status && r < n; r++) {
        bench->read_s[r] = nas_bench_read_s(&bench->read);
        status = time_step(bench, &bench->step_s[r], err);
    }
    if (status) return status;
    result->seconds = nas_bench_median(bench->step_s, n);
    result->read_bytes_per_s =
        nas_bench_read_rate(&bench->read, nas_bench_median(bench->read_s, n));
    return NAS_OK;
}

nas_status_t nas_bench_posterior(const nas_bench_posterior_options_t *options,
                                 nas_bench_posterior_t *result, int *n_result, nas_error_t *err)
{
    bench_t bench = {.options = options};
    nas_status_t status = allocate(&bench, err);
    if (!status) status = load_pool(&bench, err);
    if (!status) status = make_points(&bench, err);
    *n_result = 0;
    for (nas_isa_t isa = 0; !status && isa < NAS_ISA_COUNT; isa++) {
        if (!nas_isa_available(isa)) continue;
        result[*n_result].isa = isa;
        status = measure(&bench, &result[(*n_result)++], err);
    }
    nas_posterior_destroy(bench.posterior);
    nas_comm_destroy(bench.self);
    nas_bench_read_fini(&bench.read);
    free(bench.arch);
    free(bench.z);
    free(bench.row);
    free(bench.step_s);
    free(bench.read_s);
    return status;
}
