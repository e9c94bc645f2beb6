#include "worker/bench_score.h"

#include "common/clock.h"
#include "common/rng.h"
#include "worker/bench_floor.h"
#include "worker/scorer.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Mixed operations, few convolutions, and the heaviest of all cells. */
static const char *const TYPICAL[] = {
    "|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~"
    "2|",
    "|avg_pool_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_1x1~2|",
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~"
    "2|",
};

enum { N_TYPICAL = sizeof TYPICAL / sizeof *TYPICAL, COLOURS = 3, SIDE = 32, CLASSES = 10 };

/* All calls of one kind of work, convolutions of any shape. */
typedef struct kind {
    double n_calls;
    double seconds;
    double flops;
    double bytes;
    double floor_s;
} kind_t;

/* One architecture. Seconds are of one scoring. */
typedef struct result {
    const char *arch;
    double seconds;       /* everything included */
    double setup_s;       /* building, initialising and the metrics' own work: outside of runs */
    double arena_bytes;   /* of tensors */
    double flops;         /* of convolutions */
    double conv_floor_s;  /* see bench_floor.h */
    double other_floor_s; /* likewise */
    kind_t kind[NAS_WORK_COUNT];
} result_t;

typedef struct bench {
    const nas_bench_score_options_t *options;
    float *images;
    int32_t *labels;
    double *value; /* [n_metric] */
    double bytes_per_s;
    result_t result[N_TYPICAL];
    int n_results;
} bench_t;

/* ------------------------------------------------------------------------------- measure */

static nas_status_t make_batch(bench_t *bench, nas_error_t *err)
{
    const size_t n = (size_t)bench->options->batch, n_pixels = n * COLOURS * SIDE * SIDE;
    nas_rng_t rng;
    bench->images = malloc(n_pixels * sizeof *bench->images);
    bench->labels = malloc(n * sizeof *bench->labels);
    bench->value = malloc(((size_t)bench->options->n_metric + 1) * sizeof *bench->value);
    if (!bench->images || !bench->labels || !bench->value) return nas_error_nomem(err, "the bench");
    nas_rng_init(&rng, 0, NAS_STREAM_BENCH, 0);
    for (size_t i = 0; i < n_pixels; i++) bench->images[i] = (float)nas_rng_normal(&rng);
    for (size_t i = 0; i < n; i++) bench->labels[i] = (int32_t)nas_rng_below(&rng, CLASSES);
    return NAS_OK;
}

/* n_runs scorings after one to warm up; a profile gets the timed ones. */
static nas_status_t time_scoring(const bench_t *bench, nas_profile_t *profile, int n_runs,
                                 result_t *result, nas_error_t *err)
{
    const nas_bench_score_options_t *o = bench->options;
    const nas_scorer_options_t options = {
        .backend = o->backend,
        .network = {COLOURS, SIDE, SIDE, o->channels, o->cells, CLASSES, NAS_CONVENTION_SCORE},
        .metric = o->metric,
        .n_metric = o->n_metric,
        .batch = o->batch,
        .images = bench->images,
        .labels = bench->labels,
        .profile = profile};
    uint8_t operation[NAS_CELL_EDGES];
    nas_scorer_t *scorer = NULL;
    double begin = 0;
    if (!nas_space_nb201.parse(result->arch, operation))
        return nas_error_set(err, NAS_EARG, "bench: --arch '%s' is not %s", result->arch,
                             nas_space_nb201.forms);
    nas_status_t status = nas_scorer_create(&options, &scorer, err);
    for (int run = 0; !status && run <= n_runs; run++) {
        if (run == 1) {
            if (profile) *profile = (nas_profile_t){0};
            begin = nas_clock_monotonic_s();
        }
        status = nas_scorer_score(scorer, operation, result->arch, bench->value, err);
    }
    if (!status) {
        result->seconds = (nas_clock_monotonic_s() - begin) / n_runs;
        result->arena_bytes = (double)nas_scorer_arena_bytes(scorer);
    }
    nas_scorer_destroy(scorer);
    return status;
}

/* Entries of the profile, added up by kind. */
static void add_kinds(const nas_profile_t *profile, const nas_bench_floor_t *floor,
                      result_t *result)
{
    for (int i = 0; i < profile->n; i++) {
        const nas_profile_entry_t *entry = &profile->entry[i];
        kind_t *kind = &result->kind[entry->work];
        kind->n_calls += (double)entry->n_calls;
        kind->seconds += entry->seconds;
        kind->flops += entry->flops;
        kind->bytes += entry->bytes;
        kind->floor_s += floor->entry_s[i];
        result->flops += entry->flops;
        result->setup_s -= entry->seconds;
    }
}

static nas_status_t measure(bench_t *bench, const char *arch, nas_error_t *err)
{
    result_t *result = &bench->result[bench->n_results];
    result_t timed = {.arch = arch};
    nas_profile_t *profile = calloc(1, sizeof *profile);
    nas_bench_floor_t *floor = calloc(1, sizeof *floor);
    nas_status_t status = NAS_OK;
    if (!profile || !floor) status = nas_error_nomem(err, "the bench");
    result->arch = arch;
    if (!status) status = time_scoring(bench, NULL, bench->options->n_repeats, result, err);
    if (!status) status = time_scoring(bench, profile, 1, &timed, err);
    if (!status)
        status = nas_bench_floor(bench->options->backend, profile, bench->bytes_per_s, floor, err);
    if (!status) {
        result->setup_s = timed.seconds;
        result->conv_floor_s = floor->conv_s;
        result->other_floor_s = floor->memory_s;
        add_kinds(profile, floor, result);
        bench->n_results++;
    }
    free(profile);
    free(floor);
    return status;
}

/* --------------------------------------------------------------------------------- print */

static double floor_s(const result_t *result)
{
    return result->conv_floor_s + result->other_floor_s;
}

static void print_row(const char *name, const kind_t *kind, double share_of, FILE *out)
{
    (void)fprintf(out, "  %-22s %7.0f %9.2f %7.1f %9.2f %10.1f %8.1f\n", name, kind->n_calls,
                  1e3 * kind->seconds, 100.0 * kind->seconds / share_of, 1e3 * kind->floor_s,
                  kind->seconds > 0 ? 1e-9 * kind->flops / kind->seconds : 0.0,
                  kind->seconds > 0 ? 1e-9 * kind->bytes / kind->seconds : 0.0);
}

static void print_result(const result_t *result, FILE *out)
{
    const kind_t setup = {.n_calls = 1, .seconds = result->setup_s};
    double timed_s = result->setup_s;
    for (int w = 0; w < NAS_WORK_COUNT; w++) timed_s += result->kind[w].seconds;
    (void)fprintf(out,
                  "\n%s\n  %.3f architectures/s, %.1f ms each; %.1f GFLOP of convolutions, %.1f "
                  "GFLOP/s; arena %.0f MiB\n"
                  "  floor %.1f ms = %.1f ms of convolutions + %.1f ms of memory; %.2f times the "
                  "floor\n",
                  result->arch, 1.0 / result->seconds, 1e3 * result->seconds, 1e-9 * result->flops,
                  1e-9 * result->flops / result->seconds, result->arena_bytes / (1 << 20),
                  1e3 * floor_s(result), 1e3 * result->conv_floor_s, 1e3 * result->other_floor_s,
                  result->seconds / floor_s(result));
    (void)fprintf(out, "  %-22s %7s %9s %7s %9s %10s %8s\n", "work", "calls", "ms", "share %",
                  "floor ms", "GFLOP/s", "GB/s");
    for (nas_work_t w = 0; w < NAS_WORK_COUNT; w++)
        if (result->kind[w].n_calls > 0)
            print_row(nas_work_name(w), &result->kind[w], timed_s, out);
    print_row("outside of runs", &setup, timed_s, out);
}

static void print_table(const bench_t *bench, FILE *out)
{
    const nas_bench_score_options_t *o = bench->options;
    (void)fprintf(
        out,
        "scoring on one core: backend %s, batch %d, %d channels, %d cells a stage, %d "
        "metrics\n\n"
        "floor = sum over shapes and passes of convolutions of FLOP / (FLOP/s of that "
        "pass alone)\n"
        "      + bytes of all other operations / %.1f GB/s, the measured read bandwidth\n",
        o->backend->name, o->batch, o->channels, o->cells, o->n_metric, 1e-9 * bench->bytes_per_s);
    for (int i = 0; i < bench->n_results; i++) print_result(&bench->result[i], out);
}

static json_t *work_json(const result_t *result)
{
    json_t *work = json_array();
    for (nas_work_t w = 0; w < NAS_WORK_COUNT; w++) {
        const kind_t *kind = &result->kind[w];
        if (kind->n_calls > 0)
            (void)json_array_append_new(
                work, json_pack("{s:s, s:I, s:f, s:f, s:f, s:f}", "work", nas_work_name(w), "calls",
                                (json_int_t)kind->n_calls, "seconds", kind->seconds, "flops",
                                kind->flops, "bytes", kind->bytes, "floor_seconds", kind->floor_s));
    }
    return work;
}

static json_t *result_json(const result_t *result)
{
    return json_pack("{s:s, s:f, s:f, s:f, s:f, s:I, s:f, s:f, s:f, s:o}", "arch", result->arch,
                     "seconds", result->seconds, "arch_per_s", 1.0 / result->seconds, "flops",
                     result->flops, "flops_per_s", result->flops / result->seconds, "arena_bytes",
                     (json_int_t)result->arena_bytes, "conv_floor_seconds", result->conv_floor_s,
                     "memory_floor_seconds", result->other_floor_s, "outside_seconds",
                     result->setup_s, "work", work_json(result));
}

static nas_status_t print_json(const bench_t *bench, FILE *out, nas_error_t *err)
{
    const nas_bench_score_options_t *o = bench->options;
    json_t *results = json_array(), *metrics = json_array();
    for (int i = 0; i < bench->n_results; i++)
        (void)json_array_append_new(results, result_json(&bench->result[i]));
    for (int i = 0; i < o->n_metric; i++)
        (void)json_array_append_new(metrics, json_string(o->metric[i]->name));
    json_t *root = json_pack("{s:s, s:s, s:i, s:i, s:i, s:o, s:f, s:o}", "bench", "score",
                             "backend", o->backend->name, "batch", o->batch, "channels",
                             o->channels, "cells", o->cells, "metrics", metrics, "read_bytes_per_s",
                             bench->bytes_per_s, "architectures", results);
    if (!root) return nas_error_nomem(err, "the bench's report");
    (void)json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    (void)fputc('\n', out);
    json_decref(root);
    return NAS_OK;
}

nas_status_t nas_bench_score(const nas_bench_score_options_t *options, FILE *out, bool json,
                             nas_error_t *err)
{
    bench_t bench = {.options = options};
    nas_status_t status = make_batch(&bench, err);
    if (!status) status = nas_bench_bandwidth(&bench.bytes_per_s, err);
    if (!status && options->arch) status = measure(&bench, options->arch, err);
    for (int i = 0; !status && !options->arch && i < N_TYPICAL; i++)
        status = measure(&bench, TYPICAL[i], err);
    if (!status && json)
        status = print_json(&bench, out, err);
    else if (!status)
        print_table(&bench, out);
    if (!status && (fflush(out) != 0 || ferror(out)))
        status = nas_error_set(err, NAS_EIO, "the bench's report cannot be written");
    free(bench.images);
    free(bench.labels);
    free(bench.value);
    return status;
}
