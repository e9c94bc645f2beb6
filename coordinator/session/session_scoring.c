/* Rounds of scoring on rank 0. */
#include "common/base/clock.h"
#include "coordinator/score/scoring.h"
#include "coordinator/session/session_internal.h"

#include <signal.h>
#include <string.h>

bool nas_session_needs_scores(const nas_session_t *session)
{
    const nas_scores_t *scores = &session->state.scores;
    return scores->n_done < scores->n;
}

void nas_session_begin_scoring(nas_session_t *session)
{
    const nas_scores_t *scores = &session->state.scores;
    nas_progress_init(&session->progress, "architectures", scores->n,
                      nas_progress_units(scores->n_done, scores->n));
}

bool nas_session_is_partly_scored(const nas_session_t *session, int64_t arch)
{
    return nas_score_reuse_is_partly(&session->known, arch);
}

void nas_session_record_score(nas_session_t *session, int64_t arch, int rank,
                              const nas_score_t *score, const double *value)
{
    nas_scores_t *scores = &session->state.scores;
    const size_t n_metric = session->state.metrics.n;
    nas_scores_set(scores, arch, score->status, score->seconds, rank);
    double *row = scores->value + (size_t)arch * n_metric;
    memcpy(row, value, n_metric * sizeof *value);
    if (score->status == NAS_SCORE_OK && nas_session_is_partly_scored(session, arch))
        nas_score_reuse_fill(&session->known, arch, (int64_t)n_metric, row);
}

/* All is scored: with nothing to search, so is the run. */
static nas_status_t end_of_scoring(nas_session_t *session, nas_error_t *err)
{
    const nas_status_t status = nas_state_add_event(
        &session->state, err, "scored %lld architectures", (long long)session->state.scores.n);
    session->state.complete = session->inputs.method == NULL;
    if (session->state.complete)
        (void)nas_stop_file_clear(&session->stop_file); /* as of a search */
    return status ? status : nas_session_save(session, err);
}

int nas_session_watch_scoring(nas_session_t *session)
{
    session->saw_stop_file |= nas_stop_file_seen(&session->stop_file);
    return session->saw_stop_file ? SIGTERM : 0;
}

nas_status_t nas_session_scored(nas_session_t *session, int64_t stop, nas_error_t *err)
{
    nas_error_t save_err = {0};
    const int64_t n_done = session->state.scores.n_done;
    nas_progress_update(&session->progress, nas_progress_units(n_done, session->state.scores.n),
                        "");
    if (session->failure) {
        *err = session->failure_text;
        return session->failure;
    }
    if (!nas_session_needs_scores(session)) return end_of_scoring(session, err);
    const bool by_file = nas_session_watch_scoring(session) != 0;
    if (!stop && !by_file) return NAS_OK;
    const nas_status_t status = nas_session_stop(session, by_file ? 0 : stop, n_done, err);
    const nas_status_t saved = nas_session_save(session, &save_err);
    if (saved > status) *err = save_err;
    return saved > status ? saved : status;
}

void nas_session_save_if_due(nas_session_t *session)
{
    const double now_s = nas_clock_monotonic_s();
    if (!nas_checkpoint_due(&session->checkpoint, now_s, 0) &&
        !nas_checkpoint_last_chance(&session->checkpoint, now_s, NAS_SCORING_ROUND_S))
        return;
    session->failure = nas_session_save(session, &session->failure_text);
}
