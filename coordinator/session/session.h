/* A session of a run: one program start that begins or resumes it. What rank 0 keeps of a run
 * whatever its stages do: its output and the lock on it, its state, when to save and when to stop.
 * Knows no stage and none of their inputs. */
#ifndef NAS_COORDINATOR_SESSION_SESSION_H
#define NAS_COORDINATOR_SESSION_SESSION_H

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/io/progress.h"
#include "common/job/job.h"
#include "common/state/state.h"

#include <stdbool.h>
#include <stdint.h>

/** What a session begins with; borrowed. */
typedef struct nas_session_options {
    const nas_job_t *job; /**< kept (borrowed) */
    int64_t patience; /**< failed evaluations after which the run gives up where none succeeds; 0:
                           never */
    bool resume;
    bool retry_failed; /**< with resume: begin a retry of what has failed */
    bool fresh;
    int n_ranks;
    const char *isa;  /**< instruction set that all ranks use */
    const char *blas; /**< kernels of linear algebra that rank 0 uses */
} nas_session_options_t;

/** Opaque. */
typedef struct nas_session nas_session_t;

/** Lock the output and read what an earlier session left there, where it is to be resumed.
 *  Coordinator only.
 *  NAS_EINPUT: an output that is there while neither resume nor fresh is asked for; a file that is
 *  no run's; a state file that is damaged. NAS_EIO: the output cannot be written. Nothing on disk
 *  is changed but the output's folders and its lock.
 *  The caller owns *session_p. */
nas_status_t nas_session_create(const nas_session_options_t *options, nas_session_t **session_p,
                                nas_error_t *err);

/** Where what is saved is complete and the job looks as it did then, take that up: nothing else is
 *  to be read, a table of 10^7 rows least of all. Where in doubt, or where failures are retried,
 *  not.  Coordinator only; the options are those of nas_session_create.
 *  seen [in] what the job looks like before its files are read; all 0: not known. Kept for the next
 *  session.
 *  settled [out] whether it was so.  NAS_ENOMEM. */
nas_status_t nas_session_settle(nas_session_t *session, const nas_session_options_t *options,
                                const nas_digest_t *seen, bool *settled, nas_error_t *err);

/** While inputs are read, before anything is begun: whether OUTPUT.stop asks to stop. */
bool nas_session_stops_reading(nas_session_t *session);

/** Obey that, or a signal: returns NAS_ESTOP with the line for the user. Nothing was begun. */
nas_status_t nas_session_stop_reading(nas_session_t *session, nas_error_t *err);

/** What an earlier session left, until it is taken up; NULL: nothing. Borrowed.  Coordinator
 *  only. */
nas_state_t *nas_session_saved(nas_session_t *session);

/** Begin with a state, or take up the saved one, which must be of the same job.  Coordinator only;
 *  the options are those of nas_session_create.
 *  fresh [in, out] of nas_state_begin; becomes the session's, and is zero afterwards.
 *  NAS_EINPUT: the saved state is of another job. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_session_take(nas_session_t *session, const nas_session_options_t *options,
                              nas_state_t *fresh, nas_error_t *err);

/** Where the run is written: the job's output, or what that leads to where it is a link. Borrowed.
 */
const char *nas_session_output(const nas_session_t *session);

/** The results so far, which stages extend. Borrowed. */
nas_state_t *nas_session_state(nas_session_t *session);

/** Whether nothing is left to do: the run is complete, or it gave up and would do so again.
 *  Coordinator only. */
bool nas_session_over(const nas_session_t *session);

/** Whether the run is to give up now, by its patience.  Coordinator only. */
bool nas_session_gives_up(const nas_session_t *session);

/** The verdict on a run that is over (nas_verdict).  Coordinator only. */
nas_status_t nas_session_verdict(const nas_session_t *session, nas_error_t *err);

/** Say a line in the log, and in the state for good.  Coordinator only.  NAS_ENOMEM. */
nas_status_t nas_session_say(nas_session_t *session, const char *line, nas_error_t *err);

/** Write the state file now.  Coordinator only.  NAS_EIO. */
nas_status_t nas_session_save(nas_session_t *session, nas_error_t *err);

/** Save at the end of a stage that came to a status. Returns the worse of that and the save's, with
 *  its text in err.  Coordinator only. */
nas_status_t nas_session_save_at_end(nas_session_t *session, nas_status_t status, nas_error_t *err);

/** Whether to save now, after evaluations that took spent_s; 0: of none.  Coordinator only. */
bool nas_session_save_is_due(const nas_session_t *session, double spent_s);

/** Whether to save now because the next chance comes in step_s only.  Coordinator only. */
bool nas_session_save_has_last_chance(const nas_session_t *session, double step_s);

/** Save, with line as an event, before the job ends without an agreement of its ranks. What fails
 *  here is not reported, since another error is.  Coordinator only. */
void nas_session_abandon(nas_session_t *session, const char *line);

/** Whether OUTPUT.stop asks to stop, now or when it was asked before.  Coordinator only; looks
 *  twice a second at most. */
bool nas_session_sees_stop(nas_session_t *session);

/** Remove OUTPUT.stop where a run ends by itself: it would stop the next one.  Coordinator only. */
void nas_session_forget_stop(nas_session_t *session);

/** Note that the run stops on request, by OUTPUT.stop, which is removed, or else by a signal.
 *  Coordinator only. Returns NAS_ESTOP with the line for the user: n_done of the progress's
 *  total. */
nas_status_t nas_session_stop(nas_session_t *session, int64_t signal, int64_t n_done,
                              const nas_progress_t *progress, nas_error_t *err);

/** Release the lock and free everything. Accepts NULL. */
void nas_session_destroy(nas_session_t *session);

#endif
