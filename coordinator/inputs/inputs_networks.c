/* What makes the networks of the pool: a space, or files that a table lists. */
#include "coordinator/inputs/inputs_internal.h"
#include "coordinator/inputs/inputs_ranks.h"
#include "worker/objectives/command/arguments.h"

#include <stdlib.h>
#include <string.h>

/* Files that `check`, which is alone and has to be quick, looks at. */
enum { MOST_CHECKED = 1000 };

static nas_weights_t weights_of(const nas_job_t *job)
{
    const bool of_space = nas_job_space(job) != NULL;
    switch ((nas_job_weights_t)job->network.weights) {
    case NAS_JOB_WEIGHTS_KAIMING:
        return NAS_WEIGHTS_KAIMING;
    case NAS_JOB_WEIGHTS_UNIFORM:
        return of_space ? NAS_WEIGHTS_BY_NAME : NAS_WEIGHTS_UNIFORM;
    case NAS_JOB_WEIGHTS_FILE:
        return NAS_WEIGHTS_FILE;
    case NAS_JOB_WEIGHTS_USUAL:
        break;
    }
    return of_space ? NAS_WEIGHTS_BY_NAME : NAS_WEIGHTS_KAIMING;
}

static nas_comm_t *comm_of(const nas_inputs_t *inputs)
{
    return inputs->comm ? inputs->comm : inputs->self;
}

/* -------------------------------------------------------------------------------- the list of files */

/* A path in the table, seen from the table's folder. */
static nas_status_t place_beside(const char *table, char **path, nas_error_t *err)
{
    const char *slash = strrchr(table, '/');
    if (**path == '/' || !slash) return NAS_OK;
    char *placed = nas_string_format(err, "%.*s%s", (int)(slash - table) + 1, table, *path);
    if (!placed) return NAS_ENOMEM;
    free(*path);
    *path = placed;
    return NAS_OK;
}

static nas_status_t list_column(const nas_job_t *job, nas_strings_t *path, nas_error_t *err)
{
    nas_status_t status = nas_table_read_texts(job->pool.table, "onnx", path, err);
    for (size_t i = 0; !status && i < path->n; i++)
        status = place_beside(job->pool.table, &path->at[i], err);
    return status;
}

static nas_status_t list_template(const nas_job_t *job, const nas_strings_t *arch,
                                  nas_strings_t *path, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; !status && i < arch->n; i++) {
        const nas_placeholder_texts_t texts = {.at = {[NAS_PLACEHOLDER_ARCH] = arch->at[i]},
                                               .of_network = true};
        char *text = NULL;
        nas_error_t reason = {0};
        status = nas_argument_expand(job->pool.onnx, &texts, &text, &reason);
        if (status)
            status = nas_inputs_blame(job, "pool.onnx", status, &reason, err);
        else
            status = nas_strings_add(path, text, strlen(text), err);
        free(text);
    }
    return status;
}

static nas_status_t list_command(const nas_job_t *job, nas_onnx_files_t *files, nas_error_t *err)
{
    const nas_strings_t *command = &job->pool.command;
    nas_error_t reason = {0};
    nas_status_t status = nas_onnx_command_check(command, job->folder, &reason);
    if (status) return nas_inputs_blame(job, "pool.command", status, &reason, err);
    for (size_t i = 0; !status && i < command->n; i++)
        status = nas_strings_add(&files->command, command->at[i], strlen(command->at[i]), err);
    files->job_folder = nas_string_copy(job->folder, err);
    files->folder = nas_string_format(err, "%s.d/onnx", job->output);
    files->timeout_s = job->pool.timeout_s;
    return status || !files->job_folder || !files->folder ? NAS_ENOMEM : NAS_OK;
}

static nas_status_t list_files(const nas_inputs_t *inputs, nas_onnx_files_t *files,
                               nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const nas_names_t *names = inputs->pool.names;
    nas_status_t status = NAS_OK;
    for (int64_t i = 0; !status && i < nas_names_count(names); i++) {
        const char *name = nas_names_at(names, i);
        status = nas_strings_add(&files->arch, name, strlen(name), err);
    }
    if (status) return status;
    if (job->pool.command.n > 0) return list_command(job, files, err);
    if (job->pool.onnx) return list_template(job, &files->arch, &files->path, err);
    return list_column(job, &files->path, err);
}

/* ------------------------------------------------------------------------------------- the networks */

/* As the batch has them, or the images of trainings, which are the same. */
static nas_network_t images_of(const nas_inputs_t *inputs)
{
    const nas_batch_t *batch = &inputs->score.batch;
    const nas_image_source_t *train = &inputs->images.dataset.train;
    const bool scores = batch->n > 0;
    return (nas_network_t){.image_channels = scores ? batch->c : train->c,
                           .height = scores ? batch->h : train->h,
                           .width = scores ? batch->w : train->w,
                           .classes = inputs->images.n_classes};
}

static nas_status_t read_files(nas_inputs_t *inputs, nas_error_t *err)
{
    nas_onnx_seen_t *seen = &inputs->files;
    nas_onnx_files_t files = {.weights = weights_of(inputs->job),
                              .images = images_of(inputs),
                              .most = inputs->comm ? INT64_MAX : MOST_CHECKED};
    nas_status_t status = list_files(inputs, &files, err);
    if (status) {
        nas_onnx_files_fini(&files);
        return status;
    }
    status = nas_inputs_share_files(comm_of(inputs), &files, inputs->interrupt, seen,
                                    &inputs->networks, err);
    if (status) return status;
    nas_inputs_add_content(inputs, seen->content);
    if (seen->n_looked == 0 || seen->n_failed < seen->n_looked) return NAS_OK;
    return nas_job_error(inputs->job, "pool.table", err,
                         "none of its %lld networks can be read; the first: %s",
                         (long long)seen->n_failed, seen->failure[0].reason.text);
}

nas_status_t nas_inputs_read_networks(nas_inputs_t *inputs, nas_error_t *err)
{
    if (inputs->networks) return NAS_OK;
    if (nas_inputs_have_files(inputs)) return read_files(inputs, err);
    return nas_inputs_share_space(comm_of(inputs), nas_job_space(inputs->job),
                                  weights_of(inputs->job), &inputs->networks, err);
}
