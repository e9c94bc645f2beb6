/* The scoring stage on all ranks: metric values of every architecture of the pool. */
#ifndef NAS_COORDINATOR_SCORE_SCORING_H
#define NAS_COORDINATOR_SCORE_SCORING_H

#include "common/base/error.h"
#include "common/comm/comm.h"
#include "coordinator/session/session.h"

#include <stdint.h>

/** Longest time between two meetings of the ranks, so that a killed job loses no more than a minute
 *  of work, the longest architecture and the checkpoint included. */
#define NAS_SCORING_ROUND_S 45.0

/** Score what the session's state lacks, to the end or until a stop is requested; the state is saved
 *  as it goes.  Collective over world.
 *  session: on rank 0, NULL elsewhere. Returns the same status and text on every rank: NAS_OK, all
 *  is scored; NAS_ESTOP; or the worst error of any rank. An architecture that cannot be scored is
 *  recorded as failed and is no error. */
nas_status_t nas_scoring(nas_comm_t *world, nas_session_t *session, nas_error_t *err);

#endif
