/* What a session takes over from an older run. */
#include "common/base/log.h"
#include "coordinator/session/session_internal.h"

#include <stdlib.h>
#include <string.h>

void nas_session_settle_measurement(nas_session_t *session)
{
    nas_scores_t *scores = &session->state.scores;
    if (scores->n == 0) return;
    if (scores->n_done == 0)
        scores->measurement = session->measurement;
    else if (scores->n_done < scores->n &&
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
        (long long)(state->scores.n - state->scores.n_done - known->n_partly));
    if (!status) nas_log_line("%s", state->event[state->n_event - 1].text);
    return status;
}

/* The folder of a file, with a slash behind it. NULL with err set. */
static char *folder_of(const char *path, nas_error_t *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? nas_string_format(err, "%.*s", (int)(slash - path + 1), path)
                         : nas_string_copy(".", err);
    char *whole = folder ? realpath(folder, NULL) : NULL;
    free(folder);
    if (!whole) {
        (void)nas_error_set(err, NAS_EIO, "%s: its folder is not there", path);
        return NULL;
    }
    char *found = nas_string_format(err, "%s%s", whole, whole[1] ? "/" : "");
    free(whole);
    return found;
}

/* How a file is found from a folder: up to what both paths have in common, then down. */
static char *path_from(const char *folder, const char *file, nas_error_t *err)
{
    size_t common = 0;
    for (size_t i = 0; folder[i] && folder[i] == file[i]; i++)
        if (folder[i] == '/') common = i + 1;
    char *path = nas_string_copy(file + common, err);
    for (const char *up = strchr(folder + common, '/'); path && up; up = strchr(up + 1, '/')) {
        char *longer = nas_string_format(err, "../%s", path);
        free(path);
        path = longer;
    }
    return path;
}

/* Note where evaluations come from, for who looks for what belongs to them. */
static nas_status_t note_source(nas_session_t *session, const char *path, nas_error_t *err)
{
    nas_strings_t *sources = &session->state.reused_from;
    char *file = realpath(path, NULL);
    char *folder = folder_of(session->inputs.job->output, err);
    char *found = file && folder ? path_from(folder, file, err) : NULL;
    nas_status_t status = NAS_OK; /* it has vanished meanwhile: then nobody will find it */
    if (found && nas_strings_find(sources, found) < 0)
        status = nas_strings_add(sources, found, strlen(found), err);
    free(found);
    free(folder);
    free(file);
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
    if (*what->notice.text) nas_log_line("%s", what->notice.text);
    if (state->n_repeat > 0 && !what->evaluations)
        nas_log_line("no evaluations are taken over from %s: its objective is not this job's",
                     path);
    if (state->scores.n > 0 && !what->scores)
        nas_log_line("no scores are taken over from %s: it has none that were measured as here",
                     path);
    const nas_status_t noted = what->evaluations ? note_source(session, path, err) : NAS_OK;
    if (noted) return noted;
    return what->scores ? take_scores(session, path, err) : NAS_OK;
}
