/* Networks of ONNX files, counted and measured on the spot. */
#ifndef NAS_WORKER_ONNX_MEASURE_MEASURE_H
#define NAS_WORKER_ONNX_MEASURE_MEASURE_H

#include "common/base/error.h"
#include "worker/engine/engine.h"
#include "worker/engine/graph/parameters.h"
#include "worker/engine/metrics/metric.h"

#include <stdbool.h>
#include <stdint.h>

/** How to measure. Borrowed for the call. */
typedef struct nas_measure_options {
    const nas_backend_t *layout;       /**< that memory is counted for */
    nas_engine_t *engine;              /**< NULL: nothing is computed */
    const nas_metric_t *const *metric; /**< [n_metric] */
    int n_metric;
    int batch;             /**< images of the batch, which are noise: normal, of variance 1 */
    uint64_t seed;         /**< of images, labels and weights */
    bool has_file_weights; /**< the file's; otherwise drawn: */
    nas_weights_t weights;
} nas_measure_options_t;

/** What a network comes to. Zero-initialise. */
typedef struct nas_measured {
    nas_network_t network; /**< extents of its images, classes */
    int n_layers;          /**< convolutions and linear layers */
    int64_t params;
    int64_t flops;     /**< multiply-adds for one image */
    size_t bytes;      /**< of tensors and vectors, for the metrics of a batch */
    bool images_count; /**< the sum of the logits depends on the images: jacob_cov exists */
    double value[NAS_METRICS_MAX];
} nas_measured_t;

/** Read, count and, with an engine, measure a network.  Not collective; deterministic for an engine
 *  and its instruction set: values depend on (options, the file) alone, not on its name.
 *  measured [out].
 *  NAS_EINPUT, NAS_EIO as nas_onnx_read; NAS_EARG: the layout has no such kernel. NAS_ENOMEM. */
nas_status_t nas_onnx_measure(const char *path, const nas_measure_options_t *options,
                              nas_measured_t *measured, nas_error_t *err);

#endif
