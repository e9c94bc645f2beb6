/* Combinations, and sums over tensors: parts of the batch are summed by many groups, and a step of
 * scalars adds them. */
#include "worker/engine/gpu/plan/planner.h"

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

/* --------------------------------------------------------------------------------- combinations */

/* Of the tensor that a term reads. */
static nas_shape_t term_shape(nas_term_kind_t kind, nas_shape_t shape)
{
    if (kind == NAS_TERM_POOL2) return (nas_shape_t){shape.n, shape.c, 2 * shape.h, 2 * shape.w};
    if (kind == NAS_TERM_POOL2_ADJOINT)
        return (nas_shape_t){shape.n, shape.c, shape.h / 2, shape.w / 2};
    return shape;
}

static int64_t add_terms(nas_gpu_planner_t *p, const nas_program_combination_t *c)
{
    int64_t at;
    nas_gpu_term_t *to = nas_gpu_table_add(p, (size_t)c->n_terms * sizeof *to, &at);
    for (int i = 0; i < c->n_terms; i++) {
        const nas_program_term_t *term = &p->program->term[c->term + i];
        to[i] = (nas_gpu_term_t){.tensor = nas_gpu_slice_of(p, term->tensor),
                                 .coefficient = nas_gpu_vector_place(p, term->coefficient),
                                 .kind = (int)term->kind,
                                 .masked = term->masked};
        nas_gpu_uses_tensor(p, term_shape(term->kind, c->shape), term->tensor, false);
        nas_gpu_reads(p, term->coefficient);
    }
    return at;
}

static int64_t add_dots(nas_gpu_planner_t *p, const nas_program_combination_t *c, int64_t parts)
{
    int64_t at;
    nas_gpu_dot_t *to = nas_gpu_table_add(p, (size_t)c->n_dots * sizeof *to, &at);
    for (int i = 0; i < c->n_dots; i++) {
        const nas_program_dot_t *dot = &p->program->dot[c->dot + i];
        to[i] = (nas_gpu_dot_t){.tensor = nas_gpu_slice_of(p, dot->tensor),
                                .center = nas_gpu_vector_place(p, dot->center),
                                .parts = parts + (int64_t)i * NAS_GPU_PARTS * c->shape.c};
        nas_gpu_uses_tensor(p, c->shape, dot->tensor, false);
        nas_gpu_reads(p, dot->center);
    }
    return at;
}

static void add_dot_sums(nas_gpu_planner_t *p, const nas_program_combination_t *c, int64_t parts,
                         int step)
{
    for (int i = 0; i < c->n_dots; i++) {
        const nas_vector_t sum = p->program->dot[c->dot + i].sum;
        nas_gpu_waits(p, step);
        nas_gpu_writes(p, sum);
        nas_gpu_scalar_t *scalar = nas_gpu_scalar(p, NAS_GPU_DOT_PARTS);
        scalar->c = c->shape.c;
        scalar->in = parts + (int64_t)i * NAS_GPU_PARTS * c->shape.c;
        scalar->out = nas_gpu_vector_place(p, sum);
    }
}

void nas_gpu_describe_combination(nas_gpu_planner_t *p, int index)
{
    const nas_program_combination_t *c = &p->program->combination[index];
    const nas_shape_t *s = &c->shape;
    const int64_t parts = nas_gpu_take_parts(p, (int64_t)c->n_dots * NAS_GPU_PARTS * s->c);
    const nas_gpu_combination_t work = {.terms = add_terms(p, c),
                                        .dots = add_dots(p, c, parts),
                                        .shift = nas_gpu_vector_place(p, c->shift),
                                        .mask = nas_gpu_slice_of(p, c->mask),
                                        .out = nas_gpu_slice_of(p, c->out),
                                        .relu = nas_gpu_slice_of(p, c->relu),
                                        .n = s->n,
                                        .c = s->c,
                                        .h = s->h,
                                        .w = s->w,
                                        .n_terms = c->n_terms,
                                        .n_dots = c->n_dots,
                                        .ceiling = (float)c->ceiling};
    nas_gpu_reads(p, c->shift);
    nas_gpu_uses_tensor(p, *s, c->mask, false);
    nas_gpu_uses_tensor(p, *s, c->out, true);
    nas_gpu_uses_tensor(p, *s, c->relu, true);
    const int step = nas_gpu_step(p, &(nas_gpu_step_t){.variant = NAS_GPU_PLAIN_COMBINE,
                                                       .groups_x = s->c * NAS_GPU_PARTS,
                                                       .n = 1,
                                                       .n_bytes = sizeof work});
    *(nas_gpu_combination_t *)nas_gpu_work(p, sizeof work) = work;
    add_dot_sums(p, c, parts, step);
}

/* -------------------------------------------------------------------------------------- tensors */

static void describe_load(nas_gpu_planner_t *p, const nas_tensor_op_t *op)
{
    const nas_shape_t *s = &op->shape;
    nas_gpu_uses_tensor(p, *s, op->a, true);
    (void)nas_gpu_step(p, &(nas_gpu_step_t){.variant = NAS_GPU_PLAIN_LOAD,
                                            .groups_x = s->n * s->c,
                                            .n = 1,
                                            .n_bytes = sizeof(nas_gpu_load_t)});
    *(nas_gpu_load_t *)nas_gpu_work(p, sizeof(nas_gpu_load_t)) =
        (nas_gpu_load_t){.from = p->program->flow ? -1 : p->places->images,
                         .to = nas_gpu_tensor_place(p, op->a.at),
                         .n = s->n,
                         .c = s->c,
                         .h = s->h,
                         .w = s->w,
                         .staged = p->places->is_staged};
}

/* Of a tensor that no convolution wrote: its own tiles. */
static void take_tiles(nas_gpu_planner_t *p, const nas_tensor_op_t *op)
{
    const nas_shape_t *s = &op->shape;
    const int n_tiles = NAS_GPU_TILES(s->n);
    const int64_t at = nas_gpu_take_parts(p, 2 * (int64_t)n_tiles * s->c);
    nas_gpu_uses_tensor(p, *s, op->a, false);
    p->tiles.step = nas_gpu_step(p, &(nas_gpu_step_t){.variant = NAS_GPU_PLAIN_MOMENTS,
                                                      .groups_x = s->c * n_tiles,
                                                      .n = 1,
                                                      .n_bytes = sizeof(nas_gpu_moments_t)});
    *(nas_gpu_moments_t *)nas_gpu_work(p, sizeof(nas_gpu_moments_t)) = (nas_gpu_moments_t){
        .x = nas_gpu_slice_of(p, op->a), .moments = at, .n = s->n, .c = s->c, .h = s->h, .w = s->w};
    p->tiles.at = at;
    p->tiles.c_total = s->c;
    p->tiles.tile_images = NAS_GPU_TILE_IMAGES(s->n);
    p->tiles.tile_rows = s->h;
}

static void describe_moments(nas_gpu_planner_t *p, const nas_tensor_op_t *op)
{
    const nas_shape_t *s = &op->shape;
    const bool by_conv = p->tiles.step >= 0 && p->tiles.y == op->a.at;
    if (!by_conv) take_tiles(p, op);
    nas_gpu_waits(p, p->tiles.step);
    nas_gpu_writes(p, op->out[0]);
    nas_gpu_writes(p, op->out[1]);
    nas_gpu_scalar_t *scalar = nas_gpu_scalar(p, NAS_GPU_MOMENTS);
    scalar->c = s->c;
    scalar->in = p->tiles.at;
    scalar->norm = nas_gpu_vector_place(p, op->out[0]);
    scalar->count = (double)s->n * s->h * s->w;
    scalar->h = s->h;
    scalar->w = s->w;
    scalar->first = by_conv ? op->a.c_first : 0;
    scalar->stride = p->tiles.c_total;
    scalar->per = p->tiles.tile_images;
    scalar->rows = p->tiles.tile_rows;
    if (!by_conv) p->tiles.step = -1;
}

/* Sums of Fisher's kind go to a place of their own, where who reads them finds them. */
static int64_t place_of_image_sums(nas_gpu_planner_t *p, const nas_tensor_op_t *op,
                                   nas_gpu_renamed_t **renamed)
{
    const nas_vector_t vector = op->out[0];
    const nas_head_vectors_t *head = &p->program->head;
    *renamed = NULL;
    if (vector == head->features || vector == head->t_features)
        return nas_gpu_vector_place(p, vector);
    const int which =
        p->image_sum[0].vector == NAS_NOWHERE || p->image_sum[0].vector == vector ? 0 : 1;
    *renamed = &p->image_sum[which];
    **renamed = (nas_gpu_renamed_t){
        .vector = vector, .to = nas_gpu_take_parts(p, (int64_t)op->shape.n * op->shape.c)};
    return (*renamed)->to;
}

static void describe_image_dots(nas_gpu_planner_t *p, const nas_tensor_op_t *op)
{
    const nas_shape_t *s = &op->shape;
    nas_gpu_renamed_t *renamed;
    const int64_t to = place_of_image_sums(p, op, &renamed);
    nas_gpu_uses_tensor(p, *s, op->a, false);
    nas_gpu_uses_tensor(p, *s, op->b, false);
    if (!renamed) nas_gpu_writes(p, op->out[0]);
    const int step =
        nas_gpu_step(p, &(nas_gpu_step_t){.variant = NAS_GPU_PLAIN_IMAGE_DOTS,
                                          .groups_x = ceil_div(s->n * s->c, NAS_GPU_PLANES),
                                          .n = 1,
                                          .n_bytes = sizeof(nas_gpu_image_dots_t)});
    if (renamed) renamed->step = step;
    *(nas_gpu_image_dots_t *)nas_gpu_work(p, sizeof(nas_gpu_image_dots_t)) =
        (nas_gpu_image_dots_t){.a = nas_gpu_slice_of(p, op->a),
                               .b = nas_gpu_slice_of(p, op->b),
                               .sum = to,
                               .n = s->n,
                               .c = s->c,
                               .h = s->h,
                               .w = s->w};
}

static void describe_max_abs(nas_gpu_planner_t *p, const nas_tensor_op_t *op)
{
    const nas_shape_t *s = &op->shape;
    nas_gpu_uses_tensor(p, *s, op->a, false);
    nas_gpu_writes(p, op->out[0]);
    nas_gpu_scalar_t *scalar = nas_gpu_scalar(p, NAS_GPU_MAX_ABS);
    scalar->in =
        nas_gpu_tensor_place(p, op->a.at) + (int64_t)op->a.c_first * NAS_GPU_PITCH(s->h, s->w);
    scalar->out = nas_gpu_vector_place(p, op->out[0]);
    scalar->n = s->n;
    scalar->c = s->c;
    scalar->h = s->h;
    scalar->w = s->w;
    scalar->stride = op->a.c_total;
}

/* --------------------------------------------------------------------------------------- counts */

/* All count at once, in whole numbers: who takes them waits for all. */
static void describe_agreement(nas_gpu_planner_t *p, const nas_tensor_op_t *op)
{
    const nas_shape_t *s = &op->shape;
    nas_gpu_uses_tensor(p, *s, op->a, false);
    nas_gpu_reads(p, op->out[0]);
    (void)nas_gpu_step(p, &(nas_gpu_step_t){.variant = NAS_GPU_PLAIN_AGREEMENT,
                                            .groups_x = NAS_GPU_SIGN_GROUPS(s->n, s->c, s->h, s->w),
                                            .n = 1,
                                            .n_bytes = sizeof(nas_gpu_agreement_t)});
    *(nas_gpu_agreement_t *)nas_gpu_work(p, sizeof(nas_gpu_agreement_t)) =
        (nas_gpu_agreement_t){.relu = nas_gpu_slice_of(p, op->a),
                              .counts = p->places->counts,
                              .n = s->n,
                              .c = s->c,
                              .h = s->h,
                              .w = s->w,
                              .times = op->times};
    p->n_counted += (double)op->times * s->c * s->h * s->w;
}

void nas_gpu_describe_counts(nas_gpu_planner_t *p)
{
    const nas_vector_t agreement = p->program->results.agreement;
    if (agreement < 0) return;
    nas_gpu_writes(p, agreement);
    nas_gpu_scalar_t *scalar = nas_gpu_scalar(p, NAS_GPU_AGREEMENT);
    scalar->in = p->places->counts;
    scalar->out = nas_gpu_vector_place(p, agreement);
    scalar->count = p->n_counted;
}

void nas_gpu_describe_tensor(nas_gpu_planner_t *p, nas_op_kind_t kind, const nas_tensor_op_t *op)
{
    if (kind == NAS_OP_LOAD_IMAGES)
        describe_load(p, op);
    else if (kind == NAS_OP_MOMENTS)
        describe_moments(p, op);
    else if (kind == NAS_OP_IMAGE_DOTS)
        describe_image_dots(p, op);
    else if (kind == NAS_OP_MAX_ABS)
        describe_max_abs(p, op);
    else
        describe_agreement(p, op);
}
