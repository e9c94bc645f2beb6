#include "coordinator/inputs/inputs_images.h"

#include "coordinator/inputs/inputs_internal.h"

static nas_channel_numbers_t numbers(const nas_job_numbers_t *list)
{
    return (nas_channel_numbers_t){.at = list->at, .n = list->n};
}

/* A network halves its images twice. */
static nas_status_t check_size(const nas_job_t *job, const nas_images_t *images, nas_error_t *err)
{
    if (images->h % 4 == 0 && images->w % 4 == 0) return NAS_OK;
    return nas_job_error(job, "data.train", err,
                         "images of %d x %d; networks need both to be a multiple of 4", images->h,
                         images->w);
}

nas_status_t nas_inputs_read_dataset(nas_inputs_t *inputs, bool with_test, nas_dataset_t *dataset,
                                     nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const nas_dataset_options_t options = {.format = (nas_data_format_t)job->data.format,
                                           .train = &job->data.train,
                                           .test = with_test ? &job->data.test : NULL,
                                           .n_classes = (int)job->data.classes,
                                           .mean = numbers(&job->data.mean),
                                           .std = numbers(&job->data.std),
                                           .limit = job->data.limit,
                                           .interrupt = inputs->interrupt};
    nas_error_t reason = {0};
    const nas_status_t status = nas_dataset_read(&options, dataset, &reason);
    if (status) return nas_inputs_blame(job, "data.train", status, &reason, err);
    inputs->images.n_classes = dataset->n_classes;
    inputs->images.class_names = dataset->class_names;
    dataset->class_names = (nas_strings_t){0};
    inputs->images.facts = (nas_image_facts_t){.n_train = dataset->train.n,
                                               .n_test = dataset->test.n,
                                               .train = dataset->train_use,
                                               .test = dataset->test_use};
    return check_size(job, &dataset->train, err);
}

static nas_status_t hash_images(nas_hasher_t *hasher, const nas_images_t *images,
                                const nas_interrupt_t *interrupt, nas_error_t *err)
{
    const size_t block = 1 << 24; /* bytes between two questions */
    const size_t n = (size_t)images->n;
    const size_t n_bytes = n * nas_images_values(images) * nas_pixel_bytes(images->pixel);
    nas_status_t status = NAS_OK;
    nas_hasher_update(hasher, images->labels, n * sizeof *images->labels);
    for (size_t at = 0; !status && at < n_bytes; at += block) {
        const size_t left = n_bytes - at;
        nas_hasher_update(hasher, (const char *)images->data + at, left < block ? left : block);
        if (left > block)
            status = nas_interrupt_check(interrupt, (double)at / (double)n_bytes, err);
    }
    return status;
}

/* Trainings depend on every image. */
static nas_status_t digest_images(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_dataset_t *dataset = &inputs->images.dataset;
    const size_t n_numbers = (size_t)dataset->train.c * sizeof(double);
    nas_hasher_t *hasher = NULL;
    nas_status_t status = nas_hasher_create(&hasher, err);
    if (status) return status;
    nas_hasher_update(hasher, &dataset->n_classes, sizeof dataset->n_classes);
    nas_hasher_update(hasher, dataset->mean, n_numbers);
    nas_hasher_update(hasher, dataset->std, n_numbers);
    status = hash_images(hasher, &dataset->train, inputs->interrupt, err);
    if (!status) status = hash_images(hasher, &dataset->test, inputs->interrupt, err);
    if (!status) inputs->evaluate.content = nas_hasher_finish(hasher);
    nas_hasher_destroy(hasher);
    if (status) return status;
    nas_inputs_add_content(inputs, inputs->evaluate.content);
    return NAS_OK;
}

nas_status_t nas_inputs_read_images(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_status_t status = nas_inputs_read_dataset(inputs, true, &inputs->images.dataset, err);
    return status ? status : digest_images(inputs, err);
}

void nas_image_inputs_fini(nas_image_inputs_t *images)
{
    nas_dataset_fini(&images->dataset);
    nas_strings_fini(&images->class_names);
    *images = (nas_image_inputs_t){0};
}
