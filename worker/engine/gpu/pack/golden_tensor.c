/* Golden combinations, with terms of all kinds, sums, signs and correlations. */
#include "worker/engine/gpu/pack/golden_set.h"

static const nas_shape_t SHAPE = {3, 5, 8, 8};

enum { OTHERS = 2 }; /* channels in memory before a range */

static nas_gpu_slice_t range(nas_golden_set_t *set, int h, int w)
{
    return nas_golden_tensor(set, (nas_shape_t){SHAPE.n, SHAPE.c + OTHERS, h, w}, OTHERS);
}

static nas_gpu_term_t term(nas_golden_set_t *set, int kind)
{
    const int h = kind == NAS_GPU_TERM_POOL2           ? 2 * SHAPE.h
                  : kind == NAS_GPU_TERM_POOL2_ADJOINT ? SHAPE.h / 2
                                                       : SHAPE.h;
    nas_gpu_term_t term = {.tensor = {.at = -1}, .kind = kind, .masked = kind % 2};
    if (kind != NAS_GPU_TERM_IMAGE) term.tensor = range(set, h, h);
    term.coefficient = nas_golden_doubles(set, (int64_t)SHAPE.n * SHAPE.c);
    return term;
}

static nas_gpu_dot_t dot(nas_golden_set_t *set, bool of_tensor)
{
    nas_gpu_dot_t dot = {.tensor = {.at = -1}, .center = -1};
    if (of_tensor) {
        dot.tensor = range(set, SHAPE.h, SHAPE.w);
        dot.center = nas_golden_doubles(set, SHAPE.c);
    }
    dot.parts = nas_golden_doubles(set, (int64_t)NAS_GPU_PARTS * SHAPE.c);
    return dot;
}

static void combine(nas_golden_set_t *set)
{
    enum { N_TERMS = NAS_GPU_TERM_IMAGE + 1, N_DOTS = 2 };
    nas_gpu_term_t terms[N_TERMS];
    nas_gpu_dot_t dots[N_DOTS];
    nas_gpu_combination_t work = {.n = SHAPE.n,
                                  .c = SHAPE.c,
                                  .h = SHAPE.h,
                                  .w = SHAPE.w,
                                  .n_terms = N_TERMS,
                                  .n_dots = N_DOTS};
    for (int i = 0; i < N_TERMS; i++) terms[i] = term(set, i);
    for (int i = 0; i < N_DOTS; i++) dots[i] = dot(set, i == 1);
    work.terms = nas_golden_describe(set, terms, sizeof terms);
    work.dots = nas_golden_describe(set, dots, sizeof dots);
    work.shift = nas_golden_doubles(set, SHAPE.c);
    work.mask = range(set, SHAPE.h, SHAPE.w);
    work.out = range(set, SHAPE.h, SHAPE.w);
    work.relu = range(set, SHAPE.h, SHAPE.w);
    nas_golden_launch(set, nas_gpu_plain_variant("combine", "combine"), SHAPE.c * NAS_GPU_PARTS, 1,
                      nas_golden_describe(set, &work, sizeof work));
}

static void image_dots(nas_golden_set_t *set)
{
    const int planes = SHAPE.n * SHAPE.c;
    nas_gpu_image_dots_t work = {.n = SHAPE.n, .c = SHAPE.c, .h = SHAPE.h, .w = SHAPE.w};
    work.a = range(set, SHAPE.h, SHAPE.w);
    work.b = range(set, SHAPE.h, SHAPE.w);
    work.sum = nas_golden_doubles(set, planes);
    nas_golden_launch(set, nas_gpu_plain_variant("sums", "image_dots"),
                      (planes + NAS_GPU_PLANES - 1) / NAS_GPU_PLANES, 1,
                      nas_golden_describe(set, &work, sizeof work));
}

static void moments(nas_golden_set_t *set)
{
    nas_gpu_moments_t work = {.n = SHAPE.n, .c = SHAPE.c, .h = SHAPE.h, .w = SHAPE.w};
    work.x = range(set, SHAPE.h, SHAPE.w);
    work.moments = nas_golden_doubles(set, (int64_t)NAS_GPU_TILES(SHAPE.n) * 2 * SHAPE.c);
    nas_golden_launch(set, nas_gpu_plain_variant("sums", "moments"),
                      SHAPE.c * NAS_GPU_TILES(SHAPE.n), 1,
                      nas_golden_describe(set, &work, sizeof work));
}

static void weight_dots(nas_golden_set_t *set)
{
    nas_gpu_weight_dot_t work = {.n = 700};
    work.a = nas_golden_floats(set, work.n);
    work.b = nas_golden_floats(set, work.n);
    work.sums = nas_golden_doubles(set, 2);
    nas_golden_launch(set, nas_gpu_plain_variant("sums", "weight_dots"), 1, 1,
                      nas_golden_describe(set, &work, sizeof work));
}

/* Counts are added to what numbers are there. */
static void signs(nas_golden_set_t *set)
{
    nas_gpu_agreement_t work = {.n = SHAPE.n, .c = SHAPE.c, .h = SHAPE.h, .w = SHAPE.w, .times = 3};
    work.relu = range(set, SHAPE.h, SHAPE.w);
    work.counts = nas_golden_doubles(set, (int64_t)SHAPE.n * SHAPE.n);
    nas_golden_launch(set, nas_gpu_plain_variant("signs", "agreement"),
                      NAS_GPU_SIGN_GROUPS(SHAPE.n, SHAPE.c, SHAPE.h, SHAPE.w), 1,
                      nas_golden_describe(set, &work, sizeof work));
}

/* More images than a group takes at a time. */
static void correlations(nas_golden_set_t *set)
{
    enum { N = 20, D = 300 };
    nas_gpu_correlation_t work = {.d = D, .n = N};
    work.rows = nas_golden_doubles(set, N * D);
    work.out = nas_golden_doubles(set, N * N);
    const int64_t at = nas_golden_describe(set, &work, sizeof work);
    nas_golden_launch(set, nas_gpu_plain_variant("jacobian", "standardise"), N, 1, at);
    nas_golden_launch(set, nas_gpu_plain_variant("jacobian", "correlate"), N, 1, at);
}

void nas_golden_add_tensors(nas_golden_set_t *set)
{
    combine(set);
    image_dots(set);
    moments(set);
    weight_dots(set);
    signs(set);
    correlations(set);
}
