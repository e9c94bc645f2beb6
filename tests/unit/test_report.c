#include "tests/unit/report_case.h"

#define EXPECT_KEYS(object, ...)                                                                   \
    do {                                                                                           \
        const char *const expected_key[] = {__VA_ARGS__};                                          \
        expect_keys((object), expected_key, sizeof expected_key / sizeof expected_key[0]);         \
    } while (0)

Test(report, json_keys_stand_in_the_documented_order)
{
    nas_state_t state = report_state_make();
    char *text = report_of(&state, report_json);
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

/* Reasons of evaluations and the posterior of the best, in JSON and in the text. */
Test(report, a_posterior_is_reported_where_there_is_one)
{
    nas_state_t state = report_state_make_posterior();
    char *text = report_of(&state, report_json), *page = report_of(&state, report_text);
    json_t *report = json_loads(text, 0, NULL), *repeats = json_object_get(report, "repeats");
    json_t *through = json_array_get(repeats, 0), *under_way = json_array_get(repeats, 1);
    EXPECT_KEYS(through, "seed", "t0", "cost", "best", "precision_at_t", "expected_rank", "weights",
                "posterior", "reasons", "evaluations");
    json_t *posterior = json_object_get(through, "posterior");
    EXPECT_KEYS(posterior, "mean", "std");
    cr_assert_eq(json_real_value(json_object_get(posterior, "mean")), 1.25);
    cr_assert_eq(json_real_value(json_object_get(posterior, "std")), 0.5);
    cr_assert(json_is_null(json_object_get(under_way, "posterior")));
    json_t *reasons = json_object_get(under_way, "reasons");
    EXPECT_KEYS(reasons, "start", "improvement", "hedge");
    cr_assert_eq(json_integer_value(json_object_get(reasons, "start")), 1);
    cr_assert_eq(json_integer_value(json_object_get(reasons, "improvement")), 0);
    cr_assert_eq(json_integer_value(json_object_get(reasons, "hedge")), 1);
    cr_assert_not_null(strstr(page, "\nEvaluations by reason"), "%s", page);
    cr_assert_not_null(strstr(page, "\nPosterior of the best"), "%s", page);
    cr_assert_not_null(strstr(page, "\nCorrelation of the posterior mean"), "%s", page);
    cr_assert_null(strstr(page, "Weight of each metric"));
    cr_assert_null(strstr(page, "explored"));
    assert_80_columns(page);
    json_decref(report);
    free(text);
    free(page);
    nas_state_fini(&state);
}

Test(report, json_has_null_for_what_is_unknown)
{
    nas_state_t state = report_state_make();
    char *text = report_of(&state, report_json);
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

/* Names come from tables in any encoding. */
/* A metric that is the same everywhere has no weight, whatever was drawn for it. */
Test(report, a_constant_metric_has_no_weight)
{
    nas_state_t state = report_state_make();
    const size_t n = state.metrics.n;
    state.metric_is_constant = calloc(n, sizeof *state.metric_is_constant);
    state.metric_is_constant[n - 1] = 1;
    char *text = report_of(&state, report_json), *page = report_of(&state, report_text);
    json_t *report = json_loads(text, 0, NULL);
    const json_t *weights =
        json_object_get(json_array_get(json_object_get(report, "repeats"), 0), "weights");
    cr_assert(json_is_null(json_object_get(weights, state.metrics.at[n - 1])));
    cr_assert(json_is_real(json_object_get(weights, state.metrics.at[0])));
    cr_assert_not_null(strstr(page, "-  tells nothing apart\n"), "%s", page);
    assert_80_columns(page);
    json_decref(report);
    free(text);
    free(page);
    nas_state_fini(&state);
}

Test(report, json_is_valid_whatever_the_names)
{
    nas_state_t state = report_state_make();
    state.metrics.at[0][0] = '\xe9';
    state.report_columns.at[0][0] = '\xff';
    state.repeat[0].evaluation[0].name[0] = '\xc3';
    cr_assert_eq(nas_state_add_event(&state, NULL, "cut: %s", "\xe2\x82"), NAS_OK);
    char *text = report_of(&state, report_json);
    json_t *report = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(report);
    json_t *repeat = json_array_get(json_object_get(report, "repeats"), 0);
    json_t *evaluation = json_array_get(json_object_get(repeat, "evaluations"), 0);
    cr_assert_str_eq(json_string_value(json_object_get(evaluation, "arch")), "\xef\xbf\xbdrch-10");
    EXPECT_KEYS(json_object_get(repeat, "weights"), "\xef\xbf\xbdnip", "nwot");
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
    char *text = report_of(&state, report_text);
    assert_80_columns(text);
    free(text);
    nas_state_fini(&state);
}

Test(report, text_commands_no_terminal)
{
    nas_state_t state = report_state_make();
    char *text = report_of(&state, report_text);
    size_t n_lines = 0, n_lines_now = 0;
    for (const char *c = text; *c; c++) n_lines += *c == '\n';
    free(text);
    state.repeat[0].evaluation[1].name[0] = '\x1b';
    state.metrics.at[0][0] = '\x07';
    state.metrics.at[1][0] = '\n';
    text = report_of(&state, report_text);
    for (const char *c = text; *c; c++) {
        cr_assert(*c == '\n' || (unsigned char)*c >= ' ', "byte %d at %td", *c, c - text);
        n_lines_now += *c == '\n';
    }
    cr_assert_eq(n_lines_now, n_lines, "a name is no line");
    cr_assert_not_null(strchr(text, '?'));
    free(text);
    nas_state_fini(&state);
}

Test(report, text_cuts_no_character)
{
    nas_state_t state = report_state_make();
    for (size_t shift = 0; shift < 3; shift++) {
        char name[200];
        memset(name, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof name; i += 3) memcpy(name + i, "\xe2\x82\xac", 4);
        free(state.repeat[0].evaluation[1].name);
        free(state.metrics.at[0]);
        state.repeat[0].evaluation[1].name = strdup(name);
        state.metrics.at[0] = strdup(name);
        char *text = report_of(&state, report_text), *valid = nas_string_utf8(text, NULL);
        cr_assert_str_eq(text, valid);
        free(valid);
        free(text);
    }
    nas_state_fini(&state);
}

/* An evaluation more of repeat 1, which failed. */
static void add_failure(nas_state_t *state, int64_t arch, const char *reason)
{
    char name[32];
    double column = (double)NAN;
    (void)snprintf(name, sizeof name, "failed-%lld", (long long)arch);
    const nas_evaluation_t evaluation = {.arch = arch,
                                         .name = name,
                                         .value = {(double)NAN},
                                         .cost = (double)NAN,
                                         .columns = &column,
                                         .status = NAS_EVAL_FAILED,
                                         .reason = (char *)(uintptr_t)reason};
    cr_assert_eq(nas_state_add_evaluation(state, 1, &evaluation, NULL), NAS_OK);
}

Test(report, text_lists_failures_with_their_reasons)
{
    nas_state_t state = report_state_make();
    char *text = report_of(&state, report_text);
    cr_assert_null(strstr(text, "Failed evaluations"), "a missing value is no failure");
    free(text);
    add_failure(&state, 30, "exit code 3 (2 tries)");
    add_failure(&state, 31, "time limit of 2 s");
    text = report_of(&state, report_text);
    cr_assert_not_null(strstr(text, "\nFailed evaluations\n"
                                    "  failed-30\n    exit code 3 (2 tries)\n"
                                    "  failed-31\n    time limit of 2 s\n"));
    cr_assert_null(strstr(text, " more\n"));
    free(text);
    nas_state_fini(&state);
}

Test(report, text_lists_no_more_failures_than_fit_a_page)
{
    nas_state_t state = report_state_make();
    char reason[256];
    memset(reason, 'x', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    for (int64_t i = 0; i < 20; i++) add_failure(&state, 100 + i, reason);
    char *text = report_of(&state, report_text);
    cr_assert_null(strstr(text, " more\n"));
    free(text);
    add_failure(&state, 120, reason);
    add_failure(&state, 121, reason);
    text = report_of(&state, report_text);
    cr_assert_not_null(strstr(text, "  failed-119\n"));
    cr_assert_null(strstr(text, "  failed-120\n"));
    cr_assert_not_null(strstr(text, "  and 2 more\n"));
    assert_80_columns(text);
    free(text);
    nas_state_fini(&state);
}

Test(report, json_tells_a_failure_from_a_missing_value)
{
    nas_state_t state = report_state_make();
    add_failure(&state, 30, "exit code 3");
    char *text = report_of(&state, report_json);
    json_t *report = json_loads(text, 0, NULL);
    json_t *repeat = json_array_get(json_object_get(report, "repeats"), 1);
    json_t *failed = json_array_get(json_object_get(repeat, "evaluations"), 2);
    EXPECT_KEYS(failed, "arch", "target", "cost", "phase", "status");
    cr_assert_str_eq(json_string_value(json_object_get(failed, "arch")), "failed-30");
    cr_assert_str_eq(json_string_value(json_object_get(failed, "status")), "failed");
    cr_assert(json_is_null(json_object_get(failed, "target")));
    cr_assert(json_is_null(json_object_get(failed, "cost")));
    cr_assert_str_eq(json_string_value(json_object_get(json_object_get(repeat, "best"), "arch")),
                     "arch-20");
    json_decref(report);
    free(text);
    nas_state_fini(&state);
}

Test(report, csv_has_a_row_an_evaluation)
{
    nas_state_t state = report_state_make();
    double column = 0.1;
    const nas_evaluation_t failed = {.arch = 22,
                                     .name = (char *)(uintptr_t) "(1, 0) \"b\"",
                                     .value = {(double)NAN},
                                     .cost = 0.5,
                                     .columns = &column,
                                     .seed = 6,
                                     .status = NAS_EVAL_FAILED,
                                     .reason = (char *)(uintptr_t) "exit code 3, said: no"};
    cr_assert_eq(nas_state_add_evaluation(&state, 1, &failed, NULL), NAS_OK);
    free(state.report_columns.at[0]);
    state.report_columns.at[0] = strdup("test, top 1");
    char *text = report_of(&state, nas_report_csv);
    cr_assert_str_eq(text, "repeat,seed,arch,target,cost,phase,status,reason,\"test, top 1\"\n"
                           "0,0,arch-10,1,2.5,explore,ok,,10\n"
                           "0,0,arch-12,3,2.5,explore,ok,,30\n"
                           "0,0,arch-13,3,2.5,exploit,ok,,30\n"
                           "1,0,arch-20,2,2.5,explore,ok,,20\n"
                           "1,0,arch-21,,,exploit,missing,,\n"
                           "1,6,\"(1, 0) \"\"b\"\"\",,0.5,explore,failed,\"exit code 3, said: no\","
                           "0.10000000000000001\n");
    free(text);
    nas_state_fini(&state);
}

/* One of every kind: in training, done, failed, a command that has begun. */
static nas_under_way_t under_way_make(nas_under_way_item_t item[4])
{
    static char name[] = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|"
                         "nor_conv_3x3~1|nor_conv_3x3~2|";
    item[0] =
        (nas_under_way_item_t){.arch = 3, .seed = 5, .name = name, .n_epochs = 2, .n_steps = 417};
    item[1] = (nas_under_way_item_t){.arch = 4, .seed = 5, .name = name, .done = true};
    item[1].outcome.value[0] = 71.5;
    item[2] = (nas_under_way_item_t){.arch = 4, .seed = 6, .name = name, .done = true};
    nas_outcome_fail(&item[2].outcome, "exit code 3");
    item[3] = (nas_under_way_item_t){.arch = 9, .seed = 6, .begun = true};
    return (nas_under_way_t){.at = item, .n = 4};
}

Test(report, candidates_under_way_are_told)
{
    nas_under_way_item_t item[4];
    const nas_under_way_t list = under_way_make(item);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cr_assert_eq(nas_report_under_way(&list, 12, out, NULL), NAS_OK);
    (void)fclose(out);
    cr_assert_not_null(strstr(text, "    seed 5, in training, 2 of 12 epochs, 417 steps\n"));
    cr_assert_not_null(strstr(text, "    seed 5, done, objective 71.5\n"));
    cr_assert_not_null(strstr(text, "    seed 6, failed\n    exit code 3\n"));
    cr_assert_not_null(
        strstr(text, "  architecture 9 of the pool\n    seed 6, its command has begun\n"));
    assert_80_columns(text);
    free(text);
}

Test(report, json_has_candidates_under_way_under_timing_alone)
{
    nas_state_t state = report_state_make();
    nas_under_way_item_t item[4];
    const nas_under_way_t list = under_way_make(item);
    static const char *const expected[] = {"training", "ok", "failed", "begun"};
    char *text = NULL, *without = report_of(&state, report_json);
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cr_assert_eq(nas_report_json(&state, &list, out, NULL), NAS_OK);
    (void)fclose(out);
    json_t *report = json_loads(text, 0, NULL), *other = json_loads(without, 0, NULL);
    json_t *candidates = json_object_get(json_object_get(report, "timing"), "candidates");
    cr_assert_eq(json_array_size(candidates), 4);
    for (size_t i = 0; i < 4; i++) {
        json_t *candidate = json_array_get(candidates, i);
        EXPECT_KEYS(candidate, "arch", "index", "seed", "status", "target", "epochs", "steps");
        cr_assert_str_eq(json_string_value(json_object_get(candidate, "status")), expected[i]);
    }
    cr_assert_eq(json_array_size(json_object_get(json_object_get(other, "timing"), "candidates")),
                 0);
    cr_assert_eq(json_object_del(report, "timing") | json_object_del(other, "timing"), 0);
    cr_assert(json_equal(report, other));
    json_decref(report);
    json_decref(other);
    free(without);
    free(text);
    nas_state_fini(&state);
}

Test(report, a_run_without_results_is_said_to_have_none)
{
    nas_state_t state = report_state_make();
    for (int64_t r = 0; r < 2; r++)
        for (int64_t i = 0; i < state.repeat[r].n_evaluation; i++)
            state.repeat[r].evaluation[i].status = NAS_EVAL_MISSING;
    char *text = report_of(&state, report_text);
    cr_assert_not_null(strstr(text, "No architecture has been evaluated successfully yet"));
    free(text);
    nas_state_fini(&state);
}

Test(report, weights_are_of_repeats_in_which_something_succeeded)
{
    nas_state_t state = report_state_make();
    for (int64_t i = 0; i < 3; i++) state.repeat[0].evaluation[i].status = NAS_EVAL_MISSING;
    char *text = report_of(&state, report_text), *json = report_of(&state, report_json);
    cr_assert_null(strstr(text, "Weight of each metric"));
    json_t *report = json_loads(json, 0, NULL);
    json_t *repeat = json_array_get(json_object_get(report, "repeats"), 0);
    cr_assert(json_is_null(json_object_get(repeat, "weights")));
    json_decref(report);
    free(text);
    free(json);
    state.repeat[1].best_weights = calloc(2, sizeof(double));
    state.repeat[1].best_weights[1] = 0.25;
    text = report_of(&state, report_text);
    cr_assert_not_null(strstr(text, "nwot                           0.250 "), "%s", text);
    free(text);
    nas_state_fini(&state);
}

Test(report, a_run_that_gave_up_is_said_to_have)
{
    nas_state_t state = report_state_make();
    char *before = report_of(&state, report_json);
    cr_assert_null(strstr(before, "gave_up"));
    state.gave_up = true;
    char *text = report_of(&state, report_text), *json = report_of(&state, report_json);
    cr_assert_not_null(strstr(text, ", GAVE UP\n"), "%s", text);
    cr_assert_not_null(strstr(json, "\n  \"complete\": false,\n  \"gave_up\": true,\n"));
    free(before);
    free(text);
    free(json);
    nas_state_fini(&state);
}

Test(report, text_says_where_the_output_of_a_failure_is)
{
    const temp_path_t folder = temp_folder_make();
    const temp_path_t path = temp_file(&folder, "run.h5"), parts = temp_file(&folder, "run.h5.d");
    const temp_path_t output = temp_file(&parts, "000030-s0.err");
    nas_state_t state = report_state_make();
    nas_error_t err = {0};
    char *text = NULL, expected[2 * TEMP_PATH_SIZE];
    size_t size = 0;
    add_failure(&state, 30, "exit code 3");
    add_failure(&state, 31, "exit code 4");
    cr_assert_eq(mkdir(parts.text, 0777), 0);
    (void)fclose(fopen(output.text, "w"));
    FILE *out = open_memstream(&text, &size);
    cr_assert_eq(nas_report_text(&state, path.text, out, &err), NAS_OK);
    (void)fclose(out);
    (void)snprintf(expected, sizeof expected,
                   "  failed-30\n    exit code 3\n    %s\n  failed-31\n    exit code 4\n",
                   output.text);
    cr_assert_not_null(strstr(text, expected), "%s", text);
    free(text);
    nas_state_fini(&state);
    temp_folder_remove(&folder);
}

/* Values at the end of what a double holds, and costs whose sum is beyond. */
static nas_state_t extreme_state(void)
{
    nas_state_t state = report_state_make();
    const double value[2] = {DBL_MAX, -DBL_MAX};
    for (int r = 0; r < 2; r++)
        for (int64_t i = 0; i < state.repeat[r].n_evaluation; i++) {
            nas_evaluation_t *evaluation = &state.repeat[r].evaluation[i];
            evaluation->value[0] = evaluation->columns[0] = value[r];
            evaluation->cost = DBL_MAX;
            evaluation->status = NAS_EVAL_OK;
        }
    return state;
}

static nas_status_t report_compare(const nas_state_t *state, FILE *out, nas_error_t *err)
{
    return nas_report_compare(&(nas_compared_t){state, "a.h5"}, 1, out, err);
}

Test(report, no_finite_value_is_shown_as_none)
{
    nas_state_t state = extreme_state();
    const report_t report[] = {report_text, report_compare, report_json};
    for (int i = 0; i < 3; i++) {
        char *text = report_of(&state, report[i]);
        cr_assert_null(strstr(text, "inf"), "%s", text);
        cr_assert_null(strstr(text, "nan"), "%s", text);
        cr_assert(i == 2 || !strstr(text, "unknown"), "%s", text);
        free(text);
    }
    char *text = report_of(&state, report_json);
    json_t *json = json_loads(text, 0, NULL); /* which takes no number beyond a double */
    const json_t *summary = json_object_get(json, "summary");
    const char *const figure[] = {"cost", "target"};
    for (int i = 0; i < 2; i++) {
        const json_t *statistics = json_object_get(summary, figure[i]);
        cr_assert(json_is_real(json_object_get(statistics, "mean")));
        cr_assert(json_is_real(json_object_get(statistics, "std")));
    }
    json_decref(json);
    free(text);
    nas_state_fini(&state);
}

Test(report, earlier_results_that_were_not_asked_for_again_are_listed)
{
    nas_state_t state = report_state_make();
    nas_evaluation_t known = state.repeat[0].evaluation[1];
    cr_assert_eq(nas_state_add_known(&state, 0, &known, NULL), NAS_OK);
    char *text = report_of(&state, report_text), *json = report_of(&state, report_json);
    cr_assert_not_null(strstr(text, "explored (T0)"), "%s", text);
    cr_assert_null(strstr(text, "Earlier"));
    cr_assert_null(strstr(json, "earlier"));
    free(text);
    free(json);
    known.arch = 40;
    known.name = (char[]){"arch-40"};
    cr_assert_eq(nas_state_add_known(&state, 0, &known, NULL), NAS_OK);
    text = report_of(&state, report_text);
    json = report_of(&state, report_json);
    cr_assert_not_null(strstr(text, "\nEarlier results, not asked for again since a retry: 1\n"));
    json_t *report = json_loads(json, 0, NULL);
    json_t *repeat = json_array_get(json_object_get(report, "repeats"), 0);
    EXPECT_KEYS(repeat, "seed", "t0", "cost", "best", "precision_at_t", "expected_rank", "weights",
                "evaluations", "earlier");
    json_t *earlier = json_object_get(repeat, "earlier");
    cr_assert_eq(json_array_size(earlier), 1);
    EXPECT_KEYS(json_array_get(earlier, 0), "arch", "target", "cost");
    json_decref(report);
    free(text);
    free(json);
    nas_state_fini(&state);
}
