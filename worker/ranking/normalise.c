#include "worker/ranking/normalise.h"

#include "common/base/fault.h"
#include "common/base/sort.h"

#include <math.h>
#include <stdlib.h>

typedef struct range {
    double min;
    double max;
} range_t;

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

/* The mean of the places of a value that is among the sorted ones. */
static double place_of(const double *sorted, int64_t n, double x)
{
    const int64_t before = count_below(sorted, n, x, false);
    const int64_t up_to = count_below(sorted, n, x, true);
    return 0.5 * (double)(before + 1 + up_to);
}

nas_status_t nas_normalise_rank(const double *column, int64_t n, double *rank,
                                const nas_interrupt_t *interrupt, nas_error_t *err)
{
    const int64_t block = 1 << 14; /* values between two questions */
    double *sorted = malloc((size_t)n * sizeof *sorted);
    if (!sorted) return nas_error_nomem(err, "ranks of a metric");
    int64_t n_present = 0;
    for (int64_t i = 0; i < n; i++) {
        if (isfinite(column[i])) sorted[n_present++] = column[i];
    }
    nas_status_t status = nas_sort_numbers(sorted, n_present, interrupt, err);
    for (int64_t i = 0; !status && i < n; i++) {
        rank[i] = isfinite(column[i]) ? place_of(sorted, n_present, column[i]) : NAN;
        if (i % block != block - 1) continue;
        NAS_FAULT_POINT("rank-transform");
        status = nas_interrupt_check(interrupt, (double)i / (double)n, err);
    }
    free(sorted);
    return status;
}

/* Over the values that are not missing; {inf, -inf} where there is none. */
static range_t range_of(const double *value, int64_t n)
{
    range_t range = {INFINITY, -INFINITY};
    for (int64_t i = 0; i < n; i++) {
        if (value[i] < range.min) range.min = value[i];
        if (value[i] > range.max) range.max = value[i];
    }
    return range;
}

/* Over those of all ranks. */
static range_t range_over(nas_comm_t *group, const double *value, int64_t n)
{
    range_t range = range_of(value, n);
    nas_comm_min(group, &range.min, 1);
    nas_comm_max(group, &range.max, 1);
    return range;
}

/* Missing values become NaN, which every comparison passes over. */
static void mark_missing(double *value, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(value[i])) value[i] = NAN;
    }
}

/* max: the largest of all values, for exp. */
static void apply_transform(nas_transform_t transform, double max, double *value, int64_t n)
{
    if (transform == NAS_TRANSFORM_LOG) {
        for (int64_t i = 0; i < n; i++) value[i] = value[i] > 0 ? log(value[i]) : NAN;
    } else if (transform == NAS_TRANSFORM_EXP) {
        for (int64_t i = 0; i < n; i++) value[i] = exp(value[i] - max);
    }
}

/* Halves where the difference itself would overflow; a factor of 1 changes no bit. */
static double factor_of(range_t range)
{
    return isfinite(range.max - range.min) ? 1.0 : 0.5;
}

static double width_of(range_t range)
{
    return factor_of(range) * range.max - factor_of(range) * range.min;
}

static int64_t count_present(const double *value, int64_t n)
{
    int64_t n_present = 0;
    for (int64_t i = 0; i < n; i++) n_present += !isnan(value[i]);
    return n_present;
}

nas_metric_facts_t nas_normalise_look(nas_transform_t transform, double *value, int64_t n)
{
    nas_metric_facts_t facts = {0};
    mark_missing(value, n);
    facts.n_given = count_present(value, n);
    apply_transform(transform, range_of(value, n).max, value, n);
    facts.n_left = count_present(value, n);
    facts.is_constant = facts.n_left > 0 && !(width_of(range_of(value, n)) > 0);
    return facts;
}

bool nas_normalise(nas_comm_t *group, nas_transform_t transform, double *value, int64_t n)
{
    const bool exponential = transform == NAS_TRANSFORM_EXP;
    mark_missing(value, n);
    apply_transform(transform, exponential ? range_over(group, value, n).max : 0, value, n);
    const range_t range = range_over(group, value, n);
    if (range.min > range.max) return false;
    const double factor = factor_of(range), width = width_of(range);
    for (int64_t i = 0; i < n; i++) {
        const bool counts = width > 0 && !isnan(value[i]);
        value[i] = counts ? (factor * value[i] - factor * range.min) / width : 0.0;
    }
    return true;
}
