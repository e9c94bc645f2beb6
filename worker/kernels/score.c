#include "worker/kernels/score.h"

#include "common/error.h"

#include <math.h>

extern const nas_score_kernel_t nas_score_kernel_plain;
extern const nas_score_kernel_t nas_score_kernel_avx2;
extern const nas_score_kernel_t nas_score_kernel_avx512;

/* Rows of a block: its scores (8 KiB) stay in the first-level cache, and so do its values for the
 * second and later weight vectors, where metrics are few. */
enum { BLOCK_ROWS = 64 * NAS_SCORE_TILE };

const nas_score_kernel_t *nas_score_kernel(nas_isa_t isa)
{
    NAS_ASSERT(nas_isa_available(isa));
#ifdef NAS_WITH_AVX512
    if (isa == NAS_ISA_AVX512) return &nas_score_kernel_avx512;
#endif
#ifdef NAS_WITH_AVX2
    if (isa == NAS_ISA_AVX2) return &nas_score_kernel_avx2;
#endif
    return &nas_score_kernel_plain;
}

static void insert(nas_ranked_t *list, int64_t k, nas_ranked_t candidate)
{
    int64_t at = k - 1;
    for (; at > 0 && list[at - 1].score < candidate.score; at--) list[at] = list[at - 1];
    list[at] = candidate;
}

/* Rows come in ascending order, so one that equals the last place is behind it. */
static void insert_better(nas_ranked_t *list, int64_t k, const double *score, int64_t first,
                          int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (score[i] > list[k - 1].score) insert(list, k, (nas_ranked_t){score[i], first + i});
    }
}

void nas_score_scan(const nas_score_shard_t *shard, const nas_score_kernel_t *kernel,
                    const nas_score_query_t *query, nas_ranked_t *list)
{
    _Alignas(NAS_SCORE_LINE) double score[BLOCK_ROWS];
    const int64_t k = query->k;
    for (int64_t i = 0; i < query->n * k; i++) list[i] = (nas_ranked_t){-INFINITY, -1};
    for (int64_t row = 0; row < shard->n_rows; row += BLOCK_ROWS) {
        const int64_t left = shard->n_rows - row;
        const int64_t n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        const float *tile = shard->tile + row * shard->n_metric;
        for (int64_t i = 0; i < query->n; i++) {
            const double *weights = query->weights + i * shard->n_metric;
            const double best =
                kernel->block(tile, nas_score_tiles(n), shard->n_metric, weights, score);
            /* Rare. The rows that fill up the last tile may raise `best`, never the answer. */
            if (best > list[i * k + k - 1].score)
                insert_better(list + i * k, k, score, shard->first + row, n);
        }
    }
}
