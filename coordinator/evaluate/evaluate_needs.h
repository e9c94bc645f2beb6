/* What evaluations will take: an estimate, before anything runs. */
#ifndef NAS_COORDINATOR_EVALUATE_EVALUATE_NEEDS_H
#define NAS_COORDINATOR_EVALUATE_EVALUATE_NEEDS_H

#include "common/base/error.h"
#include "common/space/pool.h"
#include "worker/objectives/objectives.h"

#include <stdint.h>

/** What is evaluated, and by how many; borrowed. */
typedef struct nas_evaluate_load {
    nas_objective_inputs_t objective;
    const nas_pool_t *pool;
    int64_t n_candidates; /**< that are asked for at a time */
    int n_ranks;
} nas_evaluate_load_t;

/** An estimate. */
typedef struct nas_evaluate_needs {
    int64_t n_teams;          /**< at work at a time */
    int64_t team_size;        /**< ranks */
    nas_objective_needs_t of; /**< an evaluation; 0 where nothing can be known */
} nas_evaluate_needs_t;

/** Estimate.  Not collective; after nas_inputs_read_files, of a job that searches. Deterministic.
 *  needs [out].
 *  Cost and errors of the objective's own (nas_objective_kind_t). */
nas_status_t nas_evaluate_needs(const nas_evaluate_load_t *load, nas_evaluate_needs_t *needs,
                                nas_error_t *err);

#endif
