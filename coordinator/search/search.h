/* The search on all ranks: set up, rounds in lockstep, tear down. */
#ifndef NAS_COORDINATOR_SEARCH_SEARCH_H
#define NAS_COORDINATOR_SEARCH_SEARCH_H

#include "common/base/error.h"
#include "common/comm/comm.h"
#include "coordinator/session/session.h"

/** Run a session to its end.  Collective over world. session: on rank 0, NULL elsewhere. Returns
 *  the same status and text on every rank: NAS_OK complete, NAS_ESTOP stopped on request and
 *  saved, or the worst error of any rank. */
nas_status_t nas_search(nas_comm_t *world, nas_session_t *session, nas_error_t *err);

#endif
