/* Mini-batches of training images: which ones, and their values as a network takes them. */
#ifndef NAS_WORKER_DATA_BATCH_H
#define NAS_WORKER_DATA_BATCH_H

#include "worker/data/dataset.h"

/** Which images make a batch. */
typedef enum nas_batch_choice {
    NAS_BATCH_RANDOM = 0, /**< distinct ones, uniformly, in the order drawn */
    NAS_BATCH_PER_CLASS,  /**< equally many of every class, uniformly within it; class by class */
    NAS_BATCH_FIRST       /**< the first ones */
} nas_batch_choice_t;

/** What to choose. */
typedef struct nas_batch_options {
    nas_batch_choice_t choice;
    int64_t n;     /**< images, at least 1 */
    uint64_t seed; /**< without effect on FIRST */
} nas_batch_options_t;

/** One batch. Zero-initialised: none. End with nas_batch_fini. */
typedef struct nas_batch {
    int64_t n;
    int c;
    int h;
    int w;
    float *images; /**< [N, C, H, W], normalised; owned */
    int *labels;   /**< [N]; owned */
} nas_batch_t;

/** Choose training images and normalise them.  Not collective. O(training images) time and memory,
 *  and the batch. Deterministic: equal data and options give equal batches.
 *  batch [out]; the caller's.
 *  NAS_EINPUT: more images than there are; PER_CLASS: n is no multiple of the number of classes, or
 *  a class has too few images. NAS_ENOMEM. */
nas_status_t nas_batch_make(const nas_dataset_t *dataset, const nas_batch_options_t *options,
                            nas_batch_t *batch, nas_error_t *err);

/** Free everything; batch is empty afterwards. */
void nas_batch_fini(nas_batch_t *batch);

#endif
