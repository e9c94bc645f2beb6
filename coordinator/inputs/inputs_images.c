#include "coordinator/inputs/inputs_images.h"

#include "coordinator/inputs/inputs_internal.h"

static nas_channel_numbers_t numbers(const nas_job_numbers_t *list)
{
    return (nas_channel_numbers_t){.at = list->at, .n = list->n};
}

/* A network of a space halves its images twice. */
static nas_status_t check_size(const nas_job_t *job, const nas_image_source_t *images,
                               nas_error_t *err)
{
    if (!nas_job_space(job)) return NAS_OK;
    if (images->h % 4 == 0 && images->w % 4 == 0) return NAS_OK;
    return nas_job_error(job, "data.train", err,
                         "images of %d x %d; networks need both to be a multiple of 4", images->h,
                         images->w);
}

nas_status_t nas_inputs_read_dataset(nas_inputs_t *inputs, bool with_test, nas_dataset_t *dataset,
                                     nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const nas_dataset_options_t options = {.format = nas_format_at((size_t)job->data.format),
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

/* Trainings depend on every image. */
static nas_status_t digest_images(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_status_t status = nas_dataset_digest(&inputs->images.dataset, inputs->interrupt,
                                                   &inputs->evaluate.content, err);
    if (!status) nas_inputs_add_content(inputs, inputs->evaluate.content);
    return status;
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
