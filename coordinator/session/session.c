/* The life of a run on rank 0.
 *
 * States of the output:  nothing -> begun (nas_session_begin) -> unfinished ... -> complete, or
 * given up, where nothing succeeds (objective.patience). Every save is atomic, so a death at any
 * instant leaves one of them; --resume takes up an unfinished one and replays its recorded
 * observations into the methods, which then go on exactly as they would have.
 *
 * Failures: an error of any group's method, of the ledger or of a save ends the search for all
 * groups in the same round: what was recorded is saved if that is still possible, and the first
 * error is what the user reads. A request to stop (signal on any rank, OUTPUT.stop) ends it in the
 * same way, with status NAS_ESTOP.
 */
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/version.h"
#include "common/state/statefile.h"
#include "coordinator/inputs/inputs_metrics.h"
#include "coordinator/inputs/notes.h"
#include "coordinator/report/under_way.h"
#include "coordinator/report/verdict.h"
#include "coordinator/session/resume.h"
#include "coordinator/session/session_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ----------------------------------------------------------------------------------- beginning */

static nas_status_t take_output(nas_session_t *session, const nas_session_options_t *options,
                                nas_error_t *err)
{
    nas_status_t status = nas_file_follow(session->inputs.job->output, &session->output, err);
    const char *output = session->output;
    if (!status) status = nas_file_make_parents(output, err);
    if (!status) status = nas_lock_acquire(output, &session->lock, err);
    if (!status && nas_lock_missing(session->lock))
        nas_log_line("%s", nas_lock_missing(session->lock));
    if (status || options->resume) return status;
    status = nas_statefile_check_own(output, err);
    if (status || options->fresh || !nas_statefile_exists(output)) return status;
    return nas_error_set(
        err, NAS_EINPUT,
        "%s: a run is there already; --resume goes on with it (or leaves it alone once finished), --fresh starts anew",
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
    replace_string(&state->blas, nas_string_copy(options->blas, err));
    state->n_ranks = options->n_ranks;
    const bool has_all =
        state->program_version && state->commit && state->host && state->isa && state->blas;
    return has_all ? NAS_OK : NAS_ENOMEM;
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

/* Failures that are recorded, and those that only candidates' files know of, as where a step was
 * interrupted. */
static nas_status_t count_failures(const nas_session_t *session, int64_t *n_failed,
                                   nas_error_t *err)
{
    nas_under_way_t under_way = {0};
    const nas_status_t status =
        nas_under_way_read(session->output, &session->state, &under_way, err);
    int64_t n = nas_state_count_failed(&session->state);
    for (int64_t i = 0; i < under_way.n; i++)
        n += under_way.at[i].done && under_way.at[i].outcome.status == NAS_EVAL_FAILED;
    nas_under_way_fini(&under_way);
    *n_failed = n;
    return status;
}

/* Begin a retry, which the first save makes hold. */
static nas_status_t retry(nas_session_t *session, nas_error_t *err)
{
    nas_state_t *state = &session->state;
    int64_t n_failed = 0;
    nas_status_t status = count_failures(session, &n_failed, err);
    if (status) return status;
    if (n_failed == 0) {
        nas_log_line("no evaluation of %s failed; there is nothing to retry", session->output);
        return NAS_OK;
    }
    status = nas_state_retry(state, err);
    if (status) return status;
    int64_t n_known = 0;
    for (int64_t r = 0; r < state->n_repeat; r++) n_known += state->repeat[r].n_known;
    status = nas_state_add_event(
        state, err, "retry %lld: %lld failed evaluation%s to be made again, %lld known result%s",
        (long long)state->generation, (long long)n_failed, plural(n_failed), (long long)n_known,
        plural(n_known));
    if (!status) nas_log_line("%s", state->event[state->n_event - 1].text);
    return status;
}

/* What an earlier session left, if it is to be resumed and there is something. */
typedef struct saved {
    nas_state_t state;
    nas_error_t notice;
    bool exists;
} saved_t;

static nas_status_t read_saved(const nas_session_t *session, const nas_session_options_t *options,
                               saved_t *saved, nas_error_t *err)
{
    if (!options->resume) return NAS_OK;
    saved->exists = nas_statefile_exists(session->output);
    if (!saved->exists) {
        nas_log_line("nothing to resume at %s; starting", session->output);
        return NAS_OK;
    }
    return nas_statefile_read(session->output, &saved->state, &saved->notice, err);
}

/* Whether a run is complete and its inputs are what they were: nothing of them is needed then, and
 * a table of 10^7 rows is not read to find that out. Where in doubt they are read. */
static bool is_settled(const nas_session_t *session, const saved_t *saved)
{
    static const nas_digest_t unknown;
    const nas_digest_t *seen = &session->seen;
    return saved->exists && saved->state.complete && memcmp(seen, &unknown, sizeof *seen) != 0 &&
           memcmp(seen, &saved->state.seen_hash, sizeof *seen) == 0;
}

/* In the log and for good. */
static nas_status_t say(nas_session_t *session, const nas_error_t *line, nas_error_t *err)
{
    nas_log_line("%s", line->text);
    return nas_state_add_event(&session->state, err, "%s", line->text);
}

/* The saved state becomes the session's. */
static nas_status_t take_saved(nas_session_t *session, saved_t *saved, nas_error_t *err)
{
    const nas_name_source_t arch = session->state.scores.arch;
    nas_state_fini(&session->state);
    session->state = saved->state;
    saved->state = (nas_state_t){0};
    nas_scores_name(&session->state.scores, &arch);
    session->elapsed_before_s = session->state.elapsed_s;
    return *saved->notice.text ? say(session, &saved->notice, err) : NAS_OK;
}

/* Where the processor is of another kind than the one before. */
static nas_status_t note_processor(nas_session_t *session, const nas_session_options_t *options,
                                   nas_error_t *err)
{
    nas_error_t line = {0};
    if (session->state.complete ||
        !nas_state_has_moved(&session->state, options->isa, options->blas, &line))
        return NAS_OK;
    return say(session, &line, err);
}

static nas_status_t resume(nas_session_t *session, const nas_session_options_t *options,
                           saved_t *saved, nas_error_t *err)
{
    if (!saved->exists) return NAS_OK;
    nas_status_t status =
        nas_state_check_saved(&saved->state, session->output, &session->state, err);
    if (!status) status = take_saved(session, saved, err);
    if (!status && options->retry_failed) status = retry(session, err);
    if (!status) status = note_processor(session, options, err);
    session->state.gave_up &= nas_session_gives_up(session);
    return status;
}

static nas_status_t open_ledger(nas_session_t *session, bool reuses, nas_error_t *err)
{
    const nas_ledger_options_t ledger = {.state = &session->state,
                                         .objective = session->inputs.objective,
                                         .names = session->inputs.pool.names,
                                         .reuse = reuses ? &session->old : NULL,
                                         .n_groups = session->inputs.plan.n_groups};
    return nas_ledger_create(&ledger, &session->ledger, err);
}

/* Read the inputs and make of them, and of what is saved, a state to go on from. */
static nas_status_t open_inputs(nas_session_t *session, const nas_session_options_t *options,
                                saved_t *saved, nas_error_t *err)
{
    nas_inputs_t *inputs = &session->inputs;
    nas_reusable_t reusable = {0};
    nas_status_t status = nas_inputs_read_files(inputs, err);
    if (status) return status;
    nas_plan_t *plan = &inputs->plan;
    plan->n_groups = nas_plan_groups(inputs->job->search.groups, plan->n_repeat,
                                     plan->n_arch * plan->n_metric, options->n_ranks);
    session->checkpoint.interval_s = inputs->job->checkpoint.interval_s;
    status = nas_state_begin(&session->state, inputs, err);
    if (!status && inputs->batch.n > 0)
        status = nas_score_measurement(inputs, options->isa, &session->measurement, err);
    if (!status) status = resume(session, options, saved, err);
    session->state.seen_hash = session->seen;
    nas_session_settle_measurement(session);
    inputs->judging.size.n_goals = session->state.n_goals;
    inputs->judging.size.n_columns = (int64_t)session->state.report_columns.n;
    inputs->judging.generation = session->state.generation;
    if (!status) status = nas_state_identity(&session->state, &inputs->judging.run, err);
    if (!status) status = set_provenance(session, options, err);
    if (!status) status = nas_session_open_old(session, options->reuse, &reusable, err);
    if (!status && inputs->method) status = open_ledger(session, reusable.evaluations, err);
    return status;
}

/* While inputs are read. */
typedef struct reading {
    nas_session_t *session;
    const nas_interrupt_t *outer;
} reading_t;

static bool stops_reading(void *context, double share)
{
    const reading_t *reading = context;
    nas_session_t *session = reading->session;
    /* one that was there before is obeyed after the first step, unless that is far away */
    const double patience_s = 1.0;
    if (nas_clock_monotonic_s() - session->started_s > patience_s)
        session->saw_stop_file |= nas_stop_file_seen(&session->stop_file);
    return session->saw_stop_file || nas_interrupted(reading->outer, share);
}

/* Nothing is begun before all is read, so that there is nothing to save. */
static nas_status_t stop_reading(nas_session_t *session, nas_error_t *err)
{
    if (session->saw_stop_file) (void)nas_stop_file_clear(&session->stop_file);
    return nas_error_set(
        err, NAS_ESTOP,
        "stopped on request while the inputs were read; nothing was begun, run the same again");
}

static nas_status_t open_session(nas_session_t *session, const nas_session_options_t *options,
                                 nas_error_t *err)
{
    saved_t saved = {0};
    reading_t reading = {.session = session, .outer = options->interrupt};
    const nas_interrupt_t interrupt = {.asked = stops_reading, .context = &reading};
    nas_status_t status = nas_inputs_read_job(&session->inputs, &options->job, err);
    if (!status) status = take_output(session, options, err);
    if (!status) status = nas_stop_file_init(&session->stop_file, session->inputs.job->output, err);
    if (!status) status = nas_inputs_seen(&session->inputs, &session->seen, err);
    if (!status) status = read_saved(session, options, &saved, err);
    session->inputs.interrupt = &interrupt;
    if (!status)
        status = is_settled(session, &saved) && !options->retry_failed
                     ? take_saved(session, &saved, err)
                     : open_inputs(session, options, &saved, err);
    session->inputs.interrupt = NULL;
    nas_state_fini(&saved.state);
    return status == NAS_ESTOP ? stop_reading(session, err) : status;
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

const char *nas_session_output(const nas_session_t *session)
{
    return session->output;
}

const nas_state_t *nas_session_state(const nas_session_t *session)
{
    return &session->state;
}

bool nas_session_over(const nas_session_t *session)
{
    return session->state.complete || session->state.gave_up;
}

bool nas_session_gives_up(const nas_session_t *session)
{
    const nas_job_t *job = session->inputs.job;
    return job->objective.kind != NAS_OBJECTIVE_TABLE &&
           nas_verdict_gives_up(&session->state, job->objective.patience);
}

nas_status_t nas_session_verdict(const nas_session_t *session, nas_error_t *err)
{
    return nas_verdict(&session->state, session->output, err);
}

void nas_session_destroy(nas_session_t *session)
{
    if (!session) return;
    nas_ledger_destroy(session->ledger);
    nas_score_reuse_fini(&session->known);
    nas_stop_file_fini(&session->stop_file);
    free(session->output);
    nas_state_fini(&session->state);
    nas_state_fini(&session->old);
    nas_lock_release(session->lock);
    nas_inputs_fini(&session->inputs);
    free(session->replies.data);
    free(session);
}

/* ------------------------------------------------------------------------------------- saving */

nas_status_t nas_session_save(nas_session_t *session, nas_error_t *err)
{
    const double begin_s = nas_clock_monotonic_s();
    session->state.updated_s = nas_clock_unix_s();
    session->state.elapsed_s = session->elapsed_before_s + begin_s - session->started_s;
    const nas_status_t status = nas_statefile_write(session->output, &session->state, NULL, err);
    nas_checkpoint_saved(&session->checkpoint, begin_s, nas_clock_monotonic_s());
    return status;
}

nas_status_t nas_session_stop(nas_session_t *session, int64_t signal, int64_t n_done,
                              nas_error_t *err)
{
    const nas_status_t status =
        signal
            ? nas_state_add_event(&session->state, err, "stopped by signal %d", (int)signal)
            : nas_state_add_event(&session->state, err, "stopped by %s", session->stop_file.path);
    if (status) return status;
    /* obeyed, even where a signal came first */
    const bool cleared = nas_stop_file_clear(&session->stop_file);
    return nas_error_set(
        err, NAS_ESTOP,
        "stopped on request after %lld of %lld %s; %s is saved, run again with --resume%s%s%s",
        (long long)n_done, (long long)session->progress.n_total, session->progress.unit,
        session->output, cleared ? "" : " when ", cleared ? "" : session->stop_file.path,
        cleared ? "" : ", which this user cannot remove, is gone");
}

void nas_session_abandon(nas_session_t *session, const char *line)
{
    nas_error_t err = {0};
    (void)nas_state_add_event(&session->state, &err, "%s", line);
    (void)nas_session_save(session, &err);
}

static void announce(const nas_session_t *session)
{
    const nas_state_t *state = &session->state;
    const nas_plan_t *plan = &session->inputs.plan;
    if (!session->inputs.method) {
        nas_log_line("%s: scoring %lld architectures, %zu metric%s, %d rank%s", state->job_name,
                     (long long)state->n_arch, state->metrics.n, plural((int64_t)state->metrics.n),
                     state->n_ranks, plural(state->n_ranks));
        return;
    }
    nas_log_line(
        "%s: method %s, %lld architectures, budget %lld, %lld repeat%s, %d rank%s in %lld group%s",
        state->job_name, state->method, (long long)plan->n_arch, (long long)plan->budget,
        (long long)plan->n_repeat, plural(plan->n_repeat), state->n_ranks, plural(state->n_ranks),
        (long long)plan->n_groups, plural(plan->n_groups));
}

/* Whatever `note` collects. */
static nas_status_t say_notes(const nas_session_t *session, nas_note_t *note, nas_error_t *err)
{
    nas_strings_t notes = {0};
    const nas_status_t status = note(&session->inputs, &notes, err);
    for (size_t i = 0; i < notes.n; i++) nas_log_line("note: %s", notes.at[i]);
    nas_strings_fini(&notes);
    return status;
}

nas_status_t nas_session_look_at_metrics(nas_session_t *session, nas_error_t *err)
{
    nas_inputs_t *inputs = &session->inputs;
    nas_status_t status = NAS_OK;
    if (!inputs->method->needs_metrics) return NAS_OK;
    if (inputs->job->metrics.source == NAS_SOURCE_COMPUTE) {
        status = nas_inputs_look_at_metrics(inputs, &session->state.scores, err);
        if (!status) status = say_notes(session, nas_inputs_note_metrics, err);
    }
    return status ? status : nas_inputs_mark_constant(inputs, &session->state, err);
}

nas_status_t nas_session_begin(nas_session_t *session, nas_error_t *err)
{
    nas_state_t *state = &session->state;
    const int64_t n_scored = state->scores.n_done;
    const int64_t n_evaluated = session->ledger ? nas_ledger_count(session->ledger) : 0;
    const bool goes_on = n_scored > 0 || n_evaluated > 0 || state->generation > 0;
    announce(session);
    /* where all that was to be scored was taken over */
    if (!session->inputs.method && !nas_session_needs_scores(session)) state->complete = true;
    nas_status_t status = say_notes(session, nas_inputs_note, err);
    if (status) return status;
    if (n_scored) nas_log_line("going on after %lld scored architectures", (long long)n_scored);
    if (n_evaluated) nas_log_line("going on after %lld evaluations", (long long)n_evaluated);
    status = nas_state_add_event(state, err, "%s on %d rank%s", goes_on ? "resumed" : "started",
                                 state->n_ranks, plural(state->n_ranks));
    if (status) return status;
    return nas_session_save(session, err);
}
