/* A network of random parameters and statistics as an ONNX model, with what the engine computes of
 * a few images; tests/system/onnx_check.py and onnxruntime_check.py compare.
 *
 * usage: export_onnx FOLDER ARCH score|train IMAGE_CHANNELS HEIGHT WIDTH CHANNELS CELLS CLASSES
 *
 * ARCH is of a space, or any:NUMBER, a random network of all operations (any_graph.h), of which
 * channels and cells say nothing.
 *
 * FOLDER gets model.onnx, images.f32 (N images, values from 0 to 1) and logits.f64.
 */
#include "common/base/rng.h"
#include "common/base/version.h"
#include "tests/unit/any_graph.h"
#include "worker/engine/graph/parameters.h"
#include "worker/engine/host/host.h"
#include "worker/onnx/onnx.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 8, IMAGE_CHANNELS = 4 };

static const double mean[IMAGE_CHANNELS] = {0.49, 0.48, 0.45, 0.4};
static const double std[IMAGE_CHANNELS] = {0.25, 0.24, 0.26, 0.3};

/* One network, all of its values, and a batch of images with values from 0 to 1 and normalised. */
typedef struct network {
    const char *arch;
    nas_graph_t *graph;
    nas_rng_t rng;
    double *parameters;
    double *statistics;
    float *images;
    float *normalised;
    int n_pixels; /* of an image's channel */
    double *logits;
    nas_engine_t *engine;
} network_t;

/* Whether flat tensors are [N, C] and nothing else throughout, as in ONNX: a graph may take one for
 * [N, C, 1, 1]. */
static bool has_ranks(const nas_graph_t *graph)
{
    bool flat[ANY_TENSORS * 4] = {false}, fits = true;
    NAS_ASSERT(graph->n_nodes <= ANY_TENSORS * 4);
    for (int i = 0; i < graph->n_nodes; i++) {
        const nas_node_t *node = &graph->node[i];
        const bool keeps = node->kind == NAS_NODE_RECTIFIER || node->kind == NAS_NODE_SUM;
        const bool is_first_flat = node->n_inputs > 0 && flat[nas_graph_input(graph, i, 0)];
        const bool makes = node->kind == NAS_NODE_FLATTEN || node->kind == NAS_NODE_LINEAR;
        flat[i] = makes || (keeps && is_first_flat);
        for (int k = 0; !makes && k < node->n_inputs; k++)
            fits &= flat[nas_graph_input(graph, i, k)] == (keeps && is_first_flat);
    }
    return fits && flat[graph->output];
}

static nas_status_t create_graph(network_t *net, const nas_network_t *around, nas_error_t *err)
{
    nas_arch_t arch;
    if (strncmp(net->arch, "any:", 4) == 0) {
        const int number = (int)strtol(net->arch + 4, NULL, 10);
        const nas_status_t made = nas_graph_make(make_any, &number, around, &net->graph, err);
        if (made || has_ranks(net->graph)) return made;
        return nas_error_set(err, NAS_EARG, "%s has no file: a tensor is both flat and not",
                             net->arch);
    }
    nas_status_t status = nas_arch_find(net->arch, &arch, err);
    if (status) return status;
    status = nas_graph_create(around, &arch, &net->graph, err);
    nas_arch_fini(&arch);
    return status;
}

static nas_status_t create(network_t *net, char *const *args, nas_error_t *err)
{
    const nas_network_t around = {
        .image_channels = (int)strtol(args[2], NULL, 10),
        .height = (int)strtol(args[3], NULL, 10),
        .width = (int)strtol(args[4], NULL, 10),
        .channels = (int)strtol(args[5], NULL, 10),
        .cells = (int)strtol(args[6], NULL, 10),
        .classes = (int)strtol(args[7], NULL, 10),
        .convention = strcmp(args[1], "train") == 0 ? NAS_CONVENTION_TRAIN : NAS_CONVENTION_SCORE};
    net->arch = args[0];
    if (around.image_channels > IMAGE_CHANNELS)
        return nas_error_set(err, NAS_EARG, "images have at most %d channels", IMAGE_CHANNELS);
    nas_status_t status = create_graph(net, &around, err);
    if (!status) status = nas_host_engine_create(nas_backend_ref(), NULL, &net->engine, err);
    if (status) return status;
    const size_t n = BATCH * (size_t)(around.image_channels * around.height * around.width);
    net->n_pixels = around.height * around.width;
    net->parameters = calloc((size_t)net->graph->n_values, sizeof *net->parameters);
    net->statistics = calloc((size_t)net->graph->n_statistics + 1, sizeof *net->statistics);
    net->images = calloc(n, sizeof *net->images);
    net->normalised = calloc(n, sizeof *net->normalised);
    net->logits = calloc(BATCH * (size_t)around.classes, sizeof *net->logits);
    if (!net->parameters || !net->statistics || !net->images || !net->normalised || !net->logits)
        return nas_error_nomem(err, "a network");
    return NAS_OK;
}

static void draw_parameters(network_t *net)
{
    nas_parameters_init(net->graph, 1, net->arch, net->parameters);
    for (int p = 0; p < net->graph->n_parameters; p++) {
        const nas_parameter_t *parameter = &net->graph->parameter[p];
        const bool affine =
            parameter->kind == NAS_PARAMETER_GAMMA || parameter->kind == NAS_PARAMETER_BETA;
        for (int64_t i = 0; affine && i < parameter->n; i++)
            net->parameters[parameter->offset + i] += nas_rng_between(&net->rng, -0.5, 0.5);
    }
}

/* Each channel of an image is noise around a shade of its own, so that images differ as a whole. */
static void draw_images(network_t *net)
{
    const int channels = net->graph->network.image_channels;
    for (int i = 0; i < BATCH * channels; i++) {
        const double shade = nas_rng_between(&net->rng, 0.1, 0.9);
        for (int k = i * net->n_pixels; k < (i + 1) * net->n_pixels; k++) {
            net->images[k] = (float)(shade + nas_rng_between(&net->rng, -0.1, 0.1));
            net->normalised[k] =
                (float)(((double)net->images[k] - mean[i % channels]) / std[i % channels]);
        }
    }
}

static nas_status_t run(network_t *net, const nas_program_options_t *options, const int32_t *labels,
                        nas_program_values_t *values, nas_error_t *err)
{
    nas_program_t *program = NULL;
    const nas_status_t status = nas_program_create(options, &program, err);
    if (status) return status;
    const nas_engine_task_t task = {.program = program,
                                    .parameters = net->parameters,
                                    .images = net->normalised,
                                    .labels = labels,
                                    .statistics = net->statistics};
    const nas_status_t ran = nas_engine_run(net->engine, &task, values, err);
    nas_program_destroy(program);
    return ran;
}

/* Those of the batch, shaken: running statistics are never those of one batch. */
static nas_status_t draw_statistics(network_t *net, nas_error_t *err)
{
    const int32_t labels[BATCH] = {0};
    const nas_program_options_t options = {.layout = nas_backend_ref(),
                                           .graph = net->graph,
                                           .batch = BATCH,
                                           .needs = NAS_NEED_LOSS | NAS_NEED_GRADIENT};
    nas_program_values_t values;
    const nas_status_t status = run(net, &options, labels, &values, err);
    if (status) return status;
    memcpy(net->statistics, values.moments,
           (size_t)net->graph->n_statistics * sizeof *net->statistics);
    for (int i = 0; i < net->graph->n_nodes; i++) {
        const nas_node_t *norm = &net->graph->node[i];
        if (norm->kind != NAS_NODE_NORM) continue;
        double *means = net->statistics + norm->statistics, *variances = means + norm->extents.c;
        for (int c = 0; c < norm->extents.c; c++) {
            variances[c] = (variances[c] + 1e-3) * nas_rng_between(&net->rng, 0.5, 2.0);
            means[c] += 0.3 * sqrt(variances[c]) * nas_rng_normal(&net->rng);
        }
    }
    return NAS_OK;
}

static nas_status_t infer(network_t *net, nas_error_t *err)
{
    const nas_program_options_t options = {.layout = nas_backend_ref(),
                                           .graph = net->graph,
                                           .batch = BATCH,
                                           .needs = NAS_NEED_INFERENCE};
    nas_program_values_t values;
    const nas_status_t status = run(net, &options, NULL, &values, err);
    if (status) return status;
    memcpy(net->logits, values.logits,
           BATCH * (size_t)net->graph->network.classes * sizeof *net->logits);
    return NAS_OK;
}

static nas_status_t write_file(const char *folder, const char *name, const void *data, size_t size,
                               nas_error_t *err)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    bool written = file && fwrite(data, 1, size, file) == size;
    if (file && fclose(file)) written = false;
    return written ? NAS_OK : nas_error_set(err, NAS_EIO, "cannot write %s", path);
}

static nas_status_t write_model(const network_t *net, const char *folder, nas_error_t *err)
{
    const nas_provenance_t provenance[] = {{"arch", net->arch}, {"commit", nas_commit()}};
    const nas_onnx_options_t options = {.graph = net->graph,
                                        .parameters = net->parameters,
                                        .statistics = net->statistics,
                                        .mean = mean,
                                        .std = std,
                                        .provenance = provenance,
                                        .n_provenance = sizeof provenance / sizeof *provenance};
    unsigned char *data = NULL;
    size_t size = 0;
    nas_status_t status = nas_onnx_encode(&options, &data, &size, err);
    if (!status) status = write_file(folder, "model.onnx", data, size, err);
    free(data);
    return status;
}

static nas_status_t write_values(const network_t *net, const char *folder, nas_error_t *err)
{
    const nas_network_t *around = &net->graph->network;
    const size_t n = BATCH * (size_t)(around->image_channels * net->n_pixels);
    const nas_status_t status =
        write_file(folder, "images.f32", net->images, n * sizeof *net->images, err);
    if (status) return status;
    return write_file(folder, "logits.f64", net->logits,
                      BATCH * (size_t)around->classes * sizeof *net->logits, err);
}

static void destroy(network_t *net)
{
    nas_graph_destroy(net->graph);
    nas_engine_destroy(net->engine);
    free(net->parameters);
    free(net->statistics);
    free(net->images);
    free(net->normalised);
    free(net->logits);
}

int main(int argc, char **argv)
{
    network_t net = {0};
    nas_error_t err = {0};
    if (argc != 10) {
        (void)fprintf(stderr, "usage: export_onnx FOLDER ARCH score|train IMAGE_CHANNELS HEIGHT "
                              "WIDTH CHANNELS CELLS CLASSES\n");
        return 2;
    }
    nas_rng_init(&net.rng, 1, NAS_STREAM_BENCH, 0);
    nas_status_t status = create(&net, argv + 2, &err);
    if (!status) {
        draw_parameters(&net);
        draw_images(&net);
        status = draw_statistics(&net, &err);
    }
    if (!status) status = infer(&net, &err);
    if (!status) status = write_model(&net, argv[1], &err);
    if (!status) status = write_values(&net, argv[1], &err);
    if (status) (void)fprintf(stderr, "export_onnx: %s\n", err.text);
    destroy(&net);
    return nas_exit_code(status);
}
