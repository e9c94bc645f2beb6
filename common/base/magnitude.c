#include "common/base/magnitude.h"

#include <float.h>
#include <math.h>

int nas_magnitude_exponent(double largest)
{
    int exponent = 0;
    if (largest <= 0x1p500) return 0;
    const double fraction = frexp(largest, &exponent); /* in [0.5, 1) */
    return fraction == 0.5 ? exponent - 1 : exponent;
}

int nas_magnitude_of(const double *x, int64_t n)
{
    double largest = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(x[i])) largest = fmax(largest, fabs(x[i]));
    return nas_magnitude_exponent(largest);
}

double nas_magnitude_restore(double x, int exponent)
{
    const double restored = ldexp(x, exponent);
    return isinf(restored) && isfinite(x) ? copysign(DBL_MAX, x) : restored;
}

enum { REDUCED = 64 };

void nas_mean_add(nas_mean_t *mean, double x)
{
    mean->sum += x;
    mean->reduced_sum += ldexp(x, -REDUCED);
    mean->n++;
}

double nas_mean_value(const nas_mean_t *mean)
{
    const double n = (double)mean->n;
    if (mean->n == 0) return (double)NAN;
    if (!isinf(mean->sum)) return mean->sum / n;
    return nas_magnitude_restore(mean->reduced_sum / n, REDUCED);
}
