/* What a run that has ended came to. */
#include "coordinator/report/verdict.h"
#include "report_state.h"
#include "temp_folder.h"

#include <sys/stat.h>

#define HINT "; once that is mended, --resume --retry-failed tries again"

/* A run whose evaluations of both repeats failed, for the reasons "exit code 10" and so on. */
static nas_state_t failed_state(void)
{
    nas_state_t state = report_state_make();
    for (int64_t r = 0; r < 2; r++)
        for (int64_t i = 0; i < state.repeat[r].n_evaluation; i++) {
            nas_evaluation_t *evaluation = &state.repeat[r].evaluation[i];
            evaluation->status = NAS_EVAL_FAILED;
            evaluation->value[0] = (double)NAN;
            evaluation->seed = 5;
            evaluation->reason =
                nas_string_format(NULL, "exit code %lld", (long long)evaluation->arch);
        }
    return state;
}

static void free_known(nas_repeat_t *repeat)
{
    cr_assert_eq(repeat->n_known, 1);
    free(repeat->known[0].name);
    free(repeat->known[0].columns);
    free(repeat->known[0].reason);
    repeat->n_known = 0;
}

Test(verdict, a_run_gives_up_after_so_many_failures_without_a_success)
{
    nas_state_t state = failed_state();
    cr_assert(nas_verdict_gives_up(&state, 1));
    cr_assert(nas_verdict_gives_up(&state, 5));
    cr_assert(!nas_verdict_gives_up(&state, 6));
    cr_assert(!nas_verdict_gives_up(&state, 0));
    nas_evaluation_t good = state.repeat[1].evaluation[1];
    good.status = NAS_EVAL_OK;
    cr_assert_eq(nas_state_add_known(&state, 0, &good, NULL), NAS_OK);
    cr_assert(!nas_verdict_gives_up(&state, 1), "a success before a retry is one");
    free_known(&state.repeat[0]);
    cr_assert(nas_verdict_gives_up(&state, 5));
    state.repeat[1].evaluation[1].status = NAS_EVAL_OK;
    cr_assert(!nas_verdict_gives_up(&state, 5));
    nas_state_fini(&state);
}

Test(verdict, what_a_table_lacks_is_no_failure)
{
    nas_state_t state = failed_state();
    nas_error_t err = {0};
    for (int64_t r = 0; r < 2; r++)
        for (int64_t i = 0; i < state.repeat[r].n_evaluation; i++)
            state.repeat[r].evaluation[i].status = NAS_EVAL_MISSING;
    state.complete = true;
    cr_assert(!nas_verdict_gives_up(&state, 1));
    cr_assert_eq(nas_verdict(&state, "run.h5", &err), NAS_OK);
    nas_state_fini(&state);
}

/* Whether the line begins and ends like this. */
static void assert_line(const nas_state_t *state, const char *output, const char *begin,
                        const char *end)
{
    nas_error_t err = {0};
    cr_assert_eq(nas_verdict(state, output, &err), NAS_EFAILED);
    cr_assert_eq(strncmp(err.text, output, strlen(output)), 0, "%s", err.text);
    const char *text = err.text + strlen(output);
    cr_assert_eq(strncmp(text, begin, strlen(begin)), 0, "%s", err.text);
    cr_assert(strlen(text) >= strlen(end), "%s", err.text);
    cr_assert_str_eq(text + strlen(text) - strlen(end), end, "%s", err.text);
}

Test(verdict, a_run_in_which_nothing_succeeded_has_failed)
{
    nas_state_t state = failed_state();
    nas_error_t err = {0};
    cr_assert_eq(nas_verdict(&state, "run.h5", &err), NAS_OK, "it goes on");
    state.complete = true;
    assert_line(&state, "/nowhere/run.h5",
                ": none of 5 evaluations succeeded; the first failed: exit code 10", "");
    state.complete = false;
    state.gave_up = true;
    assert_line(&state, "/nowhere/run.h5",
                ": gave up, none of 5 evaluations succeeded; the first failed: exit code 10", "");
    state.repeat[1].evaluation[0].status = NAS_EVAL_OK;
    cr_assert_eq(nas_verdict(&state, "run.h5", &err), NAS_OK);
    nas_state_fini(&state);
}

Test(verdict, the_first_failures_output_is_quoted)
{
    const temp_path_t folder = temp_folder_make();
    const temp_path_t run = temp_file(&folder, "run.h5"), parts = temp_file(&folder, "run.h5.d");
    const temp_path_t output = temp_file(&parts, "000010-s5.err");
    char begin[256], quoted[2 * TEMP_PATH_SIZE];
    nas_state_t state = failed_state();
    state.complete = true;
    cr_assert_eq(mkdir(parts.text, 0777), 0);
    temp_file_put(output.text, "Traceback\nNo module named 'torch'\n\n");
    (void)snprintf(begin, sizeof begin, ": none of 5 evaluations succeeded; the first failed: %s",
                   "exit code 10; the last line of its standard error: No module named 'torch' (");
    (void)snprintf(quoted, sizeof quoted, " (%s)" HINT, output.text);
    assert_line(&state, run.text, begin, quoted);
    temp_file_put(output.text, " \n");
    (void)snprintf(quoted, sizeof quoted, "exit code 10; its standard error is empty (%s)" HINT,
                   output.text);
    assert_line(&state, run.text, "", quoted);
    nas_state_fini(&state);
    temp_folder_remove(&folder);
}
