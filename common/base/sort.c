/* Runs of a fixed length are sorted by themselves, then merged, pair by pair, from one array into
 * the other and back. */
#include "common/base/sort.h"

#include <stdlib.h>
#include <string.h>

enum { RUN = 1 << 16 };

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static nas_status_t sort_runs(double *value, int64_t n, const nas_interrupt_t *interrupt,
                              nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (int64_t i = 0; !status && i < n; i += RUN) {
        qsort(value + i, (size_t)lesser(RUN, n - i), sizeof *value, ascending);
        if (i + RUN < n) status = nas_interrupt_check(interrupt, (double)i / (double)n, err);
    }
    return status;
}

/* from[0..middle) and from[middle..n), each in order, into to. */
static nas_status_t merge(const double *from, int64_t middle, int64_t n, double *to,
                          const nas_interrupt_t *interrupt, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    int64_t a = 0, b = middle;
    for (int64_t at = 0; !status && at < n; at++) {
        const bool takes_a = b == n || (a < middle && from[a] <= from[b]);
        to[at] = from[takes_a ? a++ : b++];
        if (at % RUN == RUN - 1)
            status = nas_interrupt_check(interrupt, (double)at / (double)n, err);
    }
    return status;
}

static nas_status_t merge_runs(double *value, double *other, int64_t n,
                               const nas_interrupt_t *interrupt, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    double *from = value, *to = other;
    for (int64_t length = RUN; !status && length < n; length *= 2) {
        for (int64_t i = 0; !status && i < n; i += 2 * length) {
            const int64_t left = n - i;
            status = merge(from + i, lesser(length, left), lesser(2 * length, left), to + i,
                           interrupt, err);
        }
        double *swapped = from;
        from = to;
        to = swapped;
    }
    if (from != value) memcpy(value, from, (size_t)n * sizeof *value);
    return status;
}

nas_status_t nas_sort_numbers(double *value, int64_t n, const nas_interrupt_t *interrupt,
                              nas_error_t *err)
{
    nas_status_t status = sort_runs(value, n, interrupt, err);
    if (status || n <= RUN) return status;
    double *other = malloc((size_t)n * sizeof *other);
    if (!other) return nas_error_nomem(err, "numbers to sort");
    status = merge_runs(value, other, n, interrupt, err);
    free(other);
    return status;
}
