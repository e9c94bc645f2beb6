/* What can be known of a job's files without reading them. */
#include "common/io/file.h"
#include "coordinator/inputs/inputs.h"

/* Sizes and times of files, one after the other. */
typedef struct look {
    nas_hasher_t *hasher;
    bool failed; /* at something that is no regular file */
} look_t;

static void look_at(look_t *look, const char *path)
{
    nas_file_stamp_t stamp = {0};
    if (!path) return;
    look->failed = look->failed || !nas_file_stamp(path, &stamp);
    nas_hasher_update(look->hasher, &stamp, sizeof stamp);
}

/* Refuse an output that is an input: the first save would replace it, the second one remove it. */
static nas_status_t keep_apart(const nas_job_t *job, const char *key, const char *path,
                               nas_error_t *err)
{
    if (!path || !nas_file_same(path, job->output)) return NAS_OK;
    return nas_job_error(job, "output", err,
                         "%s is the job's %s, which the run would replace; name another file",
                         job->output, key);
}

static nas_status_t keep_all_apart(const nas_job_t *job, const char *key,
                                   const nas_strings_t *paths, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; !status && i < paths->n; i++)
        status = keep_apart(job, key, paths->at[i], err);
    return status;
}

nas_status_t nas_inputs_check_output(const nas_job_t *job, const char *path, nas_error_t *err)
{
    const bool takes_scores = job->metrics.source == NAS_SOURCE_SCORES;
    nas_status_t status = keep_apart(job, "own file", path, err);
    if (!status) status = keep_apart(job, "pool.table", job->pool.table, err);
    if (!status) status = keep_apart(job, "pool.subset", job->pool.subset.file, err);
    if (!status) status = keep_apart(job, "objective.table", nas_job_table(job)->table, err);
    if (!status && takes_scores) status = keep_apart(job, "metrics.file", job->metrics.file, err);
    if (!status) status = keep_all_apart(job, "data.train", &job->data.train, err);
    return status ? status : keep_all_apart(job, "data.test", &job->data.test, err);
}

static void look_at_all(look_t *look, const nas_strings_t *paths)
{
    for (size_t i = 0; i < paths->n; i++) look_at(look, paths->at[i]);
}

nas_status_t nas_inputs_seen(const nas_inputs_t *inputs, nas_digest_t *seen, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    look_t look = {0};
    *seen = (nas_digest_t){{0}};
    nas_status_t status = nas_hasher_create(&look.hasher, err);
    if (status) return status;
    look.failed = nas_job_has(job, "pool.space",
                              NAS_POOL_OF_FILES); /* what is in its table is not known yet */
    look_at(&look, job->pool.table);
    look_at(&look, job->pool.subset.file);
    look_at(&look, nas_job_table(job)->table);
    look_at(&look, job->metrics.file);
    look_at_all(&look, &job->data.train);
    look_at_all(&look, &job->data.test);
    const nas_digest_t stamps = nas_hasher_finish(look.hasher);
    const nas_job_content_t content = {.file = &stamps, .n = 1};
    nas_hasher_destroy(look.hasher);
    if (look.failed) return NAS_OK;
    return inputs->search.method ? nas_job_hash(job, &content, seen, err)
                                 : nas_job_score_hash(job, &content, seen, err);
}
