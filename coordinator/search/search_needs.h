/* What a search will take, besides evaluations: an estimate, before anything runs. */
#ifndef NAS_COORDINATOR_SEARCH_SEARCH_NEEDS_H
#define NAS_COORDINATOR_SEARCH_SEARCH_NEEDS_H

#include "common/space/pool.h"
#include "coordinator/inputs/inputs_search.h"

#include <stdbool.h>
#include <stdint.h>

/** An estimate. */
typedef struct nas_search_needs {
    int64_t n_repeat;
    int64_t n_groups;      /**< of ranks, each with a repeat at a time */
    int64_t n_candidates;  /**< that are asked for at a time, at most */
    int64_t n_evaluations; /**< of all repeats */
    double seconds;        /**< of the methods, and of passes over the score table or posterior */
    double shard_bytes;  /**< of the score table, or of a posterior with its points, on each rank */
    double method_bytes; /**< on each rank that leads a group */
    bool has_posterior;  /**< the rest is of one; 0 without */
    double rows_bytes;   /**< rows of its points, on each rank */
    bool keeps_rows;  /**< on machines like this one; otherwise they are made again in every step */
    double rows_room; /**< that there would be for them beside the features */
    double rows_seconds; /**< to make those of a whole repeat as a resumed run does; where they are
                                not kept, for its points' own architectures alone */
} nas_search_needs_t;

/** Estimate, for n_ranks.  Not collective; after nas_inputs_read_files. Of a job that is read to
 *  score all but the score table is 0, in one group. Deterministic, but for what depends on the
 *  memory of this machine: as many ranks are taken to share it as it has processors. */
nas_search_needs_t nas_search_needs(const nas_search_inputs_t *inputs, const nas_pool_t *pool,
                                    int n_ranks);

#endif
