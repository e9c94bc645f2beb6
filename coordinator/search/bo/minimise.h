/* Bounded local minimisation by L-BFGS (NLopt's LD_LBFGS). */
#ifndef NAS_COORDINATOR_SEARCH_BO_MINIMISE_H
#define NAS_COORDINATOR_SEARCH_BO_MINIMISE_H

#include "common/base/error.h"

#include <stdint.h>

/** A smooth function: value at x [d], and its gradient [d]. */
typedef double (*nas_function_t)(int64_t d, const double *x, double *gradient, void *context);

/** One box and stopping rule for many minimisations; opaque. */
typedef struct nas_minimiser nas_minimiser_t;

/** A box with bounds [low, high] in every coordinate.  Not collective.
 *  The caller owns *minimiser_p. NAS_ENOMEM. */
nas_status_t nas_minimiser_create(int64_t d, double low, double high, nas_minimiser_t **minimiser_p,
                                  nas_error_t *err);

/** Minimise from x; returns the smallest value that was evaluated.  Not collective, deterministic.
 *  x [in, out] d: start (clipped to the box), then the point of that value. Ends where no
 *  coordinate of the projected gradient exceeds 1e-5, where the relative decrease falls below
 *  2.2e-9 (both as L-BFGS-B in SciPy), after 1000 evaluations, or by nas_minimiser_stop. A line
 *  search that gives up is no error; a value that is not finite is never the smallest. */
double nas_minimise(nas_minimiser_t *minimiser, nas_function_t function, void *context, double *x);

/** Called by the function: this evaluation is the last of the minimisation, which returns what it
 *  has found.  Not collective. */
void nas_minimiser_stop(nas_minimiser_t *minimiser);

/** Accepts NULL. */
void nas_minimiser_destroy(nas_minimiser_t *minimiser);

#endif
