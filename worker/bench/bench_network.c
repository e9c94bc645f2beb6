#include "worker/bench/bench_network.h"

#include "worker/bench/bench_work.h"
#include "worker/onnx/read/read.h"

#include <stdlib.h>

static nas_status_t read_file(nas_bench_network_t *network, const char *onnx, nas_error_t *err)
{
    nas_onnx_network_t file = {0};
    const nas_status_t status = nas_onnx_read(onnx, &(nas_onnx_expected_t){0}, &file, err);
    if (status) return status;
    network->graph = file.graph;
    network->network = file.graph->network;
    file.graph = NULL;
    nas_onnx_network_fini(&file);
    network->parameters =
        malloc(((size_t)network->graph->n_values + 1) * sizeof *network->parameters);
    return network->parameters ? NAS_OK : nas_error_nomem(err, "the bench");
}

nas_status_t nas_bench_network_init(nas_bench_network_t *network, const char *onnx,
                                    nas_bench_size_t size, nas_error_t *err)
{
    if (onnx) return read_file(network, onnx, err);
    network->network =
        (nas_network_t){NAS_BENCH_COLOURS, NAS_BENCH_SIDE,    NAS_BENCH_SIDE, size.channels,
                        size.cells,        NAS_BENCH_CLASSES, size.convention};
    return NAS_OK;
}

size_t nas_bench_pixels(const nas_network_t *network)
{
    return (size_t)network->image_channels * (size_t)network->height * (size_t)network->width;
}

void nas_bench_print_size(const nas_bench_network_t *network, int batch, FILE *out)
{
    const nas_network_t *n = &network->network;
    (void)fprintf(out, ", batch %d, ", batch);
    if (network->graph)
        (void)fprintf(out, "images of %d x %d x %d", n->image_channels, n->height, n->width);
    else
        (void)fprintf(out, "%d channels, %d cells a stage", n->channels, n->cells);
}

void nas_bench_network_fini(nas_bench_network_t *network)
{
    nas_graph_destroy(network->graph);
    free(network->parameters);
    *network = (nas_bench_network_t){0};
}
