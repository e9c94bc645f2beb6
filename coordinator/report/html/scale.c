#include "coordinator/report/html/scale.h"

#include <math.h>

static double cut(double x)
{
    const double largest = 1e300;
    return isfinite(x) ? fmax(-largest, fmin(x, largest)) : 0;
}

/* The least of 1, 2, 5 times a power of ten that is not below x. */
static double round_up(double x)
{
    const double power = pow(10, floor(log10(x)));
    const double part = x / power, slack = 1 + 1e-9;
    const double factor = part <= slack ? 1 : part <= 2 * slack ? 2 : part <= 5 * slack ? 5 : 10;
    return factor * power;
}

static int decimals_of(const nas_scale_t *scale)
{
    const double largest = fmax(fabs(scale->from), fabs(scale->to));
    const int places = (int)-floor(log10(scale->step) + 1e-9);
    if (largest >= 1e6 || places > 6) return -1;
    return places > 0 ? places : 0;
}

nas_scale_t nas_scale_make(double least, double largest, int n, double start, double length)
{
    nas_scale_t scale = {.start = start, .length = length};
    double from = cut(least), to = cut(largest);
    const double least_range = fmax(fabs(from), fabs(to)) * 1e-9;
    if (!(to - from > least_range)) { /* there is nothing between them */
        const double margin = from == 0 ? 1 : fabs(from) * 0.1;
        from -= margin;
        to += margin;
    }
    scale.step = round_up(fmax((to - from) / (n - 1), 1e-290));
    scale.from = floor(from / scale.step + 1e-9) * scale.step;
    scale.n_ticks = (int)ceil((to - scale.from) / scale.step - 1e-9) + 1;
    if (scale.n_ticks < 2) scale.n_ticks = 2;
    scale.to = scale.from + (scale.n_ticks - 1) * scale.step;
    scale.decimals = decimals_of(&scale);
    return scale;
}

double nas_scale_at(const nas_scale_t *scale, double x)
{
    const double part = (x - scale->from) / (scale->to - scale->from);
    return scale->start + fmax(0, fmin(part, 1)) * scale->length;
}

double nas_scale_tick(const nas_scale_t *scale, int i)
{
    const double x = scale->from + i * scale->step;
    return fabs(x) < scale->step * 1e-6 ? 0 : x;
}

void nas_scale_label(const nas_scale_t *scale, int i, FILE *out)
{
    const double x = nas_scale_tick(scale, i);
    if (scale->decimals < 0)
        (void)fprintf(out, "%.4g", x);
    else
        (void)fprintf(out, "%.*f", scale->decimals, x);
}
