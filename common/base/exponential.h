/* exp without a library call: same bits on every machine, and loops over it vectorise. */
#ifndef NAS_COMMON_BASE_EXPONENTIAL_H
#define NAS_COMMON_BASE_EXPONENTIAL_H

#include <stdint.h>

/** What NAS_DEFINE_EXP's function takes; below it is 0 for all who use it. */
#define NAS_EXP_LEAST (-700.0)
#define NAS_EXP_MOST 700.0

/** Define `static inline real_t name(real_t x)`: exp(x) to within 1 ulp for NAS_EXP_LEAST <= x <=
 *  NAS_EXP_MOST, where real_t is double and bits_t uint64_t, or both are vectors of as many.  Not
 *  collective.
 *  x = k log(2) + r with an integer k and |r| <= log(2) / 2, then 2^k exp(r), by Taylor's series to
 *  r^13 / 13!: the remainder is below 5e-18. A sum with 1.5 * 2^52 is rounded to an integer, in the
 *  low bits; the upper part of log(2) has 42 bits, so that its product with k is exact. */
#define NAS_DEFINE_EXP(name, real_t, bits_t)                                                       \
    static inline real_t name(real_t x)                                                            \
    {                                                                                              \
        const union {                                                                              \
            real_t real;                                                                           \
            bits_t bits;                                                                           \
        } shifted = {.real = x * 0x1.71547652b82fep+0 + 0x1.8p52};                                 \
        const real_t k = shifted.real - 0x1.8p52;                                                  \
        const real_t r = (x - k * 0x1.62e42fefa38p-1) - k * 0x1.ef35793c7673p-45;                  \
        real_t tail = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;                                \
        tail = tail * r + 1.0 / 39916800.0;                                                        \
        tail = tail * r + 1.0 / 3628800.0;                                                         \
        tail = tail * r + 1.0 / 362880.0;                                                          \
        tail = tail * r + 1.0 / 40320.0;                                                           \
        tail = tail * r + 1.0 / 5040.0;                                                            \
        tail = tail * r + 1.0 / 720.0;                                                             \
        tail = tail * r + 1.0 / 120.0;                                                             \
        tail = tail * r + 1.0 / 24.0;                                                              \
        tail = tail * r + 1.0 / 6.0;                                                               \
        tail = tail * r + 0.5;                                                                     \
        union {                                                                                    \
            real_t real;                                                                           \
            bits_t bits;                                                                           \
        } result = {.real = 1.0 + (r + r * r * tail)};                                             \
        result.bits += shifted.bits << 52;                                                         \
        return result.real;                                                                        \
    }

#endif
