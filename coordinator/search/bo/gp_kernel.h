/* Matern 5/2 kernel and Cholesky factor, the inner loops of the Gaussian process. Private to it. */
#ifndef NAS_COORDINATOR_SEARCH_BO_GP_KERNEL_H
#define NAS_COORDINATOR_SEARCH_BO_GP_KERNEL_H

#include "common/base/error.h"
#include "common/base/interrupt.h"

#include <stdint.h>

/** Borrowed points, coordinate by coordinate: data[c * stride + j] is coordinate c of point j. */
typedef struct nas_point_columns {
    const double *data;
    int64_t n;      /**< points */
    int64_t d;      /**< coordinates */
    int64_t stride; /**< doubles between two coordinates, >= n */
} nas_point_columns_t;

/** distance[j] = sqrt(5) |x - point j|, the kernel's argument at length scale 1.  Not collective.
 *  x [in] d;
 *  distance [out] n. By differences, so that near duplicates keep their distance. */
void nas_kernel_distance(nas_point_columns_t points, const double *x, double *distance);

/** Matern 5/2 at s = distance / length_scale.  Not collective. value = (1 + s + s^2 / 3) exp(-s)
 *  slope = (1 + s) exp(-s) / 3 d value / d log(length_scale) = s^2 slope d value / d x = -5 slope
 *  (x - x') / length_scale^2 distance [in] n;
 *  value, slope [out] n; the three do not overlap. Deterministic: the bits of an entry depend
 *  neither on its place nor on the instruction set.
 *  Rasmussen & Williams 2006, equation 4.17. */
void nas_kernel_matern(int64_t n, const double *distance, double length_scale, double *value,
                       double *slope);

/** exp(-s) of n numbers s >= 0 to within 1 ulp, and 0 from s = 700 on.  Not collective.
 *  Deterministic as above. s and result do not overlap. */
void nas_kernel_exp(int64_t n, const double *s, double *result);

/** Cholesky factor of a symmetric matrix with equal entries on the diagonal.  Not collective.
 *  pairs [in] the n (n - 1) / 2 entries below the diagonal, row by row.
 *  factor [out] n x n row-major, lower triangle, the rest untouched. O(n^3). Where the matrix is
 *  not positive definite in double precision, jitter is added to the diagonal: 1e-8, then ten
 *  times as much, up to 1e-2. interrupt may be NULL.
 *  NAS_ENUMERIC: not even then. NAS_ESTOP: interrupted. No text is written. */
nas_status_t nas_kernel_factorise(int64_t n, const double *pairs, double diagonal,
                                  const nas_interrupt_t *interrupt, double *factor);

#endif
