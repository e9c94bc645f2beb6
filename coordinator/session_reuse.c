/* What a session takes over from an older run. */
#include "common/log.h"
#include "coordinator/session_internal.h"

#include <string.h>

void nas_session_settle_measurement(nas_session_t *session)
{
    nas_scores_t *scores = &session->state.scores;
    if (scores->n == 0) return;
    if (nas_scores_done(scores) == 0)
        scores->measurement = session->measurement;
    else if (nas_scores_done(scores) < scores->n &&
             memcmp(&scores->measurement, &session->measurement, sizeof scores->measurement) != 0)
        scores->measurement = (nas_digest_t){{0}};
}

/* Scores of an older run in place of new ones. */
static nas_status_t take_scores(nas_session_t *session, const char *path, nas_error_t *err)
{
    nas_state_t *state = &session->state;
    nas_score_reuse_t *known = &session->known;
    if (!nas_session_needs_scores(session)) return NAS_OK;
    nas_status_t status =
        nas_score_reuse_init(known, &session->old, state, session->inputs.pool.names, err);
    if (status) return status;
    nas_score_reuse_take(known, state);
    session->inputs.scoring.known =
        (int64_t)nas_score_reuse_known(known, (int64_t)state->metrics.n);
    status = nas_state_add_event(
        state, err,
        "scores of %lld architectures taken over from %s, of %lld more in part, %lld to compute",
        (long long)known->n_taken, path, (long long)known->n_partly,
        (long long)(state->scores.n - nas_scores_done(&state->scores) - known->n_partly));
    if (!status) nas_log_line("%s", state->event[state->n_event - 1].text);
    return status;
}

nas_status_t nas_session_open_old(nas_session_t *session, const char *path, nas_reusable_t *what,
                                  nas_error_t *err)
{
    const nas_state_t *state = &session->state;
    if (!path) return NAS_OK;
    const nas_status_t status =
        nas_state_read_reusable(&session->old, path, state, &session->measurement, what, err);
    if (status) return status;
    if (state->n_repeat > 0 && !what->evaluations)
        nas_log_line("no evaluations are taken over from %s: its objective is not this job's",
                     path);
    if (state->scores.n > 0 && !what->scores)
        nas_log_line("no scores are taken over from %s: it has none that were measured as here",
                     path);
    return what->scores ? take_scores(session, path, err) : NAS_OK;
}
