/* `robotnas bench rank`: how fast a shard is ranked, and looked through by a posterior, beside how
 * fast this machine reads memory. */
#ifndef NAS_WORKER_BENCH_BENCH_RANK_H
#define NAS_WORKER_BENCH_BENCH_RANK_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** What to measure; all > 0. */
typedef struct nas_bench_rank_options {
    int64_t n_arch;
    int64_t n_metric;
    int64_t n_points;  /**< of the posterior */
    int64_t n_repeats; /**< timed repetitions of each measurement */
} nas_bench_rank_options_t;

/** Rank a synthetic pool on one core with every available instruction set and print rows/s, GB/s
 *  and the share of the read bandwidth, then the same pool with a posterior (bench_posterior.h):
 *  as tables or, with json, as one object.  Not collective (uses no MPI). Times are medians, of the
 *  processor. Passes alternate with reads of a buffer of the pool's size (256 MiB at least).
 *  Memory: that buffer, the pool as float32 and, while it is filled, a column of doubles twice;
 *  after that what the posterior takes. NAS_ENOMEM;
 *  NAS_EIO: out cannot be written. */
nas_status_t nas_bench_rank(const nas_bench_rank_options_t *options, FILE *out, bool json,
                            nas_error_t *err);

#endif
