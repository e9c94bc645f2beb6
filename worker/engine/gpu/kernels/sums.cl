/* Sums over tensors that no other kernel makes on its way: by image and channel, moments of a
 * channel, and products of weights.
 *
 * Sums of pixels are float32 over a quad (4 pixels; the last one of a plane ends in the padding,
 * which does not count), then float64: of a work-item, and by a tree.
 */
#include "worker/engine/gpu/kernels/tree.h"

/* ---------------------------------------------------------------------------------- image_dots */

/* Work-items that share a plane: 4 quads each of 16 x 16 pixels. */
#define DOTS_TEAM 16
#define DOTS_LANES (DOTS_TEAM * NAS_GPU_PLANES)

/* A quad of a plane: its sum, of products if there is a b. */
DEVICE float dots_quad(const GLOBAL float *a, const GLOBAL float *b, int has_b, int n_left)
{
    float x[4], y[4], sum = 0;
    LOAD4(x, a);
    UNROLL for (int j = 0; j < 4; j++) y[j] = 1;
    if (has_b) LOAD4(y, b);
    UNROLL for (int j = 0; j < 4; j++)
        if (j < n_left) sum = MAD(x[j], y[j], sum);
    return sum;
}

/* A work-item's part of a plane. */
DEVICE double dots_part(const GLOBAL nas_gpu_image_dots_t *k, const GLOBAL float *arena, int image,
                        int channel, int first)
{
    const int n_pixels = k->h * k->w, pitch = NAS_GPU_PITCH(k->h, k->w), has_b = k->b.at >= 0;
    const i64 a_plane = (i64)image * k->a.c_total + k->a.c_first + channel;
    const i64 b_plane = (i64)image * k->b.c_total + k->b.c_first + channel;
    const GLOBAL float *a = arena + k->a.at + a_plane * pitch;
    const GLOBAL float *b = arena + (has_b ? k->b.at + b_plane * pitch : 0);
    double sum = 0;
    for (int p = 0; p < n_pixels; p += 4 * DOTS_TEAM) {
        const int at = p + 4 * first;
        if (at < n_pixels) sum += dots_quad(a + at, b + at, has_b, n_pixels - at);
    }
    return sum;
}

NAS_KERNEL(image_dots, DOTS_LANES)
{
    LOCAL(double, tree, DOTS_LANES);
    const GLOBAL nas_gpu_image_dots_t *k = NAS_WORK(nas_gpu_image_dots_t);
    const int lane = LANE, first = lane % DOTS_TEAM, c = k->c;
    const i64 begin = (i64)GROUP_X * NAS_GPU_PLANES, n_planes = (i64)k->n * c;
    /* No group returns early: what PoCL makes of that is wrong where it does not optimise. */
    const i64 plane = begin + lane / DOTS_TEAM;
    const int image = (int)(plane / c), channel = (int)(plane - (i64)image * c);
    tree[lane] = plane < n_planes ? dots_part(k, arena, image, channel, first) : 0;
    for (int step = DOTS_TEAM / 2; step > 0; step /= 2) {
        BARRIER();
        if (first < step) tree[lane] += tree[lane + step];
    }
    if (first == 0 && plane < n_planes) vectors[k->sum + plane] = tree[lane];
}

/* ------------------------------------------------------------------------------------- moments */

#define MOMENTS_LANES 64

/* A work-item's part of a channel of n images: sums of x - center and of its square.  step: floats
 * from image to image. */
DEVICE void moments_part(const GLOBAL float *x, i64 step, int n_images, int n_pixels, float center,
                         double *sums)
{
    const int n_quads = (n_pixels + 3) / 4;
    const int images = MOMENTS_LANES / n_quads, quads = MOMENTS_LANES - images * n_quads;
    int image = LANE / n_quads, quad = LANE % n_quads;
    sums[0] = sums[1] = 0;
    for (int left = n_images * n_quads; left > 0; left -= MOMENTS_LANES) {
        float a[4], sum = 0, squares = 0;
        UNROLL for (int j = 0; j < 4; j++) a[j] = center;
        if (image < n_images) LOAD4(a, x + image * step + 4 * quad);
        UNROLL for (int j = 0; j < 4; j++) {
            const float d = 4 * quad + j < n_pixels ? a[j] - center : 0;
            sum += d;
            squares = MAD(d, d, squares);
        }
        sums[0] += sum;
        sums[1] += squares;
        image += images;
        quad += quads;
        if (quad >= n_quads) quad -= n_quads, image++;
    }
}

/* The first sum only has to come near the mean: deviations are from what it says, rounded to
 * float32, and their own mean moves both the mean and the squares to where they belong. */
NAS_KERNEL(moments, MOMENTS_LANES)
{
    LOCAL(double, tree, MOMENTS_LANES);
    const GLOBAL nas_gpu_moments_t *k = NAS_WORK(nas_gpu_moments_t);
    const int lane = LANE, n = k->n, c = k->c, tile = GROUP_X / c, channel = GROUP_X - tile * c;
    const int per = NAS_GPU_TILE_IMAGES(n), first = tile * per;
    if (first >= n) return;
    const int n_images = n - first < per ? n - first : per, n_pixels = k->h * k->w;
    const int pitch = NAS_GPU_PITCH(k->h, k->w);
    const i64 step = (i64)k->x.c_total * pitch;
    const GLOBAL float *x =
        arena + k->x.at + first * step + (i64)(k->x.c_first + channel) * pitch;
    const double count = (double)n_images * n_pixels;
    double sums[2];
    moments_part(x, step, n_images, n_pixels, 0, sums);
    const float near = (float)(nas_gpu_tree_sum(tree, MOMENTS_LANES, lane, sums[0]) / count);
    moments_part(x, step, n_images, n_pixels, near, sums);
    const double sum = nas_gpu_tree_sum(tree, MOMENTS_LANES, lane, sums[0]);
    const double squares = nas_gpu_tree_sum(tree, MOMENTS_LANES, lane, sums[1]);
    if (lane == 0) {
        GLOBAL double *out = vectors + k->moments + (i64)tile * 2 * c + channel;
        out[0] = near + sum / count;
        out[c] = MAD64(-sum, sum / count, squares);
    }
}

/* --------------------------------------------------------------------------------- weight_dots */

#define WEIGHT_DOTS_LANES 256

NAS_KERNEL(weight_dots, WEIGHT_DOTS_LANES)
{
    LOCAL(double, tree, 2 * WEIGHT_DOTS_LANES);
    const GLOBAL nas_gpu_weight_dot_t *k = NAS_WORK(nas_gpu_weight_dot_t);
    const GLOBAL float *x = arena + k->a, *y = arena + k->b;
    const int lane = LANE;
    const i64 n = k->n;
    double sum = 0, absolute = 0;
    for (i64 i = 0; i < n; i += WEIGHT_DOTS_LANES) {
        const i64 j = i + lane;
        const double product = j < n ? (double)x[j] * (double)y[j] : 0; /* exact */
        sum += product;
        absolute += fabs(product);
    }
    tree[lane] = sum;
    tree[WEIGHT_DOTS_LANES + lane] = absolute;
    for (int step = WEIGHT_DOTS_LANES / 2; step > 0; step /= 2) {
        BARRIER();
        if (lane < step) {
            tree[lane] += tree[lane + step];
            tree[WEIGHT_DOTS_LANES + lane] += tree[WEIGHT_DOTS_LANES + lane + step];
        }
    }
    BARRIER();
    if (lane < 2) vectors[k->sums + lane] = tree[lane * WEIGHT_DOTS_LANES];
}
