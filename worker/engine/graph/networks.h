/* Networks of a pool: what makes the network of an architecture, whether that is a space's builder
 * or a file. Whoever scores, trains, counts or measures them knows nothing but this.
 *
 * Architectures have numbers here: of a space, in its enumeration; of files, their places in the
 * pool. A source is one rank's own and is not shared among threads.
 */
#ifndef NAS_WORKER_ENGINE_GRAPH_NETWORKS_H
#define NAS_WORKER_ENGINE_GRAPH_NETWORKS_H

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/space/pool.h"
#include "worker/engine/graph/cost.h"
#include "worker/engine/graph/graph.h"
#include "worker/engine/graph/parameters.h"

#include <stdbool.h>
#include <stdint.h>

/** A network before anything is done with it. Zero-initialise; end with nas_fresh_network_fini.
 *  Graph and arrays may be taken over by whoever sets them to NULL here. */
typedef struct nas_fresh_network {
    nas_graph_t *graph;
    const char *name;      /**< of the architecture, which keys what is drawn; borrowed from the
                                source until the next one is made */
    nas_weights_t weights; /**< how parameters are drawn, where there are none here: */
    double *parameters;    /**< [graph->n_values]; NULL: they are drawn */
    double *statistics;    /**< [graph->n_statistics]; NULL: means 0, variances 1 */
    char *file;            /**< path of the file that it is of; NULL: none */
} nas_fresh_network_t;

typedef struct nas_networks nas_networks_t;

/** A source. All functions: not collective, deterministic. */
struct nas_networks {
    nas_weights_t weights;
    const nas_interrupt_t *interrupt; /**< asked where making one takes long, as where a program of
                                       *   the user's does; set by whoever makes them; may be NULL */

    /** number [out] of the architecture at a place of the pool, which has this name.
     *  NAS_EINPUT: there is none of this name. */
    nas_status_t (*find)(nas_networks_t *networks, int64_t place, const char *name, int64_t *number,
                         nas_error_t *err);

    /** fresh [out] the caller's. extents: of the images, their classes, and what a space takes.
     *  NAS_EARG, NAS_EINPUT, NAS_EIO: there is none, by its reason, which is the architecture's own
     *  failure. NAS_ESTOP: the interrupt said so. NAS_ENOMEM. */
    nas_status_t (*make)(nas_networks_t *networks, int64_t number, const nas_network_t *extents,
                         nas_fresh_network_t *fresh, nas_error_t *err);

    /** As nas_arch_cost; live may be NULL.
     *  NAS_EARG, NAS_EINPUT: there is none, as far as that is known. NAS_ENOMEM. */
    nas_status_t (*cost)(nas_networks_t *networks, int64_t number, const nas_network_t *extents,
                         nas_cost_t *cost, nas_cost_t *live, nas_error_t *err);

    /** Operations of the live part, as a measure for a schedule: above 0, the same on every rank,
     *  also where there is no such network. */
    double (*operations)(nas_networks_t *networks, int64_t number, const nas_network_t *extents);

    /** operations [out] of one that takes most, or nearly. */
    double (*most_operations)(nas_networks_t *networks, const nas_network_t *extents);

    /** Whether `cost` knows them before they are made. */
    bool is_counted;

    void (*destroy)(nas_networks_t *networks);
};

/** Those of a space, of a kind of weights other than FILE.  Not collective.
 *  The caller owns *networks_p. NAS_ENOMEM. */
nas_status_t nas_networks_of_space(const nas_space_t *space, nas_weights_t weights,
                                   nas_networks_t **networks_p, nas_error_t *err);

/** Accepts NULL. */
void nas_networks_destroy(nas_networks_t *networks);

/** The network's parameters to begin with, its own or drawn.  Not collective.
 *  values [out] graph->n_values. */
void nas_fresh_network_fill(const nas_fresh_network_t *fresh, uint64_t seed, double *values);

/** Accepts a zeroed one. */
void nas_fresh_network_fini(nas_fresh_network_t *fresh);

/** What all networks of a pool come to. */
typedef struct nas_pool_cost {
    double mean_flops; /**< NaN where nothing is known before they are made */
    int64_t largest;   /**< number of one that takes the most memory, or nearly: by its live
                        *   convolutions, then what else is live, then what they compute; -1: none is
                        *   known */
} nas_pool_cost_t;

/** Count all networks of a pool; those that do not exist do not count.  Not collective; of a space
 *  some 10 microseconds each.
 *  cost [out]. NAS_EARG: a space has none of these extents. NAS_ENOMEM. */
nas_status_t nas_pool_cost(const nas_pool_t *pool, nas_networks_t *networks,
                           const nas_network_t *extents, nas_pool_cost_t *cost, nas_error_t *err);

#endif
