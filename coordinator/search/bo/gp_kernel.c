#include "coordinator/search/bo/gp_kernel.h"

#include "common/base/exponential.h"
#include "coordinator/search/bo/cholesky.h"

#include <math.h>
#include <string.h>

/* The loops below are compiled for several instruction sets, and the loader picks one. All give the
 * same bits: they add, multiply and take roots entry by entry, each exactly rounded. Clang 14 does
 * not link such clones, and ThreadSanitizer starts too late for the loader's choice. */
#if defined(__x86_64__) && defined(__linux__) && !defined(__clang__) &&                            \
    !defined(__SANITIZE_THREAD__)
#define VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTOR_CLONES
#endif

NAS_DEFINE_EXP(exp_within, double, uint64_t)

/* exp(-s) for s >= 0, 0 from 700 on. */
static inline double exp_negative(double s)
{
    const double clamped = s < NAS_EXP_MOST ? s : NAS_EXP_MOST;
    const double value = exp_within(-clamped);
    return s < NAS_EXP_MOST ? value : 0.0;
}

VECTOR_CLONES void nas_kernel_exp(int64_t n, const double *restrict s, double *restrict result)
{
    for (int64_t i = 0; i < n; i++) result[i] = exp_negative(s[i]);
}

VECTOR_CLONES void nas_kernel_distance(nas_point_columns_t points, const double *x,
                                       double *restrict distance)
{
    for (int64_t j = 0; j < points.n; j++) distance[j] = 0.0;
    for (int64_t c = 0; c < points.d; c++) {
        const double *column = points.data + c * points.stride;
        for (int64_t j = 0; j < points.n; j++) {
            const double difference = x[c] - column[j];
            distance[j] += difference * difference;
        }
    }
    for (int64_t j = 0; j < points.n; j++) distance[j] = sqrt(5.0 * distance[j]);
}

VECTOR_CLONES void nas_kernel_matern(int64_t n, const double *restrict distance,
                                     double length_scale, double *restrict value,
                                     double *restrict slope)
{
    const double vanished = 1e4; /* keeps the polynomial finite where the exponential is 0 */
    const double inverse = 1.0 / length_scale;
    for (int64_t i = 0; i < n; i++) {
        const double scaled = distance[i] * inverse;
        const double s = scaled < vanished ? scaled : vanished;
        const double e = exp_negative(s);
        value[i] = (1.0 + s + s * s * (1.0 / 3.0)) * e;
        slope[i] = (1.0 + s) * e * (1.0 / 3.0);
    }
}

static nas_status_t factorise(int64_t n, const double *pairs, double diagonal,
                              const nas_interrupt_t *interrupt, double *factor)
{
    for (int64_t i = 0; i < n; i++) {
        if (i > 0) memcpy(factor + i * n, pairs, (size_t)i * sizeof *pairs);
        factor[i * n + i] = diagonal;
        pairs += i;
    }
    return nas_cholesky_factor(n, factor, interrupt);
}

nas_status_t nas_kernel_factorise(int64_t n, const double *pairs, double diagonal,
                                  const nas_interrupt_t *interrupt, double *factor)
{
    enum { N_JITTERS = 7 }; /* up to 1e-2 */
    nas_status_t status = factorise(n, pairs, diagonal, interrupt, factor);
    double jitter = 1e-8;
    for (int i = 0; status == NAS_ENUMERIC && i < N_JITTERS; i++) {
        status = factorise(n, pairs, diagonal + jitter, interrupt, factor);
        jitter *= 10.0;
    }
    return status;
}
