/* The life of a run on rank 0.
 *
 * States of the output:  nothing -> begun (by the first save) -> unfinished ... -> complete, or
 * given up, where nothing succeeds (objective.patience). Every save is atomic, so a death at any
 * instant leaves one of them; --resume takes up an unfinished one and replays its recorded
 * observations into the methods, which then go on exactly as they would have.
 *
 * Stages extend the state (nas_session_state), ask when to save and whether to stop, and say how
 * they ended. What a stage fails at ends it on all ranks together: what was recorded is saved if
 * that is still possible, and the first error is what the user reads. A request to stop (signal on
 * any rank, OUTPUT.stop) ends it in the same way, with status NAS_ESTOP.
 */
#include "coordinator/session/session.h"

#include "common/base/checkpoint.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/version.h"
#include "common/io/file.h"
#include "common/io/stop.h"
#include "common/state/statefile.h"
#include "coordinator/report/under_way.h"
#include "coordinator/report/verdict.h"
#include "coordinator/session/resume.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What an earlier session left, if it is to be resumed and there is something. */
typedef struct saved {
    nas_state_t state;
    nas_error_t notice;
    bool exists;
} saved_t;

struct nas_session {
    const nas_job_t *job; /* borrowed */
    int64_t patience;
    char *output; /* where the job's output is written, a link followed; owned */
    nas_lock_t *lock;
    nas_digest_t seen; /* nas_inputs_seen, before any input was read */
    saved_t saved;     /* until it is taken up */
    nas_state_t state;
    nas_file_identity_t last_save;
    nas_stop_file_t stop_file;
    bool saw_stop_file;
    nas_checkpoint_t checkpoint;
    double started_s;        /* monotonic */
    double elapsed_before_s; /* of earlier sessions */
};

/* ----------------------------------------------------------------------------------- beginning */

static nas_status_t take_output(nas_session_t *session, const nas_session_options_t *options,
                                nas_error_t *err)
{
    nas_status_t status = nas_file_follow(options->job->output, &session->output, err);
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

static nas_status_t read_saved(nas_session_t *session, const nas_session_options_t *options,
                               nas_error_t *err)
{
    saved_t *saved = &session->saved;
    if (!options->resume) return NAS_OK;
    saved->exists = nas_statefile_exists(session->output);
    if (!saved->exists) {
        nas_log_line("nothing to resume at %s; starting", session->output);
        return NAS_OK;
    }
    return nas_statefile_read(session->output, &saved->state, &saved->notice, err);
}

static nas_status_t open_session(nas_session_t *session, const nas_session_options_t *options,
                                 nas_error_t *err)
{
    nas_status_t status = take_output(session, options, err);
    if (!status) status = nas_stop_file_init(&session->stop_file, options->job->output, err);
    return status ? status : read_saved(session, options, err);
}

nas_status_t nas_session_create(const nas_session_options_t *options, nas_session_t **session_p,
                                nas_error_t *err)
{
    nas_session_t *session = calloc(1, sizeof *session);
    if (!session) return nas_error_nomem(err, "the session");
    *session = (nas_session_t){.job = options->job,
                               .patience = options->patience,
                               .checkpoint = {.interval_s = options->job->checkpoint.interval_s},
                               .started_s = nas_clock_monotonic_s()};
    const nas_status_t status = open_session(session, options, err);
    if (status) {
        nas_session_destroy(session);
        return status;
    }
    *session_p = session;
    return NAS_OK;
}

void nas_session_destroy(nas_session_t *session)
{
    if (!session) return;
    nas_stop_file_fini(&session->stop_file);
    free(session->output);
    nas_state_fini(&session->state);
    nas_state_fini(&session->saved.state);
    nas_lock_release(session->lock);
    free(session);
}

/* ------------------------------------------------------------------------- taking up what is
 * saved */

nas_status_t nas_session_say(nas_session_t *session, const char *line, nas_error_t *err)
{
    nas_log_line("%s", line);
    return nas_state_add_event(&session->state, err, "%s", line);
}

nas_state_t *nas_session_saved(nas_session_t *session)
{
    return session->saved.exists ? &session->saved.state : NULL;
}

/* The saved state becomes the session's. */
static nas_status_t take_saved(nas_session_t *session, nas_error_t *err)
{
    saved_t *saved = &session->saved;
    const nas_name_source_t arch = session->state.scores.arch;
    nas_state_fini(&session->state);
    session->state = saved->state;
    saved->state = (nas_state_t){0};
    nas_scores_name(&session->state.scores, &arch);
    session->elapsed_before_s = session->state.elapsed_s;
    return *saved->notice.text ? nas_session_say(session, saved->notice.text, err) : NAS_OK;
}

nas_status_t nas_session_settle(nas_session_t *session, const nas_session_options_t *options,
                                const nas_digest_t *seen, bool *settled, nas_error_t *err)
{
    static const nas_digest_t unknown;
    const saved_t *saved = &session->saved;
    session->seen = *seen;
    *settled = saved->exists && saved->state.complete && !options->retry_failed &&
               memcmp(seen, &unknown, sizeof *seen) != 0 &&
               memcmp(seen, &saved->state.seen_hash, sizeof *seen) == 0;
    return *settled ? take_saved(session, err) : NAS_OK;
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

static nas_status_t retry_unfit(nas_session_t *session, nas_error_t *err)
{
    nas_error_t line = {0};
    const int64_t n = nas_state_retry_unfit(&session->state);
    if (n == 0) return NAS_OK;
    (void)nas_error_set(&line, NAS_OK, "%lld architecture%s that did not fit the GPU: tried again",
                        (long long)n, plural(n));
    return nas_session_say(session, line.text, err);
}

/* Where the processor is of another kind than the one before. */
static nas_status_t note_processor(nas_session_t *session, const nas_session_options_t *options,
                                   nas_error_t *err)
{
    nas_error_t line = {0};
    if (session->state.complete ||
        !nas_state_has_moved(&session->state, options->isa, options->blas, &line))
        return NAS_OK;
    return nas_session_say(session, line.text, err);
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

static nas_status_t resume(nas_session_t *session, const nas_session_options_t *options,
                           nas_error_t *err)
{
    if (!session->saved.exists) return NAS_OK;
    nas_status_t status = nas_state_check_saved(session->job, &session->saved.state,
                                                &session->state, session->output, err);
    if (!status) status = take_saved(session, err);
    if (!status && options->retry_failed) status = retry(session, err);
    if (!status) status = retry_unfit(session, err);
    if (!status) status = note_processor(session, options, err);
    session->state.gave_up &= nas_session_gives_up(session);
    return status;
}

nas_status_t nas_session_take(nas_session_t *session, const nas_session_options_t *options,
                              nas_state_t *fresh, nas_error_t *err)
{
    session->state = *fresh;
    *fresh = (nas_state_t){0};
    const nas_status_t status = resume(session, options, err);
    session->state.seen_hash = session->seen;
    return status ? status : set_provenance(session, options, err);
}

/* ------------------------------------------------------------------------- stopping while
 * reading */

bool nas_session_stops_reading(nas_session_t *session)
{
    /* one that was there before is obeyed after the first step, unless that is far away */
    const double patience_s = 1.0;
    if (nas_clock_monotonic_s() - session->started_s > patience_s)
        (void)nas_session_sees_stop(session);
    return session->saw_stop_file;
}

nas_status_t nas_session_stop_reading(nas_session_t *session, nas_error_t *err)
{
    if (session->saw_stop_file) nas_session_forget_stop(session);
    return nas_error_set(
        err, NAS_ESTOP,
        "stopped on request while the inputs were read; nothing was begun, run the same again");
}

/* ---------------------------------------------------------------------------------------
 * looking */

const char *nas_session_output(const nas_session_t *session)
{
    return session->output;
}

nas_state_t *nas_session_state(nas_session_t *session)
{
    return &session->state;
}

bool nas_session_over(const nas_session_t *session)
{
    return session->state.complete || session->state.gave_up;
}

bool nas_session_gives_up(const nas_session_t *session)
{
    return nas_verdict_gives_up(&session->state, session->patience);
}

nas_status_t nas_session_verdict(const nas_session_t *session, nas_error_t *err)
{
    return nas_verdict(&session->state, session->output, err);
}

/* ------------------------------------------------------------------------------------- saving */

nas_status_t nas_session_save(nas_session_t *session, nas_error_t *err)
{
    const double begin_s = nas_clock_monotonic_s();
    session->state.updated_s = nas_clock_unix_s();
    session->state.elapsed_s = session->elapsed_before_s + begin_s - session->started_s;
    const nas_status_t status =
        nas_statefile_write(session->output, &session->state, &session->last_save, err);
    nas_checkpoint_saved(&session->checkpoint, begin_s, nas_clock_monotonic_s());
    return status;
}

nas_status_t nas_session_save_at_end(nas_session_t *session, nas_status_t status, nas_error_t *err)
{
    nas_error_t save_err = {0};
    const nas_status_t saved = nas_session_save(session, &save_err);
    if (saved <= status) return status;
    *err = save_err;
    return saved;
}

bool nas_session_save_is_due(const nas_session_t *session, double spent_s)
{
    return nas_checkpoint_due(&session->checkpoint, nas_clock_monotonic_s(), spent_s);
}

bool nas_session_save_has_last_chance(const nas_session_t *session, double step_s)
{
    return nas_checkpoint_last_chance(&session->checkpoint, nas_clock_monotonic_s(), step_s);
}

void nas_session_abandon(nas_session_t *session, const char *line)
{
    nas_error_t err = {0};
    (void)nas_state_add_event(&session->state, &err, "%s", line);
    (void)nas_session_save(session, &err);
}

/* ------------------------------------------------------------------------------------- stopping */

bool nas_session_sees_stop(nas_session_t *session)
{
    session->saw_stop_file |= nas_stop_file_seen(&session->stop_file);
    return session->saw_stop_file;
}

void nas_session_forget_stop(nas_session_t *session)
{
    (void)nas_stop_file_clear(&session->stop_file);
}

nas_status_t nas_session_stop(nas_session_t *session, int64_t signal, int64_t n_done,
                              const nas_progress_t *progress, nas_error_t *err)
{
    const bool by_signal = signal && !session->saw_stop_file;
    const nas_status_t status =
        by_signal
            ? nas_state_add_event(&session->state, err, "stopped by signal %d", (int)signal)
            : nas_state_add_event(&session->state, err, "stopped by %s", session->stop_file.path);
    if (status) return status;
    /* obeyed, even where a signal came first */
    const bool cleared = nas_stop_file_clear(&session->stop_file);
    return nas_error_set(
        err, NAS_ESTOP,
        "stopped on request after %lld of %lld %s; %s is saved, run again with --resume%s%s%s",
        (long long)n_done, (long long)progress->n_total, progress->unit, session->output,
        cleared ? "" : " when ", cleared ? "" : session->stop_file.path,
        cleared ? "" : ", which this user cannot remove, is gone");
}
