/* Convolutions of the reference backend: found in a cache, weights packed as they are. */
#include "worker/engine/backends/ref/ref_internal.h"

#include <stdlib.h>
#include <string.h>

/* Pixels of the output computed at a time: long enough for the innermost loops, and with all taps
 * of 64 channels within the second-level cache. */
enum { PIXELS = 64 };

static nas_status_t check_window(const nas_conv_shape_t *s, nas_error_t *err)
{
    const nas_window_t *w = &s->window;
    if (nas_conv_window_is_known(s)) return NAS_OK;
    return nas_error_set(
        err, NAS_EARG,
        "convolution %d x %d, strides %d %d, dilations %d %d, padding %d %d %d %d, %d to %d channels in %d groups, %d images of %d x %d to %d x %d: extents are positive, channels multiples of the groups, and windows begin within the padded input",
        w->k_h, w->k_w, w->stride_h, w->stride_w, w->dilation_h, w->dilation_w, w->top, w->left,
        w->bottom, w->right, s->c_in, s->c_out, s->groups, s->n, s->h_in, s->w_in, s->h_out,
        s->w_out);
}

static nas_status_t check(const nas_conv_shape_t *shape, nas_error_t *err)
{
    if (shape->k == 0) return check_window(shape, err);
    if (nas_conv_shape_is_known(shape)) return NAS_OK;
    return nas_error_set(
        err, NAS_EARG,
        "convolution %d x %d, stride %d, %d to %d channels, %d images of %d x %d: plain kernels are 1 x 1 or 3 x 3, strides 1 or 2, extents positive",
        shape->k, shape->k, shape->stride, shape->c_in, shape->c_out, shape->n, shape->h_in,
        shape->w_in);
}

static void describe(nas_conv_t *conv, const nas_conv_shape_t *shape)
{
    const nas_window_t window = nas_conv_window(shape);
    conv->shape = *shape;
    conv->along_h = nas_window_rows(&window);
    conv->along_w = nas_window_columns(&window);
    conv->h_out = nas_conv_h_out(shape);
    conv->w_out = nas_conv_w_out(shape);
    conv->pixels_in = (int64_t)shape->h_in * shape->w_in;
    conv->pixels_out = (int64_t)conv->h_out * conv->w_out;
    conv->groups = nas_conv_groups(shape);
    conv->group_in = shape->c_in / conv->groups;
    conv->group_out = shape->c_out / conv->groups;
    conv->n_taps = nas_conv_fan_in(shape);
    conv->rows = conv->w_out < PIXELS ? PIXELS / conv->w_out : 1;
    if (conv->rows > conv->h_out) conv->rows = conv->h_out;
}

nas_status_t nas_ref_conv_find(const nas_conv_shape_t *shape, bool backward,
                               const nas_conv_t **conv_p, nas_error_t *err)
{
    (void)backward; /* the adjoints need nothing more */
    static nas_conv_t *cache;
    for (const nas_conv_t *conv = cache; conv; conv = conv->next) {
        if (!nas_conv_is_same(&conv->shape, shape)) continue;
        *conv_p = conv;
        return NAS_OK;
    }
    const nas_status_t status = check(shape, err);
    if (status != NAS_OK) return status;
    nas_conv_t *conv = malloc(sizeof *conv);
    if (!conv) return nas_error_nomem(err, "convolution");
    describe(conv, shape);
    conv->next = cache;
    cache = conv;
    *conv_p = conv;
    return NAS_OK;
}

size_t nas_ref_conv_weight_elements(const nas_conv_t *conv)
{
    return (size_t)conv->shape.c_out * (size_t)conv->n_taps;
}

size_t nas_ref_conv_packed_bytes(const nas_conv_t *conv)
{
    return nas_ref_conv_weight_elements(conv) * sizeof(double);
}

void nas_ref_conv_pack(const nas_conv_t *conv, const double *weights, void *packed)
{
    memcpy(packed, weights, nas_ref_conv_packed_bytes(conv));
}

void nas_ref_conv_unpack(const nas_conv_t *conv, const void *gradient, double *weights)
{
    memcpy(weights, gradient, nas_ref_conv_packed_bytes(conv));
}
