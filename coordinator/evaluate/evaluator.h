/* Judging on all ranks: candidates that rank 0 names are trained, or given to the user's trainer,
 * by teams of ranks at the same time. */
#ifndef NAS_COORDINATOR_EVALUATE_EVALUATOR_H
#define NAS_COORDINATOR_EVALUATE_EVALUATOR_H

#include "common/base/error.h"
#include "common/comm/comm.h"
#include "common/comm/heartbeat.h"
#include "coordinator/session/session.h"

/** Opaque. */
typedef struct nas_evaluator nas_evaluator_t;

/** Make teams and share what they need: images, or the user's command.  Collective over world.
 *  session: on rank 0, NULL elsewhere; heartbeat: by which ranks hear of a stop. All are kept
 *  (borrowed). The caller owns *evaluator_p, which is NULL where nothing is to be judged.
 *  NAS_EINPUT: this program has no such backend. NAS_ENOMEM on any rank fails all. */
nas_status_t nas_evaluator_create(nas_comm_t *world, nas_session_t *session,
                                  nas_heartbeat_t *heartbeat, nas_evaluator_t **evaluator_p,
                                  nas_error_t *err);

/** Judge the candidates of the session's round (nas_session_candidates) and hand the outcomes to it
 *  (nas_session_judged).  Collective over world; ranks without work sleep. Deterministic but for
 *  what the user's trainers do, whatever the number of ranks.
 *  NAS_ESTOP: a rank was asked to stop; what was under way is saved, or has been ended, and not
 *  every candidate has an outcome. NAS_EIO, NAS_ENOMEM; the same on every rank. */
nas_status_t nas_evaluator_round(nas_evaluator_t *judging, nas_error_t *err);

/** Accepts NULL. Collective over world. */
void nas_evaluator_destroy(nas_evaluator_t *judging);

#endif
