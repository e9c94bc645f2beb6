/* A candidate that is trained: its training, its file, and what came of it so far. The trainer
 * (trainer.h) drives several of them. */
#ifndef NAS_WORKER_OBJECTIVES_TRAIN_TRAINEE_H
#define NAS_WORKER_OBJECTIVES_TRAIN_TRAINEE_H

#include "worker/candidates/candidate_file.h"
#include "worker/objectives/train/trainer.h"
#include "worker/objectives/train/training.h"

#include <stdbool.h>
#include <stdint.h>

/** What comes next for it. */
typedef enum nas_trainee_stage {
    NAS_TRAINEE_STEPS = 0,
    NAS_TRAINEE_VALIDATION, /**< of the epoch that ends with this step */
    NAS_TRAINEE_TEST,       /**< all epochs are validated */
    NAS_TRAINEE_OUTCOME,    /**< it is trained, or has diverged */
    NAS_TRAINEE_DONE        /**< its outcome is known, and in its file */
} nas_trainee_stage_t;

typedef struct nas_trainee {
    const nas_trainer_options_t *options;
    const nas_trainer_task_t *task;
    int64_t n_columns;         /**< of its outcome */
    char *onnx;                /**< leader: path of its network's file, once it is trained */
    nas_digest_t onnx_content; /**< leader: of that */
    nas_fresh_network_t fresh; /**< its network */
    nas_split_t split;
    nas_training_t *training;     /**< on every rank */
    nas_candidate_record_t found; /**< leader: of an earlier start */
    bool is_found;                /**< likewise */
    nas_trainee_stage_t stage;    /**< on every rank */
    int64_t step;    /**< done, on every rank; of one that diverged, the one that did */
    int64_t n_steps; /**< of all epochs */
    bool has_diverged;
    double test_accuracy;
    double stepping_s; /**< that steps took since this start of the program */
    int64_t n_stepped; /**< steps in them */
    int n_at_once;     /**< candidates that took them together */
    nas_outcome_t outcome;
} nas_trainee_t;

/** Look into its file, where the outcome may be already.  Collective over the team, as all here
 *  unless it is said otherwise.
 *  trainee [in] options, task, n_columns; the rest zero. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_trainee_look(nas_trainee_t *trainee, nas_error_t *err);

/** Make the network and the split of the images. Where there is no such network, or none that can be
 *  computed, that is its outcome, and it is done.
 *  NAS_EINPUT: of the split. NAS_ESTOP: interrupted. NAS_ENOMEM. */
nas_status_t nas_trainee_build(nas_trainee_t *trainee, nas_error_t *err);

/** What its training is created with; the caller does that.  Not collective. */
nas_training_options_t nas_trainee_options(const nas_trainee_t *trainee, nas_engine_t *engine,
                                           const nas_interrupt_t *interrupt);

/** Begin where the file says it stands, or at step 0, once there is a training. */
void nas_trainee_begin(nas_trainee_t *trainee);

/** What a step found.  Not collective, on every rank. NAS_EIO: the engine failed. */
nas_status_t nas_trainee_stepped(nas_trainee_t *trainee, nas_training_verdict_t verdict,
                                 nas_error_t *err);

/** Save where it stands; one that turns out to have diverged is not saved.  Leader only.
 *  NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_trainee_save(nas_trainee_t *trainee, nas_error_t *err);

/** Validate, at the end of an epoch, or on the test images.
 *  interrupted [out]: given up, with nothing changed. NAS_EIO: the engine failed. NAS_ENOMEM. */
nas_status_t nas_trainee_validate(nas_trainee_t *trainee, bool *interrupted, nas_error_t *err);

/** Work its outcome out and save it.  NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_trainee_conclude(nas_trainee_t *trainee, nas_error_t *err);

/** Share of its work that is done, from 0 to 1.  Not collective, as below. */
double nas_trainee_share(const nas_trainee_t *trainee);

/** End the training; the outcome stays. */
void nas_trainee_leave(nas_trainee_t *trainee);

/** Give all back. */
void nas_trainee_fini(nas_trainee_t *trainee);

#endif
