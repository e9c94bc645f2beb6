/* What the host makes of a GPU's results, with the same bits on every machine: own code of a fixed
 * order in float64 without contraction, in place of LAPACK and libm, whose last bits differ between
 * kinds of processors. Small matrices only: n is a batch's images.
 *
 * Where LAPACK's answer is not finite, or none at all, so is this one: of a matrix with NaN it is
 * NaN, the log-determinant of a singular one is -inf where no rounding hides it.
 */
#ifndef NAS_WORKER_ENGINE_METRICS_PORTABLE_H
#define NAS_WORKER_ENGINE_METRICS_PORTABLE_H

#include <stdbool.h>
#include <stdint.h>

/** Eigenvalues of a symmetric matrix.  Not collective, the same bits everywhere. O(n^3); 64 x 64
 *  takes some 0.2 ms.
 *  A [in, out] n x n row-major, of which both triangles are read; lost. The squares of its entries
 *  are neither beyond float64's range nor below it.
 *  value [out] n, ascending; work [out] n.
 *  False where there are none: an entry is not finite. Householder's tridiagonal form, then QL with
 *  implicit shifts (EISPACK's tqli: Martin & Wilkinson 1968). */
bool nas_portable_eigenvalues(double *A, int n, double *value, double *work);

/** log |det A|.  Likewise; by LU with partial pivoting, of equal pivots the upper one.
 *  A [in, out] n x n row-major; lost.
 *  -inf where a pivot is 0; NaN where an entry is not finite. */
double nas_portable_log_determinant(double *A, int64_t n);

/** Exponential, within 1 ulp. */
double nas_portable_exp(double x);

/** Cosine of x in [0, pi], within 2e-16. */
double nas_portable_cos(double x);

/** Natural logarithm, within 1 ulp: -inf of 0, NaN of what is below. */
double nas_portable_log(double x);

#endif
