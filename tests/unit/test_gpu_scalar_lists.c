/* What scalars.cl has to do that the host has not: lists of operations, and what is left to do
 * behind a device's sums. */
#include "common/base/rng.h"
#include "gpu_launch.h"

#include <float.h>
#include <math.h>

typedef int64_t i64;
typedef uint32_t u32;
#include "worker/engine/gpu/kernels/work.h"

enum { VECTORS = 1 << 15, FLOATS = 1 << 14, TABLE = 1 << 14, OUT = 30000 };

/* A list of n operations at the beginning of the table is carried out. */
static void run_list(launch_memory_t *m, const nas_gpu_scalar_t *op, int n)
{
    const nas_gpu_scalars_t list = {.ops = sizeof list, .n = n};
    memcpy(m->table, &list, sizeof list);
    memcpy(m->table + sizeof list, op, (size_t)n * sizeof *op);
    launch_run(m, "scalars", "scalars", 1, 1);
}

static launch_memory_t create(nas_gpu_t *gpu)
{
    launch_memory_t m = launch_create(gpu, FLOATS, VECTORS, 1, TABLE);
    nas_rng_t rng;
    nas_rng_init(&rng, 1, NAS_STREAM_BENCH, 0);
    for (int i = 0; i < VECTORS; i++) m.vectors[i] = nas_rng_between(&rng, -1, 1);
    for (int i = 0; i < FLOATS; i++) m.arena[i] = (float)nas_rng_between(&rng, -1, 1);
    return m;
}

/* --------------------------------------------------------------------------------------- lists */

/* Every operation sees what all lanes of the one before it wrote: a vector is turned around by a
 * sum over two places, again and again, and groups work through lists of their own. */
static void lists_are_in_order(nas_gpu_t *gpu)
{
    enum { N_LISTS = 3, C = 500, N_OPS = 20 };
    launch_memory_t m = create(gpu);
    double *expected = calloc(VECTORS, sizeof *expected);
    nas_gpu_scalars_t *list = (void *)m.table;
    nas_gpu_scalar_t *op = (void *)(m.table + N_LISTS * sizeof *list);
    memcpy(expected, m.vectors, VECTORS * sizeof *expected);
    for (int l = 0; l < N_LISTS; l++) {
        const int n_ops = N_OPS - 3 * l;
        list[l] = (nas_gpu_scalars_t){.ops = (unsigned char *)op - m.table, .n = n_ops};
        for (int i = 0; i < n_ops; i++, op++) {
            /* to and fro, one further each time */
            const int a = l * 4 * C + i, b = a + 2 * C + 1, from = i % 2 ? b : a,
                      to = i % 2 ? a : b;
            *op = (nas_gpu_scalar_t){
                .kind = i % 3 ? NAS_GPU_ADD : NAS_GPU_COPY, .in = from, .out = to, .c = C};
            for (int c = 0; c < C; c++)
                expected[to + c] = expected[from + c] + (i % 3 ? expected[to + c] : 0);
        }
    }
    cr_assert_leq((unsigned char *)op - m.table, TABLE);
    launch_run(&m, "scalars", "scalars", 1, N_LISTS);
    for (int i = 0; i < VECTORS; i++) cr_assert_eq(m.vectors[i], expected[i], "%d", i);
    free(expected);
    launch_destroy(&m);
}
ON_EVERY_LAYER(lists_are_in_order)

/* ------------------------------------------------------------------------------------- moments */

typedef struct tiling {
    int n, c, h, w;    /* of the tensor */
    int per, rows;     /* of a tile */
    int first, stride; /* among channels in memory */
} tiling_t;

/* An element of a tensor whose mean is large beside its deviations. */
static double element(int n, int c, int row, int column)
{
    return 1000 * c + sin(17 * n + 5 * c + 3 * row + column);
}

/* Mean and squared deviations of images [n0, n1), rows [h0, h1). */
static void moments_of(const tiling_t *t, int c, const int range[4], double out[2])
{
    long double sum = 0, squares = 0;
    const double count = (double)(range[1] - range[0]) * (range[3] - range[2]) * t->w;
    for (int pass = 0; pass < 2; pass++)
        for (int n = range[0]; n < range[1]; n++)
            for (int row = range[2]; row < range[3]; row++)
                for (int column = 0; column < t->w; column++) {
                    const long double x = element(n, c, row, column);
                    if (pass)
                        squares += (x - sum / count) * (x - sum / count);
                    else
                        sum += x;
                }
    out[0] = (double)(sum / count);
    out[1] = (double)squares;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Moments of all tiles, in their order; how many doubles. */
static int make_tiles(const tiling_t *t, double *to)
{
    int tile = 0;
    for (int n = 0; n < t->n; n += t->per)
        for (int row = 0; row < t->h; row += t->rows, tile++)
            for (int c = 0; c < t->c; c++) {
                const int range[] = {n, smaller(n + t->per, t->n), row,
                                     smaller(row + t->rows, t->h)};
                double moments[2];
                moments_of(t, c, range, moments);
                to[2 * tile * t->stride + t->first + c] = moments[0];
                to[(2 * tile + 1) * t->stride + t->first + c] = moments[1];
            }
    return 2 * tile * t->stride;
}

/* Moments of tiles become those of the whole, whatever its sizes. */
static void moments_are_merged(nas_gpu_t *gpu)
{
    static const tiling_t tiling[] = {{6, 16, 8, 8, 2, 8, 0, 16},
                                      {7, 8, 7, 3, 2, 3, 40, 60},
                                      {1, 3, 5, 1, 1, 2, 0, 3},
                                      {3, 200, 2, 2, 2, 1, 56, 256},
                                      {2, 300, 3, 2, 1, 3, 0, 300}};
    for (size_t i = 0; i < sizeof tiling / sizeof *tiling; i++) {
        const tiling_t *t = &tiling[i];
        const double count = (double)t->n * t->h * t->w;
        launch_memory_t m = create(gpu);
        cr_assert_leq(make_tiles(t, m.vectors), OUT);
        const nas_gpu_scalar_t op = {.kind = NAS_GPU_MOMENTS,
                                     .norm = OUT,
                                     .count = count,
                                     .n = t->n,
                                     .c = t->c,
                                     .h = t->h,
                                     .w = t->w,
                                     .per = t->per,
                                     .rows = t->rows,
                                     .first = t->first,
                                     .stride = t->stride};
        run_list(&m, &op, 1);
        for (int c = 0; c < t->c; c++) {
            const int all[] = {0, t->n, 0, t->h};
            double expected[2];
            moments_of(t, c, all, expected);
            const double mean = m.vectors[OUT + c], variance = m.vectors[OUT + t->c + c];
            cr_assert_leq(fabs(mean - expected[0]), 2 * DBL_EPSILON * fabs(expected[0]) + 1e-15);
            cr_assert_leq(fabs(variance * count / expected[1] - 1), 1e-9, "shape %zu channel %d", i,
                          c);
        }
        launch_destroy(&m);
    }
}
ON_EVERY_LAYER(moments_are_merged)

/* ------------------------------------------------------------------------------- parts, tensors */

static void parts_are_added_in_order(nas_gpu_t *gpu)
{
    const int channels[] = {1, 16, 300};
    for (int i = 0; i < 3; i++) {
        const int c = channels[i];
        launch_memory_t m = create(gpu);
        const nas_gpu_scalar_t op = {.kind = NAS_GPU_DOT_PARTS, .in = 3, .out = OUT, .c = c};
        run_list(&m, &op, 1);
        for (int k = 0; k < c; k++) {
            double sum = 0;
            for (int part = 0; part < NAS_GPU_PARTS; part++) sum += m.vectors[3 + part * c + k];
            cr_assert_eq(m.vectors[OUT + k], sum);
        }
        launch_destroy(&m);
    }
}
ON_EVERY_LAYER(parts_are_added_in_order)

/* The largest magnitude of a range of channels, of which padding and other channels are no part. */
static void largest_magnitude(nas_gpu_t *gpu)
{
    enum { N = 2, C = 5, STRIDE = 9, H = 7, W = 3, PITCH = 24, AT = 40 };
    for (int place = 0; place < N * C * H * W; place += 19) {
        launch_memory_t m = create(gpu);
        const int plane = place / (H * W), image = plane / C;
        for (int i = 0; i < FLOATS; i++) m.arena[i] = 1e6f; /* nobody's */
        for (int i = 0; i < N * C * H * W; i++) {
            const int p = i / (H * W);
            m.arena[AT + (p / C * STRIDE + p % C) * PITCH + i % (H * W)] = (float)-sin(i);
        }
        m.arena[AT + (image * STRIDE + plane % C) * PITCH + place % (H * W)] = -2.5f;
        const nas_gpu_scalar_t op = {.kind = NAS_GPU_MAX_ABS,
                                     .in = AT,
                                     .out = OUT,
                                     .n = N,
                                     .c = C,
                                     .h = H,
                                     .w = W,
                                     .stride = STRIDE};
        run_list(&m, &op, 1);
        cr_assert_eq(m.vectors[OUT], 2.5, "%d", place);
        launch_destroy(&m);
    }
}
ON_EVERY_LAYER(largest_magnitude)

static void agreements_of_pairs(nas_gpu_t *gpu)
{
    enum { N = 19 };
    launch_memory_t m = create(gpu);
    u32 *differ = (void *)(m.vectors + 4);
    const nas_gpu_scalar_t op = {
        .kind = NAS_GPU_AGREEMENT, .in = 4, .out = OUT, .n = N, .count = 5e9};
    for (u32 i = 0; i < N; i++)
        for (u32 j = 0; j < N; j++) differ[i * N + j] = j < i ? 4000000000u + i * 100 + j : 7;
    run_list(&m, &op, 1);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            const int high = i > j ? i : j, low = i + j - high;
            const double expected = i == j ? 5e9 : 1e9 - high * 100 - low;
            cr_assert_eq(m.vectors[OUT + i * N + j], expected, "%d %d", i, j);
        }
    launch_destroy(&m);
}
ON_EVERY_LAYER(agreements_of_pairs)
