/* The score kernel, compiled once per instruction set: NAS_SCORE_KERNEL names the table of
 * functions.
 *
 * Written with the vector types that gcc and clang share, since a plain loop over the rows of a
 * tile is vectorised by luck only. Every row's operations are the same for any width.
 */
#include "worker/ranking/score.h"

#include <math.h>
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

enum {
    N_VECTORS = NAS_SCORE_TILE / LANES,
    WORDS_PER_LINE = NAS_SCORE_LINE / sizeof(uint64_t),
    AHEAD = 8192 /* bytes fetched ahead; the processor's own prefetching stops at page borders */
};

typedef double vector_t __attribute__((vector_size(LANES * sizeof(double)), may_alias));
typedef uint64_t words_t __attribute__((vector_size(NAS_SCORE_LINE), may_alias));
typedef int64_t mask_t __attribute__((vector_size(LANES * sizeof(int64_t))));

/* LANES values in float64. gcc converts generic vectors in halves or one by one, hence the
 * intrinsics. */
static vector_t widen(const float *value)
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

static vector_t larger(vector_t a, vector_t b)
{
    const mask_t take_a = a > b;
    return (vector_t)((take_a & (mask_t)a) | (~take_a & (mask_t)b));
}

static double largest_lane(const vector_t best[N_VECTORS])
{
    double largest = -INFINITY;
    for (int i = 0; i < NAS_SCORE_TILE; i++) {
        const double value = best[i / LANES][i % LANES];
        if (value > largest) largest = value;
    }
    return largest;
}

static double block(const float *tile, int64_t n_tile, int64_t n_metric, const double *weights,
                    double *score)
{
    vector_t *scores = (vector_t *)score;
    vector_t best[N_VECTORS];
    for (int v = 0; v < N_VECTORS; v++) best[v] = (vector_t){0} - INFINITY;
    for (int64_t t = 0; t < n_tile; t++) {
        vector_t sum[N_VECTORS] = {0};
        for (int64_t m = 0; m < n_metric; m++) {
            __builtin_prefetch((const void *)((uintptr_t)tile + AHEAD));
            for (int v = 0; v < N_VECTORS; v++) sum[v] += weights[m] * widen(tile + v * LANES);
            tile += NAS_SCORE_TILE;
        }
        for (int v = 0; v < N_VECTORS; v++) {
            scores[v] = sum[v];
            best[v] = larger(sum[v], best[v]);
        }
        scores += N_VECTORS;
    }
    return largest_lane(best);
}

static uint64_t read_lines(const uint64_t *line, int64_t n)
{
    words_t bits = {0};
    for (const words_t *at = (const words_t *)line; n > 0; n--, at++) {
        __builtin_prefetch((const void *)((uintptr_t)at + AHEAD));
        bits |= *at;
    }
    uint64_t all = 0;
    for (int i = 0; i < WORDS_PER_LINE; i++) all |= bits[i];
    return all;
}

const nas_score_kernel_t NAS_SCORE_KERNEL = {.block = block, .read = read_lines};
