/* What in a job's inputs may not be as it was meant: no error, but said by `check` and when a run
 * starts. */
#ifndef NAS_COORDINATOR_INPUTS_NOTES_H
#define NAS_COORDINATOR_INPUTS_NOTES_H

#include "common/base/error.h"
#include "common/base/strings.h"
#include "coordinator/inputs/inputs.h"

/** Collect them, a line each.  Coordinator only; after nas_inputs_read_files. Deterministic.
 *  notes [in, out]; the caller's. NAS_ENOMEM. */
nas_status_t nas_inputs_note(const nas_inputs_t *inputs, nas_strings_t *notes, nas_error_t *err);

/** Those about the values of metrics alone, as far as they are known (nas_search_inputs_look):
 *  constant ones, values for a part of the pool. nas_inputs_note has them, too. */
nas_status_t nas_search_inputs_note(const nas_search_inputs_t *search, const nas_pool_t *pool,
                                    nas_strings_t *notes, nas_error_t *err);

/** Those about scores of another run: made with another seed, network or images than this job's.
 *  nas_inputs_note has them, too. */
nas_status_t nas_search_inputs_note_scores(const nas_search_inputs_t *search,
                                           const nas_pool_t *pool, nas_strings_t *notes,
                                           nas_error_t *err);

/** Those about the output, which a run finds out when it begins: a run that is there already, a
 *  folder that cannot be written. Changes nothing. */
nas_status_t nas_inputs_note_output(const nas_inputs_t *inputs, nas_strings_t *notes,
                                    nas_error_t *err);

#endif
