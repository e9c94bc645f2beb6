/* Golden convolutions: every pass, kernels of 3 x 3 and 1 x 1, a stride, two sizes, the images'
 * adjoint; channels that fill no block, images that fill no tile. */
#include "worker/engine/gpu/pack/golden_set.h"

/* A convolution, and the tensors and weights that all its passes read. */
typedef struct conv {
    nas_conv_shape_t shape;
    nas_shape_t in, out;
    int64_t n_weights;
    nas_gpu_slice_t x, dy;
    int64_t w;
} conv_t;

static conv_t make(nas_golden_set_t *set, nas_conv_shape_t shape)
{
    conv_t conv = {.shape = shape,
                   .in = {shape.n, shape.c_in, shape.h_in, shape.w_in},
                   .out = {shape.n, shape.c_out, nas_conv_h_out(&shape), nas_conv_w_out(&shape)},
                   .n_weights = (int64_t)shape.c_out * nas_conv_fan_in(&shape)};
    conv.x = nas_golden_tensor(set, conv.in, 0);
    conv.dy = nas_golden_tensor(set, conv.out, 0);
    conv.w = nas_golden_floats(set, conv.n_weights);
    return conv;
}

/* A descriptor a block of the channels that are written. */
static void launch_blocks(nas_golden_set_t *set, nas_gpu_variant_t variant, nas_gpu_conv_t work)
{
    const int64_t at = set->n_table;
    int n = 0;
    for (work.c_block = 0; work.c_block < work.c_out; work.c_block += variant.block_o, n++)
        (void)nas_golden_describe(set, &work, sizeof work);
    nas_golden_launch(set, variant, nas_gpu_conv_tiles(&variant, work.n), n, at);
}

static void forward(nas_golden_set_t *set, const conv_t *conv)
{
    const nas_gpu_variant_t variant = nas_gpu_conv_variant(&conv->shape, NAS_GPU_FORWARD);
    const int tiles = nas_gpu_conv_tiles(&variant, conv->shape.n), o = conv->shape.c_out;
    nas_gpu_conv_t work = {.x = conv->x,
                           .w = conv->w,
                           .n = conv->shape.n,
                           .c_in = conv->shape.c_in,
                           .c_out = o,
                           .w_o = o,
                           .w_i = conv->shape.c_in};
    work.y = nas_golden_tensor(set, conv->out, 0);
    work.moments = nas_golden_doubles(set, 2 * (int64_t)tiles * o);
    work.bias = nas_golden_doubles(set, o);
    launch_blocks(set, variant, work);
}

static void adjoint(nas_golden_set_t *set, const conv_t *conv)
{
    const nas_gpu_variant_t variant = nas_gpu_conv_variant(&conv->shape, NAS_GPU_BACKWARD_DATA);
    const nas_shape_t in = conv->in;
    nas_gpu_conv_t work = {.x = conv->dy,
                           .w = conv->w,
                           .moments = -1,
                           .bias = -1,
                           .n = in.n,
                           .c_in = conv->shape.c_out,
                           .c_out = in.c,
                           .w_o = conv->shape.c_out,
                           .w_i = in.c};
    if (conv->shape.image)
        work.y = (nas_gpu_slice_t){
            .at = nas_golden_doubles(set, (int64_t)in.n * in.c * in.h * in.w), .c_total = in.c};
    else
        work.y = nas_golden_tensor(set, in, 0);
    launch_blocks(set, variant, work);
}

static void by_weights(nas_golden_set_t *set, const conv_t *conv)
{
    const nas_gpu_variant_t variant = nas_gpu_conv_variant(&conv->shape, NAS_GPU_BACKWARD_WEIGHTS);
    nas_gpu_weights_t work = {.x = conv->x,
                              .dy = conv->dy,
                              .n = conv->shape.n,
                              .w_o = conv->shape.c_out,
                              .w_i = conv->shape.c_in,
                              .splits = nas_gpu_weight_splits(&variant, conv->shape.n)};
    work.parts = nas_golden_floats(set, work.splits * conv->n_weights);
    const nas_gpu_weight_parts_t parts = {.parts = work.parts,
                                          .gradient = nas_golden_floats(set, conv->n_weights),
                                          .n = conv->n_weights,
                                          .splits = work.splits};
    const int64_t at = set->n_table;
    int n = 0;
    for (work.o_block = 0; work.o_block < work.w_o; work.o_block += variant.block_o)
        for (work.i_block = 0; work.i_block < work.w_i; work.i_block += variant.block_i, n++)
            (void)nas_golden_describe(set, &work, sizeof work);
    nas_golden_launch(set, variant, work.splits, n, at);
    nas_golden_launch(set, nas_gpu_plain_variant("parts", "weight_parts"),
                      (int)((conv->n_weights + 255) / 256), 1,
                      nas_golden_describe(set, &parts, sizeof parts));
}

/* Each is a kernel of its own to build: what others have, too, is left out. */
void nas_golden_add_convs(nas_golden_set_t *set)
{
    const conv_t plain =
        make(set, (nas_conv_shape_t){
                      .n = 3, .c_in = 5, .c_out = 18, .h_in = 8, .w_in = 8, .k = 3, .stride = 1});
    const conv_t single =
        make(set, (nas_conv_shape_t){
                      .n = 2, .c_in = 6, .c_out = 9, .h_in = 8, .w_in = 8, .k = 1, .stride = 1});
    const conv_t strided =
        make(set, (nas_conv_shape_t){
                      .n = 2, .c_in = 5, .c_out = 6, .h_in = 16, .w_in = 16, .k = 3, .stride = 2});
    const conv_t stem = make(set, (nas_conv_shape_t){.n = 2,
                                                     .c_in = 3,
                                                     .c_out = 5,
                                                     .h_in = 16,
                                                     .w_in = 16,
                                                     .k = 3,
                                                     .stride = 1,
                                                     .image = true});
    forward(set, &plain);
    adjoint(set, &plain);
    by_weights(set, &plain);
    forward(set, &single);
    by_weights(set, &single);
    forward(set, &strided);
    adjoint(set, &strided);
    by_weights(set, &strided);
    adjoint(set, &stem);
}
