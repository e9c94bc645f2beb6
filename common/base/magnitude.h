/* Numbers so large that their squares or sums overflow. */
#ifndef NAS_COMMON_BASE_MAGNITUDE_H
#define NAS_COMMON_BASE_MAGNITUDE_H

#include <stdint.h>

/** e, where numbers of at most this magnitude are to be divided by 2^e before they are added or
 *  squared: 2^e is the power of two at or above it where it exceeds 2^500; otherwise e is 0, and
 *  nothing changes.  Not collective.
 *  largest [in] >= 0, finite. */
int nas_magnitude_exponent(double largest);

/** nas_magnitude_exponent of the largest magnitude of n numbers, those that are not finite left
 *  out.  Not collective. */
int nas_magnitude_of(const double *x, int64_t n);

/** x 2^exponent; where no double holds that, the largest one, with the sign of x.  Not
 *  collective. */
double nas_magnitude_restore(double x, int exponent);

/** A mean that is finite where all terms are. Zero-initialise it. */
typedef struct nas_mean {
    double sum;         /**< in the order of the terms */
    double reduced_sum; /**< of the terms divided by 2^64, for where sum overflows */
    int64_t n;          /**< below 2^63 */
} nas_mean_t;

/** One term more.  Not collective. */
void nas_mean_add(nas_mean_t *mean, double x);

/** Sum of the terms divided by their number; NaN where there is none.  Not collective. */
double nas_mean_value(const nas_mean_t *mean);

#endif
