#include "worker/engine/gpu/plan/window.h"

/* Outputs of a work-item, and work-items that a gradient by the weights is cut into, if it has as many
 * images. */
enum { OUTPUTS = 8, ENOUGH_ITEMS = 1 << 16 };

static int ceil_div(int64_t a, int64_t b)
{
    return (int)((a + b - 1) / b);
}

int nas_gpu_window_outputs(const nas_conv_shape_t *shape, nas_gpu_pass_t pass)
{
    const int written = pass == NAS_GPU_BACKWARD_DATA ? shape->c_in : shape->c_out;
    return written == shape->groups ? 1 : OUTPUTS;
}

/* Work-items of a part of BACKWARD_WEIGHTS. */
static int64_t items_of(const nas_conv_shape_t *shape)
{
    const int outputs = nas_gpu_window_outputs(shape, NAS_GPU_BACKWARD_WEIGHTS);
    const int blocks = NAS_GPU_WINDOW_BLOCKS(shape->c_out / shape->groups, outputs);
    return (int64_t)shape->groups * blocks * nas_conv_fan_in(shape);
}

int nas_gpu_window_splits(const nas_conv_shape_t *shape)
{
    const int wanted = ceil_div(ENOUGH_ITEMS, items_of(shape));
    return wanted < shape->n ? wanted : shape->n;
}

int nas_gpu_window_groups(const nas_conv_shape_t *shape, nas_gpu_pass_t pass)
{
    const int outputs = nas_gpu_window_outputs(shape, pass);
    if (pass == NAS_GPU_BACKWARD_WEIGHTS)
        return nas_gpu_window_splits(shape) * ceil_div(items_of(shape), NAS_GPU_WINDOW_LANES);
    const bool is_adjoint = pass == NAS_GPU_BACKWARD_DATA;
    const int written = (is_adjoint ? shape->c_in : shape->c_out) / shape->groups;
    const int n_pixels = is_adjoint ? shape->h_in * shape->w_in : shape->h_out * shape->w_out;
    return NAS_GPU_WINDOW_TILES(shape->n, n_pixels, outputs) * shape->groups *
           NAS_GPU_WINDOW_BLOCKS(written, outputs);
}

void nas_gpu_window_geometry(const nas_conv_shape_t *shape, nas_gpu_pass_t pass,
                             nas_gpu_window_t *work)
{
    const nas_window_t *window = &shape->window;
    const bool is_adjoint = pass == NAS_GPU_BACKWARD_DATA;
    work->n = shape->n;
    work->groups = shape->groups;
    work->c_in = shape->c_in / shape->groups;
    work->c_out = shape->c_out / shape->groups;
    work->h_in = is_adjoint ? shape->h_out : shape->h_in;
    work->w_in = is_adjoint ? shape->w_out : shape->w_in;
    work->h_out = is_adjoint ? shape->h_in : shape->h_out;
    work->w_out = is_adjoint ? shape->w_in : shape->w_out;
    work->k_h = window->k_h;
    work->k_w = window->k_w;
    work->stride_h = window->stride_h;
    work->stride_w = window->stride_w;
    work->dilation_h = window->dilation_h;
    work->dilation_w = window->dilation_w;
    work->top = window->top;
    work->left = window->left;
    work->adjoint = is_adjoint;
    work->image = is_adjoint && shape->image;
    work->splits = pass == NAS_GPU_BACKWARD_WEIGHTS ? nas_gpu_window_splits(shape) : 0;
}

void nas_gpu_pooling_geometry(const nas_pool_shape_t *shape, nas_gpu_pooling_t *work)
{
    const nas_window_t *window = &shape->window;
    work->n = shape->n;
    work->c = shape->c;
    work->h_in = shape->h_in;
    work->w_in = shape->w_in;
    work->h_out = shape->h_out;
    work->w_out = shape->w_out;
    work->k_h = window->k_h;
    work->k_w = window->k_w;
    work->stride_h = window->stride_h;
    work->stride_w = window->stride_w;
    work->top = window->top;
    work->left = window->left;
    work->bottom = window->bottom;
    work->right = window->right;
    work->takes_largest = shape->kind == NAS_POOL_MAX;
    work->counts_padding = shape->counts_padding;
}
