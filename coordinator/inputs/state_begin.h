/* A run's state before anything is done: what it is a run of. */
#ifndef NAS_COORDINATOR_INPUTS_STATE_BEGIN_H
#define NAS_COORDINATOR_INPUTS_STATE_BEGIN_H

#include "common/base/error.h"
#include "common/state/state.h"
#include "coordinator/inputs/inputs.h"

/** A state with the job's identity and R empty repeats.  Coordinator only; after
 *  nas_inputs_read_files.
 *  state [out] zero-initialised before; end it with nas_state_fini.  NAS_ENOMEM. */
nas_status_t nas_state_begin(nas_state_t *state, const nas_inputs_t *inputs, nas_error_t *err);

#endif
