#include "tests/unit/report_case.h"

/* Runs beside each other; the caller frees it. */
static char *comparison_of(const nas_state_t *state, size_t n)
{
    char *text = NULL;
    size_t size = 0;
    nas_error_t err = {0};
    FILE *out = open_memstream(&text, &size);
    nas_compared_t run[4];
    for (size_t i = 0; i < n; i++) run[i] = (nas_compared_t){&state[i], i % 2 ? "b.h5" : "a.h5"};
    cr_assert_eq(nas_report_compare(run, n, out, &err), NAS_OK);
    (void)fclose(out);
    return text;
}

/* Numbers of a line behind a label: budget, repeats, mean, std, cost. */
static void expect_run(const char *text, const char *label, const double expected[5])
{
    double number[5];
    const char *line = strstr(text, label);
    cr_assert_not_null(line, "no line of '%s' in %s", label, text);
    cr_assert_eq(sscanf(line + strlen(label), "%lf %lf %lf %lf %lf", &number[0], &number[1],
                        &number[2], &number[3], &number[4]),
                 5);
    for (int i = 0; i < 5; i++)
        cr_assert_float_eq(number[i], expected[i], 1e-5, "number %d of '%s'", i, label);
}

Test(report_compare, runs_stand_beside_each_other)
{
    nas_state_t state[2] = {report_state_make(), report_state_make()};
    free(state[1].method);
    state[1].method = strdup("reinforce");
    state[0].complete = true;
    state[1].budget = 40;
    state[1].repeat[0].evaluation[1].value[0] = 4;
    char *text = comparison_of(state, 2);
    /* best of the repeats: 3 and 2, then 4 and 2; costs 7.5 and 2.5 */
    expect_run(text, "\n  tiny, robot ", (double[]){3, 2, 2.5, 0.5, 5});
    expect_run(text, "\n  tiny, reinforce, incomplete\n", (double[]){40, 2, 3, 1, 5});
    cr_assert_null(strstr(text, "robot, incomplete"));
    assert_80_columns(text);
    free(text);
    for (int i = 0; i < 2; i++) nas_state_fini(&state[i]);
}

/* By the job alone, by its method too, or by the file as well: as much as tells them apart. */
Test(report_compare, runs_are_called_by_what_tells_them_apart)
{
    nas_state_t state[4];
    for (int i = 0; i < 4; i++) {
        state[i] = report_state_make();
        state[i].complete = true;
    }
    free(state[1].method);
    state[1].method = strdup("rea");
    free(state[2].job_name);
    state[2].job_name = strdup("other");
    char *text = comparison_of(state, 3);
    const double same[5] = {3, 2, 2.5, 0.5, 5};
    expect_run(text, "\n  tiny, robot ", same);
    expect_run(text, "\n  tiny, rea ", same);
    expect_run(text, "\n  other ", same);
    free(text);
    free(state[3].job_name);
    state[3].job_name = strdup("other");
    text = comparison_of(state, 4);
    expect_run(text, "\n  tiny, robot ", same);
    expect_run(text, "\n  other, robot, a.h5 ", same);
    expect_run(text, "\n  other, robot, b.h5 ", same);
    assert_80_columns(text);
    free(text);
    for (int i = 0; i < 4; i++) nas_state_fini(&state[i]);
}

Test(report_compare, a_run_without_results_is_unknown_beside_another)
{
    nas_state_t state[2] = {report_state_make(), report_state_make()};
    for (int64_t r = 0; r < 2; r++)
        for (int64_t i = 0; i < state[1].repeat[r].n_evaluation; i++) {
            state[1].repeat[r].evaluation[i].status = NAS_EVAL_FAILED;
            state[1].repeat[r].evaluation[i].cost = (double)NAN;
        }
    char *text = comparison_of(state, 2);
    size_t n_unknown = 0;
    for (const char *at = text; (at = strstr(at, "unknown")); at++) n_unknown++;
    cr_assert_eq(n_unknown, 3);
    free(text);
    for (int i = 0; i < 2; i++) nas_state_fini(&state[i]);
}
