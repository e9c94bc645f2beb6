#include "common/io/file.h"
#include "coordinator/inputs/inputs.h"
#include "coordinator/inputs/inputs_internal.h"
#include "worker/engine/metrics/metric.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------ job and method */

/* Append a name to a list of known ones, cut where it is full. */
static void append_known(char *known, size_t size, const char *name)
{
    if (*known) strncat(known, ", ", size - strlen(known) - 1);
    strncat(known, name, size - strlen(known) - 1);
}

static nas_status_t unknown_metric(const nas_job_t *job, const char *name, nas_error_t *err)
{
    int n = 0;
    const nas_metric_t *const *list = nas_metric_list(&n);
    char known[NAS_ERROR_SIZE / 2] = "";
    for (int i = 0; i < n; i++) append_known(known, sizeof known, list[i]->name);
    return nas_job_error(job, "metrics.names", err,
                         "there is no metric '%s' to compute; the metrics are %s", name, known);
}

/* Keys that a method needs, or has no use for. */
static nas_status_t check_method(const nas_job_t *job, const nas_method_t *method, nas_error_t *err)
{
    if (method->needs_metrics && job->metrics.names.n == 0)
        return nas_job_error(job, "metrics.names", err,
                             "method %s weighs metrics; name at least one", method->name);
    if (method->needs_encoding && !nas_job_space(job) && job->pool.encoding == NAS_ENCODING_NONE)
        return nas_job_error(
            job, "pool.encoding", err,
            "method %s changes one position of an architecture at a time and needs to know the positions; set nas-bench-201 or digits",
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

static nas_status_t check_metrics(const nas_job_t *job, nas_error_t *err)
{
    if (job->metrics.source != NAS_SOURCE_COMPUTE) return NAS_OK;
    if (job->metrics.names.n > NAS_METRICS_MAX)
        return nas_job_error(job, "metrics.names", err,
                             "at most %d metrics can be computed at once", NAS_METRICS_MAX);
    for (size_t i = 0; i < job->metrics.names.n; i++)
        if (!nas_metric_find(job->metrics.names.at[i]))
            return unknown_metric(job, job->metrics.names.at[i], err);
    return NAS_OK;
}

nas_status_t nas_inputs_read_job(nas_inputs_t *inputs, const nas_job_source_t *source,
                                 nas_error_t *err)
{
    nas_status_t status = nas_job_read(source, &inputs->job, err);
    if (!status) status = nas_inputs_check_output(inputs->job, source->path, err);
    if (!status) status = check_metrics(inputs->job, err);
    inputs->search.job = inputs->job;
    return status;
}

nas_status_t nas_inputs_choose_method(nas_inputs_t *inputs, const char *began_with,
                                      nas_error_t *err)
{
    nas_job_t *job = inputs->job;
    if (job->purpose == NAS_JOB_SCORE) return NAS_OK;
    if (began_with && !nas_job_names(job, "search.method"))
        (void)nas_job_set_choice(job, "search.method", began_with);
    inputs->search.method = nas_method_of(job);
    return check_method(inputs->job, inputs->search.method, err);
}

/* ------------------------------------------------------------------------- what the job asks
 * for */

bool nas_inputs_have_table_pool(const nas_inputs_t *inputs)
{
    return !nas_job_space(inputs->job);
}

bool nas_inputs_have_files(const nas_inputs_t *inputs)
{
    return nas_job_has(inputs->job, "pool.space", NAS_POOL_OF_FILES);
}

bool nas_inputs_by_table(const nas_inputs_t *inputs)
{
    return inputs->search.method && nas_objective_has(inputs->job, NAS_OBJECTIVE_IN_TABLE);
}

bool nas_inputs_train(const nas_inputs_t *inputs)
{
    return inputs->search.method && nas_objective_has(inputs->job, NAS_OBJECTIVE_ON_IMAGES);
}

bool nas_inputs_take_metrics(const nas_inputs_t *inputs)
{
    return inputs->search.method && nas_method_takes_metrics(inputs->search.method) &&
           inputs->job->metrics.names.n > 0;
}

void nas_inputs_add_content(nas_inputs_t *inputs, nas_digest_t digest)
{
    NAS_ASSERT(inputs->n_content < NAS_INPUTS_MAX_DIGESTS);
    inputs->content[inputs->n_content++] = digest;
}

/* --------------------------------------------------------------------------------------- files */

nas_status_t nas_inputs_blame(const nas_job_t *job, const char *key, nas_status_t status,
                              const nas_error_t *reason, nas_error_t *err)
{
    if (status == NAS_EINPUT) return nas_job_error(job, key, err, "%s", reason->text);
    if (status) *err = *reason;
    return status;
}

nas_status_t nas_inputs_check_file(const nas_job_t *job, const char *key, const char *path,
                                   int64_t *size, nas_error_t *err)
{
    int fd = -1;
    nas_error_t reason = {0};
    const nas_status_t status = nas_file_open(path, &fd, size, &reason);
    if (!status) (void)close(fd);
    return nas_inputs_blame(job, key, status, &reason, err);
}

nas_status_t nas_inputs_join(const nas_inputs_t *inputs, const nas_names_t *names, int64_t **row_p,
                             nas_error_t *err)
{
    *row_p = malloc((size_t)nas_pool_count(&inputs->pool) * sizeof **row_p + 1);
    if (!*row_p) return nas_error_nomem(err, "a join");
    return nas_pool_join(&inputs->pool, names, *row_p, err);
}
