#include "common/base/clock.h"
#include "common/state/state.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_METRIC = 3, N_REPORT = 2, N_ADDED = 1000 };

static nas_state_t make_state(int64_t n_repeat)
{
    nas_state_t state = {.has_weights = true};
    const char *metric[N_METRIC] = {"grad_norm", "snip", "synflow"};
    const char *column[N_REPORT] = {"test_acc", "n_param"};
    for (int i = 0; i < N_METRIC; i++)
        cr_assert_eq(nas_strings_add(&state.metrics, metric[i], strlen(metric[i]), NULL), NAS_OK);
    for (int i = 0; i < N_REPORT; i++)
        cr_assert_eq(nas_strings_add(&state.report_columns, column[i], strlen(column[i]), NULL),
                     NAS_OK);
    cr_assert_eq(nas_state_make_repeats(&state, n_repeat, 10, NULL), NAS_OK);
    return state;
}

static void add_value(nas_state_t *state, int64_t arch, double value, nas_eval_status_t status)
{
    char name[] = "arch";
    double columns[N_REPORT] = {0};
    const nas_evaluation_t evaluation = {.arch = arch,
                                         .name = name,
                                         .value = {value},
                                         .columns = columns,
                                         .status = (int32_t)status};
    cr_assert_eq(nas_state_add_evaluation(state, 0, &evaluation, NULL), NAS_OK);
}

Test(state, repeats_start_empty_with_consecutive_seeds)
{
    nas_state_t state = make_state(3);
    cr_assert_eq(state.n_repeat, 3);
    for (int64_t r = 0; r < 3; r++) {
        cr_assert_eq(state.repeat[r].seed, 10 + (uint64_t)r);
        cr_assert(isnan(state.repeat[r].precision_at_t));
        cr_assert_eq(state.repeat[r].n_evaluation, 0);
        cr_assert_null(state.repeat[r].best_weights);
    }
    nas_state_fini(&state);
}

Test(state, evaluations_are_deep_copies_in_order)
{
    nas_state_t state = make_state(2);
    for (int64_t i = 0; i < N_ADDED; i++) {
        char name[32];
        double columns[N_REPORT] = {(double)i, -(double)i};
        (void)snprintf(name, sizeof name, "cell %d", (int)i);
        const nas_evaluation_t evaluation = {
            .arch = 7 * i, .name = name, .value = {(double)i}, .columns = columns, .rank = 3};
        cr_assert_eq(nas_state_add_evaluation(&state, i % 2, &evaluation, NULL), NAS_OK);
        memset(name, 'x', sizeof name - 1);
        columns[0] = columns[1] = 0.5;
    }
    for (int64_t i = 0; i < N_ADDED; i++) {
        char name[32];
        const nas_evaluation_t *found = &state.repeat[i % 2].evaluation[i / 2];
        (void)snprintf(name, sizeof name, "cell %d", (int)i);
        cr_assert_eq(found->arch, 7 * i);
        cr_assert_str_eq(found->name, name);
        cr_assert(found->columns[0] == (double)i && found->columns[1] == -(double)i);
        cr_assert_eq(found->rank, 3);
    }
    cr_assert_eq(state.repeat[0].n_evaluation + state.repeat[1].n_evaluation, N_ADDED);
    nas_state_fini(&state);
}

Test(state, observations_keep_their_weights)
{
    nas_state_t state = make_state(1);
    const nas_repeat_t *repeat = &state.repeat[0];
    for (int64_t i = 0; i < N_ADDED; i++) {
        const double weights[N_METRIC] = {(double)i, 0.5, -(double)i};
        const nas_observation_t observation = {.arch = i, .phase = NAS_PHASE_EXPLOIT};
        cr_assert_eq(
            nas_state_add_observation(&state, 0, observation, i % 2 ? weights : NULL, NULL),
            NAS_OK);
    }
    cr_assert_eq(repeat->n_observation, N_ADDED);
    for (int64_t i = 0; i < N_ADDED; i++) {
        const double *row = repeat->weights + i * N_METRIC;
        cr_assert_eq(repeat->observation[i].arch, i);
        cr_assert(row[0] == (i % 2 ? (double)i : 0.0) && row[1] == (i % 2 ? 0.5 : 0.0) &&
                  row[2] == (i % 2 ? -(double)i : 0.0));
    }
    nas_state_fini(&state);
}

Test(state, works_without_metrics_and_columns)
{
    nas_state_t state = {0};
    char name[] = "only";
    cr_assert_eq(nas_state_make_repeats(&state, 1, 0, NULL), NAS_OK);
    for (int i = 0; i < 20; i++) {
        const nas_evaluation_t evaluation = {.arch = 4 + i, .name = name};
        cr_assert_eq(nas_state_add_evaluation(&state, 0, &evaluation, NULL), NAS_OK);
        cr_assert_eq(
            nas_state_add_observation(&state, 0, (nas_observation_t){.arch = 4}, NULL, NULL),
            NAS_OK);
    }
    cr_assert_eq(state.repeat[0].n_observation, 20);
    cr_assert_str_eq(state.repeat[0].evaluation[19].name, "only");
    nas_state_fini(&state);
}

Test(state, events_are_dated_lines)
{
    nas_state_t state = {0};
    const double before = nas_clock_unix_s();
    cr_assert_eq(nas_state_add_event(&state, NULL, "resumed on %d ranks", 4), NAS_OK);
    cr_assert_eq(nas_state_add_event(&state, NULL, "two\nlines"), NAS_OK);
    cr_assert_eq(state.n_event, 2);
    cr_assert_str_eq(state.event[0].text, "resumed on 4 ranks");
    cr_assert_str_eq(state.event[1].text, "two?lines");
    cr_assert(before <= state.event[0].time_s && state.event[0].time_s <= state.event[1].time_s);
    nas_state_fini(&state);
}

Test(state, long_event_is_cut)
{
    nas_state_t state = {0};
    char text[3 * NAS_ERROR_SIZE];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    cr_assert_eq(nas_state_add_event(&state, NULL, "%s", text), NAS_OK);
    cr_assert_eq(strlen(state.event[0].text), NAS_ERROR_SIZE - 1);
    nas_state_fini(&state);
}

Test(state, fini_leaves_a_usable_empty_state)
{
    static const nas_state_t empty;
    nas_state_t state = make_state(2);
    state.repeat[1].best_weights = calloc(N_METRIC, sizeof(double));
    nas_state_fini(&state);
    cr_assert_eq(memcmp(&state, &empty, sizeof state), 0);
    nas_state_fini(&state);
    cr_assert_eq(nas_state_add_event(&state, NULL, "again"), NAS_OK);
    nas_state_fini(&state);
}

Test(state, best_is_the_earliest_of_the_best)
{
    nas_state_t state = make_state(1);
    const nas_repeat_t *repeat = &state.repeat[0];
    cr_assert_null(nas_repeat_best(repeat, false));
    add_value(&state, 5, (double)NAN, NAS_EVAL_MISSING);
    cr_assert_null(nas_repeat_best(repeat, false));
    add_value(&state, 8, 2.0, NAS_EVAL_OK);
    add_value(&state, 3, 9.0, NAS_EVAL_OK);
    add_value(&state, 6, (double)NAN, NAS_EVAL_MISSING);
    add_value(&state, 1, 9.0, NAS_EVAL_OK);
    add_value(&state, 2, 2.0, NAS_EVAL_OK);
    cr_assert_eq(nas_repeat_best(repeat, false)->arch, 3);
    cr_assert_eq(nas_repeat_best(repeat, true)->arch, 8);
    nas_state_fini(&state);
}

Test(state, find_by_architecture)
{
    nas_state_t state = make_state(1);
    add_value(&state, 5, 1.0, NAS_EVAL_OK);
    add_value(&state, 8, 2.0, NAS_EVAL_OK);
    cr_assert_eq(nas_repeat_find(&state.repeat[0], 8), &state.repeat[0].evaluation[1]);
    cr_assert_null(nas_repeat_find(&state.repeat[0], 6));
    nas_state_fini(&state);
}

Test(state, an_architecture_is_evaluated_once_a_repeat)
{
    nas_state_t state = make_state(2);
    nas_error_t err = {0};
    char name[] = "arch";
    double columns[N_REPORT] = {0};
    nas_evaluation_t evaluation = {.arch = 5, .name = name, .columns = columns};
    cr_assert_eq(nas_state_add_evaluation(&state, 0, &evaluation, &err), NAS_OK);
    cr_assert_eq(nas_state_add_evaluation(&state, 1, &evaluation, &err), NAS_OK);
    cr_assert_eq(nas_state_add_evaluation(&state, 1, &evaluation, &err), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "architecture 5 is evaluated twice in repeat 1"));
    evaluation.arch = -1;
    cr_assert_eq(nas_state_add_evaluation(&state, 0, &evaluation, &err), NAS_EINPUT);
    cr_assert_eq(state.repeat[0].n_evaluation, 1);
    cr_assert_eq(state.repeat[1].n_evaluation, 1);
    nas_state_fini(&state);
}

/* ------------------------------------------------------------------------------------ retry */

static void add_failure(nas_state_t *state, int64_t arch)
{
    char name[] = "bad", reason[] = "exit code 3";
    double columns[N_REPORT] = {(double)NAN, (double)NAN};
    const nas_evaluation_t evaluation = {.arch = arch,
                                         .name = name,
                                         .value = {(double)NAN},
                                         .columns = columns,
                                         .seed = 10,
                                         .status = NAS_EVAL_FAILED,
                                         .reason = reason};
    cr_assert_eq(nas_state_add_evaluation(state, 0, &evaluation, NULL), NAS_OK);
}

static void expect_known(const nas_repeat_t *repeat, const int64_t *arch, int64_t n)
{
    cr_assert_eq(repeat->n_known, n);
    for (int64_t i = 0; i < n; i++) cr_assert_eq(repeat->known[i].arch, arch[i]);
}

Test(state, a_retry_empties_the_history_and_knows_what_succeeded)
{
    nas_state_t state = make_state(2);
    const double weights[N_METRIC] = {0};
    add_value(&state, 4, 1.5, NAS_EVAL_OK);
    add_failure(&state, 7);
    add_value(&state, 2, 2.5, NAS_EVAL_OK);
    cr_assert_eq(
        nas_state_add_observation(&state, 0, (nas_observation_t){.arch = 4}, weights, NULL),
        NAS_OK);
    state.repeat[0].best_weights = calloc(N_METRIC, sizeof(double));
    state.repeat[0].precision_at_t = 0.5;
    state.repeat[0].complete = state.complete = state.gave_up = true;
    cr_assert_eq(nas_state_count_failed(&state), 1);
    cr_assert_eq(nas_state_retry(&state, NULL), NAS_OK);
    cr_assert_eq(state.generation, 1);
    cr_assert(!state.complete && !state.gave_up && !state.repeat[0].complete);
    cr_assert_eq(state.n_event, 1);
    cr_assert_str_eq(state.event[0].text, "before retry 1, bad (seed 10) failed: exit code 3");
    cr_assert(state.repeat[0].n_evaluation == 0 && state.repeat[0].n_observation == 0);
    cr_assert(!state.repeat[0].best_weights && isnan(state.repeat[0].precision_at_t));
    cr_assert(state.repeat[0].seed == 10 && state.repeat[1].seed == 11);
    cr_assert_null(nas_repeat_find(&state.repeat[0], 4));
    expect_known(&state.repeat[0], (int64_t[]){4, 2}, 2);
    cr_assert_eq(state.repeat[0].known[1].value[0], 2.5);
    /* another one, after a search that asked for one of them and a new one */
    add_value(&state, 2, 2.5, NAS_EVAL_OK);
    add_value(&state, 9, 3.5, NAS_EVAL_OK);
    add_failure(&state, 7);
    cr_assert_eq(nas_state_retry(&state, NULL), NAS_OK);
    cr_assert_eq(state.generation, 2);
    expect_known(&state.repeat[0], (int64_t[]){4, 2, 9}, 3);
    nas_state_fini(&state);
}

Test(state, a_retry_of_no_failure_keeps_the_history)
{
    nas_state_t state = make_state(1);
    add_value(&state, 4, 1.5, NAS_EVAL_OK);
    cr_assert_eq(nas_state_retry(&state, NULL), NAS_OK);
    cr_assert_eq(state.generation, 1);
    cr_assert_eq(state.repeat[0].n_evaluation, 1);
    cr_assert_eq(state.repeat[0].n_known, 0);
    cr_assert_eq(state.n_event, 0);
    nas_state_fini(&state);
}
