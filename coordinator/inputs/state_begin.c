#include "coordinator/inputs/state_begin.h"

#include "common/base/clock.h"
#include "common/io/file.h"
#include "coordinator/inputs/inputs_internal.h"

#include <string.h>

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
    const bool has_content =
        nas_objective_has(job, NAS_OBJECTIVE_IN_TABLE | NAS_OBJECTIVE_ON_IMAGES);
    const nas_digest_t of_objective[] = {inputs->evaluate.content, inputs->files.content};
    const bool trains_files = nas_inputs_have_files(inputs) && nas_inputs_train(inputs);
    const nas_job_content_t objective = {.file = of_objective, .n = trains_files ? 2 : has_content};
    if (!inputs->search.method) {
        state->job_hash = state->job_hash_without_budget = inputs->score.hash;
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
    if (inputs->score.batch.n == 0) return NAS_OK;
    const nas_name_source_t arch = nas_pool_names(&inputs->pool);
    const nas_status_t status = nas_state_make_scores(state, &arch, err);
    state->scores.hash = inputs->score.hash;
    return status;
}

/* Names of the numbers that the objective reports besides. */
static nas_status_t set_columns(nas_state_t *state, const nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_objective_inputs_t objective = nas_inputs_objective(inputs);
    state->n_epochs = nas_objective_epochs(inputs->job);
    return nas_objective_columns(&objective, &state->report_columns, err);
}

static nas_status_t set_search(nas_state_t *state, const nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    if (!inputs->search.method) return NAS_OK;
    state->budget = job->search.budget;
    state->minimise = job->objective.minimise;
    state->has_weights = inputs->search.method->needs_metrics;
    if (inputs->table) state->table_blocks = nas_shared_table_digest(inputs->table);
    const nas_status_t status = set_columns(state, inputs, err);
    if (status) return status;
    return nas_state_make_repeats(state, job->search.repeats, (uint64_t)job->seed, err);
}

static const char *table_of(const nas_job_t *job)
{
    return job->pool.table ? job->pool.table : nas_job_table(job)->table;
}

nas_status_t nas_state_begin(nas_state_t *state, const nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    *state = (nas_state_t){
        .job_name = nas_string_copy(job->name, err),
        .method =
            nas_string_copy(inputs->search.method ? inputs->search.method->name : "score", err),
        .table_path = nas_string_copy(inputs->table ? table_of(job) : "", err),
        .n_goals = 1, /* of every objective that there is */
        .files = inputs->files.content,
        .n_arch = nas_pool_count(&inputs->pool),
        .created_s = nas_clock_unix_s(),
    };
    if (!state->job_name || !state->method || !state->table_path) return NAS_ENOMEM;
    const bool has_metrics = !inputs->search.method || nas_inputs_take_metrics(inputs);
    nas_status_t status = nas_job_print(job, false, &state->job_text, err);
    if (!status && has_metrics) status = copy_strings(&state->metrics, &job->metrics.names, err);
    if (!status) status = copy_strings(&state->class_names, &inputs->images.class_names, err);
    if (!status) status = set_search(state, inputs, err);
    if (!status) status = set_scores(state, inputs, err);
    if (!status) status = set_hashes(state, inputs, err);
    return status;
}

/* The inputs with another digest of the table's content. */
static nas_inputs_t with_digest(const nas_inputs_t *inputs, const nas_digest_t *digest)
{
    nas_inputs_t other = *inputs;
    const nas_digest_t blocks = nas_shared_table_digest(inputs->table);
    for (size_t i = 0; i < other.n_content; i++)
        if (nas_digest_equal(&other.content[i], &blocks)) other.content[i] = *digest;
    if (nas_digest_equal(&other.evaluate.content, &blocks)) other.evaluate.content = *digest;
    return other;
}

static void renew(nas_digest_t *digest, const nas_digest_t *then, const nas_digest_t *now)
{
    if (nas_digest_equal(digest, then)) *digest = *now;
}

nas_status_t nas_state_renew_identity(nas_state_t *state, const nas_inputs_t *inputs,
                                      const nas_state_t *fresh, nas_error_t *err)
{
    nas_state_t then = {0};
    nas_digest_t digest;
    if (!inputs->table || nas_digest_is_known(&state->table_blocks) ||
        !nas_digest_is_known(&state->table_digest))
        return NAS_OK;
    nas_status_t status = nas_file_digest(table_of(inputs->job), &digest, err);
    if (status || !nas_digest_equal(&digest, &state->table_digest)) return status;
    const nas_inputs_t older = with_digest(inputs, &digest);
    status = set_hashes(&then, &older, err);
    if (status) return status;
    renew(&state->job_hash, &then.job_hash, &fresh->job_hash);
    renew(&state->job_hash_without_budget, &then.job_hash_without_budget,
          &fresh->job_hash_without_budget);
    renew(&state->objective_hash, &then.objective_hash, &fresh->objective_hash);
    state->table_blocks = fresh->table_blocks;
    return NAS_OK;
}
