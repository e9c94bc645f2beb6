/* A conditioned process at other points. */
#include "coordinator/search/bo/cholesky.h"
#include "coordinator/search/bo/gp_internal.h"
#include "coordinator/search/bo/gp_kernel.h"

#include <cblas.h>
#include <math.h>

/* The first m points of gp->query. */
static void predict_block(const nas_gp_t *gp, int64_t m, double *mean, double *std)
{
    const nas_point_columns_t query = {gp->query, m, gp->d, NAS_GP_BLOCK};
    for (int64_t j = 0; j < m; j++) mean[j] = 0.0;
    for (int64_t i = 0; i < gp->n; i++) {
        double *cross = gp->cross + i * NAS_GP_BLOCK;
        nas_kernel_distance(query, gp->points + i * gp->d, gp->row);
        nas_kernel_matern(m, gp->row, gp->length_scale, cross, gp->row_slope);
        cblas_daxpy((int)m, gp->alpha[i], cross, 1, mean, 1);
    }
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (int)gp->n,
                (int)m, 1.0, gp->factor, (int)gp->n, gp->cross, NAS_GP_BLOCK);
    double *variance = gp->row;
    for (int64_t j = 0; j < m; j++) variance[j] = 1.0;
    for (int64_t i = 0; i < gp->n; i++) {
        const double *cross = gp->cross + i * NAS_GP_BLOCK;
        for (int64_t j = 0; j < m; j++) variance[j] -= cross[j] * cross[j];
    }
    for (int64_t j = 0; j < m; j++) {
        mean[j] = gp->y_mean + gp->y_std * mean[j];
        std[j] = variance[j] > 0.0 ? gp->y_std * sqrt(variance[j]) : 0.0;
    }
}

nas_status_t nas_gp_predict(const nas_gp_t *gp, nas_matrix_view_t X, double *mean, double *std)
{
    const int64_t n_at_once = nas_cholesky_columns(gp->n, NAS_GP_BLOCK);
    for (int64_t first = 0; first < X.n; first += n_at_once) {
        const int64_t m = X.n - first < n_at_once ? X.n - first : n_at_once;
        if (nas_gp_interrupted(gp)) return NAS_ESTOP;
        for (int64_t j = 0; j < m; j++) {
            const double *x = X.data + (first + j) * X.stride;
            for (int64_t c = 0; c < gp->d; c++) gp->query[c * NAS_GP_BLOCK + j] = x[c];
        }
        predict_block(gp, m, mean + first, std + first);
    }
    return NAS_OK;
}

/* sum_i weight_i d value_i / dx, for the kernel slopes in gp->row_slope. */
static void kernel_gradient(const nas_gp_t *gp, const double *x, const double *weight,
                            double *gradient)
{
    const double scale = -5.0 / (gp->length_scale * gp->length_scale);
    for (int64_t c = 0; c < gp->d; c++) {
        const double *column = gp->columns + c * gp->n;
        double sum = 0.0;
        for (int64_t i = 0; i < gp->n; i++) {
            sum += weight[i] * gp->row_slope[i] * (x[c] - column[i]);
        }
        gradient[c] = scale * sum;
    }
}

void nas_gp_predict_gradient(const nas_gp_t *gp, const double *x, nas_gp_point_t *point)
{
    const int n = (int)gp->n;
    double *solution = gp->cross; /* k, then L^-1 k, then K^-1 k */
    nas_kernel_distance((nas_point_columns_t){gp->columns, gp->n, gp->d, gp->n}, x, gp->row);
    nas_kernel_matern(gp->n, gp->row, gp->length_scale, solution, gp->row_slope);
    const double mean = cblas_ddot(n, solution, 1, gp->alpha, 1);
    cblas_dtrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, n, gp->factor, n, solution,
                1);
    const double variance = 1.0 - cblas_ddot(n, solution, 1, solution, 1);
    const double std = variance > 0.0 ? sqrt(variance) : 0.0;
    cblas_dtrsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, n, gp->factor, n, solution, 1);

    kernel_gradient(gp, x, gp->alpha, gp->mean_gradient);
    kernel_gradient(gp, x, solution, gp->std_gradient);
    for (int64_t c = 0; c < gp->d; c++) {
        gp->mean_gradient[c] *= gp->y_std;
        gp->std_gradient[c] *= std > 0.0 ? -gp->y_std / std : 0.0;
    }
    *point = (nas_gp_point_t){
        .mean = gp->y_mean + gp->y_std * mean,
        .std = gp->y_std * std,
        .mean_gradient = gp->mean_gradient,
        .std_gradient = gp->std_gradient,
    };
}
