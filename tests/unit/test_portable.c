#include "common/base/rng.h"
#include "worker/engine/metrics/metric.h"
#include "worker/engine/metrics/portable.h"

#include <criterion/criterion.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 128 };

/* A matrix, n x n row-major, with room for what is lost of it. */
typedef struct matrix {
    double at[MOST * MOST];
    int n;
} matrix_t;

static matrix_t A, B;

static void fill(matrix_t *m, int n, double (*entry)(int i, int k))
{
    m->n = n;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) m->at[i * n + k] = entry(i, k);
}

static double of_hilbert(int i, int k)
{
    return 1.0 / (i + k + 1);
}

static double of_identity(int i, int k)
{
    return i == k;
}

static double of_ones(int i, int k)
{
    (void)i, (void)k;
    return 1;
}

static double of_zeros(int i, int k)
{
    (void)i, (void)k;
    return 0;
}

/* Two blocks that do not touch, and a row of zeros between them. */
static double of_blocks(int i, int k)
{
    return i != 3 && k != 3 && (i < 3) == (k < 3) ? 1.0 / (1 + abs(i - k)) : 0;
}

static double of_steps(int i, int k) /* eigenvalues from 1e-12 to 1 */
{
    return i == k ? pow(10, -i % 13) : 0;
}

/* Symmetric, of `rank` random vectors: as the agreement of signs and correlations are. */
static void draw(matrix_t *m, int n, int rank, uint64_t seed)
{
    double vector[MOST];
    nas_rng_t rng;
    nas_rng_init(&rng, seed, NAS_STREAM_BENCH, 0);
    fill(m, n, of_zeros);
    for (int r = 0; r < rank; r++) {
        for (int i = 0; i < n; i++) vector[i] = nas_rng_normal(&rng);
        for (int i = 0; i < n; i++)
            for (int k = 0; k < n; k++) m->at[i * n + k] += vector[i] * vector[k] / n;
    }
}

static double norm_of(const matrix_t *m)
{
    double most = 0;
    for (int i = 0; i < m->n * m->n; i++) most = fmax(most, fabs(m->at[i]));
    return most * m->n;
}

/* A's eigenvalues are those of LAPACK, but for roundings of the largest. */
static void check_eigenvalues(const char *what)
{
    const int n = A.n;
    double value[MOST], work[MOST], expected[MOST];
    const double tolerance = 1e-14 * norm_of(&A) + 1e-300;
    B = A;
    cr_assert_eq(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', n, B.at, n, expected), 0);
    cr_assert(nas_portable_eigenvalues(A.at, n, value, work), "%s", what);
    for (int i = 0; i < n; i++)
        cr_assert_float_eq(value[i], expected[i], tolerance, "%s %d, value %d: %.17g, not %.17g",
                           what, n, i, value[i], expected[i]);
}

Test(portable, eigenvalues_are_those_of_lapack)
{
    static const int size[] = {1, 2, 3, 6, 17, 64, MOST};
    static const struct {
        const char *name;
        double (*entry)(int i, int k);
    } known[] = {{"hilbert", of_hilbert}, {"identity", of_identity}, {"ones", of_ones},
                 {"zeros", of_zeros},     {"blocks", of_blocks},     {"steps", of_steps}};
    for (size_t s = 0; s < sizeof size / sizeof *size; s++) {
        for (size_t m = 0; m < sizeof known / sizeof *known; m++) {
            fill(&A, size[s], known[m].entry);
            check_eigenvalues(known[m].name);
        }
        for (int rank = 1; rank <= 2 * size[s]; rank *= 4) {
            draw(&A, size[s], rank, (uint64_t)rank);
            check_eigenvalues("drawn");
        }
    }
}

Test(portable, where_an_entry_is_not_finite_there_are_no_eigenvalues)
{
    double value[8], work[8];
    fill(&A, 8, of_hilbert);
    A.at[5 * 8 + 2] = A.at[2 * 8 + 5] = (double)NAN;
    cr_assert_not(nas_portable_eigenvalues(A.at, 8, value, work));
    fill(&A, 8, of_hilbert);
    A.at[0] = INFINITY;
    cr_assert_not(nas_portable_eigenvalues(A.at, 8, value, work));
}

static double by_lapack(void)
{
    lapack_int pivot[MOST];
    double sum = 0;
    B = A;
    const int n = A.n;
    if (LAPACKE_dgetrf(LAPACK_ROW_MAJOR, n, n, B.at, n, pivot) < 0) return (double)NAN;
    for (int i = 0; i < n; i++) sum += log(fabs(B.at[i * n + i]));
    return sum;
}

static double by_own_code(void)
{
    B = A;
    return nas_portable_log_determinant(B.at, B.n);
}

Test(portable, determinants_are_those_of_lapack)
{
    for (int n = 1; n <= MOST; n *= 2) {
        draw(&A, n, 2 * n, 7);
        const double expected = by_lapack();
        cr_assert_float_eq(by_own_code(), expected, 1e-9, "%d: %.17g", n, expected);
        fill(&A, n, of_identity);
        cr_assert_eq(by_own_code(), 0.0);
    }
    fill(&A, 8, of_hilbert); /* condition 1e10 */
    const double expected = by_lapack();
    cr_assert_float_eq(by_own_code(), expected, 1e-5);
    const double turned[] = {0, 2, 0, 0, 0, 3, -4, 0, 0}; /* no pivot stands on the diagonal */
    A.n = 3;
    memcpy(A.at, turned, sizeof turned);
    cr_assert_float_eq(by_own_code(), log(24), 1e-15);
}

/* Agreement as images have it: of n, `apart` differ, and the others are like one of those. */
static void agree(int n, int apart, int n_signs, uint64_t seed)
{
    static unsigned char sign[MOST][256];
    nas_rng_t rng;
    nas_rng_init(&rng, seed, NAS_STREAM_BENCH, 0);
    for (int i = 0; i < n; i++)
        for (int s = 0; s < n_signs; s++)
            sign[i][s] = i < apart ? (unsigned char)nas_rng_below(&rng, 2) : sign[i % apart][s];
    fill(&A, n, of_zeros);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++)
            for (int s = 0; s < n_signs; s++) A.at[i * n + k] += sign[i][s] == sign[k][s];
}

Test(portable, determinants_are_infinite_where_those_of_lapack_are)
{
    for (int n = 8; n <= 32; n += 8)
        for (int apart = 1; apart <= n; apart++) {
            agree(n, apart, 97 + 3 * apart, (uint64_t)apart);
            const double expected = by_lapack(), value = by_own_code();
            cr_assert(isfinite(value) == isfinite(expected), "%d of %d", apart, n);
            cr_assert(!isfinite(value) || apart == n, "%d of %d", apart, n);
        }
    fill(&A, 4, of_zeros);
    cr_assert_eq(by_own_code(), -INFINITY);
    fill(&A, 4, of_identity);
    A.at[7] = (double)NAN;
    cr_assert(isnan(by_lapack()) && isnan(by_own_code()));
}

/* A metric both ways, of correlations or agreements in A. */
static void both_ways(const char *name, double value[2])
{
    const nas_program_values_t run = {.correlation = A.at, .agreement = A.at};
    nas_metric_input_t input = {.run = &run, .batch = A.n};
    value[0] = nas_metric_find(name)->value(&input);
    input.is_portable = true;
    value[1] = nas_metric_find(name)->value(&input);
}

Test(portable, metrics_are_what_they_are_by_lapack)
{
    double value[2];
    draw(&A, 64, 128, 3);
    both_ways("jacob_cov", value);
    cr_assert_float_eq(value[1], value[0], 1e-9 * fabs(value[0]));
    both_ways("nwot", value);
    cr_assert_float_eq(value[1], value[0], 1e-9 * fabs(value[0]));
    A.at[1] = A.at[64] = (double)NAN;
    both_ways("jacob_cov", value);
    cr_assert(isnan(value[0]) && isnan(value[1]));
    both_ways("nwot", value);
    cr_assert(isnan(value[0]) && isnan(value[1]));
}

Test(portable, log_synflow_is_what_it_is_by_libm)
{
    const double mantissa[] = {0.75, 1.0, 0.5 + 1e-9, 0.0, INFINITY};
    for (size_t i = 0; i < sizeof mantissa / sizeof *mantissa; i++) {
        const nas_program_values_t flow = {.flow_mantissa = mantissa[i], .flow_exponent = 200};
        nas_metric_input_t input = {.run = &flow};
        const double expected = nas_metric_find("log_synflow")->value(&input);
        input.is_portable = true;
        const double value = nas_metric_find("log_synflow")->value(&input);
        cr_assert(value == expected || fabs(value - expected) < 1e-13, "%g", mantissa[i]);
    }
}

/* FNV-1a. */
static uint64_t hash(const double *x, int n)
{
    uint64_t state = 0xcbf29ce484222325;
    for (int i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        for (int byte = 0; byte < 8; byte++)
            state = (state ^ (bits >> 8 * byte & 0xff)) * 0x100000001b3;
    }
    return state;
}

/* A matrix that needs no library to be made. */
static double of_remainders(int i, int k)
{
    return ((i + 1) * (k + 1) * 7919 % 101 - 50) / 64.0;
}

Test(portable, bits_are_the_same_on_every_machine)
{
    double value[65], work[64];
    fill(&A, 64, of_remainders);
    cr_assert(nas_portable_eigenvalues(A.at, 64, value, work));
    fill(&A, 64, of_remainders);
    for (int i = 0; i < 64; i++) A.at[i * 64 + i] += 2 + i / 8.0;
    value[64] = by_own_code();
    cr_assert_eq(hash(value, 65), 0x1210c4974400780f);
}

Test(portable, cosines_and_exponentials_are_those_of_libm)
{
    for (int i = 0; i <= 1000; i++) {
        const double x = 3.14159265358979323846 * i / 1000;
        cr_assert_lt(fabs(nas_portable_cos(x) - cos(x)), 3e-16, "cos %.17g", x);
        cr_assert_lt(fabs(nas_portable_exp(-x) / exp(-x) - 1), 3e-16, "exp %.17g", -x);
    }
}
