/* Golden convolutions that are not plain: every pass, groups and depthwise, a stride, a dilation, uneven
 * padding, the images' adjoint. */
#include "worker/engine/gpu/pack/golden_set.h"
#include "worker/engine/gpu/plan/window.h"

static void launch(nas_golden_set_t *set, const nas_conv_shape_t *shape, nas_gpu_pass_t pass,
                   nas_gpu_window_t *work)
{
    nas_gpu_window_geometry(shape, pass, work);
    nas_golden_launch(set, nas_gpu_conv_variant(shape, pass), nas_gpu_window_groups(shape, pass), 1,
                      nas_golden_describe(set, work, sizeof *work));
}

static void by_weights(nas_golden_set_t *set, const nas_conv_shape_t *shape, nas_gpu_window_t work)
{
    const int64_t n = (int64_t)shape->c_out * nas_conv_fan_in(shape);
    nas_gpu_weight_parts_t parts = {.n = n, .splits = nas_gpu_window_splits(shape)};
    work.parts = parts.parts = nas_golden_floats(set, parts.splits * n);
    parts.gradient = nas_golden_floats(set, n);
    launch(set, shape, NAS_GPU_BACKWARD_WEIGHTS, &work);
    nas_golden_launch(set, nas_gpu_plain_variant("parts", "weight_parts"), (int)((n + 255) / 256),
                      1, nas_golden_describe(set, &parts, sizeof parts));
}

static void all_passes(nas_golden_set_t *set, const nas_conv_shape_t *shape)
{
    const nas_shape_t in = {shape->n, shape->c_in, shape->h_in, shape->w_in};
    const nas_shape_t out = {shape->n, shape->c_out, shape->h_out, shape->w_out};
    const nas_gpu_slice_t x = nas_golden_tensor(set, in, 0);
    const nas_gpu_slice_t dy = nas_golden_tensor(set, out, 0);
    const int64_t w = nas_golden_floats(set, (int64_t)shape->c_out * nas_conv_fan_in(shape));
    nas_gpu_window_t forward = {.x = x, .w = w}, adjoint = {.x = dy, .w = w};
    forward.y = nas_golden_tensor(set, out, 0);
    launch(set, shape, NAS_GPU_FORWARD, &forward);
    if (shape->image)
        adjoint.y = (nas_gpu_slice_t){
            .at = nas_golden_doubles(set, (int64_t)in.n * in.c * in.h * in.w), .c_total = in.c};
    else
        adjoint.y = nas_golden_tensor(set, in, 0);
    launch(set, shape, NAS_GPU_BACKWARD_DATA, &adjoint);
    by_weights(set, shape, (nas_gpu_window_t){.x = x, .y = dy});
}

void nas_golden_add_windows(nas_golden_set_t *set)
{
    static const nas_conv_shape_t SHAPES[] = {
        {.n = 3,
         .c_in = 6,
         .c_out = 20,
         .h_in = 9,
         .w_in = 7,
         .h_out = 5,
         .w_out = 7,
         .groups = 2,
         .window = {5, 3, 2, 1, 1, 1, 2, 1, 2, 1}},
        {.n = 2,
         .c_in = 5,
         .c_out = 5,
         .h_in = 9,
         .w_in = 8,
         .h_out = 9,
         .w_out = 8,
         .groups = 5,
         .window = {3, 3, 1, 1, 2, 2, 2, 2, 2, 2}},
        {.n = 2,
         .c_in = 3,
         .c_out = 9,
         .h_in = 12,
         .w_in = 12,
         .h_out = 6,
         .w_out = 6,
         .groups = 1,
         .image = true,
         .window = {7, 7, 2, 2, 1, 1, 3, 3, 2, 2}},
    };
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) all_passes(set, &SHAPES[i]);
}
