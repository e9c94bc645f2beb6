/* Memory that a network takes, before it is built for good: what a job needs can be said on a
 * machine that has less. */
#ifndef NAS_WORKER_ENGINE_PROGRAM_FOOTPRINT_H
#define NAS_WORKER_ENGINE_PROGRAM_FOOTPRINT_H

#include "common/base/error.h"
#include "worker/engine/backends/backend.h"
#include "worker/engine/graph/graph.h"
#include "worker/engine/graph/networks.h"

#include <stddef.h>
#include <stdint.h>

/** What is computed at once. */
typedef struct nas_footprint_program {
    unsigned needs; /**< nas_need_t bits */
    int batch;      /**< images */
} nas_footprint_program_t;

/** What is computed of a network. Borrowed. */
typedef struct nas_footprint_options {
    const nas_backend_t *backend;
    const nas_network_t *network;           /**< extents, of one that is made */
    const nas_footprint_program_t *program; /**< [n_programs] */
    int n_programs;
} nas_footprint_options_t;

/** Bytes of the arena of tensors that programs share, and of all their vectors: nearly all that
 *  scoring or training takes.  Not collective. Plans the programs, some tens of milliseconds, and
 *  takes no arena.
 *  options->network does not count. bytes [out].
 *  NAS_ENOMEM; NAS_EARG as nas_program_create. */
nas_status_t nas_footprint_of_graph(const nas_footprint_options_t *options,
                                    const nas_graph_t *graph, size_t *bytes, nas_error_t *err);

/** The same of one of a pool's networks.
 *  number: -1, there is none. n_bytes [out] NaN where there is nothing to compute or no backend.
 *  Errors of networks->make and nas_program_create. */
nas_status_t nas_footprint_of(const nas_footprint_options_t *options, nas_networks_t *networks,
                              int64_t number, double *n_bytes, nas_error_t *err);

/** As nas_footprint_of, of a backend that may not have the kernels: n_bytes [out] NaN then, too.
 *  NAS_ENOMEM. */
nas_status_t nas_footprint_if_computed(const nas_footprint_options_t *options,
                                       nas_networks_t *networks, int64_t number, double *n_bytes,
                                       nas_error_t *err);

#endif
