#include "coordinator/run/run.h"

#include "common/base/log.h"
#include "common/state/statefile.h"
#include "coordinator/devices/fit.h"
#include "coordinator/inputs/note.h"
#include "coordinator/inputs/notes.h"
#include "coordinator/inputs/state_begin.h"
#include "coordinator/score/score_needs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- opening */

static nas_status_t open_session(nas_run_t *run, const nas_session_options_t *options,
                                 nas_error_t *err)
{
    nas_state_t fresh = {0};
    nas_state_t *saved = nas_session_saved(run->session);
    nas_status_t status = nas_state_begin(&fresh, &run->inputs, err);
    if (!status && saved) status = nas_state_renew_identity(saved, &run->inputs, &fresh, err);
    if (!status) status = nas_session_take(run->session, options, &fresh, err);
    nas_state_fini(&fresh);
    return status;
}

static nas_status_t open_score(nas_run_t *run, const char *unit, nas_error_t *err)
{
    const nas_inputs_t *inputs = &run->inputs;
    const nas_score_stage_options_t options = {.session = run->session,
                                               .job = inputs->job,
                                               .pool = &inputs->pool,
                                               .inputs = &inputs->score,
                                               .unit = unit,
                                               .is_last = !inputs->search.method};
    if (inputs->score.batch.n == 0) return NAS_OK;
    return nas_score_stage_create(&options, &run->score, err);
}

static nas_status_t reuse(nas_run_t *run, const char *path, nas_error_t *err)
{
    nas_state_t *state = nas_session_state(run->session);
    const nas_reuse_options_t options = {.output = run->inputs.job->output,
                                         .measurement = nas_score_stage_measurement(run->score)};
    if (!path) return NAS_OK;
    nas_status_t status = nas_reusable_read(&run->old, path, err);
    if (!status) status = nas_state_renew_identity(&run->old.state, &run->inputs, state, err);
    if (!status) status = nas_reusable_choose(&run->old, &options, state, err);
    if (status || !run->old.scores) return status;
    return nas_score_stage_reuse(run->score, &run->old, err);
}

static nas_status_t open_search(nas_run_t *run, int n_ranks, nas_error_t *err)
{
    nas_inputs_t *inputs = &run->inputs;
    const nas_search_stage_options_t options = {.session = run->session,
                                                .pool = &inputs->pool,
                                                .inputs = &inputs->search,
                                                .evaluate = &inputs->evaluate,
                                                .table = inputs->table,
                                                .images = &inputs->images,
                                                .reuse =
                                                    run->old.evaluations ? &run->old.state : NULL,
                                                .n_ranks = n_ranks};
    if (!inputs->search.method) return NAS_OK;
    return nas_search_stage_create(&options, &run->search, err);
}

/* Read the inputs and make of them, and of what is saved, a state to go on from. */
static nas_status_t open_inputs(nas_run_t *run, const nas_run_options_t *options,
                                const nas_session_options_t *session, nas_error_t *err)
{
    run->inputs.interrupt = options->interrupt;
    run->inputs.comm = options->world;
    nas_status_t status = nas_inputs_read_files(&run->inputs, err);
    run->inputs.interrupt = NULL;
    if (status == NAS_ESTOP) return nas_session_stop_reading(run->session, err);
    return status ? status : open_session(run, session, err);
}

/* What a table lacks is no failure. */
static int64_t patience_of(const nas_job_t *job)
{
    return nas_objective_has(job, NAS_OBJECTIVE_IN_TABLE) ? 0 : job->objective.patience;
}

/* A job that names no method goes on with that of the run it resumes, which is known once the
 * session has read it; all other jobs are checked before anything is touched. */
static bool method_may_be_saved(const nas_run_t *run, const nas_run_options_t *options)
{
    return options->resume && !nas_job_names(run->inputs.job, "search.method");
}

static nas_status_t choose_saved_method(nas_run_t *run, nas_error_t *err)
{
    const nas_state_t *saved = nas_session_saved(run->session);
    const int initial = run->inputs.job->search.method;
    const nas_status_t status =
        nas_inputs_choose_method(&run->inputs, saved ? saved->method : NULL, err);
    run->has_saved_method = run->inputs.job->search.method != initial;
    return status;
}

/* From the session on: the state to go on from, or one that is complete. */
static nas_status_t open_saved(nas_run_t *run, const nas_run_options_t *options,
                               const nas_session_options_t *session, nas_error_t *err)
{
    nas_digest_t seen = {{0}};
    nas_status_t status = nas_session_create(session, &run->session, err);
    run->goes_on = !status && nas_session_saved(run->session);
    if (!status && method_may_be_saved(run, options)) status = choose_saved_method(run, err);
    if (!status) status = nas_inputs_seen(&run->inputs, &seen, err);
    if (!status) status = nas_session_settle(run->session, session, &seen, &run->is_settled, err);
    return status || run->is_settled ? status : open_inputs(run, options, session, err);
}

nas_status_t nas_run_open(nas_run_t *run, const nas_run_options_t *options, nas_error_t *err)
{
    nas_status_t status = nas_inputs_read_job(&run->inputs, &options->job, err);
    if (!status && !method_may_be_saved(run, options))
        status = nas_inputs_choose_method(&run->inputs, NULL, err);
    if (status) return status;
    const nas_session_options_t session = {.job = run->inputs.job,
                                           .patience = patience_of(run->inputs.job),
                                           .resume = options->resume,
                                           .retry_failed = options->retry_failed,
                                           .fresh = options->fresh,
                                           .n_ranks = options->n_ranks,
                                           .isa = options->isa,
                                           .blas = options->blas};
    run->is_fresh = options->fresh;
    status = open_saved(run, options, &session, err);
    if (!status && run->has_saved_method)
        nas_log_line(
            "the job names no search.method: it goes on with %s, with which the run at %s began",
            run->inputs.search.method->name, nas_session_output(run->session));
    return status;
}

/* ------------------------------------------------------------------------------------- devices */

static bool scores_networks(const nas_run_t *run)
{
    const nas_scores_t *scores = &nas_session_state(run->session)->scores;
    return run->inputs.score.batch.n > 0 && scores->n_done < scores->n;
}

static bool trains_networks(const nas_run_t *run)
{
    return run->inputs.search.method && nas_objective_has(run->inputs.job, NAS_OBJECTIVE_ON_IMAGES);
}

bool nas_run_computes(const nas_run_t *run)
{
    return !nas_session_over(run->session) && (scores_networks(run) || trains_networks(run));
}

/* A saved state that says nothing is by a program that knew the CPU alone. */
static nas_device_kind_t recorded_kind(const nas_run_t *run, const nas_state_t *state)
{
    if (!run->goes_on) return NAS_DEVICE_AUTO;
    const char *gpu = nas_device_kind_name(NAS_DEVICE_GPU);
    return state->device && strcmp(state->device, gpu) == 0 ? NAS_DEVICE_GPU : NAS_DEVICE_CPU;
}

nas_devices_request_t nas_run_devices(const nas_run_t *run)
{
    const nas_job_t *job = run->inputs.job;
    const nas_state_t *state = nas_session_state(run->session);
    return (nas_devices_request_t){.choice = nas_device_choice_of(job),
                                   .backend = job->backend,
                                   .first_worker = job->coordinator == NAS_COORDINATOR_DEDICATED,
                                   .recorded = recorded_kind(run, state),
                                   .golden = state->golden};
}

static nas_status_t note_devices(nas_run_t *run, const nas_devices_t *devices, nas_error_t *err)
{
    nas_state_t *state = nas_session_state(run->session);
    if (devices->kind == NAS_DEVICE_AUTO) return NAS_OK;
    free(state->device);
    state->device = nas_string_copy(nas_device_kind_name(devices->kind), err);
    state->golden = devices->golden;
    return state->device ? NAS_OK : NAS_ENOMEM;
}

/* A pool whose largest network rank 0's GPU cannot hold: others' may, but then it is the wrong one.
 * What does not fit into another's is recorded as such. */
static nas_status_t check_fit(const nas_run_t *run, const nas_devices_t *devices, nas_error_t *err)
{
    const nas_inputs_t *inputs = &run->inputs;
    const nas_objective_inputs_t objective = nas_inputs_objective(inputs);
    nas_devices_fit_t fit = {0};
    nas_score_needs_t scoring = {0};
    nas_objective_needs_t training = {0};
    nas_status_t status = NAS_OK;
    if (devices->kind != NAS_DEVICE_GPU || !devices->own) return NAS_OK;
    nas_devices_fit_set(&fit, nas_device_name(devices->own), nas_device_info(devices->own));
    if (scores_networks(run)) {
        status = nas_score_needs(inputs->job, &inputs->pool, &inputs->score, &scoring, err);
        fit.n_bytes = scoring.gpu_bytes;
        fit.what = "scored";
        if (!status) status = nas_devices_check_fit(inputs->job, &fit, err);
    }
    if (status || !trains_networks(run)) return status;
    status = nas_objective_needs(&objective, &inputs->pool, &training, err);
    fit.n_bytes = training.gpu_bytes;
    fit.what = "trained";
    return status ? status : nas_devices_check_fit(inputs->job, &fit, err);
}

nas_status_t nas_run_open_stages(nas_run_t *run, const nas_run_options_t *options,
                                 const nas_devices_t *devices, nas_error_t *err)
{
    char of_gpu[32];
    const char *unit = options->isa;
    if (run->is_settled) return NAS_OK;
    (void)snprintf(of_gpu, sizeof of_gpu, "gpu %016llx", (unsigned long long)devices->golden);
    if (devices->kind == NAS_DEVICE_GPU) unit = of_gpu;
    nas_status_t status = check_fit(run, devices, err);
    if (!status) status = note_devices(run, devices, err);
    if (!status) status = open_score(run, unit, err);
    if (!status) status = reuse(run, options->reuse, err);
    return status ? status : open_search(run, options->n_ranks, err);
}

void nas_run_close(nas_run_t *run)
{
    nas_search_stage_destroy(run->search);
    nas_score_stage_destroy(run->score);
    nas_reusable_fini(&run->old);
    nas_session_destroy(run->session);
    nas_inputs_fini(&run->inputs);
    *run = (nas_run_t){0};
}

/* ----------------------------------------------------------------------------------- beginning */

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

static void announce(const nas_run_t *run)
{
    const nas_state_t *state = nas_session_state(run->session);
    if (!run->search) {
        nas_log_line("%s: scoring %lld architectures, %zu metric%s, %d rank%s", state->job_name,
                     (long long)state->n_arch, state->metrics.n, plural((int64_t)state->metrics.n),
                     state->n_ranks, plural(state->n_ranks));
        return;
    }
    const nas_search_parameters_t *search = nas_search_stage_parameters(run->search);
    nas_log_line(
        "%s: method %s, %lld architectures, budget %lld, %lld repeat%s, %d rank%s in %lld group%s",
        state->job_name, state->method, (long long)search->n_arch, (long long)search->budget,
        (long long)search->n_repeat, plural(search->n_repeat), state->n_ranks,
        plural(state->n_ranks), (long long)search->n_groups, plural(search->n_groups));
}

static nas_status_t say_notes(const nas_inputs_t *inputs, nas_error_t *err)
{
    nas_strings_t notes = {0};
    const nas_status_t status = nas_inputs_note(inputs, &notes, err);
    nas_notes_log(&notes);
    nas_strings_fini(&notes);
    return status;
}

/* What the first save of a run that starts anew does to the one that is there. One that cannot be
 * read is not spoken of. */
static void say_replaced(const nas_run_t *run)
{
    const char *output = nas_session_output(run->session);
    nas_state_t state = {0};
    nas_error_t ignored = {0};
    int64_t n = 0;
    if (!run->is_fresh || !nas_statefile_exists(output) ||
        nas_statefile_read(output, &state, &ignored, &ignored))
        return;
    for (int64_t r = 0; r < state.n_repeat; r++) n += state.repeat[r].n_evaluation;
    const bool searches = state.n_repeat > 0;
    if (!searches) n = state.scores.n_done;
    nas_log_line(
        "--fresh: the run of %lld %s%s at %s is replaced; it stays as %s.prev until the second save",
        (long long)n, searches ? "evaluation" : "scored architecture", plural(n), output, output);
    nas_state_fini(&state);
}

nas_status_t nas_run_begin(nas_run_t *run, nas_error_t *err)
{
    nas_state_t *state = nas_session_state(run->session);
    const int64_t n_scored = state->scores.n_done;
    const int64_t n_evaluated = nas_search_stage_count(run->search);
    const bool goes_on = n_scored > 0 || n_evaluated > 0 || state->generation > 0;
    announce(run);
    say_replaced(run);
    /* where all that was to be scored was taken over */
    if (!run->search && !nas_score_stage_is_needed(run->score)) state->complete = true;
    nas_status_t status = say_notes(&run->inputs, err);
    if (status) return status;
    if (n_scored) nas_log_line("going on after %lld scored architectures", (long long)n_scored);
    if (n_evaluated) nas_log_line("going on after %lld evaluations", (long long)n_evaluated);
    status = nas_state_add_event(state, err, "%s on %d rank%s", goes_on ? "resumed" : "started",
                                 state->n_ranks, plural(state->n_ranks));
    return status ? status : nas_session_save(run->session, err);
}
