/* Convolutions: a descriptor a block of channels that are written. Moments of what a forward pass
 * writes are taken tile by tile as it is written. */
#include "worker/engine/gpu/plan/planner.h"

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static nas_range_t whole(nas_place_t at, int c)
{
    return (nas_range_t){.at = at, .c_total = c};
}

static size_t weight_bytes(const nas_conv_shape_t *s)
{
    return (size_t)s->c_out * (size_t)nas_conv_fan_in(s) * sizeof(float);
}

static nas_shape_t shape_in(const nas_conv_shape_t *s)
{
    return (nas_shape_t){s->n, s->c_in, s->h_in, s->w_in};
}

static nas_shape_t shape_out(const nas_conv_shape_t *s)
{
    return (nas_shape_t){s->n, s->c_out, nas_conv_h_out(s), nas_conv_w_out(s)};
}

/* The pass that reads `from` and writes `to`; y is set. */
static void add_blocks(nas_gpu_planner_t *p, const nas_gpu_conv_kernel_t *kernel,
                       const nas_gpu_conv_t *all)
{
    for (int c = 0; c < all->c_out; c += kernel->block_o) {
        nas_gpu_conv_t *work = nas_gpu_work(p, sizeof *work);
        *work = *all;
        work->c_block = c;
    }
}

static nas_gpu_step_t step_of(const nas_gpu_conv_kernel_t *kernel, int n, size_t n_bytes)
{
    return (nas_gpu_step_t){
        .variant = kernel->variant, .groups_x = kernel->groups_x, .n = n, .n_bytes = (int)n_bytes};
}

static void describe_forward(nas_gpu_planner_t *p, const nas_gpu_conv_kernel_t *kernel,
                             const nas_conv_op_t *op, bool has_moments)
{
    const nas_conv_shape_t *s = &kernel->shape;
    const nas_gpu_conv_t all = {
        .x = nas_gpu_slice_of(p, whole(op->in, s->c_in)),
        .y = nas_gpu_slice_of(p, whole(op->out, s->c_out)),
        .w = nas_gpu_tensor_place(p, op->weights),
        .moments =
            has_moments ? nas_gpu_take_parts(p, 2 * (int64_t)kernel->groups_x * s->c_out) : -1,
        .bias = -1,
        .n = s->n,
        .c_in = s->c_in,
        .c_out = s->c_out,
        .w_o = s->c_out,
        .w_i = s->c_in};
    const nas_gpu_step_t step = step_of(kernel, ceil_div(s->c_out, kernel->block_o), sizeof all);
    nas_gpu_uses_bytes(p, op->weights, weight_bytes(s), false);
    nas_gpu_uses_tensor(p, shape_in(s), whole(op->in, s->c_in), false);
    nas_gpu_uses_tensor(p, shape_out(s), whole(op->out, s->c_out), true);
    p->tiles.step = nas_gpu_step(p, &step);
    p->tiles.y = op->out;
    p->tiles.at = all.moments;
    p->tiles.c_total = s->c_out;
    p->tiles.tile_images = kernel->tile_images;
    p->tiles.tile_rows = kernel->tile_rows;
    if (!has_moments) p->tiles.step = -1;
    add_blocks(p, kernel, &all);
}

static void describe_data(nas_gpu_planner_t *p, const nas_gpu_conv_kernel_t *kernel,
                          const nas_conv_op_t *op)
{
    const nas_conv_shape_t *s = &kernel->shape;
    const bool by_images = op->jacobian >= 0;
    const nas_gpu_conv_t all = {.x = nas_gpu_slice_of(p, whole(op->in, s->c_out)),
                                .y = {.at = by_images ? nas_gpu_vector_place(p, op->jacobian)
                                                      : nas_gpu_tensor_place(p, op->out),
                                      .c_total = s->c_in},
                                .w = nas_gpu_tensor_place(p, op->weights),
                                .moments = -1,
                                .bias = -1,
                                .n = s->n,
                                .c_in = s->c_out,
                                .c_out = s->c_in,
                                .w_o = s->c_out,
                                .w_i = s->c_in};
    const nas_gpu_step_t step = step_of(kernel, ceil_div(s->c_in, kernel->block_o), sizeof all);
    nas_gpu_uses_bytes(p, op->weights, weight_bytes(s), false);
    nas_gpu_uses_tensor(p, shape_out(s), whole(op->in, s->c_out), false);
    if (by_images)
        nas_gpu_writes(p, op->jacobian);
    else
        nas_gpu_uses_tensor(p, shape_in(s), whole(op->out, s->c_in), true);
    (void)nas_gpu_step(p, &step);
    add_blocks(p, kernel, &all);
}

static void uses_weights_pass(nas_gpu_planner_t *p, const nas_conv_shape_t *s,
                              const nas_conv_op_t *op)
{
    nas_gpu_uses_tensor(p, shape_in(s), whole(op->in, s->c_in), false);
    nas_gpu_uses_tensor(p, shape_out(s), whole(op->other, s->c_out), false);
    nas_gpu_uses_bytes(p, op->out, weight_bytes(s), true);
}

/* The sum of the parts of a gradient, behind the descriptors that make them. */
static void add_parts(nas_gpu_planner_t *p, const nas_conv_shape_t *s, const nas_conv_op_t *op,
                      int splits)
{
    *(nas_gpu_weight_parts_t *)nas_gpu_work(p, sizeof(nas_gpu_weight_parts_t)) =
        (nas_gpu_weight_parts_t){.gradient = nas_gpu_tensor_place(p, op->out),
                                 .n = (int64_t)(weight_bytes(s) / sizeof(float)),
                                 .splits = splits};
}

/* Blocks, then the sum of their parts, whose room is found when they are launched. */
static void describe_weights(nas_gpu_planner_t *p, const nas_gpu_conv_kernel_t *kernel,
                             const nas_conv_op_t *op)
{
    const nas_conv_shape_t *s = &kernel->shape;
    const int blocks_o = ceil_div(s->c_out, kernel->block_o);
    const int blocks_i = ceil_div(s->c_in, kernel->block_i);
    nas_gpu_weights_t all = {.x = nas_gpu_slice_of(p, whole(op->in, s->c_in)),
                             .dy = nas_gpu_slice_of(p, whole(op->other, s->c_out)),
                             .n = s->n,
                             .w_o = s->c_out,
                             .w_i = s->c_in,
                             .splits = kernel->groups_x};
    nas_gpu_step_t step = step_of(kernel, blocks_o * blocks_i, sizeof all);
    step.floats = (int64_t)(weight_bytes(s) / sizeof(float)) * kernel->groups_x;
    uses_weights_pass(p, s, op);
    (void)nas_gpu_step(p, &step);
    for (int o = 0; o < blocks_o; o++)
        for (int i = 0; i < blocks_i; i++) {
            all.o_block = o * kernel->block_o;
            all.i_block = i * kernel->block_i;
            *(nas_gpu_weights_t *)nas_gpu_work(p, sizeof all) = all;
        }
    add_parts(p, s, op, kernel->groups_x);
}

/* ------------------------------------------------------------------------- any window and groups */

/* All of a pass but the places of what it reads and writes. */
static nas_gpu_window_t window_work(nas_gpu_planner_t *p, const nas_gpu_conv_kernel_t *kernel,
                                    const nas_conv_op_t *op)
{
    nas_gpu_window_t work = {.parts = -1, .w = nas_gpu_tensor_place(p, op->weights)};
    nas_gpu_window_geometry(&kernel->shape, kernel->pass, &work);
    return work;
}

/* y out of x, or dx out of dy. */
static void describe_window(nas_gpu_planner_t *p, const nas_gpu_conv_kernel_t *kernel,
                            const nas_conv_op_t *op)
{
    const nas_conv_shape_t *s = &kernel->shape;
    const bool is_adjoint = kernel->pass == NAS_GPU_BACKWARD_DATA, by_images = op->jacobian >= 0;
    const nas_shape_t from = is_adjoint ? shape_out(s) : shape_in(s);
    const nas_shape_t to = is_adjoint ? shape_in(s) : shape_out(s);
    const nas_gpu_step_t step = step_of(kernel, 1, sizeof(nas_gpu_window_t));
    nas_gpu_window_t work = window_work(p, kernel, op);
    work.x = nas_gpu_slice_of(p, whole(op->in, from.c));
    work.y = nas_gpu_slice_of(p, whole(op->out, to.c));
    if (by_images) work.y.at = nas_gpu_vector_place(p, op->jacobian);
    nas_gpu_uses_bytes(p, op->weights, weight_bytes(s), false);
    nas_gpu_uses_tensor(p, from, whole(op->in, from.c), false);
    if (by_images)
        nas_gpu_writes(p, op->jacobian);
    else
        nas_gpu_uses_tensor(p, to, whole(op->out, to.c), true);
    (void)nas_gpu_step(p, &step);
    *(nas_gpu_window_t *)nas_gpu_work(p, sizeof work) = work;
}

static void describe_window_weights(nas_gpu_planner_t *p, const nas_gpu_conv_kernel_t *kernel,
                                    const nas_conv_op_t *op)
{
    const nas_conv_shape_t *s = &kernel->shape;
    nas_gpu_step_t step = step_of(kernel, 1, sizeof(nas_gpu_window_t));
    nas_gpu_window_t work = window_work(p, kernel, op);
    work.x = nas_gpu_slice_of(p, whole(op->in, s->c_in));
    work.y = nas_gpu_slice_of(p, whole(op->other, s->c_out));
    uses_weights_pass(p, s, op);
    step.floats = (int64_t)(weight_bytes(s) / sizeof(float)) * work.splits;
    (void)nas_gpu_step(p, &step);
    *(nas_gpu_window_t *)nas_gpu_work(p, sizeof work) = work;
    add_parts(p, s, op, work.splits);
}

static void describe_any(nas_gpu_planner_t *p, const nas_gpu_conv_kernel_t *kernel,
                         const nas_conv_op_t *op)
{
    if (kernel->pass == NAS_GPU_BACKWARD_WEIGHTS)
        describe_window_weights(p, kernel, op);
    else
        describe_window(p, kernel, op);
}

void nas_gpu_describe_conv(nas_gpu_planner_t *p, nas_op_kind_t kind, const nas_conv_op_t *op,
                           bool has_moments)
{
    const nas_gpu_pass_t pass = kind == NAS_OP_CONV_FORWARD         ? NAS_GPU_FORWARD
                                : kind == NAS_OP_CONV_BACKWARD_DATA ? NAS_GPU_BACKWARD_DATA
                                                                    : NAS_GPU_BACKWARD_WEIGHTS;
    const nas_gpu_conv_kernel_t *kernel =
        nas_gpu_variants_conv(p->variants, &p->program->conv[op->conv], pass);
    p->failed |= !kernel;
    if (!kernel) return;
    if (!kernel->shape.k)
        describe_any(p, kernel, op);
    else if (pass == NAS_GPU_FORWARD)
        describe_forward(p, kernel, op, has_moments);
    else if (pass == NAS_GPU_BACKWARD_DATA)
        describe_data(p, kernel, op);
    else
        describe_weights(p, kernel, op);
}

/* -------------------------------------------------------------------------------------- weights */

static int groups_of(int64_t n, int n_each)
{
    return (int)((n + n_each - 1) / n_each);
}

enum { PARAMETERS_A_GROUP = 512 };

/* The convolutions of a group, a descriptor each. */
static nas_gpu_step_t layers_step(const nas_gpu_planner_t *p, const nas_program_group_t *group,
                                  int variant, size_t n_bytes)
{
    int64_t most = 0;
    for (int i = group->layer; i < group->layer + group->n_layers; i++)
        if (p->program->layer[i].n > most) most = p->program->layer[i].n;
    return (nas_gpu_step_t){.variant = variant,
                            .groups_x = groups_of(most, PARAMETERS_A_GROUP),
                            .n = group->n_layers,
                            .n_bytes = (int)n_bytes};
}

static void describe_pack(nas_gpu_planner_t *p, const nas_program_group_t *group)
{
    const nas_gpu_step_t step = layers_step(p, group, NAS_GPU_PLAIN_PACK, sizeof(nas_gpu_pack_t));
    int64_t to = nas_gpu_tensor_place(p, group->weights);
    nas_gpu_uses_bytes(p, group->weights, group->elements * sizeof(float), true);
    (void)nas_gpu_step(p, &step);
    for (int i = group->layer; i < group->layer + group->n_layers; i++) {
        const nas_program_layer_t *layer = &p->program->layer[i];
        *(nas_gpu_pack_t *)nas_gpu_work(p, sizeof(nas_gpu_pack_t)) =
            (nas_gpu_pack_t){.from = nas_gpu_parameter_place(p, layer->weight),
                             .to = to,
                             .n = layer->n,
                             .absolute = p->program->flow};
        to += layer->n;
    }
}

static void describe_unpack(nas_gpu_planner_t *p, const nas_program_group_t *group)
{
    const nas_gpu_step_t step =
        layers_step(p, group, NAS_GPU_PLAIN_UNPACK, sizeof(nas_gpu_unpack_t));
    int64_t from = nas_gpu_tensor_place(p, group->gradient);
    nas_gpu_uses_bytes(p, group->gradient, group->elements * sizeof(float), false);
    (void)nas_gpu_step(p, &step);
    for (int i = group->layer; i < group->layer + group->n_layers; i++) {
        const nas_program_layer_t *layer = &p->program->layer[i];
        *(nas_gpu_unpack_t *)nas_gpu_work(p, sizeof(nas_gpu_unpack_t)) = (nas_gpu_unpack_t){
            .from = from,
            .to = nas_gpu_vector_place(p, p->program->results.gradient) + layer->weight,
            .n = layer->n};
        from += layer->n;
    }
}

void nas_gpu_describe_added_gradient(nas_gpu_planner_t *p, const nas_gradient_op_t *op)
{
    const nas_program_group_t *group = &p->program->group[op->group];
    const nas_program_layer_t *layer = &p->program->layer[group->layer];
    const nas_gpu_step_t step =
        layers_step(p, group, NAS_GPU_PLAIN_UNPACK, sizeof(nas_gpu_unpack_t));
    nas_gpu_uses_bytes(p, op->from, group->elements * sizeof(float), false);
    nas_gpu_writes(p, op->to);
    (void)nas_gpu_step(p, &step);
    *(nas_gpu_unpack_t *)nas_gpu_work(p, sizeof(nas_gpu_unpack_t)) =
        (nas_gpu_unpack_t){.from = nas_gpu_tensor_place(p, op->from),
                           .to = nas_gpu_vector_place(p, op->to),
                           .n = layer->n,
                           .onto = true};
}

static void use_dot(nas_gpu_planner_t *p, const nas_weight_dot_t *dot)
{
    nas_gpu_uses_bytes(p, dot->a, dot->n * sizeof(float), false);
    nas_gpu_uses_bytes(p, dot->b, dot->n * sizeof(float), false);
    nas_gpu_writes(p, dot->sums);
}

static void describe_dots(nas_gpu_planner_t *p)
{
    const nas_program_t *program = p->program;
    if (program->n_weight_dots == 0) return;
    for (int i = 0; i < program->n_weight_dots; i++) {
        use_dot(p, &program->weight_dot[i]);
        nas_gpu_find(p);
        p->n_accesses = 0;
    }
    const int step = nas_gpu_step(p, &(nas_gpu_step_t){.variant = NAS_GPU_PLAIN_WEIGHT_DOTS,
                                                       .groups_x = 1,
                                                       .n = program->n_weight_dots,
                                                       .n_bytes = sizeof(nas_gpu_weight_dot_t)});
    for (int i = 0; i < program->n_weight_dots; i++) {
        const nas_weight_dot_t *dot = &program->weight_dot[i];
        use_dot(p, dot);
        nas_gpu_note(p, step);
        *(nas_gpu_weight_dot_t *)nas_gpu_work(p, sizeof(nas_gpu_weight_dot_t)) =
            (nas_gpu_weight_dot_t){.a = nas_gpu_tensor_place(p, dot->a),
                                   .b = nas_gpu_tensor_place(p, dot->b),
                                   .n = (int64_t)dot->n,
                                   .sums = nas_gpu_vector_place(p, dot->sums)};
    }
}

void nas_gpu_describe_weights(nas_gpu_planner_t *p, const nas_op_t *op)
{
    if (op->kind == NAS_OP_WEIGHT_DOTS)
        describe_dots(p);
    else if (op->kind == NAS_OP_PACK)
        describe_pack(p, &p->program->group[op->index]);
    else
        describe_unpack(p, &p->program->group[op->index]);
}
