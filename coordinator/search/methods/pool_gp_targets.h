/* What the process of pool-gp is told of the evaluations that are known when a step begins: above
 * their median mostly distances count, below it order alone. */
#ifndef NAS_COORDINATOR_SEARCH_METHODS_POOL_GP_TARGETS_H
#define NAS_COORDINATOR_SEARCH_METHODS_POOL_GP_TARGETS_H

#include "common/base/error.h"
#include "common/base/interrupt.h"

#include <stdbool.h>
#include <stdint.h>

/** Evaluations, in any order. Borrowed for the call. */
typedef struct nas_evaluated {
    const double *target; /**< [n] higher is better; finite, where not failed */
    const bool *failed;   /**< [n] */
    int64_t n;
    const nas_interrupt_t *interrupt; /**< asked where it takes long; may be NULL */
} nas_evaluated_t;

/** The standardised targets of a step.  Not collective.
 *  A failed evaluation counts as s_floor(k/4) of the k that succeeded, s ascending from s_0; as 0
 *  where none did. With r the average rank among all n, R = Q((r - 0.5) / n), Q the quantile
 *  function of the normal distribution. H is the distance from the median in units of the root of
 *  the mean square of such distances at and above it (1 where that is 0), below the median it is R.
 *  t is (H + R) / 2, less its mean, divided by its standard deviation (1 where that is <= 1e-12).
 *  Where all are equal, t = 0.
 *  t [out] n. O(n log n) time, O(n) memory, deterministic. NAS_ESTOP: interrupted. NAS_ENOMEM. */
nas_status_t nas_pool_gp_targets(const nas_evaluated_t *evaluated, double *t, nas_error_t *err);

#endif
