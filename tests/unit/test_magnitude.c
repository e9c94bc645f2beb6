#include "common/magnitude.h"

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
    for (double x = DBL_MAX; x > 0x1p500; x /= 3.7) {
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
