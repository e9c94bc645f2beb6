/* What every rank must know to judge candidates: a plain value that rank 0 works out and
 * broadcasts. */
#ifndef NAS_COORDINATOR_EVALUATE_EVALUATOR_PLAN_H
#define NAS_COORDINATOR_EVALUATE_EVALUATOR_PLAN_H

#include "common/base/digest.h"
#include "common/space/network.h"
#include "coordinator/evaluate/evaluator_message.h"
#include "worker/objectives/train/recipe.h"

#include <stdint.h>

/** No pointers, so that its bytes can travel. */
typedef struct nas_evaluator_plan {
    int64_t kind; /**< nas_objective_kind_t; TABLE: rank 0 looks values up, nothing is judged */
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
} nas_evaluator_plan_t;

#endif
