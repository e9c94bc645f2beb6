/* ONNX files. What is accepted is exported, and read again as a network of as many nodes and numbers. */
#include "tests/fuzz/fuzz.h"
#include "worker/engine/graph/cost.h"
#include "worker/onnx/onnx.h"
#include "worker/onnx/read/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Networks of which the export is looked at, too. */
enum { MOST_VALUES = 1 << 16, MOST_CHANNELS = 64 };

static char *copy_of(const uint8_t *data, size_t size)
{
    char *bytes = malloc(size + 1);
    NAS_ASSERT(bytes);
    if (size > 0) memcpy(bytes, data, size);
    return bytes;
}

static void check_again(const nas_onnx_network_t *network)
{
    static const double zero[MOST_CHANNELS];
    double one[MOST_CHANNELS];
    const nas_onnx_expected_t expected = {.with_values = true};
    const nas_onnx_options_t options = {.graph = network->graph,
                                        .parameters = network->parameters,
                                        .statistics = network->statistics,
                                        .mean = zero,
                                        .std = one};
    nas_onnx_network_t again = {0};
    nas_error_t err = {0};
    unsigned char *data = NULL;
    size_t size = 0;
    for (int i = 0; i < MOST_CHANNELS; i++) one[i] = 1;
    NAS_ASSERT(nas_onnx_encode(&options, &data, &size, NULL) == NAS_OK);
    if (nas_onnx_read_bytes("model.onnx", (char *)data, size, &expected, &again, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        NAS_ASSERT(false);
    }
    NAS_ASSERT(again.graph->n_values <= network->graph->n_values);
    nas_onnx_network_fini(&again);
}

static void check_network(const nas_onnx_network_t *network)
{
    const nas_graph_t *graph = network->graph;
    nas_cost_t cost;
    NAS_ASSERT(graph->n_nodes > 0 && graph->node[graph->output].live);
    NAS_ASSERT(graph->node[graph->output].extents.c == graph->network.classes);
    NAS_ASSERT(nas_graph_cost(graph, &cost, NULL, NULL) == NAS_OK);
    NAS_ASSERT(cost.params == graph->n_values);
    for (int i = 0; i < graph->n_parameters; i++) NAS_ASSERT(network->parameter[i]);
    if (graph->n_values <= MOST_VALUES && graph->network.image_channels <= MOST_CHANNELS)
        check_again(network);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const nas_onnx_expected_t expected = {.with_values = true};
    nas_onnx_network_t network = {0};
    nas_error_t err = {0};
    char *path = fuzz_path("model.onnx");
    const nas_status_t status =
        nas_onnx_read_bytes(path, copy_of(data, size), size, &expected, &network, &err);
    if (status)
        fuzz_check_error(status, &err);
    else
        check_network(&network);
    nas_onnx_network_fini(&network);
    free(path);
    return 0;
}
