#include "worker/data/dataset.h"

#include "worker/data/class_names.h"
#include "worker/data/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A data set while it is read. */
typedef struct reading {
    const nas_dataset_options_t *options;
    nas_dataset_t dataset; /* all but the images */
    nas_images_t train;
    nas_images_t test;
    uint8_t seen[NAS_IMAGES_MAX_CLASSES]; /* classes, 1 where the split has images of it */
} reading_t;

/* A split of it. */
typedef struct split {
    const nas_strings_t *files;
    nas_images_t *images;
    nas_class_use_t *use;
    int64_t most; /* images */
} split_t;

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
    const nas_class_use_t *use = &reading->dataset.train_use;
    if (reading->options->n_classes || use->used >= use->whole || !err) return status;
    return nas_error_set(err, status, "%s; data.limit leaves %d of %d classes, set data.classes",
                         err->text, use->used, use->whole);
}

/* Add the images of one or more files that belong together to a split; where there are enough
 * already they are only looked at. */
static nas_status_t read_part(reading_t *reading, const split_t *split, char *const *path,
                              nas_error_t *err)
{
    const nas_strings_t *train = reading->options->train;
    const nas_format_t *format = reading->options->format;
    const int n_classes = reading->dataset.n_classes;
    nas_images_t part = {0};
    nas_status_t status = format->read(path, n_classes, &part, err);
    if (status) return status;
    status = check_alike(&part, path[0], &reading->train, train->at[0], err);
    if (!status && (status = check_labels(&part, path[format->n_files - 1], n_classes, err)))
        status = explain(reading, status, err);
    if (!status) split->use->whole += see(&part, part.n, reading->seen);
    if (!status && split->images->n < split->most)
        status = nas_images_append(split->images, &part, err);
    nas_images_fini(&part);
    return status;
}

static nas_status_t read_files(reading_t *reading, const split_t *split, nas_error_t *err)
{
    const nas_format_t *format = reading->options->format;
    const nas_strings_t *files = split->files;
    nas_status_t status = NAS_OK;
    if (files->n % format->n_files != 0)
        return nas_error_set(err, NAS_EINPUT,
                             "%s needs files in pairs, images then labels; the last is %s",
                             format->name, files->at[files->n - 1]);
    for (size_t i = 0; i < files->n && !status; i += format->n_files) {
        if (i > 0)
            status =
                nas_interrupt_check(reading->options->interrupt, (double)i / (double)files->n, err);
        if (!status) status = read_part(reading, split, files->at + i, err);
    }
    return status;
}

static nas_status_t read_split(reading_t *reading, const split_t *split, nas_error_t *err)
{
    nas_images_t *images = split->images;
    memset(reading->seen, 0, sizeof reading->seen);
    const nas_status_t status = read_files(reading, split, err);
    if (images->n > split->most) images->n = split->most;
    if (status) return status;
    memset(reading->seen, 0, sizeof reading->seen);
    split->use->used = see(images, images->n, reading->seen);
    split->use->sorted = is_sorted(images, split->use->used);
    return check_limited(split->use, split->files, images->n, err);
}

/* The number of classes as far as it is known before a file is read, 0 where it is not. */
static nas_status_t begin_classes(reading_t *reading, nas_error_t *err)
{
    const nas_dataset_options_t *options = reading->options;
    const int n = options->n_classes ? options->n_classes : options->format->n_classes;
    if (n != 0 && (n < 2 || n > NAS_IMAGES_MAX_CLASSES))
        return nas_error_set(err, NAS_EINPUT, "%d classes; expected 2 to %d", n,
                             NAS_IMAGES_MAX_CLASSES);
    reading->dataset.n_classes = n;
    return NAS_OK;
}

static nas_status_t count_classes(reading_t *reading, nas_error_t *err)
{
    const nas_dataset_options_t *options = reading->options;
    const nas_images_t *train = &reading->train;
    nas_dataset_t *dataset = &reading->dataset;
    int32_t largest = 0;
    if (dataset->n_classes != 0) return NAS_OK;
    for (int64_t i = 0; i < train->n; i++)
        if (train->labels[i] > largest) largest = train->labels[i];
    if (largest == 0 && dataset->train_use.whole < 2)
        return nas_error_set(err, NAS_EINPUT, "%s: all labels are 0; expected two classes or more",
                             options->train->at[options->format->n_files - 1]);
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

static nas_status_t set_normalisation(reading_t *reading, nas_error_t *err)
{
    const nas_dataset_options_t *options = reading->options;
    nas_dataset_t *dataset = &reading->dataset;
    const int c = reading->train.c;
    if (options->mean.n == 0 || options->std.n == 0)
        nas_images_moments(&reading->train, dataset->mean, dataset->std);
    nas_status_t status = set_channels("mean", &options->mean, c, dataset->mean, err);
    if (!status) status = set_channels("std", &options->std, c, dataset->std, err);
    for (int i = 0; i < c && !status; i++)
        if (dataset->std[i] <= 0)
            status = nas_error_set(err, NAS_EINPUT, "std of channel %d is %g; expected more than 0",
                                   i, dataset->std[i]);
    return status;
}

/* Of all files, so that labels mean the same in each. */
static nas_status_t read_class_names(reading_t *reading, nas_error_t *err)
{
    const nas_dataset_options_t *options = reading->options;
    nas_strings_t *names = &reading->dataset.class_names;
    if (!options->format->has_class_names) return NAS_OK;
    nas_status_t status = nas_class_names_read(options->train, names, err);
    if (!status && options->test) status = nas_class_names_read(options->test, names, err);
    if (names->n < (size_t)reading->dataset.n_classes) nas_strings_fini(names);
    return status;
}

static nas_status_t read_images(reading_t *reading, nas_error_t *err)
{
    const nas_dataset_options_t *options = reading->options;
    const int64_t most = options->limit > 0 ? options->limit : INT64_MAX;
    const split_t train = {options->train, &reading->train, &reading->dataset.train_use, most},
                  test = {options->test, &reading->test, &reading->dataset.test_use, most};
    nas_status_t status = read_split(reading, &train, err);
    if (!status) status = count_classes(reading, err);
    if (!status && options->test && options->test->n > 0) status = read_split(reading, &test, err);
    return status;
}

static nas_status_t make_sources(reading_t *reading, nas_error_t *err)
{
    nas_dataset_t *dataset = &reading->dataset;
    const nas_status_t status =
        nas_memory_source(&reading->train, dataset->mean, dataset->std, &dataset->train, err);
    if (status) return status;
    return nas_memory_source(&reading->test, dataset->mean, dataset->std, &dataset->test, err);
}

nas_status_t nas_dataset_read(const nas_dataset_options_t *options, nas_dataset_t *dataset,
                              nas_error_t *err)
{
    if (options->train->n == 0)
        return nas_error_set(err, NAS_EINPUT, "no training files; expected at least one");
    reading_t *reading = calloc(1, sizeof *reading);
    if (!reading) return nas_error_nomem(err, "classes");
    reading->options = options;
    nas_status_t status = begin_classes(reading, err);
    if (!status) status = read_images(reading, err);
    if (!status) status = read_class_names(reading, err);
    if (!status) status = set_normalisation(reading, err);
    if (!status) status = make_sources(reading, err);
    if (status)
        nas_dataset_fini(&reading->dataset);
    else
        *dataset = reading->dataset;
    nas_images_fini(&reading->train);
    nas_images_fini(&reading->test);
    free(reading);
    return status;
}

nas_status_t nas_dataset_digest(const nas_dataset_t *dataset, const nas_interrupt_t *interrupt,
                                nas_digest_t *digest, nas_error_t *err)
{
    const size_t n_numbers = (size_t)dataset->train.c * sizeof(double);
    nas_hasher_t *hasher = NULL;
    nas_status_t status = nas_hasher_create(&hasher, err);
    if (status) return status;
    nas_hasher_update(hasher, &dataset->n_classes, sizeof dataset->n_classes);
    nas_hasher_update(hasher, dataset->mean, n_numbers);
    nas_hasher_update(hasher, dataset->std, n_numbers);
    status = nas_source_hash(&dataset->train, hasher, interrupt, err);
    if (!status) status = nas_source_hash(&dataset->test, hasher, interrupt, err);
    if (!status) *digest = nas_hasher_finish(hasher);
    nas_hasher_destroy(hasher);
    return status;
}

void nas_dataset_fini(nas_dataset_t *dataset)
{
    nas_source_fini(&dataset->train);
    nas_source_fini(&dataset->test);
    nas_strings_fini(&dataset->class_names);
    *dataset = (nas_dataset_t){0};
}
