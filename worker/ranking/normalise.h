/* Transform and min-max normalisation of one metric, its values sharded over the ranks of a group.
 */
#ifndef NAS_WORKER_RANKING_NORMALISE_H
#define NAS_WORKER_RANKING_NORMALISE_H

#include "common/base/interrupt.h"
#include "common/comm/comm.h"
#include "common/job/job.h"

#include <stdbool.h>
#include <stdint.h>

/** Ranks of a whole column: 1 for the smallest value, ties get the mean of their places, missing
 *  (non-finite) values NaN.  Not collective. O(n log n) time, a sorted copy of the column besides.
 *  column [in] n;
 *  rank [out] n; interrupt: asked every few milliseconds, may be NULL.
 *  NAS_ESTOP: interrupted. NAS_ENOMEM. */
nas_status_t nas_normalise_rank(const double *column, int64_t n, double *rank,
                                const nas_interrupt_t *interrupt, nas_error_t *err);

/** Transform, then (x - min) / (max - min) over the group.  Collective over group.
 *  value [in, out] this rank's n values; missing (non-finite) ones and all of a constant metric
 *  become 0. transform: NAS_TRANSFORM_RANK does nothing more here; log of x <= 0 is missing; exp
 *  is exp(x - max x). Bits do not depend on the sharding. Returns false, on every rank, where
 *  every value is missing. */
bool nas_normalise(nas_comm_t *group, nas_transform_t transform, double *value, int64_t n);

/** What a metric is after its transform. */
typedef struct nas_metric_facts {
    int64_t n_given;  /**< finite values */
    int64_t n_left;   /**< of them those that the transform leaves finite */
    bool is_constant; /**< some are left and min-max makes all of them 0 */
} nas_metric_facts_t;

/** Look at a whole column as nas_normalise will take it.  Not collective. O(n).
 *  value [in, out] n; overwritten. */
nas_metric_facts_t nas_normalise_look(nas_transform_t transform, double *value, int64_t n);

#endif
