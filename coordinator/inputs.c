#include "coordinator/inputs.h"

#include <string.h>

/* ------------------------------------------------------------------------------ job and method */

static nas_status_t unknown_method(const nas_job_t *job, nas_error_t *err)
{
    int n = 0;
    const nas_method_t *const *list = nas_method_list(&n);
    char known[NAS_ERROR_SIZE / 2] = "";
    for (int i = 0; i < n; i++) {
        if (i) strncat(known, ", ", sizeof known - strlen(known) - 1);
        strncat(known, list[i]->name, sizeof known - strlen(known) - 1);
    }
    return nas_job_error(job, "search.method", err, "there is no method '%s'; the methods are %s",
                         job->search.method, known);
}

static int64_t index_of(const nas_method_t *method)
{
    int n = 0;
    const nas_method_t *const *list = nas_method_list(&n);
    int64_t index = 0;
    while (list[index] != method) index++;
    return index;
}

/* Keys that a method needs, or has no use for. */
static nas_status_t check_method(const nas_job_t *job, const nas_method_t *method, nas_error_t *err)
{
    if (method->needs_metrics && job->metrics.names.n == 0)
        return nas_job_error(job, "metrics.names", err,
                             "method %s weighs metrics; name at least one", method->name);
    if (method->needs_encoding && job->pool.encoding == NAS_ENCODING_NONE)
        return nas_job_error(
            job, "pool.encoding", err,
            "method %s changes one position of an architecture at a time and needs to know the "
            "positions; set nas-bench-201 or digits",
            method->name);
    if (method->needs_metric && !job->search.metric)
        return nas_job_error(job, "search.metric", err, "method %s needs the name of a metric",
                             method->name);
    if (!method->needs_metric && job->search.metric)
        return nas_job_error(job, "search.metric", err, "method %s has no use for it; remove it",
                             method->name);
    if (method->needs_metric && nas_strings_find(&job->metrics.names, job->search.metric) < 0)
        return nas_job_error(job, "search.metric", err, "'%s' is not one of metrics.names",
                             job->search.metric);
    return NAS_OK;
}

nas_status_t nas_inputs_read_job(nas_inputs_t *inputs, const char *path, const char *const *set,
                                 size_t n_set, nas_error_t *err)
{
    const nas_status_t status = nas_job_read(path, set, n_set, &inputs->job, err);
    if (status) return status;
    inputs->method = nas_method_find(inputs->job->search.method);
    if (!inputs->method) return unknown_method(inputs->job, err);
    return check_method(inputs->job, inputs->method, err);
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
    nas_status_t status = add_once(columns, job->objective.column, err);
    if (!status) status = add_once(columns, job->objective.cost, err);
    for (size_t i = 0; !status && i < job->objective.report.n; i++)
        status = add_once(columns, job->objective.report.at[i], err);
    for (size_t i = 0; !status && inputs->method->needs_metrics && i < job->metrics.names.n; i++)
        status = add_once(columns, job->metrics.names.at[i], err);
    return status;
}

static nas_status_t read_table(nas_inputs_t *inputs, nas_error_t *err)
{
    nas_strings_t columns = {0};
    nas_status_t status = choose_columns(inputs, &columns, err);
    const nas_table_options_t options = {.path = inputs->job->pool.table,
                                         .arch_column = inputs->job->pool.arch,
                                         .columns = &columns,
                                         .missing = &inputs->job->pool.missing};
    if (!status) status = nas_table_read(&options, &inputs->table, err);
    nas_strings_fini(&columns);
    return status;
}

static nas_status_t check_table(const nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const int64_t n_rows = nas_table_rows(inputs->table);
    if (job->search.budget > n_rows)
        return nas_job_error(job, "search.budget", err,
                             "%lld is more than the pool's %lld architectures",
                             (long long)job->search.budget, (long long)n_rows);
    if (nas_table_present(inputs->table, job->objective.column) == 0)
        return nas_job_error(job, "objective.column", err, "'%s' has no value for any architecture",
                             job->objective.column);
    for (size_t i = 0; inputs->method->needs_metrics && i < job->metrics.names.n; i++)
        if (nas_table_present(inputs->table, job->metrics.names.at[i]) == 0)
            return nas_job_error(job, "metrics.names", err,
                                 "metric '%s' has no value for any architecture",
                                 job->metrics.names.at[i]);
    return NAS_OK;
}

static void make_plan(nas_inputs_t *inputs)
{
    const nas_job_t *job = inputs->job;
    const nas_method_t *method = inputs->method;
    inputs->plan = (nas_plan_t){
        .n_arch = nas_table_rows(inputs->table),
        .n_metric = method->needs_metrics ? (int64_t)job->metrics.names.n : 0,
        .budget = job->search.budget,
        .parallel = job->search.parallel,
        .n_repeat = job->search.repeats,
        .n_groups = 1,
        .metric =
            method->needs_metric ? nas_strings_find(&job->metrics.names, job->search.metric) : -1,
        .method = index_of(method),
        .encoding = inputs->encoding ? nas_encoding_positions(inputs->encoding) : 0,
        .seed = (uint64_t)job->seed,
    };
}

nas_status_t nas_inputs_read_table(nas_inputs_t *inputs, nas_error_t *err)
{
    nas_status_t status = read_table(inputs, err);
    if (!status) status = check_table(inputs, err);
    if (!status && inputs->method->needs_encoding)
        status = nas_encoding_create((nas_encoding_kind_t)inputs->job->pool.encoding,
                                     nas_table_names(inputs->table), &inputs->encoding, err);
    const nas_objective_options_t objective = {.job = inputs->job,
                                               .table = inputs->table,
                                               .names = nas_table_names(inputs->table)};
    if (!status) status = nas_objective_create(&objective, &inputs->objective, err);
    if (!status) make_plan(inputs);
    return status;
}

void nas_inputs_fini(nas_inputs_t *inputs)
{
    nas_objective_destroy(inputs->objective);
    nas_encoding_destroy(inputs->encoding);
    nas_table_destroy(inputs->table);
    nas_job_destroy(inputs->job);
    *inputs = (nas_inputs_t){0};
}
