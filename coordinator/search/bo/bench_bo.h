/* `robotnas bench bo`: the time of one step of Bayesian optimisation on this machine. */
#ifndef NAS_COORDINATOR_SEARCH_BO_BENCH_BO_H
#define NAS_COORDINATOR_SEARCH_BO_BENCH_BO_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stdio.h>

/** Time steps of Bayesian optimisation and print the medians.  Not collective; takes seconds. A
 *  step is a fit and a maximisation of the acquisition, on 20, 100 and 500 synthetic observations
 *  of 6 weights.
 *  out [in] gets a table, or with json one object, on success only.
 *  NAS_EIO: the output could not be written. Errors of nas_gp_fit and nas_ucb_maximise. */
nas_status_t nas_bench_bo(FILE *out, bool json, nas_error_t *err);

#endif
