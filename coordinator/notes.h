/* What in a job's inputs may not be as it was meant: no error, but said by `check` and when a run
 * starts. */
#ifndef NAS_COORDINATOR_NOTES_H
#define NAS_COORDINATOR_NOTES_H

#include "common/error.h"
#include "common/strings.h"
#include "coordinator/inputs.h"

/** Collect them, a line each.  Coordinator only; after nas_inputs_read_files. Deterministic.
 *  notes [in, out]; the caller's. NAS_ENOMEM. */
nas_status_t nas_inputs_note(const nas_inputs_t *inputs, nas_strings_t *notes, nas_error_t *err);

#endif
