/* Spearman's rank correlation of two lists of numbers. */
#ifndef NAS_COORDINATOR_REPORT_HTML_CORRELATION_H
#define NAS_COORDINATOR_REPORT_HTML_CORRELATION_H

#include "common/base/error.h"

#include <stdint.h>

/** Replace numbers by their average ranks, from 1; NaN and infinite ones become NaN.  Not
 *  collective. O(n log n), deterministic.
 *  x [in, out] n. NAS_ENOMEM. */
nas_status_t nas_average_ranks(double *x, int64_t n, nas_error_t *err);

/** Pearson's correlation of average ranks over the pairs of which both are finite, equal ones
 *  sharing their ranks.  Not collective. O(n log n), deterministic.
 *  x, y [in] n; rho [out] in [-1, 1]; NaN with fewer than 3 pairs, or where either is constant over
 *  them; n_pairs [out]. NAS_ENOMEM. */
nas_status_t nas_rank_correlation(const double *x, const double *y, int64_t n, double *rho,
                                  int64_t *n_pairs, nas_error_t *err);

#endif
