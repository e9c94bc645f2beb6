/* The scorer: metric values of one architecture after the other, on this rank. */
#ifndef NAS_WORKER_ENGINE_SCORER_H
#define NAS_WORKER_ENGINE_SCORER_H

#include "common/base/error.h"
#include "common/space/arch.h"
#include "common/space/network.h"
#include "worker/engine/engine.h"
#include "worker/engine/metrics/metric.h"

#include <stddef.h>
#include <stdint.h>

/** What to score with; borrowed, and kept while the scorer lives. */
typedef struct nas_scorer_options {
    nas_engine_t *engine;
    nas_network_t network;
    const nas_metric_t *const *metric; /**< [n_metric] */
    int n_metric;
    int batch;             /**< N */
    const float *images;   /**< [N, I, H, W] normalised */
    const int32_t *labels; /**< [N] in [0, classes) */
    uint64_t seed;         /**< of the initial weights */
} nas_scorer_options_t;

/** Opaque. */
typedef struct nas_scorer nas_scorer_t;

/** Not collective. The caller owns *scorer_p and ends it with nas_scorer_destroy.
 *  NAS_ENOMEM. */
nas_status_t nas_scorer_create(const nas_scorer_options_t *options, nas_scorer_t **scorer_p,
                               nas_error_t *err);

/** Build, initialise and measure one network.  Not collective; deterministic for an engine and its
 *  instruction set: values depend on (options, arch) alone.
 *  arch [in] whose name keys the weights;
 *  value [out] n_metric, NaN where a metric is not defined.
 *  NAS_ENOMEM. Memory is kept for the next architecture, as much as the largest so far took. */
nas_status_t nas_scorer_score(nas_scorer_t *scorer, const nas_arch_t *arch, double *value,
                              nas_error_t *err);

/** Measure a network with given parameters, in place of initial ones.  As nas_scorer_score;
 *  graph [in] of the scorer's network. */
nas_status_t nas_scorer_measure(nas_scorer_t *scorer, const nas_graph_t *graph,
                                const double *parameters, double *value, nas_error_t *err);

/** Bytes of tensors and vectors that the largest architecture so far took. */
size_t nas_scorer_bytes(const nas_scorer_t *scorer);

/** Accepts NULL. */
void nas_scorer_destroy(nas_scorer_t *scorer);

#endif
