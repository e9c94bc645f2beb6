/* Which images are seen, in which order, and what is done to them: pure functions of a seed.
 *
 * Every random number is keyed by (seed, stream, epoch and image), so that a training can go on
 * from any step, on any number of ranks, without a word about the past. All candidates of one seed
 * see the same split, order and crops, so that they differ by their architecture alone.
 */
#ifndef NAS_WORKER_OBJECTIVES_TRAIN_AUGMENT_H
#define NAS_WORKER_OBJECTIVES_TRAIN_AUGMENT_H

#include "common/base/error.h"
#include "worker/data/dataset.h"
#include "worker/objectives/train/recipe.h"

#include <stdint.h>

/** Images to train on and to validate on. Numbers of images; owned; end with nas_split_fini. */
typedef struct nas_split {
    int64_t *train; /**< [n_train] ascending, of dataset->train */
    int64_t n_train;
    int64_t *valid; /**< [n_valid] ascending; of dataset->train, or of dataset->test where the
                         recipe holds nothing out */
    int64_t n_valid;
    bool of_test; /**< valid counts in dataset->test */
} nas_split_t;

/** Hold out round(share * n) training images, at least one of them kept on either side, drawn by
 *  the seed class by class, so that both sides have the classes in equal parts (the largest
 *  remainders round up).  Not collective, deterministic. O(n log n).
 *  split [out]; the caller's.
 *  NAS_EINPUT: too few images for a batch; nothing to validate on (no test images, and nothing held
 *  out). NAS_ENOMEM. */
nas_status_t nas_split_make(const nas_dataset_t *dataset, const nas_recipe_t *recipe, uint64_t seed,
                            nas_split_t *split, nas_error_t *err);

void nas_split_fini(nas_split_t *split);

/** Steps of one epoch: an incomplete last batch is left out. */
int64_t nas_split_steps(const nas_split_t *split, const nas_recipe_t *recipe);

/** The order of an epoch: a permutation of split->train.
 *  order [out] n_train numbers of images.  Not collective, deterministic. O(n). */
void nas_epoch_order(const nas_split_t *split, uint64_t seed, int64_t epoch, int64_t *order);

/** What an epoch's images are made of, borrowed. */
typedef struct nas_augment_options {
    const nas_dataset_t *dataset;
    const nas_recipe_t *recipe;
    uint64_t seed;
    int64_t epoch;
} nas_augment_options_t;

/** Images of an epoch, normalised and augmented.
 *  index [in] n numbers of images of dataset->train; values [out] n x C x H x W.
 *  In this order: crop from the image padded with black (0 before normalisation), mirror,
 *  normalise, blank a square of side `cutout`, centred anywhere in the image and cut at its edges,
 *  with 0 after normalisation.  Not collective, deterministic: an image's values depend on (seed,
 *  epoch, its number) alone. */
void nas_augment(const nas_augment_options_t *options, const int64_t *index, int64_t n,
                 float *values);

#endif
