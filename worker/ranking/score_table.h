/* The score table: normalised metrics of a pool, sharded by rows over the ranks of a group.
 *
 * Rank r of p holds rows [r N / p, (r + 1) N / p) as float32, in tiles (score.h). Per query
 * every rank streams its shard once; the answer is reduced to the leader (rank 0 of the group) with
 * the tie rule "lower pool index".
 *
 * Precision: a metric is normalised in float64 and stored as float32 (relative rounding 6e-8); a
 * combined score is accumulated in float64 over the metrics in order, 0 + w_0 z_0 + w_1 z_1 + ...,
 * each product and sum rounded once. The bits of a row's score depend neither on the sharding nor
 * on the instruction set.
 */
#ifndef NAS_WORKER_RANKING_SCORE_TABLE_H
#define NAS_WORKER_RANKING_SCORE_TABLE_H

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/comm/comm.h"
#include "common/job/job.h"
#include "worker/ranking/score.h"

#include <stdint.h>

/** Opaque. */
typedef struct nas_score_table nas_score_table_t;

/** What a table is made for. */
typedef struct nas_score_table_options {
    int64_t n_arch;
    int64_t n_metric;
    int64_t max_places; /**< of one answer: weight vectors times architectures for each */
    const nas_interrupt_t *interrupt; /**< kept (borrowed); asked while a column is loaded; may be
                                           NULL */
} nas_score_table_options_t;

/** Allocate shards and buffers; a query allocates nothing.  Collective over group. group is kept
 *  (borrowed). n_metric * 4 bytes a row, shared by the ranks.
 *  NAS_ENOMEM on any rank fails all. */
nas_status_t nas_score_table_create(nas_comm_t *group, const nas_score_table_options_t *options,
                                    nas_score_table_t **table_p, nas_error_t *err);

/** Use an instruction set other than the best available one (tests, bench).  Not collective. */
void nas_score_table_use(nas_score_table_t *table, nas_isa_t isa);

/** Load metric `metric`: transform, then min-max over the whole pool; missing (NaN), non-finite
 *  and constant values contribute 0.  Collective over group.
 *  value [in, out] raw values of the shard (nas_score_table_shard), overwritten; name: for
 *  messages, the same on all ranks. exp is exp(x - max x), which min-max maps to the same values
 *  without overflow; log of a value <= 0 is missing; rank averages ties and excludes missing
 *  values. Memory during the call: for rank as nas_normalise_rank, for others none.
 *  NAS_EINPUT, on all ranks: every value is missing. NAS_ESTOP, on all ranks: interrupted.
 *  NAS_ENOMEM on any rank fails all. */
nas_status_t nas_score_table_load(nas_score_table_t *table, int64_t metric, double *value,
                                  nas_transform_t transform, const char *name, nas_error_t *err);

/** The k best architectures under each of n weight vectors.  Collective over group; one pass over
 *  the shard.
 *  query [in] equal on all ranks, n * k within what the table was created for;
 *  flag [in, out]: read after the pass, so that the query's interrupt may set it, and reduced by
 *  maximum to the leader beside the answer;
 *  answer [out] on the leader, n x k pool indices, best first, -1 where the pool has fewer than k.
 *  score [out] on the leader, n x k, or NULL. */
void nas_score_table_top(nas_score_table_t *table, const nas_score_query_t *query, int *flag,
                         int64_t *answer, double *score);

/** Normalised value of a metric at a row that this rank holds (tests). */
float nas_score_table_value(const nas_score_table_t *table, int64_t metric, int64_t row);

/** First row of the shard and their number. */
void nas_score_table_shard(const nas_score_table_t *table, int64_t *first, int64_t *n_rows);

/** Accepts NULL. */
void nas_score_table_destroy(nas_score_table_t *table);

#endif
