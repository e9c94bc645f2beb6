/* The entries of a process's covariances, in bulk. */
#include "coordinator/search/bo/gp_kernel.h"

#include <criterion/criterion.h>
#include <math.h>

Test(gp_kernel, exponential_is_within_one_ulp)
{
    for (double s = 0.0; s < 700.0; s += 0.00137) {
        double value;
        nas_kernel_exp(1, &s, &value);
        const long double exact = expl(-(long double)s);
        const double ulp = nextafter((double)exact, 1.0) - (double)exact;
        cr_assert_leq(fabsl((long double)value - exact), (long double)ulp, "s = %.17g", s);
    }
    const double large[] = {700.0, 1e6, 1e300, INFINITY};
    double vanished[4];
    nas_kernel_exp(4, large, vanished);
    for (int i = 0; i < 4; i++) cr_assert_eq(vanished[i], 0.0);
}

Test(gp_kernel, entries_do_not_depend_on_their_place)
{
    enum { N = 101 };
    double distance[N];
    double value[N];
    double slope[N];
    for (int i = 0; i < N; i++) distance[i] = 0.37 * i;
    nas_kernel_matern(N, distance, 0.9, value, slope);
    for (int i = 0; i < N; i++) {
        double one_value;
        double one_slope;
        nas_kernel_matern(1, &distance[i], 0.9, &one_value, &one_slope);
        cr_assert(one_value == value[i] && one_slope == slope[i]);
        const double s = distance[i] / 0.9;
        cr_assert_float_eq(value[i], (1.0 + s + s * s / 3.0) * exp(-s), 1e-15);
        cr_assert_float_eq(slope[i], (1.0 + s) * exp(-s) / 3.0, 1e-15);
    }
}

Test(gp_kernel, vanishes_at_infinity)
{
    const double distance[] = {1e5, 1e300, INFINITY};
    double value[3];
    double slope[3];
    nas_kernel_matern(3, distance, 1e-5, value, slope);
    for (int i = 0; i < 3; i++) cr_assert(value[i] == 0.0 && slope[i] == 0.0);
}

Test(gp_kernel, adds_jitter_only_where_it_is_needed)
{
    double factor[4];
    const double definite = 0.5;
    cr_assert_eq(nas_kernel_factorise(2, &definite, 1.0, NULL, factor), NAS_OK);
    cr_assert_eq(factor[0], 1.0);
    cr_assert_eq(factor[2], definite);

    const double nearly = 1.0 + 1e-5; /* smallest eigenvalue -1e-5 */
    cr_assert_eq(nas_kernel_factorise(2, &nearly, 1.0, NULL, factor), NAS_OK);
    cr_assert_float_eq(factor[0] * factor[0], 1.0 + 1e-4, 1e-12);

    const double indefinite = 1.5;
    cr_assert_eq(nas_kernel_factorise(2, &indefinite, 1.0, NULL, factor), NAS_ENUMERIC);
}
