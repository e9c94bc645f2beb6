/* The job's keys about metrics. */
#include "common/job/job.h"
#include "worker/engine/metrics/metric.h"

static const nas_job_condition_t from_scores = {
    .key = "metrics.source", .choices = 1u << NAS_SOURCE_SCORES, .tolerant = true};
static const nas_job_condition_t computed = {
    .key = "metrics.source", .choices = 1u << NAS_SOURCE_COMPUTE, .tolerant = true};

static const char *const source_names[] = {"table", "compute", "scores", NULL};
static const char *const transform_names[] = {"none", "log", "exp", "rank", NULL};
static const char *const choice_names[] = {"random", "per-class", NULL};

static const nas_job_field_t fields[] = {
    {.key = "metrics.source",
     .type = NAS_JOB_ENUM,
     .affects = NAS_JOB_OF_SCORES,
     .offset = offsetof(nas_job_t, metrics.source),
     .initial = "table",
     .names = source_names,
     .doc =
         "Where metric values come from: columns of the pool's table, networks of the space that are built and measured, or a file that `robotnas score` wrote."},
    {.key = "metrics.file",
     .type = NAS_JOB_INPUT_PATH,
     .affects = NAS_JOB_AFFECTS_NOTHING,
     .condition = &from_scores,
     .offset = offsetof(nas_job_t, metrics.file),
     .doc = "The state file of a scoring run, whose values are taken."},
    {.key = "metrics.names",
     .type = NAS_JOB_STRINGS,
     .affects = NAS_JOB_OF_SCORES,
     .offset = offsetof(nas_job_t, metrics.names),
     .initial = "[]",
     .doc = "The metrics to compute or to combine. Methods that weigh metrics need at least one."},
    {.key = "metrics.transform",
     .type = NAS_JOB_CHOICES,
     .affects = NAS_JOB_AFFECTS_VALUES,
     .search_only = true,
     .offset = offsetof(nas_job_t, metrics.transform_of),
     .value_offset = offsetof(nas_job_t, metrics.transform),
     .allowed_offset = offsetof(nas_job_t, metrics.names),
     .initial = "{}",
     .names = transform_names,
     .doc =
         "Per metric of `metrics.names`, what is applied before min-max normalisation; metrics without an entry stay as they are. Method `pool-gp` goes by the ranks of what was measured and applies none."},
    {.key = "metrics.batch",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_OF_SCORES,
     .condition = &computed,
     .offset = offsetof(nas_job_t, metrics.batch),
     .initial = "64",
     .least = 1,
     .most = 65536,
     .doc = "The number of training images that the metrics are measured on."},
    {.key = "metrics.choice",
     .type = NAS_JOB_ENUM,
     .affects = NAS_JOB_OF_SCORES,
     .condition = &computed,
     .offset = offsetof(nas_job_t, metrics.choice),
     .initial = "random",
     .names = choice_names,
     .doc = "Which images, by the seed: any, or equally many of every class."},
};

static bool has_networks(const nas_job_t *job)
{
    return nas_job_has(job, "pool.space", NAS_POOL_WITH_NETWORKS);
}

/* Rows without networks. */
static bool is_bare_table(const nas_job_t *job)
{
    return !nas_job_space(job) && !has_networks(job);
}

static nas_status_t check_purpose(const nas_job_t *job, const char *spaces, nas_error_t *err)
{
    if (job->purpose != NAS_JOB_SCORE) return NAS_OK;
    if (is_bare_table(job))
        return nas_job_error(job, "pool.space", err,
                             "a table has no networks to score; set one of %s", spaces);
    if (job->metrics.source != NAS_SOURCE_COMPUTE)
        return nas_job_error(job, "metrics.source", err, "scoring computes metrics; set compute");
    if (job->metrics.names.n == 0)
        return nas_job_error(job, "metrics.names", err,
                             "scoring needs metrics; name at least one, such as [synflow, nwot]");
    return NAS_OK;
}

/* Without names, no metrics are taken from anywhere. */
static nas_status_t check_source(const nas_job_t *job, const char *spaces, nas_error_t *err)
{
    const bool is_table = is_bare_table(job);
    if (nas_job_space(job) && job->metrics.source == NAS_SOURCE_TABLE && job->metrics.names.n > 0)
        return nas_job_error(
            job, "metrics.source", err,
            "columns of a table need pool.space table or onnx; set compute or scores");
    if (is_table && job->metrics.source == NAS_SOURCE_COMPUTE)
        return nas_job_error(
            job, "metrics.source", err,
            "a table has no networks to compute metrics of; set table, or pool.space to one of %s",
            spaces);
    if (is_table && job->metrics.source == NAS_SOURCE_SCORES)
        return nas_job_error(
            job, "metrics.source", err,
            "scores are of a space; set pool.space to the one that was scored, and objective.table to the table");
    if (!has_networks(job) && job->metrics.source == NAS_SOURCE_COMPUTE)
        return nas_job_error(
            job, "metrics.source", err,
            "this release builds networks of %s only; set pool.space to one of them, or take the metrics from a table",
            spaces);
    return NAS_OK;
}

static nas_status_t check(const nas_job_t *job, nas_error_t *err)
{
    char spaces[NAS_JOB_NAMES_SIZE];
    nas_job_names_with(job, "pool.space", NAS_POOL_WITH_NETWORKS, spaces);
    const nas_status_t status = check_purpose(job, spaces, err);
    return status ? status : check_source(job, spaces, err);
}

const nas_job_section_t nas_metric_keys = {
    .fields = fields, .n_fields = sizeof fields / sizeof *fields, .check = check};
