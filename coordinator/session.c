/* The life of a run on rank 0.
 *
 * States of the output:  nothing -> begun (nas_session_begin) -> unfinished ... -> complete. Every
 * save is atomic, so a death at any instant leaves one of them; --resume takes up an unfinished one
 * and replays its recorded observations into the methods, which then go on exactly as they would
 * have.
 *
 * Failures: an error of any group's method, of the ledger or of a save ends the search for all
 * groups in the same round: what was recorded is saved if that is still possible, and the first
 * error is what the user reads. A request to stop (signal on any rank, OUTPUT.stop) ends it in the
 * same way, with status NAS_ESTOP.
 */
#include "coordinator/session.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/progress.h"
#include "common/statefile.h"
#include "common/stop.h"
#include "common/version.h"
#include "coordinator/checkpoint.h"
#include "coordinator/ledger.h"
#include "coordinator/resume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct nas_session {
    nas_inputs_t inputs;
    nas_lock_t *lock;
    nas_state_t state;
    nas_state_t old; /* whose evaluations are taken over */
    nas_ledger_t *ledger;
    nas_stop_file_t stop_file;
    nas_checkpoint_t checkpoint;
    nas_progress_t progress;
    nas_buffer_t replies;
    double started_s;        /* monotonic */
    double elapsed_before_s; /* of earlier sessions */
    double spent_s;          /* on evaluations since the last save */
};

/* ----------------------------------------------------------------------------------- beginning */

static const char *output_of(const nas_session_t *session)
{
    return session->inputs.job->output;
}

static nas_status_t take_output(nas_session_t *session, const nas_session_options_t *options,
                                nas_error_t *err)
{
    const char *output = output_of(session);
    nas_status_t status = nas_file_make_parents(output, err);
    if (!status) status = nas_lock_acquire(output, &session->lock, err);
    if (status || options->resume || options->fresh || !nas_statefile_exists(output)) return status;
    return nas_error_set(
        err, NAS_EINPUT,
        "%s: a run is there already; --resume goes on with it (or leaves it alone once finished), "
        "--fresh starts anew",
        output);
}

static void replace_string(char **at, char *text)
{
    free(*at);
    *at = text;
}

/* Who runs it now; equal runs may differ in all of this. */
static nas_status_t set_provenance(nas_session_t *session, const nas_session_options_t *options,
                                   nas_error_t *err)
{
    nas_state_t *state = &session->state;
    char host[256] = "unknown";
    (void)gethostname(host, sizeof host - 1);
    replace_string(&state->program_version, nas_string_copy(nas_version(), err));
    replace_string(&state->commit, nas_string_copy(nas_commit(), err));
    replace_string(&state->host, nas_string_copy(host, err));
    replace_string(&state->isa, nas_string_copy(options->isa, err));
    state->n_ranks = options->n_ranks;
    return state->program_version && state->commit && state->host && state->isa ? NAS_OK
                                                                                : NAS_ENOMEM;
}

/* Replace the fresh state by the saved one, if there is one to resume. */
static nas_status_t resume(nas_session_t *session, nas_error_t *err)
{
    const char *output = output_of(session);
    if (!nas_statefile_exists(output)) {
        nas_log_line("nothing to resume at %s; starting", output);
        return NAS_OK;
    }
    nas_state_t saved = {0};
    nas_error_t notice = {0};
    const nas_status_t status = nas_state_resume(&saved, output, &session->state, &notice, err);
    if (status) return status;
    nas_state_fini(&session->state);
    session->state = saved;
    session->elapsed_before_s = saved.elapsed_s;
    if (!*notice.text) return NAS_OK;
    nas_log_line("%s", notice.text);
    return nas_state_add_event(&session->state, err, "%s", notice.text);
}

static nas_status_t open_ledger(nas_session_t *session, const nas_session_options_t *options,
                                nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    if (options->reuse)
        status = nas_state_read_reusable(&session->old, options->reuse, &session->state, err);
    const nas_ledger_options_t ledger = {.state = &session->state,
                                         .objective = session->inputs.objective,
                                         .reuse = options->reuse ? &session->old : NULL,
                                         .n_groups = session->inputs.plan.n_groups};
    if (!status) status = nas_ledger_create(&ledger, &session->ledger, err);
    return status;
}

static nas_status_t open_session(nas_session_t *session, const nas_session_options_t *options,
                                 nas_error_t *err)
{
    nas_inputs_t *inputs = &session->inputs;
    nas_status_t status =
        nas_inputs_read_job(inputs, options->job, options->set, options->n_set, err);
    if (!status) status = take_output(session, options, err);
    if (!status) status = nas_inputs_read_table(inputs, err);
    if (status) return status;
    nas_plan_t *plan = &inputs->plan;
    plan->n_groups = nas_plan_groups(inputs->job->search.groups, plan->n_repeat,
                                     plan->n_arch * plan->n_metric, options->n_ranks);
    session->checkpoint.interval_s = inputs->job->checkpoint.interval_s;
    status = nas_state_begin(&session->state, inputs, err);
    if (!status && options->resume) status = resume(session, err);
    if (!status) status = set_provenance(session, options, err);
    if (!status) status = nas_stop_file_init(&session->stop_file, output_of(session), err);
    if (!status) status = open_ledger(session, options, err);
    return status;
}

nas_status_t nas_session_create(const nas_session_options_t *options, nas_session_t **session_p,
                                nas_error_t *err)
{
    nas_session_t *session = calloc(1, sizeof *session);
    if (!session) return nas_error_nomem(err, "the session");
    session->started_s = nas_clock_monotonic_s();
    const nas_status_t status = open_session(session, options, err);
    if (status) {
        nas_session_destroy(session);
        return status;
    }
    *session_p = session;
    return NAS_OK;
}

const nas_inputs_t *nas_session_inputs(const nas_session_t *session)
{
    return &session->inputs;
}

const nas_state_t *nas_session_state(const nas_session_t *session)
{
    return &session->state;
}

void nas_session_destroy(nas_session_t *session)
{
    if (!session) return;
    nas_ledger_destroy(session->ledger);
    nas_stop_file_fini(&session->stop_file);
    nas_state_fini(&session->state);
    nas_state_fini(&session->old);
    nas_lock_release(session->lock);
    nas_inputs_fini(&session->inputs);
    free(session->replies.data);
    free(session);
}

/* -------------------------------------------------------------------------------------- saving */

static nas_status_t save(nas_session_t *session, nas_error_t *err)
{
    const double begin_s = nas_clock_monotonic_s();
    session->state.updated_s = nas_clock_unix_s();
    session->state.elapsed_s = session->elapsed_before_s + begin_s - session->started_s;
    const nas_status_t status = nas_statefile_write(output_of(session), &session->state, NULL, err);
    nas_checkpoint_saved(&session->checkpoint, begin_s, nas_clock_monotonic_s());
    session->spent_s = 0;
    return status;
}

nas_status_t nas_session_begin(nas_session_t *session, nas_error_t *err)
{
    const int64_t n_done = nas_ledger_count(session->ledger);
    const nas_plan_t *plan = &session->inputs.plan;
    nas_progress_init(&session->progress, "evaluations", n_done, plan->n_repeat * plan->budget);
    nas_log_line(
        "%s: method %s, %lld architectures, budget %lld, %lld repeat%s, %d rank%s in %lld group%s",
        session->state.job_name, session->state.method, (long long)plan->n_arch,
        (long long)plan->budget, (long long)plan->n_repeat, plan->n_repeat == 1 ? "" : "s",
        session->state.n_ranks, session->state.n_ranks == 1 ? "" : "s", (long long)plan->n_groups,
        plan->n_groups == 1 ? "" : "s");
    if (n_done) nas_log_line("going on after %lld evaluations", (long long)n_done);
    nas_status_t status =
        nas_state_add_event(&session->state, err, "%s on %d rank%s", n_done ? "resumed" : "started",
                            session->state.n_ranks, session->state.n_ranks == 1 ? "" : "s");
    if (!status) status = save(session, err);
    return status;
}

/* -------------------------------------------------------------------------------------- rounds */

static nas_status_t end_of_search(nas_session_t *session, int64_t stop, nas_error_t *err)
{
    if (nas_ledger_complete(session->ledger)) {
        session->state.complete = true;
        return nas_state_add_event(&session->state, err, "complete, %lld evaluations taken over",
                                   (long long)nas_ledger_reused(session->ledger));
    }
    const nas_status_t status =
        stop ? nas_state_add_event(&session->state, err, "stopped by signal %d", (int)stop)
             : nas_state_add_event(&session->state, err, "stopped by %s", session->stop_file.path);
    if (status) return status;
    if (!stop) nas_stop_file_clear(&session->stop_file);
    return nas_error_set(
        err, NAS_ESTOP,
        "stopped on request after %lld of %lld evaluations; %s is saved, run again "
        "with --resume",
        (long long)nas_ledger_count(session->ledger), (long long)session->progress.n_total,
        output_of(session));
}

/* Record every group's step and pack its reply. Returns the first error; stop [out]: a signal, or
 * 0. */
static nas_status_t record_steps(nas_session_t *session, const char *steps, const size_t *offset,
                                 size_t *reply_offset, int64_t *stop, nas_error_t *err)
{
    const nas_plan_t *plan = &session->inputs.plan;
    nas_status_t status = NAS_OK;
    for (int64_t g = 0; !status && g < plan->n_groups; g++) {
        nas_step_t step;
        nas_reply_t reply;
        nas_step_unpack(steps + offset[g], offset[g + 1] - offset[g], plan->n_metric, &step);
        if (step.stop > *stop) *stop = step.stop;
        if (step.status) {
            *err = step.err;
            return (nas_status_t)step.status;
        }
        status = nas_ledger_record(session->ledger, g, &step, &reply, err);
        if (!status) status = nas_reply_pack(&reply, plan->n_metric, &session->replies, err);
        reply_offset[g + 1] = session->replies.size;
    }
    return status;
}

/* One and the same reply to all: the search is over. */
static void reply_end(nas_session_t *session, nas_status_t status, const nas_error_t *err,
                      size_t *reply_offset)
{
    nas_error_t ignored = {0};
    const nas_reply_t end = {.kind = NAS_REPLY_END, .status = status, .err = *err};
    session->replies.size = 0;
    for (int64_t g = 0; g < session->inputs.plan.n_groups; g++) {
        if (nas_reply_pack(&end, session->inputs.plan.n_metric, &session->replies, &ignored))
            nas_comm_abort("out of memory for the last message");
        reply_offset[g + 1] = session->replies.size;
    }
}

static void show_progress(nas_session_t *session)
{
    char detail[64] = "";
    if (session->state.n_repeat > 1) {
        int64_t n_complete = 0;
        for (int64_t r = 0; r < session->state.n_repeat; r++)
            n_complete += session->state.repeat[r].complete;
        (void)snprintf(detail, sizeof detail, "%lld of %lld repeats complete",
                       (long long)n_complete, (long long)session->state.n_repeat);
    }
    nas_progress_update(&session->progress, nas_ledger_count(session->ledger), detail);
}

void nas_session_round(nas_session_t *session, const char *steps, const size_t *offset,
                       const char **replies, size_t *reply_offset)
{
    nas_error_t err = {0};
    int64_t stop = 0;
    session->replies.size = 0;
    reply_offset[0] = 0;
    const double begin_s = nas_clock_monotonic_s();
    nas_status_t status = record_steps(session, steps, offset, reply_offset, &stop, &err);
    const double now_s = nas_clock_monotonic_s();
    session->spent_s += now_s - begin_s;
    const bool over = status || stop || nas_ledger_complete(session->ledger) ||
                      nas_stop_file_seen(&session->stop_file);
    if (over && !status) status = end_of_search(session, stop, &err);
    if (over || nas_checkpoint_due(&session->checkpoint, now_s, session->spent_s)) {
        nas_error_t save_err = {0};
        const nas_status_t saved = save(session, &save_err);
        if (saved > status) {
            status = saved;
            err = save_err;
        }
    }
    show_progress(session);
    if (over || status) reply_end(session, status, &err, reply_offset);
    *replies = session->replies.data;
}
