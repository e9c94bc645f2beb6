/* Golden beginnings, and scalars of every kind that computes. */
#include "worker/engine/gpu/pack/golden_set.h"

#include <string.h>

static void begin(nas_golden_set_t *set, const char *kernel, const void *work, size_t bytes)
{
    nas_golden_launch(set, nas_gpu_plain_variant("begin", kernel), 6, 1,
                      nas_golden_describe(set, work, bytes));
}

static void add_beginnings(nas_golden_set_t *set)
{
    enum { N = 700, N_IMAGES = 2, C = 3, SIDE = 6 };
    const nas_gpu_clear_t clear = {.at = nas_golden_doubles(set, N), .n = N - 1};
    const nas_gpu_init_t init = {.at = nas_golden_doubles(set, N),
                                 .n = N - 1,
                                 .bound = 0.19245008972987526,
                                 .key = {7, 11},
                                 .counter = {0, 10, 0x12345678, 0x9abcdef0}};
    const nas_gpu_pack_t pack = {
        .from = init.at, .to = nas_golden_floats(set, N), .n = N - 2, .absolute = 1};
    const nas_gpu_unpack_t unpack = {.from = pack.to, .to = nas_golden_doubles(set, N), .n = N};
    nas_gpu_load_t load = {.n = N_IMAGES, .c = C, .h = SIDE, .w = SIDE};
    load.from = nas_golden_data(set, N_IMAGES * C * SIDE * SIDE * (int64_t)sizeof(float));
    load.to = nas_golden_tensor(set, (nas_shape_t){N_IMAGES, C, SIDE, SIDE}, 0).at;
    begin(set, "clear", &clear, sizeof clear);
    begin(set, "init", &init, sizeof init);
    begin(set, "pack", &pack, sizeof pack);
    begin(set, "unpack", &unpack, sizeof unpack);
    begin(set, "load", &load, sizeof load);
}

/* --------------------------------------------------------------------------------------- lists */

enum { N = 3, CHANNELS = 19, CLASSES = 10, N_NORM_VECTORS = 19, MOST_OPS = 24 };

typedef struct list {
    nas_gpu_scalar_t op[MOST_OPS];
    int n;
} list_t;

/* The next operation: what `like` is, of another kind. */
static nas_gpu_scalar_t *add(list_t *list, int kind, const nas_gpu_scalar_t *like)
{
    nas_gpu_scalar_t *op = &list->op[list->n++];
    *op = *like;
    op->kind = kind;
    return op;
}

static void launch_list(nas_golden_set_t *set, const list_t *list)
{
    nas_gpu_scalars_t work = {.n = list->n};
    work.ops = nas_golden_describe(set, list->op, (size_t)list->n * sizeof *list->op);
    nas_golden_launch(set, nas_gpu_plain_variant("scalars", "scalars"), 1, 1,
                      nas_golden_describe(set, &work, sizeof work));
}

/* A norm from the moments of its tiles to the curvature. Numbers of the set are taken for squared
 * deviations, whose sum may be negative: eps is large enough to make a variance of it. */
static void add_norm(nas_golden_set_t *set)
{
    enum { PER = 2, ROWS = 3, SIDE = 4, TILES = 4 };
    static const int kinds[] = {NAS_GPU_MOMENTS,       NAS_GPU_NORM_FORWARD, NAS_GPU_BIAS,
                                NAS_GPU_NORM_BACKWARD, NAS_GPU_NORM_TANGENT, NAS_GPU_NORM_CURVATURE,
                                NAS_GPU_NORM_GRADIENT, NAS_GPU_NORM_MOMENTS};
    nas_gpu_scalar_t norm = {.exponent = -1,
                             .from_exponent = -1,
                             .count = N * SIDE * SIDE,
                             .eps = 5,
                             .c = CHANNELS,
                             .along = 1,
                             .n = N,
                             .h = SIDE,
                             .w = SIDE,
                             .stride = CHANNELS,
                             .per = PER,
                             .rows = ROWS};
    norm.in = nas_golden_doubles(set, TILES * 2 * CHANNELS);
    norm.more = nas_golden_doubles(set, CHANNELS);
    norm.out = nas_golden_doubles(set, CHANNELS);
    norm.norm = nas_golden_doubles(set, N_NORM_VECTORS * CHANNELS);
    norm.gamma = nas_golden_doubles(set, CHANNELS);
    norm.beta = nas_golden_doubles(set, CHANNELS);
    norm.bias = nas_golden_doubles(set, CHANNELS);
    norm.statistics = nas_golden_doubles(set, 2 * CHANNELS);
    list_t list = {.n = 0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) (void)add(&list, kinds[i], &norm);
    launch_list(set, &list);
}

static int64_t make_labels(nas_golden_set_t *set)
{
    const int64_t labels = nas_golden_data(set, N * (int64_t)sizeof(int32_t));
    for (int32_t i = 0; i < N; i++) {
        const int32_t label = 3 * i % CLASSES;
        memcpy(set->data + labels + i * (int64_t)sizeof label, &label, sizeof label);
    }
    return labels;
}

/* The place of its descriptor. */
static int64_t make_head(nas_golden_set_t *set)
{
    nas_gpu_head_t head = {.n_pixels = 9,
                           .smoothing = 0.1,
                           .n = N,
                           .c = CHANNELS,
                           .o = CLASSES,
                           .sums = 1,
                           .fisher = 1};
    i64 *const of_features[] = {&head.features, &head.d_features, &head.t_features,
                                &head.e_features};
    i64 *const of_logits[] = {&head.logits, &head.d_logits, &head.t_logits, &head.e_logits};
    i64 *const of_weights[] = {&head.transposed, &head.d_linear, &head.t_linear, &head.e_linear};
    head.weight = nas_golden_doubles(set, CLASSES * CHANNELS);
    head.bias = nas_golden_doubles(set, CLASSES);
    for (int i = 0; i < 4; i++) {
        *of_features[i] = nas_golden_doubles(set, N * CHANNELS);
        *of_logits[i] = nas_golden_doubles(set, N * CLASSES);
        *of_weights[i] = nas_golden_doubles(set, CLASSES * CHANNELS);
    }
    head.layer = nas_golden_doubles(set, 5);
    head.loss = nas_golden_doubles(set, 1);
    head.labels = make_labels(set);
    return nas_golden_describe(set, &head, sizeof head);
}

static void add_head(nas_golden_set_t *set)
{
    nas_gpu_scalar_t like = {
        .exponent = -1, .from_exponent = -1, .count = 3, .c = CHANNELS, .n = N};
    like.in = nas_golden_doubles(set, NAS_GPU_PARTS * CHANNELS);
    like.more = nas_golden_doubles(set, N * CHANNELS);
    like.bias = nas_golden_doubles(set, CHANNELS);
    like.head = make_head(set);
    list_t list = {.n = 0};
    (void)add(&list, NAS_GPU_HEAD_FORWARD, &like);
    (void)add(&list, NAS_GPU_HEAD_LOSS, &like);
    (void)add(&list, NAS_GPU_HEAD_TANGENT, &like);
    nas_gpu_scalar_t *op = add(&list, NAS_GPU_HEAD_GRADIENT, &like);
    op->out = nas_golden_doubles(set, CLASSES * CHANNELS);
    op->more = nas_golden_doubles(set, CLASSES);
    add(&list, NAS_GPU_FISHER, &like)->out = nas_golden_doubles(set, 5);
    add(&list, NAS_GPU_LAYER, &like)->out = nas_golden_doubles(set, 5);
    add(&list, NAS_GPU_DOT_PARTS, &like)->out = nas_golden_doubles(set, CHANNELS);
    (void)add(&list, NAS_GPU_HEAD_SUM, &like);
    launch_list(set, &list);
}

/* The largest of a tensor, brought to about 1; a sum of shares. */
static void add_flow(nas_golden_set_t *set)
{
    enum { SIDE = 6 };
    nas_gpu_scalar_t like = {.c = CHANNELS, .n = 1, .h = SIDE, .w = SIDE, .stride = CHANNELS};
    like.in = nas_golden_tensor(set, (nas_shape_t){1, CHANNELS, SIDE, SIDE}, 0).at;
    like.out = nas_golden_doubles(set, 2);
    like.exponent = nas_golden_doubles(set, 1);
    like.from_exponent = nas_golden_doubles(set, 1);
    like.head = make_head(set);
    list_t list = {.n = 0};
    (void)add(&list, NAS_GPU_MAX_ABS, &like);
    nas_gpu_scalar_t *op = add(&list, NAS_GPU_RESCALE, &like);
    op->in = like.out;
    op->out = nas_golden_doubles(set, CHANNELS);
    (void)add(&list, NAS_GPU_FLOW_LINEAR, &like);
    op = add(&list, NAS_GPU_FLOW_ADD, &like);
    op->in = nas_golden_doubles(set, 2);
    launch_list(set, &list);
}

void nas_golden_add_scalars(nas_golden_set_t *set)
{
    add_beginnings(set);
    add_norm(set);
    add_head(set);
    add_flow(set);
}
