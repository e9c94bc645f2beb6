#include "coordinator/search/bo/gp.h"

#include "common/base/rng.h"
#include "coordinator/search/bo/cholesky.h"
#include "coordinator/search/bo/gp_kernel.h"
#include "coordinator/search/bo/minimise.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256 }; /* points predicted at once: their kernel rows stay in the cache */

/* K = L L^T is the kernel between the observations plus the noise on the diagonal. A symmetric or
 * triangular matrix is row-major and holds its lower triangle, which for LAPACK is the upper one of
 * a column-major matrix. Pairs are the n (n - 1) / 2 entries below the diagonal, row by row. */
struct nas_gp {
    int64_t d, n, capacity, n_max;
    const nas_interrupt_t *interrupt; /* borrowed */
    nas_status_t status;              /* of the fit under way */
    double length_scale;
    double log_likelihood;
    double y_mean, y_std;
    nas_minimiser_t *minimiser; /* of the log length scale */

    double *memory;        /* holds all of the following, for `capacity` points */
    double *points;        /* [n, d] */
    double *columns;       /* [d, n] the points again */
    double *y;             /* [n] standardised */
    double *alpha;         /* [n] K^-1 y */
    double *pair_distance; /* [pairs] sqrt(5) |x_i - x_j| */
    double *pair_value;    /* [pairs] kernel */
    double *pair_slope;    /* [pairs] kernel's slope */
    double *factor;        /* [n, n] L */
    double *inverse;       /* [n, n] K^-1, on demand, where n <= NAS_CHOLESKY_WHOLE */
    double *query;         /* [d, BLOCK] points to predict */
    double *cross;     /* [n, BLOCK] their kernel with the observations, then L^-1 times that; or
                              columns of K^-1 */
    double *row;       /* [max(n, BLOCK)] distances */
    double *row_slope; /* [max(n, BLOCK)] */
    double *mean_gradient; /* [d] */
    double *std_gradient;  /* [d] */
};

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

static size_t list_parts(nas_gp_t *gp, int64_t n, part_t *part)
{
    const size_t points = (size_t)n, d = (size_t)gp->d, pairs = (size_t)n_pairs(n);
    const size_t row = points < BLOCK ? BLOCK : points;
    const size_t whole = points < NAS_CHOLESKY_WHOLE ? points : NAS_CHOLESKY_WHOLE;
    const part_t parts[N_PARTS] = {
        {&gp->points, points * d}, {&gp->columns, points * d},     {&gp->y, points},
        {&gp->alpha, points},      {&gp->pair_distance, pairs},    {&gp->pair_value, pairs},
        {&gp->pair_slope, pairs},  {&gp->factor, points * points}, {&gp->inverse, whole * whole},
        {&gp->query, BLOCK * d},   {&gp->cross, points * BLOCK},   {&gp->row, row},
        {&gp->row_slope, row},     {&gp->mean_gradient, d},        {&gp->std_gradient, d},
    };
    size_t total = 0;
    for (size_t i = 0; i < N_PARTS; i++) total += parts[i].size;
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
    gp->memory = malloc(total * sizeof *gp->memory);
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
        if (i % BLOCK == 0 && nas_gp_interrupted(gp)) return interrupted(err);
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
    const int64_t n = gp->n, n_at_once = nas_cholesky_columns(n, BLOCK);
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

/* The first m points of gp->query. */
static void predict_block(const nas_gp_t *gp, int64_t m, double *mean, double *std)
{
    const nas_point_columns_t query = {gp->query, m, gp->d, BLOCK};
    for (int64_t j = 0; j < m; j++) mean[j] = 0.0;
    for (int64_t i = 0; i < gp->n; i++) {
        double *cross = gp->cross + i * BLOCK;
        nas_kernel_distance(query, gp->points + i * gp->d, gp->row);
        nas_kernel_matern(m, gp->row, gp->length_scale, cross, gp->row_slope);
        cblas_daxpy((int)m, gp->alpha[i], cross, 1, mean, 1);
    }
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (int)gp->n,
                (int)m, 1.0, gp->factor, (int)gp->n, gp->cross, BLOCK);
    double *variance = gp->row;
    for (int64_t j = 0; j < m; j++) variance[j] = 1.0;
    for (int64_t i = 0; i < gp->n; i++) {
        const double *cross = gp->cross + i * BLOCK;
        for (int64_t j = 0; j < m; j++) variance[j] -= cross[j] * cross[j];
    }
    for (int64_t j = 0; j < m; j++) {
        mean[j] = gp->y_mean + gp->y_std * mean[j];
        std[j] = variance[j] > 0.0 ? gp->y_std * sqrt(variance[j]) : 0.0;
    }
}

nas_status_t nas_gp_predict(const nas_gp_t *gp, nas_matrix_view_t X, double *mean, double *std)
{
    const int64_t n_at_once = nas_cholesky_columns(gp->n, BLOCK);
    for (int64_t first = 0; first < X.n; first += n_at_once) {
        const int64_t m = X.n - first < n_at_once ? X.n - first : n_at_once;
        if (nas_gp_interrupted(gp)) return NAS_ESTOP;
        for (int64_t j = 0; j < m; j++) {
            const double *x = X.data + (first + j) * X.stride;
            for (int64_t c = 0; c < gp->d; c++) gp->query[c * BLOCK + j] = x[c];
        }
        predict_block(gp, m, mean + first, std + first);
    }
    return NAS_OK;
}

/* sum_i weight_i d value_i / dx, for the kernel slopes in gp->row_slope. */
static void kernel_gradient(const nas_gp_t *gp, const double *x, const double *weight,
                            double *gradient)
{
    const double scale = -5.0 / (gp->length_scale * gp->length_scale);
    for (int64_t c = 0; c < gp->d; c++) {
        const double *column = gp->columns + c * gp->n;
        double sum = 0.0;
        for (int64_t i = 0; i < gp->n; i++) {
            sum += weight[i] * gp->row_slope[i] * (x[c] - column[i]);
        }
        gradient[c] = scale * sum;
    }
}

void nas_gp_predict_gradient(const nas_gp_t *gp, const double *x, nas_gp_point_t *point)
{
    const int n = (int)gp->n;
    double *solution = gp->cross; /* k, then L^-1 k, then K^-1 k */
    nas_kernel_distance((nas_point_columns_t){gp->columns, gp->n, gp->d, gp->n}, x, gp->row);
    nas_kernel_matern(gp->n, gp->row, gp->length_scale, solution, gp->row_slope);
    const double mean = cblas_ddot(n, solution, 1, gp->alpha, 1);
    cblas_dtrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, n, gp->factor, n, solution,
                1);
    const double variance = 1.0 - cblas_ddot(n, solution, 1, solution, 1);
    const double std = variance > 0.0 ? sqrt(variance) : 0.0;
    cblas_dtrsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, n, gp->factor, n, solution, 1);

    kernel_gradient(gp, x, gp->alpha, gp->mean_gradient);
    kernel_gradient(gp, x, solution, gp->std_gradient);
    for (int64_t c = 0; c < gp->d; c++) {
        gp->mean_gradient[c] *= gp->y_std;
        gp->std_gradient[c] *= std > 0.0 ? -gp->y_std / std : 0.0;
    }
    *point = (nas_gp_point_t){
        .mean = gp->y_mean + gp->y_std * mean,
        .std = gp->y_std * std,
        .mean_gradient = gp->mean_gradient,
        .std_gradient = gp->std_gradient,
    };
}

void nas_gp_destroy(nas_gp_t *gp)
{
    if (!gp) return;
    nas_minimiser_destroy(gp->minimiser);
    free(gp->memory);
    free(gp);
}
