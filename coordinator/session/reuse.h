/* An older run, of which evaluations, scores or both are taken over. */
#ifndef NAS_COORDINATOR_SESSION_REUSE_H
#define NAS_COORDINATOR_SESSION_REUSE_H

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/state/state.h"

#include <stdbool.h>

/** What of an older run can be taken over. Zero: nothing; end with nas_reusable_fini. */
typedef struct nas_reusable {
    nas_state_t state;  /**< that run */
    const char *path;   /**< its file; borrowed */
    bool evaluations;   /**< both runs search, with the same objective */
    bool scores;        /**< both score, and measure in the same way */
    nas_error_t notice; /**< "", or why the previous file was read */
} nas_reusable_t;

/** For whom; borrowed for the call. */
typedef struct nas_reuse_options {
    const char *output;              /**< of the job, as it names it */
    const nas_digest_t *measurement; /**< how scores are measured now; NULL where none are */
} nas_reuse_options_t;

/** Whether a state says how its scores were measured. */
bool nas_scores_are_measured(const nas_scores_t *scores);

/** Read an older run.  Coordinator only.
 *  old [out]; path is kept (borrowed). Errors of nas_statefile_read. */
nas_status_t nas_reusable_read(nas_reusable_t *old, const char *path, nas_error_t *err);

/** Find out what of it can be taken over, say in the log what does not count, and note it among the
 *  sources of a state, which it is for.  Coordinator only.
 *  NAS_EINPUT: nothing can be taken over; the text says why. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_reusable_choose(nas_reusable_t *old, const nas_reuse_options_t *options,
                                 nas_state_t *state, nas_error_t *err);

/** Accepts a zeroed one. */
void nas_reusable_fini(nas_reusable_t *old);

#endif
