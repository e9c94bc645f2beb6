/* The search on all ranks: set up, rounds in lockstep, tear down. */
#ifndef NAS_COORDINATOR_SEARCH_SEARCH_H
#define NAS_COORDINATOR_SEARCH_SEARCH_H

#include "common/base/error.h"
#include "common/comm/comm.h"
#include "common/space/pool.h"
#include "common/state/state.h"
#include "coordinator/devices/devices.h"
#include "coordinator/inputs/inputs_evaluate.h"
#include "coordinator/inputs/inputs_images.h"
#include "coordinator/inputs/inputs_search.h"
#include "coordinator/search/search_parameters.h"
#include "coordinator/session/session.h"
#include "worker/engine/graph/networks.h"
#include "worker/tables/shared_table.h"

/** Rank 0's side of the stage. Opaque. */
typedef struct nas_search_stage nas_search_stage_t;

/** What it works on; borrowed and kept. */
typedef struct nas_search_stage_options {
    nas_session_t *session; /**< with its state */
    const nas_pool_t *pool;
    nas_search_inputs_t *inputs; /**< computed metrics are looked at once they are there */
    const nas_evaluate_inputs_t *evaluate;
    const nas_shared_table_t *table; /**< of the pool, or of the objective; NULL: none */
    const nas_image_inputs_t *images;
    const nas_state_t *reuse; /**< evaluations to take over; may be NULL */
    int n_ranks;
} nas_search_stage_options_t;

/** Coordinator only.
 *  The caller owns *stage_p.  NAS_ENOMEM. */
nas_status_t nas_search_stage_create(const nas_search_stage_options_t *options,
                                     nas_search_stage_t **stage_p, nas_error_t *err);

/** What the ranks of the search are told. Borrowed. */
const nas_search_parameters_t *nas_search_stage_parameters(const nas_search_stage_t *stage);

/** Evaluations recorded so far. Accepts NULL: 0. */
int64_t nas_search_stage_count(const nas_search_stage_t *stage);

/** Accepts NULL. */
void nas_search_stage_destroy(nas_search_stage_t *stage);

/** What every rank has; borrowed. */
typedef struct nas_search_ranks {
    nas_comm_t *world;
    const nas_devices_t *devices; /**< what networks are trained on */
    nas_networks_t *networks;     /**< this rank's source of the pool's; NULL: none are computed */
    nas_shared_table_t *table; /**< this rank's rows of one that the ranks share, or on rank 0 one
                                    of its own; NULL: none */
} nas_search_ranks_t;

/** Search to the end.  Collective over world. stage: on rank 0, NULL elsewhere. Returns the same
 *  status and text on every rank: NAS_OK complete, NAS_ESTOP stopped on request and saved, or the
 *  worst error of any rank. */
nas_status_t nas_search(const nas_search_ranks_t *ranks, nas_search_stage_t *stage,
                        nas_error_t *err);

#endif
