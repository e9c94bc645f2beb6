#include "common/space/blocks.h"

static const double EPS = 1e-5;

int nas_activation_rectified(nas_builder_t *b, nas_activation_t *activation)
{
    if (activation->rectified < 0)
        activation->rectified = b->rectify(b, activation->tensor, NAS_RECTIFIER_RELU);
    return activation->rectified;
}

int nas_block_norm(nas_builder_t *b, int source)
{
    return b->norm(b, source, &(nas_norm_spec_t){.name = "bn", .eps = EPS, .affine = true});
}

int nas_block_conv_norm(nas_builder_t *b, int source, int c_out, int k, int stride)
{
    const nas_conv_spec_t conv = {
        .name = "conv", .c_out = c_out, .k = k, .stride = stride, .padding = k / 2};
    return nas_block_norm(b, b->conv(b, source, &conv));
}

/* The tensor from its second row and column on. An even image that is halved needs nothing beyond
 * the edge. */
static int shift(nas_builder_t *b, int source, int stride)
{
    const nas_extents_t e = b->extents(b, source);
    const bool is_within = stride == 2 && e.h % 2 == 0 && e.w % 2 == 0;
    return b->crop(
        b, source,
        &(nas_crop_spec_t){.top = 1, .left = 1, .h = e.h - is_within, .w = e.w - is_within});
}

int nas_block_halve(nas_builder_t *b, int source, int c_out, int stride)
{
    const nas_conv_spec_t conv[] = {
        {.name = "conv_a", .c_out = c_out / 2, .k = 1, .stride = stride},
        {.name = "conv_b", .c_out = c_out - c_out / 2, .k = 1, .stride = stride}};
    int half[] = {b->conv(b, source, &conv[0]), 0};
    half[1] = b->conv(b, shift(b, source, stride), &conv[1]);
    return nas_block_norm(b, b->concat(b, &(nas_join_spec_t){.source = half, .n = 2}));
}

void nas_block_head(nas_builder_t *b, int source, int n_classes)
{
    b->enter(b, "head", -1);
    int x = b->pool(b, source, &(nas_pool_spec_t){.name = "mean"});
    x = b->flatten(b, x, "features");
    x = b->linear(b, x, &(nas_linear_spec_t){.name = "linear", .n_out = n_classes, .bias = true});
    b->leave(b);
    b->output(b, x);
}
