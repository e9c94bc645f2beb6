#include "worker/onnx/measure/measure.h"

#include "worker/engine/graph/cost.h"
#include "worker/engine/metrics/runs.h"
#include "worker/engine/program/footprint.h"
#include "worker/engine/program/op.h"
#include "worker/engine/program/program.h"
#include "worker/engine/scorer.h"
#include "worker/onnx/read/read.h"

#include <stdlib.h>

/* ------------------------------------------------------------------------------------- counting */

/* As the metrics are computed: a program for every kind of runs, of which that of the batch says
 * too whether the images count. */
static nas_status_t count_bytes(const nas_measure_options_t *options, const nas_graph_t *graph,
                                size_t *bytes, nas_error_t *err)
{
    nas_runs_t runs[NAS_N_RUNS];
    nas_footprint_program_t program[1 + NAS_N_RUNS] = {{NAS_NEED_CORRELATION, options->batch}};
    const int n = nas_runs_list(options->metric, options->n_metric, options->batch, runs);
    int n_programs = 1;
    for (int i = 0; i < n; i++)
        if (runs[i].kind == NAS_RUNS_BATCH)
            program[0].needs |= runs[i].needs;
        else
            program[n_programs++] =
                (nas_footprint_program_t){.needs = runs[i].needs, .batch = runs[i].batch};
    const nas_footprint_options_t footprint = {
        .backend = options->layout, .program = program, .n_programs = n_programs};
    return nas_footprint_of_graph(&footprint, graph, bytes, err);
}

static nas_status_t ask_images(const nas_measure_options_t *options, const nas_graph_t *graph,
                               bool *count, nas_error_t *err)
{
    nas_program_t *program = NULL;
    const nas_program_options_t program_options = {
        .layout = options->layout, .graph = graph, .batch = 1, .needs = NAS_NEED_CORRELATION};
    const nas_status_t status = nas_program_create(&program_options, &program, err);
    if (!status) *count = program->results.correlation >= 0;
    nas_program_destroy(program);
    return status;
}

static nas_status_t count(const nas_measure_options_t *options, const nas_graph_t *graph,
                          nas_measured_t *measured, nas_error_t *err)
{
    nas_cost_t cost;
    nas_status_t status = nas_graph_cost(graph, &cost, NULL, err);
    if (status) return status;
    measured->network = graph->network;
    measured->params = graph->n_values;
    measured->flops = cost.flops;
    for (int i = 0; i < graph->n_nodes; i++)
        measured->n_layers +=
            graph->node[i].kind == NAS_NODE_CONV || graph->node[i].kind == NAS_NODE_LINEAR;
    status = ask_images(options, graph, &measured->images_count, err);
    return status ? status : count_bytes(options, graph, &measured->bytes, err);
}

/* -------------------------------------------------------------------------------------- metrics */

typedef struct batch {
    float *images;
    int32_t *labels;
} batch_t;

static nas_status_t draw_batch(const nas_measure_options_t *options, const nas_network_t *network,
                               batch_t *batch, nas_error_t *err)
{
    const size_t n = (size_t)options->batch;
    const size_t n_pixels =
        n * (size_t)network->image_channels * (size_t)network->height * (size_t)network->width;
    nas_rng_t rng;
    batch->images = malloc(n_pixels * sizeof *batch->images);
    batch->labels = malloc(n * sizeof *batch->labels);
    if (!batch->images || !batch->labels) return nas_error_nomem(err, "a batch of images");
    nas_rng_init(&rng, options->seed, NAS_STREAM_BATCH, 0);
    for (size_t i = 0; i < n_pixels; i++) batch->images[i] = (float)nas_rng_normal(&rng);
    for (size_t i = 0; i < n; i++)
        batch->labels[i] = (int32_t)nas_rng_below(&rng, (uint64_t)network->classes);
    return NAS_OK;
}

static nas_status_t measure(const nas_measure_options_t *options, const nas_onnx_network_t *network,
                            double *parameters, double *value, nas_error_t *err)
{
    batch_t batch = {0};
    nas_scorer_t *scorer = NULL;
    nas_status_t status = draw_batch(options, &network->graph->network, &batch, err);
    const nas_scorer_options_t scorer_options = {.engine = options->engine,
                                                 .network = network->graph->network,
                                                 .metric = options->metric,
                                                 .n_metric = options->n_metric,
                                                 .batch = options->batch,
                                                 .images = batch.images,
                                                 .labels = batch.labels};
    if (!status) status = nas_scorer_create(&scorer_options, &scorer, err);
    if (!status) status = nas_scorer_measure(scorer, network->graph, parameters, value, err);
    nas_scorer_destroy(scorer);
    free(batch.images);
    free(batch.labels);
    return status;
}

static nas_status_t measure_network(const nas_measure_options_t *options,
                                    const nas_onnx_network_t *network, double *value,
                                    nas_error_t *err)
{
    const nas_graph_t *graph = network->graph;
    if (options->has_file_weights)
        return measure(options, network, network->parameters, value, err);
    double *drawn = malloc(((size_t)graph->n_values + 1) * sizeof *drawn);
    if (!drawn) return nas_error_nomem(err, "a network's parameters");
    nas_parameters_fill(graph, options->weights, options->seed, "", drawn);
    const nas_status_t status = measure(options, network, drawn, value, err);
    free(drawn);
    return status;
}

nas_status_t nas_onnx_measure(const char *path, const nas_measure_options_t *options,
                              nas_measured_t *measured, nas_error_t *err)
{
    nas_onnx_network_t network = {0};
    const nas_onnx_expected_t expected = {.with_values =
                                              options->engine && options->has_file_weights};
    nas_error_t reason = {0};
    nas_status_t status = nas_onnx_read(path, &expected, &network, err);
    if (status) return status;
    status = count(options, network.graph, measured, &reason);
    if (!status && options->engine)
        status = measure_network(options, &network, measured->value, &reason);
    if (status) status = nas_error_set(err, status, "%s: %s", path, reason.text);
    nas_onnx_network_fini(&network);
    return status;
}
