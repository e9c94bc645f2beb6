/* Whether a saved state can be taken up. */
#ifndef NAS_COORDINATOR_SESSION_RESUME_H
#define NAS_COORDINATOR_SESSION_RESUME_H

#include "common/base/error.h"
#include "common/job/job.h"
#include "common/state/state.h"

#include <stdbool.h>

/** Whether a saved state that was read from path belongs to a job, of which `fresh` is the
 *  state to begin with (nas_state_begin).
 *  NAS_EINPUT: it is of another job, table or budget, or no program writes such; err says which and
 *  what to do. */
nas_status_t nas_state_check_saved(const nas_job_t *job, const nas_state_t *saved,
                                   const nas_state_t *fresh, const char *path, nas_error_t *err);

/** Whether an evaluation has as many values, epochs and columns, of the same names, in both.
 *  Not collective. */
bool nas_state_has_shape(const nas_state_t *saved, const nas_state_t *fresh);

/** Whether a state was last written on a processor of another kind than this one, which has these
 *  instructions and uses these kernels of linear algebra.  Coordinator only.
 *  line [out] what differs and what it may change; untouched where nothing differs. A saved state
 *  that does not know its kernels differs in none. */
bool nas_state_has_moved(const nas_state_t *saved, const char *isa, const char *blas,
                         nas_error_t *line);

#endif
