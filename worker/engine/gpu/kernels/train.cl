/* Training: images of a step, and what becomes of the gradients. In float64 as sgd.h and
 * training_step.c on the host, product by product; only norms are summed in another order. */
#include "worker/engine/gpu/kernels/rng.h"

#define TRAIN_LANES 256

/* -------------------------------------------------------------------------------------- images */

/* A stream of nas_rng_t. */
typedef struct draws {
    u32 key[2];
    u32 counter[4];
    u32 block[4];
    int n_used;
} draws_t;

DEVICE void next_block(draws_t *draws)
{
    u32 key[2];
    key[0] = draws->key[0];
    key[1] = draws->key[1];
    for (int i = 0; i < 4; i++) draws->block[i] = draws->counter[i];
    nas_gpu_philox(key, draws->block);
    draws->counter[0]++;
    draws->n_used = 0;
}

DEVICE u64 draw(draws_t *draws)
{
    if (draws->n_used + 2 > 4) next_block(draws);
    const u64 low = draws->block[draws->n_used], high = draws->block[draws->n_used + 1];
    draws->n_used += 2;
    return high << 32 | low;
}

/* Uniform in [0, n): values beyond the last whole multiple of n are drawn again. */
DEVICE int draw_below(draws_t *draws, int n)
{
    const u64 most = ~(u64)0, excess = (most % (u64)n + 1) % (u64)n;
    u64 x;
    do {
        x = draw(draws);
    } while (x > most - excess);
    return (int)(x % (u64)n);
}

/* What is done to an image (objectives/train/augment.c). */
typedef struct change {
    int down, right, mirrored, row, column;
} change_t;

DEVICE change_t draw_change(const GLOBAL nas_gpu_augment_t *k, u32 image, u32 epoch)
{
    change_t change;
    draws_t draws;
    draws.key[0] = k->seed[0];
    draws.key[1] = k->seed[1];
    draws.counter[0] = 0;
    draws.counter[1] = k->stream;
    draws.counter[2] = image;
    draws.counter[3] = epoch;
    draws.n_used = 4;
    change.down = draw_below(&draws, 2 * k->crop + 1) - k->crop;
    change.right = draw_below(&draws, 2 * k->crop + 1) - k->crop;
    change.mirrored = draw_below(&draws, 2) == 1 && k->flip;
    change.row = draw_below(&draws, k->h) - k->cutout / 2;
    change.column = draw_below(&draws, k->w) - k->cutout / 2;
    return change;
}

NAS_KERNEL(augment, TRAIN_LANES)
{
    const GLOBAL nas_gpu_augment_t *k = NAS_WORK(nas_gpu_augment_t);
    const int place = GROUP_X, h = k->h, w = k->w, plane = h * w;
    if (place >= k->n) return;
    const GLOBAL double *step = vectors + k->step;
    const GLOBAL int *order = (const GLOBAL int *)(data + k->order) + k->first + place;
    const int image = k->step < 0 ? order[0] : order[(int)step[NAS_GPU_STEP_PLACE]];
    change_t change = {0, 0, 0, 0, 0};
    int cutout = 0;
    if (k->step >= 0) {
        change = draw_change(k, (u32)image, (u32)step[NAS_GPU_STEP_EPOCH]);
        cutout = k->cutout;
    }
    GLOBAL float *to = arena + k->to + (i64)place * k->c * NAS_GPU_PITCH(h, w);
    for (int first = 0; first < k->c * plane; first += TRAIN_LANES) {
        const int i = first + LANE, c = i / plane, p = i % plane, y = p / w, x = p % w;
        if (i >= k->c * plane) continue;
        const int from_y = y + change.down;
        const int from_x = (change.mirrored ? w - 1 - x : x) + change.right;
        const i64 at = ((i64)image * k->c + c) * plane + (i64)from_y * w + from_x;
        float value;
        if (y >= change.row && y < change.row + cutout && x >= change.column &&
            x < change.column + cutout)
            value = 0;
        else if (from_y < 0 || from_y >= h || from_x < 0 || from_x >= w)
            value = ((const GLOBAL float *)(data + k->black))[c];
        else if (k->table >= 0)
            value = ((const GLOBAL float *)(data + k->table))[c * 256 + data[k->images + at]];
        else
            value = ((const GLOBAL float *)(data + k->images))[at];
        to[(i64)c * NAS_GPU_PITCH(h, w) + p] = value;
    }
}

/* ----------------------------------------------------------------------------------- gradients */

NAS_KERNEL(gather, TRAIN_LANES)
{
    LOCAL(double, squares, TRAIN_LANES);
    LOCAL(double, finite, TRAIN_LANES);
    const GLOBAL nas_gpu_gather_t *k = NAS_WORK(nas_gpu_gather_t);
    const int lane = LANE, n_shards = k->n_shards;
    const i64 first = (i64)GROUP_X * NAS_GPU_GATHER;
    const double share = 1.0 / n_shards;
    double of_squares = 0, of_finite = 0;
    if (first >= k->n) return;
    for (int turn = 0; turn < NAS_GPU_GATHER; turn += TRAIN_LANES) {
        const i64 i = first + turn + lane;
        if (i >= k->n) continue;
        double g = vectors[k->shards + i];
        for (int s = 1; s < n_shards; s++) g += vectors[k->shards + s * k->stride + i];
        if (n_shards > 1) g *= share;
        vectors[k->out + i] = g;
        of_squares = MAD64(g, g, of_squares);
        of_finite = MAD64(0.0, g, of_finite);
    }
    squares[lane] = of_squares;
    finite[lane] = of_finite;
    for (int step = TRAIN_LANES / 2; step > 0; step /= 2) {
        BARRIER();
        if (lane < step) {
            squares[lane] += squares[lane + step];
            finite[lane] += finite[lane + step];
        }
    }
    if (lane == 0) {
        vectors[k->parts + 2 * GROUP_X] = squares[0];
        vectors[k->parts + 2 * GROUP_X + 1] = finite[0];
    }
}

/* What the first lane works out for all: loss, whether the step counts, clipping. */
DEVICE void judge(const GLOBAL nas_gpu_settle_t *k, GLOBAL double *vectors)
{
    GLOBAL double *step = vectors + k->step;
    double loss = vectors[k->loss], squares = 0, finite = 0, clip = 1;
    for (int s = 1; s < k->n_shards; s++) loss += vectors[k->loss + s * k->stride];
    if (k->n_shards > 1) loss *= 1.0 / k->n_shards;
    for (int i = 0; i < k->n_parts; i++) {
        squares += vectors[k->parts + 2 * i];
        finite += vectors[k->parts + 2 * i + 1];
    }
    finite = MAD64(0.0, loss, finite);
    if (step[NAS_GPU_STEP_BAD] < 0 && !(finite == 0)) step[NAS_GPU_STEP_BAD] = step[NAS_GPU_STEP_NUMBER];
    step[NAS_GPU_STEP_GOES] = step[NAS_GPU_STEP_BAD] < 0;
    if (k->most > 0) clip = k->most / (sqrt(squares) + 1e-6);
    step[NAS_GPU_STEP_CLIP] = clip < 1 ? clip : 1;
    if (step[NAS_GPU_STEP_BAD] < 0) step[NAS_GPU_STEP_LOSS_SUM] += loss;
    if (step[NAS_GPU_STEP_BAD] < 0 || step[NAS_GPU_STEP_BAD] >= step[NAS_GPU_STEP_NUMBER])
        step[NAS_GPU_STEP_LOSS] = loss;
}

NAS_KERNEL(settle, TRAIN_LANES)
{
    const GLOBAL nas_gpu_settle_t *k = NAS_WORK(nas_gpu_settle_t);
    const double share = 1.0 / k->n_shards;
    if (LANE == 0) judge(k, vectors);
    BARRIER();
    if (vectors[k->step + NAS_GPU_STEP_GOES] == 0) return;
    for (i64 turn = 0; turn < k->n_statistics; turn += TRAIN_LANES) {
        const i64 i = turn + LANE;
        if (i >= k->n_statistics) continue;
        const double unbiased = vectors[k->unbiased + i];
        double m = vectors[k->moments + i];
        if (unbiased == 0) continue;
        for (int s = 1; s < k->n_shards; s++) m += vectors[k->moments + s * k->stride + i];
        if (k->n_shards > 1) m *= share;
        m = unbiased * m;
        const double weight = k->share < 0 ? 0.1 : vectors[k->share + i], rest = 1 - weight;
        const double kept = rest * vectors[k->statistics + i], found = weight * m;
        vectors[k->statistics + i] = kept + found;
    }
}

NAS_KERNEL(descend, TRAIN_LANES)
{
    const GLOBAL nas_gpu_descend_t *k = NAS_WORK(nas_gpu_descend_t);
    const GLOBAL double *step = vectors + k->step;
    const double clip = step[NAS_GPU_STEP_CLIP], rate = step[NAS_GPU_STEP_RATE];
    const i64 first = (i64)GROUP_X * NAS_GPU_GATHER;
    if (step[NAS_GPU_STEP_GOES] == 0) return;
    for (int turn = 0; turn < NAS_GPU_GATHER; turn += TRAIN_LANES) {
        const i64 i = first + turn + LANE;
        if (i >= k->n) continue;
        const double p = vectors[k->parameter + i], decay = k->weight_decay * p;
        const double was = step[NAS_GPU_STEP_NUMBER] == 0 ? 0 : vectors[k->velocity + i];
        double g = vectors[k->gradient + i];
        if (clip < 1) g *= clip;
        g += decay;
        const double kept = k->momentum * was, v = kept + g, ahead = k->momentum * v;
        const double change = rate * (k->nesterov ? g + ahead : v);
        vectors[k->velocity + i] = v;
        vectors[k->parameter + i] = p - change;
    }
}
