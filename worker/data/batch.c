#include "worker/data/batch.h"

#include "common/base/rng.h"

#include <stdlib.h>

/* Put a uniform choice of n of all numbers in front, in the order drawn (Fisher and Yates). */
static void shuffle_front(int64_t *number, int64_t n_all, int64_t n, uint64_t seed)
{
    nas_rng_t rng;
    nas_rng_init(&rng, seed, NAS_STREAM_BATCH, 0);
    for (int64_t i = 0; i < n_all; i++) number[i] = i;
    for (int64_t i = 0; i < n; i++) {
        const int64_t drawn = i + (int64_t)nas_rng_below(&rng, (uint64_t)(n_all - i));
        const int64_t kept = number[i];
        number[i] = number[drawn];
        number[drawn] = kept;
    }
}

static nas_status_t choose_random(const nas_image_source_t *train,
                                  const nas_batch_options_t *options, int64_t *index,
                                  nas_error_t *err)
{
    int64_t *number = calloc((size_t)train->n, sizeof *number);
    if (!number) return nas_error_nomem(err, "a batch");
    shuffle_front(number, train->n, options->n, options->seed);
    for (int64_t i = 0; i < options->n; i++) index[i] = number[i];
    free(number);
    return NAS_OK;
}

/* Walk through all images in the order of `number` and take the first ones of every class; taken
 * [in, out] n_classes zeros. */
static void take_per_class(const nas_image_source_t *train, const int64_t *number,
                           int64_t n_a_class, int64_t *taken, int64_t *index)
{
    for (int64_t i = 0; i < train->n; i++) {
        const int32_t k = train->labels[number[i]];
        if (taken[k] < n_a_class) index[k * n_a_class + taken[k]++] = number[i];
    }
}

static nas_status_t choose_per_class(const nas_dataset_t *dataset,
                                     const nas_batch_options_t *options, int64_t *index,
                                     nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    const nas_image_source_t *train = &dataset->train;
    const int64_t n_classes = dataset->n_classes, n_a_class = options->n / n_classes;
    if (options->n % n_classes != 0)
        return nas_error_set(
            err, NAS_EINPUT,
            "a batch of %lld images cannot have equally many of %lld classes; expected a multiple of %lld",
            (long long)options->n, (long long)n_classes, (long long)n_classes);
    int64_t *number = calloc((size_t)train->n, sizeof *number);
    int64_t *taken = calloc((size_t)n_classes, sizeof *taken);
    if (!number || !taken) {
        status = nas_error_nomem(err, "a batch");
        goto out;
    }
    shuffle_front(number, train->n, train->n, options->seed);
    take_per_class(train, number, n_a_class, taken, index);
    for (int64_t k = 0; k < n_classes && !status; k++)
        if (taken[k] < n_a_class)
            status = nas_error_set(
                err, NAS_EINPUT,
                "a batch of %lld images needs %lld of each class; class %lld has %lld",
                (long long)options->n, (long long)n_a_class, (long long)k, (long long)taken[k]);
out:
    free(number);
    free(taken);
    return status;
}

static nas_status_t choose(const nas_dataset_t *dataset, const nas_batch_options_t *options,
                           int64_t *index, nas_error_t *err)
{
    switch (options->choice) {
    case NAS_BATCH_RANDOM:
        return choose_random(&dataset->train, options, index, err);
    case NAS_BATCH_PER_CLASS:
        return choose_per_class(dataset, options, index, err);
    case NAS_BATCH_FIRST:
        break;
    }
    for (int64_t i = 0; i < options->n; i++) index[i] = i;
    return NAS_OK;
}

nas_status_t nas_batch_make(const nas_dataset_t *dataset, const nas_batch_options_t *options,
                            nas_batch_t *batch, nas_error_t *err)
{
    const nas_image_source_t *train = &dataset->train;
    const size_t n = (size_t)options->n;
    nas_batch_t made = {.n = options->n, .c = train->c, .h = train->h, .w = train->w};
    nas_status_t status;
    NAS_ASSERT(options->n >= 1);
    if (options->n > train->n)
        return nas_error_set(err, NAS_EINPUT, "a batch of %lld images; there are %lld to train on",
                             (long long)options->n, (long long)train->n);
    int64_t *index = calloc(n, sizeof *index);
    if (!index) return nas_error_nomem(err, "a batch");
    if ((status = choose(dataset, options, index, err))) goto out;
    made.images = malloc(n * nas_source_values(train) * sizeof *made.images);
    made.labels = malloc(n * sizeof *made.labels);
    if (!made.images || !made.labels) {
        status = nas_error_nomem(err, "a batch");
        goto out;
    }
    nas_source_read(train, index, options->n, made.images);
    for (size_t i = 0; i < n; i++) made.labels[i] = train->labels[index[i]];
    *batch = made;
    made = (nas_batch_t){0};
out:
    nas_batch_fini(&made);
    free(index);
    return status;
}

void nas_batch_fini(nas_batch_t *batch)
{
    free(batch->images);
    free(batch->labels);
    *batch = (nas_batch_t){0};
}
