#include "coordinator/report.h"
#include "report_state.h"

#include <jansson.h>
#include <stdio.h>

typedef nas_status_t (*report_t)(const nas_state_t *state, FILE *out, nas_error_t *err);

/* The report as a text that the caller frees. */
static char *report_of(const nas_state_t *state, report_t report)
{
    char *text = NULL;
    size_t size = 0;
    nas_error_t err = {0};
    FILE *out = open_memstream(&text, &size);
    cr_assert_eq(report(state, out, &err), NAS_OK);
    (void)fclose(out);
    return text;
}

static void expect_keys(json_t *object, const char *const *key, size_t n)
{
    const char *name = NULL;
    json_t *value = NULL;
    size_t i = 0;
    json_object_foreach(object, name, value)
    {
        cr_assert(i < n, "an unexpected key %s", name);
        cr_assert_str_eq(name, key[i]);
        i++;
    }
    cr_assert_eq(i, n, "%s is missing", key[i < n ? i : 0]);
}

#define EXPECT_KEYS(object, ...)                                                                   \
    do {                                                                                           \
        const char *const expected_key[] = {__VA_ARGS__};                                          \
        expect_keys((object), expected_key, sizeof expected_key / sizeof expected_key[0]);         \
    } while (0)

Test(report, json_keys_stand_in_the_documented_order)
{
    nas_state_t state = report_state_make();
    char *text = report_of(&state, nas_report_json);
    json_t *report = json_loads(text, 0, NULL);
    cr_assert_not_null(report);
    EXPECT_KEYS(report, "program", "version", "job", "method", "budget", "n_arch", "metrics",
                "complete", "repeats", "summary", "timing");
    json_t *repeat = json_array_get(json_object_get(report, "repeats"), 0);
    EXPECT_KEYS(repeat, "seed", "t0", "cost", "best", "precision_at_t", "expected_rank", "weights",
                "evaluations");
    EXPECT_KEYS(json_object_get(repeat, "best"), "arch", "target", "columns", "pool_rank");
    json_t *evaluation = json_array_get(json_object_get(repeat, "evaluations"), 0);
    EXPECT_KEYS(evaluation, "arch", "target", "cost", "phase", "status");
    EXPECT_KEYS(json_object_get(report, "summary"), "t0", "cost", "target", "pool_rank", "columns",
                "precision_at_t", "expected_rank");
    EXPECT_KEYS(json_object_get(json_object_get(report, "summary"), "cost"), "mean", "std", "min",
                "max");
    json_decref(report);
    free(text);
    nas_state_fini(&state);
}

Test(report, json_has_null_for_what_is_unknown)
{
    nas_state_t state = report_state_make();
    char *text = report_of(&state, nas_report_json);
    json_t *report = json_loads(text, 0, NULL);
    json_t *repeat = json_array_get(json_object_get(report, "repeats"), 1);
    cr_assert(json_is_null(json_object_get(repeat, "precision_at_t")));
    cr_assert(json_is_null(json_object_get(repeat, "weights")));
    json_t *missing = json_array_get(json_object_get(repeat, "evaluations"), 1);
    cr_assert(json_is_null(json_object_get(missing, "target")));
    cr_assert_str_eq(json_string_value(json_object_get(missing, "status")), "missing");
    json_decref(report);
    free(text);
    nas_state_fini(&state);
}

Test(report, text_fits_into_80_columns)
{
    nas_state_t state = report_state_make();
    free(state.repeat[0].evaluation[1].name);
    state.repeat[0].evaluation[1].name = strdup("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|"
                                                "skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|");
    char *text = report_of(&state, nas_report_text);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        cr_assert(strlen(line) <= 80, "too long: %s", line);
    free(text);
    nas_state_fini(&state);
}

Test(report, a_run_without_results_is_said_to_have_none)
{
    nas_state_t state = report_state_make();
    for (int64_t r = 0; r < 2; r++)
        for (int64_t i = 0; i < state.repeat[r].n_evaluation; i++)
            state.repeat[r].evaluation[i].status = NAS_EVAL_MISSING;
    char *text = report_of(&state, nas_report_text);
    cr_assert_not_null(strstr(text, "No architecture has been evaluated successfully yet"));
    free(text);
    nas_state_fini(&state);
}
