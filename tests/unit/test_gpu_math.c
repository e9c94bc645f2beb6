/* kernels/math.h as C. */
#include "common/base/rng.h"
#include "worker/engine/gpu/kernels/math.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

enum { N_VALUES = 200000 };

/* Units in the last place that a value is off. */
static double ulps(double value, long double exact)
{
    int exponent;
    (void)frexpl(exact, &exponent);
    if (exponent < DBL_MIN_EXP) exponent = DBL_MIN_EXP; /* denormals are evenly spaced */
    return (double)fabsl(ldexpl((long double)value - exact, DBL_MANT_DIG - exponent));
}

/* The largest error of f on [low, high], if its argument is so or a power of 2 with that exponent. */
static double most_ulps(double (*f)(double), long double (*exact)(long double), double low,
                        double high, bool is_exponent)
{
    double most = 0;
    nas_rng_t rng;
    nas_rng_init(&rng, 1, NAS_STREAM_BENCH, 0);
    for (int i = 0; i < N_VALUES; i++) {
        const double u = nas_rng_between(&rng, low, high);
        const double x = is_exponent ? exp2(u) : u;
        most = fmax(most, ulps(f(x), exact((long double)x)));
    }
    return most;
}

/* As macros cannot be: pointers to inline functions. */
static double exp_of(double x)
{
    return nas_gpu_exp(x);
}

static double log_of(double x)
{
    return nas_gpu_log(x);
}

Test(gpu_math, exp_is_off_by_less_than_3_quarters_of_a_unit)
{
    const double range[][2] = {{-0.4, 0.4}, {-1e-8, 1e-8}, {-40, 0}, {-708, 709.7}, {-2, 2}};
    for (size_t i = 0; i < sizeof range / sizeof *range; i++) {
        const double most = most_ulps(exp_of, expl, range[i][0], range[i][1], false);
        cr_assert_lt(most, 0.75, "[%g, %g]: %g", range[i][0], range[i][1], most);
    }
}

/* They are rounded twice. */
Test(gpu_math, exp_is_off_by_less_than_1_unit_among_denormals)
{
    cr_assert_lt(most_ulps(exp_of, expl, -745, -708, false), 1);
}

Test(gpu_math, log_is_off_by_less_than_1_unit)
{
    const double range[][2] = {{0.5, 2}, {0.99, 1.01}, {1, 100}, {1e-3, 1}};
    for (size_t i = 0; i < sizeof range / sizeof *range; i++) {
        const double most = most_ulps(log_of, logl, range[i][0], range[i][1], false);
        cr_assert_lt(most, 1, "[%g, %g]: %g", range[i][0], range[i][1], most);
    }
    cr_assert_lt(most_ulps(log_of, logl, -1074, 1024, true), 1);
}

Test(gpu_math, special_values_of_exp_and_log)
{
    cr_assert_eq(nas_gpu_exp(0), 1);
    cr_assert_eq(nas_gpu_exp(-INFINITY), 0);
    cr_assert_eq(nas_gpu_exp(INFINITY), INFINITY);
    cr_assert_eq(nas_gpu_exp(709.79), INFINITY);
    cr_assert_eq(nas_gpu_exp(-745.2), 0);
    cr_assert_eq(nas_gpu_exp(-745.13), DBL_TRUE_MIN);
    cr_assert(isfinite(nas_gpu_exp(709.78)));
    cr_assert(isnan(nas_gpu_exp(NAN)));
    cr_assert_eq(nas_gpu_log(1), 0);
    cr_assert_eq(nas_gpu_log(0.0), -INFINITY);
    cr_assert_eq(nas_gpu_log(-0.0), -INFINITY);
    cr_assert_eq(nas_gpu_log(INFINITY), INFINITY);
    cr_assert(isnan(nas_gpu_log(-1)));
    cr_assert(isnan(nas_gpu_log(-INFINITY)));
    cr_assert(isnan(nas_gpu_log(NAN)));
}

/* Numbers of every exponent, the special ones, and of both signs. */
static double any_number(nas_rng_t *rng)
{
    const double special[] = {0.0, -0.0, INFINITY, -INFINITY, DBL_TRUE_MIN, DBL_MIN, DBL_MAX, 1};
    const size_t n = sizeof special / sizeof *special;
    const uint64_t i = nas_rng_below(rng, 10 * n);
    if (i < n) return special[i];
    const double x = nas_double_of(nas_rng_u64(rng));
    return isnan(x) ? 1.0 : x;
}

Test(gpu_math, powers_of_two_are_those_of_libm_bit_by_bit)
{
    nas_rng_t rng;
    nas_rng_init(&rng, 2, NAS_STREAM_BENCH, 0);
    for (int i = 0; i < N_VALUES; i++) {
        const double x = any_number(&rng);
        const int n = (int)nas_rng_below(&rng, 4400) - 2200;
        int exponent = 0;
        cr_assert_eq(nas_bits_of(nas_gpu_ldexp(x, n)), nas_bits_of(ldexp(x, n)), "%a 2^%d", x, n);
        if (isfinite(x)) (void)frexp(x, &exponent);
        cr_assert_eq(nas_gpu_exponent(x), exponent, "%a", x);
        cr_assert_eq(nas_gpu_is_finite(x), isfinite(x), "%a", x);
    }
    cr_assert_not(nas_gpu_is_finite(NAN));
    cr_assert_eq(nas_gpu_exponent(NAN), 0);
}

/* What every device must give: part of the contract that results do not depend on it. */
Test(gpu_math, bits_do_not_change)
{
    uint64_t hash = 0xcbf29ce484222325;
    nas_rng_t rng;
    nas_rng_init(&rng, 3, NAS_STREAM_BENCH, 0);
    for (int i = 0; i < 1000; i++) {
        const double x = nas_rng_between(&rng, -50, 50);
        hash = (hash ^ nas_bits_of(nas_gpu_exp(x))) * 0x100000001b3;
        hash = (hash ^ nas_bits_of(nas_gpu_log(fabs(x)))) * 0x100000001b3;
    }
    cr_assert_eq(hash, 0x325094ca5ce4f9d2, "%016lx", (unsigned long)hash);
}
