/* Cholesky factors of any size, and what the Gaussian process needs of the inverse.
 *
 * Up to NAS_CHOLESKY_WHOLE rows LAPACK does the work in one call. Beyond, it is cut into calls of a
 * fraction of a second, so that whoever waits for it can be heard between two of them.
 *
 * Matrices are row-major and symmetric or lower triangular: the lower triangle alone is read and
 * written, which for LAPACK is the upper one of a column-major matrix. */
#ifndef NAS_COORDINATOR_SEARCH_BO_CHOLESKY_H
#define NAS_COORDINATOR_SEARCH_BO_CHOLESKY_H

#include "common/base/error.h"
#include "common/base/interrupt.h"

#include <stdint.h>

enum { NAS_CHOLESKY_WHOLE = 300 };

/** A = L L^T in place.  Not collective.
 *  A [in, out] n x n. interrupt may be NULL. O(n^3), deterministic.
 *  NAS_ENUMERIC: not positive definite in double precision. NAS_ESTOP: interrupted. A is lost. No
 *  text is written. */
nas_status_t nas_cholesky_factor(int64_t n, double *A, const nas_interrupt_t *interrupt);

/** Columns of the inverse of A = L L^T, from the diagonal down.  Not collective.
 *  L [in] n x n; first: of m columns;
 *  part [out] (n - first) x m row-major: entry (i, j) is that of row first + i, column first + j;
 *  above the diagonal it is filled in, too. O((n - first)^2 m), deterministic. */
void nas_cholesky_inverse(int64_t n, const double *L, int64_t first, int64_t m, double *part);

/** Right-hand sides to solve for at once, at most `most`, so that a call of O(n^2) for each takes
 *  a fraction of a second.  Not collective. */
int64_t nas_cholesky_columns(int64_t n, int64_t most);

#endif
