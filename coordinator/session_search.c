/* Rounds of the search on rank 0: what the groups' steps become. */
#include "common/clock.h"
#include "coordinator/session_internal.h"

#include <stdio.h>

void nas_session_begin_search(nas_session_t *session)
{
    const nas_plan_t *plan = &session->inputs.plan;
    nas_progress_init(&session->progress, "evaluations", nas_ledger_count(session->ledger),
                      plan->n_repeat * plan->budget);
}

static nas_status_t end_of_search(nas_session_t *session, int64_t stop, nas_error_t *err)
{
    if (!nas_ledger_complete(session->ledger))
        return nas_session_stop(session, stop, nas_ledger_count(session->ledger), err);
    session->state.complete = true;
    return nas_state_add_event(&session->state, err, "complete, %lld evaluations taken over",
                               (long long)nas_ledger_reused(session->ledger));
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
        const nas_status_t saved = nas_session_save(session, &save_err);
        if (saved > status) {
            status = saved;
            err = save_err;
        }
    }
    show_progress(session);
    if (over || status) reply_end(session, status, &err, reply_offset);
    *replies = session->replies.data;
}
