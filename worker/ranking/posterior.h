/* The posterior of a Gaussian process over the architectures of a pool, sharded by rows over the
 * ranks of a group: what method pool-gp learns with. docs/methods.md has its features, kernel and
 * constants.
 *
 * Rank r of p holds what nas_comm_shard gives it: the features of its rows, in tiles (score.h), and
 * of every point that was observed one row V_i of L^-1 k(points, .), float32. A question streams
 * these once. Rows of points that were appended since the last question are made in the same sweep,
 * or before it, where many points are appended one after another; where the memory for them is not
 * there, all are made again in every sweep, to the same bits.
 *
 * Every row is computed alone, from left to right in float64, each product and sum rounded once,
 * without a library call: no bit depends on the sharding or on the instruction set.
 */
#ifndef NAS_WORKER_RANKING_POSTERIOR_H
#define NAS_WORKER_RANKING_POSTERIOR_H

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/isa.h"
#include "common/comm/comm.h"

#include <stdbool.h>
#include <stdint.h>

/** Opaque. */
typedef struct nas_posterior nas_posterior_t;

/** What a posterior is made for. */
typedef struct nas_posterior_options {
    int64_t n_arch;
    int64_t n_metric;   /**< columns that will be loaded, 0 and more */
    int n_position;     /**< codes of a row that will be loaded, 0: no encoding */
    int64_t max_points; /**< T: the most points at a time */
    int64_t
        memory_bytes; /**< that it may take on this rank; where nas_posterior_bytes is more, rows
                               of points are made again in every sweep. Nothing else depends on it.
                               May differ between ranks. */
    const nas_interrupt_t *interrupt; /**< kept (borrowed); asked by what takes long; may be NULL */
} nas_posterior_options_t;

/** Allocate the features of the shard.  Collective over group. group is kept (borrowed). Rows of
 *  points are allocated as they come.
 *  The caller owns *posterior_p. NAS_ENOMEM on any rank fails all. */
nas_status_t nas_posterior_create(nas_comm_t *group, const nas_posterior_options_t *options,
                                  nas_posterior_t **posterior_p, nas_error_t *err);

/** Use an instruction set other than the best available one (tests, bench).  Not collective. */
void nas_posterior_use(nas_posterior_t *posterior, nas_isa_t isa);

/** First row of the shard and their number. */
void nas_posterior_shard(const nas_posterior_t *posterior, int64_t *first, int64_t *n_rows);

/** Load a metric: its standardised average ranks over the finite values of the whole pool, 0 where
 *  it is missing. A metric with fewer than two finite values, or equal ones, is not kept.
 *  Collective over group; metrics in the order of their numbers, before nas_posterior_settle.
 *  value [in, out] raw values of the shard, overwritten. Sums in pool order, whatever the sharding.
 *  Memory and time as nas_normalise_rank. NAS_ESTOP, on all ranks: interrupted. NAS_ENOMEM on any
 *  rank fails all. */
nas_status_t nas_posterior_load(nas_posterior_t *posterior, double *value, nas_error_t *err);

/** The same, where the ranks are there (bench).  Collective over group.
 *  rank [in, out] average ranks of the shard, NaN where the value is missing; overwritten. */
void nas_posterior_load_ranks(nas_posterior_t *posterior, double *rank);

/** Load the codes of n rows of the shard, of which its first is number 0.  Not collective; each row
 *  once, before nas_posterior_settle.
 *  code [in] n x n_position, row-major; copied. */
void nas_posterior_load_codes(nas_posterior_t *posterior, int64_t first, int64_t n,
                              const uint8_t *code);

/** All is loaded: mean features, and which positions have two choices at least in the
 *  pool.  Collective over group. */
void nas_posterior_settle(nas_posterior_t *posterior);

/** Metrics that are kept, and positions that are compared. */
int64_t nas_posterior_metrics(const nas_posterior_t *posterior);
int nas_posterior_positions(const nas_posterior_t *posterior);

/** Points so far. */
int64_t nas_posterior_points(const nas_posterior_t *posterior);

/** Forget all points but the first n.  Not collective, but alike on every rank. */
void nas_posterior_keep(nas_posterior_t *posterior, int64_t n);

/** Make an architecture a point, number n = nas_posterior_points.  Collective over group: one
 *  broadcast by the rank that holds it. A rank that keeps rows, and has not made those of 16 points
 *  or more, makes them first, in a sweep over its shard: O(n) for every row and point. Otherwise
 *  O(n), but O(n^2) where the rank that holds it keeps no rows.
 *  mean [out] its prior mean m; row [out] [n + 1] the row of L that it adds, of which the last is
 *  the diagonal: sqrt(max(k + noise - sum of squares, 1e-6)). On every rank. Either may be NULL.
 *  NAS_ESTOP, on all ranks: interrupted on one of them at least; NAS_ENOMEM on any rank fails all.
 *  Then there is no point more; rows that a rank had made in full are kept. */
nas_status_t nas_posterior_append(nas_posterior_t *posterior, int64_t arch, double *mean,
                                  double *row, nas_error_t *err);

/** What to look for. Equal on all ranks of the group. Borrowed for the call. */
typedef struct nas_posterior_query {
    const double *z;  /**< [points] L^-1 (t - m) */
    double incumbent; /**< highest value of the points, above which expected improvement counts */
    uint64_t seed;    /**< of what is hidden */
    double hidden;    /**< share of the pool that is not admitted besides the points; 0: none */
} nas_posterior_query_t;

/** Whether the first steps of a search with this seed leave an architecture out.  Not
 *  collective. */
bool nas_posterior_hides(uint64_t seed, double hidden, int64_t arch);

/** Where a look ended. */
typedef struct nas_posterior_pick {
    int64_t arch;       /**< -1: no architecture is admitted */
    double improvement; /**< expected; without points: the mean feature */
    double mean;        /**< of the posterior */
} nas_posterior_pick_t;

/** The admitted architecture with the highest expected improvement, without points that with the
 *  highest mean feature; the lowest index on a tie.  Collective over group: one sweep, one
 *  gather of 32 bytes a rank.
 *  flag [in, out] as of nas_score_table_top: once the interrupt has set it, the pick is worth
 *  nothing; pick [out] on the leader (rank 0 of the group). */
void nas_posterior_improve(nas_posterior_t *posterior, const nas_posterior_query_t *query,
                           int *flag, nas_posterior_pick_t *pick);

/** What the posterior says. */
typedef struct nas_posterior_learned {
    double mean, std;    /**< of one architecture */
    double *correlation; /**< [n_metric] out: of the posterior mean with each metric, over the pool;
                              0 for a metric that is not kept, or where the mean is constant */
} nas_posterior_learned_t;

/** Look at one architecture, and at the metrics.  Collective over group; one sweep, and two passes
 *  over the features, rank after rank: sums are in pool order, whatever the sharding.
 *  learned [out] on the leader, its array allocated by the caller; query->incumbent and hidden are
 *  of no account. NAS_ENOMEM on any rank fails all. */
nas_status_t nas_posterior_learned(nas_posterior_t *posterior, const nas_posterior_query_t *query,
                                   int64_t arch, int *flag, nas_posterior_learned_t *learned,
                                   nas_error_t *err);

/** Bytes that a rank takes with n_rows of the pool and max_points points, and whether rows of
 *  points are among them: where all fit into `memory_bytes`.  Not collective. */
double nas_posterior_bytes(const nas_posterior_options_t *options, int64_t n_rows, bool *fits);

/** Accepts NULL. */
void nas_posterior_destroy(nas_posterior_t *posterior);

#endif
