#include "coordinator/session/resume.h"

#include "common/base/clock.h"
#include "common/state/statefile.h"
#include "coordinator/registries/registries.h"
#include "coordinator/session/score_reuse.h"
#include "worker/objectives/train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool equal(const nas_digest_t *a, const nas_digest_t *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* --------------------------------------------------------------------------------------- begin */

static nas_status_t copy_strings(nas_strings_t *to, const nas_strings_t *from, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; !status && i < from->n; i++)
        status = nas_strings_add(to, from->at[i], strlen(from->at[i]), err);
    return status;
}

/* A job that is read to score is what it scores, whatever else it says. */
static nas_status_t set_hashes(nas_state_t *state, const nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const nas_job_content_t content = {.file = inputs->content, .n = inputs->n_content};
    const bool has_content = job->objective.kind != NAS_OBJECTIVE_COMMAND;
    const nas_job_content_t objective = {.file = &inputs->objective_content, .n = has_content};
    if (!inputs->method) {
        state->job_hash = state->job_hash_without_budget = inputs->score_hash;
        return NAS_OK;
    }
    nas_status_t status = nas_job_hash(job, &content, &state->job_hash, err);
    if (!status)
        status = nas_job_hash_without_budget(job, &content, &state->job_hash_without_budget, err);
    if (!status) status = nas_job_objective_hash(job, &objective, &state->objective_hash, err);
    return status;
}

/* Room for the scores that this run computes itself. */
static nas_status_t set_scores(nas_state_t *state, const nas_inputs_t *inputs, nas_error_t *err)
{
    if (inputs->batch.n == 0) return NAS_OK;
    const nas_name_source_t arch = nas_name_source_of_names(inputs->pool.names);
    const nas_status_t status = nas_state_make_scores(state, &arch, err);
    state->scores.hash = inputs->score_hash;
    return status;
}

/* Names of the numbers that the objective reports besides. */
static nas_status_t set_columns(nas_state_t *state, const nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const nas_recipe_t recipe = nas_job_recipe(job);
    if (job->objective.kind != NAS_OBJECTIVE_TRAIN)
        return copy_strings(&state->report_columns, &job->objective.report, err);
    state->n_epochs = recipe.epochs;
    return nas_trainer_columns(&recipe, inputs->dataset.test.n > 0, &state->report_columns, err);
}

static nas_status_t set_search(nas_state_t *state, const nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    if (!inputs->method) return NAS_OK;
    state->budget = inputs->plan.budget;
    state->minimise = job->objective.minimise;
    state->has_weights = inputs->method->needs_metrics;
    if (inputs->table) state->table_digest = nas_table_digest(inputs->table);
    const nas_status_t status = set_columns(state, inputs, err);
    if (status) return status;
    return nas_state_make_repeats(state, inputs->plan.n_repeat, inputs->plan.seed, err);
}

nas_status_t nas_state_begin(nas_state_t *state, const nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const char *table = job->pool.table ? job->pool.table : job->objective.table;
    *state = (nas_state_t){
        .job_name = nas_string_copy(job->name, err),
        .method = nas_string_copy(inputs->method ? inputs->method->name : "score", err),
        .table_path = nas_string_copy(inputs->table ? table : "", err),
        .n_goals = 1, /* of every objective that there is */
        .n_arch = nas_pool_count(&inputs->pool),
        .created_s = nas_clock_unix_s(),
    };
    if (!state->job_name || !state->method || !state->table_path) return NAS_ENOMEM;
    const bool has_metrics = !inputs->method || inputs->method->needs_metrics;
    nas_status_t status = nas_job_print(job, false, &state->job_text, err);
    if (!status && has_metrics) status = copy_strings(&state->metrics, &job->metrics.names, err);
    if (!status) status = copy_strings(&state->class_names, &inputs->class_names, err);
    if (!status) status = set_search(state, inputs, err);
    if (!status) status = set_scores(state, inputs, err);
    if (!status) status = set_hashes(state, inputs, err);
    return status;
}

/* -------------------------------------------------------------------------------------- resume */

/* Of another job: the first keys that differ, or that it is the files that do. */
static nas_status_t refuse_other_job(const nas_state_t *saved, const nas_state_t *fresh,
                                     const char *path, nas_error_t *err)
{
    enum { MOST = 3 };
    nas_strings_t keys = {0};
    char list[256] = "";
    if (saved->job_text && *saved->job_text && fresh->job_text &&
        !nas_job_text_differences(nas_registries_job(), saved->job_text, fresh->job_text, &keys,
                                  NULL))
        for (size_t i = 0; i < keys.n && i < MOST; i++)
            (void)snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s",
                           i == 0 ? ": " : ", ", keys.at[i]);
    const nas_status_t status = nas_error_set(
        err, NAS_EINPUT,
        "%s: belongs to another job ('%s', method %s)%s%s%s; give this job another output, or start anew with --fresh",
        path, saved->job_name, saved->method, list, keys.n > MOST ? " and more" : "",
        keys.n == 0   ? ""
        : keys.n == 1 ? " differs"
                      : " differ");
    nas_strings_fini(&keys);
    return status;
}

static nas_status_t check_identity(const nas_state_t *saved, const nas_state_t *fresh,
                                   const char *path, nas_error_t *err)
{
    if (equal(&saved->job_hash, &fresh->job_hash)) return NAS_OK;
    const bool have_tables = *saved->table_path && *fresh->table_path;
    if (have_tables && !equal(&saved->table_digest, &fresh->table_digest))
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: the table %s is not the one this run began with (its content differs); restore it, or start anew with --fresh",
            path, fresh->table_path);
    if (equal(&saved->job_hash_without_budget, &fresh->job_hash_without_budget))
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: this run has a budget of %lld, the job says %lld; give the job another output and --reuse %s to keep the evaluations",
            path, (long long)saved->budget, (long long)fresh->budget, path);
    return refuse_other_job(saved, fresh, path, err);
}

/* What the digest cannot know: that every observation speaks of an evaluation. */
static nas_status_t check_observations(const nas_state_t *saved, const char *path, nas_error_t *err)
{
    for (int64_t r = 0; r < saved->n_repeat; r++)
        for (int64_t i = 0; i < saved->repeat[r].n_observation; i++)
            if (!nas_repeat_find(&saved->repeat[r], saved->repeat[r].observation[i].arch))
                return nas_error_set(
                    err, NAS_EINPUT,
                    "%s: repeat %lld observes an architecture that it never evaluated; this file was not written by robotnas; start anew with --fresh",
                    path, (long long)r);
    return NAS_OK;
}

nas_status_t nas_state_check_saved(const nas_state_t *saved, const char *path,
                                   const nas_state_t *fresh, nas_error_t *err)
{
    const nas_status_t status = check_identity(saved, fresh, path, err);
    return status ? status : check_observations(saved, path, err);
}

/* Why scores cannot be taken over, or NULL. */
static const char *why_not_scores(const nas_state_t *saved, const nas_digest_t *measurement)
{
    if (saved->scores.n == 0) return "it has none";
    if (!nas_score_is_measured(&saved->scores))
        return "its file does not say how they were measured, or they were in more than one way";
    if (!equal(&saved->scores.measurement, measurement))
        return "network, batch of images, seed, backend or instruction set differ";
    return NULL;
}

static nas_status_t check_reusable(const nas_state_t *saved, const char *path,
                                   const nas_state_t *fresh, const nas_digest_t *measurement,
                                   nas_reusable_t *what, nas_error_t *err)
{
    const bool searches = fresh->n_repeat > 0, scores = fresh->scores.n > 0;
    const char *reason = scores ? why_not_scores(saved, measurement) : NULL;
    what->evaluations = searches && equal(&saved->objective_hash, &fresh->objective_hash);
    what->scores = scores && !reason;
    if (what->evaluations || what->scores) return NAS_OK;
    if (!searches)
        return nas_error_set(err, NAS_EINPUT, "--reuse %s: its scores cannot be taken over: %s",
                             path, reason);
    return nas_error_set(
        err, NAS_EINPUT,
        "--reuse %s: its objective is not this job's (keys objective.*, its table, or network and images differ), so its evaluations cannot be taken over%s%s",
        path, reason ? "; nor can its scores: " : "", reason ? reason : "");
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
        "this run goes on on another kind of processor: instruction set %s, before %s; OpenBLAS kernels %s, before %s. Last bits of %s may differ from here on, and with them the further course of the run%s%s%s",
        isa, other_isa ? saved->isa : "the same", blas, other_blas ? saved->blas : "the same",
        !other_blas ? "scores and trainings"
        : other_isa ? "scores, trainings and weight vectors"
                    : "weight vectors",
        other_blas ? "; OPENBLAS_CORETYPE=" : "", remedy,
        other_blas ? ", where the processor allows it, keeps the weight vectors what they would be"
                   : "");
    return true;
}

nas_status_t nas_state_read_reusable(nas_state_t *state, const char *path, const nas_state_t *fresh,
                                     const nas_digest_t *measurement, nas_reusable_t *what,
                                     nas_error_t *err)
{
    nas_state_t saved = {0};
    nas_status_t status = nas_statefile_read(path, &saved, &what->notice, err);
    if (!status) status = check_reusable(&saved, path, fresh, measurement, what, err);
    if (status) {
        nas_state_fini(&saved);
        return status;
    }
    *state = saved;
    return NAS_OK;
}
