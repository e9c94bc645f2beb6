/* Vectors of float64 for kernels that are compiled once per instruction set: LANES of them at a
 * time, in the vector types that gcc and clang share. Private to *_kernel.c, which each instruction
 * set compiles by itself.
 *
 * gcc converts generic vectors in halves or one by one, hence the intrinsics. */
#ifndef NAS_WORKER_RANKING_LANES_H
#define NAS_WORKER_RANKING_LANES_H

#include <math.h>
#include <stdint.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { LANES = 8 };
#elif defined(__AVX__)
enum { LANES = 4 };
#else
enum { LANES = 2 };
#endif

typedef double vector_t __attribute__((vector_size(LANES * sizeof(double)), may_alias));
typedef int64_t mask_t __attribute__((vector_size(LANES * sizeof(int64_t))));

/* LANES float32 values, aligned as many. */
static inline vector_t widen(const float *value)
{
#if defined(__AVX512F__)
    return _mm512_cvtps_pd(_mm256_load_ps(value));
#elif defined(__AVX__)
    return _mm256_cvtps_pd(_mm_load_ps(value));
#elif defined(__SSE2__)
    return _mm_cvtps_pd(_mm_loadl_pi(_mm_setzero_ps(), (const __m64 *)value));
#else
    return (vector_t){(double)value[0], (double)value[1]};
#endif
}

/* Lane by lane; b where neither is larger. */
static inline vector_t larger(vector_t a, vector_t b)
{
    const mask_t take_a = a > b;
    return (vector_t)((take_a & (mask_t)a) | (~take_a & (mask_t)b));
}

#endif
