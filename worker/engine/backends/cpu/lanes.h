/* Vectors of the blocked layout, for the files that are compiled once per instruction set.
 *
 * A tensor is [N, C / LANES, H, W, LANES] in float32: a pixel of a block of channels is one
 * vector, and a plane (one image, one block) lies in one piece. Lanes beyond the last channel hold
 * 0. LANES is what oneDNN's kernels of the instruction set want; the plain set does without them.
 */
#ifndef NAS_WORKER_ENGINE_BACKENDS_CPU_LANES_H
#define NAS_WORKER_ENGINE_BACKENDS_CPU_LANES_H

#include "worker/engine/backends/backend.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif

#define NAS_INLINE static inline __attribute__((always_inline))

typedef float lanes_t __attribute__((vector_size(LANES * sizeof(float)), may_alias));
typedef int32_t lane_mask_t __attribute__((vector_size(LANES * sizeof(float)), may_alias));

NAS_INLINE lanes_t lanes_load(const float *at)
{
    return *(const lanes_t *)at;
}

NAS_INLINE void lanes_store(float *at, lanes_t value)
{
    *(lanes_t *)at = value;
}

NAS_INLINE lanes_t lanes_all(float value)
{
    return (lanes_t){0} + value;
}

/* value where the mask is > 0, otherwise 0. */
NAS_INLINE lanes_t lanes_where_positive(lanes_t mask, lanes_t value)
{
#if defined(__AVX512F__)
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(mask, _mm512_setzero_ps(), _CMP_GT_OQ), value);
#else
    return (lanes_t)((lane_mask_t)value & (lane_mask_t)(mask > 0));
#endif
}

/* a where the mask is set, elsewhere b; a lane of the mask is set as a whole or not at all. */
NAS_INLINE lanes_t lanes_choose(lane_mask_t mask, lanes_t a, lanes_t b)
{
#if defined(__AVX__) && !defined(__AVX512F__)
    return _mm256_blendv_ps(b, a, (lanes_t)mask);
#endif
    return (lanes_t)((mask & (lane_mask_t)a) | (~mask & (lane_mask_t)b));
}

/* Lane l is lane index[l]. */
NAS_INLINE lanes_t lanes_permute(lanes_t value, lane_mask_t index)
{
#if defined(__AVX512F__)
    return _mm512_permutexvar_ps((__m512i)index, value);
#elif defined(__AVX2__)
    return _mm256_permutevar8x32_ps(value, (__m256i)index);
#else
    lanes_t permuted;
    for (int l = 0; l < LANES; l++) permuted[l] = value[index[l]];
    return permuted;
#endif
}

/* The larger; b where one is not a number. */
NAS_INLINE lanes_t lanes_max(lanes_t a, lanes_t b)
{
#if defined(__AVX512F__)
    return _mm512_max_ps(a, b);
#elif defined(__AVX__)
    return _mm256_max_ps(a, b);
#else
    return lanes_choose((lane_mask_t)(a > b), a, b);
#endif
}

NAS_INLINE lanes_t lanes_abs(lanes_t value)
{
    return (lanes_t)((lane_mask_t)value & INT32_MAX);
}

/* Bit l set where lane l is > 0. */
NAS_INLINE uint32_t lanes_signs(lanes_t value)
{
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask(value, _mm512_setzero_ps(), _CMP_GT_OQ);
#elif defined(__AVX__)
    return (uint32_t)_mm256_movemask_ps((__m256)(value > 0));
#else
    uint32_t bits = 0;
    for (int l = 0; l < LANES; l++) bits |= (uint32_t)(value[l] > 0) << l;
    return bits;
#endif
}

/* Lanes of the channels from c on, of c_end in all; those beyond are 0. values NULL: ones. */
NAS_INLINE lanes_t lanes_of_channels(const double *values, int c, int c_end)
{
    lanes_t lanes = {0};
    for (int l = 0; l < LANES && c + l < c_end; l++)
        lanes[l] = values == NULL ? 1 : (float)values[c + l];
    return lanes;
}

/* sum[c + l] += lane l, for channels only. */
NAS_INLINE void lanes_add_to_channels(lanes_t value, int c, int c_end, double *sum)
{
    for (int l = 0; l < LANES && c + l < c_end; l++) sum[c + l] += (double)value[l];
}

/* The first pixel of a plane: image n, block of the range's channel c. */
NAS_INLINE float *lanes_plane(nas_shape_t shape, nas_channels_t tensor, int n, int c)
{
    const size_t n_blocks = (size_t)(tensor.c_total + LANES - 1) / LANES;
    const size_t block = (size_t)n * n_blocks + (size_t)(tensor.c_first + c) / LANES;
    return (float *)tensor.data + block * (size_t)shape.h * (size_t)shape.w * LANES;
}

#endif
