/* How the channels of a tensor vary together, over all images and pixels. */
#include "worker/engine/host/run.h"

enum { LANES = 8 };

/* Sums in eight lanes, so that compilers turn them into vectors without another order. */
static double product(const double *restrict a, const double *restrict b, int64_t n)
{
    double lane[LANES] = {0}, sum = 0;
    int64_t k = 0;
    for (; k + LANES <= n; k += LANES)
        for (int i = 0; i < LANES; i++) lane[i] += a[k + i] * b[k + i];
    for (; k < n; k++) sum += a[k] * b[k];
    for (int i = 0; i < LANES; i++) sum += lane[i];
    return sum;
}

/* One channel, of images that lie `stride` apart, about its mean. */
static void center(double *x, int n_images, int64_t stride, int64_t n)
{
    double sum = 0;
    for (int i = 0; i < n_images; i++)
        for (int64_t k = 0; k < n; k++) sum += x[i * stride + k];
    const double mean = sum / ((double)n_images * (double)n);
    for (int i = 0; i < n_images; i++)
        for (int64_t k = 0; k < n; k++) x[i * stride + k] -= mean;
}

void nas_run_covariance(const nas_run_t *run, const nas_scalar_op_t *op)
{
    const int n_images = run->program->n;
    const int64_t c = op->c, n = (int64_t)op->count;
    double *x = nas_run_vector(run, op->in), *out = nas_run_vector(run, op->out);
    for (int64_t i = 0; i < c; i++) center(x + i * n, n_images, c * n, n);
    for (int image = 0; image < n_images; image++, x += c * n)
        for (int64_t i = 0; i < c; i++)
            for (int64_t j = 0; j <= i; j++) out[i * c + j] += product(x + i * n, x + j * n, n);
    for (int64_t i = 0; i < c; i++)
        for (int64_t j = 0; j <= i; j++) {
            out[i * c + j] /= (double)n_images * (double)n;
            out[j * c + i] = out[i * c + j];
        }
}
