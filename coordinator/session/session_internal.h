/* What session.c and the files of its stages share. */
#ifndef NAS_COORDINATOR_SESSION_SESSION_INTERNAL_H
#define NAS_COORDINATOR_SESSION_SESSION_INTERNAL_H

#include "common/base/checkpoint.h"
#include "common/base/progress.h"
#include "common/io/file.h"
#include "common/io/stop.h"
#include "coordinator/search/ledger.h"
#include "coordinator/session/resume.h"
#include "coordinator/session/score_reuse.h"
#include "coordinator/session/session.h"

struct nas_session {
    nas_inputs_t inputs;
    char *output; /**< where the job's output is written, a link followed; owned */
    nas_lock_t *lock;
    nas_digest_t seen; /**< nas_inputs_seen, before anything was read */
    nas_state_t state;
    nas_state_t old;          /**< whose evaluations or scores are taken over */
    nas_digest_t measurement; /**< how scores are measured now, where any are */
    nas_score_reuse_t known;  /**< scores of old */
    nas_ledger_t *ledger;     /**< NULL where there is no search */
    nas_stop_file_t stop_file;
    nas_checkpoint_t checkpoint;
    nas_progress_t progress;
    bool has_watched; /**< progress, while ranks work */
    nas_buffer_t replies;
    double started_s;        /**< monotonic */
    double elapsed_before_s; /**< of earlier sessions */
    const char *steps;       /**< of the round, of n_groups leaders; borrowed */
    const size_t *offset;
    double taken_s;      /**< when the round began */
    nas_status_t judged; /**< how judging ended */
    nas_error_t judged_text;
    int stop; /**< a signal that ended judging, or 0 */
    bool saw_stop_file;
    nas_status_t failure; /**< of a save between two rounds of scoring */
    nas_error_t failure_text;
};

/** Whether the run is to give up now. */
bool nas_session_gives_up(const nas_session_t *session);

/** Write the state file now. */
nas_status_t nas_session_save(nas_session_t *session, nas_error_t *err);

/** Note that the run stops on request, by a signal or (0) by the stop file, which is removed.
 *  Returns NAS_ESTOP with the line for the user: n_done of the progress's total. */
nas_status_t nas_session_stop(nas_session_t *session, int64_t signal, int64_t n_done,
                              nas_error_t *err);

/** Say in the state how its scores are measured, once it is begun or resumed: scores of sessions
 *  that measure differently are not of one kind. */
void nas_session_settle_measurement(nas_session_t *session);

/** Read an older run, take its scores into the state as far as they count, and log how many.
 *  path: NULL where nothing is to be taken over; what [out] which kinds of results it has.
 *  Errors as nas_state_read_reusable. */
nas_status_t nas_session_open_old(nas_session_t *session, const char *path, nas_reusable_t *what,
                                  nas_error_t *err);

#endif
