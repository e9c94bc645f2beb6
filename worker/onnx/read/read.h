/* Networks that others wrote, as ONNX files.
 *
 * A file of any of opsets 9 to 21 becomes a graph, where all of its operations that lead to its
 * output are among those that the engine knows. The others are refused by name.
 *
 * What is not in the graph: the number of images, which a file may say; dropout; how it normalises
 * what it reads. Batch normalisation is by the batch, whatever the file says of training. The weight
 * that several layers read is one parameter; gammas, betas, biases and running statistics are their
 * node's own, since exporters merge equal ones.
 */
#ifndef NAS_WORKER_ONNX_READ_READ_H
#define NAS_WORKER_ONNX_READ_READ_H

#include "common/base/error.h"
#include "worker/engine/graph/graph.h"

#include <stdbool.h>

/** What a network may come to, which a file of a few bytes can say of weights that are not in it, and
 *  of tensors. The largest convolutional networks that are published have half of the first. */
enum {
    NAS_ONNX_MOST_VALUES = 1 << 28,  /**< elements of all parameters */
    NAS_ONNX_MOST_ELEMENTS = 1 << 30 /**< elements of all tensors, for one image */
};

/** What is known of the network without its file; 0: nothing, as the file says. */
typedef struct nas_onnx_expected {
    int image_channels;
    int height;
    int width;
    int classes;
    bool with_values; /**< the file's parameters and statistics are wanted */
} nas_onnx_expected_t;

/** A network. Zero-initialise; end with nas_onnx_network_fini. Graph and arrays may be taken over by
 *  whoever sets them to NULL here. */
typedef struct nas_onnx_network {
    nas_graph_t *graph; /**< network.channels and cells are 0 */
    double *parameters; /**< [graph->n_values] as the file has them; NULL: not asked for */
    double *statistics; /**< [graph->n_statistics] likewise */
    char **parameter;   /**< [graph->n_parameters] name of the initialiser; "": of a constant */
    bool *is_exchanged; /**< [graph->n_parameters] the file has this weight as [in, out] */
    char **statistic;   /**< [2 n_norms] of the running means and variances of each norm, in turn */
    int n_norms;
} nas_onnx_network_t;

/** Read a file.  Not collective, deterministic. Nodes and parameters of the graph have the names of
 *  the file's nodes, or of their outputs; where two are equal, with a number.
 *  expected [in]: what the file says otherwise is an error.
 *  network [out] the caller's.
 *  NAS_EINPUT, naming path: it cannot be read, is damaged, or no such network: by node and
 *  operation; or it comes to more than the limits above. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_onnx_read(const char *path, const nas_onnx_expected_t *expected,
                           nas_onnx_network_t *network, nas_error_t *err);

/** As nas_onnx_read, of a file that is in memory; bytes: become its own (free), whatever happens.
 *  path: for messages, and where external data are looked for. */
nas_status_t nas_onnx_read_bytes(const char *path, char *bytes, size_t size,
                                 const nas_onnx_expected_t *expected, nas_onnx_network_t *network,
                                 nas_error_t *err);

void nas_onnx_network_fini(nas_onnx_network_t *network);

#endif
