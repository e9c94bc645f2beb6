/* Rounds of scoring on rank 0. */
#include "coordinator/score/score_stage.h"

#include "common/base/log.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static nas_scores_t *scores_of(const nas_score_stage_t *stage)
{
    return &nas_session_state(stage->session)->scores;
}

/* ------------------------------------------------------------------------------ life and death */

static void settle_measurement(nas_score_stage_t *stage)
{
    nas_scores_t *scores = scores_of(stage);
    if (scores->n == 0) return;
    if (scores->n_done == 0)
        scores->measurement = stage->measurement;
    else if (scores->n_done < scores->n &&
             memcmp(&scores->measurement, &stage->measurement, sizeof scores->measurement) != 0)
        scores->measurement = (nas_digest_t){{0}};
}

nas_status_t nas_score_stage_create(const nas_score_stage_options_t *options,
                                    nas_score_stage_t **stage_p, nas_error_t *err)
{
    nas_score_stage_t *stage = calloc(1, sizeof *stage);
    if (!stage) return nas_error_nomem(err, "scoring");
    *stage = (nas_score_stage_t){
        .session = options->session,
        .pool = options->pool,
        .inputs = options->inputs,
        .parameters = nas_score_parameters(options->job, options->pool, options->inputs),
        .is_last = options->is_last};
    const nas_status_t status = nas_score_measurement(&stage->parameters, &options->inputs->content,
                                                      options->unit, &stage->measurement, err);
    if (status) {
        nas_score_stage_destroy(stage);
        return status;
    }
    settle_measurement(stage);
    *stage_p = stage;
    return NAS_OK;
}

const nas_digest_t *nas_score_stage_measurement(const nas_score_stage_t *stage)
{
    return stage ? &stage->measurement : NULL;
}

nas_status_t nas_score_stage_reuse(nas_score_stage_t *stage, const nas_reusable_t *old,
                                   nas_error_t *err)
{
    nas_state_t *state = nas_session_state(stage->session);
    nas_score_reuse_t *known = &stage->known;
    if (!nas_score_stage_is_needed(stage)) return NAS_OK;
    const nas_name_source_t names = nas_pool_names(stage->pool);
    nas_status_t status = nas_score_reuse_init(known, &old->state, state, &names, err);
    if (status) return status;
    nas_score_reuse_take(known, state);
    stage->parameters.known = (int64_t)nas_score_reuse_known(known, (int64_t)state->metrics.n);
    status = nas_state_add_event(
        state, err,
        "scores of %lld architectures taken over from %s, of %lld more in part, %lld to compute",
        (long long)known->n_taken, old->path, (long long)known->n_partly,
        (long long)(state->scores.n - state->scores.n_done - known->n_partly));
    if (!status) nas_log_line("%s", state->event[state->n_event - 1].text);
    return status;
}

bool nas_score_stage_is_needed(const nas_score_stage_t *stage)
{
    return stage && scores_of(stage)->n_done < scores_of(stage)->n;
}

void nas_score_stage_destroy(nas_score_stage_t *stage)
{
    if (!stage) return;
    nas_score_reuse_fini(&stage->known);
    free(stage);
}

/* -------------------------------------------------------------------------------------- rounds */

void nas_score_stage_begin(nas_score_stage_t *stage)
{
    const nas_scores_t *scores = scores_of(stage);
    nas_progress_init(&stage->progress, "architectures", scores->n,
                      nas_progress_units(scores->n_done, scores->n));
}

bool nas_score_stage_is_partly_known(const nas_score_stage_t *stage, int64_t arch)
{
    return nas_score_reuse_is_partly(&stage->known, arch);
}

void nas_score_stage_record(nas_score_stage_t *stage, int64_t arch, int rank,
                            const nas_score_t *score, const double *value)
{
    nas_scores_t *scores = scores_of(stage);
    const size_t n_metric = (size_t)stage->parameters.n_metric;
    nas_scores_set(scores, arch, score->status, score->seconds, rank);
    double *row = scores->value + (size_t)arch * n_metric;
    memcpy(row, value, n_metric * sizeof *value);
    if (score->status == NAS_SCORE_OK && nas_score_stage_is_partly_known(stage, arch))
        nas_score_reuse_fill(&stage->known, arch, (int64_t)n_metric, row);
}

/* All is scored: with nothing to search, so is the run, unless there is something that did not fit. */
static nas_status_t end_of_scoring(nas_score_stage_t *stage, nas_error_t *err)
{
    nas_state_t *state = nas_session_state(stage->session);
    const int64_t n = state->scores.n, n_unfit = nas_scores_count(&state->scores, NAS_SCORE_UNFIT);
    const nas_status_t status =
        nas_state_add_event(state, err, "scored %lld architectures", (long long)(n - n_unfit));
    if (n_unfit > 0)
        nas_log_line(
            "%lld of %lld architectures did not fit the GPU, not even alone: %s",
            (long long)n_unfit, (long long)n,
            stage->is_last
                ? "they are tried again with --resume; a smaller metrics.batch needs less memory"
                : "they count as having no metric values; a smaller metrics.batch needs less memory");
    state->complete = stage->is_last && n_unfit == 0;
    if (state->complete) nas_session_forget_stop(stage->session); /* as of a search */
    return status ? status : nas_session_save(stage->session, err);
}

void nas_score_stage_note_failure(nas_score_stage_t *stage, const nas_error_t *failure)
{
    if (!*failure->text || *stage->first_failed.text) return;
    stage->first_failed = *failure;
    nas_log_line("an architecture cannot be scored and counts as failed: %s", failure->text);
}

/* A pool of which nothing can be scored is a mistake in the job, most likely. Files that were known
 * to fail before say nothing of the others, and are among the first, since they take no time. */
static nas_status_t check_any(nas_score_stage_t *stage, nas_error_t *err)
{
    enum { ENOUGH = 3 };
    const nas_scores_t *scores = scores_of(stage);
    const int64_t enough = ENOUGH + stage->inputs->n_unreadable;
    if (stage->has_scored || !*stage->first_failed.text) return NAS_OK;
    stage->has_scored = nas_scores_count(scores, NAS_SCORE_FAILED) < scores->n_done;
    if (stage->has_scored || (scores->n_done < enough && scores->n_done < scores->n)) return NAS_OK;
    (void)nas_error_set(err, NAS_EINPUT,
                        "all of the first %lld architectures failed; the first of them: %s",
                        (long long)scores->n_done, stage->first_failed.text);
    return nas_session_save_at_end(stage->session, NAS_EINPUT, err);
}

int nas_score_stage_watch(nas_score_stage_t *stage)
{
    return nas_session_sees_stop(stage->session) ? SIGTERM : 0;
}

/* After a save that failed while the others scored: once more, now with what they found. */
static nas_status_t save_again(nas_score_stage_t *stage, nas_error_t *err)
{
    if (!stage->failure) return NAS_OK;
    const nas_status_t status = nas_session_save(stage->session, err);
    if (!status) nas_log_line("%s; saved at the second attempt", stage->failure_text.text);
    stage->failure = NAS_OK;
    return status;
}

nas_status_t nas_score_stage_end_round(nas_score_stage_t *stage, int64_t stop, nas_error_t *err)
{
    const nas_scores_t *scores = scores_of(stage);
    const int64_t n_done = scores->n_done;
    nas_progress_update(&stage->progress, nas_progress_units(n_done, scores->n), "");
    nas_status_t status = save_again(stage, err);
    if (!status) status = check_any(stage, err);
    if (status) return status;
    if (!nas_score_stage_is_needed(stage)) return end_of_scoring(stage, err);
    if (!nas_score_stage_watch(stage) && !stop) return NAS_OK;
    status = nas_session_stop(stage->session, stop, n_done, &stage->progress, err);
    return nas_session_save_at_end(stage->session, status, err);
}

nas_status_t nas_score_stage_break_off(nas_score_stage_t *stage, int rank, nas_status_t status,
                                       nas_error_t *err)
{
    const nas_error_t cause = *err;
    nas_error_t ignored = {0};
    const nas_scores_t *scores = scores_of(stage);
    (void)nas_state_add_event(nas_session_state(stage->session), &ignored,
                              "broken off by rank %d: %s", rank, cause.text);
    (void)nas_error_set(
        err, status,
        "rank %d: %s; broken off after %lld of %lld architectures; %s is saved, run again with --resume",
        rank, cause.text, (long long)scores->n_done, (long long)scores->n,
        nas_session_output(stage->session));
    return nas_session_save_at_end(stage->session, status, err);
}

void nas_score_stage_save_if_due(nas_score_stage_t *stage)
{
    if (nas_session_save_is_due(stage->session, 0) ||
        nas_session_save_has_last_chance(stage->session, NAS_SCORE_ROUND_S))
        stage->failure = nas_session_save(stage->session, &stage->failure_text);
}
