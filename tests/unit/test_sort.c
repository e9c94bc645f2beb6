#include "common/base/sort.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Many ties; n of any length beside the runs that are sorted by themselves. */
static double *numbers(int64_t n)
{
    double *value = malloc(((size_t)n + 1) * sizeof *value);
    cr_assert_not_null(value);
    for (int64_t i = 0; i < n; i++) value[i] = (double)(i * 7919 % 100003 - 50000);
    return value;
}

Test(sort, equals_qsort)
{
    static const int64_t sizes[] = {0, 1, 2, 1000, 65535, 65536, 65537, 131072, 200001, 400000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const int64_t n = sizes[s];
        double *value = numbers(n), *expected = numbers(n);
        qsort(expected, (size_t)n, sizeof *expected, ascending);
        cr_assert_eq(nas_sort_numbers(value, n, NULL, NULL), NAS_OK);
        for (int64_t i = 0; i < n; i++)
            cr_assert(value[i] == expected[i], "%d of %d", (int)i, (int)n);
        free(value);
        free(expected);
    }
}

/* Says so at question number *left, counted down. */
static bool stops(void *left, double share)
{
    cr_assert(share >= 0 && share <= 1);
    return --*(int *)left <= 0;
}

Test(sort, is_interrupted_wherever_it_is)
{
    enum { N = 400000 };
    const int n_questions[] = {1, 3, 8, 12};
    for (size_t i = 0; i < sizeof n_questions / sizeof *n_questions; i++) {
        int left = n_questions[i];
        nas_error_t err = {0};
        const nas_interrupt_t interrupt = {.asked = stops, .context = &left};
        double *value = numbers(N);
        cr_assert_eq(nas_sort_numbers(value, N, &interrupt, &err), NAS_ESTOP);
        cr_assert_eq(left, 0, "it went on");
        free(value);
    }
}
