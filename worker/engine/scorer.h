/* The scorer: metric values of architectures on this rank, one after the other or a pack at a time.
 *
 * A pack is gathered, then started, then finished:
 *
 *     nas_scorer_add(scorer, number), as often as the engine is wide at most; nas_scorer_start(scorer);
 *     nas_scorer_finish(scorer, value, result, err);
 *
 * While an engine of width above 1 is busy with a pack, the next one may be gathered and started,
 * so that its graphs and programs are made meanwhile; it begins when the first is finished. What is
 * found of an architecture does not depend on its company, so that a pack for which the engine has
 * no memory is carried out in halves, and these in halves, unseen.
 */
#ifndef NAS_WORKER_ENGINE_SCORER_H
#define NAS_WORKER_ENGINE_SCORER_H

#include "common/base/error.h"
#include "common/space/network.h"
#include "worker/engine/engine.h"
#include "worker/engine/graph/networks.h"
#include "worker/engine/metrics/metric.h"

#include <stddef.h>
#include <stdint.h>

/** What to score with; borrowed, and kept while the scorer lives. */
typedef struct nas_scorer_options {
    nas_engine_t *engine;
    nas_networks_t *networks; /**< what makes them; NULL: graphs are given (nas_scorer_measure) */
    nas_network_t network;    /**< extents */
    const nas_metric_t *const *metric; /**< [n_metric] */
    int n_metric;
    int batch;             /**< N */
    const float *images;   /**< [N, I, H, W] normalised */
    const int32_t *labels; /**< [N] in [0, classes) */
    uint64_t seed;         /**< of the initial weights */
} nas_scorer_options_t;

/** What came of an architecture of a pack. */
typedef struct nas_scorer_result {
    nas_status_t status; /**< NAS_OK: its values are set. NAS_ENOMEM: there is no memory for it,
                              not even alone. NAS_ESTOP: making it was interrupted, and nothing is
                              known of it. Others: it cannot be scored */
    nas_error_t err;
} nas_scorer_result_t;

/** Opaque. */
typedef struct nas_scorer nas_scorer_t;

/** Not collective. The caller owns *scorer_p and ends it with nas_scorer_destroy.
 *  NAS_ENOMEM. */
nas_status_t nas_scorer_create(const nas_scorer_options_t *options, nas_scorer_t **scorer_p,
                               nas_error_t *err);

/** Add an architecture to the pack that is gathered: its graph and its programs are made, and its
 *  parameters unless the engine draws them. One for which that fails has a result all the same.
 *  Not collective. number: of the architecture among the networks. */
void nas_scorer_add(nas_scorer_t *scorer, int64_t number);

/** Start what was added, or leave it ready where the engine is busy with the pack before. Two packs
 *  may have been started and not finished, of an engine of width 1 one.  Not collective.
 *  What fails is said by nas_scorer_finish. */
void nas_scorer_start(nas_scorer_t *scorer);

/** Wait for the pack that was started first, start the one behind it, and work the first one's
 *  metrics out.  Not collective; deterministic for an engine and its instruction set: values depend
 *  on (options, the network) alone.
 *  value [out] n_metric for each architecture that was added, in their order, NaN where a metric is
 *  not defined; those of one that failed are not set. result [out] of each.
 *  An error is the engine's as a whole, as when its device is lost: nothing is known of any
 *  architecture of this pack or another, and the scorer is of no use but to be destroyed. */
nas_status_t nas_scorer_finish(nas_scorer_t *scorer, double *const *value,
                               nas_scorer_result_t *result, nas_error_t *err);

/** All of that for one architecture.  Not collective. Nothing else may be under way.
 *  value [out] n_metric.
 *  NAS_ENOMEM. Memory is kept for the next architecture, as much as the largest so far took. */
nas_status_t nas_scorer_score(nas_scorer_t *scorer, int64_t number, double *value,
                              nas_error_t *err);

/** Measure a network with given parameters, in place of initial ones.  As nas_scorer_score;
 *  graph [in] of the scorer's network. */
nas_status_t nas_scorer_measure(nas_scorer_t *scorer, const nas_graph_t *graph,
                                const double *parameters, double *value, nas_error_t *err);

/** Bytes of tensors and vectors that the largest pack so far took. */
size_t nas_scorer_bytes(const nas_scorer_t *scorer);

/** Packs that are under way are given up. Accepts NULL. */
void nas_scorer_destroy(nas_scorer_t *scorer);

#endif
