#include "worker/engine/metrics/portable.h"

#include "worker/engine/gpu/kernels/math.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

double nas_portable_exp(double x)
{
    return nas_gpu_exp(x);
}

/* - sin(x - pi / 2), whose series is short enough there. */
double nas_portable_cos(double x)
{
    const double half_pi = 1.57079632679489661923, t = x - half_pi, square = t * t;
    double sum = 0;
    for (int k = 27; k >= 3; k -= 2) sum = square * (1 - sum) / (k * (k - 1));
    return -t * (1 - sum);
}

double nas_portable_log(double x)
{
    return nas_gpu_log(x);
}

static bool is_finite(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

/* -------------------------------------------------------------------------------- determinants */

static void swap_rows(double *a, double *b, int64_t n)
{
    for (int64_t k = 0; k < n; k++) {
        const double kept = a[k];
        a[k] = b[k];
        b[k] = kept;
    }
}

static int64_t pivot_of(const double *A, int64_t n, int64_t column)
{
    int64_t best = column;
    for (int64_t i = column + 1; i < n; i++)
        if (fabs(A[i * n + column]) > fabs(A[best * n + column])) best = i;
    return best;
}

/* Take the pivot's row from all rows below it. By the pivot's reciprocal, as LAPACK does: of two
 * equal rows the roundings then leave something or nothing in the same cases. */
static void eliminate(double *A, int64_t n, int64_t column)
{
    const double *from = A + column * n, reciprocal = 1 / from[column];
    for (int64_t i = column + 1; i < n; i++) {
        double *row = A + i * n;
        const double factor = row[column] * reciprocal;
        for (int64_t k = column + 1; k < n; k++) row[k] -= factor * from[k];
    }
}

double nas_portable_log_determinant(double *A, int64_t n)
{
    double sum = 0;
    if (!is_finite(A, (size_t)n * (size_t)n)) return NAN;
    for (int64_t column = 0; column < n; column++) {
        const int64_t pivot = pivot_of(A, n, column);
        if (pivot != column) swap_rows(A + pivot * n, A + column * n, n);
        if (A[column * n + column] == 0) return -INFINITY;
        sum += nas_portable_log(fabs(A[column * n + column]));
        eliminate(A, n, column);
    }
    return sum;
}

/* --------------------------------------------------------------------------------- eigenvalues */

/* The vector v of Householder's reflection I - scale v v' that makes v[1..n) zero, in place of what
 * is reflected. Returns scale, 0 where there is nothing to do; *first: what becomes of v[0]. */
static double reflect(double *v, int64_t n, double *first)
{
    double squares = 0;
    for (int64_t i = 1; i < n; i++) squares += v[i] * v[i];
    *first = v[0];
    if (squares == 0) return 0;
    const double norm = sqrt(v[0] * v[0] + squares);
    *first = v[0] > 0 ? -norm : norm;
    v[0] -= *first;
    return 2 / (v[0] * v[0] + squares);
}

/* A := H A H for the reflection, on the m x m block at A of rows of n. Columns are added up one
 * after the other, which compilers turn into vectors without another order of sums. */
static void reflect_both_sides(double *A, int64_t n, int64_t m, const double *v, double scale,
                               double *w)
{
    double product = 0;
    memset(w, 0, (size_t)m * sizeof *w);
    for (int64_t k = 0; k < m; k++)
        for (int64_t i = 0; i < m; i++) w[i] += v[k] * A[k * n + i];
    for (int64_t i = 0; i < m; i++) product += v[i] * (w[i] *= scale);
    for (int64_t i = 0; i < m; i++) w[i] -= 0.5 * scale * product * v[i];
    for (int64_t i = 0; i < m; i++)
        for (int64_t k = 0; k < m; k++) A[i * n + k] -= v[i] * w[k] + w[i] * v[k];
}

/* diagonal [n]; beside [n]: behind each but the last of it. */
static void make_tridiagonal(double *A, int64_t n, double *diagonal, double *beside)
{
    for (int64_t i = 0; i + 1 < n; i++) {
        const int64_t m = n - i - 1;
        double *v = A + i * n + i + 1; /* by symmetry the column below the diagonal */
        const double scale = reflect(v, m, &beside[i]);
        /* what is below i of diagonal is not in use yet */
        if (scale != 0)
            reflect_both_sides(A + (i + 1) * n + i + 1, n, m, v, scale, diagonal + i + 1);
        diagonal[i] = A[i * n + i];
    }
    if (n > 0) diagonal[n - 1] = A[n * n - 1];
    if (n > 0) beside[n - 1] = 0;
}

static double hypotenuse(double a, double b)
{
    return sqrt(a * a + b * b);
}

/* One QL step with an implicit shift on the block from `first` to `last`. */
static void step(double *d, double *e, int first, int last)
{
    double g = (d[first + 1] - d[first]) / (2 * e[first]), r = hypotenuse(g, 1);
    double s = 1, c = 1, p = 0;
    g = d[last] - d[first] + e[first] / (g + (g < 0 ? -r : r));
    int i = last - 1;
    for (; i >= first; i--) {
        const double f = s * e[i], b = c * e[i];
        e[i + 1] = r = hypotenuse(f, g);
        if (r == 0) break;
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
    }
    if (i >= first) { /* it falls into two here */
        d[i + 1] -= p;
        e[last] = 0;
        return;
    }
    d[first] -= p;
    e[first] = g;
    e[last] = 0;
}

/* What is below it beside the diagonal counts as 0: roundings of the largest numbers. */
static double negligible(const double *d, const double *e, int n)
{
    double most = 0;
    for (int i = 0; i < n; i++) most = fmax(most, fabs(d[i]) + fabs(e[i]));
    return 0x1p-53 * most;
}

/* The end of the block that begins at `first`: what is behind it has come apart. */
static int end_of_block(const double *e, int n, int first, double least)
{
    int last = first;
    while (last + 1 < n && fabs(e[last]) > least) last++;
    return last;
}

static void sort(double *x, int n)
{
    for (int i = 1; i < n; i++)
        for (int k = i; k > 0 && x[k] < x[k - 1]; k--) {
            const double kept = x[k];
            x[k] = x[k - 1];
            x[k - 1] = kept;
        }
}

bool nas_portable_eigenvalues(double *A, int n, double *value, double *work)
{
    const int most = 64; /* steps an eigenvalue; two or three are usual */
    if (!is_finite(A, (size_t)n * (size_t)n)) return false;
    make_tridiagonal(A, n, value, work);
    const double least = negligible(value, work, n);
    for (int i = 0; i < n; i++) {
        int n_steps = 0;
        for (int last; (last = end_of_block(work, n, i, least)) != i; n_steps++) {
            if (n_steps == most) return false;
            step(value, work, i, last);
        }
    }
    sort(value, n);
    return is_finite(value, (size_t)n);
}
