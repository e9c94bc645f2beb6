#include "coordinator/session/resume.h"

#include <stdio.h>
#include <string.h>

/* Of another job: the first keys that differ, or that it is the files that do. */
static nas_status_t refuse_other_job(const nas_job_t *job, const nas_state_t *saved,
                                     const nas_state_t *fresh, const char *path, nas_error_t *err)
{
    enum { MOST = 3 };
    nas_strings_t keys = {0};
    char list[256] = "";
    if (saved->job_text && *saved->job_text && fresh->job_text &&
        !nas_job_text_differences(job->sections, saved->job_text, fresh->job_text, &keys, NULL))
        for (size_t i = 0; i < keys.n && i < MOST; i++)
            (void)snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s",
                           i == 0 ? ": " : ", ", keys.at[i]);
    const nas_status_t status = nas_error_set(
        err, NAS_EINPUT,
        "%s: belongs to another job ('%s', method %s)%s%s%s; give the job another output and --reuse %s to take over what still counts, or discard that run with --fresh",
        path, saved->job_name, saved->method, list, keys.n > MOST ? " and more" : "",
        keys.n == 0   ? ""
        : keys.n == 1 ? " differs"
                      : " differ",
        path);
    nas_strings_fini(&keys);
    return status;
}

static nas_status_t check_identity(const nas_job_t *job, const nas_state_t *saved,
                                   const nas_state_t *fresh, const char *path, nas_error_t *err)
{
    if (nas_digest_equal(&saved->job_hash, &fresh->job_hash)) return NAS_OK;
    const bool have_tables = *saved->table_path && *fresh->table_path;
    if (have_tables && !nas_digest_equal(&saved->table_blocks, &fresh->table_blocks))
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: the table %s is not the one this run began with (its content differs); restore it, give the job another output, or discard that run with --fresh",
            path, fresh->table_path);
    if (nas_digest_is_known(&saved->files) && nas_digest_is_known(&fresh->files) &&
        !nas_digest_equal(&saved->files, &fresh->files))
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: the pool's networks are not those this run began with (an ONNX file, or the list of them, differs); restore it, give the job another output, or discard that run with --fresh",
            path);
    if (nas_digest_equal(&saved->job_hash_without_budget, &fresh->job_hash_without_budget))
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: this run has a budget of %lld, the job says %lld; give the job another output and --reuse %s to keep the evaluations",
            path, (long long)saved->budget, (long long)fresh->budget, path);
    return refuse_other_job(job, saved, fresh, path, err);
}

static bool are_equal(const nas_strings_t *a, const nas_strings_t *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++) same = strcmp(a->at[i], b->at[i]) == 0;
    return same;
}

bool nas_state_has_shape(const nas_state_t *saved, const nas_state_t *fresh)
{
    return saved->n_goals == fresh->n_goals && saved->n_epochs == fresh->n_epochs &&
           are_equal(&saved->report_columns, &fresh->report_columns);
}

/* Nor, of a file that claims the job's digest, that its numbers are the job's: what goes on with it
 * has room for these. */
static nas_status_t check_sizes(const nas_state_t *saved, const nas_state_t *fresh,
                                const char *path, nas_error_t *err)
{
    bool same = nas_state_has_shape(saved, fresh) && saved->n_arch == fresh->n_arch &&
                saved->budget == fresh->budget && saved->n_repeat == fresh->n_repeat &&
                saved->has_weights == fresh->has_weights && saved->minimise == fresh->minimise &&
                saved->scores.n == fresh->scores.n && are_equal(&saved->metrics, &fresh->metrics);
    for (int64_t r = 0; same && r < saved->n_repeat; r++)
        same = saved->repeat[r].n_evaluation <= saved->budget &&
               saved->repeat[r].seed == fresh->repeat[r].seed;
    if (same) return NAS_OK;
    return nas_error_set(
        err, NAS_EINPUT,
        "%s: its sizes are not those of the job that it says it is of; this file was not written by robotnas; start anew with --fresh",
        path);
}

/* Whether every observation speaks of an evaluation, and the evaluations are in the order in which
 * these first do, so that all are spoken of. */
static bool is_observed(const nas_repeat_t *repeat)
{
    int64_t n_observed = 0;
    for (int64_t i = 0; i < repeat->n_observation; i++) {
        const nas_evaluation_t *evaluation = nas_repeat_find(repeat, repeat->observation[i].arch);
        if (!evaluation || evaluation - repeat->evaluation > n_observed) return false;
        n_observed += evaluation - repeat->evaluation == n_observed;
    }
    return n_observed == repeat->n_evaluation;
}

/* What the digest cannot know: what a method is told is what was evaluated. */
static nas_status_t check_observations(const nas_state_t *saved, const char *path, nas_error_t *err)
{
    for (int64_t r = 0; r < saved->n_repeat; r++)
        if (!is_observed(&saved->repeat[r]))
            return nas_error_set(
                err, NAS_EINPUT,
                "%s: in repeat %lld observations are not those of the evaluations; this file was not written by robotnas; start anew with --fresh",
                path, (long long)r);
    return NAS_OK;
}

nas_status_t nas_state_check_saved(const nas_job_t *job, const nas_state_t *saved,
                                   const nas_state_t *fresh, const char *path, nas_error_t *err)
{
    nas_status_t status = check_identity(job, saved, fresh, path, err);
    if (!status) status = check_sizes(saved, fresh, path, err);
    return status ? status : check_observations(saved, path, err);
}

/* Linear algebra chooses the vectors of robot; instructions make scores and trainings, where the
 * cpu backend does. */
bool nas_state_has_moved(const nas_state_t *saved, const char *isa, const char *blas,
                         nas_error_t *line)
{
    const bool other_isa = saved->isa && *saved->isa && strcmp(saved->isa, isa) != 0;
    const bool other_blas = saved->blas && *saved->blas && strcmp(saved->blas, blas) != 0;
    if (!other_isa && !other_blas) return false;
    const char *remedy = other_blas ? saved->blas : "";
    (void)nas_error_set(
        line, NAS_OK,
        "this run goes on on another kind of processor: instruction set %s, before %s; OpenBLAS kernels %s, before %s. Last bits of %s may differ from here on, and with them what follows of the run%s%s%s",
        isa, other_isa ? saved->isa : "the same", blas, other_blas ? saved->blas : "the same",
        !other_blas ? "scores and trainings"
        : other_isa ? "scores, trainings and weight vectors"
                    : "weight vectors",
        other_blas ? "; OPENBLAS_CORETYPE=" : "", remedy,
        other_blas ? ", where the processor allows it, keeps the weight vectors what they would be"
                   : "");
    return true;
}
