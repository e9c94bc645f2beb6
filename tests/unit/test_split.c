#include "worker/objectives/train/augment.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { N = 40, N_TEST = 7, N_CLASSES = 3 };

/* Labels of 20, 12 and 8 images; pixels do not matter. */
static nas_dataset_t make_dataset(void)
{
    static int32_t labels[N];
    for (int i = 0; i < N; i++) {
        const int turn = i % 10;
        labels[i] = turn < 5 ? 0 : turn < 8 ? 1 : 2;
    }
    return (nas_dataset_t){.n_classes = N_CLASSES,
                           .train = {.n = N, .c = 1, .h = 1, .w = 1, .labels = labels},
                           .test = {.n = N_TEST, .c = 1, .h = 1, .w = 1}};
}

static nas_split_t make_split(const nas_dataset_t *dataset, double share, uint64_t seed)
{
    nas_split_t split = {0};
    nas_error_t err = {0};
    const nas_recipe_t recipe = {.batch = 2, .validation = share};
    cr_assert_eq(nas_split_make(dataset, &recipe, seed, &split, &err), NAS_OK, "%s", err.text);
    return split;
}

/* Both sides ascend, and together they are all images once; counts [out] held out of each class. */
static void assert_complete(const nas_dataset_t *dataset, const nas_split_t *split,
                            int counts[N_CLASSES])
{
    int n_seen[N] = {0};
    memset(counts, 0, N_CLASSES * sizeof *counts);
    cr_assert_eq(split->n_train + split->n_valid, N);
    cr_assert_not(split->of_test);
    for (int64_t i = 0; i < split->n_train; i++) {
        n_seen[split->train[i]]++;
        cr_assert(i == 0 || split->train[i] > split->train[i - 1]);
    }
    for (int64_t i = 0; i < split->n_valid; i++) {
        n_seen[split->valid[i]]++;
        counts[dataset->train.labels[split->valid[i]]]++;
        cr_assert(i == 0 || split->valid[i] > split->valid[i - 1]);
    }
    for (int i = 0; i < N; i++) cr_assert_eq(n_seen[i], 1);
}

/* Of 20, 12 and 8 images: exact parts; two remainders of 0.5 for one image, which goes to the lower
 * class; remainders of 0.5, 0.9 and 0.6 for two; the least; remainders of 0, 0.8 and 0.2 for one.
 */
Test(split, classes_are_held_out_in_equal_parts)
{
    static const struct {
        double share;
        int of_class[N_CLASSES];
    } cases[] = {{0.25, {5, 3, 2}},  {0.5, {10, 6, 4}},  {0.125, {3, 1, 1}},
                 {0.075, {1, 1, 1}}, {0.001, {1, 0, 0}}, {0.15, {3, 2, 1}}};
    nas_dataset_t dataset = make_dataset();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int counts[N_CLASSES];
        nas_split_t split = make_split(&dataset, cases[i].share, 5);
        assert_complete(&dataset, &split, counts);
        for (int k = 0; k < N_CLASSES; k++)
            cr_assert_eq(counts[k], cases[i].of_class[k], "share %g, class %d: %d held out",
                         cases[i].share, k, counts[k]);
        nas_split_fini(&split);
    }
    nas_dataset_fini(&dataset);
}

/* Each image of the first class is one of 5 of 20 held out: 250 of 1,000 seeds, with a standard
 * deviation of 13.7. */
Test(split, the_seed_draws_uniformly)
{
    nas_dataset_t dataset = make_dataset();
    int n_held[N] = {0};
    nas_split_t first = make_split(&dataset, 0.25, 0), again = make_split(&dataset, 0.25, 0);
    cr_assert_eq(memcmp(first.valid, again.valid, sizeof(int64_t) * (size_t)first.n_valid), 0);
    for (uint64_t seed = 0; seed < 1000; seed++) {
        nas_split_t split = make_split(&dataset, 0.25, seed);
        for (int64_t i = 0; i < split.n_valid; i++) n_held[split.valid[i]]++;
        nas_split_fini(&split);
    }
    for (int i = 0; i < N; i++)
        cr_assert(abs(n_held[i] - 250) < 5 * 14, "image %d: %d", i, n_held[i]);
    nas_split_fini(&first);
    nas_split_fini(&again);
    nas_dataset_fini(&dataset);
}

Test(split, without_a_share_the_test_images_judge)
{
    nas_dataset_t dataset = make_dataset();
    nas_split_t split = make_split(&dataset, 0, 5);
    cr_assert(split.of_test && split.n_train == N && split.n_valid == N_TEST);
    for (int i = 0; i < N; i++) cr_assert_eq(split.train[i], i);
    for (int i = 0; i < N_TEST; i++) cr_assert_eq(split.valid[i], i);
    nas_split_fini(&split);
    nas_dataset_fini(&dataset);
}

static void assert_refused(const nas_dataset_t *dataset, const nas_recipe_t *recipe,
                           const char *text)
{
    nas_split_t split = {0};
    nas_error_t err = {0};
    cr_assert_eq(nas_split_make(dataset, recipe, 1, &split, &err), NAS_EINPUT);
    cr_assert_str_eq(err.text, text);
    cr_assert(!split.train && !split.valid);
}

Test(split, what_the_data_cannot_give_is_refused)
{
    nas_dataset_t dataset = make_dataset();
    assert_refused(&dataset, &(nas_recipe_t){.batch = 33, .validation = 0.2},
                   "32 of 40 training images are left to train on, fewer than a batch of 33");
    assert_refused(&dataset, &(nas_recipe_t){.batch = 2, .validation = 0.99},
                   "1 of 40 training images are left to train on, fewer than a batch of 2");
    dataset.test.n = 0;
    assert_refused(&dataset, &(nas_recipe_t){.batch = 2},
                   "no images to validate on: there are no test images, and of the training images "
                   "none are held out");
    nas_dataset_fini(&dataset);
}

Test(split, an_epoch_leaves_out_the_last_incomplete_batch)
{
    const nas_split_t split = {.n_train = 31};
    cr_assert_eq(nas_split_steps(&split, &(nas_recipe_t){.batch = 10}), 3);
    cr_assert_eq(nas_split_steps(&split, &(nas_recipe_t){.batch = 31}), 1);
}

/* An image is first in 1,000 epochs of 30 images 33 times, with a standard deviation of 5.7. */
Test(split, the_order_of_an_epoch_is_a_uniform_permutation)
{
    nas_dataset_t dataset = make_dataset();
    nas_split_t split = make_split(&dataset, 0.25, 5);
    int n_first[N] = {0};
    int64_t order[N], again[N], other[N];
    for (int64_t epoch = 0; epoch < 1000; epoch++) {
        int n_seen[N] = {0};
        nas_epoch_order(&split, 8, epoch, order);
        n_first[order[0]]++;
        for (int64_t i = 0; i < split.n_train; i++) n_seen[order[i]]++;
        for (int64_t i = 0; i < split.n_train; i++) cr_assert_eq(n_seen[split.train[i]], 1);
    }
    for (int64_t i = 0; i < split.n_train; i++)
        cr_assert(abs(n_first[split.train[i]] - 33) < 5 * 6);
    nas_epoch_order(&split, 8, 999, again);
    cr_assert_eq(memcmp(order, again, sizeof *order * (size_t)split.n_train), 0);
    nas_epoch_order(&split, 9, 999, other);
    cr_assert_neq(memcmp(order, other, sizeof *order * (size_t)split.n_train), 0);
    nas_split_fini(&split);
    nas_dataset_fini(&dataset);
}
