#include "coordinator/search/bo/gp.h"

#include "common/base/rng.h"
#include "coordinator/search/bo/cholesky.h"
#include "coordinator/search/bo/gp_internal.h"
#include "coordinator/search/bo/gp_kernel.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t n_pairs(int64_t n)
{
    return n * (n - 1) / 2;
}

enum { N_PARTS = 15 };

/* A part of the memory. */
typedef struct part {
    double **array;
    size_t size;
} part_t;

/* Some kernels of BLAS add in an order that depends on where an array begins: each begins on a line, so
 * that bits do not depend on how many points there is room for. */
enum { LINE_BYTES = 64, LINE = LINE_BYTES / sizeof(double) };

static size_t whole_lines(size_t n)
{
    return (n + LINE - 1) / LINE * LINE;
}

static size_t list_parts(nas_gp_t *gp, int64_t n, part_t *part)
{
    const size_t points = (size_t)n, d = (size_t)gp->d, pairs = (size_t)n_pairs(n);
    const size_t row = points < NAS_GP_BLOCK ? NAS_GP_BLOCK : points;
    const size_t whole = points < NAS_CHOLESKY_WHOLE ? points : NAS_CHOLESKY_WHOLE;
    part_t parts[N_PARTS] = {
        {&gp->points, points * d},
        {&gp->columns, points * d},
        {&gp->y, points},
        {&gp->alpha, points},
        {&gp->pair_distance, pairs},
        {&gp->pair_value, pairs},
        {&gp->pair_slope, pairs},
        {&gp->factor, points * points},
        {&gp->inverse, whole * whole},
        {&gp->query, NAS_GP_BLOCK * d},
        {&gp->cross, points * NAS_GP_BLOCK},
        {&gp->row, row},
        {&gp->row_slope, row},
        {&gp->mean_gradient, d},
        {&gp->std_gradient, d},
    };
    size_t total = 0;
    for (size_t i = 0; i < N_PARTS; i++) total += parts[i].size = whole_lines(parts[i].size);
    memcpy(part, parts, sizeof parts);
    return total;
}

double nas_gp_bytes(int64_t d, int64_t n)
{
    nas_gp_t gp = {.d = d};
    part_t part[N_PARTS];
    return (double)list_parts(&gp, n, part) * sizeof(double);
}

/* Memory for n points, and for as many again but not beyond n_max; the contents are lost. */
static nas_status_t reserve(nas_gp_t *gp, int64_t n, nas_error_t *err)
{
    NAS_ASSERT(n <= gp->n_max);
    if (n <= gp->capacity) return NAS_OK;
    const int64_t capacity = n < gp->n_max - n ? 2 * n : gp->n_max;
    part_t part[N_PARTS];
    const size_t total = list_parts(gp, capacity, part);
    free(gp->memory);
    gp->capacity = 0;
    gp->memory = aligned_alloc(LINE_BYTES, total * sizeof *gp->memory);
    if (!gp->memory) return nas_error_nomem(err, "Gaussian process");
    gp->capacity = capacity;
    double *at = gp->memory;
    for (size_t i = 0; i < N_PARTS; i++) {
        *part[i].array = at;
        at += part[i].size;
    }
    return NAS_OK;
}

/* Relative to the first target, so that equal targets have a deviation of exactly 0. */
static nas_status_t standardise(nas_gp_t *gp, const double *y, nas_error_t *err)
{
    const int64_t n = gp->n;
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += y[i] - y[0];
    const double offset = sum / (double)n;
    double sum_of_squares = 0.0;
    for (int64_t i = 0; i < n; i++) {
        gp->y[i] = (y[i] - y[0]) - offset;
        sum_of_squares += gp->y[i] * gp->y[i];
    }
    gp->y_mean = y[0] + offset;
    gp->y_std = sqrt(sum_of_squares / (double)n);
    if (!isfinite(gp->y_std)) {
        return nas_error_set(err, NAS_EARG, "the variance of the targets overflows");
    }
    if (gp->y_std == 0.0) gp->y_std = 1.0;
    for (int64_t i = 0; i < n; i++) gp->y[i] /= gp->y_std;
    return NAS_OK;
}

static nas_status_t check_finite(nas_matrix_view_t X, const double *y, nas_error_t *err)
{
    for (int64_t i = 0; i < X.n; i++) {
        bool finite = isfinite(y[i]);
        for (int64_t c = 0; c < X.d; c++) finite = finite && isfinite(X.data[i * X.stride + c]);
        if (!finite) {
            return nas_error_set(err, NAS_EARG, "observation %lld is not finite", (long long)i);
        }
    }
    return NAS_OK;
}

static nas_status_t interrupted(nas_error_t *err)
{
    return nas_error_set(err, NAS_ESTOP, "a Gaussian process was interrupted");
}

bool nas_gp_interrupted(const nas_gp_t *gp)
{
    return nas_interrupted(gp->interrupt, 0.0);
}

/* Everything that does not depend on the length scale. */
static nas_status_t load(nas_gp_t *gp, nas_matrix_view_t X, const double *y, nas_error_t *err)
{
    NAS_ASSERT(X.d == gp->d);
    if (X.n == 0) return nas_error_set(err, NAS_EARG, "a Gaussian process needs an observation");
    nas_status_t status = check_finite(X, y, err);
    if (status == NAS_OK) status = reserve(gp, X.n, err);
    if (status != NAS_OK) return status;
    gp->n = X.n;
    for (int64_t i = 0; i < gp->n; i++) {
        for (int64_t c = 0; c < gp->d; c++) {
            const double coordinate = X.data[i * X.stride + c];
            gp->points[i * gp->d + c] = coordinate;
            gp->columns[c * gp->n + i] = coordinate;
        }
    }
    for (int64_t i = 1; i < gp->n; i++) {
        const nas_point_columns_t before = {gp->columns, i, gp->d, gp->n};
        if (i % NAS_GP_BLOCK == 0 && nas_gp_interrupted(gp)) return interrupted(err);
        nas_kernel_distance(before, gp->points + i * gp->d, gp->pair_distance + n_pairs(i));
    }
    return standardise(gp, y, err);
}

/* The kernel of all pairs. */
static nas_status_t evaluate_pairs(nas_gp_t *gp)
{
    const int64_t n_at_once = 1 << 20;
    for (int64_t at = 0; at < n_pairs(gp->n); at += n_at_once) {
        const int64_t left = n_pairs(gp->n) - at;
        if (nas_gp_interrupted(gp)) return NAS_ESTOP;
        nas_kernel_matern(left < n_at_once ? left : n_at_once, gp->pair_distance + at,
                          gp->length_scale, gp->pair_value + at, gp->pair_slope + at);
    }
    return NAS_OK;
}

/* Factor, weights and likelihood at a length scale. */
static nas_status_t condition(nas_gp_t *gp, double length_scale)
{
    const int64_t n = gp->n;
    gp->length_scale = length_scale;
    nas_status_t status = evaluate_pairs(gp);
    if (!status)
        status =
            nas_kernel_factorise(n, gp->pair_value, 1.0 + NAS_GP_NOISE, gp->interrupt, gp->factor);
    if (status) return status;
    memcpy(gp->alpha, gp->y, (size_t)n * sizeof *gp->alpha);
    (void)LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'U', (lapack_int)n, 1, gp->factor, (lapack_int)n,
                              gp->alpha, (lapack_int)n);
    const double log_two_pi = 1.837877066409345483560659;
    double log_likelihood = -0.5 * cblas_ddot((int)n, gp->y, 1, gp->alpha, 1);
    for (int64_t i = 0; i < n; i++) log_likelihood -= log(gp->factor[i * n + i]);
    gp->log_likelihood = log_likelihood - 0.5 * (double)n * log_two_pi;
    return NAS_OK;
}

/* Part of the likelihood's derivative: row i, columns [first, first + m) below the diagonal.
 * inverse [in] K^-1 there. */
static double gradient_of_row(const nas_gp_t *gp, int64_t i, int64_t first, int64_t m,
                              const double *inverse, double sum)
{
    const double *distance = gp->pair_distance + n_pairs(i) + first;
    const double *slope = gp->pair_slope + n_pairs(i) + first;
    const double *alpha = gp->alpha + first;
    for (int64_t j = 0; j < m; j++) {
        const double s = distance[j] / gp->length_scale;
        sum += (gp->alpha[i] * alpha[j] - inverse[j]) * (s * s * slope[j]);
    }
    return sum;
}

/* All of K^-1 at once. */
static double gradient_of_whole(const nas_gp_t *gp)
{
    const int64_t n = gp->n;
    memcpy(gp->inverse, gp->factor, (size_t)(n * n) * sizeof *gp->inverse);
    (void)LAPACKE_dpotri_work(LAPACK_COL_MAJOR, 'U', (lapack_int)n, gp->inverse, (lapack_int)n);
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum = gradient_of_row(gp, i, 0, i, gp->inverse + i * n, sum);
    return sum;
}

/* Some columns of K^-1 at once. */
static double gradient_by_columns(const nas_gp_t *gp)
{
    const int64_t n = gp->n, n_at_once = nas_cholesky_columns(n, NAS_GP_BLOCK);
    double sum = 0.0;
    for (int64_t first = 0; first < n && !nas_gp_interrupted(gp); first += n_at_once) {
        const int64_t m = n - first < n_at_once ? n - first : n_at_once;
        nas_cholesky_inverse(n, gp->factor, first, m, gp->cross);
        for (int64_t i = first + 1; i < n; i++) {
            const int64_t below = i - first < m ? i - first : m;
            sum = gradient_of_row(gp, i, first, below, gp->cross + (i - first) * m, sum);
        }
    }
    return sum;
}

/* trace((alpha alpha^T - K^-1) dK) / 2, where dK has a diagonal of 0 and is symmetric. */
static double likelihood_gradient(const nas_gp_t *gp)
{
    return gp->n <= NAS_CHOLESKY_WHOLE ? gradient_of_whole(gp) : gradient_by_columns(gp);
}

nas_status_t nas_gp_create(int64_t d, int64_t n_max, const nas_interrupt_t *interrupt,
                           nas_gp_t **gp_p, nas_error_t *err)
{
    NAS_ASSERT(d > 0 && n_max > 0);
    nas_gp_t *gp = calloc(1, sizeof *gp);
    if (!gp) return nas_error_nomem(err, "Gaussian process");
    gp->d = d;
    gp->n_max = n_max;
    gp->interrupt = interrupt;
    const nas_status_t status = nas_minimiser_create(
        1, log(NAS_GP_LENGTH_SCALE_MIN), log(NAS_GP_LENGTH_SCALE_MAX), &gp->minimiser, err);
    if (status == NAS_OK) {
        *gp_p = gp;
    } else {
        nas_gp_destroy(gp);
    }
    return status;
}

static double negative_likelihood(int64_t d, const double *log_length_scale, double *gradient,
                                  void *context)
{
    NAS_ASSERT(d == 1);
    nas_gp_t *gp = context;
    *gradient = 0.0;
    const nas_status_t status = condition(gp, exp(*log_length_scale));
    if (status == NAS_ENUMERIC) return HUGE_VAL;
    if (!status) *gradient = -likelihood_gradient(gp);
    if (!status && !nas_gp_interrupted(gp)) return -gp->log_likelihood;
    gp->status = NAS_ESTOP;
    nas_minimiser_stop(gp->minimiser);
    return HUGE_VAL;
}

static nas_status_t condition_checked(nas_gp_t *gp, double length_scale, nas_error_t *err)
{
    const nas_status_t status = condition(gp, length_scale);
    if (status == NAS_ESTOP) return interrupted(err);
    if (status == NAS_OK) return NAS_OK;
    return nas_error_set(err, status,
                         "the kernel matrix of %lld observations is not positive definite",
                         (long long)gp->n);
}

nas_status_t nas_gp_fit(nas_gp_t *gp, nas_matrix_view_t X, const double *y, uint64_t seed,
                        uint64_t index, nas_error_t *err)
{
    const nas_status_t status = load(gp, X, y, err);
    if (status != NAS_OK) return status;
    nas_rng_t rng;
    nas_rng_init(&rng, seed, NAS_STREAM_LENGTH_SCALE, index);
    double best = 0.0; /* length scale 1 */
    gp->status = NAS_OK;
    double best_value = nas_minimise(gp->minimiser, negative_likelihood, gp, &best);
    for (int restart = 0; restart < NAS_GP_RESTARTS && !gp->status; restart++) {
        double start =
            nas_rng_between(&rng, log(NAS_GP_LENGTH_SCALE_MIN), log(NAS_GP_LENGTH_SCALE_MAX));
        const double value = nas_minimise(gp->minimiser, negative_likelihood, gp, &start);
        if (value < best_value) {
            best = start;
            best_value = value;
        }
    }
    return gp->status ? interrupted(err) : condition_checked(gp, exp(best), err);
}

nas_status_t nas_gp_condition(nas_gp_t *gp, nas_matrix_view_t X, const double *y,
                              double length_scale, nas_error_t *err)
{
    NAS_ASSERT(length_scale > 0.0);
    const nas_status_t status = load(gp, X, y, err);
    return status == NAS_OK ? condition_checked(gp, length_scale, err) : status;
}

double nas_gp_log_likelihood(const nas_gp_t *gp, double *gradient)
{
    if (gradient) *gradient = likelihood_gradient(gp);
    return gp->log_likelihood;
}

double nas_gp_length_scale(const nas_gp_t *gp)
{
    return gp->length_scale;
}

void nas_gp_destroy(nas_gp_t *gp)
{
    if (!gp) return;
    nas_minimiser_destroy(gp->minimiser);
    free(gp->memory);
    free(gp);
}
