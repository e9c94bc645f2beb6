#include "tests/fuzz/state_sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_ARCH = 4, N_REPEATS = 2, N_EVALUATIONS = 3, N_METRICS = 2, N_EPOCHS = 1 };

enum { NAME_SIZE = 80 };

static const char arch_name[N_ARCH][NAME_SIZE] = {
    "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
    "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|nor_conv_1x1~1|none~2|",
    "|none~0|+|none~0|none~1|+|avg_pool_3x3~0|none~1|none~2|",
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"};

static void add(nas_strings_t *list, const char *text)
{
    NAS_ASSERT(nas_strings_add(list, text, strlen(text), NULL) == NAS_OK);
}

static void add_scores(nas_state_t *state)
{
    const nas_name_source_t arch = nas_name_source_of_text(arch_name[0], NAME_SIZE, N_ARCH);
    NAS_ASSERT(nas_state_make_scores(state, &arch, NULL) == NAS_OK);
    nas_scores_set(&state->scores, 0, NAS_SCORE_OK, 0.5, 0);
    nas_scores_set(&state->scores, 1, NAS_SCORE_FAILED, 0.5, 0); /* the others are pending */
    for (int m = 0; m < N_METRICS; m++) state->scores.value[m] = m + 0.5;
}

static void add_evaluation(nas_state_t *state, int64_t repeat, int i)
{
    static const int32_t status[] = {NAS_EVAL_OK, NAS_EVAL_FAILED, NAS_EVAL_MISSING};
    double columns[] = {i + 0.25}, curve[] = {2.5, 2.25, 10.0 * i};
    char reason[] = "exit code 3";
    nas_evaluation_t evaluation = {.arch = i,
                                   .name = (char *)(uintptr_t)arch_name[i],
                                   .value = {i == 0 ? 90 : (double)NAN},
                                   .cost = 10,
                                   .columns = columns,
                                   .pool_rank = 1,
                                   .seed = 7,
                                   .status = status[i],
                                   .phase = i % 2, /* NAS_PHASE_EXPLORE or EXPLOIT */
                                   .reason = i == 1 ? reason : NULL,
                                   .curve = curve};
    const double weights[N_METRICS] = {0.5, -0.25};
    const nas_observation_t observation = {.arch = i, .phase = evaluation.phase};
    NAS_ASSERT(nas_state_add_evaluation(state, repeat, &evaluation, NULL) == NAS_OK);
    NAS_ASSERT(nas_state_add_observation(state, repeat, observation, weights, NULL) == NAS_OK);
}

static void add_repeats(nas_state_t *state)
{
    NAS_ASSERT(nas_state_make_repeats(state, N_REPEATS, 1, NULL) == NAS_OK);
    for (int r = 0; r < N_REPEATS; r++)
        for (int i = 0; i < N_EVALUATIONS; i++) add_evaluation(state, r, i);
    NAS_ASSERT(nas_state_add_known(state, 0, &state->repeat[0].evaluation[0], NULL) == NAS_OK);
    nas_repeat_t *last = &state->repeat[N_REPEATS - 1];
    last->best_weights = calloc(N_METRICS, sizeof *last->best_weights);
    NAS_ASSERT(last->best_weights);
    last->best_weights[1] = -0.75;
    last->posterior_mean = 1.5;
    last->posterior_std = 0.25;
    last->precision_at_t = 0.5;
    last->complete = true;
}

nas_state_t fuzz_state_sample(void)
{
    nas_state_t state = {.job_name = nas_string_copy("sample", NULL),
                         .job_text = nas_string_copy("name: sample\n", NULL),
                         .method = nas_string_copy("robot", NULL),
                         .table_path = nas_string_copy("", NULL),
                         .program_version = nas_string_copy("0.1.0", NULL),
                         .commit = nas_string_copy("0123456789ab", NULL),
                         .host = nas_string_copy("node1", NULL),
                         .isa = nas_string_copy("plain", NULL),
                         .budget = N_EVALUATIONS,
                         .n_goals = 1,
                         .n_arch = N_ARCH,
                         .n_epochs = N_EPOCHS,
                         .n_ranks = 1,
                         .has_weights = true,
                         .created_s = 1.75e9,
                         .updated_s = 1.75e9,
                         .elapsed_s = 1};
    add(&state.metrics, "snip");
    add(&state.metrics, "synflow");
    add(&state.report_columns, "loss");
    add_scores(&state);
    add_repeats(&state);
    NAS_ASSERT(nas_state_add_event(&state, NULL, "started") == NAS_OK);
    return state;
}
