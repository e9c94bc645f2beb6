#include "worker/ranking/normalise.h"

#include <math.h>

typedef struct range {
    double min;
    double max;
} range_t;

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

/* Over those of all ranks; group NULL: of this one. */
static range_t range_over(nas_comm_t *group, const double *value, int64_t n)
{
    range_t range = range_of(value, n);
    if (!group) return range;
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

nas_metric_facts_t nas_normalise_look(nas_comm_t *group, nas_transform_t transform, double *value,
                                      int64_t n)
{
    int64_t n_present[2] = {0};
    mark_missing(value, n);
    n_present[0] = count_present(value, n);
    apply_transform(transform, range_over(group, value, n).max, value, n);
    n_present[1] = count_present(value, n);
    if (group) nas_comm_sum(group, n_present, 2);
    const bool varies = width_of(range_over(group, value, n)) > 0;
    return (nas_metric_facts_t){.n_given = n_present[0],
                                .n_left = n_present[1],
                                .is_constant = n_present[1] > 0 && !varies};
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
