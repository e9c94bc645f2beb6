/* Rounds of the search on rank 0: what the groups' steps become. */
#include "common/base/clock.h"
#include "common/base/log.h"
#include "coordinator/session/session_internal.h"
#include "worker/candidates/candidate_file.h"
#include "worker/objectives/command/output.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* under_way: candidates' worth of work that is done of those being judged. Where nothing is judged,
 * what takes time is observing. */
static nas_progress_state_t progress_of(const nas_session_t *session, double under_way)
{
    const nas_plan_t *plan = &session->inputs.plan;
    const int64_t n_total = plan->n_repeat * plan->budget;
    nas_progress_state_t now = nas_progress_units(nas_ledger_count(session->ledger), n_total);
    now.done += under_way;
    now.share = now.done / (double)n_total;
    if (session->inputs.judging.kind == NAS_OBJECTIVE_TABLE && session->inputs.method->observes)
        now.share = nas_ledger_observed_share(session->ledger);
    return now;
}

void nas_session_begin_search(nas_session_t *session)
{
    const nas_plan_t *plan = &session->inputs.plan;
    nas_progress_init(&session->progress, "evaluations", plan->n_repeat * plan->budget,
                      progress_of(session, 0));
}

/* Observations are said where they are more than the evaluations; other: more to say, or "". */
static void update_progress(nas_session_t *session, double under_way, const char *other)
{
    char detail[128];
    const int64_t n_observed = nas_ledger_observed(session->ledger);
    (void)snprintf(detail, sizeof detail, "%lld observations%s%s", (long long)n_observed,
                   *other ? ", " : "", other);
    const bool is_more = n_observed > nas_ledger_count(session->ledger);
    nas_progress_update(&session->progress, progress_of(session, under_way),
                        is_more ? detail : other);
}

nas_status_t nas_session_stop_early(nas_session_t *session, int stop, nas_error_t *err)
{
    nas_error_t save_err = {0};
    const nas_status_t status = nas_session_stop(session, session->saw_stop_file ? 0 : stop,
                                                 nas_ledger_count(session->ledger), err);
    const nas_status_t saved = nas_session_save(session, &save_err);
    if (saved > status) *err = save_err;
    return saved > status ? saved : status;
}

static void tell_reused(const nas_session_t *session)
{
    const nas_strings_t *sources = &session->state.reused_from;
    const int64_t n = nas_ledger_reused(session->ledger);
    if (sources->n == 0) return;
    nas_log_line("%lld evaluation%s taken over from %s", (long long)n, n == 1 ? "" : "s",
                 sources->n == 1 ? sources->at[0] : "earlier runs");
}

static nas_status_t end_of_search(nas_session_t *session, int64_t stop, nas_error_t *err)
{
    const int64_t n_evaluated = nas_ledger_count(session->ledger);
    const bool ends = session->state.gave_up || nas_ledger_complete(session->ledger);
    tell_reused(session);
    if (ends) (void)nas_stop_file_clear(&session->stop_file); /* it would stop the next run here */
    if (session->state.gave_up)
        return nas_state_add_event(&session->state, err, "gave up after %lld failed evaluations",
                                   (long long)n_evaluated);
    if (!nas_ledger_complete(session->ledger))
        return nas_session_stop(session, stop, n_evaluated, err);
    session->state.complete = true;
    return nas_state_add_event(&session->state, err, "complete, %lld evaluations taken over",
                               (long long)nas_ledger_reused(session->ledger));
}

static nas_step_t step_of(const nas_session_t *session, int64_t group)
{
    nas_step_t step;
    const size_t begin = session->offset[group], size = session->offset[group + 1] - begin;
    const char *packed = size ? session->steps + begin : NULL; /* there may be no steps at all */
    nas_step_unpack(packed, size, session->inputs.plan.n_metric, &step);
    return step;
}

/* A group's failure or a request to stop ends judging before it begins. */
static void look_for_end(nas_session_t *session)
{
    static const nas_error_t none = {0};
    session->saw_stop_file |= nas_stop_file_seen(&session->stop_file);
    if (session->saw_stop_file) nas_session_end_judging(session, NAS_ESTOP, &none, SIGTERM);
    for (int64_t g = 0; g < session->inputs.plan.n_groups; g++) {
        const nas_step_t step = step_of(session, g);
        if (step.stop) nas_session_end_judging(session, NAS_ESTOP, &none, (int)step.stop);
        nas_session_end_judging(session, (nas_status_t)step.status, &step.err, 0);
    }
}

void nas_session_take_steps(nas_session_t *session, const char *steps, const size_t *offset)
{
    session->steps = steps;
    session->offset = offset;
    session->taken_s = nas_clock_monotonic_s();
    session->judged = NAS_OK;
    session->stop = 0;
    nas_ledger_begin_round(session->ledger);
    if (session->inputs.judging.kind == NAS_OBJECTIVE_TABLE) return;
    look_for_end(session);
    for (int64_t g = 0; g < session->inputs.plan.n_groups && !session->judged; g++) {
        const nas_step_t step = step_of(session, g);
        session->judged = nas_ledger_collect(session->ledger, &step, &session->judged_text);
    }
}

const nas_evaluator_plan_t *nas_session_judging(const nas_session_t *session)
{
    return &session->inputs.judging;
}

const nas_candidate_t *nas_session_candidates(const nas_session_t *session, int64_t *n)
{
    return nas_ledger_candidates(session->ledger, n);
}

/* With the path of what its trainer printed, where it has one. */
static void log_failure(const nas_session_t *session, const nas_candidate_t *candidate,
                        const char *reason)
{
    const bool has_output = session->inputs.judging.kind == NAS_OBJECTIVE_COMMAND;
    char *stem = nas_candidate_stem(session->output, candidate, NULL);
    if (has_output && stem)
        nas_log_line("%s failed: %s; its standard error: %s" NAS_OUTPUT_ERR, candidate->name,
                     reason, stem);
    else
        nas_log_line("%s failed: %s", candidate->name, reason);
    free(stem);
}

void nas_session_judged(nas_session_t *session, int64_t index, const nas_outcome_t *outcome,
                        int rank)
{
    nas_ledger_judged(session->ledger, index, outcome, rank);
    if (outcome->status != NAS_EVAL_FAILED) return;
    int64_t n = 0;
    const nas_candidate_t *candidate = nas_ledger_candidates(session->ledger, &n);
    log_failure(session, &candidate[index], outcome->reason);
}

void nas_session_end_judging(nas_session_t *session, nas_status_t status, const nas_error_t *err,
                             int stop)
{
    if (status <= session->judged) return;
    session->judged = status;
    session->judged_text = *err;
    session->stop = stop;
}

/* Record every group's step and pack its reply. Returns the first error; stop [out]: a signal, or
 * 0. */
static nas_status_t record_steps(nas_session_t *session, size_t *reply_offset, int64_t *stop,
                                 nas_error_t *err)
{
    const nas_plan_t *plan = &session->inputs.plan;
    nas_status_t status = NAS_OK;
    for (int64_t g = 0; !status && g < plan->n_groups; g++) {
        nas_reply_t reply;
        const nas_step_t step = step_of(session, g);
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
    if (session->state.n_repeat > 1)
        (void)snprintf(detail, sizeof detail, "%lld of %lld repeats complete",
                       (long long)nas_ledger_repeats_complete(session->ledger),
                       (long long)session->state.n_repeat);
    update_progress(session, 0, detail);
}

/* Of a round in which n candidates are judged. What is done of the very first of a session, so soon
 * after it began, may be what an earlier session did. */
static void show_round(nas_session_t *session, int64_t n, double share)
{
    char detail[64] = "";
    const double under_way = share * (double)n;
    (void)snprintf(detail, sizeof detail, "%.0f %% of the %lld under way", 100.0 * share,
                   (long long)n);
    const bool is_first = !session->has_watched && session->progress.done_at_start >=
                                                       (double)nas_ledger_count(session->ledger);
    if (is_first) nas_progress_restart(&session->progress, progress_of(session, under_way));
    session->has_watched = true;
    update_progress(session, under_way, detail);
}

int nas_session_watch(nas_session_t *session, double share)
{
    int64_t n = 0;
    (void)nas_session_candidates(session, &n);
    if (n > 0) show_round(session, n, share);
    session->saw_stop_file |= nas_stop_file_seen(&session->stop_file);
    return session->saw_stop_file ? SIGTERM : 0;
}

/* The steps count only once all that they ask for is known: what is missing would be looked for in
 * another order after a restart. */
static nas_status_t take_round(nas_session_t *session, size_t *reply_offset, int64_t *stop,
                               nas_error_t *err)
{
    if (!session->judged) return record_steps(session, reply_offset, stop, err);
    *err = session->judged_text;
    *stop = session->stop;
    return session->judged == NAS_ESTOP ? NAS_OK : session->judged;
}

void nas_session_round(nas_session_t *session, const char **replies, size_t *reply_offset)
{
    nas_error_t err = {0};
    int64_t stop = 0;
    session->replies.size = 0;
    reply_offset[0] = 0;
    nas_status_t status = take_round(session, reply_offset, &stop, &err);
    const double now_s = nas_clock_monotonic_s();
    /* looking up in a table is no work that would be lost */
    const bool judges = session->inputs.judging.kind != NAS_OBJECTIVE_TABLE;
    const double spent_s = judges ? now_s - session->taken_s : 0;
    session->saw_stop_file |= nas_stop_file_seen(&session->stop_file);
    session->state.gave_up = !status && !session->judged && !nas_ledger_complete(session->ledger) &&
                             nas_session_gives_up(session);
    const bool over = status || stop || session->judged || session->saw_stop_file ||
                      session->state.gave_up || nas_ledger_complete(session->ledger);
    if (over && !status) status = end_of_search(session, session->saw_stop_file ? 0 : stop, &err);
    if (over || nas_checkpoint_due(&session->checkpoint, now_s, spent_s)) {
        nas_error_t save_err = {0};
        const nas_status_t saved = nas_session_save(session, &save_err);
        if (saved > status) {
            status = saved;
            err = save_err;
        }
    }
    nas_ledger_begin_round(session->ledger); /* nobody is under way until the next steps come */
    show_progress(session);
    if (over || status) reply_end(session, status, &err, reply_offset);
    *replies = session->replies.data;
}
