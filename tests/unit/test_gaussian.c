#include "common/base/gaussian.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <string.h>

/* The mathematical library is the reference; tolerances are for the rounding of its arguments,
 * too. */
static void assert_close(double x, double value, double expected, double tolerance)
{
    const double error = fabs(value - expected);
    cr_assert(error <= tolerance * fabs(expected), "at %.17g: %.17g instead of %.17g", x, value,
              expected);
}

Test(gaussian, exponential)
{
    for (double x = -700.0; x <= 700.0; x += 0.0173) {
        assert_close(x, nas_exp(x), exp(x), 2 * DBL_EPSILON);
        assert_close(x * 1e-3, nas_exp(x * 1e-3), exp(x * 1e-3), 2 * DBL_EPSILON);
    }
    cr_assert(nas_exp(0.0) == 1.0 && nas_exp(-0.0) == 1.0);
    cr_assert(nas_exp(-701.0) == 0.0 && nas_exp(-INFINITY) == 0.0);
    cr_assert(nas_exp(701.0) == INFINITY && nas_exp(INFINITY) == INFINITY);
}

Test(gaussian, logarithm)
{
    for (double x = DBL_TRUE_MIN; x < DBL_MAX / 1.001; x *= x < DBL_MIN ? 1.5 : 1.0007)
        assert_close(x, nas_log(x), log(x), 2 * DBL_EPSILON);
    for (double x = 0.5; x < 2.0; x += 0.000113)
        assert_close(x, nas_log(x), log(x), 2 * DBL_EPSILON);
    cr_assert(nas_log(1.0) == 0.0);
    assert_close(DBL_MAX, nas_log(DBL_MAX), log(DBL_MAX), DBL_EPSILON);
}

Test(gaussian, density)
{
    for (double x = -36.0; x <= 36.0; x += 0.00171)
        assert_close(x, nas_normal_density(x), exp(-0.5 * x * x) / sqrt(2.0 * acos(-1.0)), 1e-13);
}

static double distribution(double x)
{
    return 0.5 * erfc(-x / sqrt(2.0));
}

/* The integral of the distribution from far below, by Simpson's rule. */
Test(gaussian, improvement_is_the_integral_of_the_distribution)
{
    const double step = 1.0 / 512;
    double integral = nas_normal_improvement(-8.0);
    for (double x = -8.0; x < 12.0; x += step) {
        integral += step / 6 *
                    (distribution(x) + 4 * distribution(x + 0.5 * step) + distribution(x + step));
        assert_close(x + step, nas_normal_improvement(x + step), integral, 1e-8);
    }
    assert_close(0, nas_normal_improvement(0.0), 1.0 / sqrt(2.0 * acos(-1.0)), 1e-15);
}

Test(gaussian, quantile_is_the_inverse_of_the_distribution)
{
    for (double x = -36.0; x < 8.0; x += 0.00037) {
        const double p = distribution(x);
        const double lost = DBL_EPSILON * p / (nas_normal_density(x) * fabs(x)); /* in p itself */
        assert_close(p, nas_normal_quantile(p), x, 1.2e-9 + lost);
    }
    cr_assert(nas_normal_quantile(0.5) == 0.0);
    for (int i = 1; i < 1024; i++)
        cr_assert(nas_normal_quantile(i / 1024.0) == -nas_normal_quantile(1.0 - i / 1024.0));
}

/* Part of the reproducibility contract: a change of these changes runs. */
Test(gaussian, pinned_values)
{
    const double value[] = {nas_exp(-1.5),
                            nas_exp(0.3),
                            nas_log(3.0),
                            nas_normal_density(0.7),
                            nas_normal_improvement(-2.1),
                            nas_normal_quantile(0.3),
                            nas_normal_quantile(0.01)};
    const double pinned[] = {0x1.c8f87724b5c1dp-3, 0x1.599058c8c1a96p+0, 0x1.193ea7aad030bp+0,
                             0x1.3fbf7ebf6e2f8p-2, 0x1.a7e847ee0e855p-8, -0x1.0c7e395d14936p-1,
                             -0x1.29c5c463cecf1p+1};
    cr_assert_eq(memcmp(value, pinned, sizeof value), 0);
}
