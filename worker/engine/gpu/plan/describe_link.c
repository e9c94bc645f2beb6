/* Pools, parts of tensors, flat tensors. */
#include "worker/engine/gpu/plan/planner.h"

static nas_gpu_step_t step_of(nas_gpu_plain_t variant, nas_shape_t written, size_t n_bytes)
{
    const int64_t n = (int64_t)written.n * written.c * written.h * written.w;
    return (nas_gpu_step_t){.variant = (int)variant,
                            .groups_x = (int)((n + NAS_GPU_LINK_LANES - 1) / NAS_GPU_LINK_LANES),
                            .n = 1,
                            .n_bytes = (int)n_bytes};
}

static nas_range_t whole(nas_place_t at, int c)
{
    return (nas_range_t){.at = at, .c_total = c};
}

void nas_gpu_describe_pool(nas_gpu_planner_t *p, nas_op_kind_t kind, const nas_pool_op_t *op)
{
    const nas_pool_shape_t *s = &p->program->pool[op->pool];
    const nas_shape_t in = {s->n, s->c, s->h_in, s->w_in}, out = {s->n, s->c, s->h_out, s->w_out};
    const bool is_adjoint = kind == NAS_OP_POOL_BACKWARD, takes_largest = s->kind == NAS_POOL_MAX;
    const nas_range_t x = whole(takes_largest ? op->x : NAS_NOWHERE, s->c),
                      to = whole(op->out, s->c);
    const nas_range_t from = whole(kind == NAS_OP_POOL_FORWARD ? op->x : op->in, s->c);
    nas_gpu_pooling_t work = {.x = nas_gpu_slice_of(p, x),
                              .from = nas_gpu_slice_of(p, from),
                              .to = nas_gpu_slice_of(p, to),
                              .takes_largest = takes_largest,
                              .counts_padding = s->counts_padding};
    nas_gpu_pooling_geometry(s, &work);
    const nas_gpu_step_t step =
        step_of(is_adjoint ? NAS_GPU_PLAIN_POOL_ADJOINT : NAS_GPU_PLAIN_POOL, is_adjoint ? in : out,
                sizeof work);
    nas_gpu_uses_tensor(p, in, x, false);
    nas_gpu_uses_tensor(p, is_adjoint ? out : in, from, false);
    nas_gpu_uses_tensor(p, is_adjoint ? in : out, to, true);
    (void)nas_gpu_step(p, &step);
    *(nas_gpu_pooling_t *)nas_gpu_work(p, sizeof work) = work;
}

void nas_gpu_describe_copy(nas_gpu_planner_t *p, const nas_copy_op_t *op)
{
    const nas_shape_t *s = &op->shape, from = {s->n, s->c, op->h_from, op->w_from};
    const nas_gpu_copy_t work = {.from = nas_gpu_slice_of(p, op->from),
                                 .to = nas_gpu_slice_of(p, op->to),
                                 .n = s->n,
                                 .c = s->c,
                                 .h = s->h,
                                 .w = s->w,
                                 .h_from = op->h_from,
                                 .w_from = op->w_from,
                                 .top = op->top,
                                 .left = op->left};
    const nas_gpu_step_t step = step_of(NAS_GPU_PLAIN_COPY, *s, sizeof work);
    nas_gpu_uses_tensor(p, from, op->from, false);
    nas_gpu_uses_tensor(p, *s, op->to, true);
    (void)nas_gpu_step(p, &step);
    *(nas_gpu_copy_t *)nas_gpu_work(p, sizeof work) = work;
}

void nas_gpu_describe_flat(nas_gpu_planner_t *p, nas_op_kind_t kind, const nas_tensor_op_t *op)
{
    const nas_shape_t *s = &op->shape, flat = {s->n, s->c * s->h * s->w, 1, 1};
    const bool is_back = kind == NAS_OP_UNFLATTEN;
    const nas_gpu_flatten_t work = {.tensor = nas_gpu_slice_of(p, op->a),
                                    .flat = nas_gpu_slice_of(p, op->b),
                                    .n = s->n,
                                    .c = s->c,
                                    .h = s->h,
                                    .w = s->w,
                                    .back = is_back};
    const nas_gpu_step_t step = step_of(NAS_GPU_PLAIN_FLATTEN, *s, sizeof work);
    nas_gpu_uses_tensor(p, *s, op->a, is_back);
    nas_gpu_uses_tensor(p, flat, op->b, !is_back);
    (void)nas_gpu_step(p, &step);
    *(nas_gpu_flatten_t *)nas_gpu_work(p, sizeof work) = work;
}
