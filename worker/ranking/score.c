#include "worker/ranking/score.h"

#include "common/base/error.h"

#include <math.h>
#include <stdbool.h>

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

/* Lists are heaps with the worst on top while rows come in: a row that enters costs O(log k). */

static bool worse(const nas_top_entry_t *a, const nas_top_entry_t *b)
{
    return a->score < b->score || (a->score == b->score && a->index > b->index);
}

/* Put an entry in the place of the worst of n. */
static void replace_worst(nas_top_entry_t *list, int64_t n, nas_top_entry_t entry)
{
    int64_t at = 0;
    for (int64_t child = 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && worse(&list[child + 1], &list[child])) child++;
        if (!worse(&list[child], &entry)) break;
        list[at] = list[child];
        at = child;
    }
    list[at] = entry;
}

/* Rows come in ascending order, so one that equals the worst is behind it. */
static void insert_better(nas_top_entry_t *list, int64_t k, const double *score, int64_t first,
                          int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (score[i] > list[0].score)
            replace_worst(list, k, (nas_top_entry_t){score[i], first + i});
}

/* From a heap to the order of the answer: the worst goes last, again and again. */
static void sort_list(nas_top_entry_t *list, int64_t k)
{
    for (int64_t n = k - 1; n > 0; n--) {
        const nas_top_entry_t worst = list[0];
        replace_worst(list, n, list[n]);
        list[n] = worst;
    }
}

void nas_score_scan(const nas_score_shard_t *shard, const nas_score_kernel_t *kernel,
                    const nas_score_query_t *query, nas_top_entry_t *list)
{
    _Alignas(NAS_SCORE_LINE) double score[BLOCK_ROWS];
    const int64_t k = query->k, most = 1 << 13; /* scores between two questions */
    int64_t n_scores = 0;
    for (int64_t i = 0; i < query->n * k; i++) list[i] = (nas_top_entry_t){-INFINITY, -1};
    for (int64_t row = 0; row < shard->n_rows; row += BLOCK_ROWS) {
        const int64_t left = shard->n_rows - row;
        const int64_t n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        if (n_scores >= most) {
            if (nas_interrupted(query->interrupt, (double)row / (double)shard->n_rows)) break;
            n_scores = 0;
        }
        n_scores += n * query->n;
        const float *tile = shard->tile + row * shard->n_metric;
        for (int64_t i = 0; i < query->n; i++) {
            const double *weights = query->weights + i * shard->n_metric;
            const double best =
                kernel->block(tile, nas_score_tiles(n), shard->n_metric, weights, score);
            /* Rare. The rows that fill up the last tile may raise `best`, never the answer. */
            if (best > list[i * k].score)
                insert_better(list + i * k, k, score, shard->first + row, n);
        }
    }
    for (int64_t i = 0; i < query->n; i++) sort_list(list + i * k, k);
}
