/* What a search will take, besides evaluations: an estimate, before anything runs. */
#ifndef NAS_COORDINATOR_SEARCH_SEARCH_NEEDS_H
#define NAS_COORDINATOR_SEARCH_SEARCH_NEEDS_H

#include "common/space/pool.h"
#include "coordinator/inputs/inputs_search.h"

#include <stdint.h>

/** An estimate. */
typedef struct nas_search_needs {
    int64_t n_repeat;
    int64_t n_groups;      /**< of ranks, each with a repeat at a time */
    int64_t n_candidates;  /**< that are asked for at a time, at most */
    int64_t n_evaluations; /**< of all repeats */
    double seconds;        /**< of the methods, and of passes over the score table */
    double shard_bytes;    /**< of the score table, on each rank */
    double method_bytes;   /**< on each rank that leads a group */
} nas_search_needs_t;

/** Estimate, for n_ranks.  Not collective; after nas_inputs_read_files. Of a job that is read to
 *  score all but the score table is 0, in one group. Deterministic. */
nas_search_needs_t nas_search_needs(const nas_search_inputs_t *inputs, const nas_pool_t *pool,
                                    int n_ranks);

#endif
