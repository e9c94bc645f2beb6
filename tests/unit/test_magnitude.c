#include "common/base/magnitude.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

Test(magnitude, is_the_power_of_two_at_or_above)
{
    cr_assert_eq(nas_magnitude_exponent(0.0), 0);
    cr_assert_eq(nas_magnitude_exponent(90.0), 0);
    cr_assert_eq(nas_magnitude_exponent(0x1p500), 0);
    cr_assert_eq(nas_magnitude_exponent(nextafter(0x1p500, INFINITY)), 501);
    cr_assert_eq(nas_magnitude_exponent(0x1p501), 501);
    cr_assert_eq(nas_magnitude_exponent(DBL_MAX), 1024);
    const double x[] = {1.0, -0x1p600, NAN, 3.0, -INFINITY};
    cr_assert_eq(nas_magnitude_of(x, 5), 600);
    cr_assert_eq(nas_magnitude_of(x, 0), 0);
}

Test(magnitude, comes_back_as_it_was_or_as_the_largest_double)
{
    double x = DBL_MAX;
    for (int i = 0; i < 270; i++, x /= 3.7) {
        const int exponent = nas_magnitude_exponent(x);
        const double reduced = ldexp(x, -exponent);
        cr_assert(reduced > 0.5 && reduced <= 1.0);
        cr_assert_eq(nas_magnitude_restore(reduced, exponent), x);
    }
    cr_assert_eq(nas_magnitude_restore(1.0, 1024), DBL_MAX);
    cr_assert_eq(nas_magnitude_restore(-1.5, 1024), -DBL_MAX);
    cr_assert_eq(nas_magnitude_restore(7.0, 0), 7.0);
    cr_assert(isnan(nas_magnitude_restore(NAN, 600)));
}

Test(magnitude, a_mean_is_finite_where_its_terms_are)
{
    nas_mean_t mean = {0};
    cr_assert(isnan(nas_mean_value(&mean)));
    for (int i = 1; i <= 3; i++) nas_mean_add(&mean, 0.1 * i);
    cr_assert_eq(nas_mean_value(&mean), (0.1 + 0.2 + 0.1 * 3) / 3.0);
    nas_mean_add(&mean, DBL_MAX);
    nas_mean_add(&mean, DBL_MAX);
    cr_assert_float_eq(nas_mean_value(&mean), 0.4 * DBL_MAX, 1e293);
    nas_mean_add(&mean, NAN);
    cr_assert(isnan(nas_mean_value(&mean)));
}
