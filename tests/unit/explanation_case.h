/* References, and what a search for ReLUs at their kinks says of values found for them. */
#ifndef NAS_TESTS_UNIT_EXPLANATION_CASE_H
#define NAS_TESTS_UNIT_EXPLANATION_CASE_H

#include "worker/engine/metrics/metric.h"
#include "worker/verify/comparison.h"
#include "worker/verify/explanation.h"
#include "worker/verify/kinks.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A shipped reference, and its ReLUs with the inputs that are nearest to 0. */
typedef struct fixture {
    nas_reference_t reference;
    nas_kinks_t near;
} fixture_t;

static inline nas_reference_values_t compute(const nas_reference_t *reference,
                                             const int64_t *turned, int n_turned, nas_kinks_t *near)
{
    nas_reference_values_t values = {0};
    cr_assert_eq(nas_kinks_compute(reference, turned, n_turned, &values, near, NULL), NAS_OK);
    return values;
}

/* ReLUs are turned in passes over the batch alone: metrics of other runs do not count here. */
static inline void leave_other_runs_out(nas_reference_t *reference)
{
    int n;
    const nas_metric_t *const *metric = nas_metric_list(&n);
    for (int i = 0; i < n; i++)
        if (metric[i]->on > NAS_RUNS_FLOW) reference->has_metric[i] = false;
}

static inline fixture_t setup(const char *name)
{
    fixture_t f = {0};
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/tests/data/%s", getenv("ROBOTNAS_SOURCE"), name);
    cr_assert_eq(nas_reference_read(path, NULL, NULL, &f.reference, NULL), NAS_OK);
    leave_other_runs_out(&f.reference);
    nas_reference_values_t values = compute(&f.reference, NULL, 0, &f.near);
    nas_reference_values_fini(&values);
    return f;
}

static inline bool do_agree(const nas_reference_t *reference,
                            const nas_reference_values_t *expected,
                            const nas_reference_values_t *found)
{
    nas_reference_t copy = *reference;
    nas_comparison_t *row = NULL;
    size_t n = 0;
    bool agree = true;
    copy.expected = *expected;
    cr_assert_eq(nas_compare(&copy, found, false, &row, &n, NULL), NAS_OK);
    for (size_t i = 0; i < n; i++) agree &= row[i].agrees;
    free(row);
    return agree;
}

/* How many ReLUs explain it. */
static inline int explain(const nas_reference_t *reference, const nas_reference_values_t *found,
                          double within, double *distance)
{
    nas_explanation_t explanation = {0};
    cr_assert_eq(nas_explain(reference, found, within, &explanation, NULL), NAS_OK);
    const int n = explanation.n;
    if (distance) *distance = explanation.distance;
    if (n > 0) cr_assert(do_agree(reference, &explanation.expected, found));
    nas_explanation_fini(&explanation);
    return n;
}

static inline double *metric_of(nas_reference_values_t *values, const char *name)
{
    int n = 0, i = 0;
    const nas_metric_t *const *metric = nas_metric_list(&n);
    while (i < n && strcmp(metric[i]->name, name) != 0) i++;
    cr_assert_lt(i, n);
    return &values->metric[i];
}

#endif
