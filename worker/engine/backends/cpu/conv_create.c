#include "worker/engine/backends/cpu/conv_create.h"

#include "worker/engine/backends/cpu/weights.h"

#include <stdlib.h>

static int lanes_of(const nas_conv_t *conv)
{
    return conv->kernels->layout->lanes;
}

static nas_conv_blocks_t blocks_of(const nas_conv_shape_t *shape, int lanes)
{
    nas_conv_blocks_t blocks = {
        .n = shape->n,
        .in = (shape->c_in + lanes - 1) / lanes,
        .out = (shape->c_out + lanes - 1) / lanes,
        .c_in = shape->c_in,
        .c_out = shape->c_out,
        .groups = nas_conv_groups(shape),
        .h_in = shape->h_in,
        .w_in = shape->w_in,
        .h_out = nas_conv_h_out(shape),
        .w_out = nas_conv_w_out(shape),
        .window = nas_conv_window(shape),
    };
    blocks.joined = nas_weights_joined(&blocks, lanes);
    return blocks;
}

/* ------------------------------------------------------------------------------------- layouts */

static size_t n_taps(const nas_conv_t *conv)
{
    return (size_t)conv->blocks.window.k_h * (size_t)conv->blocks.window.k_w;
}

/* Weights as own kernels read them: blocks [O, joined I, K, K], within them inputs before
 * outputs. */
static nas_filter_layout_t own_layout(const nas_conv_t *conv)
{
    const size_t lanes = (size_t)lanes_of(conv);
    const size_t filter = n_taps(conv) * lanes * lanes;
    return (nas_filter_layout_t){.o_block = (size_t)conv->blocks.joined * filter,
                                 .i_block = filter,
                                 .k = lanes * lanes,
                                 .o = 1,
                                 .i = lanes};
}

static nas_filter_layout_t transposed(nas_filter_layout_t layout)
{
    const size_t o = layout.o;
    layout.o = layout.i;
    layout.i = o;
    return layout;
}

/* Weights as the gradient by images reads them: [O, K, K, I]. */
static nas_filter_layout_t image_layout(const nas_conv_t *conv)
{
    const size_t lanes = (size_t)lanes_of(conv);
    const size_t c_in = (size_t)conv->blocks.c_in;
    const size_t filter = n_taps(conv) * c_in;
    return (nas_filter_layout_t){
        .o_block = lanes * filter, .i_block = lanes, .k = c_in, .o = filter, .i = 1};
}

/* Weights [C, K, K, c]: outputs' own inputs alone. */
static nas_filter_layout_t depthwise_layout(const nas_conv_t *conv)
{
    const size_t lanes = (size_t)lanes_of(conv);
    return (nas_filter_layout_t){.o_block = n_taps(conv) * lanes, .k = lanes, .o = 1};
}

static nas_filter_layout_t layout_of(const nas_conv_t *conv, nas_pass_t pass)
{
    if (conv->method == NAS_CONV_DEPTHWISE) return depthwise_layout(conv);
    if (conv->pass[pass] != NULL) return nas_primitive_filter_layout(conv->pass[pass]);
    return pass == NAS_PASS_BACKWARD_DATA ? transposed(own_layout(conv)) : own_layout(conv);
}

static void lay_out_weights(nas_conv_t *conv)
{
    const size_t out = (size_t)conv->blocks.out;
    conv->forward_layout = layout_of(conv, NAS_PASS_FORWARD);
    conv->backward_layout =
        conv->image_gradient ? image_layout(conv) : layout_of(conv, NAS_PASS_BACKWARD_DATA);
    conv->weight_elements = out * conv->forward_layout.o_block;
    if (!conv->backward) return;
    if (conv->image_gradient)
        conv->backward_elements = out * conv->backward_layout.o_block;
    else if (conv->method != NAS_CONV_DEPTHWISE)
        conv->backward_elements = conv->weight_elements;
}

/* -------------------------------------------------------------------------------------- passes */

/* Whether every group has whole blocks of channels. */
static bool has_whole_groups(const nas_conv_t *conv)
{
    const nas_conv_blocks_t *blocks = &conv->blocks;
    const int lanes = lanes_of(conv);
    return blocks->groups == 1 || (blocks->c_in / blocks->groups % lanes == 0 &&
                                   blocks->c_out / blocks->groups % lanes == 0);
}

static nas_status_t create_pass(nas_conv_t *conv, nas_pass_t pass, nas_error_t *err)
{
    const nas_layout_kernel_t *layout = conv->kernels->layout;
    if (!layout->for_onednn || !has_whole_groups(conv)) return NAS_OK;
    nas_primitive_spec_t spec = {
        .shape = conv->shape, .pass = pass, .lanes = layout->lanes, .planes = conv->planes};
    spec.shape.c_in = conv->planes ? layout->max_planes : conv->blocks.in * layout->lanes;
    spec.shape.c_out = conv->blocks.out * layout->lanes;
    return nas_primitive_create(&spec, &conv->pass[pass], err);
}

static nas_status_t create_passes(nas_conv_t *conv, nas_error_t *err)
{
    if (conv->method != NAS_CONV_BY_PASS) return NAS_OK;
    nas_status_t status = create_pass(conv, NAS_PASS_FORWARD, err);
    if (status == NAS_OK && conv->backward)
        status = create_pass(conv, NAS_PASS_BACKWARD_WEIGHTS, err);
    if (status == NAS_OK && conv->backward && !conv->image_gradient)
        status = create_pass(conv, NAS_PASS_BACKWARD_DATA, err);
    return status;
}

static void destroy_passes(nas_conv_t *conv)
{
    for (int pass = 0; pass < NAS_PASS_COUNT; pass++) {
        nas_primitive_destroy(conv->pass[pass]);
        conv->pass[pass] = NULL;
    }
}

/* Planes are read by oneDNN alone. What it has no kernels for reads a copy in blocks, and so does
 * what it has one of two kernels for, whose weights would have different layouts. */
static nas_status_t choose_planes(nas_conv_t *conv, nas_error_t *err)
{
    const bool in_planes =
        conv->shape.image && conv->shape.c_in <= conv->kernels->layout->max_planes;
    conv->planes = in_planes && conv->blocks.groups == 1;
    nas_status_t status = create_passes(conv, err);
    const bool is_complete = conv->pass[NAS_PASS_FORWARD] != NULL &&
                             (!conv->backward || conv->pass[NAS_PASS_BACKWARD_WEIGHTS] != NULL);
    if (status == NAS_OK && conv->planes && !is_complete) {
        destroy_passes(conv);
        conv->planes = false;
        status = create_passes(conv, err);
    }
    conv->copies_images = in_planes && !conv->planes;
    return status;
}

static bool is_depthwise(const nas_conv_blocks_t *blocks)
{
    return blocks->groups > 1 && blocks->groups == blocks->c_in && blocks->groups == blocks->c_out;
}

static nas_conv_method_t method_of(const nas_conv_t *conv)
{
    if (is_depthwise(&conv->blocks)) return NAS_CONV_DEPTHWISE;
    if (!conv->shape.image && conv->kernels->winograd->pays(&conv->blocks))
        return NAS_CONV_WINOGRAD;
    return NAS_CONV_BY_PASS;
}

/* ------------------------------------------------------------------------------------- scratch */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t blocked_bytes(const nas_conv_t *conv)
{
    const nas_conv_shape_t *s = &conv->shape;
    const bool gradient = s->image && conv->backward && !conv->image_gradient;
    if (!conv->copies_images && !gradient) return 0;
    const nas_shape_t shape = {s->n, s->c_in, s->h_in, s->w_in};
    return (conv->kernels->layout->tensor_bytes(shape) + NAS_CONV_LINE - 1) / NAS_CONV_LINE *
           NAS_CONV_LINE;
}

static size_t scratch_bytes(const nas_conv_t *conv)
{
    const nas_cpu_kernels_t *kernels = conv->kernels;
    size_t bytes = 0;
    if (conv->method == NAS_CONV_WINOGRAD) bytes = kernels->winograd->scratch_bytes(&conv->blocks);
    if (conv->method == NAS_CONV_DEPTHWISE)
        bytes = kernels->depthwise->scratch_bytes(&conv->blocks);
    if (conv->image_gradient) bytes = larger(bytes, kernels->image->scratch_bytes(&conv->blocks));
    for (int pass = 0; pass < NAS_PASS_COUNT; pass++)
        if (conv->pass[pass] != NULL)
            bytes = larger(bytes, nas_primitive_scratch_bytes(conv->pass[pass]));
    return conv->blocked_bytes + bytes;
}

nas_status_t nas_cpu_conv_create(const nas_cpu_kernels_t *kernels, const nas_conv_shape_t *shape,
                                 bool backward, nas_conv_t **conv_p, nas_error_t *err)
{
    nas_conv_t *conv = calloc(1, sizeof *conv);
    if (conv == NULL) return nas_error_nomem(err, "convolution");
    conv->kernels = kernels;
    conv->shape = *shape;
    conv->backward = backward;
    conv->blocks = blocks_of(shape, kernels->layout->lanes);
    conv->method = method_of(conv);
    conv->image_gradient = shape->image && backward && conv->blocks.groups == 1;
    const nas_status_t status = choose_planes(conv, err);
    if (status != NAS_OK) {
        destroy_passes(conv);
        free(conv);
        return status;
    }
    lay_out_weights(conv);
    conv->blocked_bytes = blocked_bytes(conv);
    conv->scratch_bytes = scratch_bytes(conv);
    *conv_p = conv;
    return NAS_OK;
}
