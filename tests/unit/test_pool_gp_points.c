/* The points of pool-gp: forward substitution and likelihood, against what they are of. */
#include "common/base/rng.h"
#include "coordinator/search/methods/pool_gp_points.h"

#include <criterion/criterion.h>
#include <math.h>

enum { N = 150 };

static double element(int i, int l)
{
    nas_rng_t rng;
    nas_rng_init(&rng, 3, NAS_STREAM_BENCH, (uint64_t)(i * N + l));
    return i == l ? 1.0 + nas_rng_uniform(&rng) : 0.1 * nas_rng_normal(&rng);
}

static double mean_of(int i)
{
    return sin(i);
}

static void must(nas_status_t status)
{
    cr_assert_eq(status, NAS_OK);
}

static nas_points_t points_of(int n)
{
    nas_error_t err = {0};
    nas_points_t points = {0};
    double row[N];
    for (int i = 0; i < n; i++) {
        for (int l = 0; l <= i; l++) row[l] = element(i, l);
        must(nas_points_add(&points, mean_of(i), row, &err));
    }
    return points;
}

/* L z + m, which is the value that leads to z. */
static double value_of(const nas_points_t *points, int i)
{
    double sum = mean_of(i);
    for (int l = 0; l <= i; l++) sum += element(i, l) * points->z[l];
    return sum;
}

Test(pool_gp_points, solve_for_their_values)
{
    nas_error_t err = {0};
    double value[N];
    nas_points_t points = points_of(N);
    for (int i = 0; i < N; i++) value[i] = cos(2.0 * i);
    must(nas_points_solve(&points, value, N, NULL, &err));
    cr_assert_eq(points.n_known, N);
    for (int i = 0; i < N; i++) cr_assert_float_eq(value_of(&points, i), value[i], 1e-12, "%d", i);
    nas_points_fini(&points);
    nas_points_fini(&points);
}

/* Values that come one after the other lead to what those lead to that come at once, also where
 * other values were there before. */
Test(pool_gp_points, go_on_where_values_come_later)
{
    nas_error_t err = {0};
    double value[N], other[N];
    nas_points_t once = points_of(N), later = points_of(N);
    for (int i = 0; i < N; i++) value[i] = other[i] = cos(i);
    must(nas_points_solve(&once, value, N, NULL, &err));
    for (int i = 0; i < N; i++) other[i] = -i;
    must(nas_points_solve(&later, other, 40, NULL, &err));
    nas_points_forget(&later);
    for (int n = 0; n <= N; n += 25) must(nas_points_solve(&later, value, n, NULL, &err));
    cr_assert_arr_eq(once.z, later.z, N * sizeof *once.z);
    nas_points_fini(&once);
    nas_points_fini(&later);
}

/* A value that the others predict has no z, and changes none. */
Test(pool_gp_points, agree)
{
    nas_error_t err = {0};
    double value[N] = {0.5, -1.0, 2.0};
    nas_points_t points = points_of(5), without = points_of(5);
    must(nas_points_solve(&points, value, 3, NULL, &err));
    nas_points_agree(&points);
    must(nas_points_solve(&without, value, 3, NULL, &err));
    value[3] = value_of(&points, 3);
    value[4] = 0.25;
    must(nas_points_solve(&points, value, 5, NULL, &err));
    must(nas_points_solve(&without, value, 5, NULL, &err));
    cr_assert_eq(points.z[3], 0.0);
    cr_assert_float_eq(without.z[3], 0.0, 1e-15);
    cr_assert_float_eq(points.z[4], without.z[4], 1e-15);
    nas_points_fini(&points);
    nas_points_fini(&without);
}

/* With L = 1 and m = 0 for n points, both likelihoods are plain. */
static double doubt_of(int n, double value, double diagonal)
{
    nas_error_t err = {0};
    nas_points_t points = {0};
    double row[N] = {0.0}, values[N];
    for (int i = 0; i < n; i++) {
        row[i] = diagonal;
        values[i] = value;
        must(nas_points_add(&points, 0.0, row, &err));
        row[i] = 0.0;
    }
    must(nas_points_solve(&points, values, n, NULL, &err));
    const double doubt = nas_points_doubt(&points, n);
    nas_points_fini(&points);
    return doubt;
}

Test(pool_gp_points, doubt_by_likelihood)
{
    /* (n - sum of z^2 + log(1 + n)) / 2 - sum of log L_ii + 3 */
    const double odds = (12.0 - 12.0 * 1.21 + log(13.0)) / 2.0 + 3.0;
    cr_assert_float_eq(doubt_of(12, 1.1, 1.0), 1.0 / (1.0 + exp(odds)), 1e-12);
    const double wide = (12.0 - 12.0 + log(13.0)) / 2.0 - 12.0 * log(1.3) + 3.0;
    cr_assert_float_eq(doubt_of(12, 1.3, 1.3), 1.0 / (1.0 + exp(wide)), 1e-12);
    cr_assert_float_eq(doubt_of(0, 1.0, 1.0), 1.0 / (1.0 + exp(3.0)), 1e-12);
    cr_assert_eq(doubt_of(20, 2.0, 1.0), 0.5);
    cr_assert_eq(doubt_of(20, 1e6, 1.0), 0.5);
    cr_assert_eq(doubt_of(140, 0.0, 1e-3), 0.0);
}

static bool at_once(void *context, double share)
{
    (void)context;
    (void)share;
    return true;
}

Test(pool_gp_points, can_be_interrupted)
{
    nas_error_t err = {0};
    const nas_interrupt_t interrupt = {.asked = at_once};
    const double value[3] = {0.0};
    nas_points_t points = points_of(3);
    cr_assert_eq(nas_points_solve(&points, value, 3, &interrupt, &err), NAS_ESTOP);
    nas_points_fini(&points);
}

Test(pool_gp_points, say_what_they_take)
{
    cr_assert_float_eq(nas_points_bytes(10000), 4e8, 1e6);
}
