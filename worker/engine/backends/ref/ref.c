/* The reference backend's table and its layout: float64 [N, C, H, W], nothing padded. */
#include "worker/engine/backends/ref/ref_internal.h"

#include <string.h>

static void load_images(nas_shape_t shape, const float *images, void *tensor)
{
    double *values = tensor;
    const size_t n = nas_ref_tensor_bytes(shape) / sizeof *values;
    for (size_t i = 0; i < n; i++) values[i] = (double)images[i];
}

static void load(nas_shape_t shape, const double *values, void *tensor)
{
    memcpy(tensor, values, nas_ref_tensor_bytes(shape));
}

static void store(nas_shape_t shape, const void *tensor, double *values)
{
    memcpy(values, tensor, nas_ref_tensor_bytes(shape));
}

const nas_backend_t *nas_backend_ref(void)
{
    static const nas_backend_t ref = {
        .name = "ref",
        .element_bytes = sizeof(double),
        .channel_block = 1,
        .tensor_bytes = nas_ref_tensor_bytes,
        .load_images = load_images,
        .image_bytes = nas_ref_tensor_bytes,
        .load = load,
        .store = store,
        .conv_find = nas_ref_conv_find,
        .conv_weight_elements = nas_ref_conv_weight_elements,
        .conv_packed_bytes = nas_ref_conv_packed_bytes,
        .conv_pack = nas_ref_conv_pack,
        .conv_unpack = nas_ref_conv_unpack,
        .conv_forward = nas_ref_conv_forward,
        .conv_backward_data = nas_ref_conv_backward_data,
        .conv_backward_weights = nas_ref_conv_backward_weights,
        .conv_scratch_bytes = nas_ref_conv_scratch_bytes,
        .pool_forward = nas_ref_pool_forward,
        .pool_backward = nas_ref_pool_backward,
        .pool_tangent = nas_ref_pool_tangent,
        .copy = nas_ref_copy,
        .flatten = nas_ref_flatten,
        .unflatten = nas_ref_unflatten,
        .moments = nas_ref_moments,
        .combine = nas_ref_combine,
        .image_dots = nas_ref_image_dots,
        .max_abs = nas_ref_max_abs,
        .signs = nas_ref_signs,
        .sign_words = nas_ref_sign_words,
        .weight_dots = nas_ref_weight_dots,
    };
    return &ref;
}
