/* The standard normal distribution, with the exponential and the logarithm that it takes. No
 * library call but the square root: the same bits on every machine. */
#ifndef NAS_COMMON_BASE_GAUSSIAN_H
#define NAS_COMMON_BASE_GAUSSIAN_H

/** exp(x) to within 1 ulp; 0 below -700, infinity above 700.  Not collective. x is not NaN. */
double nas_exp(double x);

/** Natural logarithm of a finite x > 0, to within 2 ulp.  Not collective. */
double nas_log(double x);

/** exp(-x^2 / 2) / sqrt(2 pi).  Not collective. x is not NaN. Relative error below 1e-13 for |x| <=
 *  36, and 0 where |x| > 37.5. */
double nas_normal_density(double x);

/** E max(X + x, 0) = x P(X <= x) + density(x), the expected improvement in units of the
 *  deviation.  Not collective. x is finite. Relative error below 1e-11 for x >= -36. Rising. */
double nas_normal_improvement(double x);

/** The x with P(X <= x) = p, for 0 < p < 1.  Not collective. Relative error below 1.2e-9. Acklam's
 *  rational approximations; odd about p = 1/2 to the bit where 1 - p is exact. */
double nas_normal_quantile(double p);

#endif
