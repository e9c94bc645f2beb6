/* What the files of a training share. */
#ifndef NAS_WORKER_OBJECTIVES_TRAIN_TRAINING_INTERNAL_H
#define NAS_WORKER_OBJECTIVES_TRAIN_TRAINING_INTERNAL_H

#include "worker/engine/program/program.h"
#include "worker/objectives/train/training.h"

#include <stddef.h>

/** What validating on a batch of images found. */
typedef struct nas_tally {
    double loss; /**< summed over its images */
    double n_right;
} nas_tally_t;

/** Images as a learner takes them. */
typedef struct nas_resident_images {
    nas_learner_images_t source;
    float *black;
    float *table;  /**< of bytes */
    float *values; /**< where there are no bytes */
} nas_resident_images_t;

/** The learner of trainings that were created together, which is theirs in common. */
typedef struct nas_training_learner {
    nas_engine_t *engine; /**< of all */
    nas_learner_t *learner;
    nas_resident_images_t resident[2]; /**< to train on, to test on */
    nas_learner_step_t *step;          /**< [n_members] room to name steps in */
    int n_members;
    int n_left; /**< trainings that are not destroyed yet */
} nas_training_learner_t;

/** What came of a shard is a row of numbers: the gradient [n_values], the moments [n_statistics],
 *  the loss. The leader has one row, for the sum over all shards; the others have one a shard of
 *  theirs, which is what they send. */
struct nas_training {
    nas_training_options_t options;
    nas_training_state_t state; /**< parameter has two numbers more, see training_step.c; velocity
                                     and epoch: on the leader, else NULL */
    int64_t n_steps;            /**< of one epoch */
    int64_t n_images;           /**< of a shard */
    int64_t first_shard;
    int64_t n_shards;        /**< of this rank, from the first on */
    nas_program_t *descend;  /**< loss and gradient of a shard */
    nas_program_t *validate; /**< logits of as many images */
    float *images;           /**< [n_images, C, H, W] */
    int32_t *labels;         /**< [n_images] */
    int64_t *index;          /**< [n_images] of the images to validate on */
    int64_t *order;          /**< [split->n_train] of the epoch `order_of` */
    int64_t order_of;        /**< -1: none yet */
    double *row;
    int64_t row_length;
    nas_tally_t *tally; /**< [max_tally] */
    int64_t max_tally;
    size_t *offset;  /**< [ranks + 1] of gathered messages */
    double *logits;  /**< [batches that are validated at once, n_images, classes] */
    int64_t batches; /**< that are validated at once: 1, or what the learner takes */

    nas_learner_norm_t *norm;        /**< what the learner is told of BNs */
    nas_training_learner_t *learner; /**< of an engine that steps by itself; NULL: it does not */
    int member;                      /**< of the learner */
    bool is_behind;                  /**< the learner knows an older state than this */
    bool is_ahead;                   /**< it took steps since */
    double last_loss;
    bool has_failed;
    nas_error_t failure;
};

/* ------------------------------------------------------------------------- training_learner.c */

/** One for n trainings, of one engine, recipe and data set. */
nas_status_t nas_training_learner_create(nas_training_t *const *training, int n, nas_error_t *err);
void nas_training_learner_leave(nas_training_t *training);
/** As nas_trainings_step. */
void nas_training_learner_steps(nas_training_t *const *training, int n,
                                nas_training_verdict_t *verdict);
/** As nas_training_step. */
nas_training_verdict_t nas_training_learner_step(nas_training_t *training, double *loss);
/** Logits of n images, at most `batches` whole batches, into `logits`. */
nas_status_t nas_training_learner_logits(nas_training_t *training, const nas_image_source_t *images,
                                         const int64_t *index, int64_t n);

/** What makes a shard's variances those of all images: m / (m - 1) of m values, 1 of one. */
static inline double nas_training_unbiased(const nas_training_t *training, const nas_node_t *norm)
{
    const double m = (double)training->n_images * norm->extents.h * norm->extents.w;
    return m > 1 ? m / (m - 1) : 1;
}

/** Carry one of its programs out, alone: a shard at a time is what an engine of the host likes, and
 *  keeps one row of results. It cannot fail, since all it takes was taken when the training began.
 *  values [out] the engine's, until the next. */
void nas_training_compute(nas_training_t *training, const nas_engine_task_t *task,
                          nas_program_values_t *values);

/** This rank is the team's leader. */
bool nas_training_leads(const nas_training_t *training);

#endif
