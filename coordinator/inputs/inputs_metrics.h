/* What the metrics of a job hold, looked at before a search weighs them. */
#ifndef NAS_COORDINATOR_INPUTS_INPUTS_METRICS_H
#define NAS_COORDINATOR_INPUTS_INPUTS_METRICS_H

#include "common/base/error.h"
#include "common/state/state.h"
#include "coordinator/inputs/inputs.h"

/** Fill inputs->metric_facts, one of every metric that the method weighs.  Coordinator only; once
 *  the values are known: in a table or a score file when the files are read, computed ones when all
 *  is scored. O(pool) a metric, and 8 bytes an architecture meanwhile.
 *  scores [in] of this run, for source compute; NULL otherwise.
 *  NAS_EINPUT, with the place of the key: a metric without any value, or a transform that leaves it
 *  none. NAS_ESTOP: inputs->interrupt said so. NAS_ENOMEM. */
nas_status_t nas_inputs_look_at_metrics(nas_inputs_t *inputs, const nas_scores_t *scores,
                                        nas_error_t *err);

/** Say in a state which of its metrics are constant, as far as that is known.  Coordinator only.
 *  NAS_ENOMEM. */
nas_status_t nas_inputs_mark_constant(const nas_inputs_t *inputs, nas_state_t *state,
                                      nas_error_t *err);

#endif
