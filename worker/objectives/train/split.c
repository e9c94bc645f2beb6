#include "common/base/rng.h"
#include "worker/objectives/train/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Put numbers into a uniformly drawn order (Fisher and Yates). */
static void shuffle(int64_t *number, int64_t n, nas_rng_t *rng)
{
    for (int64_t i = 0; i + 1 < n; i++) {
        const int64_t drawn = i + (int64_t)nas_rng_below(rng, (uint64_t)(n - i));
        const int64_t kept = number[i];
        number[i] = number[drawn];
        number[drawn] = kept;
    }
}

/* One class's part of the images that are held out. */
typedef struct quota {
    int32_t label;
    int64_t n;         /* images */
    int64_t remainder; /* of the division that n comes from */
} quota_t;

static int by_remainder(const void *a, const void *b)
{
    const quota_t *x = a, *y = b;
    if (x->remainder != y->remainder) return x->remainder > y->remainder ? -1 : 1;
    return x->label < y->label ? -1 : x->label > y->label;
}

/* How many images of each class are held out, n_held of all images together: in proportion, the
 * largest remainders rounded up, the lower class first where they are equal.
 * quota [out] n_classes zeros; held [out] n_classes numbers of images. */
static void set_quotas(const nas_dataset_t *dataset, int64_t n_held, quota_t *quota, int64_t *held)
{
    const nas_image_source_t *images = &dataset->train;
    const size_t n_classes = (size_t)dataset->n_classes;
    int64_t n_left = n_held;
    for (int64_t i = 0; i < images->n; i++) quota[images->labels[i]].n++;
    for (size_t k = 0; k < n_classes; k++) {
        const int64_t share = quota[k].n * n_held; /* over images->n: below 2^62 */
        quota[k] = (quota_t){(int32_t)k, share / images->n, share % images->n};
        n_left -= quota[k].n;
    }
    qsort(quota, n_classes, sizeof *quota, by_remainder);
    for (size_t k = 0; k < n_classes; k++)
        held[quota[k].label] = quota[k].n + ((int64_t)k < n_left);
}

/* Hold out those that come first in a random order. Numbers end in ascending order again.
 * held [in] of each class, changed; train, valid [out] as in split. */
static void deal(const nas_image_source_t *images, uint64_t seed, int64_t *held, bool *is_held,
                 nas_split_t *split)
{
    int64_t *order = split->train, n_train = 0, n_valid = 0;
    nas_rng_t rng;
    nas_rng_init(&rng, seed, NAS_STREAM_SPLIT, 0);
    for (int64_t i = 0; i < images->n; i++) order[i] = i;
    shuffle(order, images->n, &rng);
    for (int64_t i = 0; i < images->n; i++)
        is_held[order[i]] = held[images->labels[order[i]]]-- > 0;
    for (int64_t i = 0; i < images->n; i++)
        if (is_held[i])
            split->valid[n_valid++] = i;
        else
            split->train[n_train++] = i;
}

static nas_status_t hold_out(const nas_dataset_t *dataset, uint64_t seed, nas_split_t *split,
                             nas_error_t *err)
{
    const size_t n_classes = (size_t)dataset->n_classes;
    quota_t *quota = calloc(n_classes, sizeof *quota);
    int64_t *held = calloc(n_classes, sizeof *held);
    bool *is_held = calloc((size_t)dataset->train.n, sizeof *is_held);
    const bool enough = quota && held && is_held;
    if (enough) {
        set_quotas(dataset, split->n_valid, quota, held);
        deal(&dataset->train, seed, held, is_held, split);
    }
    free(quota);
    free(held);
    free(is_held);
    return enough ? NAS_OK : nas_error_nomem(err, "the split of the images");
}

static void count_all(int64_t n, int64_t *number)
{
    for (int64_t i = 0; i < n; i++) number[i] = i;
}

/* Set the numbers of images on either side. */
static nas_status_t set_sizes(const nas_dataset_t *dataset, const nas_recipe_t *recipe,
                              nas_split_t *split, nas_error_t *err)
{
    const int64_t n = dataset->train.n;
    split->of_test = !(recipe->validation > 0);
    if (split->of_test) {
        split->n_valid = dataset->test.n;
        split->n_train = n;
    } else {
        const int64_t n_held = llround(recipe->validation * (double)n);
        split->n_valid = n_held < 1 ? 1 : n_held > n - 1 ? n - 1 : n_held;
        split->n_train = n - split->n_valid;
    }
    if (split->n_train < recipe->batch)
        return nas_error_set(
            err, NAS_EINPUT,
            "%lld of %lld training images are left to train on, fewer than a batch of %lld",
            (long long)split->n_train, (long long)n, (long long)recipe->batch);
    if (split->n_valid < 1)
        return nas_error_set(
            err, NAS_EINPUT,
            "no images to validate on: there are no test images, and of the training images none are held out");
    return NAS_OK;
}

nas_status_t nas_split_make(const nas_dataset_t *dataset, const nas_recipe_t *recipe, uint64_t seed,
                            nas_split_t *split, nas_error_t *err)
{
    nas_split_t made = {0};
    nas_status_t status = set_sizes(dataset, recipe, &made, err);
    if (status) return status;
    made.train = calloc((size_t)dataset->train.n, sizeof *made.train);
    made.valid = calloc((size_t)made.n_valid, sizeof *made.valid);
    if (!made.train || !made.valid) {
        status = nas_error_nomem(err, "the split of the images");
        goto out;
    }
    if (made.of_test) {
        count_all(made.n_train, made.train);
        count_all(made.n_valid, made.valid);
    } else if ((status = hold_out(dataset, seed, &made, err))) {
        goto out;
    }
    *split = made;
    made = (nas_split_t){0};
out:
    nas_split_fini(&made);
    return status;
}

void nas_split_fini(nas_split_t *split)
{
    free(split->train);
    free(split->valid);
    *split = (nas_split_t){0};
}

int64_t nas_split_steps(const nas_split_t *split, const nas_recipe_t *recipe)
{
    return split->n_train / recipe->batch;
}

void nas_epoch_order(const nas_split_t *split, uint64_t seed, int64_t epoch, int64_t *order)
{
    nas_rng_t rng;
    nas_rng_init(&rng, seed, NAS_STREAM_EPOCH, (uint64_t)epoch);
    memcpy(order, split->train, (size_t)split->n_train * sizeof *order);
    shuffle(order, split->n_train, &rng);
}
