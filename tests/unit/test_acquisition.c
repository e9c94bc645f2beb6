#include "common/base/rng.h"
#include "coordinator/search/bo/acquisition.h"

#include <criterion/criterion.h>
#include <math.h>

enum { N = 15, D = 6 };

/* A process fitted to n observations of a smooth function in d dimensions. */
static nas_gp_t *fitted(int64_t n, int64_t d)
{
    nas_rng_t rng;
    nas_rng_init(&rng, 3, NAS_STREAM_BENCH, (uint64_t)d);
    double X[N * D];
    double y[N];
    for (int64_t i = 0; i < n; i++) {
        y[i] = 90.0;
        for (int64_t c = 0; c < d; c++) {
            X[i * d + c] = nas_rng_between(&rng, -1.0, 1.0);
            y[i] += sin(3.0 * X[i * d + c] + (double)c);
        }
    }
    nas_error_t err = {0};
    nas_gp_t *gp = NULL;
    cr_assert_eq(nas_gp_create(d, N, NULL, &gp, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(nas_gp_fit(gp, (nas_matrix_view_t){X, n, d, d}, y, 1, 2, &err), NAS_OK, "%s",
                 err.text);
    return gp;
}

static void maximise(const nas_gp_t *gp, int64_t d, uint64_t seed, uint64_t index, double *x)
{
    nas_error_t err = {0};
    cr_assert_eq(nas_ucb_maximise(gp, d, seed, index, x, &err), NAS_OK, "%s", err.text);
    for (int64_t c = 0; c < d; c++) cr_assert(x[c] >= -1.0 && x[c] <= 1.0);
}

Test(acquisition, is_mean_plus_kappa_deviations)
{
    nas_gp_t *gp = fitted(N, D);
    const double x[D] = {0.3, -0.2, 0.9, 0.0, -1.0, 0.5};
    double mean;
    double std;
    nas_gp_predict(gp, (nas_matrix_view_t){x, 1, D, D}, &mean, &std);
    cr_assert_float_eq(nas_ucb(gp, D, x, NULL), mean + 2.576 * std, 1e-9);
    nas_gp_destroy(gp);
}

Test(acquisition, gradient_equals_finite_differences)
{
    nas_gp_t *gp = fitted(N, D);
    nas_rng_t rng;
    nas_rng_init(&rng, 4, NAS_STREAM_BENCH, 0);
    const double step = 1e-5;
    for (int trial = 0; trial < 50; trial++) {
        double x[D];
        double gradient[D];
        for (int c = 0; c < D; c++) x[c] = nas_rng_between(&rng, -1.0, 1.0);
        const double value = nas_ucb(gp, D, x, gradient);
        cr_assert_eq(nas_ucb(gp, D, x, NULL), value);
        for (int c = 0; c < D; c++) {
            const double centre = x[c];
            x[c] = centre + step;
            const double above = nas_ucb(gp, D, x, NULL);
            x[c] = centre - step;
            const double below = nas_ucb(gp, D, x, NULL);
            x[c] = centre;
            cr_assert_float_eq(gradient[c], (above - below) / (2.0 * step), 1e-5, "coordinate %d",
                               c);
        }
    }
    nas_gp_destroy(gp);
}

Test(acquisition, no_candidate_is_better_than_the_maximum)
{
    nas_gp_t *gp = fitted(N, D);
    const uint64_t seed = 5;
    const uint64_t index = 6;
    double x[D];
    maximise(gp, D, seed, index, x);
    const double maximum = nas_ucb(gp, D, x, NULL);
    nas_rng_t rng;
    nas_rng_init(&rng, seed, NAS_STREAM_ACQUISITION, index);
    for (int i = 0; i < NAS_UCB_CANDIDATES; i++) {
        double candidate[D];
        for (int c = 0; c < D; c++) candidate[c] = nas_rng_between(&rng, -1.0, 1.0);
        cr_assert_leq(nas_ucb(gp, D, candidate, NULL), maximum + 1e-9);
    }
    nas_gp_destroy(gp);
}

Test(acquisition, finds_the_global_maximum_in_one_dimension)
{
    nas_gp_t *gp = fitted(8, 1);
    double x;
    maximise(gp, 1, 0, 0, &x);
    const double maximum = nas_ucb(gp, 1, &x, NULL);
    for (int i = 0; i <= 20000; i++) {
        const double grid = -1.0 + 1e-4 * i;
        cr_assert_leq(nas_ucb(gp, 1, &grid, NULL), maximum + 1e-8, "at %g, not %g", grid, x);
    }
    nas_gp_destroy(gp);
}

Test(acquisition, finds_a_maximum_in_a_corner)
{
    const double X[] = {-0.8, 0.1, 0.2, -0.6, 0.5, 0.4, -0.3, -0.9, 0.9, 0.8};
    double y[5];
    for (int i = 0; i < 5; i++) y[i] = X[2 * i] + 2.0 * X[2 * i + 1];
    nas_error_t err = {0};
    nas_gp_t *gp = NULL;
    cr_assert_eq(nas_gp_create(2, N, NULL, &gp, &err), NAS_OK);
    cr_assert_eq(nas_gp_condition(gp, (nas_matrix_view_t){X, 5, 2, 2}, y, 30.0, &err), NAS_OK);
    double x[2];
    maximise(gp, 2, 7, 0, x);
    cr_assert_eq(x[0], 1.0);
    cr_assert_eq(x[1], 1.0);
    nas_gp_destroy(gp);
}

Test(acquisition, survives_extreme_length_scales)
{
    const double X[] = {0.5, -0.5, 0.5 + 1e-12, -0.5, 0.1, 0.1};
    const double y[] = {1.0, 1.0, 2.0};
    nas_error_t err = {0};
    nas_gp_t *gp = NULL;
    cr_assert_eq(nas_gp_create(2, N, NULL, &gp, &err), NAS_OK);
    const double length_scale[] = {NAS_GP_LENGTH_SCALE_MIN, NAS_GP_LENGTH_SCALE_MAX};
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(
            nas_gp_condition(gp, (nas_matrix_view_t){X, 3, 2, 2}, y, length_scale[i], &err),
            NAS_OK);
        double x[2];
        maximise(gp, 2, 8, 0, x);
        cr_assert(isfinite(nas_ucb(gp, 2, x, NULL)));
    }
    nas_gp_destroy(gp);
}

Test(acquisition, depends_on_seed_and_index_alone)
{
    nas_gp_t *gp = fitted(N, D);
    double first[D];
    double again[D];
    double other_seed[D];
    double other_index[D];
    maximise(gp, D, 9, 1, first);
    maximise(gp, D, 10, 1, other_seed);
    maximise(gp, D, 9, 2, other_index);
    maximise(gp, D, 9, 1, again);
    cr_assert_arr_eq(first, again, sizeof first);
    cr_assert_arr_neq(first, other_seed, sizeof first);
    cr_assert_arr_neq(first, other_index, sizeof first);
    nas_gp_destroy(gp);
}

static bool count_down(void *context, double share)
{
    (void)share;
    int *left = context;
    return --*left < 0;
}

Test(acquisition, is_interrupted_at_any_question)
{
    const double X[] = {-0.8, 0.1, 0.2, -0.6, 0.5, 0.4};
    const double y[] = {1.0, 3.0, 2.0};
    const nas_matrix_view_t view = {X, 3, 2, 2};
    nas_error_t err = {0};
    int left = 1000;
    const nas_interrupt_t interrupt = {.asked = count_down, .context = &left};
    nas_gp_t *gp = NULL, *fresh = NULL;
    cr_assert_eq(nas_gp_create(2, 3, &interrupt, &gp, &err), NAS_OK);
    cr_assert_eq(nas_gp_create(2, 3, NULL, &fresh, &err), NAS_OK);
    cr_assert_eq(nas_gp_condition(gp, view, y, 0.5, &err), NAS_OK);
    cr_assert_eq(nas_gp_condition(fresh, view, y, 0.5, &err), NAS_OK);
    double x[2], expected[2];
    int n_asked = 0;
    for (nas_status_t status = NAS_ESTOP; status; n_asked++) {
        left = n_asked;
        status = nas_ucb_maximise(gp, 2, 7, 0, x, &err);
        cr_assert(status == NAS_ESTOP || status == NAS_OK);
    }
    cr_assert_gt(n_asked, NAS_UCB_LOCAL_SEARCHES);
    maximise(fresh, 2, 7, 0, expected);
    cr_assert_arr_eq(x, expected, sizeof x);
    nas_gp_destroy(gp);
    nas_gp_destroy(fresh);
}
