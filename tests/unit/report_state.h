/* A small run for the tests of summaries and reports: two repeats of a budget of 3, two metrics,
 * one report column. */
#ifndef NAS_TESTS_UNIT_REPORT_STATE_H
#define NAS_TESTS_UNIT_REPORT_STATE_H

#include "common/state/state.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void report_state_evaluate(nas_state_t *state, int64_t repeat, int64_t arch,
                                         double value)
{
    char name[32];
    double column = 10 * value;
    nas_error_t err = {0};
    (void)snprintf(name, sizeof name, "arch-%lld", (long long)arch);
    const nas_evaluation_t evaluation = {.arch = arch,
                                         .name = name,
                                         .value = {value},
                                         .cost = isnan(value) ? NAN : 2.5,
                                         .columns = &column,
                                         .pool_rank = isnan(value) ? 0 : 100 - arch,
                                         .status = isnan(value) ? NAS_EVAL_MISSING : NAS_EVAL_OK,
                                         .phase = arch % 2 ? NAS_PHASE_EXPLOIT : NAS_PHASE_EXPLORE};
    cr_assert_eq(nas_state_add_evaluation(state, repeat, &evaluation, &err), NAS_OK);
}

/* Repeat 0 evaluated 10 -> 1, 12 -> 3, 13 -> 3; repeat 1 evaluated 20 -> 2, 21 -> missing. */
static inline nas_state_t report_state_make(void)
{
    nas_error_t err = {0};
    nas_state_t state = {.job_name = strdup("tiny"),
                         .job_text = strdup(""),
                         .method = strdup("robot"),
                         .table_path = strdup("t.csv"),
                         .program_version = strdup("0"),
                         .commit = strdup("c"),
                         .host = strdup("h"),
                         .isa = strdup("plain"),
                         .budget = 3,
                         .n_goals = 1,
                         .n_arch = 100,
                         .has_weights = true,
                         .repeat = calloc(2, sizeof(nas_repeat_t)),
                         .n_repeat = 2};
    cr_assert_eq(nas_strings_add(&state.metrics, "snip", 4, &err), NAS_OK);
    cr_assert_eq(nas_strings_add(&state.metrics, "nwot", 4, &err), NAS_OK);
    cr_assert_eq(nas_strings_add(&state.report_columns, "test", 4, &err), NAS_OK);
    state.repeat[0].seed = 5;
    state.repeat[1].seed = 6;
    report_state_evaluate(&state, 0, 10, 1.0);
    report_state_evaluate(&state, 0, 12, 3.0);
    report_state_evaluate(&state, 0, 13, 3.0);
    report_state_evaluate(&state, 1, 20, 2.0);
    report_state_evaluate(&state, 1, 21, NAN);
    state.repeat[0].best_weights = calloc(2, sizeof(double));
    state.repeat[0].best_weights[0] = 0.5;
    state.repeat[0].best_weights[1] = -1.0;
    state.repeat[0].precision_at_t = 1.0 / 3.0;
    state.repeat[1].precision_at_t = NAN;
    for (int r = 0; r < 2; r++)
        state.repeat[r].posterior_mean = state.repeat[r].posterior_std = (double)NAN;
    return state;
}

/* As a method leaves it that weighs no metrics and has a posterior: repeat 0 is through. */
static inline nas_state_t report_state_make_posterior(void)
{
    static const int32_t phase[] = {NAS_PHASE_START, NAS_PHASE_HEDGE, NAS_PHASE_IMPROVEMENT};
    nas_state_t state = report_state_make();
    for (int64_t r = 0; r < state.n_repeat; r++)
        for (int64_t i = 0; i < state.repeat[r].n_evaluation; i++)
            state.repeat[r].evaluation[i].phase = phase[i];
    state.has_weights = false;
    free(state.method);
    state.method = nas_string_copy("pool-gp", NULL);
    state.repeat[0].precision_at_t = NAN;
    state.repeat[0].posterior_mean = 1.25;
    state.repeat[0].posterior_std = 0.5;
    return state;
}

#endif
