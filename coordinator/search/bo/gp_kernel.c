#include "coordinator/search/bo/gp_kernel.h"

#include "coordinator/search/bo/cholesky.h"

#include <math.h>
#include <string.h>

/* The loops below are compiled for several instruction sets, and the loader picks one. All give the
 * same bits: they add, multiply and take roots entry by entry, each exactly rounded. Clang 14 does
 * not link such clones, and ThreadSanitizer starts too late for the loader's choice. */
#if defined(__x86_64__) && defined(__linux__) && !defined(__clang__) &&                            \
    !defined(__SANITIZE_THREAD__)
#define VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTOR_CLONES
#endif

/* exp(-s) without a library call, so that the loops vectorise: -s = k log(2) + r with an integer k
 * and |r| <= log(2) / 2, then exp(-s) = 2^k exp(r). */
static inline double exp_negative(double s)
{
    const double log2_e = 0x1.71547652b82fep+0;
    const double log_2_high = 0x1.62e42fefa38p-1; /* 42 bits: its product with k is exact */
    const double log_2_low = 0x1.ef35793c7673p-45;
    const double to_integer =
        0x1.8p52; /* a sum with it is rounded to an integer, in the low bits */
    const double largest = 700.0;

    const double clamped = s < largest ? s : largest;
    const double shifted = to_integer - clamped * log2_e;
    const double k = shifted - to_integer;
    const double r = (-clamped - k * log_2_high) - k * log_2_low;

    /* Taylor's series to r^13 / 13!: the remainder is below 5e-18. */
    double tail = 1.0 / 6227020800.0;
    tail = tail * r + 1.0 / 479001600.0;
    tail = tail * r + 1.0 / 39916800.0;
    tail = tail * r + 1.0 / 3628800.0;
    tail = tail * r + 1.0 / 362880.0;
    tail = tail * r + 1.0 / 40320.0;
    tail = tail * r + 1.0 / 5040.0;
    tail = tail * r + 1.0 / 720.0;
    tail = tail * r + 1.0 / 120.0;
    tail = tail * r + 1.0 / 24.0;
    tail = tail * r + 1.0 / 6.0;
    tail = tail * r + 0.5;
    const double mantissa = 1.0 + (r + r * r * tail);

    uint64_t bits;
    uint64_t exponent;
    memcpy(&bits, &mantissa, sizeof bits);
    memcpy(&exponent, &shifted, sizeof exponent);
    bits += exponent << 52;
    double result;
    memcpy(&result, &bits, sizeof result);
    return s < largest ? result : 0.0;
}

VECTOR_CLONES void nas_kernel_exp(int64_t n, const double *restrict s, double *restrict result)
{
    for (int64_t i = 0; i < n; i++) result[i] = exp_negative(s[i]);
}

VECTOR_CLONES void nas_kernel_distance(nas_point_columns_t points, const double *x,
                                       double *restrict distance)
{
    for (int64_t j = 0; j < points.n; j++) distance[j] = 0.0;
    for (int64_t c = 0; c < points.d; c++) {
        const double *column = points.data + c * points.stride;
        for (int64_t j = 0; j < points.n; j++) {
            const double difference = x[c] - column[j];
            distance[j] += difference * difference;
        }
    }
    for (int64_t j = 0; j < points.n; j++) distance[j] = sqrt(5.0 * distance[j]);
}

VECTOR_CLONES void nas_kernel_matern(int64_t n, const double *restrict distance,
                                     double length_scale, double *restrict value,
                                     double *restrict slope)
{
    const double vanished = 1e4; /* keeps the polynomial finite where the exponential is 0 */
    const double inverse = 1.0 / length_scale;
    for (int64_t i = 0; i < n; i++) {
        const double scaled = distance[i] * inverse;
        const double s = scaled < vanished ? scaled : vanished;
        const double e = exp_negative(s);
        value[i] = (1.0 + s + s * s * (1.0 / 3.0)) * e;
        slope[i] = (1.0 + s) * e * (1.0 / 3.0);
    }
}

static nas_status_t factorise(int64_t n, const double *pairs, double diagonal,
                              const nas_interrupt_t *interrupt, double *factor)
{
    for (int64_t i = 0; i < n; i++) {
        if (i > 0) memcpy(factor + i * n, pairs, (size_t)i * sizeof *pairs);
        factor[i * n + i] = diagonal;
        pairs += i;
    }
    return nas_cholesky_factor(n, factor, interrupt);
}

nas_status_t nas_kernel_factorise(int64_t n, const double *pairs, double diagonal,
                                  const nas_interrupt_t *interrupt, double *factor)
{
    enum { N_JITTERS = 7 }; /* up to 1e-2 */
    nas_status_t status = factorise(n, pairs, diagonal, interrupt, factor);
    double jitter = 1e-8;
    for (int i = 0; status == NAS_ENUMERIC && i < N_JITTERS; i++) {
        status = factorise(n, pairs, diagonal + jitter, interrupt, factor);
        jitter *= 10.0;
    }
    return status;
}
