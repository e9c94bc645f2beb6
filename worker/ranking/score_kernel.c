/* The score kernel, compiled once per instruction set: NAS_SCORE_KERNEL names the table of
 * functions.
 *
 * Written with vectors (lanes.h), since a plain loop over the rows of a tile is vectorised by luck
 * only. Every row's operations are the same for any width.
 */
#include "worker/ranking/lanes.h"
#include "worker/ranking/score.h"

#include <math.h>

enum {
    N_VECTORS = NAS_SCORE_TILE / LANES,
    WORDS_PER_LINE = NAS_SCORE_LINE / sizeof(uint64_t),
    AHEAD = 8192 /* bytes fetched ahead; the processor's own prefetching stops at page borders */
};

typedef uint64_t words_t __attribute__((vector_size(NAS_SCORE_LINE), may_alias));

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
