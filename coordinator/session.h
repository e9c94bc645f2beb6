/* A session of a run: one program start that begins or resumes it. Rank 0's side of the search. */
#ifndef NAS_COORDINATOR_SESSION_H
#define NAS_COORDINATOR_SESSION_H

#include "common/comm.h"
#include "common/error.h"
#include "coordinator/inputs.h"
#include "coordinator/message.h"

#include <stdbool.h>
#include <stddef.h>

/** What the command line asks for; borrowed. */
typedef struct nas_session_options {
    const char *job;
    const char *const *set; /**< [n_set] "key.path=value" */
    size_t n_set;
    bool resume;
    bool fresh;
    const char *reuse; /**< an older state file whose evaluations are taken over, or NULL */
    int n_ranks;
    const char *isa; /**< instruction set that all ranks use */
} nas_session_options_t;

/** Opaque. */
typedef struct nas_session nas_session_t;

/** Read and check every input, lock the output, begin a state or take up a saved one.  Coordinator
 *  only.
 *  NAS_EINPUT: anything wrong with the inputs; an output that is there while neither resume nor
 *  fresh is asked for; a state file that is damaged or of another job.
 *  NAS_EIO: the output cannot be written. Nothing on disk is changed but the output's folders and
 *  its lock.
 *  The caller owns *session_p. */
nas_status_t nas_session_create(const nas_session_options_t *options, nas_session_t **session_p,
                                nas_error_t *err);

/** Inputs, with the plan for the session's ranks. Borrowed. */
const nas_inputs_t *nas_session_inputs(const nas_session_t *session);

/** The results so far. Borrowed. */
const nas_state_t *nas_session_state(const nas_session_t *session);

/** Write the state file for the first time in this session, so that an unwritable output shows at
 *  once.  Coordinator only. NAS_EIO. */
nas_status_t nas_session_begin(nas_session_t *session, nas_error_t *err);

/** One lockstep round: take the steps of all groups, record, save when due, and
 *  answer.  Coordinator only.
 *  steps [in] messages of n_groups leaders, offset [n_groups + 1];
 *  replies [out] borrowed until the next round, with reply_offset [n_groups + 1]. Every error ends
 *  the search for all through the replies. */
void nas_session_round(nas_session_t *session, const char *steps, const size_t *offset,
                       const char **replies, size_t *reply_offset);

/** Release the lock and free everything. Accepts NULL. */
void nas_session_destroy(nas_session_t *session);

#endif
