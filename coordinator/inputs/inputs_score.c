#include "coordinator/inputs/inputs_score.h"

#include "coordinator/inputs/inputs_internal.h"

/* The images that trainings need stay; for scores a batch of them will do. */
static nas_status_t make_batch(nas_inputs_t *inputs, const nas_dataset_t *dataset, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const nas_batch_options_t choice = {.choice = (nas_batch_choice_t)job->metrics.choice,
                                        .n = job->metrics.batch,
                                        .seed = (uint64_t)job->seed};
    nas_error_t reason = {0};
    const nas_status_t status = nas_batch_make(dataset, &choice, &inputs->score.batch, &reason);
    return nas_inputs_blame(job, "metrics.batch", status, &reason, err);
}

static nas_status_t read_batch(nas_inputs_t *inputs, nas_error_t *err)
{
    nas_dataset_t dataset = {0};
    if (nas_inputs_train(inputs)) return make_batch(inputs, &inputs->images.dataset, err);
    nas_status_t status = nas_inputs_read_dataset(inputs, false, &dataset, err);
    if (!status) status = make_batch(inputs, &dataset, err);
    nas_dataset_fini(&dataset);
    return status;
}

/* Scores depend on the images by the batch alone. */
static nas_status_t digest_batch(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_batch_t *batch = &inputs->score.batch;
    const size_t n = (size_t)batch->n;
    const size_t n_values = n * (size_t)batch->c * (size_t)batch->h * (size_t)batch->w;
    nas_hasher_t *hasher = NULL;
    const nas_status_t status = nas_hasher_create(&hasher, err);
    if (status) return status;
    nas_hasher_update(hasher, &inputs->score.n_classes, sizeof inputs->score.n_classes);
    nas_hasher_update(hasher, batch->labels, n * sizeof *batch->labels);
    nas_hasher_update(hasher, batch->images, n_values * sizeof *batch->images);
    inputs->score.content = nas_hasher_finish(hasher);
    nas_hasher_destroy(hasher);
    nas_inputs_add_content(inputs, inputs->score.content);
    return NAS_OK;
}

nas_status_t nas_inputs_read_batch(nas_inputs_t *inputs, nas_error_t *err)
{
    nas_status_t status = read_batch(inputs, err);
    inputs->score.n_classes = inputs->images.n_classes;
    if (!status) status = digest_batch(inputs, err);
    if (!status) status = nas_inputs_read_networks(inputs, err);
    if (status) return status;
    const bool is_listed = inputs->job->pool.subset.kind == NAS_SUBSET_FILE;
    const bool has_files = nas_inputs_have_files(inputs);
    inputs->score.networks = inputs->networks;
    inputs->score.files = inputs->files.content;
    inputs->score.n_unreadable = inputs->files.n_failed;
    const nas_digest_t content[] = {inputs->score.content,
                                    has_files ? inputs->files.content : inputs->subset};
    const nas_job_content_t files = {.file = content, .n = is_listed || has_files ? 2 : 1};
    return nas_job_score_hash(inputs->job, &files, &inputs->score.hash, err);
}

void nas_score_inputs_fini(nas_score_inputs_t *score)
{
    nas_batch_fini(&score->batch);
    *score = (nas_score_inputs_t){0};
}
