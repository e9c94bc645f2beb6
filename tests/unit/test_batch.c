#include "worker/data/batch.h"
#include "worker/data/memory.h"
#include "worker/data/untrusted/untrusted_hdf5.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N_IMAGES = 30, N_CLASSES = 3, N_VALUES = 4 };

/* Image i holds the value i everywhere and has label i % 3; normalisation leaves values alone. */
static nas_dataset_t make_labelled(const int labels[N_IMAGES])
{
    nas_dataset_t dataset = {.n_classes = N_CLASSES, .mean = {0, 0}, .std = {1, 1}};
    nas_images_t images = {.pixel = NAS_PIXEL_F32, .n = N_IMAGES, .c = 2, .h = 1, .w = 2};
    cr_assert_eq(nas_images_allocate(&images, NULL), NAS_OK);
    float *value = images.data;
    for (int i = 0; i < N_IMAGES; i++) {
        images.labels[i] = labels[i];
        for (int k = 0; k < N_VALUES; k++) value[i * N_VALUES + k] = (float)i;
    }
    cr_assert_eq(nas_memory_source(&images, dataset.mean, dataset.std, &dataset.train, NULL),
                 NAS_OK);
    return dataset;
}

static nas_dataset_t make_dataset(void)
{
    int labels[N_IMAGES];
    for (int i = 0; i < N_IMAGES; i++) labels[i] = i % N_CLASSES;
    return make_labelled(labels);
}

static nas_batch_t make_batch(const nas_dataset_t *dataset, nas_batch_choice_t choice, int64_t n,
                              uint64_t seed)
{
    nas_batch_t batch = {0};
    nas_error_t err = {0};
    const nas_batch_options_t options = {.choice = choice, .n = n, .seed = seed};
    cr_assert_eq(nas_batch_make(dataset, &options, &batch, &err), NAS_OK, "%s", err.text);
    cr_assert(batch.n == n && batch.c == 2 && batch.h == 1 && batch.w == 2);
    return batch;
}

/* Which image stands at place i; its values and label must agree. */
static int image_at(const nas_batch_t *batch, int i)
{
    const float *value = batch->images + i * N_VALUES;
    const int image = (int)value[0];
    for (int k = 0; k < N_VALUES; k++) cr_assert_eq(value[k], (float)image);
    cr_assert_eq(batch->labels[i], image % N_CLASSES);
    return image;
}

Test(batch, random_images_are_distinct_and_follow_the_seed)
{
    nas_dataset_t dataset = make_dataset();
    int order[2][N_IMAGES] = {{0}}, n_equal = 0;
    for (int seed = 0; seed < 2; seed++) {
        bool seen[N_IMAGES] = {false};
        nas_batch_t batch = make_batch(&dataset, NAS_BATCH_RANDOM, N_IMAGES, (uint64_t)seed);
        for (int i = 0; i < N_IMAGES; i++) {
            order[seed][i] = image_at(&batch, i);
            cr_assert_not(seen[order[seed][i]]);
            seen[order[seed][i]] = true;
        }
        nas_batch_fini(&batch);
    }
    for (int i = 0; i < N_IMAGES; i++) n_equal += order[0][i] == order[1][i];
    cr_assert_lt(n_equal, N_IMAGES / 2);

    nas_batch_t part = make_batch(&dataset, NAS_BATCH_RANDOM, 7, 1);
    for (int i = 0; i < 7; i++)
        cr_assert_eq(image_at(&part, i), order[1][i], "a smaller batch is the front of a larger");
    nas_batch_fini(&part);
    nas_dataset_fini(&dataset);
}

/* 3,000 batches of 10 from 30: every image is expected 1,000 times with a standard deviation of
 * 25.8, and so is every image at the first place 100 times with one of 9.8. */
Test(batch, random_images_are_uniform)
{
    nas_dataset_t dataset = make_dataset();
    int taken[N_IMAGES] = {0}, first[N_IMAGES] = {0};
    for (uint64_t seed = 0; seed < 3000; seed++) {
        nas_batch_t batch = make_batch(&dataset, NAS_BATCH_RANDOM, 10, seed);
        for (int i = 0; i < 10; i++) taken[image_at(&batch, i)]++;
        first[image_at(&batch, 0)]++;
        nas_batch_fini(&batch);
    }
    for (int i = 0; i < N_IMAGES; i++) {
        cr_assert(abs(taken[i] - 1000) < 5 * 26, "image %d was taken %d times", i, taken[i]);
        cr_assert(abs(first[i] - 100) < 5 * 10, "image %d was first %d times", i, first[i]);
    }
    nas_dataset_fini(&dataset);
}

Test(batch, per_class_takes_equally_many_class_by_class)
{
    nas_dataset_t dataset = make_dataset();
    bool seen[N_IMAGES] = {false};
    nas_batch_t batch = make_batch(&dataset, NAS_BATCH_PER_CLASS, 12, 5);
    nas_batch_t same = make_batch(&dataset, NAS_BATCH_PER_CLASS, 12, 5);
    nas_batch_t other = make_batch(&dataset, NAS_BATCH_PER_CLASS, 12, 6);
    const size_t size = 12 * N_VALUES * sizeof *batch.images;
    for (int i = 0; i < 12; i++) {
        const int image = image_at(&batch, i);
        cr_assert_eq(image % N_CLASSES, i / 4);
        cr_assert_not(seen[image]);
        seen[image] = true;
    }
    cr_assert_eq(memcmp(batch.images, same.images, size), 0);
    cr_assert_neq(memcmp(batch.images, other.images, size), 0);
    nas_batch_fini(&batch);
    nas_batch_fini(&same);
    nas_batch_fini(&other);
    nas_dataset_fini(&dataset);
}

Test(batch, the_first_images_come_in_order)
{
    nas_dataset_t dataset = make_dataset();
    nas_batch_t batch = make_batch(&dataset, NAS_BATCH_FIRST, 9, 5);
    for (int i = 0; i < 9; i++) cr_assert_eq(image_at(&batch, i), i);
    nas_batch_fini(&batch);
    nas_dataset_fini(&dataset);
}

/* Nobody but the source knows where its images lie: these lie nowhere. */
static void read_numbers(const nas_image_source_t *source, const int64_t *index, int64_t n,
                         float *values)
{
    for (int64_t i = 0; i < n; i++, values += nas_source_values(source))
        for (size_t k = 0; k < nas_source_values(source); k++)
            values[k] = (float)(100 * index[i] + (int64_t)k);
}

static void keep(void *self)
{
    (void)self;
}

Test(batch, images_may_come_from_anywhere)
{
    static const int32_t labels[5] = {0, 1, 0, 1, 1};
    static const nas_source_functions_t functions = {.read = read_numbers, .destroy = keep};
    nas_dataset_t dataset = {
        .n_classes = 2,
        .train = {.n = 5, .c = 2, .h = 1, .w = 2, .labels = labels, .functions = &functions}};
    nas_batch_t batch = make_batch(&dataset, NAS_BATCH_PER_CLASS, 4, 3);
    for (int i = 0; i < 4; i++) {
        const int image = (int)batch.images[N_VALUES * i] / 100;
        cr_assert_eq(batch.images[N_VALUES * i + 3], (float)(100 * image + 3));
        cr_assert(batch.labels[i] == i / 2 && labels[image] == i / 2);
    }
    nas_batch_fini(&batch);
    nas_dataset_fini(&dataset);
}

static void assert_refused(const nas_dataset_t *dataset, nas_batch_choice_t choice, int64_t n,
                           const char *text)
{
    nas_batch_t batch = {0};
    nas_error_t err = {0};
    const nas_batch_options_t options = {.choice = choice, .n = n};
    cr_assert_eq(nas_batch_make(dataset, &options, &batch, &err), NAS_EINPUT);
    cr_assert_str_eq(err.text, text);
    cr_assert(!batch.images && !batch.labels && batch.n == 0);
}

Test(batch, what_the_data_cannot_give_is_refused)
{
    nas_dataset_t dataset = make_dataset();
    for (nas_batch_choice_t choice = NAS_BATCH_RANDOM; choice <= NAS_BATCH_FIRST; choice++)
        assert_refused(&dataset, choice, 31, "a batch of 31 images; there are 30 to train on");
    assert_refused(&dataset, NAS_BATCH_PER_CLASS, 10,
                   "a batch of 10 images cannot have equally many of 3 classes; expected a "
                   "multiple of 3");
    nas_dataset_fini(&dataset);
    int labels[N_IMAGES];
    for (int i = 0; i < N_IMAGES; i++) labels[i] = i == 2 ? 0 : i % N_CLASSES;
    dataset = make_labelled(labels);
    assert_refused(&dataset, NAS_BATCH_PER_CLASS, 30,
                   "a batch of 30 images needs 10 of each class; class 2 has 9");
    nas_dataset_fini(&dataset);
}

/* input/images and input/labels of a reference file. */
static void read_reference(const char *path, nas_untrusted_array_t input[2])
{
    const nas_untrusted_item_t item[] = {{.name = "input/images", .types = NAS_UNTRUSTED_F32},
                                         {.name = "input/labels", .types = NAS_UNTRUSTED_I64}};
    const nas_untrusted_request_t request = {
        .path = path, .item = item, .n = 2, .max_bytes = 1 << 24, .cpu_s = 20, .wall_s = 60};
    nas_error_t err = {0};
    cr_assert_eq(nas_untrusted_hdf5_read(&request, input, &err), NAS_OK, "%s", err.text);
}

/* What the reference implementation took as its input, bit for bit. */
Test(batch, the_first_images_of_cifar_10_are_those_of_the_reference_files)
{
    static const double mean[] = {0.4914, 0.4822, 0.4465}, std[] = {0.2470, 0.2435, 0.2616};
    const char *shared = getenv("ROBOTNAS_SHARED");
    char images[1024], reference[1024];
    if (!shared) cr_skip_test("the environment variable ROBOTNAS_SHARED is not set");
    (void)snprintf(images, sizeof images, "%s/data/cifar-10-batches-bin/data_batch_1.bin", shared);
    (void)snprintf(reference, sizeof reference, "%s/oracle/ref/full-2.h5", shared);
    if (access(images, R_OK) != 0) cr_skip_test("%s is not there", images);
    if (access(reference, R_OK) != 0) cr_skip_test("%s is not there", reference);

    nas_untrusted_array_t input[2] = {0};
    nas_dataset_t dataset = {0};
    nas_batch_t batch = {0};
    nas_error_t err = {0};
    char *file[] = {images};
    const nas_strings_t train = {.at = file, .n = 1};
    const nas_dataset_options_t options = {
        .format = &nas_format_cifar, .train = &train, .mean = {mean, 3}, .std = {std, 3}};
    read_reference(reference, input);
    const int64_t n = input[0].size[0];
    cr_assert_eq(nas_dataset_read(&options, &dataset, &err), NAS_OK, "%s", err.text);
    const nas_batch_options_t first = {.choice = NAS_BATCH_FIRST, .n = n};
    cr_assert_eq(nas_batch_make(&dataset, &first, &batch, &err), NAS_OK, "%s", err.text);
    cr_assert_arr_eq(batch.images, input[0].data, input[0].n * sizeof(float));
    for (int64_t i = 0; i < n; i++) cr_assert_eq(batch.labels[i], ((int64_t *)input[1].data)[i]);
    nas_batch_fini(&batch);
    nas_dataset_fini(&dataset);
    nas_untrusted_arrays_fini(input, 2);
}
