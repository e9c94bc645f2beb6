/* Learners: networks that are trained where they lie.
 *
 * An engine whose memory is not the host's keeps parameters, velocity, running statistics and the
 * images there, and takes steps by itself: a step is a number, a learning rate and a place in the
 * epoch's order. What a step found is read when it is wanted. The mathematics is that of
 * objectives/train (sgd.h, augment.h, training_step.c), in the same order: shards are added in
 * theirs, in float64.
 *
 * A learner trains one network or several, its members, on the same images by the same recipe. A
 * step is one of each member that it names, all at once; what comes of a member does not depend on
 * its company.
 */
#ifndef NAS_WORKER_ENGINE_LEARNER_H
#define NAS_WORKER_ENGINE_LEARNER_H

#include "worker/engine/program/program.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct nas_engine nas_engine_t;

/** Images that stay where the learner is. Borrowed while it lives. */
typedef struct nas_learner_images {
    int64_t n;
    int c, h, w;
    const uint8_t *bytes;  /**< [n, C, H, W]; NULL: `values` */
    const float *table;    /**< [C, 256] what a byte stands for, normalised */
    const float *values;   /**< [n, C, H, W] normalised; NULL: `bytes` */
    const float *black;    /**< [C] what 0 stands for */
    const int32_t *labels; /**< [n] */
} nas_learner_images_t;

/** A batch normalisation's numbers among all statistics. */
typedef struct nas_learner_norm {
    int64_t statistics; /**< of c means, then c variances */
    int c;
    double unbiased; /**< what makes a batch's variance that of all images: m / (m - 1) */
    double share;    /**< of a batch in what runs */
} nas_learner_norm_t;

/** A network that is trained. What it points to is borrowed as long as steps and validations of it
 *  are asked for. */
typedef struct nas_learner_member {
    const nas_program_t *program;   /**< LOSS and GRADIENT of a shard's images */
    const nas_program_t *validate;  /**< INFERENCE of as many images */
    const nas_learner_norm_t *norm; /**< [n_norms] those that reach the logits */
    int n_norms;
    int64_t n_values, n_statistics; /**< of the graph */
    uint64_t seed;                  /**< of the augmentation */
} nas_learner_member_t;

/** What is trained, and how. Borrowed while the learner lives, but for the list of members, which is
 *  copied. */
typedef struct nas_learner_options {
    const nas_learner_member_t *member; /**< [n_members] whose images are as many, of one shape */
    int n_members;
    int n_shards;
    double momentum, weight_decay, clip; /**< see nas_recipe_t */
    bool nesterov;
    int crop, cutout;
    bool flip;
    const nas_learner_images_t *train;
    const nas_learner_images_t *test; /**< NULL: none */
} nas_learner_options_t;

/** Where a member stands. The caller's arrays. */
typedef struct nas_learner_state {
    double *parameter;  /**< [n_values] */
    double *velocity;   /**< [n_values] */
    double *statistics; /**< [n_statistics] */
    double loss_sum;    /**< of the steps since it was last written */
    double loss;        /**< of the last step */
    int64_t bad_step;   /**< the first step whose loss or gradient was not finite, which with all
                             after it changed nothing; -1: none */
} nas_learner_state_t;

/** A step of a member. */
typedef struct nas_learner_step {
    int member;
    int64_t number; /**< of all epochs together */
    int64_t epoch;
    int64_t place; /**< of its first image in the epoch's order */
    double rate;   /**< learning rate */
} nas_learner_step_t;

/** Images whose logits are wanted. */
typedef struct nas_learner_validation {
    bool of_test;         /**< of `test`, else of `train` */
    const int64_t *index; /**< [n] their numbers */
    int64_t n;            /**< at most `validates` batches of images, the last may be cut short */
    double *logits;       /**< out: [n, classes], with room for whole batches */
} nas_learner_validation_t;

typedef struct nas_learner nas_learner_t;

/** What an engine's `learners` points to. No function is collective. */
typedef struct nas_learner_functions {
    /** NAS_ENOMEM: no memory for so many members. The caller owns *learner_p. */
    nas_status_t (*create)(nas_engine_t *engine, const nas_learner_options_t *options,
                           nas_learner_t **learner_p, nas_error_t *err);
    /** state [in] parameter, velocity, statistics, loss_sum. Waits. NAS_EIO. */
    nas_status_t (*write)(nas_learner_t *learner, int member, const nas_learner_state_t *state,
                          nas_error_t *err);
    /** The order of the epoch that the member's next steps are in: numbers of `train`, copied.
     *  Waits. */
    nas_status_t (*order)(nas_learner_t *learner, int member, const int64_t *index, int64_t n,
                          nas_error_t *err);
    /** Queue a step of each of n members; returns before it is done. No more than a few are queued:
     *  with more it waits. Where the members are others than in the last step, what is queued is
     *  waited for and launches are planned anew, which takes milliseconds.
     *  step [in]: n of them, of ascending members.
     *  NAS_EIO: the device is lost. NAS_ENOMEM. Deterministic. */
    nas_status_t (*step)(nas_learner_t *learner, const nas_learner_step_t *step, int n,
                         nas_error_t *err);
    /** Wait for what is queued, and read; state [out]. NAS_EIO. */
    nas_status_t (*read)(nas_learner_t *learner, int member, nas_learner_state_t *state,
                         nas_error_t *err);
    /** Logits of images by a member's present parameters and statistics.  Waits. NAS_EIO. */
    nas_status_t (*validate)(nas_learner_t *learner, int member,
                             const nas_learner_validation_t *validation, nas_error_t *err);
    void (*destroy)(nas_learner_t *learner);
    int validates; /**< batches that `validate` takes at once */
} nas_learner_functions_t;

#endif
