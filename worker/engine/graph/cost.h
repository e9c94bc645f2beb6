/* Size and work of a network, counted on its graph: nothing is run. */
#ifndef NAS_WORKER_ENGINE_GRAPH_COST_H
#define NAS_WORKER_ENGINE_GRAPH_COST_H

#include "worker/engine/graph/graph.h"

#include <stdint.h>

/** Numbers of one network, or of its live part; work is for one image. */
typedef struct nas_cost {
    int64_t params; /**< elements of all parameters */
    /** Multiply-adds of all convolutions and linear layers. */
    int64_t flops;
    /** What tensorwatch's ModelStats.Flops counts, 1e6 times the `flops` of tables that NASLib
     *  wrote: `flops`, and an operation for each element of a ReLU, two for each of a BN, one for
     *  each pixel of a pool's windows (padding counted), (H + 1)(W + 1) a channel for a global
     *  pool; nothing for sums and biases. */
    int64_t operations;
    int n_convs;
    int n_others; /**< terms of sums that are no convolutions: copies and pools */
} nas_cost_t;

/** Count.  Not collective.
 *  cost [out] of all operations; live [out] of those that lie on a way through their block from its
 *  input to its output (builder.h), NULL: not asked.
 *  NAS_ENOMEM. */
nas_status_t nas_graph_cost(const nas_graph_t *graph, nas_cost_t *cost, nas_cost_t *live,
                            nas_error_t *err);

/** As nas_graph_cost, of an architecture, whose graph is made and dropped: some 10 microseconds.
 *  NAS_EARG as nas_graph_create. */
nas_status_t nas_arch_cost(const nas_arch_t *arch, const nas_network_t *network, nas_cost_t *cost,
                           nas_cost_t *live, nas_error_t *err);

#endif
