/* Sums, extremes and signs of the reference backend. */
#include "worker/engine/backends/ref/ref_internal.h"

#include <math.h>
#include <string.h>

/* Sum of a plane's values less the center, to the given power 1 or 2. */
static double sum_plane(const double *plane, int64_t n, double center, int power)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        const double value = plane[i] - center;
        sum += power == 2 ? value * value : value;
    }
    return sum;
}

static double mean_power(nas_shape_t shape, nas_channels_t tensor, int c, double center, int power)
{
    const int64_t pixels = nas_ref_pixels(shape);
    double sum = 0;
    for (int n = 0; n < shape.n; n++)
        sum += sum_plane(nas_ref_plane(tensor, shape, n, c), pixels, center, power);
    return sum / (double)(shape.n * pixels);
}

void nas_ref_moments(nas_shape_t shape, nas_channels_t tensor, double *mean, double *variance)
{
    for (int c = 0; c < shape.c; c++) {
        mean[c] = mean_power(shape, tensor, c, 0.0, 1);
        variance[c] = mean_power(shape, tensor, c, mean[c], 2);
    }
}

void nas_ref_image_dots(nas_shape_t shape, nas_channels_t a, nas_channels_t b, double *sum)
{
    const int64_t pixels = nas_ref_pixels(shape);
    for (int n = 0; n < shape.n; n++) {
        for (int c = 0; c < shape.c; c++, sum++) {
            const double *x = nas_ref_plane(a, shape, n, c);
            const double *y = b.data ? nas_ref_plane(b, shape, n, c) : NULL;
            *sum = 0;
            for (int64_t i = 0; i < pixels; i++) *sum += y ? x[i] * y[i] : x[i];
        }
    }
}

double nas_ref_max_abs(nas_shape_t shape, nas_channels_t tensor)
{
    const int64_t image = shape.c * nas_ref_pixels(shape);
    double largest = 0;
    for (int n = 0; n < shape.n; n++) {
        const double *values = nas_ref_plane(tensor, shape, n, 0);
        for (int64_t i = 0; i < image; i++) {
            if (fabs(values[i]) > largest) largest = fabs(values[i]);
        }
    }
    return largest;
}

size_t nas_ref_sign_words(nas_shape_t shape)
{
    return (size_t)((shape.c * nas_ref_pixels(shape) + 63) / 64);
}

void nas_ref_signs(nas_shape_t shape, nas_channels_t relu, uint64_t *bits)
{
    const int64_t image = shape.c * nas_ref_pixels(shape);
    const size_t words = nas_ref_sign_words(shape);
    memset(bits, 0, (size_t)shape.n * words * sizeof *bits);
    for (int n = 0; n < shape.n; n++, bits += words) {
        const double *values = nas_ref_plane(relu, shape, n, 0);
        for (int64_t i = 0; i < image; i++) bits[i / 64] |= (uint64_t)(values[i] > 0) << i % 64;
    }
}

void nas_ref_weight_dots(const void *a, const void *b, size_t n, double sums[2])
{
    const double *x = a;
    const double *y = b;
    double sum = 0;
    double absolute = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i] * y[i];
        absolute += fabs(x[i] * y[i]);
    }
    sums[0] += sum;
    sums[1] += absolute;
}
