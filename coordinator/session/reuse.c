#include "coordinator/session/reuse.h"

#include "common/base/log.h"
#include "common/state/statefile.h"
#include "coordinator/session/resume.h"

#include <stdlib.h>
#include <string.h>

bool nas_scores_are_measured(const nas_scores_t *scores)
{
    return nas_digest_is_known(&scores->measurement);
}

/* ----------------------------------------------------------------------- what can be taken over */

/* Why scores cannot be taken over, or NULL. */
static const char *why_not_scores(const nas_state_t *saved, const nas_digest_t *measurement)
{
    if (saved->scores.n == 0) return "it has none";
    if (!nas_scores_are_measured(&saved->scores))
        return "its file does not say how they were measured, or they were in more than one way";
    if (!nas_digest_equal(&saved->scores.measurement, measurement))
        return "network, batch of images, seed, backend or instruction set differ";
    return NULL;
}

static nas_status_t check_reusable(nas_reusable_t *old, const nas_state_t *fresh,
                                   const nas_digest_t *measurement, nas_error_t *err)
{
    const nas_state_t *saved = &old->state;
    const char *path = old->path;
    const bool searches = fresh->n_repeat > 0, scores = fresh->scores.n > 0;
    const char *reason = scores ? why_not_scores(saved, measurement) : NULL;
    old->evaluations = searches &&
                       nas_digest_equal(&saved->objective_hash, &fresh->objective_hash) &&
                       nas_state_has_shape(saved, fresh);
    old->scores = scores && !reason;
    if (old->evaluations || old->scores) return NAS_OK;
    if (!searches)
        return nas_error_set(err, NAS_EINPUT, "--reuse %s: its scores cannot be taken over: %s",
                             path, reason);
    return nas_error_set(
        err, NAS_EINPUT,
        "--reuse %s: its objective is not this job's (keys objective.*, its table, or network and images differ), so its evaluations cannot be taken over%s%s",
        path, reason ? "; nor can its scores: " : "", reason ? reason : "");
}

static void say_what_is_left(const nas_reusable_t *old, const nas_state_t *fresh)
{
    if (*old->notice.text) nas_log_line("%s", old->notice.text);
    if (fresh->n_repeat > 0 && !old->evaluations)
        nas_log_line("no evaluations are taken over from %s: its objective is not this job's",
                     old->path);
    if (fresh->scores.n > 0 && !old->scores)
        nas_log_line("no scores are taken over from %s: it has none that were measured as here",
                     old->path);
}

/* ------------------------------------------------------------------------- where it comes from */

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
static nas_status_t note_source(nas_state_t *state, const char *output, const char *path,
                                nas_error_t *err)
{
    nas_strings_t *sources = &state->reused_from;
    char *file = realpath(path, NULL);
    char *folder = folder_of(output, err);
    char *found = file && folder ? path_from(folder, file, err) : NULL;
    nas_status_t status = NAS_OK; /* it has vanished meanwhile: then nobody will find it */
    if (found && nas_strings_find(sources, found) < 0)
        status = nas_strings_add(sources, found, strlen(found), err);
    free(found);
    free(folder);
    free(file);
    return status;
}

/* ----------------------------------------------------------------------------------------- all */

nas_status_t nas_reusable_read(nas_reusable_t *old, const char *path, nas_error_t *err)
{
    *old = (nas_reusable_t){.path = path};
    return nas_statefile_read(path, &old->state, &old->notice, err);
}

nas_status_t nas_reusable_choose(nas_reusable_t *old, const nas_reuse_options_t *options,
                                 nas_state_t *state, nas_error_t *err)
{
    const nas_status_t status = check_reusable(old, state, options->measurement, err);
    if (status) return status;
    say_what_is_left(old, state);
    return old->evaluations ? note_source(state, options->output, old->path, err) : NAS_OK;
}

void nas_reusable_fini(nas_reusable_t *old)
{
    nas_state_fini(&old->state);
    *old = (nas_reusable_t){0};
}
