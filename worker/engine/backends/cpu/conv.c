/* Weights are packed twice: as forward and backward_weights read and write them, and behind that,
 * where adjoints are wanted, as backward_data reads them. */
#include "worker/engine/backends/cpu/conv.h"

#include "worker/engine/backends/cpu/primitive.h"

#include <stdlib.h>
#include <string.h>

enum { LINE = 64 /* bytes; scratch and both halves of packed weights begin on a cache line */ };

struct nas_conv {
    nas_conv_shape_t shape;
    bool backward;
    bool planes;   /* the input's */
    bool winograd; /* by own kernels for all passes */
    nas_conv_blocks_t blocks;
    nas_primitive_t *pass[NAS_PASS_COUNT]; /* NULL: own kernels */
    nas_filter_layout_t forward_layout;
    nas_filter_layout_t backward_layout;
    size_t weight_elements;
    size_t backward_elements; /* 0 without adjoints */
    size_t scratch_bytes;
    nas_conv_t *next;
};

/* The kernels, and every convolution that was asked for; a process has one of each. */
static const nas_cpu_kernels_t *kernels;
static nas_conv_t *cache;

void nas_cpu_conv_setup(nas_isa_t isa, const nas_cpu_kernels_t *chosen)
{
    kernels = chosen;
    nas_primitive_setup(isa);
}

static int n_blocks(int channels)
{
    return (channels + kernels->layout->lanes - 1) / kernels->layout->lanes;
}

static nas_conv_blocks_t blocks_of(const nas_conv_shape_t *shape)
{
    return (nas_conv_blocks_t){
        .n = shape->n,
        .in = n_blocks(shape->c_in),
        .out = n_blocks(shape->c_out),
        .c_in = shape->c_in,
        .h_in = shape->h_in,
        .w_in = shape->w_in,
        .h_out = (shape->h_in + shape->stride - 1) / shape->stride,
        .w_out = (shape->w_in + shape->stride - 1) / shape->stride,
        .k = shape->k,
        .stride = shape->stride,
    };
}

/* Weights as own kernels read them: blocks [O, I, K, K], within them inputs before outputs. */
static nas_filter_layout_t own_layout(const nas_conv_blocks_t *blocks)
{
    const size_t lanes = (size_t)kernels->layout->lanes;
    const size_t filter = (size_t)(blocks->k * blocks->k) * lanes * lanes;
    return (nas_filter_layout_t){.o_block = (size_t)blocks->in * filter,
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
static nas_filter_layout_t image_layout(const nas_conv_blocks_t *blocks)
{
    const size_t lanes = (size_t)kernels->layout->lanes;
    const size_t c_in = (size_t)blocks->c_in;
    const size_t filter = (size_t)(blocks->k * blocks->k) * c_in;
    return (nas_filter_layout_t){
        .o_block = lanes * filter, .i_block = lanes, .k = c_in, .o = filter, .i = 1};
}

static nas_status_t create_pass(nas_conv_t *conv, nas_pass_t pass, nas_error_t *err)
{
    if (!kernels->layout->for_onednn) return NAS_OK;
    const int lanes = kernels->layout->lanes;
    nas_primitive_spec_t spec = {
        .shape = conv->shape, .pass = pass, .lanes = lanes, .planes = conv->planes};
    spec.shape.c_in = conv->planes ? kernels->layout->max_planes : conv->blocks.in * lanes;
    spec.shape.c_out = conv->blocks.out * lanes;
    return nas_primitive_create(&spec, &conv->pass[pass], err);
}

static nas_status_t create_passes(nas_conv_t *conv, nas_error_t *err)
{
    if (conv->winograd) return NAS_OK;
    nas_status_t status = create_pass(conv, NAS_PASS_FORWARD, err);
    if (status == NAS_OK && conv->backward)
        status = create_pass(conv, NAS_PASS_BACKWARD_WEIGHTS, err);
    if (status == NAS_OK && conv->backward && !conv->shape.image)
        status = create_pass(conv, NAS_PASS_BACKWARD_DATA, err);
    if (status != NAS_OK || !conv->planes) return status;
    if (conv->pass[NAS_PASS_FORWARD] != NULL &&
        (!conv->backward || conv->pass[NAS_PASS_BACKWARD_WEIGHTS] != NULL))
        return NAS_OK;
    return nas_error_set(err, NAS_EARG, "oneDNN has no convolution of images with a %d x %d filter",
                         conv->shape.k, conv->shape.k);
}

static void lay_out_weights(nas_conv_t *conv)
{
    const nas_primitive_t *forward = conv->pass[NAS_PASS_FORWARD];
    const nas_primitive_t *backward = conv->pass[NAS_PASS_BACKWARD_DATA];
    const nas_filter_layout_t own = own_layout(&conv->blocks);
    conv->forward_layout = forward == NULL ? own : nas_primitive_filter_layout(forward);
    conv->weight_elements = (size_t)conv->blocks.out * conv->forward_layout.o_block;
    if (conv->shape.image)
        conv->backward_layout = image_layout(&conv->blocks);
    else
        conv->backward_layout =
            backward == NULL ? transposed(own) : nas_primitive_filter_layout(backward);
    if (!conv->backward) return;
    conv->backward_elements = conv->shape.image
                                  ? (size_t)conv->blocks.out * conv->backward_layout.o_block
                                  : conv->weight_elements;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t scratch_bytes(const nas_conv_t *conv)
{
    size_t bytes = conv->winograd ? kernels->winograd->scratch_bytes(&conv->blocks) : 0;
    if (conv->shape.image && conv->backward) bytes = kernels->image->scratch_bytes(&conv->blocks);
    for (int pass = 0; pass < NAS_PASS_COUNT; pass++)
        if (conv->pass[pass] != NULL)
            bytes = larger(bytes, nas_primitive_scratch_bytes(conv->pass[pass]));
    return bytes;
}

static void destroy(nas_conv_t *conv)
{
    if (conv == NULL) return;
    for (int pass = 0; pass < NAS_PASS_COUNT; pass++) nas_primitive_destroy(conv->pass[pass]);
    free(conv);
}

static nas_status_t create(const nas_conv_shape_t *shape, bool backward, nas_conv_t **conv_p,
                           nas_error_t *err)
{
    nas_conv_t *conv = calloc(1, sizeof *conv);
    if (conv == NULL) return nas_error_nomem(err, "convolution");
    conv->shape = *shape;
    conv->backward = backward;
    conv->planes = shape->image && shape->c_in <= kernels->layout->max_planes;
    conv->blocks = blocks_of(shape);
    conv->winograd = !shape->image && kernels->winograd->pays(&conv->blocks);
    const nas_status_t status = create_passes(conv, err);
    if (status != NAS_OK) {
        destroy(conv);
        return status;
    }
    lay_out_weights(conv);
    conv->scratch_bytes = scratch_bytes(conv);
    *conv_p = conv;
    return NAS_OK;
}

static nas_status_t check(const nas_conv_shape_t *shape, nas_error_t *err)
{
    if (shape->n < 1 || shape->c_in < 1 || shape->c_out < 1 || shape->h_in < 1 || shape->w_in < 1)
        return nas_error_set(err, NAS_EARG, "a convolution of %d x %d x %d x %d to %d channels",
                             shape->n, shape->c_in, shape->h_in, shape->w_in, shape->c_out);
    if (shape->k != 1 && shape->k != 3)
        return nas_error_set(err, NAS_EARG, "a convolution with a %d x %d filter: want 1 or 3",
                             shape->k, shape->k);
    if (shape->stride != 1 && shape->stride != 2)
        return nas_error_set(err, NAS_EARG, "a convolution of stride %d: want 1 or 2",
                             shape->stride);
    return NAS_OK;
}

static nas_status_t conv_find(const nas_conv_shape_t *shape, bool backward,
                              const nas_conv_t **conv_p, nas_error_t *err)
{
    nas_conv_t *conv = cache;
    while (conv != NULL && !(nas_conv_is_same(&conv->shape, shape) && conv->backward == backward))
        conv = conv->next;
    if (conv == NULL) {
        nas_status_t status = check(shape, err);
        if (status == NAS_OK) status = create(shape, backward, &conv, err);
        if (status != NAS_OK) return status;
        conv->next = cache;
        cache = conv;
    }
    *conv_p = conv;
    return NAS_OK;
}

static size_t conv_weight_elements(const nas_conv_t *conv)
{
    return conv->weight_elements;
}

static size_t whole_lines(size_t elements)
{
    return (elements * sizeof(float) + LINE - 1) / LINE * LINE;
}

static size_t conv_packed_bytes(const nas_conv_t *conv)
{
    return whole_lines(conv->weight_elements) + whole_lines(conv->backward_elements);
}

static float *backward_half(const nas_conv_t *conv, const void *packed)
{
    return (float *)packed + whole_lines(conv->weight_elements) / sizeof(float);
}

static nas_filters_t filters_of(const nas_conv_t *conv)
{
    return (nas_filters_t){
        .c_out = conv->shape.c_out, .c_in = conv->shape.c_in, .k = conv->shape.k * conv->shape.k};
}

static void conv_pack(const nas_conv_t *conv, const double *weights, void *packed)
{
    const nas_layout_kernel_t *layout = kernels->layout;
    if (conv->shape.c_out % layout->lanes != 0 || conv->shape.c_in % layout->lanes != 0)
        memset(packed, 0, conv_packed_bytes(conv));
    layout->pack(filters_of(conv), conv->forward_layout, weights, packed);
    if (conv->backward)
        layout->pack(filters_of(conv), conv->backward_layout, weights, backward_half(conv, packed));
}

static void conv_unpack(const nas_conv_t *conv, const void *gradient, double *weights)
{
    kernels->layout->unpack(filters_of(conv), conv->forward_layout, gradient, weights);
}

static void conv_forward(const nas_conv_t *conv, const void *packed, const void *x, void *y,
                         void *scratch)
{
    const nas_primitive_t *primitive = conv->pass[NAS_PASS_FORWARD];
    if (conv->winograd)
        kernels->winograd->forward(&conv->blocks, (float *)packed, (float *)x, y, scratch);
    else if (primitive == NULL)
        kernels->conv->forward(&conv->blocks, (float *)packed, (float *)x, y);
    else
        nas_primitive_run(primitive, (nas_primitive_operands_t){x, y, packed, scratch});
}

static void conv_backward_data(const nas_conv_t *conv, const void *packed, const void *dy, void *dx,
                               void *scratch)
{
    const nas_primitive_t *primitive = conv->pass[NAS_PASS_BACKWARD_DATA];
    float *weights = backward_half(conv, packed);
    if (conv->shape.image)
        kernels->image->gradient(&conv->blocks, weights, dy, dx, scratch);
    else if (conv->winograd)
        kernels->winograd->backward_data(&conv->blocks, weights, (float *)dy, dx, scratch);
    else if (primitive == NULL)
        kernels->conv->backward_data(&conv->blocks, weights, (float *)dy, dx);
    else
        nas_primitive_run(primitive, (nas_primitive_operands_t){dx, dy, weights, scratch});
}

static void conv_backward_weights(const nas_conv_t *conv, const void *x, const void *dy, void *dw,
                                  void *scratch)
{
    const nas_primitive_t *primitive = conv->pass[NAS_PASS_BACKWARD_WEIGHTS];
    if (conv->winograd)
        kernels->winograd->backward_weights(&conv->blocks, (float *)x, (float *)dy, dw, scratch);
    else if (primitive == NULL)
        kernels->conv->backward_weights(&conv->blocks, (float *)x, (float *)dy, dw);
    else
        nas_primitive_run(primitive, (nas_primitive_operands_t){x, dy, dw, scratch});
}

static size_t conv_scratch_bytes(const nas_conv_t *conv)
{
    return conv->scratch_bytes;
}

void nas_cpu_conv_fill(nas_backend_t *backend)
{
    backend->conv_find = conv_find;
    backend->conv_weight_elements = conv_weight_elements;
    backend->conv_packed_bytes = conv_packed_bytes;
    backend->conv_pack = conv_pack;
    backend->conv_unpack = conv_unpack;
    backend->conv_forward = conv_forward;
    backend->conv_backward_data = conv_backward_data;
    backend->conv_backward_weights = conv_backward_weights;
    backend->conv_scratch_bytes = conv_scratch_bytes;
}
