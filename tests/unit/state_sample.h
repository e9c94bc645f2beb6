/* States to write and compare. */
#ifndef NAS_TESTS_UNIT_STATE_SAMPLE_H
#define NAS_TESTS_UNIT_STATE_SAMPLE_H

#include "common/state/state.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How much is in a sample. */
typedef struct sample_size {
    int64_t n_repeat;
    int64_t n_evaluation; /* and observations, of each repeat */
    int n_metric;
    int n_report;
    int n_event;
    int n_epochs;
    int n_goals;    /* 0: one */
    bool posterior; /* as of a method that weighs no metrics and has one */
} sample_size_t;

static inline void sample_names(nas_strings_t *names, const char *prefix, int n)
{
    for (int i = 0; i < n; i++) {
        char name[64];
        const int length = snprintf(name, sizeof name, "%s %d", prefix, i);
        cr_assert_eq(nas_strings_add(names, name, (size_t)length, NULL), NAS_OK);
    }
}

/* Every third evaluation is missing or has failed, so that NaN occurs wherever it may. */
static inline void sample_evaluation(nas_state_t *state, int64_t repeat, int64_t i)
{
    const int64_t arch = 7919 * i + repeat;
    const bool missing = i % 3 == 2;
    char name[128];
    double columns[16], curve[8 * NAS_CURVE_COLUMNS];
    const bool failed = missing && i % 2 == 0;
    char reason[] = "exit code 3 (2 tries)";
    for (int64_t k = 0; k < state->n_epochs * NAS_CURVE_COLUMNS; k++)
        curve[k] = failed && k > 4 ? (double)NAN : (double)(i + k);
    for (size_t c = 0; c < state->report_columns.n; c++)
        columns[c] = (i + (int64_t)c) % 4 ? 0.1 * (double)i + (double)c : (double)NAN;
    (void)snprintf(name, sizeof name,
                   "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|none~1|none~2| %d",
                   (int)i);
    nas_evaluation_t evaluation = {.arch = arch,
                                   .name = name,
                                   .cost = i % 5 ? 130.0 + (double)i : (double)NAN,
                                   .columns = columns,
                                   .pool_rank = i % 4 ? i : 0,
                                   .seed = UINT64_MAX - (uint64_t)i,
                                   .status = failed    ? NAS_EVAL_FAILED
                                             : missing ? NAS_EVAL_MISSING
                                                       : NAS_EVAL_OK,
                                   .reason = failed ? reason : NULL,
                                   .curve = state->n_epochs > 0 ? curve : NULL,
                                   .phase = i % 2 ? NAS_PHASE_EXPLOIT : NAS_PHASE_EXPLORE,
                                   .rank = (int32_t)(i % 7),
                                   .reused = i % 2 == 1};
    for (int64_t g = 0; g < state->n_goals; g++)
        evaluation.value[g] = missing ? (double)NAN : 94.0 - (double)g + 1.0 / (double)(i + 1);
    cr_assert_eq(nas_state_add_evaluation(state, repeat, &evaluation, NULL), NAS_OK);
}

/* A known result of every repeat but the first, of which the last is also an evaluation. */
static inline void sample_known(nas_state_t *state)
{
    for (int64_t r = 1; r < state->n_repeat; r++)
        for (int64_t i = 0; i < state->repeat[r].n_evaluation && i < 2; i++) {
            nas_evaluation_t known = state->repeat[r].evaluation[i];
            if (i == 0) known.arch += 1000;
            cr_assert_eq(nas_state_add_known(state, r, &known, NULL), NAS_OK);
        }
}

static inline void sample_observation(nas_state_t *state, int64_t repeat, int64_t i)
{
    double weights[16];
    for (size_t m = 0; m < state->metrics.n; m++)
        weights[m] = sin((double)(i + 1) * (double)(m + 1));
    const int64_t n_phases = state->has_weights ? 2 : NAS_N_PHASES;
    const nas_observation_t observation = {.arch = 7919 * i + repeat,
                                           .phase = (int32_t)(i % n_phases)};
    cr_assert_eq(nas_state_add_observation(state, repeat, observation, weights, NULL), NAS_OK);
}

static inline void sample_texts(nas_state_t *state)
{
    state->job_name = nas_string_copy("a job, named in UTF-8: \xc3\xa9", NULL);
    state->job_text = nas_string_copy("name: nb201\nsearch:\n  budget: 20\n", NULL);
    state->method = nas_string_copy(state->has_weights ? "robot" : "pool-gp", NULL);
    state->table_path = nas_string_copy("tables/nb201.csv", NULL);
    state->program_version = nas_string_copy("0.1.0", NULL);
    state->commit = nas_string_copy("", NULL);
    state->host = nas_string_copy("node17", NULL);
    state->isa = nas_string_copy("avx2", NULL);
    state->blas = nas_string_copy("Haswell", NULL);
}

static inline nas_state_t sample_state(sample_size_t size)
{
    nas_state_t state = {.budget = size.n_evaluation,
                         .n_goals = size.n_goals > 0 ? size.n_goals : 1,
                         .n_arch = INT64_C(1) << 40,
                         .n_epochs = size.n_epochs,
                         .generation = size.n_event,
                         .gave_up = size.n_event > 0,
                         .minimise = true,
                         .has_weights = !size.posterior,
                         .n_ranks = 4,
                         .created_s = 1.75e9,
                         .updated_s = 1.75e9 + 0.25,
                         .elapsed_s = 17.5};
    sample_texts(&state);
    for (int i = 0; i < NAS_DIGEST_SIZE; i++) {
        state.job_hash.byte[i] = (uint8_t)(i * 37);
        state.job_hash_without_budget.byte[i] = (uint8_t)(255 - i);
        state.objective_hash.byte[i] = (uint8_t)(i * i);
        state.seen_hash.byte[i] = (uint8_t)(i * 11);
        state.table_digest.byte[i] = 0xf0;
        state.table_blocks.byte[i] = (uint8_t)(i * 13);
    }
    sample_names(&state.metrics, "metric", size.n_metric);
    if (size.n_metric > 0)
        state.metric_is_constant = calloc((size_t)size.n_metric, sizeof(int32_t));
    for (int m = 1; m < size.n_metric; m += 2) state.metric_is_constant[m] = 1;
    sample_names(&state.report_columns, "column", size.n_report);
    sample_names(&state.class_names, "class", size.n_report);
    sample_names(&state.reused_from, "../run", size.n_event);
    cr_assert_eq(nas_state_make_repeats(&state, size.n_repeat, 10, NULL), NAS_OK);
    for (int64_t r = 0; r < size.n_repeat; r++) {
        for (int64_t i = 0; i < size.n_evaluation; i++) {
            sample_evaluation(&state, r, i);
            sample_observation(&state, r, i);
        }
        if (r % 2 == 0) continue;
        state.repeat[r].complete = true;
        state.repeat[r].precision_at_t = size.posterior ? (double)NAN : 0.25;
        state.repeat[r].posterior_mean = size.posterior ? 1.5 : (double)NAN;
        state.repeat[r].posterior_std = size.posterior ? 0.0 : (double)NAN;
        state.repeat[r].best_weights = calloc((size_t)size.n_metric + 1, sizeof(double));
        for (int m = 0; m < size.n_metric; m++) state.repeat[r].best_weights[m] = 1.0 / (m + 2);
    }
    if (size.n_event > 0) sample_known(&state);
    for (int i = 0; i < size.n_event; i++)
        cr_assert_eq(nas_state_add_event(&state, NULL, "event %d", i), NAS_OK);
    return state;
}

/* Bits, so that NaN equals NaN. */
static inline void assert_equal_bits(const void *a, const void *b, size_t n_bytes, const char *what)
{
    cr_assert(n_bytes == 0 || memcmp(a, b, n_bytes) == 0, "%s differs", what);
}

static inline void assert_equal_names(const nas_strings_t *a, const nas_strings_t *b)
{
    cr_assert_eq(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) cr_assert_str_eq(a->at[i], b->at[i]);
}

static inline void assert_equal_evaluations(const nas_evaluation_t *a, const nas_evaluation_t *b,
                                            const nas_state_t *state)
{
    const size_t n_report = state->report_columns.n;
    const size_t n_curve = (size_t)state->n_epochs * NAS_CURVE_COLUMNS;
    cr_assert_eq(!a->reason, !b->reason);
    if (a->reason) cr_assert_str_eq(a->reason, b->reason);
    cr_assert_eq(!a->curve, !b->curve);
    if (a->curve) assert_equal_bits(a->curve, b->curve, n_curve * sizeof *a->curve, "curve");
    cr_assert_str_eq(a->name, b->name);
    assert_equal_bits(a->columns, b->columns, n_report * sizeof *a->columns, "columns");
    cr_assert(a->arch == b->arch && a->pool_rank == b->pool_rank && a->seed == b->seed &&
              a->status == b->status && a->phase == b->phase && a->rank == b->rank &&
              a->reused == b->reused);
    assert_equal_bits(a->value, b->value, (size_t)state->n_goals * sizeof(double), "value");
    assert_equal_bits(&a->cost, &b->cost, sizeof a->cost, "cost");
}

static inline void assert_equal_repeats(const nas_repeat_t *a, const nas_repeat_t *b,
                                        const nas_state_t *state)
{
    const size_t n_metric = state->metrics.n;
    cr_assert(a->seed == b->seed && a->complete == b->complete);
    assert_equal_bits(&a->precision_at_t, &b->precision_at_t, sizeof a->precision_at_t,
                      "precision_at_t");
    cr_assert_eq(a->n_evaluation, b->n_evaluation);
    for (int64_t i = 0; i < a->n_evaluation; i++)
        assert_equal_evaluations(&a->evaluation[i], &b->evaluation[i], state);
    cr_assert_eq(a->n_known, b->n_known);
    for (int64_t i = 0; i < a->n_known; i++)
        assert_equal_evaluations(&a->known[i], &b->known[i], state);
    cr_assert_eq(a->n_observation, b->n_observation);
    for (int64_t i = 0; i < a->n_observation; i++)
        cr_assert(a->observation[i].arch == b->observation[i].arch &&
                  a->observation[i].phase == b->observation[i].phase);
    assert_equal_bits(a->weights, b->weights,
                      (size_t)a->n_observation * nas_state_weights(state) * sizeof(double),
                      "weights");
    assert_equal_bits(&a->posterior_mean, &b->posterior_mean, sizeof(double), "posterior_mean");
    assert_equal_bits(&a->posterior_std, &b->posterior_std, sizeof(double), "posterior_std");
    cr_assert_eq(!a->best_weights, !b->best_weights);
    if (a->best_weights)
        assert_equal_bits(a->best_weights, b->best_weights, n_metric * sizeof(double),
                          "best_weights");
}

static inline void assert_equal_states(const nas_state_t *a, const nas_state_t *b)
{
    cr_assert_str_eq(a->job_name, b->job_name);
    cr_assert_str_eq(a->job_text, b->job_text);
    cr_assert_str_eq(a->method, b->method);
    cr_assert_str_eq(a->table_path, b->table_path);
    cr_assert_str_eq(a->program_version, b->program_version);
    cr_assert_str_eq(a->commit, b->commit);
    cr_assert_str_eq(a->host, b->host);
    cr_assert_str_eq(a->isa, b->isa);
    cr_assert_str_eq(a->blas, b->blas);
    assert_equal_bits(&a->job_hash, &b->job_hash, sizeof a->job_hash, "job_hash");
    assert_equal_bits(&a->job_hash_without_budget, &b->job_hash_without_budget, sizeof a->job_hash,
                      "job_hash_without_budget");
    assert_equal_bits(&a->objective_hash, &b->objective_hash, sizeof a->job_hash, "objective_hash");
    assert_equal_bits(&a->seen_hash, &b->seen_hash, sizeof a->job_hash, "seen_hash");
    assert_equal_bits(&a->table_digest, &b->table_digest, sizeof a->job_hash, "table_digest");
    assert_equal_bits(&a->table_blocks, &b->table_blocks, sizeof a->job_hash, "table_blocks");
    cr_assert(a->budget == b->budget && a->n_goals == b->n_goals && a->n_arch == b->n_arch &&
              a->n_epochs == b->n_epochs && a->minimise == b->minimise &&
              a->has_weights == b->has_weights && a->n_ranks == b->n_ranks &&
              a->complete == b->complete && a->generation == b->generation &&
              a->gave_up == b->gave_up);
    cr_assert(a->created_s == b->created_s && a->updated_s == b->updated_s &&
              a->elapsed_s == b->elapsed_s);
    assert_equal_names(&a->metrics, &b->metrics);
    cr_assert_eq(!a->metric_is_constant, !b->metric_is_constant);
    if (a->metric_is_constant)
        assert_equal_bits(a->metric_is_constant, b->metric_is_constant,
                          a->metrics.n * sizeof(int32_t), "metric_is_constant");
    assert_equal_names(&a->report_columns, &b->report_columns);
    assert_equal_names(&a->class_names, &b->class_names);
    assert_equal_names(&a->reused_from, &b->reused_from);
    cr_assert_eq(a->n_event, b->n_event);
    for (int64_t i = 0; i < a->n_event; i++) {
        cr_assert_str_eq(a->event[i].text, b->event[i].text);
        cr_assert(a->event[i].time_s == b->event[i].time_s);
    }
    cr_assert_eq(a->n_repeat, b->n_repeat);
    for (int64_t r = 0; r < a->n_repeat; r++) assert_equal_repeats(&a->repeat[r], &b->repeat[r], a);
}

#endif
