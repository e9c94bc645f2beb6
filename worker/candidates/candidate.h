/* Candidates: architectures whose worth is to be found out by work, and what came of it. */
#ifndef NAS_WORKER_CANDIDATES_CANDIDATE_H
#define NAS_WORKER_CANDIDATES_CANDIDATE_H

#include "common/state/state.h"

#include <stdbool.h>
#include <stdint.h>

enum { NAS_REASON_SIZE = 256 };

/** An architecture to be evaluated. Borrowed. */
typedef struct nas_candidate {
    int64_t arch;     /**< its place in the pool */
    uint64_t seed;    /**< of the evaluation */
    const char *name; /**< its native name */
} nas_candidate_t;

/** What came of it. Arrays are owned; zero-initialise, end with nas_outcome_fini. */
typedef struct nas_outcome {
    nas_eval_status_t status;
    double
        value[NAS_MAX_GOALS]; /**< [n_goals] in the user's unit; NaN unless status is NAS_EVAL_OK */
    double cost;              /**< NaN where unknown */
    double *columns;          /**< [n_columns] to report, NaN where missing */
    double *curve;            /**< [n_curve] of the training, or NULL */
    char reason[NAS_REASON_SIZE]; /**< why it failed, one line; "" otherwise */
} nas_outcome_t;

/** Let it be a failure, for a reason (printf-style, cut at NAS_REASON_SIZE): values and cost become
 *  NaN, the arrays stay. Bytes of the reason that are no printable ASCII become '?', so that it is
 *  one line and valid text wherever it is written. */
void nas_outcome_fail(nas_outcome_t *outcome, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Free the arrays; outcome is zero afterwards. */
void nas_outcome_fini(nas_outcome_t *outcome);

#endif
