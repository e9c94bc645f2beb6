/* What the files of the reference backend share. Tensors are float64 [N, C, H, W]. */
#ifndef NAS_WORKER_ENGINE_BACKENDS_REF_REF_INTERNAL_H
#define NAS_WORKER_ENGINE_BACKENDS_REF_REF_INTERNAL_H

#include "worker/engine/backends/backend.h"

/** See backend.h. */
struct nas_conv {
    nas_conv_shape_t shape;
    nas_axis_t along_h; /**< of the window */
    nas_axis_t along_w;
    int h_out;
    int w_out;
    int64_t pixels_in; /**< of a plane */
    int64_t pixels_out;
    int groups;
    int group_in; /**< channels of a group */
    int group_out;
    int n_taps;       /**< weights of one output channel, I / groups K K */
    int rows;         /**< rows of the output computed at a time */
    nas_conv_t *next; /**< in the cache */
};

/** C[M, N] += A[M, K] B[K, N]. The elements of a row of B and of C lie side by side; A has any
 *  strides, so that it may be the transpose of what is stored. */
typedef struct nas_ref_product {
    int m;
    int n;
    int k;
    const double *a;
    int64_t a_row; /**< from a row to the next */
    int64_t a_column;
    const double *b;
    int64_t b_row;
    double *c; /**< overlaps neither A nor B */
    int64_t c_row;
} nas_ref_product_t;

/** 2 M N K operations, deterministic.  Not collective. */
void nas_ref_multiply_add(const nas_ref_product_t *product);

/** Pixels of a plane. */
static inline int64_t nas_ref_pixels(nas_shape_t shape)
{
    return (int64_t)shape.h * shape.w;
}

static inline size_t nas_ref_tensor_bytes(nas_shape_t shape)
{
    return (size_t)shape.n * (size_t)shape.c * (size_t)nas_ref_pixels(shape) * sizeof(double);
}

/** Plane [H, W] of image n and channel c of a range.
 *  shape: of the range; its c is not read. */
static inline double *nas_ref_plane(nas_channels_t tensor, nas_shape_t shape, int n, int c)
{
    const int64_t plane = (int64_t)n * tensor.c_total + tensor.c_first + c;
    return (double *)tensor.data + plane * nas_ref_pixels(shape);
}

/* The entries of the table, with the contracts of backend.h. */
nas_status_t nas_ref_conv_find(const nas_conv_shape_t *shape, bool backward,
                               const nas_conv_t **conv_p, nas_error_t *err);
size_t nas_ref_conv_weight_elements(const nas_conv_t *conv);
size_t nas_ref_conv_packed_bytes(const nas_conv_t *conv);
void nas_ref_conv_pack(const nas_conv_t *conv, const double *weights, void *packed);
void nas_ref_conv_unpack(const nas_conv_t *conv, const void *gradient, double *weights);
size_t nas_ref_conv_scratch_bytes(const nas_conv_t *conv);
void nas_ref_conv_forward(const nas_conv_t *conv, const void *packed, const void *x, void *y,
                          void *scratch);
void nas_ref_conv_backward_data(const nas_conv_t *conv, const void *packed, const void *dy,
                                void *dx, void *scratch);
void nas_ref_conv_backward_weights(const nas_conv_t *conv, const void *x, const void *dy, void *dw,
                                   void *scratch);
void nas_ref_pool_forward(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t y);
void nas_ref_pool_backward(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t dy,
                           nas_channels_t dx);
void nas_ref_pool_tangent(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t tx,
                          nas_channels_t ty);
void nas_ref_copy(const nas_copy_t *copy);
void nas_ref_flatten(nas_shape_t shape, const void *x, void *y);
void nas_ref_unflatten(nas_shape_t shape, const void *y, void *x);
void nas_ref_combine(const nas_combination_t *combination);
void nas_ref_moments(nas_shape_t shape, nas_channels_t tensor, double *mean, double *variance);
void nas_ref_image_dots(nas_shape_t shape, nas_channels_t a, nas_channels_t b, double *sum);
double nas_ref_max_abs(nas_shape_t shape, nas_channels_t tensor);
size_t nas_ref_sign_words(nas_shape_t shape);
void nas_ref_signs(nas_shape_t shape, nas_channels_t relu, uint64_t *bits);
void nas_ref_weight_dots(const void *a, const void *b, size_t n, double sums[2]);

#endif
