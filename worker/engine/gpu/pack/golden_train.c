/* Golden images of a step, augmented and as they are, and one step of gradient descent with shards
 * and clipping. */
#include "worker/engine/gpu/pack/golden_set.h"

#include <string.h>

enum { N_IMAGES = 5, C = 3, H = 6, W = 7, STREAM = 5 };

/* The state of a step that counts, the sixth. */
static int64_t make_step(nas_golden_set_t *set)
{
    const int64_t at = nas_golden_doubles(set, NAS_GPU_STEP_SIZE);
    double *step = set->vectors + at;
    step[NAS_GPU_STEP_NUMBER] = 5;
    step[NAS_GPU_STEP_EPOCH] = 2;
    step[NAS_GPU_STEP_PLACE] = 1;
    step[NAS_GPU_STEP_RATE] = 0.07;
    step[NAS_GPU_STEP_BAD] = -1;
    return at;
}

static int64_t make_order(nas_golden_set_t *set)
{
    const int64_t order = nas_golden_data(set, N_IMAGES * (int64_t)sizeof(int32_t));
    for (int32_t i = 0; i < N_IMAGES; i++) {
        const int32_t image = (3 * i + 1) % N_IMAGES;
        memcpy(set->data + order + i * (int64_t)sizeof image, &image, sizeof image);
    }
    return order;
}

static void augment(nas_golden_set_t *set, const nas_gpu_augment_t *work)
{
    nas_golden_launch(set, nas_gpu_plain_variant("train", "augment"), work->n, 1,
                      nas_golden_describe(set, work, sizeof *work));
}

/* Bytes by a table, changed; then floats, all that there are, unchanged. */
static void add_images(nas_golden_set_t *set, int64_t step)
{
    const int64_t n_values = (int64_t)N_IMAGES * C * H * W, bytes_of_float = sizeof(float);
    nas_gpu_augment_t work = {.step = step,
                              .n = N_IMAGES - 2,
                              .c = C,
                              .h = H,
                              .w = W,
                              .first = 1,
                              .crop = 2,
                              .flip = 1,
                              .cutout = 3,
                              .seed = {7, 11},
                              .stream = STREAM};
    work.images = nas_golden_data(set, n_values);
    work.table = nas_golden_data(set, (int64_t)C * 256 * bytes_of_float);
    work.black = nas_golden_data(set, C * bytes_of_float);
    work.order = make_order(set);
    work.to = nas_golden_tensor(set, (nas_shape_t){work.n, C, H, W}, 0).at;
    augment(set, &work);
    work.images = nas_golden_data(set, n_values * bytes_of_float);
    work.table = work.step = -1;
    work.n = N_IMAGES;
    work.first = 0;
    work.to = nas_golden_tensor(set, (nas_shape_t){work.n, C, H, W}, 0).at;
    augment(set, &work);
}

/* Gradients of shards are gathered, the step settled and taken. */
static void add_step(nas_golden_set_t *set, int64_t step)
{
    enum { VALUES = 1100, SHARDS = 3, STATISTICS = 10, STRIDE = VALUES + STATISTICS + 1 };
    const int groups = (VALUES + NAS_GPU_GATHER - 1) / NAS_GPU_GATHER;
    nas_gpu_gather_t gather = {.stride = STRIDE, .n = VALUES, .n_shards = SHARDS};
    gather.shards = nas_golden_doubles(set, SHARDS * STRIDE);
    gather.out = nas_golden_doubles(set, VALUES);
    gather.parts = nas_golden_doubles(set, 2 * (int64_t)groups);
    nas_gpu_settle_t settle = {.step = step,
                               .parts = gather.parts,
                               .loss = gather.shards + STRIDE - 1,
                               .moments = gather.shards + VALUES,
                               .share = -1,
                               .stride = STRIDE,
                               .n_statistics = STATISTICS,
                               .most = 3,
                               .n_parts = groups,
                               .n_shards = SHARDS};
    settle.statistics = nas_golden_doubles(set, STATISTICS);
    settle.unbiased = nas_golden_doubles(set, STATISTICS);
    nas_gpu_descend_t descend = {.step = step,
                                 .gradient = gather.out,
                                 .n = VALUES,
                                 .momentum = 0.9,
                                 .weight_decay = 5e-4,
                                 .nesterov = 1};
    descend.parameter = nas_golden_doubles(set, VALUES);
    descend.velocity = nas_golden_doubles(set, VALUES);
    nas_golden_launch(set, nas_gpu_plain_variant("train", "gather"), groups, 1,
                      nas_golden_describe(set, &gather, sizeof gather));
    nas_golden_launch(set, nas_gpu_plain_variant("train", "settle"), 1, 1,
                      nas_golden_describe(set, &settle, sizeof settle));
    nas_golden_launch(set, nas_gpu_plain_variant("train", "descend"), groups, 1,
                      nas_golden_describe(set, &descend, sizeof descend));
}

void nas_golden_add_training(nas_golden_set_t *set)
{
    const int64_t step = make_step(set);
    add_images(set, step);
    add_step(set, step);
}
