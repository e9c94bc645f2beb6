/* What a run that has ended came to: whether any of its evaluations succeeded. */
#ifndef NAS_COORDINATOR_REPORT_VERDICT_H
#define NAS_COORDINATOR_REPORT_VERDICT_H

#include "common/base/error.h"
#include "common/state/state.h"

#include <stdbool.h>
#include <stdint.h>

/** Whether a run is to give up: none of its evaluations has succeeded, nor have any before a retry,
 *  and at least `patience` of them have failed; 0: never.  Not collective. O(patience + repeats),
 *  less once something has succeeded. */
bool nas_verdict_gives_up(const nas_state_t *state, int64_t patience);

/** Where a run with its state file at path keeps what the command of an evaluation wrote
 *  on standard error. The caller frees it; NULL where no such file is there, as of a training, a
 *  reused evaluation and a table's, or memory is out. */
char *nas_verdict_output(const nas_state_t *state, const char *path,
                         const nas_evaluation_t *evaluation);

/** The verdict on a run that is complete or gave up.  Coordinator only.
 *  path: of its state file, beside which its candidates' files lie.
 *  NAS_OK: something succeeded, or nothing was evaluated by work: what a table lacks is no failure.
 *  NAS_EFAILED: nothing did; the text says how many failed and why the first one did, with the last
 *  line of its standard error and the path of that, where there is one, and how to go on.
 *  NAS_ENOMEM. */
nas_status_t nas_verdict(const nas_state_t *state, const char *path, nas_error_t *err);

#endif
