/* What every rank must know to evaluate candidates: a plain value that rank 0 works out and
 * broadcasts. */
#ifndef NAS_COORDINATOR_EVALUATE_EVALUATE_PARAMETERS_H
#define NAS_COORDINATOR_EVALUATE_EVALUATE_PARAMETERS_H

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/job/job.h"
#include "common/state/state.h"
#include "coordinator/evaluate/evaluator_message.h"
#include "worker/objectives/objectives.h"

#include <stdbool.h>
#include <stdint.h>

/** No pointers, so that its bytes can travel. */
typedef struct nas_evaluate_parameters {
    int64_t kind; /**< place in the list of objectives */
    nas_outcome_size_t size;
    int64_t team_size;    /**< ranks that can share an evaluation */
    int64_t first_worker; /**< 1 where rank 0 coordinates only */
    nas_digest_t run;     /**< identity of the run */
    int64_t generation;   /**< how often its failures were retried */
    double interval_s;    /**< most seconds between two checkpoints of an evaluation */
} nas_evaluate_parameters_t;

/** Those of a job, but for what its run's state adds.  Coordinator only. */
nas_evaluate_parameters_t nas_evaluate_parameters(const nas_job_t *job);

/** Whether candidates are evaluated by work; otherwise rank 0 looks values up. */
bool nas_evaluate_by_work(const nas_evaluate_parameters_t *parameters);

/** How the ranks of a world are cut into teams, each of which evaluates a candidate at a time. */
typedef struct nas_teams {
    int first_worker; /**< rank of the first team's first member; ranks before it do not evaluate */
    int size;         /**< ranks of a team; those left over behind the last one sleep */
    int n;
} nas_teams_t;

/** Cut a world.  Not collective, the same on every rank. A team has as many ranks as can share an
 *  evaluation, or fewer. */
nas_teams_t nas_evaluate_teams(const nas_evaluate_parameters_t *parameters, int n_ranks);

/** Add what a run's state says: which run it is, how often it was retried, which columns it keeps.
 *  Coordinator only; once the state is begun or resumed.  NAS_ENOMEM. */
nas_status_t nas_evaluate_parameters_of_run(nas_evaluate_parameters_t *parameters,
                                            const nas_state_t *state, nas_error_t *err);

#endif
