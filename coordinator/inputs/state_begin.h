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

/** Make an older state comparable with one of nas_state_begin: where it knows its table's content
 *  as one digest alone, as programs wrote it before format version 3, the table is read once more
 *  for that; where the content is the same, its digests become what they would be today.
 *  Coordinator only.
 *  NAS_EINPUT, NAS_EIO: the table can no longer be read. NAS_ENOMEM. */
nas_status_t nas_state_renew_identity(nas_state_t *state, const nas_inputs_t *inputs,
                                      const nas_state_t *fresh, nas_error_t *err);

#endif
