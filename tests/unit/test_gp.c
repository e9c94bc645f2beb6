#include "common/base/rng.h"
#include "coordinator/search/bo/cholesky.h"
#include "coordinator/search/bo/gp.h"
#include "coordinator/search/bo/gp_kernel.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Observations and query points of a file of scripts/make_gp_fixtures.py, which describes the
 * format. */
typedef struct fixture {
    FILE *file;
    int64_t n, d, n_queries, n_length_scales;
    double *X, *y, *queries;
    double best_likelihood;
} fixture_t;

static void read_numbers(FILE *file, int64_t n, double *numbers)
{
    for (int64_t i = 0; i < n; i++) cr_assert_eq(fscanf(file, "%lf", &numbers[i]), 1);
}

static double *new_numbers(int64_t n)
{
    double *numbers = calloc((size_t)n, sizeof *numbers);
    cr_assert_not_null(numbers);
    return numbers;
}

static void open_fixture(const char *path, fixture_t *fixture)
{
    fixture->file = fopen(path, "r");
    cr_assert_not_null(fixture->file, "%s", path);
    double shape[4];
    read_numbers(fixture->file, 4, shape);
    fixture->n = (int64_t)shape[0];
    fixture->d = (int64_t)shape[1];
    fixture->n_queries = (int64_t)shape[2];
    fixture->n_length_scales = (int64_t)shape[3];
    fixture->X = new_numbers(fixture->n * fixture->d);
    fixture->y = new_numbers(fixture->n);
    fixture->queries = new_numbers(fixture->n_queries * fixture->d);
    read_numbers(fixture->file, fixture->n * fixture->d, fixture->X);
    read_numbers(fixture->file, fixture->n, fixture->y);
    read_numbers(fixture->file, fixture->n_queries * fixture->d, fixture->queries);
    read_numbers(fixture->file, 1, &fixture->best_likelihood);
}

static void close_fixture(fixture_t *fixture)
{
    free(fixture->X);
    free(fixture->y);
    free(fixture->queries);
    (void)fclose(fixture->file);
}

static nas_matrix_view_t view(const double *data, int64_t n, int64_t d)
{
    return (nas_matrix_view_t){data, n, d, d};
}

static nas_gp_t *new_gp(int64_t d)
{
    nas_error_t err = {0};
    nas_gp_t *gp = NULL;
    cr_assert_eq(nas_gp_create(d, 2000, NULL, &gp, &err), NAS_OK, "%s", err.text);
    return gp;
}

static void condition(nas_gp_t *gp, const fixture_t *fixture, double length_scale)
{
    nas_error_t err = {0};
    const nas_matrix_view_t X = view(fixture->X, fixture->n, fixture->d);
    cr_assert_eq(nas_gp_condition(gp, X, fixture->y, length_scale, &err), NAS_OK, "%s", err.text);
}

/* Call `check` for every fixture there is. */
static void for_each_fixture(void (*check)(fixture_t *fixture, const char *path))
{
    const char *source = getenv("ROBOTNAS_SOURCE");
    cr_assert_not_null(source, "ROBOTNAS_SOURCE names the source folder; ctest sets it");
    char pattern[4096];
    (void)snprintf(pattern, sizeof pattern, "%s/tests/data/gp/*.txt", source);
    glob_t found;
    cr_assert_eq(glob(pattern, 0, NULL, &found), 0, "no fixture is like %s", pattern);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        fixture_t fixture;
        open_fixture(found.gl_pathv[i], &fixture);
        check(&fixture, found.gl_pathv[i]);
        close_fixture(&fixture);
    }
    globfree(&found);
}

static void assert_close(double value, double expected, double scale, const char *what)
{
    cr_assert_leq(fabs(value - expected), 1e-8 * fmax(scale, fabs(expected)),
                  "%s: %.17g, not %.17g", what, value, expected);
}

static void check_reference(fixture_t *fixture, const char *path)
{
    nas_gp_t *gp = new_gp(fixture->d);
    const int64_t m = fixture->n_queries;
    double *expected = new_numbers(2 * m);
    double *actual = new_numbers(2 * m);
    for (int64_t i = 0; i < fixture->n_length_scales; i++) {
        double head[3]; /* length scale, likelihood, derivative */
        read_numbers(fixture->file, 3, head);
        read_numbers(fixture->file, 2 * m, expected);
        condition(gp, fixture, head[0]);
        double derivative;
        assert_close(nas_gp_log_likelihood(gp, &derivative), head[1], 0.0, path);
        /* It is the difference of terms of the likelihood's size. */
        assert_close(derivative, head[2], fabs(head[1]), path);
        nas_gp_predict(gp, view(fixture->queries, m, fixture->d), actual, actual + m);
        for (int64_t j = 0; j < 2 * m; j++) assert_close(actual[j], expected[j], 0.0, path);
    }
    free(expected);
    free(actual);
    nas_gp_destroy(gp);
}

Test(gp, equals_scikit_learn_at_given_length_scales)
{
    for_each_fixture(check_reference);
}

static void check_fit(fixture_t *fixture, const char *path)
{
    nas_gp_t *gp = new_gp(fixture->d);
    nas_error_t err = {0};
    for (uint64_t seed = 0; seed < 5; seed++) {
        const nas_matrix_view_t X = view(fixture->X, fixture->n, fixture->d);
        cr_assert_eq(nas_gp_fit(gp, X, fixture->y, seed, 0, &err), NAS_OK, "%s", err.text);
        cr_assert_geq(nas_gp_log_likelihood(gp, NULL), fixture->best_likelihood - 1e-6, "%s", path);
    }
    nas_gp_destroy(gp);
}

Test(gp, fit_reaches_the_likelihood_of_scikit_learn)
{
    for_each_fixture(check_fit);
}

/* At length scale 1 observations this far apart know nothing of each other: the likelihood is flat.
 */
Test(gp, restarts_find_what_the_first_start_does_not_see)
{
    enum { N = 10 };
    double X[N];
    double y[N];
    for (int i = 0; i < N; i++) {
        X[i] = 100.0 * i;
        y[i] = sin(X[i] / 200.0);
    }
    nas_gp_t *gp = new_gp(1);
    double derivative;
    cr_assert_eq(nas_gp_condition(gp, view(X, N, 1), y, 1.0, NULL), NAS_OK);
    const double flat = nas_gp_log_likelihood(gp, &derivative);
    cr_assert_float_eq(derivative, 0.0, 1e-9);
    cr_assert_eq(nas_gp_fit(gp, view(X, N, 1), y, 0, 0, NULL), NAS_OK);
    cr_assert_gt(nas_gp_log_likelihood(gp, &derivative), flat + 1.0);
    cr_assert_float_eq(derivative, 0.0, 1e-4);
    cr_assert_gt(nas_gp_length_scale(gp), 100.0);
    nas_gp_destroy(gp);
}

static void check_likelihood_gradient(fixture_t *fixture, const char *path)
{
    nas_gp_t *gp = new_gp(fixture->d);
    const double length_scale[] = {0.1, 0.5, 1.0, 2.0};
    const double step = 1e-4;
    for (int i = 0; i < 4; i++) {
        double derivative;
        condition(gp, fixture, length_scale[i] * exp(step));
        const double above = nas_gp_log_likelihood(gp, NULL);
        condition(gp, fixture, length_scale[i] * exp(-step));
        const double below = nas_gp_log_likelihood(gp, NULL);
        condition(gp, fixture, length_scale[i]);
        const double value = nas_gp_log_likelihood(gp, &derivative);
        const double tolerance = 1e-5 * fmax(1.0, fmax(fabs(derivative), fabs(value)));
        cr_assert_float_eq(derivative, (above - below) / (2.0 * step), tolerance, "%s", path);
    }
    nas_gp_destroy(gp);
}

Test(gp, likelihood_gradient_equals_finite_differences)
{
    for_each_fixture(check_likelihood_gradient);
}

/* Posterior at x with coordinate c moved by `step`. */
static void predict_moved(const nas_gp_t *gp, const double *x, int64_t c, double step, double *mean,
                          double *std)
{
    double moved[16];
    const int64_t d = 6;
    memcpy(moved, x, (size_t)d * sizeof *x);
    moved[c] += step;
    nas_gp_predict(gp, view(moved, 1, d), mean, std);
}

/* n observations of a wave in 6 dimensions. */
static void synthesise(int64_t n, double *X, double *y)
{
    nas_rng_t rng;
    nas_rng_init(&rng, 11, NAS_STREAM_BENCH, 0);
    for (int64_t i = 0; i < n; i++) {
        y[i] = 0.0;
        for (int64_t c = 0; c < 6; c++) {
            X[i * 6 + c] = nas_rng_between(&rng, -1.0, 1.0);
            y[i] += sin(2.0 * X[i * 6 + c]);
        }
    }
}

Test(gp, posterior_gradients_equal_finite_differences)
{
    enum { N = 30, TRIALS = 20 };
    double X[(N + TRIALS) * 6];
    double y[N + TRIALS];
    synthesise(N + TRIALS, X, y);
    nas_gp_t *gp = new_gp(6);
    cr_assert_eq(nas_gp_condition(gp, view(X, N, 6), y, 1.3, NULL), NAS_OK);
    const double step = 1e-5;
    for (int trial = 0; trial < TRIALS; trial++) {
        const double *x = X + (N + trial) * 6;
        nas_gp_point_t point;
        nas_gp_predict_gradient(gp, x, &point);
        double mean[2];
        double std[2];
        nas_gp_predict(gp, view(x, 1, 6), mean, std);
        cr_assert_float_eq(point.mean, mean[0], 1e-10);
        cr_assert_float_eq(point.std, std[0], 1e-10);
        for (int64_t c = 0; c < 6; c++) {
            predict_moved(gp, x, c, step, &mean[0], &std[0]);
            predict_moved(gp, x, c, -step, &mean[1], &std[1]);
            cr_assert_float_eq(point.mean_gradient[c], (mean[0] - mean[1]) / (2.0 * step), 1e-6);
            cr_assert_float_eq(point.std_gradient[c], (std[0] - std[1]) / (2.0 * step), 1e-6);
        }
    }
    nas_gp_destroy(gp);
}

Test(gp, many_points_at_once_equal_one_at_a_time)
{
    enum { N = 20, M = 600 };
    double *X = new_numbers(M * 6);
    double *y = new_numbers(M);
    double *posterior = new_numbers(2 * M);
    synthesise(M, X, y);
    nas_gp_t *gp = new_gp(6);
    cr_assert_eq(nas_gp_condition(gp, view(X, N, 6), y, 0.8, NULL), NAS_OK);
    nas_gp_predict(gp, view(X, M, 6), posterior, posterior + M);
    for (int j = 0; j < M; j++) {
        double mean;
        double std;
        nas_gp_predict(gp, view(X + j * 6, 1, 6), &mean, &std);
        cr_assert_float_eq(posterior[j], mean, 1e-10);
        cr_assert_float_eq(posterior[M + j], std, 1e-10);
    }
    nas_gp_destroy(gp);
    free(X);
    free(y);
    free(posterior);
}

Test(gp, a_process_used_before_gives_the_same_bits_as_a_new_one)
{
    enum { MANY = 50, FEW = 7 };
    double X[MANY * 6];
    double y[MANY];
    synthesise(MANY, X, y);
    nas_gp_t *used = new_gp(6);
    nas_gp_t *fresh = new_gp(6);
    cr_assert_eq(nas_gp_fit(used, view(X, 3, 6), y, 0, 0, NULL), NAS_OK);
    cr_assert_eq(nas_gp_fit(used, view(X, MANY, 6), y, 0, 1, NULL), NAS_OK);
    cr_assert_eq(nas_gp_fit(used, view(X, FEW, 6), y, 0, 2, NULL), NAS_OK);
    cr_assert_eq(nas_gp_fit(fresh, view(X, FEW, 6), y, 0, 2, NULL), NAS_OK);
    cr_assert_eq(nas_gp_length_scale(used), nas_gp_length_scale(fresh));
    double mean[2][MANY];
    double std[2][MANY];
    nas_gp_predict(used, view(X, MANY, 6), mean[0], std[0]);
    nas_gp_predict(fresh, view(X, MANY, 6), mean[1], std[1]);
    cr_assert_arr_eq(mean[0], mean[1], sizeof mean[0]);
    cr_assert_arr_eq(std[0], std[1], sizeof std[0]);
    nas_gp_destroy(used);
    nas_gp_destroy(fresh);
}

Test(gp, the_stride_of_the_observations_does_not_matter)
{
    const double padded[] = {0.1, 0.2, NAN, -0.5, 0.9, NAN, 0.7, -0.3, NAN};
    const double packed[] = {0.1, 0.2, -0.5, 0.9, 0.7, -0.3};
    const double y[] = {1.0, 3.0, 2.0};
    nas_gp_t *gp = new_gp(2);
    cr_assert_eq(nas_gp_fit(gp, (nas_matrix_view_t){padded, 3, 2, 3}, y, 0, 0, NULL), NAS_OK);
    const double likelihood = nas_gp_log_likelihood(gp, NULL);
    cr_assert_eq(nas_gp_fit(gp, view(packed, 3, 2), y, 0, 0, NULL), NAS_OK);
    cr_assert_eq(nas_gp_log_likelihood(gp, NULL), likelihood);
    nas_gp_destroy(gp);
}

Test(gp, equal_targets_have_exactly_their_mean)
{
    double X[10 * 6];
    double y[10];
    synthesise(10, X, y);
    for (int i = 0; i < 10; i++) y[i] = 0.1; /* whose mean, summed plainly, is not 0.1 */
    nas_gp_t *gp = new_gp(6);
    cr_assert_eq(nas_gp_fit(gp, view(X, 10, 6), y, 0, 0, NULL), NAS_OK);
    double mean;
    double std;
    nas_gp_predict(gp, view(X, 1, 6), &mean, &std);
    cr_assert_eq(mean, 0.1);
    nas_gp_destroy(gp);
}

Test(gp, near_duplicates_and_extreme_length_scales_are_no_failure)
{
    enum { N = 100 };
    double X[N * 6];
    double y[N];
    synthesise(N, X, y);
    for (int i = 0; i < N * 6; i++) X[i] = 0.5 + 1e-13 * X[i];
    nas_gp_t *gp = new_gp(6);
    nas_error_t err = {0};
    const double length_scale[] = {NAS_GP_LENGTH_SCALE_MIN, 1e-2, 1.0, 1e2,
                                   NAS_GP_LENGTH_SCALE_MAX};
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(nas_gp_condition(gp, view(X, N, 6), y, length_scale[i], &err), NAS_OK, "%s",
                     err.text);
        nas_gp_point_t point;
        nas_gp_predict_gradient(gp, X, &point);
        cr_assert(isfinite(point.mean) && isfinite(point.std));
        double mean[N];
        double std[N];
        nas_gp_predict(gp, view(X, N, 6), mean, std);
        for (int j = 0; j < N; j++) cr_assert(isfinite(mean[j]) && isfinite(std[j]));
        for (int c = 0; c < 6; c++)
            cr_assert(isfinite(point.mean_gradient[c]) && isfinite(point.std_gradient[c]));
    }
    cr_assert_eq(nas_gp_fit(gp, view(X, N, 6), y, 0, 0, &err), NAS_OK, "%s", err.text);
    nas_gp_destroy(gp);
}

Test(gp, refuses_what_it_cannot_fit)
{
    const double good[] = {0.0, 0.5};
    const double bad[] = {0.0, INFINITY};
    const double huge[] = {-1e200, 1e200};
    nas_gp_t *gp = new_gp(1);
    nas_error_t err = {0};
    cr_assert_eq(nas_gp_fit(gp, view(good, 0, 1), good, 0, 0, &err), NAS_EARG);
    cr_assert_eq(nas_gp_fit(gp, view(bad, 2, 1), good, 0, 0, &err), NAS_EARG);
    cr_assert_str_eq(err.text, "observation 1 is not finite");
    cr_assert_eq(nas_gp_fit(gp, view(good, 2, 1), bad, 0, 0, &err), NAS_EARG);
    cr_assert_eq(nas_gp_fit(gp, view(good, 2, 1), huge, 0, 0, &err), NAS_EARG);
    cr_assert_eq(nas_gp_fit(gp, view(good, 2, 1), good, 0, 0, &err), NAS_OK);
    nas_gp_destroy(gp);
    nas_gp_destroy(NULL);
}

/* More observations than LAPACK factors at once. */
enum { MANY = NAS_CHOLESKY_WHOLE + 100 };

Test(gp, likelihood_gradient_by_blocks_equals_finite_differences)
{
    double *X = new_numbers(MANY * 6);
    double *y = new_numbers(MANY);
    synthesise(MANY, X, y);
    nas_gp_t *gp = new_gp(6);
    const double step = 1e-4;
    const double length_scale[] = {0.3, 0.9, 2.7};
    for (int k = 0; k < 3; k++) {
        const double scale = length_scale[k];
        double derivative;
        double likelihood[2];
        for (int i = 0; i < 2; i++) {
            const double moved = scale * exp(i == 0 ? step : -step);
            cr_assert_eq(nas_gp_condition(gp, view(X, MANY, 6), y, moved, NULL), NAS_OK);
            likelihood[i] = nas_gp_log_likelihood(gp, NULL);
        }
        cr_assert_eq(nas_gp_condition(gp, view(X, MANY, 6), y, scale, NULL), NAS_OK);
        (void)nas_gp_log_likelihood(gp, &derivative);
        cr_assert_float_eq(derivative, (likelihood[0] - likelihood[1]) / (2.0 * step),
                           1e-5 * fmax(1.0, fabs(derivative)));
    }
    nas_gp_destroy(gp);
    free(X);
    free(y);
}

static bool count_down(void *context, double share)
{
    (void)share;
    int *left = context;
    return --*left < 0;
}

/* Interrupted at every question in turn, then not: what comes of it is what a process gives that
 * nobody asks. */
static void check_interrupted(int64_t n, double length_scale)
{
    double *X = new_numbers(n * 6);
    double *y = new_numbers(n);
    synthesise(n, X, y);
    int left = 0;
    const nas_interrupt_t interrupt = {.asked = count_down, .context = &left};
    nas_error_t err = {0};
    nas_gp_t *gp = NULL;
    nas_gp_t *fresh = new_gp(6);
    cr_assert_eq(nas_gp_create(6, n, &interrupt, &gp, &err), NAS_OK);
    int n_asked = 0;
    for (nas_status_t status = NAS_ESTOP; status;) {
        left = n_asked++;
        status = length_scale > 0.0 ? nas_gp_condition(gp, view(X, n, 6), y, length_scale, &err)
                                    : nas_gp_fit(gp, view(X, n, 6), y, 1, 2, &err);
        cr_assert(status == NAS_ESTOP || (status == NAS_OK && n_asked > 1), "%s", err.text);
    }
    if (length_scale > 0.0)
        cr_assert_eq(nas_gp_condition(fresh, view(X, n, 6), y, length_scale, &err), NAS_OK);
    else
        cr_assert_eq(nas_gp_fit(fresh, view(X, n, 6), y, 1, 2, &err), NAS_OK);
    cr_assert_eq(nas_gp_length_scale(gp), nas_gp_length_scale(fresh));
    cr_assert_eq(nas_gp_log_likelihood(gp, NULL), nas_gp_log_likelihood(fresh, NULL));
    double mean[2];
    double std[2];
    left = 0;
    cr_assert_eq(nas_gp_predict(gp, view(X, 1, 6), mean, std), NAS_ESTOP);
    left = 1;
    cr_assert_eq(nas_gp_predict(gp, view(X, 1, 6), mean, std), NAS_OK);
    cr_assert_eq(nas_gp_predict(fresh, view(X, 1, 6), mean + 1, std + 1), NAS_OK);
    cr_assert(mean[0] == mean[1] && std[0] == std[1]);
    nas_gp_destroy(gp);
    nas_gp_destroy(fresh);
    free(X);
    free(y);
}

Test(gp, is_interrupted_at_any_question)
{
    check_interrupted(10, 0.0);
    check_interrupted(MANY, 0.8);
}
