#include "coordinator/search/methods/pool_gp_points.h"

#include "common/base/gaussian.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static nas_status_t grow(nas_points_t *points, nas_error_t *err)
{
    const int64_t capacity = points->capacity > 0 ? 2 * points->capacity : 64;
    double **row = realloc(points->row, (size_t)capacity * sizeof *row);
    if (row) points->row = row;
    double *mean = realloc(points->mean, (size_t)capacity * sizeof *mean);
    if (mean) points->mean = mean;
    double *z = realloc(points->z, (size_t)capacity * sizeof *z);
    if (z) points->z = z;
    if (!row || !mean || !z) return nas_error_nomem(err, "the points of pool-gp");
    points->capacity = capacity;
    return NAS_OK;
}

nas_status_t nas_points_add(nas_points_t *points, double mean, const double *row, nas_error_t *err)
{
    const nas_status_t status = points->n < points->capacity ? NAS_OK : grow(points, err);
    if (status) return status;
    const size_t size = (size_t)(points->n + 1) * sizeof *row;
    double *copy = malloc(size);
    if (!copy) return nas_error_nomem(err, "the points of pool-gp");
    memcpy(copy, row, size);
    points->mean[points->n] = mean;
    points->row[points->n++] = copy;
    return NAS_OK;
}

void nas_points_forget(nas_points_t *points)
{
    points->n_known = 0;
}

/* rest[j] less the product of row j with z[n], in ascending order: four sums that need not wait for
 * each other. */
static void subtract_four(double *const *row, const double *z, int64_t n, double *rest)
{
    double a = rest[0], b = rest[1], c = rest[2], d = rest[3];
    for (int64_t l = 0; l < n; l++) {
        a -= row[0][l] * z[l];
        b -= row[1][l] * z[l];
        c -= row[2][l] * z[l];
        d -= row[3][l] * z[l];
    }
    rest[0] = a;
    rest[1] = b;
    rest[2] = c;
    rest[3] = d;
}

/* z of point i, where rest holds its value less mean and the product of its row with z[n]. */
static void finish(nas_points_t *points, int64_t i, int64_t n, double rest)
{
    const double *row = points->row[i];
    for (int64_t l = n; l < i; l++) rest -= row[l] * points->z[l];
    points->z[i] = rest / row[i];
    points->n_known = i + 1;
}

nas_status_t nas_points_solve(nas_points_t *points, const double *value, int64_t n,
                              const nas_interrupt_t *interrupt, nas_error_t *err)
{
    enum { TOGETHER = 4 };
    NAS_ASSERT(n <= points->n);
    while (points->n_known < n) {
        const nas_status_t status = nas_interrupt_check(interrupt, 0.0, err);
        if (status) return status;
        const int64_t first = points->n_known;
        if (n - first < TOGETHER) {
            finish(points, first, 0, value[first] - points->mean[first]);
            continue;
        }
        double rest[TOGETHER];
        for (int j = 0; j < TOGETHER; j++) rest[j] = value[first + j] - points->mean[first + j];
        subtract_four(points->row + first, points->z, first, rest);
        for (int j = 0; j < TOGETHER; j++) finish(points, first + j, first, rest[j]);
    }
    return NAS_OK;
}

void nas_points_agree(nas_points_t *points)
{
    NAS_ASSERT(points->n_known < points->n);
    points->z[points->n_known++] = 0.0;
}

/* Common terms of both log likelihoods are left out. */
double nas_points_doubt(const nas_points_t *points, int64_t n)
{
    NAS_ASSERT(n <= points->n_known);
    const double log_odds = 3.0; /* 20 to 1 */
    const double count = (double)n;
    double squares = 0.0, log_determinant = 0.0;
    for (int64_t i = 0; i < n; i++) {
        squares += points->z[i] * points->z[i];
        log_determinant += nas_log(points->row[i][i]);
    }
    const double process = -squares / 2.0 - log_determinant;
    const double constant = -count / 2.0 - nas_log(1.0 + count) / 2.0;
    return fmin(0.5, 1.0 / (1.0 + nas_exp(process - constant + log_odds)));
}

double nas_points_bytes(int64_t n)
{
    const double count = (double)n;
    return 4.0 * count * count + 40.0 * count;
}

void nas_points_fini(nas_points_t *points)
{
    for (int64_t i = 0; i < points->n; i++) free(points->row[i]);
    free(points->row);
    free(points->mean);
    free(points->z);
    *points = (nas_points_t){0};
}
