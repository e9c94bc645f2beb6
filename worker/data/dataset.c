#include "worker/data/dataset.h"

#include "worker/data/class_names.h"
#include "worker/data/format.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_BYTE_VALUES = 256 };

static const nas_format_t *const formats[] = {
    [NAS_DATA_CIFAR] = &nas_format_cifar,
    [NAS_DATA_IDX] = &nas_format_idx,
    [NAS_DATA_HDF5] = &nas_format_hdf5,
};

const char *nas_data_format_name(size_t place)
{
    return place < sizeof formats / sizeof *formats ? formats[place]->name : NULL;
}

/* All images must be like the first training images. */
static nas_status_t check_alike(const nas_images_t *part, const char *path,
                                const nas_images_t *first, const char *first_path, nas_error_t *err)
{
    static const char *const pixel[] = {[NAS_PIXEL_U8] = "uint8", [NAS_PIXEL_F32] = "float"};
    if (first->n == 0 || (part->pixel == first->pixel && part->c == first->c &&
                          part->h == first->h && part->w == first->w))
        return NAS_OK;
    return nas_error_set(err, NAS_EINPUT,
                         "%s: images of %d x %d x %d %s, but those of %s are %d x %d x %d %s", path,
                         part->c, part->h, part->w, pixel[part->pixel], first_path, first->c,
                         first->h, first->w, pixel[first->pixel]);
}

static nas_status_t check_labels(const nas_images_t *part, const char *path, int n_classes,
                                 nas_error_t *err)
{
    const int32_t end = n_classes ? n_classes : NAS_IMAGES_MAX_CLASSES;
    for (int64_t i = 0; i < part->n; i++)
        if (part->labels[i] < 0 || part->labels[i] >= end)
            return nas_images_bad_label(path, i, part->labels[i], n_classes, err);
    return NAS_OK;
}

/* A split while it is read. */
typedef struct reading {
    const nas_dataset_options_t *options;
    nas_dataset_t *dataset;
    nas_images_t *split;
    uint8_t seen[NAS_IMAGES_MAX_CLASSES]; /* classes, 1 where there are images of it */
} reading_t;

/* The classes that were not seen before among the first n images. */
static int see(const nas_images_t *images, int64_t n, uint8_t *seen)
{
    int n_new = 0;
    for (int64_t i = 0; i < n; i++) {
        n_new += !seen[images->labels[i]];
        seen[images->labels[i]] = 1;
    }
    return n_new;
}

/* Whether every class stands together. */
static bool is_sorted(const nas_images_t *images, int n_classes)
{
    int64_t n_changes = 0;
    for (int64_t i = 1; i < images->n; i++) n_changes += images->labels[i] != images->labels[i - 1];
    return n_changes == n_classes - 1 && images->n >= 2 * (int64_t)n_classes;
}

/* What a limit leaves of files that are sorted by class, as those of robotnas convert, has the
 * first few classes alone. */
static nas_status_t check_limited(const nas_class_use_t *use, const nas_strings_t *files, int64_t n,
                                  nas_error_t *err)
{
    if (use->used >= use->whole || !use->sorted) return NAS_OK;
    return nas_error_set(
        err, NAS_EINPUT,
        "%s: sorted by class, so that the %lld images that data.limit leaves have %d of %d classes; take all, or a file with fewer of each (robotnas convert --per-class)",
        files->at[0], (long long)n, use->used, use->whole);
}

/* A label that is beyond what a limit leaves of the training images. */
static nas_status_t explain(const reading_t *reading, nas_status_t status, nas_error_t *err)
{
    const nas_class_use_t *use = &reading->dataset->train_use;
    if (reading->options->n_classes || use->used >= use->whole || !err) return status;
    return nas_error_set(err, status, "%s; data.limit leaves %d of %d classes, set data.classes",
                         err->text, use->used, use->whole);
}

/* Add the images of one or more files that belong together to train or test; where there are enough
 * already they are only looked at. */
static nas_status_t read_part(reading_t *reading, char *const *path, int64_t most,
                              nas_class_use_t *use, nas_error_t *err)
{
    const nas_dataset_t *dataset = reading->dataset;
    const nas_strings_t *train = reading->options->train;
    const nas_format_t *format = formats[reading->options->format];
    nas_images_t part = {0};
    nas_status_t status = format->read(path, dataset->n_classes, &part, err);
    if (status) return status;
    status = check_alike(&part, path[0], &dataset->train, train->at[0], err);
    if (!status &&
        (status = check_labels(&part, path[format->n_files - 1], dataset->n_classes, err)))
        status = explain(reading, status, err);
    if (!status) use->whole += see(&part, part.n, reading->seen);
    if (!status && reading->split->n < most) status = nas_images_append(reading->split, &part, err);
    nas_images_fini(&part);
    return status;
}

static nas_status_t read_files(reading_t *reading, const nas_strings_t *files, int64_t most,
                               nas_class_use_t *use, nas_error_t *err)
{
    const nas_format_t *format = formats[reading->options->format];
    nas_status_t status = NAS_OK;
    if (files->n % format->n_files != 0)
        return nas_error_set(err, NAS_EINPUT,
                             "%s needs files in pairs, images then labels; the last is %s",
                             format->name, files->at[files->n - 1]);
    for (size_t i = 0; i < files->n && !status; i += format->n_files) {
        if (i > 0)
            status =
                nas_interrupt_check(reading->options->interrupt, (double)i / (double)files->n, err);
        if (!status) status = read_part(reading, files->at + i, most, use, err);
    }
    return status;
}

static nas_status_t read_split(const nas_dataset_options_t *options, const nas_strings_t *files,
                               nas_dataset_t *dataset, nas_images_t *split, nas_error_t *err)
{
    nas_class_use_t *use = split == &dataset->train ? &dataset->train_use : &dataset->test_use;
    const int64_t most = options->limit > 0 ? options->limit : INT64_MAX;
    reading_t *reading = calloc(1, sizeof *reading);
    if (!reading) return nas_error_nomem(err, "classes");
    *reading = (reading_t){.options = options, .dataset = dataset, .split = split};
    nas_status_t status = read_files(reading, files, most, use, err);
    if (split->n > most) split->n = most;
    if (!status) {
        memset(reading->seen, 0, sizeof reading->seen);
        use->used = see(split, split->n, reading->seen);
        use->sorted = is_sorted(split, use->used);
        status = check_limited(use, files, split->n, err);
    }
    free(reading);
    return status;
}

/* The number of classes as far as it is known before a file is read, 0 where it is not. */
static nas_status_t begin_classes(const nas_dataset_options_t *options, nas_dataset_t *dataset,
                                  nas_error_t *err)
{
    const int n = options->n_classes ? options->n_classes : formats[options->format]->n_classes;
    if (n != 0 && (n < 2 || n > NAS_IMAGES_MAX_CLASSES))
        return nas_error_set(err, NAS_EINPUT, "%d classes; expected 2 to %d", n,
                             NAS_IMAGES_MAX_CLASSES);
    dataset->n_classes = n;
    return NAS_OK;
}

static nas_status_t count_classes(const nas_dataset_options_t *options, nas_dataset_t *dataset,
                                  nas_error_t *err)
{
    const nas_images_t *train = &dataset->train;
    int32_t largest = 0;
    if (dataset->n_classes != 0) return NAS_OK;
    for (int64_t i = 0; i < train->n; i++)
        if (train->labels[i] > largest) largest = train->labels[i];
    if (largest == 0 && dataset->train_use.whole < 2)
        return nas_error_set(err, NAS_EINPUT, "%s: all labels are 0; expected two classes or more",
                             options->train->at[formats[options->format]->n_files - 1]);
    dataset->n_classes = largest > 0 ? largest + 1 : 2;
    return NAS_OK;
}

/* Take the given numbers, one a channel; where none are given those of the images stay. */
static nas_status_t set_channels(const char *name, const nas_channel_numbers_t *given, int c,
                                 double *number, nas_error_t *err)
{
    if (given->n == 0) return NAS_OK;
    if (given->n != (size_t)c)
        return nas_error_set(err, NAS_EINPUT, "%zu numbers of %s for images of %d channel%s",
                             given->n, name, c, c == 1 ? "" : "s");
    for (int i = 0; i < c; i++)
        if (!isfinite(given->at[i]))
            return nas_error_set(err, NAS_EINPUT, "%s of channel %d is not finite", name, i);
    memcpy(number, given->at, given->n * sizeof *number);
    return NAS_OK;
}

static nas_status_t set_normalisation(const nas_dataset_options_t *options, nas_dataset_t *dataset,
                                      nas_error_t *err)
{
    const int c = dataset->train.c;
    if (options->mean.n == 0 || options->std.n == 0)
        nas_images_moments(&dataset->train, dataset->mean, dataset->std);
    nas_status_t status = set_channels("mean", &options->mean, c, dataset->mean, err);
    if (!status) status = set_channels("std", &options->std, c, dataset->std, err);
    for (int i = 0; i < c && !status; i++)
        if (dataset->std[i] <= 0)
            status = nas_error_set(err, NAS_EINPUT, "std of channel %d is %g; expected more than 0",
                                   i, dataset->std[i]);
    return status;
}

/* Of all files, so that labels mean the same in each. */
static nas_status_t read_class_names(const nas_dataset_options_t *options, nas_dataset_t *dataset,
                                     nas_error_t *err)
{
    nas_strings_t *names = &dataset->class_names;
    if (options->format != NAS_DATA_HDF5) return NAS_OK;
    nas_status_t status = nas_class_names_read(options->train, names, err);
    if (!status && options->test) status = nas_class_names_read(options->test, names, err);
    if (names->n < (size_t)dataset->n_classes) nas_strings_fini(names);
    return status;
}

nas_status_t nas_dataset_read(const nas_dataset_options_t *options, nas_dataset_t *dataset,
                              nas_error_t *err)
{
    nas_dataset_t read = {0};
    nas_status_t status;
    if (options->train->n == 0)
        return nas_error_set(err, NAS_EINPUT, "no training files; expected at least one");
    if ((status = begin_classes(options, &read, err))) goto out;
    if ((status = read_split(options, options->train, &read, &read.train, err))) goto out;
    if ((status = count_classes(options, &read, err))) goto out;
    if (options->test && options->test->n > 0)
        status = read_split(options, options->test, &read, &read.test, err);
    if (status) goto out;
    if ((status = read_class_names(options, &read, err))) goto out;
    if ((status = set_normalisation(options, &read, err))) goto out;
    *dataset = read;
    read = (nas_dataset_t){0};
out:
    nas_dataset_fini(&read);
    return status;
}

/* One plane of an image. A byte has but 256 values, worked out once in `table`. */
static void normalise_bytes(const uint8_t *x, const float *table, size_t n, float *y)
{
    for (size_t i = 0; i < n; i++) y[i] = table[x[i]];
}

static void normalise_floats(const float *x, double mean, double std, size_t n, float *y)
{
    for (size_t i = 0; i < n; i++) y[i] = (float)(((double)x[i] - mean) / std);
}

void nas_dataset_normalise(const nas_dataset_t *dataset, const nas_images_t *images,
                           const int64_t *index, int64_t n, float *values)
{
    const size_t plane = (size_t)images->h * (size_t)images->w,
                 n_values = nas_images_values(images);
    for (int c = 0; c < images->c; c++) {
        const double mean = dataset->mean[c], std = dataset->std[c];
        float table[N_BYTE_VALUES];
        for (int x = 0; x < N_BYTE_VALUES; x++) table[x] = (float)((x / 255.0 - mean) / std);
        for (int64_t i = 0; i < n; i++) {
            const size_t from = (size_t)index[i] * n_values + (size_t)c * plane;
            float *to = values + (size_t)i * n_values + (size_t)c * plane;
            if (images->pixel == NAS_PIXEL_U8)
                normalise_bytes((const uint8_t *)images->data + from, table, plane, to);
            else
                normalise_floats((const float *)images->data + from, mean, std, plane, to);
        }
    }
}

void nas_dataset_fini(nas_dataset_t *dataset)
{
    nas_images_fini(&dataset->train);
    nas_images_fini(&dataset->test);
    nas_strings_fini(&dataset->class_names);
    *dataset = (nas_dataset_t){0};
}
