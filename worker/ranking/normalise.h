/* Transform and min-max normalisation of one metric, its values sharded over the ranks of a group.
 */
#ifndef NAS_WORKER_RANKING_NORMALISE_H
#define NAS_WORKER_RANKING_NORMALISE_H

#include "common/base/interrupt.h"
#include "common/comm/comm.h"
#include "common/job/job.h"

#include <stdbool.h>
#include <stdint.h>

/** Replace the values of a metric by their ranks over the group: 1 for the smallest value, ties get
 *  the mean of their places, missing (non-finite) values NaN.  Collective over group. No rank holds
 *  the whole column: each sorts its own, and hears the others' in pieces. O(n log n + N) time for n
 *  of N values, four times the memory of the n besides.
 *  value [in, out] this rank's n; interrupt: asked every few milliseconds, may be NULL.
 *  NAS_ESTOP: interrupted, on any rank. NAS_ENOMEM on any rank fails all. */
nas_status_t nas_normalise_rank(nas_comm_t *group, double *value, int64_t n,
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

/** Look at a metric as nas_normalise will take it.  Collective over group; NULL: this rank has the
 *  whole column. O(n).
 *  value [in, out] this rank's n values; overwritten. The same on all ranks. */
nas_metric_facts_t nas_normalise_look(nas_comm_t *group, nas_transform_t transform, double *value,
                                      int64_t n);

#endif
