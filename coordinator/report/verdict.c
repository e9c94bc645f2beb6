#include "coordinator/report/verdict.h"

#include "common/io/file.h"
#include "worker/candidates/candidate_file.h"
#include "worker/objectives/command/output.h"

#include <stdio.h>
#include <stdlib.h>

/* The evaluations of a run, one after the other, until `most` have failed or one has succeeded. */
typedef struct tally {
    int64_t n_succeeded;
    int64_t n_failed;
    const nas_evaluation_t *first; /* that failed */
} tally_t;

static tally_t count(const nas_state_t *state, int64_t most)
{
    tally_t tally = {0};
    for (int64_t r = 0; r < state->n_repeat; r++) {
        const nas_repeat_t *repeat = &state->repeat[r];
        for (int64_t i = 0; i < repeat->n_evaluation; i++) {
            const nas_evaluation_t *evaluation = &repeat->evaluation[i];
            tally.n_succeeded += evaluation->status == NAS_EVAL_OK;
            if (evaluation->status == NAS_EVAL_FAILED && tally.n_failed++ == 0)
                tally.first = evaluation;
            if (tally.n_succeeded > 0 || tally.n_failed >= most) return tally;
        }
    }
    return tally;
}

bool nas_verdict_gives_up(const nas_state_t *state, int64_t patience)
{
    if (patience == 0) return false;
    const tally_t tally = count(state, patience);
    if (tally.n_succeeded > 0 || tally.n_failed < patience) return false;
    for (int64_t r = 0; r < state->n_repeat; r++)
        if (state->repeat[r].n_known > 0) return false;
    return true;
}

char *nas_verdict_output(const nas_state_t *state, const char *path,
                         const nas_evaluation_t *evaluation)
{
    const nas_candidate_t candidate = {.arch = evaluation->arch, .seed = evaluation->seed};
    if (state->n_epochs > 0 || evaluation->reused) return NULL;
    char *run = nas_file_locate(path, NULL); /* the folder is beside the file itself */
    char *stem = run ? nas_candidate_stem(run, &candidate, NULL) : NULL;
    char *output = stem ? nas_file_sibling(stem, NAS_OUTPUT_ERR, NULL) : NULL;
    free(stem);
    free(run);
    if (output && nas_file_exists(output)) return output;
    free(output);
    return NULL;
}

/* What stands at that path, as the end of a line: a new string, or NULL where memory is out. */
static char *describe(const char *output, nas_error_t *err)
{
    char last[NAS_OUTPUT_LINE_SIZE];
    if (!output || !nas_output_last_line(output, last)) return nas_string_copy("", err);
    if (!*last) return nas_string_format(err, "; its standard error is empty (%s)", output);
    return nas_string_format(err, "; the last line of its standard error: %s (%s)", last, output);
}

nas_status_t nas_verdict(const nas_state_t *state, const char *path, nas_error_t *err)
{
    const tally_t tally = count(state, INT64_MAX);
    if (!(state->complete || state->gave_up) || tally.n_succeeded > 0 || tally.n_failed == 0)
        return NAS_OK;
    const char *reason = tally.first->reason ? tally.first->reason : "no reason";
    char *output = nas_verdict_output(state, path, tally.first);
    char *said = describe(output, err);
    free(output);
    if (!said) return NAS_ENOMEM;
    /* a training that diverged does so again */
    const char *hint =
        state->n_epochs > 0 ? "" : "; once that is mended, --resume --retry-failed tries again";
    const nas_status_t status = nas_error_set(
        err, NAS_EFAILED, "%s: %s%lld evaluations succeeded; the first failed: %s%s%s", path,
        state->gave_up ? "gave up, none of " : "none of ", (long long)tally.n_failed, reason, said,
        hint);
    free(said);
    return status;
}
