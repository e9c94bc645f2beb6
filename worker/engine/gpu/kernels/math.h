/* Functions of float64 that have the same bits wherever they are computed: exp and log, and powers
 * of two. The host includes it too, and computes by it what must equal a device's.
 *
 * Only sums, explicit MAD64s, and divisions are in here, all of them rounded correctly by IEEE 754;
 * there are no tables, and coefficients are those of the series, since neither function is called
 * often. Errors against the exact values are below 0.75 (exp; 1 where it is denormal) and 1 (log) units in
 * the last place.
 */
#ifndef NAS_WORKER_ENGINE_GPU_KERNELS_MATH_H
#define NAS_WORKER_ENGINE_GPU_KERNELS_MATH_H

#ifndef NAS_WORKER_ENGINE_GPU_KERNELS_PRELUDE_H /* a device's compiler knows no files */
#include "worker/engine/gpu/kernels/prelude.h"
#endif

#define NAS_GPU_INFINITY DOUBLE_OF(0x7ff0000000000000ul)
#define NAS_GPU_NAN DOUBLE_OF(0x7ff8000000000000ul)
/* ln 2 = HIGH + LOW; HIGH has 32 bits, so that its products with exponents are exact. */
#define NAS_GPU_LN2_HIGH 0x1.62e42feep-1
#define NAS_GPU_LN2_LOW 0x1.a39ef35793c76p-33
#define NAS_GPU_INV_LN2 0x1.71547652b82fep0

/** 2^n for n in [-1022, 1023]. */
DEVICE double nas_gpu_power_of_two(int n)
{
    return DOUBLE_OF((u64)(n + 1023) << 52);
}

/** x 2^n, rounded once: as ldexp. */
DEVICE double nas_gpu_ldexp(double x, int n)
{
    /* Twice at most, and without loops: their turns would not be the same for all work-items. 53
     * bits are left of the smallest normal numbers, so that what becomes denormal is rounded by the
     * last product alone. */
    const int up = 1023, down = -1022 + 53;
    if (n > up) {
        x *= nas_gpu_power_of_two(up);
        n -= up;
        if (n > up) {
            x *= nas_gpu_power_of_two(up);
            n = n - up > up ? up : n - up;
        }
    } else if (n < -1022) {
        x *= nas_gpu_power_of_two(down);
        n -= down;
        if (n < -1022) {
            x *= nas_gpu_power_of_two(down);
            n = n - down < -1022 ? -1022 : n - down;
        }
    }
    return x * nas_gpu_power_of_two(n);
}

/** The exponent e of x = m 2^e with |m| in [0.5, 1): as frexp. 0 of what is 0 or not finite. */
DEVICE int nas_gpu_exponent(double x)
{
    const int biased = (int)(BITS_OF(x) >> 52 & 0x7ff);
    if (biased == 0x7ff || x == 0) return 0;
    if (biased) return biased - 1022;
    return (int)(BITS_OF(x * nas_gpu_power_of_two(54)) >> 52 & 0x7ff) - 1022 - 54;
}

/** Whether x is neither infinite nor NaN. */
DEVICE int nas_gpu_is_finite(double x)
{
    return (BITS_OF(x) >> 52 & 0x7ff) != 0x7ff;
}

/* (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2: the series up to r^13 / 13!, of which the next term is
 * below 2^-57. */
DEVICE double nas_gpu_exp_series(double r)
{
    double sum = 1.0 / 6227020800.0;
    sum = MAD64(sum, r, 1.0 / 479001600.0);
    sum = MAD64(sum, r, 1.0 / 39916800.0);
    sum = MAD64(sum, r, 1.0 / 3628800.0);
    sum = MAD64(sum, r, 1.0 / 362880.0);
    sum = MAD64(sum, r, 1.0 / 40320.0);
    sum = MAD64(sum, r, 1.0 / 5040.0);
    sum = MAD64(sum, r, 1.0 / 720.0);
    sum = MAD64(sum, r, 1.0 / 120.0);
    sum = MAD64(sum, r, 1.0 / 24.0);
    sum = MAD64(sum, r, 1.0 / 6.0);
    return MAD64(sum, r, 0.5);
}

/** e^x. Overflows to infinity, and to 0 through the denormals. */
DEVICE double nas_gpu_exp(double x)
{
    const double shift = 0x1.8p52; /* what is added to it is rounded to an integer */
    if (x != x) return x;
    if (x > 710) return NAS_GPU_INFINITY;
    if (x < -746) return 0;
    const double k = MAD64(x, NAS_GPU_INV_LN2, shift) - shift;
    const double high = MAD64(-k, NAS_GPU_LN2_HIGH, x); /* exact */
    const double r = MAD64(-k, NAS_GPU_LN2_LOW, high);
    const double r_low = MAD64(-k, NAS_GPU_LN2_LOW, high - r);
    /* 1 + r as sum and what its rounding lost; the rest is small. */
    const double sum = 1.0 + r, lost = (1.0 - sum) + r;
    const double rest = MAD64(r * r, nas_gpu_exp_series(r), lost + r_low);
    return nas_gpu_ldexp(sum + rest, (int)k);
}

/* 2 atanh(s) / s - 2 for |s| <= 0.172, z = s^2: the series up to 2 z^11 / 23, of which the next
 * term is below 2^-61. */
DEVICE double nas_gpu_log_series(double z)
{
    double sum = 2.0 / 23.0;
    sum = MAD64(sum, z, 2.0 / 21.0);
    sum = MAD64(sum, z, 2.0 / 19.0);
    sum = MAD64(sum, z, 2.0 / 17.0);
    sum = MAD64(sum, z, 2.0 / 15.0);
    sum = MAD64(sum, z, 2.0 / 13.0);
    sum = MAD64(sum, z, 2.0 / 11.0);
    sum = MAD64(sum, z, 2.0 / 9.0);
    sum = MAD64(sum, z, 2.0 / 7.0);
    sum = MAD64(sum, z, 2.0 / 5.0);
    sum = MAD64(sum, z, 2.0 / 3.0);
    return sum * z;
}

/** The natural logarithm. -infinity of 0, NaN of what is negative. */
DEVICE double nas_gpu_log(double x)
{
    if (x != x) return x;
    if (x < 0) return NAS_GPU_NAN;
    if (x == 0) return -NAS_GPU_INFINITY;
    if (!nas_gpu_is_finite(x)) return x;
    int k = nas_gpu_exponent(x);
    double m = nas_gpu_ldexp(x, -k); /* [0.5, 1) */
    if (m < 0.70710678118654752) {
        m += m;
        k--;
    }
    /* log(1 + f) = 2 atanh(s) = f - f^2 / 2 + s (f^2 / 2 + series) for s = f / (2 + f): f is exact,
     * and what is rounded is smaller. */
    const double f = m - 1.0, s = f / (2.0 + f), half_square = 0.5 * f * f;
    const double small = MAD64(s, half_square + nas_gpu_log_series(s * s), k * NAS_GPU_LN2_LOW);
    return MAD64(k, NAS_GPU_LN2_HIGH, f - (half_square - small));
}

#endif
