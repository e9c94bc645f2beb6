/* State files: edits (h5_edit.h) of a good one, or of one of version 2 where a byte of the input is
 * left over, checksummed anew. One that is accepted is reported in every form and its best
 * architecture exported; written again it gives the same bytes again. One that the good file's job
 * would go on with has its sizes. */
#include "common/state/checksummed.h"
#include "common/state/statefile.h"
#include "common/state/statefile_internal.h"
#include "coordinator/report/export.h"
#include "coordinator/report/report.h"
#include "coordinator/session/resume.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/h5_edit.h"
#include "tests/fuzz/state_sample.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------ files */

/* The bytes of a state, as a file. */
static fuzz_bytes_t bytes_of(const nas_state_t *state)
{
    char *path = fuzz_path("written.h5");
    (void)unlink(path); /* or it would be kept beside the new one */
    NAS_ASSERT(nas_statefile_write(path, state, NULL, NULL) == NAS_OK);
    const fuzz_bytes_t bytes = fuzz_read(path);
    free(path);
    return bytes;
}

/* The good file, made once. */
static fuzz_bytes_t good_file(void)
{
    static fuzz_bytes_t good;
    if (good.n > 0) return good;
    nas_state_t state = fuzz_state_sample();
    good = bytes_of(&state);
    nas_state_fini(&state);
    return good;
}

/* One of version 2, likewise. */
static fuzz_bytes_t old_file(void)
{
    static fuzz_bytes_t old;
    if (old.n == 0) old = fuzz_read(FUZZ_STATE_2);
    return old;
}

/* The edited file, with a user block that is right. The caller frees at. */
static fuzz_bytes_t edited_file(fuzz_bytes_t edits)
{
    const bool is_old = edits.n % FUZZ_H5_EDIT_SIZE == 1;
    const fuzz_bytes_t file = fuzz_h5_edit(is_old ? old_file() : good_file(), edits);
    nas_checksummed_kind_t kind = nas_statefile_kind;
    if (is_old) kind.version = 2;
    NAS_ASSERT(nas_checksummed_fill(&kind, (char *)(uintptr_t)file.at, file.n, NULL) == NAS_OK);
    return file;
}

/* -------------------------------------------------------------------------------- accepted */

static void check_evaluation(const nas_state_t *state, const nas_evaluation_t *e)
{
    NAS_ASSERT(e->arch >= 0 && e->arch < state->n_arch && e->name && e->columns);
    NAS_ASSERT(e->status == NAS_EVAL_OK ? isfinite(e->value[0]) : isnan(e->value[0]));
    NAS_ASSERT(e->pool_rank >= 0 && e->pool_rank <= state->n_arch);
    NAS_ASSERT(nas_phase_name(e->phase) != NULL);
}

static void check_repeat(const nas_state_t *state, const nas_repeat_t *repeat)
{
    for (int64_t i = 0; i < repeat->n_evaluation; i++)
        check_evaluation(state, &repeat->evaluation[i]);
    for (int64_t i = 0; i < repeat->n_observation; i++)
        NAS_ASSERT(repeat->observation[i].arch >= 0 && repeat->observation[i].arch < state->n_arch);
    for (size_t m = 0; repeat->best_weights && m < state->metrics.n; m++)
        NAS_ASSERT(fabs(repeat->best_weights[m]) <= 1);
    NAS_ASSERT(isnan(repeat->posterior_mean)
                   ? isnan(repeat->posterior_std)
                   : isfinite(repeat->posterior_mean) && repeat->posterior_std >= 0);
}

static void check_reports(const nas_state_t *state)
{
    const nas_compared_t both[2] = {{state, "a"}, {state, "b"}};
    nas_error_t err = {0};
    FILE *sink = fuzz_sink();
    NAS_ASSERT(nas_report_text(state, "", sink, &err) == NAS_OK);
    NAS_ASSERT(nas_report_json(state, NULL, sink, &err) == NAS_OK);
    NAS_ASSERT(nas_report_compare(both, 2, sink, &err) == NAS_OK);
    NAS_ASSERT(nas_report_csv(state, sink, &err) == NAS_OK);
    if (state->scores.n > 0) NAS_ASSERT(nas_report_csv_scores(state, sink, &err) == NAS_OK);
    (void)fclose(sink);
}

static void check_export(const char *path, const nas_state_t *state)
{
    nas_export_t what = {0};
    nas_error_t err = {0};
    char *text = NULL;
    const nas_status_t status = nas_export_find(path, state, "best", &what, &err);
    if (status)
        fuzz_check_error(status, &err);
    else
        NAS_ASSERT(nas_export_json(&what, &text, &err) == NAS_OK);
    free(text);
    nas_export_fini(&what);
}

static void check_written_again(const nas_state_t *state)
{
    char *path = fuzz_path("written.h5");
    nas_state_t again = {0};
    const fuzz_bytes_t first = bytes_of(state);
    NAS_ASSERT(nas_statefile_read_one(path, &again, NULL) == NAS_OK);
    const fuzz_bytes_t second = bytes_of(&again);
    NAS_ASSERT(first.n == second.n && memcmp(first.at, second.at, first.n) == 0);
    free((void *)(uintptr_t)first.at);
    free((void *)(uintptr_t)second.at);
    nas_state_fini(&again);
    free(path);
}

/* As if it were of the job of the good file, whose digest anybody can copy. */
static void check_resumed(const nas_state_t *state)
{
    nas_state_t fresh = fuzz_state_sample(), claimed = *state;
    nas_error_t err = {0};
    claimed.job_hash = fresh.job_hash;
    const nas_status_t status = nas_state_check_saved(NULL, &claimed, &fresh, "state.h5", &err);
    if (status)
        fuzz_check_error(status, &err);
    else
        NAS_ASSERT(state->minimise == fresh.minimise && state->budget == fresh.budget &&
                   nas_state_weights(state) == nas_state_weights(&fresh));
    nas_state_fini(&fresh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fuzz_bytes_t file = edited_file((fuzz_bytes_t){data, size});
    char *path = fuzz_path("state.h5");
    nas_state_t state = {0};
    nas_error_t err = {0};
    fuzz_write(path, file);
    const nas_status_t status = nas_statefile_read_one(path, &state, &err);
    if (status) {
        fuzz_check_error(status, &err);
    } else {
        for (int64_t r = 0; r < state.n_repeat; r++) check_repeat(&state, &state.repeat[r]);
        check_reports(&state);
        check_resumed(&state);
        check_export(path, &state);
        check_written_again(&state);
    }
    nas_state_fini(&state);
    free((void *)(uintptr_t)file.at);
    free(path);
    return 0;
}
