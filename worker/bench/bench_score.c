#include "worker/bench/bench_score.h"

#include "common/base/clock.h"
#include "common/base/rng.h"
#include "worker/bench/bench_floor.h"
#include "worker/bench/bench_network.h"
#include "worker/bench/bench_packs.h"
#include "worker/bench/bench_read.h"
#include "worker/bench/bench_work.h"
#include "worker/engine/graph/parameters.h"
#include "worker/engine/scorer.h"

#include <jansson.h>
#include <stdlib.h>

/* One architecture. Seconds are of one scoring. */
typedef struct result {
    const char *arch;   /* NULL: drawn from the space, a pack of them */
    int width;          /* architectures that were scored at once */
    double seconds;     /* everything included */
    double setup_s;     /* building, initialising and the metrics' own work: outside of runs */
    double arena_bytes; /* of tensors */
    nas_bench_work_t work;
} result_t;

typedef struct bench {
    const nas_bench_score_options_t *options;
    nas_bench_network_t network;
    nas_networks_t *networks; /* of architectures */
    float *images;
    int32_t *labels;
    double *value; /* [n_metric] */
    double bytes_per_s;
    result_t result[NAS_BENCH_ARCHS + 1];
    int n_results;
} bench_t;

/* ------------------------------------------------------------------------------- measure */

/* What a GPU spends its time on is its driver's to say (docs/gpu.md). */
static bool is_on_core(const bench_t *bench)
{
    return nas_device_kind(bench->options->device) == NAS_DEVICE_CPU;
}

static nas_status_t make_batch(bench_t *bench, nas_error_t *err)
{
    const size_t n = (size_t)bench->options->batch,
                 n_pixels = n * nas_bench_pixels(&bench->network.network);
    nas_rng_t rng;
    bench->images = malloc(n_pixels * sizeof *bench->images);
    bench->labels = malloc(n * sizeof *bench->labels);
    bench->value = malloc(((size_t)bench->options->n_metric + 1) * sizeof *bench->value);
    if (!bench->images || !bench->labels || !bench->value) return nas_error_nomem(err, "the bench");
    nas_rng_init(&rng, 0, NAS_STREAM_BENCH, 0);
    for (size_t i = 0; i < n_pixels; i++) bench->images[i] = (float)nas_rng_normal(&rng);
    for (size_t i = 0; i < n; i++)
        bench->labels[i] = (int32_t)nas_rng_below(&rng, (uint64_t)bench->network.network.classes);
    return NAS_OK;
}

static nas_status_t make_scorer(const bench_t *bench, nas_engine_t *engine, nas_scorer_t **scorer_p,
                                nas_error_t *err)
{
    const nas_bench_score_options_t *o = bench->options;
    const nas_scorer_options_t options = {.engine = engine,
                                          .networks = bench->networks,
                                          .network = bench->network.network,
                                          .metric = o->metric,
                                          .n_metric = o->n_metric,
                                          .batch = o->batch,
                                          .images = bench->images,
                                          .labels = bench->labels};
    return nas_scorer_create(&options, scorer_p, err);
}

/* Of an architecture, or of the file's network with parameters drawn anew, as PyTorch draws them. */
static nas_status_t score_once(const bench_t *bench, nas_scorer_t *scorer, const nas_arch_t *arch,
                               nas_error_t *err)
{
    const nas_bench_network_t *network = &bench->network;
    if (!network->graph) return nas_scorer_score(scorer, arch->index, bench->value, err);
    nas_parameters_fill(network->graph, NAS_WEIGHTS_UNIFORM, 0, "", network->parameters);
    return nas_scorer_measure(scorer, network->graph, network->parameters, bench->value, err);
}

/* n_runs scorings after one to warm up, and their median time; a profile gets the last of them. */
static nas_status_t time_alone(const bench_t *bench, nas_scorer_t *scorer, nas_profile_t *profile,
                               int n_runs, result_t *result, nas_error_t *err)
{
    nas_arch_t arch = {0};
    double *seconds = malloc((size_t)n_runs * sizeof *seconds);
    nas_status_t status = seconds ? NAS_OK : nas_error_nomem(err, "the bench");
    if (!status && !bench->network.graph) status = nas_bench_arch(result->arch, &arch, err);
    if (!status) status = score_once(bench, scorer, &arch, err);
    for (int run = 0; !status && run < n_runs; run++) {
        if (profile) *profile = (nas_profile_t){0};
        const double begin_s = nas_clock_processor_s();
        status = score_once(bench, scorer, &arch, err);
        seconds[run] = nas_clock_processor_s() - begin_s;
    }
    if (!status) result->seconds = nas_bench_median(seconds, n_runs);
    nas_arch_fini(&arch);
    free(seconds);
    return status;
}

/* Likewise, or as many packs of an engine that takes them. */
static nas_status_t time_scoring(const bench_t *bench, nas_profile_t *profile, int n_runs,
                                 result_t *result, nas_error_t *err)
{
    nas_engine_t *engine = NULL;
    nas_scorer_t *scorer = NULL;
    nas_status_t status = nas_device_engine(bench->options->device, profile, &engine, err);
    if (!status) status = make_scorer(bench, engine, &scorer, err);
    if (!status) {
        const nas_bench_packs_options_t packs = {.scorer = scorer,
                                                 .width = engine->width,
                                                 .n_metric = bench->options->n_metric,
                                                 .arch = result->arch,
                                                 .n_packs = n_runs};
        result->width = engine->width;
        status = engine->width > 1 ? nas_bench_packs(&packs, &result->seconds, err)
                                   : time_alone(bench, scorer, profile, n_runs, result, err);
    }
    if (!status) result->arena_bytes = (double)nas_scorer_bytes(scorer);
    nas_scorer_destroy(scorer);
    nas_engine_destroy(engine);
    return status;
}

static nas_status_t measure(bench_t *bench, const char *arch, nas_error_t *err)
{
    result_t *result = &bench->result[bench->n_results];
    result_t timed = {.arch = arch};
    nas_profile_t *profile = calloc(1, sizeof *profile);
    nas_status_t status = profile ? NAS_OK : nas_error_nomem(err, "the bench");
    result->arch = arch;
    if (!status) status = time_scoring(bench, NULL, bench->options->n_repeats, result, err);
    if (!status && is_on_core(bench)) {
        status = time_scoring(bench, profile, 1, &timed, err);
        if (!status)
            status = nas_bench_work_measure(nas_device_layout(bench->options->device), profile,
                                            bench->bytes_per_s, &result->work, err);
        result->setup_s = timed.seconds - result->work.seconds;
    }
    bench->n_results += status == NAS_OK;
    free(profile);
    return status;
}

/* --------------------------------------------------------------------------------- print */

/* "random": architectures of the space, drawn. */
static const char *name_of(const result_t *result)
{
    return result->arch ? result->arch : "random";
}

static void print_rate(const result_t *result, FILE *out)
{
    (void)fprintf(out, "\n%s\n  %.3f architectures/s, %.1f ms each, %d at once; arena %.0f MiB\n",
                  name_of(result), 1.0 / result->seconds, 1e3 * result->seconds, result->width,
                  result->arena_bytes / (1 << 20));
}

static void print_result(const result_t *result, FILE *out)
{
    const nas_bench_work_t *work = &result->work;
    const double profiled_s = work->seconds + result->setup_s;
    (void)fprintf(
        out,
        "\n%s\n  %.3f architectures/s, %.1f ms each; %.1f GFLOP of convolutions, %.1f GFLOP/s; arena %.0f MiB\n",
        result->arch, 1.0 / result->seconds, 1e3 * result->seconds, 1e-9 * work->flops,
        1e-9 * work->flops / result->seconds, result->arena_bytes / (1 << 20));
    nas_bench_work_print_floor(work, result->seconds, out);
    nas_bench_work_print(work, profiled_s, out);
    nas_bench_work_print_outside("outside of runs", result->setup_s, profiled_s, out);
}

static void print_table(const bench_t *bench, FILE *out)
{
    const nas_bench_score_options_t *o = bench->options;
    (void)fputs("scoring on ", out);
    nas_bench_print_device(o->device, out);
    nas_bench_print_size(&bench->network, o->batch, out);
    (void)fprintf(out, ", %d metrics\n", o->n_metric);
    if (is_on_core(bench)) {
        (void)fputc('\n', out);
        nas_bench_work_print_formula(bench->bytes_per_s, out);
    }
    for (int i = 0; i < bench->n_results; i++)
        (is_on_core(bench) ? print_result : print_rate)(&bench->result[i], out);
}

static json_t *rate_json(const result_t *result)
{
    return json_pack("{s:s, s:i, s:f, s:f, s:I}", "arch", name_of(result), "at_once", result->width,
                     "seconds", result->seconds, "arch_per_s", 1.0 / result->seconds, "arena_bytes",
                     (json_int_t)result->arena_bytes);
}

static json_t *result_json(const result_t *result)
{
    const nas_bench_work_t *work = &result->work;
    return json_pack("{s:s, s:f, s:f, s:f, s:f, s:I, s:f, s:f, s:f, s:o}", "arch", result->arch,
                     "seconds", result->seconds, "arch_per_s", 1.0 / result->seconds, "flops",
                     work->flops, "flops_per_s", work->flops / result->seconds, "arena_bytes",
                     (json_int_t)result->arena_bytes, "conv_floor_seconds", work->conv_floor_s,
                     "memory_floor_seconds", work->other_floor_s, "outside_seconds",
                     result->setup_s, "work", nas_bench_work_json(work));
}

static nas_status_t print_json(const bench_t *bench, FILE *out, nas_error_t *err)
{
    const nas_bench_score_options_t *o = bench->options;
    json_t *results = json_array(), *metrics = json_array();
    for (int i = 0; i < bench->n_results; i++)
        (void)json_array_append_new(
            results, (is_on_core(bench) ? result_json : rate_json)(&bench->result[i]));
    for (int i = 0; i < o->n_metric; i++)
        (void)json_array_append_new(metrics, json_string(o->metric[i]->name));
    json_t *root = json_pack(
        "{s:s, s:s, s:s, s:i, s:i, s:i, s:o, s:f, s:o}", "bench", "score", "backend",
        nas_device_layout(o->device)->name, "device", nas_device_name(o->device), "batch", o->batch,
        "channels", bench->network.network.channels, "cells", bench->network.network.cells,
        "metrics", metrics, "read_bytes_per_s", bench->bytes_per_s, "architectures", results);
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
    const char *one = options->onnx ? options->onnx : options->arch;
    nas_status_t status = nas_bench_network_init(
        &bench.network, options->onnx,
        (nas_bench_size_t){options->channels, options->cells, NAS_CONVENTION_SCORE}, err);
    if (!status) status = make_batch(&bench, err);
    if (!status)
        status = nas_networks_of_space(nas_space_with_networks(), NAS_WEIGHTS_BY_NAME,
                                       &bench.networks, err);
    if (!status) status = nas_bench_bandwidth(&bench.bytes_per_s, err);
    if (!status && one) status = measure(&bench, one, err);
    for (int i = 0; !status && !one && i < NAS_BENCH_ARCHS; i++)
        status = measure(&bench, nas_bench_name(i), err);
    if (!status && !one && bench.result->width > 1) status = measure(&bench, NULL, err);
    if (!status && json)
        status = print_json(&bench, out, err);
    else if (!status)
        print_table(&bench, out);
    if (!status && (fflush(out) != 0 || ferror(out)))
        status = nas_error_set(err, NAS_EIO, "the bench's report cannot be written");
    nas_networks_destroy(bench.networks);
    nas_bench_network_fini(&bench.network);
    free(bench.images);
    free(bench.labels);
    free(bench.value);
    return status;
}
