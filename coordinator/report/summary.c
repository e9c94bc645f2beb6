#include "coordinator/report/summary.h"

#include "common/base/magnitude.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

/* The largest double where the sum is beyond it. */
static double sum_costs(const nas_repeat_t *repeat)
{
    double sum = 0, largest = 0;
    int64_t n_known = 0;
    for (int64_t i = 0; i < repeat->n_evaluation; i++)
        if (isfinite(repeat->evaluation[i].cost))
            largest = fmax(largest, fabs(repeat->evaluation[i].cost));
    const int exponent = nas_magnitude_exponent(largest);
    for (int64_t i = 0; i < repeat->n_evaluation; i++) {
        if (isnan(repeat->evaluation[i].cost)) continue;
        sum += ldexp(repeat->evaluation[i].cost, -exponent);
        n_known++;
    }
    return n_known ? nas_magnitude_restore(sum, exponent) : NAN;
}

static int64_t count_phase(const nas_repeat_t *repeat, nas_phase_t phase)
{
    int64_t n = 0;
    for (int64_t i = 0; i < repeat->n_evaluation; i++)
        n += repeat->evaluation[i].phase == (int32_t)phase;
    return n;
}

/* A repeat's first evaluation tells: whoever has reasons has one for it. */
bool nas_summary_has_reasons(const nas_state_t *state)
{
    for (int64_t r = 0; r < state->n_repeat; r++)
        if (state->repeat[r].n_evaluation > 0)
            return nas_phase_is_reason(state->repeat[r].evaluation->phase);
    return false;
}

static int64_t count_explored(const nas_repeat_t *repeat)
{
    int64_t n = 0;
    for (int64_t i = 0; i < repeat->n_evaluation; i++)
        n += repeat->evaluation[i].phase != NAS_PHASE_EXPLOIT;
    return n;
}

nas_figures_t nas_summary_figures(const nas_state_t *state, int64_t r)
{
    const nas_repeat_t *repeat = &state->repeat[r];
    const nas_evaluation_t *best = nas_repeat_best(repeat, state->minimise);
    const double budget = (double)state->budget, precision = repeat->precision_at_t;
    const bool has_reasons = nas_summary_has_reasons(state);
    return (nas_figures_t){
        .t0 = (double)count_explored(repeat),
        .cost = sum_costs(repeat),
        .target = best ? best->value[0] : NAN,
        .pool_rank = best && best->pool_rank ? (double)best->pool_rank : NAN,
        .precision_at_t = precision,
        .expected_rank = (budget + 1) / (precision * budget + 1),
        .start = has_reasons ? (double)count_phase(repeat, NAS_PHASE_START) : (double)NAN,
        .improvement =
            has_reasons ? (double)count_phase(repeat, NAS_PHASE_IMPROVEMENT) : (double)NAN,
        .hedge = has_reasons ? (double)count_phase(repeat, NAS_PHASE_HEDGE) : (double)NAN,
        .posterior_mean = has_reasons && best ? repeat->posterior_mean : (double)NAN,
        .posterior_std = has_reasons && best ? repeat->posterior_std : (double)NAN,
    };
}

double nas_summary_weight(const nas_state_t *state, int64_t r, size_t metric)
{
    const double *weights = nas_summary_weights(state, r);
    const bool is_constant = state->metric_is_constant && state->metric_is_constant[metric];
    return weights && !is_constant ? weights[metric] : NAN;
}

double nas_summary_mean_weight(const nas_state_t *state, size_t metric)
{
    double sum = 0;
    int64_t n_known = 0;
    for (int64_t r = 0; r < state->n_repeat; r++) {
        const double weight = nas_summary_weight(state, r, metric);
        if (isnan(weight)) continue;
        sum += weight;
        n_known++;
    }
    return n_known ? sum / (double)n_known : NAN;
}

nas_statistics_t nas_statistics_of(const double *value, int64_t n)
{
    nas_statistics_t s = {.mean = NAN, .std = NAN, .min = NAN, .max = NAN};
    const int exponent = nas_magnitude_of(value, n);
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        if (isnan(value[i])) continue;
        sum += ldexp(value[i], -exponent);
        s.min = fmin(s.min, value[i]);
        s.max = fmax(s.max, value[i]);
        s.n++;
    }
    if (s.n == 0) return s;
    const double mean = sum / (double)s.n;
    for (int64_t i = 0; i < n; i++) {
        if (isnan(value[i])) continue;
        const double deviation = ldexp(value[i], -exponent) - mean;
        squares += deviation * deviation;
    }
    s.mean = nas_magnitude_restore(mean, exponent);
    s.std = nas_magnitude_restore(sqrt(squares / (double)s.n), exponent);
    return s;
}

nas_status_t nas_summary_over(const nas_state_t *state, size_t field, nas_statistics_t *statistics,
                              nas_error_t *err)
{
    double *value = malloc((size_t)state->n_repeat * sizeof *value + 1);
    if (!value) return nas_error_nomem(err, "a summary");
    for (int64_t r = 0; r < state->n_repeat; r++) {
        const nas_figures_t figures = nas_summary_figures(state, r);
        value[r] = *(const double *)(const void *)((const char *)&figures + field);
    }
    *statistics = nas_statistics_of(value, state->n_repeat);
    free(value);
    return NAS_OK;
}

nas_status_t nas_summary_column(const nas_state_t *state, size_t column,
                                nas_statistics_t *statistics, nas_error_t *err)
{
    double *value = malloc((size_t)state->n_repeat * sizeof *value + 1);
    if (!value) return nas_error_nomem(err, "a summary");
    for (int64_t r = 0; r < state->n_repeat; r++) {
        const nas_evaluation_t *best = nas_repeat_best(&state->repeat[r], state->minimise);
        value[r] = best ? best->columns[column] : NAN;
    }
    *statistics = nas_statistics_of(value, state->n_repeat);
    free(value);
    return NAS_OK;
}

/* Best target of repeat r among its first n evaluations, NaN where it has none yet. */
static double best_after(const nas_state_t *state, int64_t r, int64_t n)
{
    nas_repeat_t first = state->repeat[r];
    if (first.n_evaluation < n) return NAN;
    first.n_evaluation = n;
    const nas_evaluation_t *best = nas_repeat_best(&first, state->minimise);
    return best ? best->value[0] : NAN;
}

double nas_summary_best_after(const nas_state_t *state, int64_t n)
{
    nas_mean_t mean = {0};
    for (int64_t r = 0; r < state->n_repeat; r++) nas_mean_add(&mean, best_after(state, r, n));
    return nas_mean_value(&mean);
}

int64_t nas_summary_best_repeat(const nas_state_t *state)
{
    int64_t best_repeat = -1;
    double best_value = NAN;
    for (int64_t r = 0; r < state->n_repeat; r++) {
        const nas_evaluation_t *best = nas_repeat_best(&state->repeat[r], state->minimise);
        if (!best) continue;
        const bool better = state->minimise ? *best->value < best_value : *best->value > best_value;
        if (best_repeat >= 0 && !better) continue;
        best_repeat = r;
        best_value = *best->value;
    }
    return best_repeat;
}

const double *nas_summary_weights(const nas_state_t *state, int64_t r)
{
    const nas_repeat_t *repeat = &state->repeat[r];
    return nas_repeat_best(repeat, state->minimise) ? repeat->best_weights : NULL;
}

nas_statistics_t nas_summary_metric(const nas_state_t *state, size_t metric, int64_t *n_missing)
{
    const nas_scores_t *scores = &state->scores;
    nas_statistics_t s = {.mean = NAN, .std = NAN, .min = NAN, .max = NAN};
    nas_mean_t mean = {0};
    *n_missing = 0;
    for (int64_t i = 0; i < scores->n; i++) {
        if (scores->status[i] != NAS_SCORE_OK) continue;
        const double value = scores->value[i * (int64_t)state->metrics.n + (int64_t)metric];
        if (!isfinite(value)) {
            ++*n_missing;
            continue;
        }
        nas_mean_add(&mean, value);
        s.min = fmin(s.min, value);
        s.max = fmax(s.max, value);
        s.n++;
    }
    s.mean = nas_mean_value(&mean);
    return s;
}
