/* The pool of a job: a table's rows, or a subset of a space. */
#include "coordinator/inputs/inputs_internal.h"
#include "coordinator/inputs/inputs_ranks.h"

#include <stdlib.h>
#include <string.h>

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
    if (nas_inputs_by_table(inputs)) {
        status = add_once(columns, nas_job_table(job)->column, err);
        if (!status) status = add_once(columns, nas_job_table(job)->cost, err);
        for (size_t i = 0; !status && i < job->objective.report.n; i++)
            status = add_once(columns, job->objective.report.at[i], err);
    }
    if (!nas_inputs_take_metrics(inputs) || job->metrics.source != NAS_SOURCE_TABLE) return status;
    for (size_t i = 0; !status && i < job->metrics.names.n; i++)
        status = add_once(columns, job->metrics.names.at[i], err);
    return status;
}

/* Ranks share the table of a pool. One with files is read by rank 0, which lists them. What is
 * joined with a pool, rank 0 reads alone: there are no
 * more rows than the space has architectures. */
static nas_status_t read_columns(nas_inputs_t *inputs, const nas_strings_t *columns,
                                 nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const bool of_table = nas_inputs_have_table_pool(inputs);
    const bool of_files = nas_inputs_have_files(inputs);
    nas_shared_table_options_t options = {
        .table = {.path = of_table ? job->pool.table : nas_job_table(job)->table,
                  .arch_column = of_table ? job->pool.arch : nas_job_table(job)->arch,
                  .columns = columns,
                  .missing = of_table ? &job->pool.missing : &nas_job_table(job)->missing,
                  .missing_key = of_table ? "pool.missing" : "objective.missing",
                  .interrupt = inputs->interrupt},
        .least = of_files ? INT64_MAX : NAS_SHARED_TABLE_LEAST};
    const char *key = of_table ? "pool.table" : "objective.table";
    const nas_status_t status =
        nas_inputs_check_file(job, key, options.table.path, &options.n_bytes, err);
    if (status) return status;
    return nas_inputs_share_table(of_table && inputs->comm ? inputs->comm : inputs->self, &options,
                                  &inputs->table, err);
}

static nas_status_t read_table(nas_inputs_t *inputs, nas_error_t *err)
{
    nas_strings_t columns = {0};
    nas_status_t status = choose_columns(inputs, &columns, err);
    if (!status) status = read_columns(inputs, &columns, err);
    nas_strings_fini(&columns);
    if (status) return status;
    const nas_digest_t digest = nas_shared_table_digest(inputs->table);
    nas_inputs_add_content(inputs, digest);
    if (nas_inputs_by_table(inputs)) inputs->evaluate.content = digest;
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
    if (!status) nas_inputs_add_content(inputs, inputs->subset);
    return status;
}

static nas_status_t make_pool(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    if (nas_inputs_have_files(inputs)) {
        inputs->pool = nas_pool_of_names(nas_shared_table_names(inputs->table));
        return NAS_OK;
    }
    if (nas_inputs_have_table_pool(inputs)) {
        inputs->pool = nas_pool_of_table(nas_shared_table_rows(inputs->table));
        return NAS_OK;
    }
    const nas_subset_t subset = {.kind = (nas_subset_kind_t)job->pool.subset.kind,
                                 .n = job->pool.subset.n,
                                 .seed = (uint64_t)job->seed,
                                 .path = job->pool.subset.file};
    nas_status_t status = NAS_OK;
    int64_t size = 0;
    if (subset.path) status = nas_inputs_check_file(job, "pool.subset", subset.path, &size, err);
    if (!status) status = nas_pool_of_space(nas_job_space(job), &subset, &inputs->pool, err);
    if (status == NAS_EINPUT && !subset.path) { /* a file's errors have their own place */
        const nas_error_t reason = *err;
        status = nas_job_error(job, "pool.subset", err, "%s", reason.text);
    }
    if (!status) status = digest_subset(inputs, err);
    if (!status && inputs->search.method) status = nas_pool_list_names(&inputs->pool, err);
    return status;
}

nas_status_t nas_inputs_read_pool(nas_inputs_t *inputs, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    if (nas_inputs_by_table(inputs) || nas_inputs_have_table_pool(inputs))
        status = read_table(inputs, err);
    return status ? status : make_pool(inputs, err);
}
