/* What every rank must know to evaluate candidates: a plain value that rank 0 works out and
 * broadcasts. */
#ifndef NAS_COORDINATOR_EVALUATE_EVALUATE_PARAMETERS_H
#define NAS_COORDINATOR_EVALUATE_EVALUATE_PARAMETERS_H

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/job/job.h"
#include "common/space/network.h"
#include "common/space/pool.h"
#include "common/state/state.h"
#include "coordinator/evaluate/evaluator_message.h"
#include "coordinator/inputs/inputs_images.h"
#include "worker/objectives/objectives.h"
#include "worker/objectives/train/recipe.h"

#include <stdint.h>

/** No pointers, so that its bytes can travel. */
typedef struct nas_evaluate_parameters {
    int64_t kind; /**< nas_objective_kind_t; TABLE: rank 0 looks values up, nothing is evaluated */
    nas_outcome_size_t size;
    int64_t first_worker;  /**< 1 where rank 0 coordinates only */
    nas_digest_t run;      /**< identity of the run */
    int64_t generation;    /**< how often its failures were retried */
    double interval_s;     /**< most seconds between two checkpoints of a training */
    int64_t backend;       /**< TRAIN: nas_backend_kind_t */
    int64_t space;         /**< TRAIN: place in nas_space_list */
    nas_network_t network; /**< TRAIN */
    nas_recipe_t recipe;   /**< TRAIN */
    double timeout_s;      /**< COMMAND */
    int64_t retries;       /**< COMMAND */
    int64_t n_arguments;   /**< COMMAND */
} nas_evaluate_parameters_t;

/** Those of a job, but for what its run's state adds.  Coordinator only; after
 *  nas_inputs_read_files. images [in] for TRAIN. */
nas_evaluate_parameters_t nas_evaluate_parameters(const nas_job_t *job, const nas_pool_t *pool,
                                                  const nas_image_inputs_t *images);

/** Add what a run's state says: which run it is, how often it was retried, which columns it keeps.
 *  Coordinator only; once the state is begun or resumed.  NAS_ENOMEM. */
nas_status_t nas_evaluate_parameters_of_run(nas_evaluate_parameters_t *parameters,
                                            const nas_state_t *state, nas_error_t *err);

#endif
