/* The scoring stage on all ranks: metric values of every architecture of the pool. */
#ifndef NAS_COORDINATOR_SCORE_SCORE_H
#define NAS_COORDINATOR_SCORE_SCORE_H

#include "common/base/error.h"
#include "common/comm/comm.h"
#include "common/job/job.h"
#include "common/space/pool.h"
#include "coordinator/devices/devices.h"
#include "coordinator/inputs/inputs_score.h"
#include "coordinator/session/reuse.h"
#include "coordinator/session/session.h"

#include <stdbool.h>

/** Rank 0's side of the stage. Opaque. */
typedef struct nas_score_stage nas_score_stage_t;

/** What it works on; borrowed and kept. */
typedef struct nas_score_stage_options {
    nas_session_t *session; /**< with its state */
    const nas_job_t *job;
    const nas_pool_t *pool;
    const nas_score_inputs_t *inputs;
    const char *unit; /**< what computes: the instruction set of all ranks, or their GPUs */
    bool is_last;     /**< nothing is searched: when all is scored the run is complete */
} nas_score_stage_options_t;

/** Say in the state how its scores are measured. Scores of sessions that measure differently are
 *  not of one kind.  Coordinator only.
 *  The caller owns *stage_p.  NAS_ENOMEM. */
nas_status_t nas_score_stage_create(const nas_score_stage_options_t *options,
                                    nas_score_stage_t **stage_p, nas_error_t *err);

/** How scores are measured now. Accepts NULL, then NULL. Borrowed. */
const nas_digest_t *nas_score_stage_measurement(const nas_score_stage_t *stage);

/** Take over what an older run's scores have, and log how much.  Coordinator only.
 *  old [in] with scores; kept (borrowed).  NAS_ENOMEM. */
nas_status_t nas_score_stage_reuse(nas_score_stage_t *stage, const nas_reusable_t *old,
                                   nas_error_t *err);

/** Whether scores have to be computed. Accepts NULL: none. */
bool nas_score_stage_is_needed(const nas_score_stage_t *stage);

/** Accepts NULL. */
void nas_score_stage_destroy(nas_score_stage_t *stage);

/** Score what the session's state lacks, to the end or until a stop is requested; the state is
 *  saved as it goes.  Collective over world.
 *  devices: what the ranks compute on; networks: this rank's source of the pool's; stage: on rank 0, NULL elsewhere. Returns the same status and text on every rank: NAS_OK, all
 *  is scored; NAS_ESTOP; or the worst error of any rank. An architecture that cannot be scored is
 *  recorded as failed and is no error, unless the first ones all are: NAS_EINPUT, with the reason of
 *  one of them. */
nas_status_t nas_score(nas_comm_t *world, const nas_devices_t *devices, nas_networks_t *networks,
                       nas_score_stage_t *stage, nas_error_t *err);

#endif
