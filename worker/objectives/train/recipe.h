/* The recipe of a short training. */
#ifndef NAS_WORKER_OBJECTIVES_TRAIN_RECIPE_H
#define NAS_WORKER_OBJECTIVES_TRAIN_RECIPE_H

#include <stdbool.h>
#include <stdint.h>

/** A plain value without pointers, so that its bytes can travel. docs/training.md defines every
 *  number. */
typedef struct nas_recipe {
    int64_t epochs;  /**< at least 1 */
    int64_t batch;   /**< images of a step, a multiple of shards */
    int64_t shards;  /**< parts of a batch, each with batch normalisation of its own */
    double rate;     /**< learning rate of the first step */
    bool cosine;     /**< the rate falls to 0 as half a cosine over all steps; else it stays */
    double momentum; /**< in [0, 1) */
    bool nesterov;
    double weight_decay; /**< on every parameter */
    double smoothing;    /**< of labels, in [0, 1) */
    double clip;         /**< largest norm of the whole gradient; 0: any */
    double validation;   /**< share of the training images held out; 0: the test images validate */
    bool flip;           /**< mirror half of the images */
    int64_t crop;   /**< pixels of padding that a random crop of the old size moves in; 0: none */
    int64_t cutout; /**< side of the square that is blanked out; 0: none */
} nas_recipe_t;

#endif
