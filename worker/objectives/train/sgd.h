/* Stochastic gradient descent with momentum, as PyTorch's torch.optim.SGD defines it, in float64.
 * */
#ifndef NAS_WORKER_OBJECTIVES_TRAIN_SGD_H
#define NAS_WORKER_OBJECTIVES_TRAIN_SGD_H

#include "worker/objectives/train/recipe.h"

#include <stdbool.h>
#include <stdint.h>

/** Learning rate of step `step` (from 0) of n_steps in all.  Loshchilov & Hutter 2017, without
 *  restarts, where the recipe says cosine. */
double nas_sgd_rate(const nas_recipe_t *recipe, int64_t step, int64_t n_steps);

/** The same with the same bits on every machine, for engines whose values have them. */
double nas_sgd_portable_rate(const nas_recipe_t *recipe, int64_t step, int64_t n_steps);

/** What a step changes: arrays of n, borrowed. */
typedef struct nas_sgd_values {
    int64_t n;
    double *parameter;
    double *velocity;
    double *gradient; /**< in; what is left in it means nothing */
} nas_sgd_values_t;

/** One step: g + weight_decay p, momentum, Nesterov; clipping by the norm of g comes first.
 *  Not collective, deterministic: sums in index order of fixed blocks.
 *  first: the first step, whose velocity is the gradient itself. rate > 0. */
void nas_sgd_step(const nas_recipe_t *recipe, double rate, bool first,
                  const nas_sgd_values_t *values);

#endif
