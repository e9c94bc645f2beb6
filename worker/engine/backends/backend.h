/* Backends: the few kernels that a network is computed with, behind one table of functions.
 *
 * Everything about networks and metrics is expressed once, in worker/engine/program, as a list of
 * calls of these kernels; a backend knows only tensors. Batch normalisation, its adjoint and its
 * tangent are all affine in the tensors involved, with a coefficient a channel:
 * worker/engine/program works the coefficients out in float64, and `combine` applies them.
 *
 * Dimension letters: N images, C channels (I of an input, O of an output), H W pixels, K kernel
 * size. A tensor's layout and element type are the backend's own; outside it is a pointer.
 * Coefficients, sums and other vectors are float64 everywhere, one number a channel.
 */
#ifndef NAS_WORKER_ENGINE_BACKENDS_BACKEND_H
#define NAS_WORKER_ENGINE_BACKENDS_BACKEND_H

#include "common/base/error.h"
#include "common/base/isa.h"
#include "common/space/builder.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAS_MAX_TERMS = 12, NAS_MAX_DOTS = 8 };

/** Extents of a tensor. */
typedef struct nas_shape {
    int n;
    int c;
    int h;
    int w;
} nas_shape_t;

/** A range of channels of a tensor in memory: channels [c_first, c_first + n) of c_total, where the
 *  call says n. c_first is a multiple of the backend's channel_block. */
typedef struct nas_channels {
    void *data;
    int c_total;
    int c_first;
} nas_channels_t;

/** A convolution without bias. Most are *plain*: K x K at stride 1 or 2, with zero padding K / 2,
 *  and have kernels of their own everywhere; any other says all that there is to say. */
typedef struct nas_conv_shape {
    int n;
    int c_in;
    int c_out;
    int h_in; /**< a plain one's output has (h_in + stride - 1) / stride rows */
    int w_in;
    int k; /**< 1 or 3; 0: not a plain one, and what follows `image` counts */
    int stride;
    bool image; /**< the input is a batch of images, in the layout of load_images */
    int h_out;
    int w_out;
    int groups;          /**< that the channels are cut into; weights are [O, I / groups, K, K] */
    nas_window_t window; /**< pixels beyond its input are 0, padded or not */
} nas_conv_shape_t;

/** Extents of what any convolution makes. */
static inline int nas_conv_h_out(const nas_conv_shape_t *shape)
{
    return shape->k ? (shape->h_in + shape->stride - 1) / shape->stride : shape->h_out;
}

static inline int nas_conv_w_out(const nas_conv_shape_t *shape)
{
    return shape->k ? (shape->w_in + shape->stride - 1) / shape->stride : shape->w_out;
}

/** Groups and window of any convolution. */
static inline int nas_conv_groups(const nas_conv_shape_t *shape)
{
    return shape->k ? 1 : shape->groups;
}

static inline nas_window_t nas_conv_window(const nas_conv_shape_t *shape)
{
    const int k = shape->k, s = shape->stride, p = k / 2;
    return k ? (nas_window_t){k, k, s, s, 1, 1, p, p, p, p} : shape->window;
}

/** Inputs that an output is a sum over: numbers of weights are O times that. */
static inline int nas_conv_fan_in(const nas_conv_shape_t *shape)
{
    const nas_window_t w = nas_conv_window(shape);
    return shape->c_in / nas_conv_groups(shape) * w.k_h * w.k_w;
}

static inline bool nas_conv_is_same(const nas_conv_shape_t *a, const nas_conv_shape_t *b)
{
    return a->n == b->n && a->c_in == b->c_in && a->c_out == b->c_out && a->h_in == b->h_in &&
           a->w_in == b->w_in && a->k == b->k && a->stride == b->stride && a->image == b->image &&
           a->h_out == b->h_out && a->w_out == b->w_out && a->groups == b->groups &&
           nas_window_is_same(&a->window, &b->window);
}

/** Whether it is a plain one. */
static inline bool nas_conv_shape_is_known(const nas_conv_shape_t *shape)
{
    return (shape->k == 1 || shape->k == 3) && (shape->stride == 1 || shape->stride == 2) &&
           shape->n > 0 && shape->c_in > 0 && shape->c_out > 0 && shape->h_in > 0 &&
           shape->w_in > 0;
}

/** Whether windows along one axis are `out` of an input: the last begins within it and its padding.
 *  It may stick out. */
static inline bool nas_axis_is_known(nas_axis_t a, int in, int out)
{
    return a.k > 0 && a.stride > 0 && a.dilation > 0 && a.before >= 0 && a.after >= 0 && in > 0 &&
           out > 0 && (int64_t)(out - 1) * a.stride < (int64_t)a.before + in + a.after;
}

/** Whether it is one that is not plain. */
static inline bool nas_conv_window_is_known(const nas_conv_shape_t *shape)
{
    return shape->k == 0 && shape->n > 0 && shape->c_in > 0 && shape->c_out > 0 &&
           shape->groups > 0 && shape->c_in % shape->groups == 0 &&
           shape->c_out % shape->groups == 0 &&
           nas_axis_is_known(nas_window_rows(&shape->window), shape->h_in, shape->h_out) &&
           nas_axis_is_known(nas_window_columns(&shape->window), shape->w_in, shape->w_out);
}

/** A pool of each channel. A window has the pixels that lie in the input, one at least: a mean is
 *  over them, or, where padding counts, over those in the padded input. The maximum is the first in
 *  row order, NaN where there is one. */
typedef struct nas_pool_shape {
    int n, c;
    int h_in, w_in;
    int h_out, w_out;
    nas_window_t window; /**< dilation 1 */
    nas_pool_kind_t kind;
    bool counts_padding;
} nas_pool_shape_t;

/** A copy to pixels and channels of a tensor: to[n, c, h, w] = from[n, c, h + top, w + left], 0
 *  where that lies outside. Both ranges may begin at any channel. The other channels of `to` are
 *  left as they are; if the range ends it, what fills up its last block becomes 0. */
typedef struct nas_copy {
    nas_shape_t shape; /**< of what is written: all pixels of `to` */
    int h_from, w_from;
    int top, left;
    nas_channels_t from;
    nas_channels_t to;
} nas_copy_t;

/** A convolution made ready for one shape; the backend's own. */
typedef struct nas_conv nas_conv_t;

/** How a term of a combination reads its tensor T. */
typedef enum nas_term_kind {
    NAS_TERM_PLAIN = 0, /**< T[n, c, h, w] */
    NAS_TERM_POOL3,     /**< mean of the pixels of T within one step (padding not counted) */
    NAS_TERM_POOL3_ADJOINT,
    NAS_TERM_POOL2,         /**< mean of 2 x 2 pixels of T, which is twice as high and wide */
    NAS_TERM_POOL2_ADJOINT, /**< T is half as high and wide */
    NAS_TERM_IMAGE          /**< a number an image and channel, the same at every pixel */
} nas_term_kind_t;

/** coefficient * T, where the mask is not 0 if masked. */
typedef struct nas_term {
    nas_term_kind_t kind;
    nas_channels_t tensor;     /**< unused for IMAGE */
    const double *coefficient; /**< [C], NULL: 1; IMAGE: [N, C] */
    bool masked;
} nas_term_t;

/** A sum over N, H, W of the combination's value times a tensor. */
typedef struct nas_dot {
    nas_channels_t tensor; /**< data NULL: ones */
    const double *center;  /**< [C] subtracted from the tensor, NULL: 0 */
    double *sum;           /**< [C] out */
} nas_dot_t;

/** value = shift + sum of the terms; stored, rectified, and multiplied with other tensors, in one
 *  pass over memory. */
typedef struct nas_combination {
    nas_shape_t shape; /**< of the value */
    int n_terms;
    nas_term_t term[NAS_MAX_TERMS];
    const double *shift; /**< [C], NULL: 0 */
    nas_channels_t mask; /**< a rectified tensor: masked terms count, and relu is not 0, where it is
                              > 0; data NULL: none */
    nas_channels_t out;  /**< data NULL: not stored; may be one of the PLAIN terms' tensors */
    nas_channels_t relu; /**< the value where the mask (without one: the value itself) is > 0,
                              elsewhere 0; data NULL: not wanted */
    double ceiling; /**< > 0: of the rectifier (ReLU6), so that relu is at most that, and the mask
                         counts where it is below it as well; 0: it has none */
    int n_dots;
    nas_dot_t dot[NAS_MAX_DOTS];
} nas_combination_t;

/** One backend. All functions are not collective and deterministic; those that compute allocate
 *  nothing. */
typedef struct nas_backend {
    const char *name;
    size_t element_bytes;
    int channel_block; /**< channels are padded to a multiple of this; the padding holds 0 */

    /** Bytes of a tensor. */
    size_t (*tensor_bytes)(nas_shape_t shape);
    /** Batch of images [N, C, H, W] float32 into the layout of a convolution with image set. */
    void (*load_images)(nas_shape_t shape, const float *images, void *tensor);
    size_t (*image_bytes)(nas_shape_t shape);
    /** Tensor to and from float64 [N, C, H, W] (verify, tests). */
    void (*load)(nas_shape_t shape, const double *values, void *tensor);
    void (*store)(nas_shape_t shape, const void *tensor, double *values);

    /** A convolution for this shape, from the backend's cache: one object a shape, for good.
     *  backward: whether its adjoints are wanted too.  NAS_ENOMEM, NAS_EARG: no such kernel. */
    nas_status_t (*conv_find)(const nas_conv_shape_t *shape, bool backward,
                              const nas_conv_t **conv_p, nas_error_t *err);
    /** Elements of packed weights and of a weight gradient, which have one layout: the output
     *  channels' blocks follow one another, so that convolutions of one input can be packed
     *  together and a part taken out again. */
    size_t (*conv_weight_elements)(const nas_conv_t *conv);
    /** Bytes that packed weights take, all layouts that the passes need. */
    size_t (*conv_packed_bytes)(const nas_conv_t *conv);
    /** Weights float64 [O, I, K, K] into packed form. */
    void (*conv_pack)(const nas_conv_t *conv, const double *weights, void *packed);
    /** A gradient in packed layout into float64 [O, I, K, K] (verify, training). */
    void (*conv_unpack)(const nas_conv_t *conv, const void *gradient, double *weights);
    /** y = conv(x). scratch: conv_scratch_bytes, 64-byte aligned, for all three. */
    void (*conv_forward)(const nas_conv_t *conv, const void *packed, const void *x, void *y,
                         void *scratch);
    /** dx = adjoint of conv_forward, applied to dy; with image set, dx is float64 [N, C, H, W]. */
    void (*conv_backward_data)(const nas_conv_t *conv, const void *packed, const void *dy, void *dx,
                               void *scratch);
    /** dw = gradient by the weights, in packed layout. */
    void (*conv_backward_weights)(const nas_conv_t *conv, const void *x, const void *dy, void *dw,
                                  void *scratch);
    size_t (*conv_scratch_bytes)(const nas_conv_t *conv);

    /** y = pool(x). */
    void (*pool_forward)(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t y);
    /** dx = adjoint of pool_forward at x (which a mean does not read), applied to dy. */
    void (*pool_backward)(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t dy,
                          nas_channels_t dx);
    /** ty = tangent of the pool by maximum at x: tx, where x is largest. */
    void (*pool_tangent)(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t tx,
                         nas_channels_t ty);
    void (*copy)(const nas_copy_t *copy);
    /** y [N, C H W, 1, 1] = x [N, C, H, W] of this shape, and back. */
    void (*flatten)(nas_shape_t shape, const void *x, void *y);
    void (*unflatten)(nas_shape_t shape, const void *y, void *x);

    /** Mean and biased variance over N, H, W of shape.c channels; [C] out. */
    void (*moments)(nas_shape_t shape, nas_channels_t tensor, double *mean, double *variance);
    void (*combine)(const nas_combination_t *combination);
    /** sum[n, c] = sum over H, W of a (b NULL) or a * b; [N, C] out. */
    void (*image_dots)(nas_shape_t shape, nas_channels_t a, nas_channels_t b, double *sum);
    /** Largest |value|. */
    double (*max_abs)(nas_shape_t shape, nas_channels_t tensor);
    /** One bit a value of the rectified tensor, set where it is > 0, image by image: bits [out]
     *  N x sign_words words, the last of each image padded with zeros. */
    void (*signs)(nas_shape_t shape, nas_channels_t relu, uint64_t *bits);
    size_t (*sign_words)(nas_shape_t shape);
    /** Over n elements in packed layout: sums[0] += a b, sums[1] += |a b|, in float64. */
    void (*weight_dots)(const void *a, const void *b, size_t n, double sums[2]);
} nas_backend_t;

/** Plain C in float64, [N, C, H, W]: the yardstick of the others. */
const nas_backend_t *nas_backend_ref(void);

/** oneDNN and own kernels in float32, channels in blocks of 16 (AVX-512), 8 (AVX2) or 4, for an
 *  instruction set that is available; NULL where the program was built without oneDNN. The first
 *  call fixes the instruction set. */
const nas_backend_t *nas_backend_cpu(nas_isa_t isa);

#endif
