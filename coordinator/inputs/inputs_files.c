/* The files that a job names: table, space's subset, scores of another run, images. */
#include "common/io/file.h"
#include "common/state/statefile.h"
#include "coordinator/inputs/inputs.h"
#include "coordinator/inputs/inputs_metrics.h"
#include "worker/engine/backends/backends.h"
#include "worker/objectives/command/command.h"
#include "worker/objectives/train/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_of_table(const nas_inputs_t *inputs)
{
    return !nas_job_space(inputs->job);
}

/* The objective is a column of a table. */
static bool by_table(const nas_inputs_t *inputs)
{
    return inputs->method && inputs->job->objective.kind == NAS_OBJECTIVE_TABLE;
}

static bool trains(const nas_inputs_t *inputs)
{
    return inputs->method && inputs->job->objective.kind == NAS_OBJECTIVE_TRAIN;
}

static bool weighs_metrics(const nas_inputs_t *inputs)
{
    return inputs->method && inputs->method->needs_metrics;
}

static void add_digest(nas_inputs_t *inputs, nas_digest_t digest)
{
    NAS_ASSERT(inputs->n_content < NAS_INPUTS_MAX_DIGESTS);
    inputs->content[inputs->n_content++] = digest;
}

/* What is wrong with what a key asks for is the fault of that key. */
static nas_status_t blame(const nas_job_t *job, const char *key, nas_status_t status,
                          const nas_error_t *reason, nas_error_t *err)
{
    if (status == NAS_EINPUT) return nas_job_error(job, key, err, "%s", reason->text);
    if (status) *err = *reason;
    return status;
}

/* Whether the file that a key names can be opened; what is wrong in it says the file's own place.
 */
static nas_status_t check_file(const nas_job_t *job, const char *key, const char *path,
                               nas_error_t *err)
{
    int fd = -1;
    int64_t size = 0;
    nas_error_t reason = {0};
    const nas_status_t status = nas_file_open(path, &fd, &size, &reason);
    if (!status) (void)close(fd);
    return blame(job, key, status, &reason, err);
}

/* --------------------------------------------------------------------------------------- table */

static nas_status_t add_once(nas_strings_t *columns, const char *name, nas_error_t *err)
{
    if (!name || nas_strings_find(columns, name) >= 0) return NAS_OK;
    return nas_strings_add(columns, name, strlen(name), err);
}

/* The columns to keep: what the method, the objective and the report need. */
static nas_status_t choose_columns(const nas_inputs_t *inputs, nas_strings_t *columns,
                                   nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    nas_status_t status = NAS_OK;
    if (by_table(inputs)) {
        status = add_once(columns, job->objective.column, err);
        if (!status) status = add_once(columns, job->objective.cost, err);
        for (size_t i = 0; !status && i < job->objective.report.n; i++)
            status = add_once(columns, job->objective.report.at[i], err);
    }
    if (!weighs_metrics(inputs) || job->metrics.source != NAS_SOURCE_TABLE) return status;
    for (size_t i = 0; !status && i < job->metrics.names.n; i++)
        status = add_once(columns, job->metrics.names.at[i], err);
    return status;
}

static nas_status_t read_table(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const bool of_table = is_of_table(inputs);
    nas_strings_t columns = {0};
    nas_status_t status = choose_columns(inputs, &columns, err);
    const nas_table_options_t options = {
        .path = of_table ? job->pool.table : job->objective.table,
        .arch_column = of_table ? job->pool.arch : job->objective.arch,
        .columns = &columns,
        .missing = of_table ? &job->pool.missing : &job->objective.missing,
        .missing_key = of_table ? "pool.missing" : "objective.missing",
        .interrupt = inputs->interrupt};
    const char *key = of_table ? "pool.table" : "objective.table";
    if (!status) status = check_file(job, key, options.path, err);
    if (!status) status = nas_table_read(&options, &inputs->table, err);
    nas_strings_fini(&columns);
    if (status) return status;
    add_digest(inputs, nas_table_digest(inputs->table));
    if (by_table(inputs)) inputs->objective_content = nas_table_digest(inputs->table);
    return NAS_OK;
}

/* ---------------------------------------------------------------------------------------- pool */

/* A listed subset counts by what it lists; the others are said by the job itself. */
static nas_status_t digest_subset(nas_inputs_t *inputs, nas_error_t *err)
{
    if (inputs->job->pool.subset.kind != NAS_SUBSET_FILE) return NAS_OK;
    const size_t n_bytes = (size_t)nas_pool_count(&inputs->pool) * sizeof(int64_t);
    const nas_status_t status =
        nas_digest_of(inputs->pool.selection.index, n_bytes, &inputs->subset, err);
    if (!status) add_digest(inputs, inputs->subset);
    return status;
}

static nas_status_t make_pool(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    if (is_of_table(inputs)) {
        inputs->pool = nas_pool_of_table(inputs->table);
        return NAS_OK;
    }
    const nas_subset_t subset = {.kind = (nas_subset_kind_t)job->pool.subset.kind,
                                 .n = job->pool.subset.n,
                                 .seed = (uint64_t)job->seed,
                                 .path = job->pool.subset.file};
    nas_status_t status = NAS_OK;
    if (subset.path) status = check_file(job, "pool.subset", subset.path, err);
    if (!status) status = nas_pool_of_space(nas_job_space(job), &subset, &inputs->pool, err);
    if (status == NAS_EINPUT && !subset.path) { /* a file's errors have their own place */
        const nas_error_t reason = *err;
        status = nas_job_error(job, "pool.subset", err, "%s", reason.text);
    }
    return status ? status : digest_subset(inputs, err);
}

static nas_status_t make_encoding(nas_inputs_t *inputs, nas_error_t *err)
{
    if (!inputs->method || !inputs->method->needs_encoding) return NAS_OK;
    if (!is_of_table(inputs)) return nas_pool_encode(&inputs->pool, &inputs->encoding, err);
    return nas_encoding_create((nas_encoding_kind_t)inputs->job->pool.encoding, inputs->pool.names,
                               &inputs->encoding, err);
}

/* A row number for every architecture of the pool; the caller owns it. */
static nas_status_t join(const nas_inputs_t *inputs, const nas_names_t *names, int64_t **row_p,
                         nas_error_t *err)
{
    *row_p = malloc((size_t)nas_pool_count(&inputs->pool) * sizeof **row_p + 1);
    if (!*row_p) return nas_error_nomem(err, "a join");
    return nas_pool_join(&inputs->pool, names, *row_p, err);
}

/* ----------------------------------------------------------------------------------- objective */

static nas_status_t make_table_objective(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    nas_status_t status = NAS_OK;
    if (!is_of_table(inputs))
        status = join(inputs, nas_table_names(inputs->table), &inputs->row, err);
    const nas_objective_options_t options = {.job = job,
                                             .table = inputs->table,
                                             .names = inputs->pool.names,
                                             .row = inputs->row,
                                             .interrupt = inputs->interrupt};
    if (!status) status = nas_objective_create(&options, &inputs->objective, err);
    if (status) return status;
    if (nas_objective_present(inputs->objective) == 0)
        return nas_job_error(job, "objective.column", err, "'%s' has no value for any architecture",
                             job->objective.column);
    return NAS_OK;
}

/* Whatever can be known of the user's trainer before it runs. */
static nas_status_t check_command(const nas_job_t *job, nas_error_t *err)
{
    nas_error_t reason = {0};
    const nas_command_t command = {.argument = &job->objective.command,
                                   .job_folder = job->folder,
                                   .columns = &job->objective.report};
    const nas_status_t status = nas_command_check(&command, &reason);
    return blame(job, "objective.command", status, &reason, err);
}

/* Whether training and validation have enough images: by the first repeat's, the others' are as
 * many. */
static nas_status_t check_recipe(const nas_inputs_t *inputs, nas_error_t *err)
{
    nas_split_t split = {0};
    nas_error_t reason = {0};
    const nas_recipe_t recipe = nas_job_recipe(inputs->job);
    const nas_status_t status =
        nas_split_make(&inputs->dataset, &recipe, (uint64_t)inputs->job->seed, &split, &reason);
    nas_split_fini(&split);
    return blame(inputs->job, "objective.batch", status, &reason, err);
}

static nas_status_t make_objective(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    nas_status_t status = NAS_OK;
    switch (job->objective.kind) {
    case NAS_OBJECTIVE_TABLE:
        status = make_table_objective(inputs, err);
        break;
    case NAS_OBJECTIVE_TRAIN:
        status = check_recipe(inputs, err);
        break;
    case NAS_OBJECTIVE_COMMAND:
        status = check_command(job, err);
        break;
    }
    if (status) return status;
    if (job->search.budget > nas_pool_count(&inputs->pool))
        return nas_job_error(
            job, "search.budget", err, "%lld is more than the pool's %lld architectures",
            (long long)job->search.budget, (long long)nas_pool_count(&inputs->pool));
    return NAS_OK;
}

/* ------------------------------------------------------------------------------------- metrics */

static nas_status_t check_scored_metrics(const nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const nas_state_t *scored = &inputs->scored;
    if (scored->scores.n == 0)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: this run scored nothing; it is no file of robotnas score",
                             job->metrics.file);
    if (scored->scores.n_done < scored->scores.n)
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: only %lld of %lld architectures are scored; finish it with robotnas score --resume",
            job->metrics.file, (long long)scored->scores.n_done, (long long)scored->scores.n);
    for (size_t i = 0; i < job->metrics.names.n; i++)
        if (nas_strings_find(&scored->metrics, job->metrics.names.at[i]) < 0)
            return nas_job_error(job, "metrics.names", err, "%s has no metric '%s'",
                                 job->metrics.file, job->metrics.names.at[i]);
    return NAS_OK;
}

static nas_status_t join_scores(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_name_source_t *arch = &inputs->scored.scores.arch;
    nas_names_t *names = NULL;
    int64_t duplicate = -1, first = -1;
    nas_status_t status = nas_names_create(&names, err);
    if (!status) status = nas_names_set_file(names, inputs->job->metrics.file, err);
    for (int64_t i = 0; !status && i < arch->n; i++) {
        const char *name = arch->at(arch, i, NULL); /* kept, as what was read is */
        status = nas_names_add(names, name, strlen(name), err);
    }
    if (!status) status = nas_names_index(names, &duplicate, &first, err);
    if (!status) status = join(inputs, names, &inputs->scored_row, err);
    nas_names_destroy(names);
    return status;
}

static nas_status_t read_scores(nas_inputs_t *inputs, nas_error_t *err)
{
    const char *file = inputs->job->metrics.file;
    nas_status_t status = NAS_OK;
    if (!nas_statefile_exists(file)) status = check_file(inputs->job, "metrics.file", file, err);
    if (!status) status = nas_statefile_read(file, &inputs->scored, &inputs->scored_notice, err);
    if (!status) status = check_scored_metrics(inputs, err);
    if (!status) status = join_scores(inputs, err);
    if (!status) add_digest(inputs, inputs->scored.scores.hash);
    return status;
}

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

static nas_status_t read_images(nas_inputs_t *inputs, bool with_test, nas_dataset_t *dataset,
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
    if (status) return blame(job, "data.train", status, &reason, err);
    inputs->n_classes = dataset->n_classes;
    inputs->class_names = dataset->class_names;
    dataset->class_names = (nas_strings_t){0};
    inputs->image_facts = (nas_image_facts_t){.n_train = dataset->train.n,
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
    const nas_dataset_t *dataset = &inputs->dataset;
    const size_t n_numbers = (size_t)dataset->train.c * sizeof(double);
    nas_hasher_t *hasher = NULL;
    nas_status_t status = nas_hasher_create(&hasher, err);
    if (status) return status;
    nas_hasher_update(hasher, &dataset->n_classes, sizeof dataset->n_classes);
    nas_hasher_update(hasher, dataset->mean, n_numbers);
    nas_hasher_update(hasher, dataset->std, n_numbers);
    status = hash_images(hasher, &dataset->train, inputs->interrupt, err);
    if (!status) status = hash_images(hasher, &dataset->test, inputs->interrupt, err);
    if (!status) inputs->objective_content = nas_hasher_finish(hasher);
    nas_hasher_destroy(hasher);
    if (status) return status;
    add_digest(inputs, inputs->objective_content);
    return NAS_OK;
}

/* The images that trainings need stay; for scores a batch of them will do. */
static nas_status_t make_batch(nas_inputs_t *inputs, const nas_dataset_t *dataset, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const nas_batch_options_t choice = {.choice = (nas_batch_choice_t)job->metrics.choice,
                                        .n = job->metrics.batch,
                                        .seed = (uint64_t)job->seed};
    nas_error_t reason = {0};
    const nas_status_t status = nas_batch_make(dataset, &choice, &inputs->batch, &reason);
    return blame(job, "metrics.batch", status, &reason, err);
}

static nas_status_t read_batch(nas_inputs_t *inputs, nas_error_t *err)
{
    nas_dataset_t dataset = {0};
    if (trains(inputs)) return make_batch(inputs, &inputs->dataset, err);
    nas_status_t status = read_images(inputs, false, &dataset, err);
    if (!status) status = make_batch(inputs, &dataset, err);
    nas_dataset_fini(&dataset);
    return status;
}

static nas_status_t prepare_training(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_status_t status = read_images(inputs, true, &inputs->dataset, err);
    return status ? status : digest_images(inputs, err);
}

/* Scores depend on the images by the batch alone. */
static nas_status_t digest_batch(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_batch_t *batch = &inputs->batch;
    const size_t n = (size_t)batch->n;
    const size_t n_values = n * (size_t)batch->c * (size_t)batch->h * (size_t)batch->w;
    nas_hasher_t *hasher = NULL;
    const nas_status_t status = nas_hasher_create(&hasher, err);
    if (status) return status;
    nas_hasher_update(hasher, &inputs->n_classes, sizeof inputs->n_classes);
    nas_hasher_update(hasher, batch->labels, n * sizeof *batch->labels);
    nas_hasher_update(hasher, batch->images, n_values * sizeof *batch->images);
    inputs->batch_content = nas_hasher_finish(hasher);
    nas_hasher_destroy(hasher);
    add_digest(inputs, inputs->batch_content);
    return NAS_OK;
}

static nas_status_t prepare_scoring(nas_inputs_t *inputs, nas_error_t *err)
{
    nas_status_t status = read_batch(inputs, err);
    if (!status) status = digest_batch(inputs, err);
    if (status) return status;
    const nas_digest_t content[] = {inputs->batch_content, inputs->subset};
    const bool is_listed = inputs->job->pool.subset.kind == NAS_SUBSET_FILE;
    const nas_job_content_t files = {.file = content, .n = is_listed ? 2 : 1};
    return nas_job_score_hash(inputs->job, &files, &inputs->score_hash, err);
}

static nas_status_t read_metrics(nas_inputs_t *inputs, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    if (inputs->method && !inputs->method->needs_metrics) return NAS_OK;
    switch ((nas_metric_source_t)inputs->job->metrics.source) {
    case NAS_SOURCE_TABLE:
        return nas_inputs_look_at_metrics(inputs, NULL, err);
    case NAS_SOURCE_SCORES:
        status = read_scores(inputs, err);
        return status ? status : nas_inputs_look_at_metrics(inputs, NULL, err);
    case NAS_SOURCE_COMPUTE:
        break;
    }
    return prepare_scoring(inputs, err);
}

/* ----------------------------------------------------------------------------------------- all */

/* Whether this program has what computes. */
static nas_status_t check_backend(const nas_inputs_t *inputs, nas_error_t *err)
{
    const bool computes = trains(inputs) || inputs->batch.n > 0;
    if (!computes || nas_backend_of((nas_backend_kind_t)inputs->job->backend, nas_isa_best()))
        return NAS_OK;
    return nas_job_error(inputs->job, "backend", err,
                         "this program was built without oneDNN, which cpu needs; set ref");
}

nas_status_t nas_inputs_read_files(nas_inputs_t *inputs, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    if (by_table(inputs) || is_of_table(inputs)) status = read_table(inputs, err);
    if (!status) status = make_pool(inputs, err);
    if (!status && trains(inputs)) status = prepare_training(inputs, err);
    if (!status) status = make_encoding(inputs, err);
    if (!status && inputs->method) status = make_objective(inputs, err);
    if (!status) status = read_metrics(inputs, err);
    if (!status) status = check_backend(inputs, err);
    if (!status) nas_inputs_plan(inputs);
    return status;
}

void nas_inputs_metric(const nas_inputs_t *inputs, const nas_scores_t *scores, int64_t metric,
                       double *column)
{
    const char *name = inputs->job->metrics.names.at[metric];
    const int64_t n = nas_pool_count(&inputs->pool);
    const nas_state_t *scored = &inputs->scored;
    switch ((nas_metric_source_t)inputs->job->metrics.source) {
    case NAS_SOURCE_TABLE:
        memcpy(column, nas_table_column(inputs->table, name), (size_t)n * sizeof *column);
        break;
    case NAS_SOURCE_COMPUTE:
        for (int64_t i = 0; i < n; i++)
            column[i] = scores->value[i * (int64_t)inputs->job->metrics.names.n + metric];
        break;
    case NAS_SOURCE_SCORES:
        for (int64_t i = 0; i < n; i++) {
            const int64_t row = inputs->scored_row[i], m = nas_strings_find(&scored->metrics, name);
            column[i] = row < 0 ? NAN : scored->scores.value[row * (int64_t)scored->metrics.n + m];
        }
        break;
    }
}

void nas_inputs_fini(nas_inputs_t *inputs)
{
    nas_batch_fini(&inputs->batch);
    nas_dataset_fini(&inputs->dataset);
    nas_strings_fini(&inputs->class_names);
    nas_state_fini(&inputs->scored);
    free(inputs->scored_row);
    free(inputs->metric_facts);
    nas_objective_destroy(inputs->objective);
    free(inputs->row);
    nas_encoding_destroy(inputs->encoding);
    nas_pool_fini(&inputs->pool);
    nas_table_destroy(inputs->table);
    nas_job_destroy(inputs->job);
    *inputs = (nas_inputs_t){0};
}
