/* Beginning a state, or taking up a saved one that belongs to the same job. */
#ifndef NAS_COORDINATOR_SESSION_RESUME_H
#define NAS_COORDINATOR_SESSION_RESUME_H

#include "common/base/error.h"
#include "common/state/state.h"
#include "coordinator/inputs/inputs.h"

#include <stdbool.h>

/** A state with the job's identity and R empty repeats.  Coordinator only.
 *  state [out] zero-initialised before; end it with nas_state_fini.  NAS_ENOMEM. */
nas_status_t nas_state_begin(nas_state_t *state, const nas_inputs_t *inputs, nas_error_t *err);

/** Whether a saved state that was read from path belongs to the job of `fresh` (made by
 *  nas_state_begin).
 *  NAS_EINPUT: it is of another job, table or budget, or no program writes such; err says which and
 *  what to do. */
nas_status_t nas_state_check_saved(const nas_state_t *saved, const char *path,
                                   const nas_state_t *fresh, nas_error_t *err);

/** Whether a state was last written on a processor of another kind than this one, which has these
 *  instructions and uses these kernels of linear algebra.  Coordinator only.
 *  line [out] what differs and what it may change; untouched where nothing differs. A saved state
 *  that does not know its kernels differs in none. */
bool nas_state_has_moved(const nas_state_t *saved, const char *isa, const char *blas,
                         nas_error_t *line);

/** What of an older run can be taken over. */
typedef struct nas_reusable {
    bool evaluations;   /**< both runs search, with the same objective */
    bool scores;        /**< both score, and measure in the same way */
    nas_error_t notice; /**< "", or why the previous file was read */
} nas_reusable_t;

/** Read an older run, from which evaluations, scores or both are to be taken over.  Coordinator
 *  only.
 *  state [out] that run, zero-initialised before; the caller's (nas_state_fini); fresh [in] the
 *  state that they are for; measurement [in] how its scores are measured now, where it has any;
 *  what [out].
 *  NAS_EINPUT: errors of nas_statefile_read, or nothing can be taken over; the text says why.
 *  NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_state_read_reusable(nas_state_t *state, const char *path, const nas_state_t *fresh,
                                     const nas_digest_t *measurement, nas_reusable_t *what,
                                     nas_error_t *err);

#endif
