#include "common/base/gaussian.h"

#include "common/base/error.h"
#include "common/base/exponential.h"

#include <math.h>
#include <string.h>

NAS_DEFINE_EXP(exp_within, double, uint64_t)

double nas_exp(double x)
{
    if (x < NAS_EXP_LEAST) return 0.0;
    return x > NAS_EXP_MOST ? INFINITY : exp_within(x);
}

/* coefficient[0] + coefficient[1] x + ... */
static double polynomial(const double *coefficient, int n, double x)
{
    double sum = coefficient[n - 1];
    for (int i = n - 2; i >= 0; i--) sum = sum * x + coefficient[i];
    return sum;
}

/* x = 2^e f with f in [1 / sqrt(2), sqrt(2)), log(f) = 2 atanh(s) with s = (f - 1) / (f + 1), by
 * its series: |s| < 0.172, so that what is left off is below 1e-17 of it. */
double nas_log(double x)
{
    static const double atanh_term[] = {1.0,        1.0 / 3.0,  1.0 / 5.0,  1.0 / 7.0,
                                        1.0 / 9.0,  1.0 / 11.0, 1.0 / 13.0, 1.0 / 15.0,
                                        1.0 / 17.0, 1.0 / 19.0, 1.0 / 21.0};
    const uint64_t one = UINT64_C(0x3ff0000000000000), fraction = (UINT64_C(1) << 52) - 1;
    const double sqrt_2 = 0x1.6a09e667f3bcdp+0;
    NAS_ASSERT(x > 0 && isfinite(x));
    int exponent = 0;
    if (x < 0x1p-1022) { /* subnormal: without a leading bit */
        x *= 0x1p54;
        exponent = -54;
    }
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    exponent += (int)(bits >> 52) - 1023;
    bits = (bits & fraction) | one;
    double f;
    memcpy(&f, &bits, sizeof f);
    if (f > sqrt_2) {
        f *= 0.5;
        exponent++;
    }
    const double s = (f - 1.0) / (f + 1.0);
    const double log_f =
        2.0 * s * polynomial(atanh_term, sizeof atanh_term / sizeof *atanh_term, s * s);
    return exponent * 0x1.62e42fefa38p-1 + (exponent * 0x1.ef35793c7673p-45 + log_f);
}

double nas_normal_density(double x)
{
    const double one_by_sqrt_2_pi = 0x1.9884533d43651p-2;
    return one_by_sqrt_2_pi * nas_exp(-0.5 * x * x);
}

/* Mills' ratio P(X > x) / density(x) for x >= 0, to 6e-16. (x + 4) times it, as a function of
 * t = (x - 4) / (x + 4), is smooth on all of [-1, 1], 1 at its end: Chebyshev's expansion, cut
 * where its terms are below 1e-16. */
static double mills_ratio(double x)
{
    static const double term[] = {
        0x1.e4aa012912ddep+0,   -0x1.8615d9b491666p+0,  0x1.f0d9856bc3c18p-1,
        -0x1.dec30ee67861ep-2,  0x1.360ce26013f9ep-3,   -0x1.35aa3c9633c98p-6,
        -0x1.1dcfea6b25491p-7,  0x1.0be6d6a7ef327p-8,   0x1.5e7b09dc4e955p-12,
        -0x1.2fb4401fc6d08p-11, -0x1.40e74b51dcc5bp-18, 0x1.7181642370b48p-14,
        0x1.e0d535d939044p-20,  -0x1.f22a6764afef3p-17, -0x1.a48321ba6e1e4p-20,
        0x1.598326b41e0a2p-19,  0x1.6442fbfdbf950p-21,  -0x1.b4a44f299f179p-22,
        -0x1.a816713378ba3p-23, 0x1.a55e4de2aa7c4p-25,  0x1.59f5967c36434p-25,
        -0x1.b804a8500a890p-29, -0x1.22e0dbb723c0fp-28};
    const double size = x < 1e9 ? x : 1e9; /* infinity by itself is NaN; the density is 0 there */
    const double t = (size - 4.0) / (size + 4.0);
    return polynomial(term, sizeof term / sizeof *term, t) / (size + 4.0);
}

double nas_normal_improvement(double x)
{
    const double size = fabs(x);
    const double beyond = nas_normal_density(x) * (1.0 - size * mills_ratio(size));
    return x < 0 ? beyond : x + beyond;
}

/* The lower tail, as a function of q = sqrt(-2 log p). */
static double quantile_of_tail(double q)
{
    static const double above[] = {2.938163982698783e+00,  4.374664141464968e+00,
                                   -2.549732539343734e+00, -2.400758277161838e+00,
                                   -3.223964580411365e-01, -7.784894002430293e-03};
    static const double below[] = {1.0, 3.754408661907416e+00, 2.445134137142996e+00,
                                   3.224671290700398e-01, 7.784695709041462e-03};
    return polynomial(above, 6, q) / polynomial(below, 5, q);
}

double nas_normal_quantile(double p)
{
    static const double above[] = {2.506628277459239e+00, -3.066479806614716e+01,
                                   1.383577518672690e+02, -2.759285104469687e+02,
                                   2.209460984245205e+02, -3.969683028665376e+01};
    static const double below[] = {1.0,
                                   -1.328068155288572e+01,
                                   6.680131188771972e+01,
                                   -1.556989798598866e+02,
                                   1.615858368580409e+02,
                                   -5.447609879822406e+01};
    const double tail = 0.02425;
    NAS_ASSERT(0 < p && p < 1);
    if (p < tail) return quantile_of_tail(sqrt(-2.0 * nas_log(p)));
    if (p > 1.0 - tail) return -quantile_of_tail(sqrt(-2.0 * nas_log(1.0 - p)));
    const double q = p - 0.5;
    return q * polynomial(above, 6, q * q) / polynomial(below, 6, q * q);
}
