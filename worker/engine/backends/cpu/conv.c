/* Weights are packed twice: as forward and backward_weights read and write them, and behind that,
 * where adjoints are wanted, as backward_data reads them. */
#include "worker/engine/backends/cpu/conv.h"

#include "worker/engine/backends/cpu/conv_create.h"
#include "worker/engine/backends/cpu/weights.h"

#include <string.h>

/* The kernels, and every convolution that was asked for; a process has one of each. */
static const nas_cpu_kernels_t *kernels;
static nas_conv_t *cache;

void nas_cpu_conv_setup(nas_isa_t isa, const nas_cpu_kernels_t *chosen)
{
    kernels = chosen;
    nas_primitive_setup(isa);
}

/* A convolution that is not plain. */
static nas_status_t check_window(const nas_conv_shape_t *shape, nas_error_t *err)
{
    const nas_window_t *w = &shape->window;
    if (nas_conv_window_is_known(shape)) return NAS_OK;
    return nas_error_set(
        err, NAS_EARG,
        "a convolution of %d x %d pixels to %d x %d in %d groups, with a %d x %d filter of strides %d and %d",
        shape->h_in, shape->w_in, shape->h_out, shape->w_out, shape->groups, w->k_h, w->k_w,
        w->stride_h, w->stride_w);
}

static nas_status_t check(const nas_conv_shape_t *shape, nas_error_t *err)
{
    if (shape->n < 1 || shape->c_in < 1 || shape->c_out < 1 || shape->h_in < 1 || shape->w_in < 1)
        return nas_error_set(err, NAS_EARG, "a convolution of %d x %d x %d x %d to %d channels",
                             shape->n, shape->c_in, shape->h_in, shape->w_in, shape->c_out);
    if (shape->k == 0) return check_window(shape, err);
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
        if (status == NAS_OK) status = nas_cpu_conv_create(kernels, shape, backward, &conv, err);
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
    return (elements * sizeof(float) + NAS_CONV_LINE - 1) / NAS_CONV_LINE * NAS_CONV_LINE;
}

static size_t conv_packed_bytes(const nas_conv_t *conv)
{
    return whole_lines(conv->weight_elements) + whole_lines(conv->backward_elements);
}

/* As backward_data reads them: behind the others, if they are not the same. */
static float *backward_half(const nas_conv_t *conv, const void *packed)
{
    if (conv->backward_elements == 0) return (float *)packed;
    return (float *)packed + whole_lines(conv->weight_elements) / sizeof(float);
}

static nas_filters_t filters_of(const nas_conv_t *conv)
{
    const nas_window_t *window = &conv->blocks.window;
    return (nas_filters_t){.c_out = conv->shape.c_out,
                           .c_in = conv->shape.c_in / conv->blocks.groups,
                           .k = window->k_h * window->k_w};
}

/* Whether weights of several groups are in the layout of one. */
static bool is_grouped(const nas_conv_t *conv)
{
    return conv->blocks.groups > 1 && conv->method != NAS_CONV_DEPTHWISE;
}

static bool is_packed_by_kernel(const nas_conv_t *conv)
{
    return !is_grouped(conv) && filters_of(conv).k <= kernels->layout->max_taps;
}

static nas_weights_t weights_in(const nas_conv_t *conv, nas_filter_layout_t layout)
{
    return (nas_weights_t){&conv->blocks, kernels->layout->lanes, layout};
}

static void pack(const nas_conv_t *conv, nas_filter_layout_t layout, const double *weights,
                 float *packed)
{
    if (is_packed_by_kernel(conv))
        kernels->layout->pack(filters_of(conv), layout, weights, packed);
    else
        nas_weights_pack(weights_in(conv, layout), weights, packed);
}

static void conv_pack(const nas_conv_t *conv, const double *weights, void *packed)
{
    const int lanes = kernels->layout->lanes;
    if (conv->shape.c_out % lanes != 0 || conv->shape.c_in % lanes != 0 || is_grouped(conv))
        memset(packed, 0, conv_packed_bytes(conv));
    pack(conv, conv->forward_layout, weights, packed);
    if (conv->backward_elements > 0)
        pack(conv, conv->backward_layout, weights, backward_half(conv, packed));
}

static void conv_unpack(const nas_conv_t *conv, const void *gradient, double *weights)
{
    const nas_filter_layout_t layout = conv->forward_layout;
    if (is_packed_by_kernel(conv))
        kernels->layout->unpack(filters_of(conv), layout, gradient, weights);
    else
        nas_weights_unpack(weights_in(conv, layout), gradient, weights);
}

static nas_shape_t input_shape(const nas_conv_shape_t *shape)
{
    return (nas_shape_t){shape->n, shape->c_in, shape->h_in, shape->w_in};
}

static void *scratch_of_kernel(const nas_conv_t *conv, void *scratch)
{
    return (char *)scratch + conv->blocked_bytes;
}

/* The input as the kernels read it. */
static const void *input_of(const nas_conv_t *conv, const void *x, void *scratch)
{
    if (!conv->copies_images) return x;
    kernels->layout->block_images(input_shape(&conv->shape), x, scratch);
    return scratch;
}

static void conv_forward(const nas_conv_t *conv, const void *packed, const void *x, void *y,
                         void *scratch)
{
    const nas_primitive_t *primitive = conv->pass[NAS_PASS_FORWARD];
    void *own = scratch_of_kernel(conv, scratch);
    x = input_of(conv, x, scratch);
    if (conv->method == NAS_CONV_DEPTHWISE)
        kernels->depthwise->forward(&conv->blocks, packed, x, y, own);
    else if (conv->method == NAS_CONV_WINOGRAD)
        kernels->winograd->forward(&conv->blocks, (float *)packed, (float *)x, y, own);
    else if (primitive == NULL)
        kernels->conv->forward(&conv->blocks, (float *)packed, (float *)x, y);
    else
        nas_primitive_run(primitive, (nas_primitive_operands_t){x, y, packed, own});
}

/* In blocks. */
static void blocked_gradient(const nas_conv_t *conv, float *weights, const void *dy, void *dx,
                             void *scratch)
{
    const nas_primitive_t *primitive = conv->pass[NAS_PASS_BACKWARD_DATA];
    if (conv->method == NAS_CONV_DEPTHWISE)
        kernels->depthwise->backward_data(&conv->blocks, weights, dy, dx, scratch);
    else if (conv->method == NAS_CONV_WINOGRAD)
        kernels->winograd->backward_data(&conv->blocks, weights, (float *)dy, dx, scratch);
    else if (primitive == NULL)
        kernels->conv->backward_data(&conv->blocks, weights, (float *)dy, dx);
    else
        nas_primitive_run(primitive, (nas_primitive_operands_t){dx, dy, weights, scratch});
}

static void conv_backward_data(const nas_conv_t *conv, const void *packed, const void *dy, void *dx,
                               void *scratch)
{
    float *weights = backward_half(conv, packed);
    void *own = scratch_of_kernel(conv, scratch);
    if (conv->image_gradient) {
        kernels->image->gradient(&conv->blocks, weights, dy, dx, own);
    } else if (conv->shape.image) {
        blocked_gradient(conv, weights, dy, scratch, own);
        kernels->layout->store(input_shape(&conv->shape), scratch, dx);
    } else {
        blocked_gradient(conv, weights, dy, dx, own);
    }
}

static void conv_backward_weights(const nas_conv_t *conv, const void *x, const void *dy, void *dw,
                                  void *scratch)
{
    const nas_primitive_t *primitive = conv->pass[NAS_PASS_BACKWARD_WEIGHTS];
    void *own = scratch_of_kernel(conv, scratch);
    x = input_of(conv, x, scratch);
    if (conv->method == NAS_CONV_DEPTHWISE)
        kernels->depthwise->backward_weights(&conv->blocks, x, dy, dw, own);
    else if (conv->method == NAS_CONV_WINOGRAD)
        kernels->winograd->backward_weights(&conv->blocks, (float *)x, (float *)dy, dw, own);
    else if (primitive == NULL)
        kernels->conv->backward_weights(&conv->blocks, (float *)x, (float *)dy, dw);
    else
        nas_primitive_run(primitive, (nas_primitive_operands_t){x, dy, dw, own});
    if (is_grouped(conv) && primitive == NULL)
        nas_weights_clear(weights_in(conv, conv->forward_layout), dw);
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
