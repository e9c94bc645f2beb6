/* A session of a run: one program start that begins or resumes it. Rank 0's side of the search. */
#ifndef NAS_COORDINATOR_SESSION_SESSION_H
#define NAS_COORDINATOR_SESSION_SESSION_H

#include "common/base/error.h"
#include "common/comm/comm.h"
#include "coordinator/evaluate/evaluator_plan.h"
#include "coordinator/inputs/inputs.h"
#include "coordinator/search/message.h"

#include <stdbool.h>
#include <stddef.h>

/** What the command line asks for; borrowed. */
typedef struct nas_session_options {
    nas_job_source_t job; /**< and what it is read for */
    bool resume;
    bool retry_failed; /**< with resume: begin a retry of what has failed */
    bool fresh;
    const char *reuse; /**< an older state file whose evaluations and scores are taken over, or
                            NULL */
    int n_ranks;
    const char *isa;                  /**< instruction set that all ranks use */
    const char *blas;                 /**< kernels of linear algebra that rank 0 uses */
    const nas_interrupt_t *interrupt; /**< asked while inputs are read; may be NULL */
} nas_session_options_t;

/** Outcome of scoring one architecture. */
typedef struct nas_score {
    nas_score_status_t status;
    double seconds;
} nas_score_t;

/** Opaque. */
typedef struct nas_session nas_session_t;

/** Read and check every input, lock the output, begin a state or take up a saved one.  Coordinator
 *  only. Where the saved one is complete and the job's keys and its files' sizes and times are what
 *  they were, no other input is read: then there is the state alone.
 *  NAS_ESTOP: interrupted, or OUTPUT.stop asks to stop, while inputs are read: nothing was begun.
 *  NAS_EINPUT: anything wrong with the inputs; an output that is there while neither resume nor
 *  fresh is asked for; a file that is no run's; a state file that is damaged or of another job.
 *  NAS_EIO: the output cannot be written. Nothing on disk is changed but the output's folders and
 *  its lock.
 *  The caller owns *session_p. */
nas_status_t nas_session_create(const nas_session_options_t *options, nas_session_t **session_p,
                                nas_error_t *err);

/** Inputs, with the plan for the session's ranks. Borrowed. */
const nas_inputs_t *nas_session_inputs(const nas_session_t *session);

/** Where the run is written: the job's output, or what that leads to where it is a link. Borrowed.
 */
const char *nas_session_output(const nas_session_t *session);

/** The results so far. Borrowed. */
const nas_state_t *nas_session_state(const nas_session_t *session);

/** Whether nothing is left to do: the run is complete, or it gave up and would do so again.
 *  Coordinator only. */
bool nas_session_over(const nas_session_t *session);

/** The verdict on a run that is over (nas_verdict).  Coordinator only. */
nas_status_t nas_session_verdict(const nas_session_t *session, nas_error_t *err);

/** Whether scores have to be computed before a search, or at all. */
bool nas_session_needs_scores(const nas_session_t *session);

/** Announce the run and write its state file at once, so that an unwritable output shows before any
 *  work is done.  Coordinator only. NAS_EIO. */
nas_status_t nas_session_begin(nas_session_t *session, nas_error_t *err);

/** Look at the metrics before a search weighs them, now that their values are known: say in the
 *  state which are constant, and, of those that this run has computed, what is worth a note.
 *  Coordinator only. Errors of nas_inputs_look_at_metrics. */
nas_status_t nas_session_look_at_metrics(nas_session_t *session, nas_error_t *err);

/** Begin to count the stage's progress.  Coordinator only. */
void nas_session_begin_scoring(nas_session_t *session);
void nas_session_begin_search(nas_session_t *session);

/** A request to stop came before the first round: note it and save.  Coordinator only. stop: the
 *  signal that some rank received, or 0. Returns NAS_ESTOP with the line for the user, or the error
 *  of saving. */
nas_status_t nas_session_stop_early(nas_session_t *session, int stop, nas_error_t *err);

/** A lockstep round begins: take the steps of all groups and work out which architectures have to
 *  be judged for them (nas_session_candidates).  Coordinator only.
 *  steps [in] messages of n_groups leaders, offset [n_groups + 1]; kept (borrowed) until the round
 *  ends. Errors show in nas_session_round. */
void nas_session_take_steps(nas_session_t *session, const char *steps, const size_t *offset);

/** What judging needs to know; kind TABLE where there is nothing to judge. Borrowed. */
const nas_evaluator_plan_t *nas_session_judging(const nas_session_t *session);

/** Architectures to judge in this round: none where the search is about to end.  Coordinator only.
 *  n [out] their number. Borrowed until the round ends. */
const nas_candidate_t *nas_session_candidates(const nas_session_t *session, int64_t *n);

/** What came of candidate `index` of the round, judged by a rank.  Coordinator only. The arrays of
 *  outcome become the session's. */
void nas_session_judged(nas_session_t *session, int64_t index, const nas_outcome_t *outcome,
                        int rank);

/** How judging ended: a status other than NAS_OK, with its text, ends the search in this round;
 *  stop: for NAS_ESTOP, the signal that some rank received.  Coordinator only. */
void nas_session_end_judging(nas_session_t *session, nas_status_t status, const nas_error_t *err,
                             int stop);

/** While ranks work: show progress and look for OUTPUT.stop.  Coordinator only; of a second or so
 *  between calls. share: of the round's work that is done. Returns SIGTERM where the file asks to
 *  stop, otherwise 0. */
int nas_session_watch(nas_session_t *session, double share);

/** The round ends: record, save when due, and answer.  Coordinator only.
 *  replies [out] borrowed until the next round, with reply_offset [n_groups + 1]. Every error ends
 *  the search for all through the replies. */
void nas_session_round(nas_session_t *session, const char **replies, size_t *reply_offset);

/** Whether some metrics of an architecture are known from another run: those that the plan of
 *  scoring names.  Coordinator only. */
bool nas_session_is_partly_scored(const nas_session_t *session, int64_t arch);

/** Record one architecture's scores;
 *  value [in] n_metric, of which those that are known from another run do not count.  Coordinator
 *  only. */
void nas_session_record_score(nas_session_t *session, int64_t arch, int rank,
                              const nas_score_t *score, const double *value);

/** While ranks score: look for OUTPUT.stop.  Coordinator only. Returns SIGTERM where it asks to
 *  stop, otherwise 0. */
int nas_session_watch_scoring(nas_session_t *session);

/** End of a scoring round: stop [in] a signal that some rank received, or 0.  Coordinator only.
 *  NAS_OK: go on, or all is scored (then it is saved). NAS_ESTOP: saved, as the text says. NAS_EIO:
 *  a save failed, now or since the round before. */
nas_status_t nas_session_scored(nas_session_t *session, int64_t stop, nas_error_t *err);

/** Save if it is due; a failure shows in the next nas_session_scored.  Coordinator only. */
void nas_session_save_if_due(nas_session_t *session);

/** Save, with line as an event, before the job ends without an agreement of its ranks. What fails
 *  here is not reported, since another error is.  Coordinator only. */
void nas_session_abandon(nas_session_t *session, const char *line);

/** Release the lock and free everything. Accepts NULL. */
void nas_session_destroy(nas_session_t *session);

#endif
