/* Finding what to export: the evaluation, and the file of its training. */
#include "common/state/statefile.h"
#include "coordinator/report/export.h"

#include <stdlib.h>
#include <string.h>

static bool is_better(const nas_state_t *state, const nas_evaluation_t *a,
                      const nas_evaluation_t *b)
{
    if (!b) return true;
    return state->minimise ? *a->value < *b->value : *a->value > *b->value;
}

/* The best successful evaluation, of one architecture or (name NULL) of any, with one seed or
 * (NULL) with any. */
static const nas_evaluation_t *find_evaluation(const nas_state_t *state, const char *name,
                                               const uint64_t *seed)
{
    const nas_evaluation_t *best = NULL;
    for (int64_t r = 0; r < state->n_repeat; r++)
        for (int64_t i = 0; i < state->repeat[r].n_evaluation; i++) {
            const nas_evaluation_t *e = &state->repeat[r].evaluation[i];
            const bool wanted =
                (!name || strcmp(e->name, name) == 0) && (!seed || e->seed == *seed);
            if (wanted && e->status == NAS_EVAL_OK && is_better(state, e, best)) best = e;
        }
    return best;
}

/* Read the candidate's file of an evaluation, beside the state file of the run that made it. */
static nas_status_t read_record(nas_export_t *what, const char *path, const nas_state_t *state,
                                const nas_evaluation_t *e, nas_error_t *err)
{
    nas_candidate_record_t *record = &what->record;
    bool found = false;
    nas_candidate_record_fini(record);
    record->candidate = (nas_candidate_t){.arch = e->arch, .seed = e->seed, .name = e->name};
    record->n_goals = state->n_goals;
    record->n_columns = (int64_t)state->report_columns.n;
    record->n_epochs = state->n_epochs;
    nas_status_t status = nas_state_identity(state, &record->run, err);
    char *stem = status ? NULL : nas_candidate_stem(path, &record->candidate, err);
    if (!status && !stem) status = NAS_ENOMEM;
    if (!status) status = nas_candidate_read(stem, record, &found, err);
    what->has_record = !status && found && record->done && record->parameters.n > 0;
    record->candidate.name = what->evaluation->name; /* another state's may go */
    free(stem);
    return status;
}

/* path, seen from the folder of `base`; the caller's (free). */
static char *beside(const char *base, const char *path, nas_error_t *err)
{
    const char *slash = strrchr(base, '/');
    if (*path == '/' || !slash) return nas_string_copy(path, err);
    return nas_string_format(err, "%.*s%s", (int)(slash - base + 1), base, path);
}

enum { MOST_SOURCES = 16 /* of one another */ };

static nas_status_t look_in(nas_export_t *what, const char *source, int depth, nas_error_t *err);

/* Where it was taken over from another run, look there, and so on. source: this run, as found from
 * the first one's folder; NULL: it is that. */
static nas_status_t look_elsewhere(nas_export_t *what, const nas_state_t *state, const char *source,
                                   int depth, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < state->reused_from.n && !status && !what->has_record; i++) {
        char *next = beside(source ? source : "", state->reused_from.at[i], err);
        status = next ? look_in(what, next, depth, err) : NAS_ENOMEM;
        free(next);
    }
    return status;
}

/* Whatever is wrong with another run, it is no source. */
static nas_status_t look_in(nas_export_t *what, const char *source, int depth, nas_error_t *err)
{
    nas_state_t state = {0};
    nas_error_t ignored = {0};
    const nas_evaluation_t *wanted = what->evaluation, *e = NULL;
    char *path = beside(what->path, source, err);
    nas_status_t status = path ? NAS_OK : NAS_ENOMEM;
    if (!status && depth < MOST_SOURCES && !nas_statefile_read(path, &state, &ignored, &ignored))
        e = find_evaluation(&state, wanted->name, &wanted->seed);
    if (e && !e->reused && read_record(what, path, &state, e, &ignored)) what->has_record = false;
    if (e && e->reused) status = look_elsewhere(what, &state, source, depth + 1, err);
    if (e && !e->reused && !what->source) what->source = nas_string_copy(source, err);
    nas_state_fini(&state);
    free(path);
    return status;
}

nas_status_t nas_export_find(const char *path, const nas_state_t *state, const char *arch,
                             nas_export_t *out, nas_error_t *err)
{
    const bool any = strcmp(arch, "best") == 0;
    nas_export_t what = {.path = path, .state = state};
    what.evaluation = find_evaluation(state, any ? NULL : arch, NULL);
    if (!what.evaluation && any)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: no architecture has been evaluated successfully yet", path);
    if (!what.evaluation)
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: no successful evaluation of '%s'; robotnas report --json lists them all", path,
            arch);
    const nas_evaluation_t *e = what.evaluation;
    nas_status_t status = read_record(&what, path, state, e, err);
    if (!status && !what.has_record && e->reused)
        status = look_elsewhere(&what, state, NULL, 0, err);
    if (status)
        nas_export_fini(&what);
    else
        *out = what;
    return status;
}

void nas_export_fini(nas_export_t *what)
{
    nas_candidate_record_fini(&what->record);
    free(what->source);
    *what = (nas_export_t){0};
}
