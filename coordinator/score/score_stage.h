/* What the rounds of scoring (score.c) ask of rank 0's side of the stage (score_stage.c). */
#ifndef NAS_COORDINATOR_SCORE_SCORE_STAGE_H
#define NAS_COORDINATOR_SCORE_SCORE_STAGE_H

#include "coordinator/score/score.h"
#include "coordinator/score/score_parameters.h"
#include "coordinator/score/score_reuse.h"

/** Longest time between two meetings of the ranks, so that a killed job loses no more than a minute
 *  of work, the longest architecture and the checkpoint included. */
#define NAS_SCORE_ROUND_S 45.0

/** Outcome of scoring one architecture. */
typedef struct nas_score {
    nas_score_status_t status;
    double seconds;
} nas_score_t;

struct nas_score_stage {
    nas_session_t *session;
    const nas_pool_t *pool;
    const nas_score_inputs_t *inputs;
    nas_score_parameters_t parameters;
    nas_digest_t measurement;
    nas_score_reuse_t known; /**< scores of an older run */
    nas_progress_t progress;
    bool is_last;
    bool has_scored;          /**< one at least did not fail */
    nas_error_t first_failed; /**< why the first one failed that did; "": none has */
    nas_status_t failure;     /**< of the save since the round before */
    nas_error_t failure_text;
};

/** Show progress from here on.  Coordinator only. */
void nas_score_stage_begin(nas_score_stage_t *stage);

/** Whether some metrics of an architecture are known from another run: those that the parameters
 *  name.  Coordinator only. */
bool nas_score_stage_is_partly_known(const nas_score_stage_t *stage, int64_t arch);

/** Record one architecture's scores;
 *  value [in] n_metric, of which those that are known from another run do not count.  Coordinator
 *  only. */
void nas_score_stage_record(nas_score_stage_t *stage, int64_t arch, int rank,
                            const nas_score_t *score, const double *value);

/** Note why an architecture failed, and tell of the first one.  Coordinator only.
 *  failure: "", none has. */
void nas_score_stage_note_failure(nas_score_stage_t *stage, const nas_error_t *failure);

/** While ranks score: look for OUTPUT.stop.  Coordinator only. Returns SIGTERM where it asks to
 *  stop, otherwise 0. */
int nas_score_stage_watch(nas_score_stage_t *stage);

/** End of a round: stop [in] a signal that some rank received, or 0.  Coordinator only.
 *  A save that failed since the round before is made again, with this round's results.
 *  NAS_OK: go on, or all is scored (then it is saved). NAS_EINPUT: the first ones have all failed,
 *  and what is behind them is left. NAS_ESTOP: saved, as the text says. NAS_EIO:
 *  a save failed. */
nas_status_t nas_score_stage_end_round(nas_score_stage_t *stage, int64_t stop, nas_error_t *err);

/** The end, since a rank's device is lost or its engine failed otherwise: nothing is recorded for it,
 *  and the state is saved with what was scored.  Coordinator only.
 *  status, err [in] of that rank; err [out] with what it means for the run. Returns the status. */
nas_status_t nas_score_stage_break_off(nas_score_stage_t *stage, int rank, nas_status_t status,
                                       nas_error_t *err);

/** Save if it is due; one that fails is made again at the end of the next round. 
 *  Coordinator only. */
void nas_score_stage_save_if_due(nas_score_stage_t *stage);

#endif
