#include "worker/onnx/read/operations.h"
#include "worker/onnx/read/window.h"

/* A window of the whole image, without padding, once: the global pool. */
static bool is_whole(const nas_window_t *w, nas_extents_t e)
{
    return w->k_h == e.h && w->k_w == e.w && w->top + w->left + w->bottom + w->right == 0;
}

/* Every window has to have something in it. */
static bool is_pool(const nas_window_t *w)
{
    return w->dilation_h == 1 && w->dilation_w == 1 && w->top < w->k_h && w->bottom < w->k_h &&
           w->left < w->k_w && w->right < w->k_w;
}

/* Zeros around an image are a mean's own padding where it counts that. */
static int source_of(nas_onnx_maker_t *m, const nas_onnx_value_t *x, nas_pool_spec_t *spec,
                     nas_window_t *window)
{
    nas_window_t wider = *window;
    const bool may =
        spec->kind == NAS_POOL_MEAN && !spec->ceil &&
        (spec->counts_padding || window->top + window->left + window->bottom + window->right == 0);
    if (!may || !nas_onnx_take_padding(x, &wider) || !is_pool(&wider)) return nas_onnx_tensor(m, x);
    spec->counts_padding |= !nas_window_is_same(&wider, window);
    *window = wider;
    return x->tensor;
}

static nas_status_t make_pool(nas_onnx_maker_t *m, const nas_onnx_op_t *op, nas_pool_kind_t kind)
{
    const nas_onnx_value_t *x = NULL;
    nas_window_t window;
    nas_status_t status = nas_onnx_data(m, op, 0, 4, &x);
    if (!status) status = nas_onnx_window(m, op, nas_onnx_extents(x), NULL, &window);
    if (status) return status;
    if (!is_pool(&window))
        return nas_onnx_refuse(m, op, "dilations of 1 and padding below the kernel are computed");
    nas_pool_spec_t spec = {.name = nas_onnx_name(m, op->name),
                            .kind = kind,
                            .window = &window,
                            .counts_padding = nas_onnx_integer(op, "count_include_pad", 0) != 0,
                            .ceil = nas_onnx_integer(op, "ceil_mode", 0) != 0};
    const int source = source_of(m, x, &spec, &window);
    if (is_whole(&window, nas_onnx_extents(x)))
        spec = (nas_pool_spec_t){.name = spec.name, .kind = kind};
    return nas_onnx_give(m, op, m->b->pool(m->b, source, &spec), 4);
}

nas_status_t nas_onnx_average_pool(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    return make_pool(m, op, NAS_POOL_MEAN);
}

nas_status_t nas_onnx_max_pool(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    if (nas_onnx_integer(op, "storage_order", 0) != 0)
        return nas_onnx_refuse(m, op, "a storage_order of 0 is computed");
    return make_pool(m, op, NAS_POOL_MAX);
}

/* The pool of the whole image, as [N, C, 1, 1]. */
static nas_status_t make_global(nas_onnx_maker_t *m, const nas_onnx_op_t *op, nas_pool_kind_t kind)
{
    const nas_onnx_value_t *x = NULL;
    const nas_status_t status = nas_onnx_data(m, op, 0, 4, &x);
    if (status) return status;
    const nas_pool_spec_t spec = {.name = nas_onnx_name(m, op->name), .kind = kind};
    return nas_onnx_give(m, op, m->b->pool(m->b, nas_onnx_tensor(m, x), &spec), 4);
}

nas_status_t nas_onnx_global_average_pool(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    return make_global(m, op, NAS_POOL_MEAN);
}

nas_status_t nas_onnx_global_max_pool(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    return make_global(m, op, NAS_POOL_MAX);
}

/* The mean over H and W, both at once. */
nas_status_t nas_onnx_reduce_mean(nas_onnx_maker_t *m, const nas_onnx_op_t *op)
{
    const nas_onnx_value_t *x = NULL;
    nas_onnx_list_t axes;
    nas_status_t status = nas_onnx_data(m, op, 0, 4, &x);
    if (!status) status = nas_onnx_integers(m, op, "axes", 1, &axes);
    if (!status) status = make_global(m, op, NAS_POOL_MEAN);
    if (status) return status;
    const int first = axes.n == 2 ? nas_onnx_axis(axes.at[0], 4) : -1;
    const int second = axes.n == 2 ? nas_onnx_axis(axes.at[1], 4) : -1;
    if (first + second != 5 || first < 2 || second < 2)
        return nas_onnx_refuse(m, op, "the mean over axes 2 and 3, H and W, is computed");
    if (nas_onnx_integer(op, "keepdims", 1)) return NAS_OK;
    const char *name = nas_onnx_name(m, op->name);
    const int pool = nas_onnx_output(m, op)->tensor;
    return nas_onnx_give(m, op, m->b->flatten(m->b, pool, name), 2);
}
