/* The trainer: evaluates candidates by a short training each, from the network's first step to its
 * outcome, with checkpoints in the candidate's file (candidate_file.h); on a GPU several at once. */
#ifndef NAS_WORKER_OBJECTIVES_TRAIN_TRAINER_H
#define NAS_WORKER_OBJECTIVES_TRAIN_TRAINER_H

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/strings.h"
#include "common/comm/comm.h"
#include "common/space/network.h"
#include "worker/candidates/candidate.h"
#include "worker/data/dataset.h"
#include "worker/engine/device/device.h"
#include "worker/engine/graph/networks.h"
#include "worker/objectives/train/recipe.h"

#include <stdbool.h>
#include <stdint.h>

/** What to train with; the same on all ranks of the team. Borrowed, and kept while the trainer
 *  lives. */
typedef struct nas_trainer_options {
    nas_comm_t *team;         /**< at most as many ranks as the recipe has shards */
    nas_device_t *device;     /**< this rank's */
    nas_networks_t *networks; /**< this rank's, that make candidates' networks */
    nas_network_t network;    /**< extents; its convention is TRAIN */
    nas_recipe_t recipe;
    const nas_dataset_t *dataset;
    nas_digest_t run;   /**< identity of the run, kept in the files of its candidates, */
    int64_t generation; /**< as is how often its failures were retried */
    double interval_s;  /**< most seconds between two checkpoints of a training */
} nas_trainer_options_t;

/** Opaque. */
typedef struct nas_trainer nas_trainer_t;

/** Not collective. The caller owns *trainer_p and ends it with nas_trainer_destroy.
 *  NAS_ENOMEM. */
nas_status_t nas_trainer_create(const nas_trainer_options_t *options, nas_trainer_t **trainer_p,
                                nas_error_t *err);

/** Names of the columns of an outcome: train_loss and valid_loss of the last epoch, and
 *  test_accuracy (percent) where test images are there that did not validate.  Not collective.
 *  NAS_ENOMEM. */
nas_status_t nas_trainer_columns(const nas_recipe_t *recipe, bool has_test, nas_strings_t *names,
                                 nas_error_t *err);

/** Candidates that are trained at once at most: 1 but on a GPU.  Not collective. */
int nas_trainer_width(const nas_trainer_t *trainer);

/** What to train, borrowed. */
typedef struct nas_trainer_task {
    const nas_candidate_t *candidate;
    const char *stem; /**< on the leader: of the candidate's file */
} nas_trainer_task_t;

/** Likewise, together. */
typedef struct nas_trainer_tasks {
    const nas_trainer_task_t *task; /**< [n] */
    int n;                          /**< from 1 to nas_trainer_width */
    const nas_interrupt_t
        *interrupt; /**< asked on every rank between steps, where the leader's word
                                           counts, and between batches of a validation, where any
                                           rank's does */
} nas_trainer_tasks_t;

/** Train candidates and evaluate each by its accuracy on the validation images, in percent, after
 *  the last epoch.  Collective over team; deterministic, whatever the number of ranks, however
 *  many are trained together and however often it was interrupted. Cost: training images seen.
 *  Each goes on from its candidate's file and is saved into it: at most 2 % of the time goes into
 *  that (interval_s: see common/base/checkpoint.h); a file that is damaged is started over, with a
 *  line in the log. Where there is no memory for all at once, fewer are trained at once.
 *  outcome [out] n of them on the leader; the caller's. A loss that is not finite is an outcome,
 *  NAS_EVAL_FAILED, and so is a network that cannot be made or computed. NAS_ESTOP: interrupted, and saved. NAS_EIO: it cannot be saved, or the engine
 *  failed. NAS_EINPUT: the recipe does not fit the images. NAS_ENOMEM: for one alone. Errors on any
 *  rank fail all. */
nas_status_t nas_trainer_evaluate(nas_trainer_t *trainer, const nas_trainer_tasks_t *tasks,
                                  nas_outcome_t *outcome, nas_error_t *err);

/** Accepts NULL. */
void nas_trainer_destroy(nas_trainer_t *trainer);

#endif
