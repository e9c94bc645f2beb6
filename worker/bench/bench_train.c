#include "worker/bench/bench_train.h"

#include "common/base/clock.h"
#include "common/base/rng.h"
#include "worker/bench/bench_network.h"
#include "worker/bench/bench_read.h"
#include "worker/bench/bench_work.h"
#include "worker/data/memory.h"
#include "worker/objectives/train/training.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { CROP = 4 };

/* One architecture. Seconds are of one step. */
typedef struct result {
    const char *arch;
    double seconds;
    double profiled_s; /* of the step whose operations were timed */
    double flops;      /* of convolutions */
    double work_s[NAS_WORK_COUNT];
} result_t;

typedef struct bench {
    const nas_bench_train_options_t *options;
    nas_bench_network_t network;
    nas_comm_t *self;
    nas_dataset_t dataset;
    nas_split_t split; /* every image is trained on */
    nas_recipe_t recipe;
    result_t result[NAS_BENCH_ARCHS];
    int n_results;
} bench_t;

/* ------------------------------------------------------------------------------- measure */

/* What a GPU spends its time on is its driver's to say (docs/gpu.md). */
static bool is_on_core(const bench_t *bench)
{
    return nas_device_kind(bench->options->device) == NAS_DEVICE_CPU;
}

static nas_status_t make_images(bench_t *bench, nas_error_t *err)
{
    nas_images_t images = {0};
    nas_dataset_t *dataset = &bench->dataset;
    const nas_network_t *network = &bench->network.network;
    const int64_t n = bench->options->batch;
    const nas_status_t status = nas_images_shape(
        &images, NAS_PIXEL_U8,
        (int64_t[]){n, network->image_channels, network->height, network->width}, "bench", err);
    nas_rng_t rng;
    if (status) return status;
    bench->split.train = malloc((size_t)n * sizeof *bench->split.train);
    if (!bench->split.train || nas_images_allocate(&images, err)) {
        nas_images_fini(&images);
        return nas_error_nomem(err, "the bench");
    }
    nas_rng_init(&rng, 0, NAS_STREAM_BENCH, 0);
    uint8_t *pixel = images.data;
    for (size_t i = 0; i < (size_t)n * nas_images_values(&images); i++)
        pixel[i] = (uint8_t)nas_rng_below(&rng, 256);
    for (int64_t i = 0; i < n; i++) {
        images.labels[i] = (int32_t)nas_rng_below(&rng, (uint64_t)network->classes);
        bench->split.train[i] = i;
    }
    bench->split.n_train = n;
    dataset->n_classes = network->classes;
    nas_images_moments(&images, dataset->mean, dataset->std);
    return nas_memory_source(&images, dataset->mean, dataset->std, &dataset->train, err);
}

/* Of the processor on a core, which others may use besides. */
static double now_s(const bench_t *bench)
{
    return is_on_core(bench) ? nas_clock_processor_s() : nas_clock_monotonic_s();
}

static double step(const bench_t *bench, nas_training_t *training)
{
    double loss = 0;
    const double begin_s = now_s(bench);
    (void)nas_training_step(training, &loss);
    return now_s(bench) - begin_s;
}

/* n steps after one to warm up, and their median time; a profile gets the last of them. */
static nas_status_t time_steps(const bench_t *bench, const nas_graph_t *graph, int n,
                               nas_profile_t *profile, result_t *result, nas_error_t *err)
{
    nas_engine_t *engine = NULL;
    nas_status_t status = nas_device_engine(bench->options->device, profile, &engine, err);
    const nas_training_options_t options = {.team = bench->self,
                                            .engine = engine,
                                            .graph = graph,
                                            .arch = result->arch,
                                            .recipe = &bench->recipe,
                                            .dataset = &bench->dataset,
                                            .split = &bench->split};
    nas_training_t *training = NULL;
    double *seconds = malloc((size_t)n * sizeof *seconds);
    if (!status && !seconds) status = nas_error_nomem(err, "the bench");
    if (!status) status = nas_training_create(&options, &training, err);
    if (!status) {
        (void)step(bench, training);
        for (int i = 0; i < n; i++) {
            if (profile) *profile = (nas_profile_t){0};
            seconds[i] = step(bench, training);
        }
        *(profile ? &result->profiled_s : &result->seconds) = nas_bench_median(seconds, n);
    }
    nas_training_destroy(training);
    nas_engine_destroy(engine);
    free(seconds);
    return status;
}

static nas_status_t measure_graph(bench_t *bench, const nas_graph_t *graph, result_t *result,
                                  nas_error_t *err)
{
    nas_profile_t *profile = calloc(1, sizeof *profile);
    if (!profile) return nas_error_nomem(err, "the bench");
    nas_status_t status = time_steps(bench, graph, bench->options->n_repeats, NULL, result, err);
    if (!status && is_on_core(bench)) status = time_steps(bench, graph, 1, profile, result, err);
    for (int i = 0; !status && i < profile->n; i++) {
        result->work_s[profile->entry[i].work] += profile->entry[i].seconds;
        result->flops += profile->entry[i].flops;
    }
    free(profile);
    return status;
}

static nas_status_t measure(bench_t *bench, const char *arch, nas_error_t *err)
{
    result_t *result = &bench->result[bench->n_results];
    nas_arch_t parsed = {0};
    nas_graph_t *graph = NULL;
    *result = (result_t){.arch = arch};
    nas_status_t status = NAS_OK;
    if (!bench->network.graph) {
        status = nas_bench_arch(arch, &parsed, err);
        if (!status) status = nas_graph_create(&bench->network.network, &parsed, &graph, err);
    }
    if (!status) status = measure_graph(bench, graph ? graph : bench->network.graph, result, err);
    nas_graph_destroy(graph);
    nas_arch_fini(&parsed);
    bench->n_results += status == NAS_OK;
    return status;
}

/* --------------------------------------------------------------------------------- print */

static double images_per_s(const bench_t *bench, const result_t *result)
{
    return bench->options->batch / result->seconds;
}

static void print_rate(const bench_t *bench, const result_t *result, FILE *out)
{
    (void)fprintf(out, "\n%s\n  %.1f images/s, %.1f ms a step\n", result->arch,
                  images_per_s(bench, result), 1e3 * result->seconds);
}

static void print_result(const bench_t *bench, const result_t *result, FILE *out)
{
    double outside_s = result->profiled_s;
    (void)fprintf(out, "\n%s\n  %.1f images/s, %.1f ms a step, %.1f GFLOP/s\n", result->arch,
                  images_per_s(bench, result), 1e3 * result->seconds,
                  1e-9 * result->flops / result->seconds);
    for (nas_work_t w = 0; w < NAS_WORK_COUNT; w++) {
        outside_s -= result->work_s[w];
        if (result->work_s[w] > 0)
            (void)fprintf(out, "  %-25s %9.2f ms %6.1f %%\n", nas_work_name(w),
                          1e3 * result->work_s[w], 100 * result->work_s[w] / result->profiled_s);
    }
    (void)fprintf(out, "  %-25s %9.2f ms %6.1f %%\n", "batch, gradients, step", 1e3 * outside_s,
                  100 * outside_s / result->profiled_s);
}

static nas_status_t print_json(const bench_t *bench, FILE *out, nas_error_t *err)
{
    const nas_bench_train_options_t *o = bench->options;
    json_t *results = json_array();
    for (int i = 0; i < bench->n_results; i++) {
        const result_t *result = &bench->result[i];
        json_t *object = json_pack("{s:s, s:f, s:f}", "arch", result->arch, "seconds",
                                   result->seconds, "images_per_s", images_per_s(bench, result));
        if (is_on_core(bench))
            (void)json_object_set_new(object, "flops_per_s",
                                      json_real(result->flops / result->seconds));
        (void)json_array_append_new(results, object);
    }
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:o}", "bench", "train", "backend",
                  nas_device_layout(o->device)->name, "device", nas_device_name(o->device), "batch",
                  o->batch, "channels", bench->network.network.channels, "cells",
                  bench->network.network.cells, "architectures", results);
    if (!root) return nas_error_nomem(err, "the bench's report");
    (void)json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    (void)fputc('\n', out);
    json_decref(root);
    return NAS_OK;
}

static nas_status_t print(const bench_t *bench, FILE *out, bool json, nas_error_t *err)
{
    const nas_bench_train_options_t *o = bench->options;
    if (json) return print_json(bench, out, err);
    (void)fputs("training on ", out);
    nas_bench_print_device(o->device, out);
    nas_bench_print_size(&bench->network, o->batch, out);
    (void)fputc('\n', out);
    for (int i = 0; i < bench->n_results; i++)
        (is_on_core(bench) ? print_result : print_rate)(bench, &bench->result[i], out);
    return NAS_OK;
}

nas_status_t nas_bench_train(const nas_bench_train_options_t *options, FILE *out, bool json,
                             nas_error_t *err)
{
    bench_t bench = {.options = options,
                     .recipe = {.epochs = options->n_repeats + 1,
                                .batch = options->batch,
                                .shards = 1,
                                .rate = 0.01,
                                .momentum = 0.9,
                                .nesterov = true,
                                .weight_decay = 5e-4,
                                .flip = true,
                                .crop = CROP}};
    const char *one = options->onnx ? options->onnx : options->arch;
    nas_status_t status = nas_comm_self(&bench.self, err);
    if (!status)
        status = nas_bench_network_init(
            &bench.network, options->onnx,
            (nas_bench_size_t){options->channels, options->cells, NAS_CONVENTION_TRAIN}, err);
    if (!status) status = make_images(&bench, err);
    if (!status && one) status = measure(&bench, one, err);
    for (int i = 0; !status && !one && i < NAS_BENCH_ARCHS; i++)
        status = measure(&bench, nas_bench_name(i), err);
    if (!status) status = print(&bench, out, json, err);
    if (!status && (fflush(out) != 0 || ferror(out)))
        status = nas_error_set(err, NAS_EIO, "the bench's report cannot be written");
    nas_bench_network_fini(&bench.network);
    nas_split_fini(&bench.split);
    nas_dataset_fini(&bench.dataset);
    nas_comm_destroy(bench.self);
    return status;
}
