#include "worker/bench/bench_rank.h"

#include "common/base/clock.h"
#include "common/base/rng.h"
#include "worker/bench/bench_posterior.h"
#include "worker/bench/bench_read.h"
#include "worker/ranking/score.h"
#include "worker/ranking/score_table.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

/* The queries that are timed: the paper's, a greedy one, and several weight vectors in a pass. */
typedef struct shape {
    int64_t n_weights;
    int64_t k;
} shape_t;

static const shape_t SHAPES[] = {{1, 1}, {1, 20}, {8, 1}};

enum { N_SHAPES = sizeof SHAPES / sizeof *SHAPES, MAX_WEIGHTS = 8, MAX_K = 20 };

/* Medians. The read bandwidth is measured anew beside every query, each read right before a pass,
 * so that both see the same neighbours on the memory bus. */
typedef struct result {
    nas_isa_t isa;
    shape_t shape;
    double seconds;
    double read_bytes_per_s;
} result_t;

typedef struct bench {
    const nas_bench_rank_options_t *options;
    nas_comm_t *self;
    nas_score_table_t *table;
    double *weights; /* MAX_WEIGHTS x n_metric */
    double *query_s; /* n_repeats */
    double *read_s;  /* n_repeats */
    nas_bench_read_t read;
    result_t result[NAS_ISA_COUNT * N_SHAPES];
    int n_result;
    nas_bench_posterior_options_t posterior;
    nas_bench_posterior_t step[NAS_ISA_COUNT];
    int n_step;
} bench_t;

/* Uniform values in [low, 1), a stream per `index`. */
static void fill(double *value, int64_t n, double low, int64_t index)
{
    nas_rng_t rng;
    nas_rng_init(&rng, 0, NAS_STREAM_BENCH, (uint64_t)index);
    for (int64_t i = 0; i < n; i++) value[i] = nas_rng_between(&rng, low, 1.0);
}

static nas_status_t load_pool(bench_t *bench, nas_error_t *err)
{
    const nas_bench_rank_options_t *options = bench->options;
    double *column = malloc((size_t)options->n_arch * sizeof *column);
    if (!column) return nas_error_nomem(err, "a synthetic metric");
    nas_status_t status = NAS_OK;
    for (int64_t m = 0; m < options->n_metric && status == NAS_OK; m++) {
        fill(column, options->n_arch, 0.0, m);
        status =
            nas_score_table_load(bench->table, m, column, NAS_TRANSFORM_NONE, "synthetic", err);
    }
    free(column);
    return status;
}

static nas_status_t create_table(bench_t *bench, nas_error_t *err)
{
    const nas_score_table_options_t options = {.n_arch = bench->options->n_arch,
                                               .n_metric = bench->options->n_metric,
                                               .max_places = MAX_WEIGHTS * MAX_K};
    nas_status_t status = nas_comm_self(&bench->self, err);
    if (status == NAS_OK)
        status = nas_score_table_create(bench->self, &options, &bench->table, err);
    if (status == NAS_OK) status = load_pool(bench, err);
    return status;
}

static nas_status_t allocate(bench_t *bench, nas_error_t *err)
{
    const nas_bench_rank_options_t *options = bench->options;
    const int64_t n_weights = MAX_WEIGHTS * options->n_metric;
    const int64_t n_bytes = options->n_arch * options->n_metric * (int64_t)sizeof(float);
    bench->weights = malloc((size_t)n_weights * sizeof *bench->weights);
    bench->query_s = malloc((size_t)options->n_repeats * sizeof *bench->query_s);
    bench->read_s = malloc((size_t)options->n_repeats * sizeof *bench->read_s);
    if (!bench->weights || !bench->query_s || !bench->read_s)
        return nas_error_nomem(err, "the bench");
    fill(bench->weights, n_weights, -1.0, options->n_metric);
    return nas_bench_read_init(&bench->read, n_bytes, err);
}

static double time_query(bench_t *bench, shape_t shape)
{
    int64_t answer[MAX_WEIGHTS * MAX_K];
    int flag = 0;
    const nas_score_query_t query = {.weights = bench->weights, .n = shape.n_weights, .k = shape.k};
    const double start = nas_clock_processor_s();
    nas_score_table_top(bench->table, &query, &flag, answer, NULL);
    return nas_clock_processor_s() - start;
}

static result_t measure_query(bench_t *bench, nas_isa_t isa, shape_t shape)
{
    const int64_t n = bench->options->n_repeats;
    nas_score_table_use(bench->table, isa);
    for (int64_t r = 0; r < n; r++) {
        bench->read_s[r] = nas_bench_read_s(&bench->read);
        bench->query_s[r] = time_query(bench, shape);
    }
    return (result_t){.isa = isa,
                      .shape = shape,
                      .seconds = nas_bench_median(bench->query_s, n),
                      .read_bytes_per_s =
                          nas_bench_read_rate(&bench->read, nas_bench_median(bench->read_s, n))};
}

static void measure_queries(bench_t *bench)
{
    for (nas_isa_t isa = 0; isa < NAS_ISA_COUNT; isa++) {
        if (!nas_isa_available(isa)) continue;
        for (int s = 0; s < N_SHAPES; s++)
            bench->result[bench->n_result++] = measure_query(bench, isa, SHAPES[s]);
    }
}

static double row_bytes(const bench_t *bench)
{
    return (double)bench->options->n_metric * sizeof(float);
}

static double rows_per_s(const bench_t *bench, const result_t *result)
{
    return (double)bench->options->n_arch / result->seconds;
}

static void print_table(const bench_t *bench, FILE *out)
{
    (void)fprintf(out,
                  "ranking %" PRId64 " architectures x %" PRId64
                  " metrics, %.0f bytes a row, one core\n\n"
                  "%-8s %8s %6s %10s %10s %12s %8s\n",
                  bench->options->n_arch, bench->options->n_metric, row_bytes(bench), "isa",
                  "weights", "top", "Mrows/s", "GB/s", "memory GB/s", "share %");
    for (int i = 0; i < bench->n_result; i++) {
        const result_t *result = &bench->result[i];
        const double rows = rows_per_s(bench, result);
        const double bytes = rows * row_bytes(bench);
        (void)fprintf(out, "%-8s %8" PRId64 " %6" PRId64 " %10.0f %10.1f %12.1f %8.0f\n",
                      nas_isa_name(result->isa), result->shape.n_weights, result->shape.k,
                      rows * 1e-6, bytes * 1e-9, result->read_bytes_per_s * 1e-9,
                      100.0 * bytes / result->read_bytes_per_s);
    }
}

static json_t *result_json(const bench_t *bench, const result_t *result)
{
    const double rows = rows_per_s(bench, result);
    const double bytes = rows * row_bytes(bench);
    return json_pack("{s:s, s:I, s:I, s:f, s:f, s:f, s:f, s:f}", "isa", nas_isa_name(result->isa),
                     "weights", (json_int_t)result->shape.n_weights, "top",
                     (json_int_t)result->shape.k, "seconds", result->seconds, "rows_per_s", rows,
                     "bytes_per_s", bytes, "read_bytes_per_s", result->read_bytes_per_s,
                     "share_of_bandwidth", bytes / result->read_bytes_per_s);
}

/* Seconds in which memory could be read as often as a step reads and writes it. */
static double stream_s(const bench_t *bench, const nas_bench_posterior_t *step)
{
    return nas_bench_posterior_row_bytes(&bench->posterior) * (double)bench->posterior.n_arch /
           step->read_bytes_per_s;
}

static void print_steps(const bench_t *bench, FILE *out)
{
    (void)fprintf(out,
                  "\na step of the posterior with %" PRId64 " points, %d positions, %.0f bytes a "
                  "row, one core\n\n%-8s %10s %12s %12s %8s\n",
                  bench->posterior.n_points, NAS_BENCH_POSITIONS,
                  nas_bench_posterior_row_bytes(&bench->posterior), "isa", "seconds", "memory GB/s",
                  "its bytes s", "times");
    for (int i = 0; i < bench->n_step; i++) {
        const nas_bench_posterior_t *step = &bench->step[i];
        const double floor_s = stream_s(bench, step);
        (void)fprintf(out, "%-8s %10.4f %12.1f %12.4f %8.2f\n", nas_isa_name(step->isa),
                      step->seconds, step->read_bytes_per_s * 1e-9, floor_s,
                      step->seconds / floor_s);
    }
}

static json_t *step_json(const bench_t *bench, const nas_bench_posterior_t *step)
{
    return json_pack("{s:s, s:I, s:i, s:f, s:f, s:f, s:f}", "isa", nas_isa_name(step->isa),
                     "points", (json_int_t)bench->posterior.n_points, "positions",
                     NAS_BENCH_POSITIONS, "seconds", step->seconds, "bytes_per_row",
                     nas_bench_posterior_row_bytes(&bench->posterior), "read_bytes_per_s",
                     step->read_bytes_per_s, "times_stream", step->seconds / stream_s(bench, step));
}

static nas_status_t print_json(const bench_t *bench, FILE *out, nas_error_t *err)
{
    json_t *queries = json_array();
    for (int i = 0; i < bench->n_result; i++)
        (void)json_array_append_new(queries, result_json(bench, &bench->result[i]));
    json_t *steps = json_array();
    for (int i = 0; i < bench->n_step; i++)
        (void)json_array_append_new(steps, step_json(bench, &bench->step[i]));
    const nas_bench_rank_options_t *options = bench->options;
    json_t *root =
        json_pack("{s:s, s:I, s:I, s:I, s:o, s:o}", "bench", "rank", "n_arch",
                  (json_int_t)options->n_arch, "n_metric", (json_int_t)options->n_metric,
                  "n_repeats", (json_int_t)options->n_repeats, "queries", queries, "steps", steps);
    if (!root) return nas_error_nomem(err, "the bench's report");
    (void)json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    (void)fputc('\n', out);
    json_decref(root);
    return NAS_OK;
}

static nas_status_t rank_pool(bench_t *bench, nas_error_t *err)
{
    nas_status_t status = allocate(bench, err);
    if (status == NAS_OK) status = create_table(bench, err);
    if (status == NAS_OK) measure_queries(bench);
    nas_score_table_destroy(bench->table);
    nas_comm_destroy(bench->self);
    nas_bench_read_fini(&bench->read);
    free(bench->weights);
    free(bench->query_s);
    free(bench->read_s);
    return status;
}

nas_status_t nas_bench_rank(const nas_bench_rank_options_t *options, FILE *out, bool json,
                            nas_error_t *err)
{
    bench_t bench = {
        .options = options,
        .posterior = {options->n_arch, options->n_metric, options->n_points, options->n_repeats}};
    nas_status_t status = rank_pool(&bench, err);
    if (status == NAS_OK)
        status = nas_bench_posterior(&bench.posterior, bench.step, &bench.n_step, err);
    if (status != NAS_OK) return status;
    if (json) {
        status = print_json(&bench, out, err);
    } else {
        print_table(&bench, out);
        print_steps(&bench, out);
    }
    if (status == NAS_OK && (fflush(out) != 0 || ferror(out)))
        status = nas_error_set(err, NAS_EIO, "the bench's report cannot be written");
    return status;
}
