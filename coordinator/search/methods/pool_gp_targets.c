#include "coordinator/search/methods/pool_gp_targets.h"

#include "common/base/gaussian.h"
#include "common/base/magnitude.h"
#include "common/base/sort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Fill y with the targets, failed ones with their value, and sorted with the same in ascending
 * order. */
static nas_status_t complete(const nas_evaluated_t *evaluated, double *y, double *sorted,
                             nas_error_t *err)
{
    const int64_t n = evaluated->n;
    int64_t k = 0;
    for (int64_t i = 0; i < n; i++)
        if (!evaluated->failed[i]) sorted[k++] = evaluated->target[i];
    const nas_status_t status = nas_sort_numbers(sorted, k, evaluated->interrupt, err);
    if (status) return status;
    const int64_t quarter = k / 4, n_failed = n - k;
    const double value = k > 0 ? sorted[quarter] : 0.0;
    memmove(sorted + quarter + n_failed, sorted + quarter, (size_t)(k - quarter) * sizeof *sorted);
    for (int64_t i = 0; i < n_failed; i++) sorted[quarter + i] = value;
    for (int64_t i = 0; i < n; i++) y[i] = evaluated->failed[i] ? value : evaluated->target[i];
    return NAS_OK;
}

/* How many of n ascending numbers are below x, or, with `equal`, at most x. */
static int64_t count_below(const double *sorted, int64_t n, double x, bool equal)
{
    int64_t low = 0, high = n;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (sorted[middle] < x || (equal && sorted[middle] == x))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void set_normal_scores(const double *y, const double *sorted, int64_t n, double *score)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t n_below = count_below(sorted, n, y[i], false);
        const int64_t n_at_most = count_below(sorted, n, y[i], true);
        const double average = 0.5 * (double)(n_below + 1 + n_at_most);
        score[i] = nas_normal_quantile((average - 0.5) / (double)n);
    }
}

/* Divide by a power of two where squares or differences would overflow. */
static void reduce(double *y, double *sorted, int64_t n)
{
    const int exponent = nas_magnitude_exponent(fmax(fabs(sorted[0]), fabs(sorted[n - 1])));
    for (int64_t i = 0; i < n && exponent; i++) {
        y[i] = ldexp(y[i], -exponent);
        sorted[i] = ldexp(sorted[i], -exponent);
    }
}

/* t, which holds R, becomes (H + R) / 2. Distances are divided by a power of two near the largest,
 * which changes no bit unless their squares were too small for a double. Below the median H
 * is R. */
static void mix_distances(const double *y, const double *sorted, int64_t n, double *t)
{
    const double median = n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0;
    int exponent;
    int64_t n_above = 0;
    double sum = 0.0;
    (void)frexp(sorted[n - 1] - median, &exponent);
    for (int64_t i = 0; i < n; i++) {
        if (y[i] < median) continue;
        const double distance = ldexp(y[i] - median, -exponent);
        sum += distance * distance;
        n_above++;
    }
    const double root = sqrt(sum / (double)n_above);
    const double unit = root > 0.0 ? root : 1.0;
    for (int64_t i = 0; i < n; i++)
        if (y[i] >= median) t[i] = (ldexp(y[i] - median, -exponent) / unit + t[i]) / 2.0;
}

static void standardise(double *t, int64_t n)
{
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < n; i++) sum += t[i];
    const double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) squares += (t[i] - mean) * (t[i] - mean);
    const double deviation = sqrt(squares / (double)n);
    for (int64_t i = 0; i < n; i++) t[i] = (t[i] - mean) / (deviation <= 1e-12 ? 1.0 : deviation);
}

nas_status_t nas_pool_gp_targets(const nas_evaluated_t *evaluated, double *t, nas_error_t *err)
{
    const int64_t n = evaluated->n;
    if (n == 0) return NAS_OK;
    double *y = malloc(2 * (size_t)n * sizeof *y);
    if (!y) return nas_error_nomem(err, "the targets of pool-gp");
    double *sorted = y + n;
    const nas_status_t status = complete(evaluated, y, sorted, err);
    if (!status && sorted[0] == sorted[n - 1]) {
        for (int64_t i = 0; i < n; i++) t[i] = 0.0;
    } else if (!status) {
        set_normal_scores(y, sorted, n, t);
        reduce(y, sorted, n);
        mix_distances(y, sorted, n, t);
        standardise(t, n);
    }
    free(y);
    return status;
}
