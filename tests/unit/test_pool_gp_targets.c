/* The targets that pool-gp learns from. Expected numbers are those of the definitions in
 * pool_gp_targets.h, carried out in Python: average ranks by counting, Q = NormalDist().inv_cdf and
 * median of its module statistics, sums by math.fsum; that Q is exact to 1e-15, the program's to
 * 1.2e-9. */
#include "coordinator/search/methods/pool_gp_targets.h"

#include <criterion/criterion.h>
#include <math.h>

enum { MOST = 8 };

static void work_out(const double *target, const bool *failed, int64_t n, double *t)
{
    nas_error_t err = {0};
    const nas_evaluated_t evaluated = {.target = target, .failed = failed, .n = n};
    cr_assert_eq(nas_pool_gp_targets(&evaluated, t, &err), NAS_OK, "%s", err.text);
}

static void expect(const double *target, const bool *failed, int64_t n, const double *expected)
{
    double t[MOST];
    work_out(target, failed, n, t);
    for (int64_t i = 0; i < n; i++)
        cr_assert_float_eq(t[i], expected[i], 1e-8, "%d of %d: %.12f, not %.12f", (int)i, (int)n,
                           t[i], expected[i]);
}

static const bool NONE_FAILED[MOST] = {false};

static const double SEVERAL[5] = {0.3, 0.91, 0.5, 0.88, 0.1};

Test(pool_gp_targets, count_distances_above_the_median)
{
    const double expected[] = {-0.638490014570, 1.314527179228, -0.069619660962, 0.853430951080,
                               -1.459848454776};
    expect(SEVERAL, NONE_FAILED, 5, expected);
    const double negative[] = {-1.5, -0.25, -4.0, -0.5};
    const double of_negative[] = {-0.434101918583, 1.258364350079, -1.383823144485, 0.559560712989};
    expect(negative, NONE_FAILED, 4, of_negative);
    const double two[] = {3.0, 8.0}, of_two[] = {-1.0, 1.0};
    expect(two, NONE_FAILED, 2, of_two);
}

/* Below the median order alone counts. */
Test(pool_gp_targets, do_not_see_how_bad_the_bad_are)
{
    double t[5], u[5], worse[5] = {0.3, 0.91, 0.5, 0.88, -1e9};
    work_out(SEVERAL, NONE_FAILED, 5, t);
    work_out(worse, NONE_FAILED, 5, u);
    cr_assert_arr_eq(t, u, sizeof t);
    worse[1] = 0.95;
    work_out(worse, NONE_FAILED, 5, u);
    cr_assert_neq(t[3], u[3]);
}

Test(pool_gp_targets, share_ranks_on_ties)
{
    const double target[] = {70.0, 10.0, 70.0, 92.5, 91.0, 10.0, 55.0, 91.0};
    const double expected[] = {-0.079691836811, -1.327968615877, -0.079691836811, 1.485297238974,
                               0.970050333338,  -1.327968615877, -0.610077000274, 0.970050333338};
    expect(target, NONE_FAILED, 8, expected);
    const double top[] = {1.0, 2.0, 2.0, 2.0}; /* no distance above the median */
    const double of_top[] = {-1.732050807569, 0.577350269190, 0.577350269190, 0.577350269190};
    expect(top, NONE_FAILED, 4, of_top);
}

/* Of six that succeeded s_1, of three s_0; what a failed one holds is of no account. */
Test(pool_gp_targets, of_failed_ones_are_the_lower_quartile)
{
    const double target[] = {5.0, -3.0, 9e9, 4.0, (double)NAN, 2.0, 7.0, 1.0};
    const bool failed[] = {false, false, true, false, true, false, false, false};
    const double expected[] = {0.993669515847,  -1.704025746154, -0.565862552527, 0.621256403781,
                               -0.565862552527, 0.129723986385,  1.656963497721,  -0.565862552527};
    expect(target, failed, 8, expected);
    const double few[] = {1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 3.0};
    const bool most_failed[] = {false, true, true, false, true, true, false};
    const double of_few[] = {-0.599518817944, -0.599518817944, -0.599518817944, 0.902935999277,
                             -0.599518817944, -0.599518817944, 2.094658090444};
    expect(few, most_failed, 7, of_few);
}

Test(pool_gp_targets, of_equal_ones_are_zero)
{
    const double zero[MOST] = {0.0};
    const bool failed[MOST] = {true, true, true};
    static const double size[] = {0.1, -3.0, 0.0, 1.7e308, 5e-324};
    for (int64_t n = 1; n <= 7; n++)
        for (int k = 0; k < 5; k++) {
            double equal[MOST], t[MOST];
            for (int i = 0; i < MOST; i++) equal[i] = size[k];
            work_out(equal, NONE_FAILED, n, t);
            cr_assert_arr_eq(t, zero, (size_t)n * sizeof *t);
            work_out(equal, failed, n, t);
            cr_assert_arr_eq(t, zero, (size_t)n * sizeof *t);
        }
    expect(zero, failed, 0, zero);
}

/* Multiplied by a power of two they are the same to the bit, whatever overflows or underflows, and
 * times anything to rounding. */
Test(pool_gp_targets, do_not_depend_on_the_unit)
{
    double t[5], scaled[5], u[5];
    work_out(SEVERAL, NONE_FAILED, 5, t);
    for (int exponent = -1000; exponent <= 1024; exponent += 8) {
        for (int i = 0; i < 5; i++) scaled[i] = ldexp(SEVERAL[i], exponent);
        work_out(scaled, NONE_FAILED, 5, u);
        cr_assert_arr_eq(t, u, sizeof t, "2^%d", exponent);
    }
    for (int i = 0; i < 5; i++) scaled[i] = 1.7e308 * SEVERAL[i];
    expect(scaled, NONE_FAILED, 5, t);
    for (int i = 0; i < 5; i++) scaled[i] = 3.0 * SEVERAL[i] - 40.0;
    expect(scaled, NONE_FAILED, 5, t);
}

Test(pool_gp_targets, of_opposite_extremes_are_finite)
{
    const double target[] = {-1.7e308, 1.7e308, 1.0, -1.0, 1.6e308};
    double t[5];
    work_out(target, NONE_FAILED, 5, t);
    for (int i = 0; i < 5; i++) cr_assert(isfinite(t[i]));
    cr_assert(t[1] > t[4] && t[4] > t[2] && t[2] > t[3] && t[3] > t[0]);
}

static bool at_once(void *context, double share)
{
    (void)context;
    (void)share;
    return true;
}

Test(pool_gp_targets, of_very_many_can_be_interrupted)
{
    enum { N = 200000 };
    nas_error_t err = {0};
    const nas_interrupt_t interrupt = {.asked = at_once};
    double *target = calloc(2 * N, sizeof *target);
    bool *failed = calloc(N, sizeof *failed);
    cr_assert(target && failed);
    const nas_evaluated_t evaluated = {target, failed, N, &interrupt};
    cr_assert_eq(nas_pool_gp_targets(&evaluated, target + N, &err), NAS_ESTOP);
    free(target);
    free(failed);
}
