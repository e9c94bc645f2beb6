/* What goes through tensors between convolutions, at the sizes of the three stages: bound by memory
 * alone. */
#include "worker/gpu_bench/waves.h"

#include <stdio.h>

static const nas_shape_t real[] = {{64, 16, 32, 32}, {64, 32, 16, 16}, {64, 64, 8, 8}};
static const nas_shape_t tiny[] = {{2, 4, 8, 8}};

/* A descriptor of any kind. */
typedef union work {
    nas_gpu_combination_t combination;
    nas_gpu_moments_t moments;
    nas_gpu_image_dots_t dots;
    nas_gpu_agreement_t agreement;
} work_t;

/* --------------------------------------------------------------------------------- combinations */

/* Of n_terms tensors with a coefficient a channel; what it refers to is described on the spot. */
static nas_gpu_combination_t combine(nas_room_t *room, nas_shape_t shape, int n_terms, int kind)
{
    const nas_gpu_slice_t nowhere = {.at = -1};
    nas_gpu_combination_t work = {.shift = -1,
                                  .mask = nowhere,
                                  .relu = nowhere,
                                  .n = shape.n,
                                  .c = shape.c,
                                  .h = shape.h,
                                  .w = shape.w,
                                  .n_terms = n_terms};
    work.out = nas_room_tensor(room, shape);
    work.terms = room->table.taken;
    for (int i = 0; i < n_terms; i++) {
        nas_gpu_term_t term = {.kind = kind};
        term.tensor = nas_room_tensor(room, shape);
        term.coefficient = nas_room_doubles(room, shape.c);
        (void)nas_room_describe(room, &term, sizeof term);
    }
    return work;
}

static void make_norm(nas_room_t *room, nas_shape_t shape, work_t *work)
{
    work->combination = combine(room, shape, 1, NAS_GPU_TERM_PLAIN);
    work->combination.relu = nas_room_tensor(room, shape);
}

static void make_sum(nas_room_t *room, nas_shape_t shape, work_t *work)
{
    work->combination = combine(room, shape, 3, NAS_GPU_TERM_PLAIN);
}

static void make_pool(nas_room_t *room, nas_shape_t shape, work_t *work)
{
    work->combination = combine(room, shape, 1, NAS_GPU_TERM_POOL3);
}

/* As of a BN's adjoint: two terms behind a mask, and the sums that the next one needs. */
static void make_adjoint(nas_room_t *room, nas_shape_t shape, work_t *work)
{
    nas_gpu_combination_t *c = &work->combination;
    *c = combine(room, shape, 2, NAS_GPU_TERM_PLAIN);
    c->mask = nas_room_tensor(room, shape);
    c->dots = room->table.taken;
    c->n_dots = 2;
    for (int i = 0; i < c->n_dots; i++) {
        nas_gpu_dot_t dot = {.tensor.at = -1, .center = -1};
        if (i > 0) dot.tensor = nas_room_tensor(room, shape);
        dot.parts = nas_room_doubles(room, (int64_t)NAS_GPU_PARTS * shape.c);
        (void)nas_room_describe(room, &dot, sizeof dot);
    }
}

static int combine_groups(nas_shape_t shape)
{
    return shape.c * NAS_GPU_PARTS;
}

/* ---------------------------------------------------------------------------------------- others */

static void make_moments(nas_room_t *room, nas_shape_t shape, work_t *work)
{
    work->moments = (nas_gpu_moments_t){.n = shape.n, .c = shape.c, .h = shape.h, .w = shape.w};
    work->moments.x = nas_room_tensor(room, shape);
    work->moments.moments = nas_room_doubles(room, 2 * (int64_t)NAS_GPU_TILES(shape.n) * shape.c);
}

static int moments_groups(nas_shape_t shape)
{
    return shape.c * NAS_GPU_TILES(shape.n);
}

static void make_dots(nas_room_t *room, nas_shape_t shape, work_t *work)
{
    work->dots = (nas_gpu_image_dots_t){.n = shape.n, .c = shape.c, .h = shape.h, .w = shape.w};
    work->dots.a = nas_room_tensor(room, shape);
    work->dots.b = nas_room_tensor(room, shape);
    work->dots.sum = nas_room_doubles(room, (int64_t)shape.n * shape.c);
}

static int dots_groups(nas_shape_t shape)
{
    return (shape.n * shape.c + NAS_GPU_PLANES - 1) / NAS_GPU_PLANES;
}

static void make_agreement(nas_room_t *room, nas_shape_t shape, work_t *work)
{
    work->agreement =
        (nas_gpu_agreement_t){.n = shape.n, .c = shape.c, .h = shape.h, .w = shape.w, .times = 1};
    work->agreement.relu = nas_room_tensor(room, shape);
    work->agreement.counts = nas_room_doubles(room, (int64_t)shape.n * shape.n);
}

static int agreement_groups(nas_shape_t shape)
{
    return NAS_GPU_SIGN_GROUPS(shape.n, shape.c, shape.h, shape.w);
}

/* ----------------------------------------------------------------------------------------- table */

/* A kernel, and what it is asked for. */
typedef struct kind {
    const char *name, *source, *kernel;
    int n_tensors; /* that are read or written */
    size_t bytes;  /* of a descriptor */
    void (*make)(nas_room_t *room, nas_shape_t shape, work_t *work);
    int (*groups)(nas_shape_t shape);
} kind_t;

static const kind_t kinds[] = {
    {"combine: norm, ReLU", "combine", "combine", 3, sizeof(nas_gpu_combination_t), make_norm,
     combine_groups},
    {"combine: 3 terms", "combine", "combine", 4, sizeof(nas_gpu_combination_t), make_sum,
     combine_groups},
    {"combine: mask, 2 dots", "combine", "combine", 5, sizeof(nas_gpu_combination_t), make_adjoint,
     combine_groups},
    {"combine: pool 3 x 3", "combine", "combine", 2, sizeof(nas_gpu_combination_t), make_pool,
     combine_groups},
    {"moments", "sums", "moments", 1, sizeof(nas_gpu_moments_t), make_moments, moments_groups},
    {"image_dots", "sums", "image_dots", 2, sizeof(nas_gpu_image_dots_t), make_dots, dots_groups},
    {"agreement", "signs", "agreement", 1, sizeof(nas_gpu_agreement_t), make_agreement,
     agreement_groups}};

enum { N_KINDS = (int)(sizeof kinds / sizeof *kinds) };

static void place(const nas_gpu_bench_t *bench, int i, int n_networks, nas_room_t *room,
                  nas_wave_case_t *the_case)
{
    const kind_t *kind = &kinds[i % N_KINDS];
    const nas_shape_t shape = (bench->is_quick ? tiny : real)[i / N_KINDS];
    nas_timed_launch_t *launch = &the_case->timed.launch[0];
    work_t work[NAS_WAVES_MOST];
    for (int m = 0; m < n_networks; m++) kind->make(room, shape, &work[m]);
    *launch = (nas_timed_launch_t){.variant = nas_gpu_plain_variant(kind->source, kind->kernel),
                                   .groups_x = kind->groups(shape),
                                   .groups_y = n_networks,
                                   .at = room->table.taken};
    for (int m = 0; m < n_networks; m++) (void)nas_room_describe(room, &work[m], kind->bytes);
    the_case->timed.n = 1;
    the_case->kernel = kind->name;
    the_case->bytes =
        sizeof(float) * (double)kind->n_tensors * shape.n * shape.c * shape.h * shape.w;
    (void)snprintf(the_case->shape, sizeof the_case->shape, "%d, %d x %d", shape.c, shape.h,
                   shape.w);
}

nas_status_t nas_gpu_bench_tensors(const nas_gpu_bench_t *bench, nas_error_t *err)
{
    const size_t n_shapes =
        bench->is_quick ? sizeof tiny / sizeof *tiny : sizeof real / sizeof *real;
    const nas_waves_t waves = {.key = "tensors",
                               .title = "Other kernels; GB/s: tensors read and written",
                               .n_cases = N_KINDS * (int)n_shapes,
                               .place = place};
    return nas_waves_measure(bench, &waves, err);
}
