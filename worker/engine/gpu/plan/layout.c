#include "worker/engine/gpu/plan/layout.h"

#include "worker/engine/gpu/plan/descriptors.h"
#include "worker/engine/gpu/plan/variant.h"

#include <stdlib.h>

/* All that a program asks of a convolution is how many weights it has. */
struct nas_conv {
    size_t n_weights;
    nas_conv_t *next;
};

static size_t tensor_bytes(nas_shape_t shape)
{
    return (size_t)shape.n * (size_t)shape.c * (size_t)NAS_GPU_PITCH(shape.h, shape.w) *
           sizeof(float);
}

static nas_status_t check(const nas_conv_shape_t *shape, nas_error_t *err)
{
    const nas_window_t window = nas_conv_window(shape);
    if (nas_conv_window_is_known(shape)) return NAS_OK;
    if (nas_conv_shape_is_known(shape) && shape->w_in <= NAS_GPU_MOST_COLUMNS) return NAS_OK;
    return nas_error_set(
        err, NAS_EARG,
        "convolution %d x %d, stride %d, %d to %d channels, %d images of %d x %d: GPUs have kernels of windows within their padded input, extents positive, and with 1 x 1 and 3 x 3 of the usual padding rows of at most %d pixels",
        window.k_h, window.k_w, window.stride_h, shape->c_in, shape->c_out, shape->n, shape->h_in,
        shape->w_in, NAS_GPU_MOST_COLUMNS);
}

static nas_status_t conv_find(const nas_conv_shape_t *shape, bool backward,
                              const nas_conv_t **conv_p, nas_error_t *err)
{
    (void)backward; /* the adjoints need nothing more */
    static nas_conv_t *cache;
    const nas_status_t status = check(shape, err);
    if (status) return status;
    const size_t n_weights = (size_t)shape->c_out * (size_t)nas_conv_fan_in(shape);
    for (const nas_conv_t *conv = cache; conv; conv = conv->next) {
        if (conv->n_weights != n_weights) continue;
        *conv_p = conv;
        return NAS_OK;
    }
    nas_conv_t *conv = malloc(sizeof *conv);
    if (!conv) return nas_error_nomem(err, "convolution");
    *conv = (nas_conv_t){.n_weights = n_weights, .next = cache};
    *conv_p = cache = conv;
    return NAS_OK;
}

static size_t conv_weight_elements(const nas_conv_t *conv)
{
    return conv->n_weights;
}

static size_t conv_packed_bytes(const nas_conv_t *conv)
{
    return conv->n_weights * sizeof(float);
}

/* Parts of a gradient are of a pack, which all its programs share (pack/). */
static size_t conv_scratch_bytes(const nas_conv_t *conv)
{
    (void)conv;
    return 0;
}

/* Signs are counted as they are read. */
static size_t sign_words(nas_shape_t shape)
{
    (void)shape;
    return 0;
}

const nas_backend_t *nas_gpu_layout(void)
{
    static const nas_backend_t layout = {
        .name = "gpu",
        .element_bytes = sizeof(float),
        .channel_block = 1,
        .tensor_bytes = tensor_bytes,
        .image_bytes = tensor_bytes,
        .conv_find = conv_find,
        .conv_weight_elements = conv_weight_elements,
        .conv_packed_bytes = conv_packed_bytes,
        .conv_scratch_bytes = conv_scratch_bytes,
        .sign_words = sign_words,
    };
    return &layout;
}
