#include "common/base/rng.h"
#include "coordinator/search/bo/cholesky.h"

#include <criterion/criterion.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One size that LAPACK does whole, and some that are cut into blocks in every way. */
static const int SIZES[] = {1, 7, NAS_CHOLESKY_WHOLE, NAS_CHOLESKY_WHOLE + 1, 384, 1300};

enum { N_SIZES = sizeof SIZES / sizeof SIZES[0] };

static double *new_numbers(int64_t n)
{
    double *numbers = calloc((size_t)n, sizeof *numbers);
    cr_assert_not_null(numbers);
    return numbers;
}

/* A positive definite matrix, and numbers above the diagonal that nobody may touch. */
static double *new_matrix(int64_t n)
{
    nas_rng_t rng;
    nas_rng_init(&rng, 5, NAS_STREAM_BENCH, (uint64_t)n);
    double *A = new_numbers(n * n);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++) A[i * n + j] = j > i ? 1e9 : nas_rng_between(&rng, -1, 1);
        A[i * n + i] = 2.0 * sqrt((double)n);
    }
    return A;
}

static double *copy_of(const double *A, int64_t n)
{
    double *copy = new_numbers(n * n);
    memcpy(copy, A, (size_t)(n * n) * sizeof *A);
    return copy;
}

Test(cholesky, equals_lapack)
{
    for (int k = 0; k < N_SIZES; k++) {
        const int64_t n = SIZES[k];
        double *A = new_matrix(n), *L = copy_of(A, n);
        cr_assert_eq(nas_cholesky_factor(n, L, NULL), NAS_OK);
        cr_assert_eq(LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', (int)n, A, (int)n), 0);
        for (int64_t i = 0; i < n * n; i++)
            cr_assert_float_eq(L[i], A[i], 1e-12, "n = %d, entry %d", (int)n, (int)i);
        if (n <= NAS_CHOLESKY_WHOLE) cr_assert_arr_eq(L, A, (size_t)(n * n) * sizeof *L);
        free(A);
        free(L);
    }
}

/* As LAPACK gives it, in parts of 100 columns. */
static void check_inverse(int64_t n)
{
    enum { M = 100 };
    double *L = new_matrix(n), *part = new_numbers(n * M);
    cr_assert_eq(nas_cholesky_factor(n, L, NULL), NAS_OK);
    double *inverse = copy_of(L, n);
    cr_assert_eq(LAPACKE_dpotri_work(LAPACK_COL_MAJOR, 'U', (int)n, inverse, (int)n), 0);
    for (int64_t first = 0; first < n; first += M) {
        const int64_t m = n - first < M ? n - first : M;
        nas_cholesky_inverse(n, L, first, m, part);
        for (int64_t i = 0; i < n - first; i++)
            for (int64_t j = 0; j < m && j <= i; j++)
                cr_assert_float_eq(part[i * m + j], inverse[(first + i) * n + first + j], 1e-12);
    }
    free(L);
    free(part);
    free(inverse);
}

Test(cholesky, columns_of_the_inverse_equal_lapack)
{
    for (int k = 0; k < N_SIZES; k++) check_inverse(SIZES[k]);
}

Test(cholesky, says_where_a_matrix_is_not_positive_definite)
{
    for (int k = 0; k < N_SIZES; k++) {
        const int64_t n = SIZES[k];
        const int64_t bad[] = {0, n / 2, n - 1};
        double *A = new_matrix(n);
        for (int i = 0; i < 3; i++) {
            double *L = copy_of(A, n);
            L[bad[i] * n + bad[i]] = -1.0;
            cr_assert_eq(nas_cholesky_factor(n, L, NULL), NAS_ENUMERIC);
            free(L);
        }
        free(A);
    }
}

static bool count_down(void *context, double share)
{
    int *left = context;
    cr_assert(share >= 0.0 && share <= 1.0);
    return --*left < 0;
}

Test(cholesky, is_interrupted_between_blocks)
{
    const int64_t n = 700;
    double *A = new_matrix(n);
    int left = 0;
    const nas_interrupt_t interrupt = {.asked = count_down, .context = &left};
    int n_asked = 0;
    for (nas_status_t status = NAS_ESTOP; status; n_asked++) {
        double *L = copy_of(A, n);
        left = n_asked;
        status = nas_cholesky_factor(n, L, &interrupt);
        cr_assert(status == NAS_ESTOP || status == NAS_OK);
        free(L);
    }
    cr_assert_gt(n_asked, 3);
    free(A);
}

Test(cholesky, solves_for_fewer_columns_the_more_rows_there_are)
{
    cr_assert_eq(nas_cholesky_columns(1, 256), 256);
    cr_assert_eq(nas_cholesky_columns(NAS_CHOLESKY_WHOLE, 256), 256);
    cr_assert_eq(nas_cholesky_columns(10000, 256), 40);
    cr_assert_eq(nas_cholesky_columns(1000000, 256), 1);
}
