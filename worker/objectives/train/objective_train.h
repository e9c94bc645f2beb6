/* The objective of short trainings: candidates are trained on the job's images by teams of ranks,
 * and validated: their value is the accuracy (trainer.h). */
#ifndef NAS_WORKER_OBJECTIVES_TRAIN_OBJECTIVE_TRAIN_H
#define NAS_WORKER_OBJECTIVES_TRAIN_OBJECTIVE_TRAIN_H

#include "worker/candidates/objective.h"
#include "worker/objectives/train/recipe.h"

extern const nas_objective_kind_t nas_objective_kind_train;
extern const nas_job_section_t nas_objective_keys_train;

/** The recipe that a job's objective.* give. */
nas_recipe_t nas_job_recipe(const nas_job_t *job);

#endif
