#include "tests/fuzz/images_check.h"

#include "tests/fuzz/fuzz.h"
#include "worker/data/batch.h"

#include <math.h>
#include <stdlib.h>

static void check_images(const nas_image_source_t *images, int n_classes)
{
    NAS_ASSERT(images->n > 0 && images->c > 0 && images->h > 0 && images->w > 0);
    for (int64_t i = 0; i < images->n; i++)
        NAS_ASSERT(images->labels[i] >= 0 && images->labels[i] < n_classes);
}

static void try_batch(const nas_dataset_t *dataset, nas_batch_choice_t choice)
{
    const int64_t n = choice == NAS_BATCH_PER_CLASS ? dataset->n_classes : 1;
    const nas_batch_options_t options = {.choice = choice, .n = n, .seed = 1};
    nas_batch_t batch = {0};
    nas_error_t err = {0};
    const nas_status_t status = nas_batch_make(dataset, &options, &batch, &err);
    if (status) {
        fuzz_check_error(status, &err);
        return;
    }
    const int64_t n_values = n * batch.c * batch.h * batch.w;
    for (int64_t i = 0; i < n_values; i++) NAS_ASSERT(!isnan(batch.images[i]));
    for (int64_t i = 0; i < n; i++)
        NAS_ASSERT(batch.labels[i] >= 0 && batch.labels[i] < dataset->n_classes);
    nas_batch_fini(&batch);
}

static void check_dataset(const nas_dataset_t *dataset)
{
    NAS_ASSERT(dataset->n_classes >= 2);
    check_images(&dataset->train, dataset->n_classes);
    if (dataset->test.n > 0) check_images(&dataset->test, dataset->n_classes);
    for (int c = 0; c < dataset->train.c; c++) {
        NAS_ASSERT(isfinite(dataset->mean[c]));
        NAS_ASSERT(isfinite(dataset->std[c]) && dataset->std[c] > 0);
    }
    try_batch(dataset, NAS_BATCH_RANDOM);
    try_batch(dataset, NAS_BATCH_FIRST);
    try_batch(dataset, NAS_BATCH_PER_CLASS);
}

void fuzz_try_dataset(const nas_dataset_options_t *options)
{
    nas_dataset_t dataset = {0};
    nas_error_t err = {0};
    const nas_status_t status = nas_dataset_read(options, &dataset, &err);
    if (status)
        fuzz_check_error(status, &err);
    else
        check_dataset(&dataset);
    nas_dataset_fini(&dataset);
}
