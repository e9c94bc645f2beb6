#include "coordinator/report/summary.h"
#include "report_state.h"

#include <float.h>
#include <stddef.h>

Test(summary, figures_of_a_repeat)
{
    nas_state_t state = report_state_make();
    const nas_figures_t figures = nas_summary_figures(&state, 0);
    cr_assert_eq(figures.t0, 2);
    cr_assert_eq(figures.cost, 7.5);
    cr_assert_eq(figures.target, 3.0);
    cr_assert_eq(figures.pool_rank, 88, "the earliest of two equal best counts");
    cr_assert_float_eq(figures.precision_at_t, 1.0 / 3.0, 0);
    cr_assert_float_eq(figures.expected_rank, 2.0, 1e-15, "(3 + 1) / (3 / 3 + 1)");
    nas_state_fini(&state);
}

Test(summary, a_failed_evaluation_has_no_part_in_best_or_cost)
{
    nas_state_t state = report_state_make();
    const nas_figures_t figures = nas_summary_figures(&state, 1);
    cr_assert_eq(figures.target, 2.0);
    cr_assert_eq(figures.cost, 2.5);
    cr_assert(isnan(figures.precision_at_t) && isnan(figures.expected_rank));
    nas_state_fini(&state);
}

Test(summary, statistics_are_those_of_the_population)
{
    const double value[] = {2, NAN, 4, 4, 4, 5, 5, 7, 9};
    const nas_statistics_t s = nas_statistics_of(value, 9);
    cr_assert_eq(s.n, 8);
    cr_assert_eq(s.mean, 5);
    cr_assert_eq(s.std, 2);
    cr_assert_eq(s.min, 2);
    cr_assert_eq(s.max, 9);
}

Test(summary, statistics_of_nothing_are_unknown)
{
    const double value[] = {NAN};
    const nas_statistics_t s = nas_statistics_of(value, 1);
    cr_assert(s.n == 0 && isnan(s.mean) && isnan(s.std) && isnan(s.min) && isnan(s.max));
}

Test(summary, over_repeats_leaves_out_what_is_unknown)
{
    nas_state_t state = report_state_make();
    nas_statistics_t s;
    nas_error_t err = {0};
    cr_assert_eq(nas_summary_over(&state, offsetof(nas_figures_t, target), &s, &err), NAS_OK);
    cr_assert(s.n == 2 && s.mean == 2.5 && s.std == 0.5);
    cr_assert_eq(nas_summary_over(&state, offsetof(nas_figures_t, precision_at_t), &s, &err),
                 NAS_OK);
    cr_assert(s.n == 1 && s.std == 0);
    cr_assert_eq(nas_summary_column(&state, 0, &s, &err), NAS_OK);
    cr_assert(s.min == 20 && s.max == 30);
    nas_state_fini(&state);
}

Test(summary, history_goes_as_far_as_every_repeat_has_come)
{
    nas_state_t state = report_state_make();
    cr_assert_eq(nas_summary_best_after(&state, 1), 1.5);
    cr_assert_eq(nas_summary_best_after(&state, 2), 2.5);
    cr_assert(isnan(nas_summary_best_after(&state, 3)));
    nas_state_fini(&state);
}

Test(summary, best_repeat_follows_the_direction)
{
    nas_state_t state = report_state_make();
    cr_assert_eq(nas_summary_best_repeat(&state), 0);
    cr_assert_eq(nas_summary_figures(&state, 0).target, 3.0);
    state.minimise = true;
    cr_assert_eq(nas_summary_best_repeat(&state), 0);
    cr_assert_eq(nas_summary_figures(&state, 0).target, 1.0);
    nas_state_fini(&state);
}

Test(summary, statistics_of_finite_values_are_finite)
{
    const double value[] = {1.7e308, -1.7e308, 1.7e308, 1.7e308};
    const nas_statistics_t s = nas_statistics_of(value, 4);
    cr_assert_float_eq(s.mean, 0.85e308, 1e293);
    cr_assert_float_eq(s.std, sqrt(3.0) * 0.85e308, 1e293);
    cr_assert(s.min == -1.7e308 && s.max == 1.7e308);
    const double extreme[] = {DBL_MAX, -DBL_MAX};
    const nas_statistics_t t = nas_statistics_of(extreme, 2);
    cr_assert(t.mean == 0 && t.std == DBL_MAX);
}

Test(summary, figures_of_finite_values_are_finite)
{
    nas_state_t state = report_state_make();
    for (int r = 0; r < 2; r++)
        for (int64_t i = 0; i < state.repeat[r].n_evaluation; i++) {
            state.repeat[r].evaluation[i].value[0] = 1.7e308;
            state.repeat[r].evaluation[i].cost = 1.2e308;
        }
    cr_assert_eq(nas_summary_figures(&state, 0).cost, DBL_MAX, "more than a double holds");
    cr_assert_eq(nas_summary_best_after(&state, 2), 1.7e308);
    nas_state_fini(&state);
}

Test(summary, mean_of_a_metric_is_finite)
{
    nas_state_t state = {.n_arch = 3};
    nas_error_t err = {0};
    int64_t n_missing = 0;
    cr_assert_eq(nas_strings_add(&state.metrics, "snip", 4, &err), NAS_OK);
    const nas_name_source_t arch = nas_name_source_of_text("a\0b\0c", 2, 3);
    cr_assert_eq(nas_state_make_scores(&state, &arch, &err), NAS_OK);
    for (int i = 0; i < 3; i++) {
        state.scores.status[i] = NAS_SCORE_OK;
        state.scores.value[i] = i == 2 ? (double)NAN : 1.7e308;
    }
    const nas_statistics_t s = nas_summary_metric(&state, 0, &n_missing);
    cr_assert(s.mean == 1.7e308 && s.n == 2 && n_missing == 1);
    nas_state_fini(&state);
}
