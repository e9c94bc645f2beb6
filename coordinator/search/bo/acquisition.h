/* Upper confidence bound and its maximisation over the cube [-1, 1]^d. */
#ifndef NAS_COORDINATOR_SEARCH_BO_ACQUISITION_H
#define NAS_COORDINATOR_SEARCH_BO_ACQUISITION_H

#include "common/base/error.h"
#include "coordinator/search/bo/gp.h"

#include <stdint.h>

#define NAS_UCB_KAPPA 2.576
enum { NAS_UCB_CANDIDATES = 10000, NAS_UCB_LOCAL_SEARCHES = 10 };

/** mean + kappa * std at x.  Not collective.
 *  x [in] d;
 *  gradient [out] d, or NULL. */
double nas_ucb(const nas_gp_t *gp, int64_t d, const double *x, double *gradient);

/** Maximise the UCB over the cube.  Not collective. Best of NAS_UCB_CANDIDATES uniform points,
 *  then L-BFGS from NAS_UCB_LOCAL_SEARCHES uniform points, each accepted if it is at least as good
 *  as the best so far.
 *  x [out] d. Deterministic: stream NAS_STREAM_ACQUISITION, key seed, index.
 *  NAS_ENOMEM. NAS_ESTOP: the process was interrupted. */
nas_status_t nas_ucb_maximise(const nas_gp_t *gp, int64_t d, uint64_t seed, uint64_t index,
                              double *x, nas_error_t *err);

#endif
