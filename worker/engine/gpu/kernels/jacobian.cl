/* How alike the images' gradients are: correlations of the rows of the Jacobian, in float64. */
#include "worker/engine/gpu/kernels/tree.h"

/* --------------------------------------------------------------------------------- standardise */

#define ROW_LANES 256

NAS_KERNEL(standardise, ROW_LANES)
{
    LOCAL(double, tree, ROW_LANES);
    const GLOBAL nas_gpu_correlation_t *k = NAS_WORK(nas_gpu_correlation_t);
    const int lane = LANE;
    const i64 d = k->d;
    const int n = k->n;
    if (GROUP_X >= n) return;
    GLOBAL double *row = vectors + k->rows + (i64)GROUP_X * d;
    double sum = 0, squares = 0;
    for (i64 i = 0; i < d; i += ROW_LANES)
        if (i + lane < d) sum += row[i + lane];
    const double mean = nas_gpu_tree_sum(tree, ROW_LANES, lane, sum) / (double)d;
    for (i64 i = 0; i < d; i += ROW_LANES)
        if (i + lane < d) squares = MAD64(row[i + lane] - mean, row[i + lane] - mean, squares);
    const double scale = 1.0 / sqrt(nas_gpu_tree_sum(tree, ROW_LANES, lane, squares));
    for (i64 i = 0; i < d; i += ROW_LANES)
        if (i + lane < d) row[i + lane] = (row[i + lane] - mean) * scale;
}

/* ----------------------------------------------------------------------------------- correlate */

/* A team works out one entry of K. */
#define CORRELATE_TEAM 16
#define CORRELATE_TEAMS 16
#define CORRELATE_LANES (CORRELATE_TEAM * CORRELATE_TEAMS)

/* What is no number stays so. */
DEVICE double correlate_cut(double x)
{
    if (!(x - x == 0)) return x;
    return x > 1 ? 1 : x < -1 ? -1 : x;
}

/* Row i against rows j <= i, as many at a time as there are teams. All of a group read row i at once:
 * it comes out of the nearest cache. */
NAS_KERNEL(correlate, CORRELATE_LANES)
{
    LOCAL(double, tree, CORRELATE_LANES);
    const GLOBAL nas_gpu_correlation_t *k = NAS_WORK(nas_gpu_correlation_t);
    const int lane = LANE, first = lane % CORRELATE_TEAM, n = k->n, i = GROUP_X;
    const i64 d = k->d;
    if (i >= n) return;
    const GLOBAL double *rows = vectors + k->rows, *row = rows + i * d;
    GLOBAL double *out = vectors + k->out;
    for (int begin = 0; begin <= i; begin += CORRELATE_TEAMS) {
        const int j = begin + lane / CORRELATE_TEAM;
        double sum = 0;
        for (i64 p = 0; p < d; p += CORRELATE_TEAM)
            if (j <= i && p + first < d)
                sum = MAD64(row[p + first], rows[j * d + p + first], sum);
        tree[lane] = sum;
        for (int step = CORRELATE_TEAM / 2; step > 0; step /= 2) {
            BARRIER();
            if (first < step) tree[lane] += tree[lane + step];
        }
        if (first == 0 && j <= i)
            out[(i64)i * n + j] = out[(i64)j * n + i] = correlate_cut(tree[lane]);
        BARRIER();
    }
}
