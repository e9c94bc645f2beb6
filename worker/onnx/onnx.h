/* A trained network as an ONNX model. */
#ifndef NAS_WORKER_ONNX_ONNX_H
#define NAS_WORKER_ONNX_ONNX_H

#include "common/base/error.h"
#include "worker/engine/graph/graph.h"

#include <stdbool.h>
#include <stddef.h>

/** Where a model comes from, kept in its metadata: pairs of key and value, in UTF-8. */
typedef struct nas_provenance {
    const char *key;
    const char *value;
} nas_provenance_t;

/** What to export. Borrowed for the call. */
typedef struct nas_onnx_options {
    const nas_graph_t *graph;
    const double *parameters;     /**< [graph->n_values] */
    const double *statistics;     /**< [graph->n_statistics], see program.h */
    const char *const *parameter; /**< [graph->n_parameters] names of their initialisers, "": none;
                                       NULL: those of the graph */
    const bool *is_exchanged;     /**< [graph->n_parameters] weights of linear layers that are to be
                                       [in, out] in the file; NULL: none */
    const char *const *statistic; /**< [2 norms] of running means and variances in turn, likewise */
    const double *mean;           /**< [image channels] by which images were normalised */
    const double *std;
    const nas_provenance_t *provenance; /**< [n_provenance] */
    size_t n_provenance;
} nas_onnx_options_t;

/** Encode the network as ONNX (IR 8, opset 13): input `images`, float [N, C, H, W] with values from
 *  0 to 1 (normalisation is in the model), output `logits`, float [N, classes]; N is free.
 *  Operations that do not reach the output are left out; batch normalisation uses the running
 *  statistics. An initialiser whose name is another one's, too, has that of the graph. Not collective, deterministic.
 *  data_p [out] size bytes, the caller's (free).
 *  NAS_EINPUT: it would have more than the 2 GiB that an ONNX file can have. NAS_ENOMEM. */
nas_status_t nas_onnx_encode(const nas_onnx_options_t *options, unsigned char **data_p,
                             size_t *size, nas_error_t *err);

#endif
