/* Combined scores of a shard and the best of them, in one pass at memory bandwidth.
 *
 * Rows are stored in tiles of NAS_SCORE_TILE: a tile holds the values of metric 0 for its rows,
 * then those of metric 1 and so on, and tiles follow one another. A pass thus reads memory strictly
 * forward, whatever the number of metrics, with a tile's sums in registers.
 *
 * The score of a row is 0 + w_0 z_0 + w_1 z_1 + ..., from left to right in float64, each product
 * and sum rounded once. It is never -0, and its bits do not depend on the instruction set.
 */
#ifndef NAS_WORKER_RANKING_SCORE_H
#define NAS_WORKER_RANKING_SCORE_H

#include "common/base/interrupt.h"
#include "common/base/isa.h"
#include "common/base/top_entry.h"

#include <stdint.h>

enum {
    NAS_SCORE_LINE = 64, /**< bytes of a cache line, and the alignment of tiles */
    NAS_SCORE_TILE = 16  /**< rows of a tile: one line a metric */
};

/** Rows in tiles; a view. The rows that fill up the last tile hold 0. */
typedef struct nas_score_shard {
    const float *tile; /**< aligned to NAS_SCORE_LINE */
    int64_t first;     /**< pool index of row 0 */
    int64_t n_rows;
    int64_t n_metric;
} nas_score_shard_t;

/** What is asked of a shard. Borrowed for the call. */
typedef struct nas_score_query {
    const double *weights;            /**< n x n_metric row-major, finite */
    int64_t n;                        /**< weight vectors */
    int64_t k;                        /**< places of each one's answer, > 0 */
    const nas_interrupt_t *interrupt; /**< asked between blocks of rows; may be NULL. Once it says
                                           to stop, the answer is worth nothing */
} nas_score_query_t;

/** The functions of one instruction set. */
typedef struct nas_score_kernel {
    /** Scores of n_tile consecutive tiles under one weight vector: score [out], 64-byte aligned, a
     * number a row. Returns the largest (either zero where -0 and 0 are). */
    double (*block)(const float *tile, int64_t n_tile, int64_t n_metric, const double *weights,
                    double *score);
    /** Bitwise or of n words: reads memory and does next to nothing else, the yardstick of a pass.
     */
    uint64_t (*read)(const uint64_t *word, int64_t n);
} nas_score_kernel_t;

/** Where metric `metric` of row `row` (counted from the shard's first) stands in `tile`. */
static inline int64_t nas_score_at(int64_t row, int64_t metric, int64_t n_metric)
{
    return (row / NAS_SCORE_TILE * n_metric + metric) * NAS_SCORE_TILE + row % NAS_SCORE_TILE;
}

/** Number of tiles that hold n_rows rows. */
static inline int64_t nas_score_tiles(int64_t n_rows)
{
    return (n_rows + NAS_SCORE_TILE - 1) / NAS_SCORE_TILE;
}

/** Kernel of an available instruction set. */
const nas_score_kernel_t *nas_score_kernel(nas_isa_t isa);

/** The k best rows under each weight vector: higher score first, the lower index on a tie.  Not
 *  collective.
 *  list [out] n lists of k; places without a row have index -1. One pass over memory for all
 *  weight vectors; a row that enters a list costs O(log k) besides, of which there are about k
 *  log(n_rows / k) in random order and n_rows at most. */
void nas_score_scan(const nas_score_shard_t *shard, const nas_score_kernel_t *kernel,
                    const nas_score_query_t *query, nas_top_entry_t *list);

#endif
