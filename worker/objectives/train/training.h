/* One training: a network, its images and where it stands, step by step.
 *
 * A batch is cut into the recipe's shards. Each is a forward and backward pass of its own, with
 * batch statistics of its own; gradients and statistics are added in the order of the shards, so
 * that the bits do not depend on who computed which. The ranks of a team share the shards; the
 * leader (rank 0) adds up, steps, and broadcasts the parameters.
 */
#ifndef NAS_WORKER_OBJECTIVES_TRAIN_TRAINING_H
#define NAS_WORKER_OBJECTIVES_TRAIN_TRAINING_H

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/comm/comm.h"
#include "worker/engine/engine.h"
#include "worker/engine/graph/graph.h"
#include "worker/engine/graph/parameters.h"
#include "worker/objectives/train/augment.h"
#include "worker/objectives/train/recipe.h"

#include <stdbool.h>
#include <stdint.h>

/** What is trained, and on what. Borrowed, and kept while the training lives. */
typedef struct nas_training_options {
    nas_comm_t *team;         /**< at most as many ranks as shards */
    nas_engine_t *engine;     /**< nobody else's while a step or a validation is under way */
    const nas_graph_t *graph; /**< of convention TRAIN */
    const char *arch;         /**< native name: keys the initial weights */
    uint64_t seed;            /**< of these */
    nas_weights_t weights;    /**< how they are drawn, where there are no */
    const double *parameters; /**< [graph->n_values] to begin with; NULL: drawn */
    const double *statistics; /**< [graph->n_statistics] likewise; NULL: means 0, variances 1 */
    const nas_recipe_t *recipe;
    const nas_dataset_t *dataset;     /**< on every rank of the team */
    const nas_split_t *split;         /**< likewise */
    const nas_interrupt_t *interrupt; /**< asked between batches of a validation; NULL: never */
} nas_training_options_t;

/** Numbers of one epoch. */
typedef struct nas_epoch {
    double train_loss;     /**< mean over the epoch's batches, as they were trained on */
    double valid_loss;     /**< mean over the validation images, without label smoothing */
    double valid_accuracy; /**< in percent */
} nas_epoch_t;

/** Where a training stands: all that the next step depends on. Arrays belong to the training; on
 *  the leader they may be written into before the next step (resume), see nas_training_resume. */
typedef struct nas_training_state {
    int64_t step;       /**< done, of all epochs together */
    double loss_sum;    /**< of the steps of the epoch under way */
    double *parameter;  /**< [graph->n_values] */
    double *velocity;   /**< [graph->n_values] */
    double *statistics; /**< [graph->n_statistics] running means and variances, see program.h */
    nas_epoch_t *epoch; /**< [recipe->epochs] of which those before this one's are set */
} nas_training_state_t;

/** Opaque. */
typedef struct nas_training nas_training_t;

/** Begin at step 0 with initial weights (parameters.h), running means 0 and variances 1, or what is
 *  given.
 *  Collective over team. The caller owns *training_p.
 *  NAS_EARG: batch, shards or ranks that do not fit; NAS_ENOMEM. An error on any rank fails all. */
nas_status_t nas_training_create(const nas_training_options_t *options, nas_training_t **training_p,
                                 nas_error_t *err);

/** Create n trainings of one team, engine, recipe and data set. On an engine that steps by itself
 *  they share what is the same for all, and can take their steps together. As nas_training_create
 *  otherwise, once for each; where one fails there is none.
 *  options [in], training [out]: n of them; training: NULLs on failure. NAS_ENOMEM may mean: for so
 *  many. */
nas_status_t nas_trainings_create(const nas_training_options_t *options, int n,
                                  nas_training_t **training, nas_error_t *err);

/** Where it stands. On the leader; borrowed. */
nas_training_state_t *nas_training_state(nas_training_t *training);

/** Go on from what the leader has put into its state.  Collective over team. */
void nas_training_resume(nas_training_t *training);

int64_t nas_training_steps(const nas_training_t *training); /**< of one epoch */

/** What a step found. */
typedef enum nas_training_verdict {
    NAS_TRAINING_ON = 0,
    NAS_TRAINING_EPOCH_END, /**< the step was the last of its epoch: nas_training_validate is next
                                 */
    NAS_TRAINING_DIVERGED,  /**< the loss, or a parameter's gradient, is not finite: end it */
    NAS_TRAINING_FAILED     /**< the engine did (nas_training_failure): nothing can be said of it */
} nas_training_verdict_t;

/** One step of gradient descent.  Collective over team; allocates nothing. Deterministic for a
 *  engine and its instruction set, whatever the number of ranks.
 *  loss [out] of the batch before the step, on every rank; NULL: not wanted, and then an engine that
 *  steps by itself is not waited for: within an epoch, what it found is for nas_training_sync. */
nas_training_verdict_t nas_training_step(nas_training_t *training, double *loss);

/** One step of each of n trainings that were created together, in the order in which they were; all
 *  at once where an engine steps by itself. What comes of one does not depend on the others. As
 *  nas_training_step otherwise, where no loss is wanted.
 *  verdict [out]: n of them; where one FAILED, all did. */
void nas_trainings_step(nas_training_t *const *training, int n, nas_training_verdict_t *verdict);

/** Bring the state here, where an engine steps by itself; to be called before it is looked at in the
 *  middle of an epoch.  Not collective. DIVERGED: state->step is the step that did. */
nas_training_verdict_t nas_training_sync(nas_training_t *training);

/** Why it FAILED; the training's. */
const nas_error_t *nas_training_failure(const nas_training_t *training);

/** End the epoch: validate with running statistics and enter its numbers into state->epoch on the
 *  leader.  Collective over team: validation images are shared by the ranks in whole batches.
 *  Returns false, on every rank and with nothing entered, where a rank was interrupted or the engine
 *  failed; it may be called again, also after the state was saved and taken up. */
bool nas_training_validate(nas_training_t *training);

/** Validate on images of the data set by the present parameters and running statistics.  Collective
 *  over team.
 *  images: dataset->train or dataset->test; index [in] n numbers;
 *  loss, accuracy [out] on the leader: mean cross-entropy, percent right (a tie goes to the lower
 *  class). A loss that is not finite stays so.
 *  Returns false, on every rank and with nothing set, where a rank was interrupted or the engine
 *  failed. */
bool nas_training_validate_on(nas_training_t *training, const nas_image_source_t *images,
                              const int64_t *index, int64_t n, double *loss, double *accuracy);

/** Accepts NULL. Of those that were created together the others stay. */
void nas_training_destroy(nas_training_t *training);

#endif
