#include "coordinator/search/bo/cholesky.h"

#include <cblas.h>
#include <lapacke.h>
#include <string.h>

enum {
    BLOCK = 128,   /* columns factored at once */
    N_ROWS = 1024, /* rows updated at once */
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static nas_status_t factor_whole(int64_t n, int64_t stride, double *A)
{
    const int info =
        LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', (lapack_int)n, A, (lapack_int)stride);
    return info == 0 ? NAS_OK : NAS_ENUMERIC;
}

/* The rows [first, first + m) of the m columns from `first` on, given all columns before. */
static nas_status_t factor_diagonal(int64_t n, double *A, int64_t first, int64_t m)
{
    double *diagonal = A + first * n + first;
    if (first > 0)
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int)m, (int)first, -1.0,
                    A + first * n, (int)n, 1.0, diagonal, (int)n);
    return factor_whole(m, n, diagonal);
}

/* n_rows rows from `row` on, below the diagonal, of the same columns. */
static void factor_rows(int64_t n, double *A, int64_t first, int64_t m, int64_t row)
{
    const int n_rows = (int)least(N_ROWS, n - row);
    double *rows = A + row * n + first;
    if (first > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n_rows, (int)m, (int)first, -1.0,
                    A + row * n, (int)n, A + first * n, (int)n, 1.0, rows, (int)n);
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, n_rows, (int)m,
                1.0, A + first * n + first, (int)n, rows, (int)n);
}

nas_status_t nas_cholesky_factor(int64_t n, double *A, const nas_interrupt_t *interrupt)
{
    if (n <= NAS_CHOLESKY_WHOLE) return factor_whole(n, n, A);
    for (int64_t first = 0; first < n; first += BLOCK) {
        const int64_t m = least(BLOCK, n - first);
        const nas_status_t status = factor_diagonal(n, A, first, m);
        if (status) return status;
        for (int64_t row = first + m; row < n; row += N_ROWS) {
            if (nas_interrupted(interrupt, (double)first / (double)n)) return NAS_ESTOP;
            factor_rows(n, A, first, m, row);
        }
    }
    return NAS_OK;
}

/* L^-1 times these columns of the identity vanishes above the diagonal, and L^-T needs nothing from
 * there for what lies below. */
void nas_cholesky_inverse(int64_t n, const double *L, int64_t first, int64_t m, double *part)
{
    const int64_t n_rows = n - first;
    const double *corner = L + first * n + first;
    memset(part, 0, (size_t)(n_rows * m) * sizeof *part);
    for (int64_t j = 0; j < m; j++) part[j * m + j] = 1.0;
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (int)n_rows,
                (int)m, 1.0, corner, (int)n, part, (int)m);
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, (int)n_rows, (int)m,
                1.0, corner, (int)n, part, (int)m);
}

int64_t nas_cholesky_columns(int64_t n, int64_t most)
{
    const double n_operations = 4e9;
    const double columns = n_operations / ((double)n * (double)n);
    return columns >= (double)most ? most : columns >= 1.0 ? (int64_t)columns : 1;
}
