/* Messages of evaluations: candidates from rank 0 to all, outcomes from the teams' leaders to rank
 * 0. Flat buffers, valid between equal binaries of one job only. */
#ifndef NAS_COORDINATOR_EVALUATE_EVALUATOR_MESSAGE_H
#define NAS_COORDINATOR_EVALUATE_EVALUATOR_MESSAGE_H

#include "common/base/error.h"
#include "common/comm/buffer.h"
#include "worker/candidates/candidate.h"

#include <stdint.h>

/** How many numbers an outcome has. */
typedef struct nas_outcome_size {
    int64_t n_goals;
    int64_t n_columns;
    int64_t n_epochs;
} nas_outcome_size_t;

/** Append n candidates.  NAS_ENOMEM. */
nas_status_t nas_candidates_pack(const nas_candidate_t *candidate, int64_t n, nas_buffer_t *buffer,
                                 nas_error_t *err);

/** Candidates of a message; names point into data.
 *  candidate_p [out] *n of them, the caller's (free).  NAS_ENOMEM. */
nas_status_t nas_candidates_unpack(const char *data, nas_candidate_t **candidate_p, int64_t *n,
                                   nas_error_t *err);

/** Append the outcome of candidate `index` of the round.  NAS_ENOMEM. */
nas_status_t nas_outcome_pack(const nas_outcome_t *outcome, int64_t index, nas_outcome_size_t size,
                              nas_buffer_t *buffer, nas_error_t *err);

/** The next outcome of a message; *at moves behind it.
 *  index, outcome [out]; the caller's.  NAS_ENOMEM. */
nas_status_t nas_outcome_unpack(const char **at, nas_outcome_size_t size, int64_t *index,
                                nas_outcome_t *outcome, nas_error_t *err);

#endif
