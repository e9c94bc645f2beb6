/* What fitting (gp.c) and predicting (gp_predict.c) share. */
#ifndef NAS_COORDINATOR_SEARCH_BO_GP_INTERNAL_H
#define NAS_COORDINATOR_SEARCH_BO_GP_INTERNAL_H

#include "coordinator/search/bo/gp.h"
#include "coordinator/search/bo/minimise.h"

/** Points predicted at once: their kernel rows stay in the cache. */
enum { NAS_GP_BLOCK = 256 };

/* K = L L^T is the kernel between the observations plus the noise on the diagonal. A symmetric or
 * triangular matrix is row-major and holds its lower triangle, which for LAPACK is the upper one of
 * a column-major matrix. Pairs are the n (n - 1) / 2 entries below the diagonal, row by row. */
struct nas_gp {
    int64_t d, n, capacity, n_max;
    const nas_interrupt_t *interrupt; /* borrowed */
    nas_status_t status;              /* of the fit under way */
    double length_scale;
    double log_likelihood;
    double y_mean, y_std;
    nas_minimiser_t *minimiser; /* of the log length scale */

    double *memory;        /* holds all of the following, for `capacity` points */
    double *points;        /* [n, d] */
    double *columns;       /* [d, n] the points again */
    double *y;             /* [n] standardised */
    double *alpha;         /* [n] K^-1 y */
    double *pair_distance; /* [pairs] sqrt(5) |x_i - x_j| */
    double *pair_value;    /* [pairs] kernel */
    double *pair_slope;    /* [pairs] kernel's slope */
    double *factor;        /* [n, n] L */
    double *inverse;       /* [n, n] K^-1, on demand, where n <= NAS_CHOLESKY_WHOLE */
    double *query;         /* [d, NAS_GP_BLOCK] points to predict */
    double *cross; /* [n, NAS_GP_BLOCK] their kernel with the observations, then L^-1 times that; or
                              columns of K^-1 */
    double *row;   /* [max(n, NAS_GP_BLOCK)] distances */
    double *row_slope;     /* [max(n, NAS_GP_BLOCK)] */
    double *mean_gradient; /* [d] */
    double *std_gradient;  /* [d] */
};

#endif
