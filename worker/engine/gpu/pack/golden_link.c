/* Golden pools, copies, flat tensors, rectifiers with a ceiling, gradients that are added, exponents of
 * nodes, a head without a layer. */
#include "worker/engine/gpu/pack/golden_set.h"
#include "worker/engine/gpu/plan/window.h"

#include <string.h>

enum { N = 3, C = 5, OTHERS = 2 /* channels in memory before a range */ };

static nas_gpu_slice_t range(nas_golden_set_t *set, int h, int w)
{
    return nas_golden_tensor(set, (nas_shape_t){N, C + OTHERS, h, w}, OTHERS);
}

static void launch(nas_golden_set_t *set, const char *kernel, const void *work, size_t bytes)
{
    nas_golden_launch(set, nas_gpu_plain_variant("links", kernel), 12, 1,
                      nas_golden_describe(set, work, bytes));
}

static void pools(nas_golden_set_t *set)
{
    static const nas_window_t WINDOW = {3, 2, 2, 1, 1, 1, 1, 0, 1, 1};
    for (int kind = 0; kind < 2; kind++) {
        const nas_pool_shape_t shape = {.n = N,
                                        .c = C,
                                        .h_in = 7,
                                        .w_in = 6,
                                        .h_out = 4,
                                        .w_out = 6,
                                        .window = WINDOW,
                                        .kind = kind ? NAS_POOL_MAX : NAS_POOL_MEAN,
                                        .counts_padding = true};
        nas_gpu_pooling_t work = {.x = range(set, 7, 6)};
        nas_gpu_pooling_geometry(&shape, &work);
        work.from = work.x;
        work.to = range(set, 4, 6);
        launch(set, "pool", &work, sizeof work);
        work.from = work.to;
        work.to = range(set, 7, 6);
        launch(set, "pool_adjoint", &work, sizeof work);
    }
}

static void copies(nas_golden_set_t *set)
{
    nas_gpu_copy_t copy = {
        .n = N, .c = C, .h = 5, .w = 7, .h_from = 6, .w_from = 6, .top = 1, .left = -1};
    nas_gpu_flatten_t flatten = {.n = N, .c = C, .h = 3, .w = 3};
    copy.from = range(set, 6, 6);
    copy.to = range(set, 5, 7);
    launch(set, "copy", &copy, sizeof copy);
    flatten.tensor = range(set, 3, 3);
    flatten.flat = nas_golden_tensor(set, (nas_shape_t){N, C * 9, 1, 1}, 0);
    launch(set, "flatten", &flatten, sizeof flatten);
    flatten.tensor = range(set, 3, 3);
    flatten.back = true;
    launch(set, "flatten", &flatten, sizeof flatten);
}

/* With a mask and without one. */
static void ceilings(nas_golden_set_t *set)
{
    for (int is_masked = 0; is_masked < 2; is_masked++) {
        nas_gpu_term_t term = {.coefficient = -1, .masked = is_masked};
        nas_gpu_combination_t work = {
            .shift = -1, .n = N, .c = C, .h = 5, .w = 6, .n_terms = 1, .ceiling = 0.75f};
        term.tensor = range(set, 5, 6);
        work.terms = nas_golden_describe(set, &term, sizeof term);
        work.mask = (nas_gpu_slice_t){.at = -1};
        if (is_masked) work.mask = range(set, 5, 6);
        work.out = range(set, 5, 6);
        work.relu = range(set, 5, 6);
        nas_golden_launch(set, nas_gpu_plain_variant("combine", "combine"), C * NAS_GPU_PARTS, 1,
                          nas_golden_describe(set, &work, sizeof work));
    }
}

static void gradients(nas_golden_set_t *set)
{
    nas_gpu_unpack_t work = {.n = 600, .onto = true};
    work.from = nas_golden_floats(set, work.n);
    work.to = nas_golden_doubles(set, work.n);
    nas_golden_launch(set, nas_gpu_plain_variant("begin", "unpack"), 2, 1,
                      nas_golden_describe(set, &work, sizeof work));
}

/* --------------------------------------------------------------------------------------- scalars */

enum { OUTPUTS = 19, INPUTS = 12, FEATURES = 10 };

static void launch_list(nas_golden_set_t *set, const nas_gpu_scalar_t *op, int n)
{
    nas_gpu_scalars_t work = {.n = n};
    work.ops = nas_golden_describe(set, op, (size_t)n * sizeof *op);
    nas_golden_launch(set, nas_gpu_plain_variant("scalars", "scalars"), 1, 1,
                      nas_golden_describe(set, &work, sizeof work));
}

static void exponents(nas_golden_set_t *set)
{
    nas_gpu_scalar_t like = {.in = -1,
                             .more = -1,
                             .exponent = -1,
                             .from_exponent = -1,
                             .bias = -1,
                             .c = OUTPUTS,
                             .flow = 1,
                             .n = N};
    nas_gpu_scalar_t op[6];
    const int64_t weights = nas_golden_doubles(set, OUTPUTS * INPUTS);
    const int64_t gain = nas_golden_doubles(set, 1), bound = nas_golden_doubles(set, 2);
    const int64_t exponent = nas_golden_doubles(set, 1);
    for (int i = 0; i < 6; i++) {
        op[i] = like;
        op[i].kind = i < 3 ? NAS_GPU_DOTS + i : i == 3 ? NAS_GPU_BOUND : NAS_GPU_BOUND + i - 3;
    }
    op[0].in = op[0].bias = weights;
    op[0].out = nas_golden_doubles(set, 2);
    op[1].bias = weights;
    op[1].count = INPUTS;
    op[1].out = gain;
    op[2].in = gain;
    op[2].out = bound;
    op[3].bias = weights;
    op[3].out = bound;
    op[4].in = bound;
    op[4].exponent = exponent;
    op[5].in = gain;
    op[5].exponent = exponent;
    op[5].out = nas_golden_doubles(set, OUTPUTS);
    set->vectors[bound + 1] = 3;
    launch_list(set, op, 6);
}

static int64_t make_labels(nas_golden_set_t *set)
{
    const int64_t labels = nas_golden_data(set, N * (int64_t)sizeof(int32_t));
    for (int32_t i = 0; i < N; i++)
        memcpy(set->data + labels + i * (int64_t)sizeof i, &i, sizeof i);
    return labels;
}

/* Features are the logits. */
static void bare_head(nas_golden_set_t *set)
{
    static const int KINDS[] = {NAS_GPU_HEAD_FORWARD, NAS_GPU_HEAD_LOSS, NAS_GPU_HEAD_TANGENT,
                                NAS_GPU_HEAD_SUM};
    nas_gpu_head_t head = {.weight = -1,
                           .bias = -1,
                           .transposed = -1,
                           .d_linear = -1,
                           .t_linear = -1,
                           .e_linear = -1,
                           .layer = -1,
                           .n_pixels = 9,
                           .smoothing = 0.1,
                           .n = N,
                           .c = FEATURES,
                           .o = FEATURES};
    i64 *const vectors[] = {&head.features, &head.d_features, &head.t_features, &head.e_features,
                            &head.logits,   &head.d_logits,   &head.t_logits,   &head.e_logits};
    nas_gpu_scalar_t op[4];
    for (int i = 0; i < 8; i++) *vectors[i] = nas_golden_doubles(set, N * FEATURES);
    head.loss = nas_golden_doubles(set, 1);
    head.labels = make_labels(set);
    const int64_t at = nas_golden_describe(set, &head, sizeof head);
    for (int i = 0; i < 4; i++) op[i] = (nas_gpu_scalar_t){.kind = KINDS[i], .head = at};
    launch_list(set, op, 4);
}

/* Running statistics with a share of their own. */
static void statistics(nas_golden_set_t *set)
{
    enum { STATISTICS = 10, SHARDS = 2 };
    nas_gpu_settle_t work = {
        .stride = STATISTICS, .n_statistics = STATISTICS, .n_parts = 1, .n_shards = SHARDS};
    work.step = nas_golden_doubles(set, NAS_GPU_STEP_SIZE);
    work.parts = nas_golden_doubles(set, 2);
    work.loss = nas_golden_doubles(set, SHARDS * STATISTICS);
    work.moments = work.loss;
    work.statistics = nas_golden_doubles(set, STATISTICS);
    work.unbiased = nas_golden_doubles(set, STATISTICS);
    work.share = nas_golden_doubles(set, STATISTICS);
    set->vectors[work.step + NAS_GPU_STEP_BAD] = -1;
    set->vectors[work.parts + 1] = 0;
    nas_golden_launch(set, nas_gpu_plain_variant("train", "settle"), 1, 1,
                      nas_golden_describe(set, &work, sizeof work));
}

void nas_golden_add_links(nas_golden_set_t *set)
{
    pools(set);
    copies(set);
    ceilings(set);
    gradients(set);
    exponents(set);
    bare_head(set);
    statistics(set);
}
