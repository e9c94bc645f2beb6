#include "coordinator/report/html/correlation.h"

#include <math.h>
#include <stdlib.h>

typedef struct item {
    double value;
    int64_t place;
} item_t;

static int compare(const void *a, const void *b)
{
    const item_t *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

nas_status_t nas_average_ranks(double *x, int64_t n, nas_error_t *err)
{
    item_t *item = malloc((size_t)n * sizeof *item + 1);
    if (!item) return nas_error_nomem(err, "ranks");
    int64_t n_finite = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(x[i]))
            item[n_finite++] = (item_t){.value = x[i], .place = i};
        else
            x[i] = NAN;
    qsort(item, (size_t)n_finite, sizeof *item, compare);
    for (int64_t from = 0, to = 0; from < n_finite; from = to) {
        while (to < n_finite && item[to].value == item[from].value) to++;
        for (int64_t i = from; i < to; i++) x[item[i].place] = 0.5 * (double)(from + 1 + to);
    }
    free(item);
    return NAS_OK;
}

/* Of ranks, whose mean is (n + 1) / 2. */
static double pearson(const double *x, const double *y, int64_t n)
{
    const double mean = 0.5 * (double)(n + 1);
    double xx = 0, yy = 0, xy = 0;
    for (int64_t i = 0; i < n; i++) {
        xx += (x[i] - mean) * (x[i] - mean);
        yy += (y[i] - mean) * (y[i] - mean);
        xy += (x[i] - mean) * (y[i] - mean);
    }
    if (n < 3 || xx == 0 || yy == 0) return NAN;
    return fmax(-1, fmin(xy / sqrt(xx * yy), 1));
}

nas_status_t nas_rank_correlation(const double *x, const double *y, int64_t n, double *rho,
                                  int64_t *n_pairs, nas_error_t *err)
{
    double *pair = malloc(2 * (size_t)n * sizeof *pair + 1);
    if (!pair) return nas_error_nomem(err, "a rank correlation");
    double *const a = pair, *const b = pair + n;
    int64_t n_kept = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i])) continue;
        a[n_kept] = x[i];
        b[n_kept++] = y[i];
    }
    nas_status_t status = nas_average_ranks(a, n_kept, err);
    if (!status) status = nas_average_ranks(b, n_kept, err);
    if (!status) {
        *rho = pearson(a, b, n_kept);
        *n_pairs = n_kept;
    }
    free(pair);
    return status;
}
