#include "common/base/rng.h"
#include "coordinator/search/bo/minimise.h"

#include <criterion/criterion.h>
#include <math.h>

static double minimise(int64_t d, double low, double high, nas_function_t function, double *x)
{
    nas_error_t err = {0};
    nas_minimiser_t *minimiser = NULL;
    cr_assert_eq(nas_minimiser_create(d, low, high, &minimiser, &err), NAS_OK, "%s", err.text);
    const double value = nas_minimise(minimiser, function, NULL, x);
    nas_minimiser_destroy(minimiser);
    return value;
}

static double rosenbrock(int64_t d, const double *x, double *gradient, void *context)
{
    (void)d;
    (void)context;
    const double a = 1.0 - x[0];
    const double b = x[1] - x[0] * x[0];
    gradient[0] = -2.0 * a - 400.0 * x[0] * b;
    gradient[1] = 200.0 * b;
    return a * a + 100.0 * b * b;
}

/* Smallest at 3 in every coordinate. */
static double bowl(int64_t d, const double *x, double *gradient, void *context)
{
    (void)context;
    double value = 0.0;
    for (int64_t i = 0; i < d; i++) {
        gradient[i] = 2.0 * (x[i] - 3.0);
        value += (x[i] - 3.0) * (x[i] - 3.0);
    }
    return value;
}

/* A steep valley at 0.3 in a plain that steps down, by half the valley's depth, far from it. */
static double valley(int64_t d, const double *x, double *gradient, void *context)
{
    (void)d;
    (void)context;
    const double depth = 1e6;
    const double t = x[0] - 0.3;
    const double well = exp(-t * t);
    const double step = 1.0 / (1.0 + exp(3.0 * (fabs(x[0]) - 8.0)));
    gradient[0] = depth * (2.0 * t * well - 1.5 * step * (1.0 - step) * copysign(1.0, x[0]));
    return depth * (0.5 * step - well);
}

/* Many local minima. */
static double waves(int64_t d, const double *x, double *gradient, void *context)
{
    (void)context;
    double value = 0.0;
    for (int64_t i = 0; i < d; i++) {
        gradient[i] = 7.0 * cos(7.0 * x[i] + (double)i) + 0.5 * x[i];
        value += sin(7.0 * x[i] + (double)i) + 0.25 * x[i] * x[i];
    }
    return value;
}

static double not_a_number(int64_t d, const double *x, double *gradient, void *context)
{
    (void)x;
    (void)context;
    for (int64_t i = 0; i < d; i++) gradient[i] = NAN;
    return NAN;
}

/* Finite at the start, then not. */
static double cliff(int64_t d, const double *x, double *gradient, void *context)
{
    (void)d;
    (void)context;
    gradient[0] = -1.0;
    return x[0] > 0.25 ? HUGE_VAL : -x[0];
}

Test(minimise, finds_an_inner_minimum)
{
    double x[] = {-1.2, 1.0};
    const double value = minimise(2, -2.0, 2.0, rosenbrock, x);
    cr_assert_float_eq(x[0], 1.0, 1e-4);
    cr_assert_float_eq(x[1], 1.0, 1e-4);
    cr_assert_lt(value, 1e-9);
}

Test(minimise, finds_a_minimum_in_a_corner)
{
    const double bound = 1.0;
    double x[] = {-0.5, 0.0, 0.7, -1.0, 1.0};
    const double value = minimise(5, -1.0, bound, bowl, x);
    for (int i = 0; i < 5; i++) cr_assert_eq(x[i], bound);
    cr_assert_eq(value, 5.0 * 4.0);
}

Test(minimise, works_in_one_dimension)
{
    for (double start = -10.0; start <= 10.0; start += 2.5) {
        double x = start;
        (void)minimise(1, -11.0, 11.0, bowl, &x);
        cr_assert_float_eq(x, 3.0, 1e-5, "from %g to %g", start, x);
    }
}

Test(minimise, does_not_leap_out_of_a_steep_valley)
{
    for (double start = -0.9; start <= 1.5; start += 0.3) {
        double x = start;
        (void)minimise(1, -11.5, 11.5, valley, &x);
        cr_assert_float_eq(x, 0.3, 1e-5, "from %g to %g", start, x);
    }
}

Test(minimise, clips_a_start_outside_the_box)
{
    double x[] = {40.0, -40.0};
    (void)minimise(2, -2.0, 5.0, bowl, x);
    cr_assert_float_eq(x[0], 3.0, 1e-5);
    cr_assert_float_eq(x[1], 3.0, 1e-5);
}

Test(minimise, returns_the_value_at_the_point_and_never_a_worse_one_than_the_start)
{
    nas_rng_t rng;
    nas_rng_init(&rng, 1, NAS_STREAM_BENCH, 0);
    for (int trial = 0; trial < 200; trial++) {
        double x[6];
        double gradient[6];
        for (int i = 0; i < 6; i++) x[i] = nas_rng_between(&rng, -1.0, 1.0);
        const double before = waves(6, x, gradient, NULL);
        const double value = minimise(6, -1.0, 1.0, waves, x);
        cr_assert_eq(value, waves(6, x, gradient, NULL));
        cr_assert_leq(value, before);
        for (int i = 0; i < 6; i++) {
            cr_assert(x[i] >= -1.0 && x[i] <= 1.0);
            const bool held =
                (x[i] == 1.0 && gradient[i] < 0.0) || (x[i] == -1.0 && gradient[i] > 0.0);
            cr_assert(held || fabs(gradient[i]) < 1e-2, "slope %g at %g", gradient[i], x[i]);
        }
    }
}

Test(minimise, gives_the_same_bits_again)
{
    nas_error_t err = {0};
    nas_minimiser_t *minimiser = NULL;
    cr_assert_eq(nas_minimiser_create(6, -1.0, 1.0, &minimiser, &err), NAS_OK);
    const double start[] = {0.1, -0.2, 0.3, -0.4, 0.5, -0.6};
    double first[6];
    double again[6];
    memcpy(first, start, sizeof start);
    memcpy(again, start, sizeof start);
    const double value = nas_minimise(minimiser, waves, NULL, first);
    double other[] = {0.9, 0.9, 0.9, 0.9, 0.9, 0.9};
    (void)nas_minimise(minimiser, bowl, NULL, other);
    cr_assert_eq(nas_minimise(minimiser, waves, NULL, again), value);
    cr_assert_arr_eq(first, again, sizeof first);
    nas_minimiser_destroy(minimiser);
}

Test(minimise, survives_values_that_are_not_finite)
{
    double x[] = {0.5, 7.0};
    cr_assert_eq(minimise(2, -1.0, 1.0, not_a_number, x), HUGE_VAL);
    cr_assert(x[0] == 0.5 && x[1] == 1.0, "the clipped start");

    double y = 0.0;
    const double value = minimise(1, -1.0, 1.0, cliff, &y);
    cr_assert_leq(value, 0.0);
    cr_assert_eq(value, -y);
}

/* Stops itself at its third evaluation. */
typedef struct impatient {
    nas_minimiser_t *minimiser;
    int n_evaluations;
} impatient_t;

static double impatient_waves(int64_t d, const double *x, double *gradient, void *context)
{
    impatient_t *impatient = context;
    if (++impatient->n_evaluations == 3) nas_minimiser_stop(impatient->minimiser);
    return waves(d, x, gradient, NULL);
}

Test(minimise, ends_where_the_function_says_so_and_begins_again)
{
    nas_error_t err = {0};
    impatient_t impatient = {0};
    cr_assert_eq(nas_minimiser_create(6, -1.0, 1.0, &impatient.minimiser, &err), NAS_OK);
    double x[] = {0.1, -0.2, 0.3, -0.4, 0.5, -0.6}, again[6], expected[6], gradient[6];
    memcpy(again, x, sizeof x);
    memcpy(expected, x, sizeof x);
    const double before = waves(6, x, gradient, NULL);
    const double value = nas_minimise(impatient.minimiser, impatient_waves, &impatient, x);
    cr_assert_eq(impatient.n_evaluations, 3);
    cr_assert_leq(value, before);
    cr_assert_eq(value, waves(6, x, gradient, NULL));
    (void)nas_minimise(impatient.minimiser, impatient_waves, &impatient, again);
    (void)minimise(6, -1.0, 1.0, waves, expected);
    cr_assert_arr_eq(again, expected, sizeof again);
    nas_minimiser_destroy(impatient.minimiser);
}
