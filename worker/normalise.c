#include "worker/normalise.h"

#include <math.h>
#include <stdlib.h>

typedef struct range {
    double min;
    double max;
} range_t;

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Number of sorted values below x or, with `equal`, not above it. */
static int64_t count_below(const double *sorted, int64_t n, double x, bool equal)
{
    int64_t low = 0, high = n;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (sorted[middle] < x || (equal && !(sorted[middle] > x)))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

nas_status_t nas_normalise_rank(const double *column, int64_t n, double *rank, nas_error_t *err)
{
    double *sorted = malloc((size_t)n * sizeof *sorted);
    if (!sorted) return nas_error_nomem(err, "ranks of a metric");
    int64_t n_present = 0;
    for (int64_t i = 0; i < n; i++) {
        if (isfinite(column[i])) sorted[n_present++] = column[i];
    }
    qsort(sorted, (size_t)n_present, sizeof *sorted, ascending);
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(column[i])) {
            rank[i] = NAN;
            continue;
        }
        const int64_t before = count_below(sorted, n_present, column[i], false);
        const int64_t up_to = count_below(sorted, n_present, column[i], true);
        rank[i] = 0.5 * (double)(before + 1 + up_to); /* mean of the places before + 1 .. up_to */
    }
    free(sorted);
    return NAS_OK;
}

/* Over the values of all ranks that are not missing; {inf, -inf} where there is none. */
static range_t range_of(nas_comm_t *group, const double *value, int64_t n)
{
    range_t range = {INFINITY, -INFINITY};
    for (int64_t i = 0; i < n; i++) {
        if (value[i] < range.min) range.min = value[i];
        if (value[i] > range.max) range.max = value[i];
    }
    nas_comm_min(group, &range.min, 1);
    nas_comm_max(group, &range.max, 1);
    return range;
}

/* Missing values become NaN, which every comparison passes over. */
static void apply_transform(nas_comm_t *group, nas_transform_t transform, double *value, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(value[i])) value[i] = NAN;
    }
    if (transform == NAS_TRANSFORM_LOG) {
        for (int64_t i = 0; i < n; i++) value[i] = value[i] > 0 ? log(value[i]) : NAN;
    } else if (transform == NAS_TRANSFORM_EXP) {
        const double max = range_of(group, value, n).max;
        for (int64_t i = 0; i < n; i++) value[i] = exp(value[i] - max);
    }
}

bool nas_normalise(nas_comm_t *group, nas_transform_t transform, double *value, int64_t n)
{
    apply_transform(group, transform, value, n);
    const range_t range = range_of(group, value, n);
    if (range.min > range.max) return false;
    /* Halves where the difference itself would overflow; a factor of 1 changes no bit. */
    const double factor = isfinite(range.max - range.min) ? 1.0 : 0.5;
    const double width = factor * range.max - factor * range.min;
    for (int64_t i = 0; i < n; i++) {
        const bool counts = width > 0 && !isnan(value[i]);
        value[i] = counts ? (factor * value[i] - factor * range.min) / width : 0.0;
    }
    return true;
}
