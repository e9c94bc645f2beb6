/* The points of pool-gp as the leader of a group knows them: the factor L of their covariances, a
 * row a point, and z = L^-1 (t - m) for their values t and prior means m. The covariances are the
 * posterior's (worker/ranking/posterior.h), which says each row of L when a point is appended. */
#ifndef NAS_COORDINATOR_SEARCH_METHODS_POOL_GP_POINTS_H
#define NAS_COORDINATOR_SEARCH_METHODS_POOL_GP_POINTS_H

#include "common/base/error.h"
#include "common/base/interrupt.h"

#include <stdint.h>

/** Zeroed, it holds none. */
typedef struct nas_points {
    int64_t n; /**< with a row of L */
    int64_t capacity;
    double **row; /**< [n] row i of L: i + 1 numbers, the diagonal last; owned, as all is */
    double *mean; /**< [n] prior mean */
    double *z;    /**< [n_known] */
    int64_t n_known;
} nas_points_t;

/** One point more.  Not collective. Memory for it alone, amortised.
 *  row [in] n + 1: its row of L; copied. NAS_ENOMEM: nothing is changed. */
nas_status_t nas_points_add(nas_points_t *points, double mean, const double *row, nas_error_t *err);

/** No point has a value any more; L stays. */
void nas_points_forget(nas_points_t *points);

/** z of the points from n_known up to n, by forward substitution.  Not collective. O(n) a point,
 *  deterministic.
 *  value [in] n, those below n_known are of no account; interrupt may be NULL. NAS_ESTOP. */
nas_status_t nas_points_solve(nas_points_t *points, const double *value, int64_t n,
                              const nas_interrupt_t *interrupt, nas_error_t *err);

/** The next point has the value that the others predict: its z is 0 exactly.  Not collective. */
void nas_points_agree(nas_points_t *points);

/** How likely the next pick should be drawn instead: by the likelihood of the values of the first n
 *  points under the process against that under a constant and noise, at prior odds of 20 to 1
 *  for the process; 0.5 at most.  Not collective. O(n). */
double nas_points_doubt(const nas_points_t *points, int64_t n);

/** Bytes of n points, an estimate. */
double nas_points_bytes(int64_t n);

/** Accepts a zeroed struct. */
void nas_points_fini(nas_points_t *points);

#endif
