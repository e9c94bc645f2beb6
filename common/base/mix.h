/* Bits that look random, of numbers that do not: the finaliser of MurmurHash3, a bijection. */
#ifndef NAS_COMMON_BASE_MIX_H
#define NAS_COMMON_BASE_MIX_H

#include <stdint.h>

static inline uint64_t nas_mix(int64_t number)
{
    uint64_t h = (uint64_t)number;
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdU;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53U;
    return h ^ h >> 33;
}

#endif
