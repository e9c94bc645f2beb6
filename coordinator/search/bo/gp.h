/* Gaussian process with a Matern 5/2 kernel of one length scale, signal variance 1 and noise 1e-6.
 *
 * A process keeps its memory from fit to fit and works in it when it predicts: it serves one caller
 * at a time. */
#ifndef NAS_COORDINATOR_SEARCH_BO_GP_H
#define NAS_COORDINATOR_SEARCH_BO_GP_H

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/matrix.h"

#include <stdbool.h>
#include <stdint.h>

#define NAS_GP_NOISE 1e-6
#define NAS_GP_LENGTH_SCALE_MIN 1e-5
#define NAS_GP_LENGTH_SCALE_MAX 1e5
enum { NAS_GP_RESTARTS = 5 };

/** A fitted process; opaque. */
typedef struct nas_gp nas_gp_t;

/** Posterior at one point, in the unit of y. */
typedef struct nas_gp_point {
    double mean;
    double std;
    const double *mean_gradient; /**< [d] the process's own, valid until it is used again */
    const double *std_gradient;  /**< [d] likewise; 0 where std is 0 */
} nas_gp_point_t;

/** A process over d dimensions for at most n_max observations.  Not collective. Memory grows with
 *  the observations, up to nas_gp_bytes of n_max.
 *  interrupt [in] asked during all that takes long, or NULL; borrowed and kept.
 *  The caller owns *gp_p and ends it with nas_gp_destroy. */
nas_status_t nas_gp_create(int64_t d, int64_t n_max, const nas_interrupt_t *interrupt,
                           nas_gp_t **gp_p, nas_error_t *err);

/** Memory of a process with n observations of d dimensions, in bytes: about 20 n^2.  Not
 *  collective. */
double nas_gp_bytes(int64_t d, int64_t n);

/** Asks the process's interrupt, for what is made of it.  Not collective. */
bool nas_gp_interrupted(const nas_gp_t *gp);

/** Condition on observations and choose the length scale by maximum log marginal likelihood.  Not
 *  collective. L-BFGS on the logarithm of the length scale, from 1.0 and from NAS_GP_RESTARTS
 *  log-uniform starts in the bounds (stream NAS_STREAM_LENGTH_SCALE, key seed, index).
 *  X [in] n x d;
 *  y [in] n, any unit (standardised inside; a standard deviation of 0 counts as 1). O(n^3) time
 *  per likelihood, O(n^2) memory, deterministic. X and y may be freed afterwards.
 *  NAS_EARG: n == 0, a non-finite value, or targets whose variance overflows.
 *  NAS_ENUMERIC: not positive definite even with a jitter of 1e-2 on the diagonal. NAS_ENOMEM.
 *  NAS_ESTOP: interrupted.
 *  After an error the process must be fitted anew before it is asked.
 *  Rasmussen & Williams 2006, algorithm 2.1 and equation 5.9. */
nas_status_t nas_gp_fit(nas_gp_t *gp, nas_matrix_view_t X, const double *y, uint64_t seed,
                        uint64_t index, nas_error_t *err);

/** Condition with a given length scale.  Not collective. Errors as nas_gp_fit. */
nas_status_t nas_gp_condition(nas_gp_t *gp, nas_matrix_view_t X, const double *y,
                              double length_scale, nas_error_t *err);

/** Log marginal likelihood of the standardised targets at the current length scale.  Not
 *  collective. After fit or condition.
 *  gradient [out] its derivative by the logarithm of the length scale, O(n^3); or NULL. Of no use
 *  once interrupted. */
double nas_gp_log_likelihood(const nas_gp_t *gp, double *gradient);

/** After fit or condition.  Not collective. */
double nas_gp_length_scale(const nas_gp_t *gp);

/** Posterior mean and standard deviation at each row of X, in the unit of y.  Not collective.
 *  mean, std [out] X.n. A negative variance counts as 0. O(n d + n^2) a point, blocked.
 *  NAS_ESTOP: interrupted. */
nas_status_t nas_gp_predict(const nas_gp_t *gp, nas_matrix_view_t X, double *mean, double *std);

/** Posterior at one point with gradients.  Not collective.
 *  x [in] d. O(n d + n^2). */
void nas_gp_predict_gradient(const nas_gp_t *gp, const double *x, nas_gp_point_t *point);

/** Accepts NULL. */
void nas_gp_destroy(nas_gp_t *gp);

#endif
