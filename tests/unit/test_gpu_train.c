/* What trainings do on a device, against what they do on the host. */
#include "common/base/rng.h"
#include "tests/unit/gpu_launch.h"
#include "worker/data/memory.h"
#include "worker/objectives/train/augment.h"
#include "worker/objectives/train/sgd.h"

#include <math.h>
typedef int64_t i64;
typedef uint32_t u32;
#include "worker/engine/gpu/kernels/work.h"

/* -------------------------------------------------------------------------------------- images */

enum { IMAGES = 13, C = 3, H = 6, W = 7, PLANE = H * W, PITCH = 44, BLACK_AT = 4096 };

static nas_dataset_t make_dataset(void)
{
    nas_dataset_t dataset = {.n_classes = 2, .mean = {-0.25, 0.5, 0.1}, .std = {0.5, 2, 0.3}};
    nas_images_t images = {.pixel = NAS_PIXEL_U8, .n = IMAGES, .c = C, .h = H, .w = W};
    cr_assert_eq(nas_images_allocate(&images, NULL), NAS_OK);
    for (int i = 0; i < IMAGES; i++) {
        images.labels[i] = i % 2;
        for (int k = 0; k < C * PLANE; k++)
            ((uint8_t *)images.data)[i * C * PLANE + k] = (uint8_t)(1 + 7 * i + 3 * k);
    }
    cr_assert_eq(nas_memory_source(&images, dataset.mean, dataset.std, &dataset.train, NULL),
                 NAS_OK);
    return dataset;
}

/* The data: table, black, order, bytes. */
static void put_data(launch_memory_t *m, const nas_dataset_t *dataset, const int32_t *order)
{
    float black[C];
    for (int c = 0; c < C; c++) black[c] = (float)((0 - dataset->mean[c]) / dataset->std[c]);
    nas_memory_table(&dataset->train, (float *)(void *)m->data);
    memcpy(m->data + BLACK_AT, black, sizeof black);
    memcpy(m->data + BLACK_AT + 64, order, IMAGES * sizeof *order);
    memcpy(m->data + 2 * BLACK_AT, nas_memory_pixels(&dataset->train), IMAGES * C * PLANE);
}

static void check_images(const launch_memory_t *m, const float *expected, int n)
{
    for (int i = 0; i < n; i++)
        for (int c = 0; c < C; c++)
            cr_assert_eq(memcmp(m->arena + (i * C + c) * PITCH, expected + (i * C + c) * PLANE,
                                PLANE * sizeof(float)),
                         0, "image %d, channel %d", i, c);
}

/* With and without a step: augmented, and as they are. */
static void images_are_those_of_the_host(nas_gpu_t *gpu)
{
    enum { FIRST = 2, PLACE = 3, N = 5, EPOCH = 4 };
    const nas_recipe_t recipe = {.crop = 2, .flip = true, .cutout = 3};
    nas_dataset_t dataset = make_dataset();
    launch_memory_t m = launch_create(gpu, N * C * PITCH, NAS_GPU_STEP_SIZE, 4 * BLACK_AT, 4096);
    int32_t order[IMAGES];
    int64_t index[N];
    float expected[N * C * PLANE];
    for (int i = 0; i < IMAGES; i++) order[i] = (5 * i + 1) % IMAGES;
    put_data(&m, &dataset, order);
    nas_gpu_augment_t *k = (nas_gpu_augment_t *)(void *)m.table;
    *k = (nas_gpu_augment_t){.images = 2 * BLACK_AT,
                             .table = 0,
                             .black = BLACK_AT,
                             .order = BLACK_AT + 64,
                             .step = 0,
                             .to = 0,
                             .n = N,
                             .c = C,
                             .h = H,
                             .w = W,
                             .first = FIRST,
                             .crop = 2,
                             .flip = 1,
                             .cutout = 3,
                             .seed = {77, 1},
                             .stream = NAS_STREAM_AUGMENT};
    m.vectors[NAS_GPU_STEP_EPOCH] = EPOCH;
    m.vectors[NAS_GPU_STEP_PLACE] = PLACE;
    for (int i = 0; i < N; i++) index[i] = order[PLACE + FIRST + i];
    const nas_augment_options_t options = {&dataset, &recipe, (uint64_t)1 << 32 | 77, EPOCH};
    nas_augment(&options, index, N, expected);
    launch_run(&m, "train", "augment", N + 2, 1);
    check_images(&m, expected, N);
    k->step = -1;
    for (int i = 0; i < N; i++) index[i] = order[FIRST + i];
    nas_source_read(&dataset.train, index, N, expected);
    launch_run(&m, "train", "augment", N, 1);
    check_images(&m, expected, N);
    launch_destroy(&m);
    nas_dataset_fini(&dataset);
}

ON_EVERY_LAYER(images_are_those_of_the_host)

/* --------------------------------------------------------------------------------------- steps */

enum {
    VALUES = 2500, /* parameters */
    SHARDS = 3,
    STATISTICS = 10,
    STRIDE = VALUES + STATISTICS + 1, /* of a shard: gradient, moments, loss */
    N_PARTS = (VALUES + NAS_GPU_GATHER - 1) / NAS_GPU_GATHER,
    STEP_AT = 0,
    SHARDS_AT = NAS_GPU_STEP_SIZE,
    GRADIENT_AT = SHARDS_AT + SHARDS * STRIDE,
    PARAMETER_AT = GRADIENT_AT + VALUES,
    VELOCITY_AT = PARAMETER_AT + VALUES,
    STATISTICS_AT = VELOCITY_AT + VALUES,
    UNBIASED_AT = STATISTICS_AT + STATISTICS,
    SHARE_AT = UNBIASED_AT + STATISTICS,
    PARTS_AT = SHARE_AT + STATISTICS,
    ALL = PARTS_AT + 2 * N_PARTS
};

/* What a step of the host makes of the same numbers. */
typedef struct host_state {
    double parameter[VALUES], velocity[VALUES], statistics[STATISTICS];
    double loss;
} host_state_t;

static void draw_state(launch_memory_t *m)
{
    nas_rng_t rng;
    nas_rng_init(&rng, 3, NAS_STREAM_BENCH, 0);
    for (int i = SHARDS_AT; i < ALL; i++) m->vectors[i] = nas_rng_between(&rng, -1, 1);
    for (int i = 0; i < STATISTICS; i++)
        m->vectors[UNBIASED_AT + i] = i % 3 == 0 ? 0 : 1 + 0.01 * i;
    for (int i = 0; i < STATISTICS; i++) m->vectors[SHARE_AT + i] = i % 2 ? 0.1 : 0.01 * i;
    m->vectors[NAS_GPU_STEP_NUMBER] = 5;
    m->vectors[NAS_GPU_STEP_RATE] = 0.07;
    m->vectors[NAS_GPU_STEP_LOSS_SUM] = 2.5;
    m->vectors[NAS_GPU_STEP_BAD] = -1;
}

static double shard_mean(const double *shards, int at)
{
    double sum = shards[at];
    for (int s = 1; s < SHARDS; s++) sum += shards[s * STRIDE + at];
    return sum * (1 / (double)SHARDS);
}

static host_state_t *host_step(const launch_memory_t *m, const nas_recipe_t *recipe)
{
    static host_state_t state;
    static double gradient[VALUES];
    const double *shards = m->vectors + SHARDS_AT;
    memcpy(state.parameter, m->vectors + PARAMETER_AT, sizeof state.parameter);
    memcpy(state.velocity, m->vectors + VELOCITY_AT, sizeof state.velocity);
    for (int i = 0; i < VALUES; i++) gradient[i] = shard_mean(shards, i);
    for (int i = 0; i < STATISTICS; i++) {
        const double unbiased = m->vectors[UNBIASED_AT + i], found = shard_mean(shards, VALUES + i);
        const double was = m->vectors[STATISTICS_AT + i], share = m->vectors[SHARE_AT + i];
        state.statistics[i] = unbiased == 0 ? was : (1 - share) * was + share * (unbiased * found);
    }
    state.loss = shard_mean(shards, STRIDE - 1);
    const nas_sgd_values_t values = {VALUES, state.parameter, state.velocity, gradient};
    nas_sgd_step(recipe, m->vectors[NAS_GPU_STEP_RATE], m->vectors[NAS_GPU_STEP_NUMBER] == 0,
                 &values);
    return &state;
}

static void device_step(launch_memory_t *m, const nas_recipe_t *recipe)
{
    *(nas_gpu_gather_t *)(void *)m->table = (nas_gpu_gather_t){.shards = SHARDS_AT,
                                                               .stride = STRIDE,
                                                               .out = GRADIENT_AT,
                                                               .parts = PARTS_AT,
                                                               .n = VALUES,
                                                               .n_shards = SHARDS};
    launch_run(m, "train", "gather", N_PARTS + 1, 1);
    *(nas_gpu_settle_t *)(void *)m->table = (nas_gpu_settle_t){.step = STEP_AT,
                                                               .parts = PARTS_AT,
                                                               .loss = SHARDS_AT + STRIDE - 1,
                                                               .moments = SHARDS_AT + VALUES,
                                                               .stride = STRIDE,
                                                               .statistics = STATISTICS_AT,
                                                               .unbiased = UNBIASED_AT,
                                                               .share = SHARE_AT,
                                                               .n_statistics = STATISTICS,
                                                               .most = recipe->clip,
                                                               .n_parts = N_PARTS,
                                                               .n_shards = SHARDS};
    launch_run(m, "train", "settle", 1, 1);
    *(nas_gpu_descend_t *)(void *)m->table =
        (nas_gpu_descend_t){.step = STEP_AT,
                            .gradient = GRADIENT_AT,
                            .parameter = PARAMETER_AT,
                            .velocity = VELOCITY_AT,
                            .n = VALUES,
                            .momentum = recipe->momentum,
                            .weight_decay = recipe->weight_decay,
                            .nesterov = recipe->nesterov};
    launch_run(m, "train", "descend", N_PARTS + 1, 1);
}

static launch_memory_t begin(nas_gpu_t *gpu)
{
    launch_memory_t m = launch_create(gpu, 16, ALL, 16, 1024);
    draw_state(&m);
    return m;
}

/* Bit by bit: nothing is summed in another order. */
static void steps_are_those_of_the_host(nas_gpu_t *gpu)
{
    const nas_recipe_t recipe[] = {
        {.momentum = 0.9, .nesterov = true, .weight_decay = 5e-4},
        {.momentum = 0.8, .weight_decay = 1e-3},
    };
    for (int r = 0; r < 2; r++)
        for (int first = 0; first < 2; first++) {
            launch_memory_t m = begin(gpu);
            if (first) m.vectors[NAS_GPU_STEP_NUMBER] = 0;
            const host_state_t *expected = host_step(&m, &recipe[r]);
            device_step(&m, &recipe[r]);
            cr_assert_eq(
                memcmp(m.vectors + PARAMETER_AT, expected->parameter, sizeof expected->parameter),
                0);
            cr_assert_eq(
                memcmp(m.vectors + VELOCITY_AT, expected->velocity, sizeof expected->velocity), 0);
            cr_assert_eq(memcmp(m.vectors + STATISTICS_AT, expected->statistics,
                                sizeof expected->statistics),
                         0);
            cr_assert_eq(m.vectors[NAS_GPU_STEP_LOSS], expected->loss);
            cr_assert_eq(m.vectors[NAS_GPU_STEP_LOSS_SUM], 2.5 + expected->loss);
            launch_destroy(&m);
        }
}

ON_EVERY_LAYER(steps_are_those_of_the_host)

static void gradients_are_clipped(nas_gpu_t *gpu)
{
    const nas_recipe_t recipe = {
        .momentum = 0.9, .nesterov = true, .weight_decay = 5e-4, .clip = 3};
    launch_memory_t m = begin(gpu);
    const host_state_t *expected = host_step(&m, &recipe);
    device_step(&m, &recipe);
    cr_assert(m.vectors[NAS_GPU_STEP_CLIP] < 0.5);
    for (int i = 0; i < VALUES; i++)
        cr_assert(fabs(m.vectors[PARAMETER_AT + i] - expected->parameter[i]) < 1e-14);
    launch_destroy(&m);
}

ON_EVERY_LAYER(gradients_are_clipped)

/* A loss, or any gradient of any shard: that step and those behind it change nothing, and the first
 * is known. */
static void steps_that_diverge_change_nothing(nas_gpu_t *gpu)
{
    const int places[] = {SHARDS_AT + STRIDE - 1, SHARDS_AT + 2 * STRIDE + VALUES - 1};
    const nas_recipe_t recipe = {.momentum = 0.9};
    for (int i = 0; i < 2; i++) {
        launch_memory_t m = begin(gpu);
        double before[2 * VALUES + STATISTICS];
        const double was = m.vectors[places[i]];
        memcpy(before, m.vectors + PARAMETER_AT, sizeof before);
        m.vectors[places[i]] = i ? INFINITY : NAN;
        device_step(&m, &recipe);
        cr_assert_eq(m.vectors[NAS_GPU_STEP_BAD], 5);
        m.vectors[places[i]] = was;
        m.vectors[NAS_GPU_STEP_NUMBER] = 6;
        device_step(&m, &recipe);
        cr_assert_eq(m.vectors[NAS_GPU_STEP_BAD], 5);
        cr_assert_eq(m.vectors[NAS_GPU_STEP_LOSS_SUM], 2.5);
        cr_assert_eq(memcmp(before, m.vectors + PARAMETER_AT, sizeof before), 0);
        launch_destroy(&m);
    }
}

ON_EVERY_LAYER(steps_that_diverge_change_nothing)
