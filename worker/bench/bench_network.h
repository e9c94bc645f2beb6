/* The network that a benchmark runs: architectures of the space that has networks, at a size, or what
 * an ONNX file has. */
#ifndef NAS_WORKER_BENCH_BENCH_NETWORK_H
#define NAS_WORKER_BENCH_BENCH_NETWORK_H

#include "common/space/network.h"
#include "worker/engine/graph/graph.h"

#include <stdio.h>

/** Zero-initialise; end with nas_bench_network_fini. */
typedef struct nas_bench_network {
    nas_network_t network; /**< extents of the images, classes */
    nas_graph_t *graph;    /**< the file's; NULL: architectures are given by name; owned */
    double *parameters;    /**< [graph->n_values], to be drawn; owned */
} nas_bench_network_t;

/** Of architectures. */
typedef struct nas_bench_size {
    int channels;
    int cells; /**< per stage */
    nas_convention_t convention;
} nas_bench_size_t;

/** Not collective. onnx: a file; NULL: architectures of that size, on images of bench_work.h.
 *  NAS_EINPUT, NAS_EIO: as nas_onnx_read. NAS_ENOMEM. */
nas_status_t nas_bench_network_init(nas_bench_network_t *network, const char *onnx,
                                    nas_bench_size_t size, nas_error_t *err);

/** Numbers of an image. */
size_t nas_bench_pixels(const nas_network_t *network);

/** ", batch 64, 16 channels, 5 cells a stage", or a file's images: for a table's head. */
void nas_bench_print_size(const nas_bench_network_t *network, int batch, FILE *out);

/** Accepts a zeroed struct. */
void nas_bench_network_fini(nas_bench_network_t *network);

#endif
