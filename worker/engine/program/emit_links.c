/* Links that are no convolutions: pools, parts of tensors, flat tensors, and tensors that are only
 * normalised. All but pools by maximum are linear, so that a tangent goes the way of a value. */
#include "worker/engine/program/emitter.h"

static void emit_crop(nas_emitter_t *e, int group, int x, int y)
{
    const nas_lowered_link_t *link = nas_group_link(e, group);
    const nas_shape_t from = nas_source_shape(e, group), to = nas_group_shape(e, group);
    nas_emit_copy(e, (nas_emit_copy_t){.shape = to,
                                       .from_shape = from,
                                       .from = {.tensor = x, .c_total = from.c},
                                       .to = {.tensor = y, .c_total = to.c},
                                       .top = link->top,
                                       .left = link->left});
}

static void emit_uncrop(nas_emitter_t *e, int group, int dy, int dx)
{
    const nas_lowered_link_t *link = nas_group_link(e, group);
    const nas_shape_t from = nas_source_shape(e, group), to = nas_group_shape(e, group);
    nas_emit_copy(e, (nas_emit_copy_t){.shape = from,
                                       .from_shape = to,
                                       .from = {.tensor = dy, .c_total = to.c},
                                       .to = {.tensor = dx, .c_total = from.c},
                                       .top = -link->top,
                                       .left = -link->left});
}

int nas_emit_link_forward(nas_emitter_t *e, int group, int x)
{
    const nas_link_kind_t kind = nas_group_link(e, group)->kind;
    if (kind == NAS_LINK_SAME) return x;
    const int y = nas_emit_tensor(e, nas_group_shape(e, group));
    if (kind == NAS_LINK_POOL)
        nas_emit_pool(e, NAS_OP_POOL_FORWARD, group, x, NAS_NO_TENSOR, y);
    else if (kind == NAS_LINK_CROP)
        emit_crop(e, group, x, y);
    else
        nas_emit_flat(e, NAS_OP_FLATTEN, nas_source_shape(e, group), x, y);
    return y;
}

int nas_emit_link_tangent(nas_emitter_t *e, int group, int x, int in)
{
    const nas_lowered_link_t *link = nas_group_link(e, group);
    if (link->kind != NAS_LINK_POOL || link->pool != NAS_POOL_MAX)
        return nas_emit_link_forward(e, group, in);
    const int ty = nas_emit_tensor(e, nas_group_shape(e, group));
    nas_emit_pool(e, NAS_OP_POOL_TANGENT, group, x, in, ty);
    return ty;
}

int nas_emit_link_backward(nas_emitter_t *e, int group, int x, int dy)
{
    const nas_lowered_link_t *link = nas_group_link(e, group);
    if (link->kind == NAS_LINK_SAME) return dy;
    const int dx = nas_emit_tensor(e, nas_source_shape(e, group));
    if (link->kind == NAS_LINK_POOL)
        nas_emit_pool(e, NAS_OP_POOL_BACKWARD, group,
                      link->pool == NAS_POOL_MAX ? x : NAS_NO_TENSOR, dy, dx);
    else if (link->kind == NAS_LINK_CROP)
        emit_uncrop(e, group, dy, dx);
    else
        nas_emit_flat(e, NAS_OP_UNFLATTEN, nas_source_shape(e, group), dx, dy);
    return dx;
}
