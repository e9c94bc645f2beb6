/* Own kernels of the cpu backend, compiled once per instruction set. The functions are those of
 * the backend's table, see worker/engine/backends/backend.h. */
#ifndef NAS_WORKER_ENGINE_BACKENDS_CPU_KERNELS_H
#define NAS_WORKER_ENGINE_BACKENDS_CPU_KERNELS_H

#include "worker/engine/backends/backend.h"

/** combine_kernel.c */
typedef struct nas_combine_kernel {
    void (*combine)(const nas_combination_t *combination);
} nas_combine_kernel_t;

/** reduce_kernel.c */
typedef struct nas_reduce_kernel {
    void (*moments)(nas_shape_t shape, nas_channels_t tensor, double *mean, double *variance);
    void (*image_dots)(nas_shape_t shape, nas_channels_t a, nas_channels_t b, double *sum);
    double (*max_abs)(nas_shape_t shape, nas_channels_t tensor);
    void (*signs)(nas_shape_t shape, nas_channels_t relu, uint64_t *bits);
    size_t (*sign_words)(nas_shape_t shape);
    void (*weight_dots)(const void *a, const void *b, size_t n, double sums[2]);
} nas_reduce_kernel_t;

/** Distances in packed weights, in numbers: from one block of output or input channels to the
 *  next, from one element of the filter to the next, from one channel of a block to the next: o or
 *  i is 1. */
typedef struct nas_filter_layout {
    size_t o_block;
    size_t i_block;
    size_t k;
    size_t o;
    size_t i;
} nas_filter_layout_t;

/** Weights of a convolution of one group, or of what every group has one input and output of:
 *  filters of k elements. */
typedef struct nas_filters {
    int c_out;
    int c_in;
    int k;
} nas_filters_t;

/** layout_kernel.c */
typedef struct nas_layout_kernel {
    int lanes;       /**< channels of a block */
    bool for_onednn; /**< blocks are as oneDNN has kernels for */
    int max_planes;  /**< images of up to so many channels are not blocked but padded to as many
                           planes; 0: all are blocked */
    int max_taps;    /**< elements that a filter of pack and unpack has at most */
    size_t (*tensor_bytes)(nas_shape_t shape);
    size_t (*image_bytes)(nas_shape_t shape);
    void (*load_images)(nas_shape_t shape, const float *images, void *tensor);
    /** Images in planes, into blocks like those of a tensor. */
    void (*block_images)(nas_shape_t shape, const float *planes, float *tensor);
    void (*load)(nas_shape_t shape, const double *values, void *tensor);
    void (*store)(nas_shape_t shape, const void *tensor, double *values);
    /** Weights [c_out, c_in, k] to and from a packed layout, whose padding is left as it is. Others
     *  than these: weights.h. */
    void (*pack)(nas_filters_t filters, nas_filter_layout_t layout, const double *weights,
                 float *packed);
    void (*unpack)(nas_filters_t filters, nas_filter_layout_t layout, const float *packed,
                   double *weights);
} nas_layout_kernel_t;

/** The extents of a convolution in whole blocks. */
typedef struct nas_conv_blocks {
    int n;
    int in;     /**< blocks of input channels */
    int out;    /**< blocks of output channels */
    int joined; /**< blocks of inputs that one of outputs is joined with: of all groups that it has
                     a part of */
    int c_in;   /**< channels */
    int c_out;
    int groups;
    int h_in;
    int w_in;
    int h_out;
    int w_out;
    nas_window_t window;
} nas_conv_blocks_t;

/** The first of the blocks of inputs that block o of outputs is joined with. */
static inline int nas_conv_first_in(const nas_conv_blocks_t *conv, int o, int lanes)
{
    const int group = o * lanes / (conv->c_out / conv->groups);
    const int first = group * (conv->c_in / conv->groups) / lanes;
    const int last = conv->in - conv->joined;
    return first < last ? first : last;
}

/** conv_kernel.c: convolutions of blocked tensors, for instruction sets and windows that oneDNN has
 *  no kernels for. Weights are [O, joined I, K, K, i, o] in blocks, 0 between different groups, those
 *  of backward_data [O, joined I, K, K, o, i]. What is not an output is only read. */
typedef struct nas_conv_kernel {
    void (*forward)(const nas_conv_blocks_t *conv, float *weights, float *x, float *y);
    void (*backward_data)(const nas_conv_blocks_t *conv, float *weights, float *dy, float *dx);
    void (*backward_weights)(const nas_conv_blocks_t *conv, float *x, float *dy, float *dw);
} nas_conv_kernel_t;

/** depthwise_kernel.c: convolutions of blocked tensors in which every channel is a group. Weights
 *  are [C, K, K, c] in blocks, for all passes. scratch: scratch_bytes, 64-byte aligned. */
typedef struct nas_depthwise_kernel {
    size_t (*scratch_bytes)(const nas_conv_blocks_t *conv);
    void (*forward)(const nas_conv_blocks_t *conv, const float *weights, const float *x, float *y,
                    void *scratch);
    void (*backward_data)(const nas_conv_blocks_t *conv, const float *weights, const float *dy,
                          float *dx, void *scratch);
    void (*backward_weights)(const nas_conv_blocks_t *conv, const float *x, const float *dy,
                             float *dw, void *scratch);
} nas_depthwise_kernel_t;

/** winograd_kernel.c: convolutions 3 x 3 of stride 1, in the layouts of nas_conv_kernel_t.
 *  scratch: scratch_bytes, 64-byte aligned. */
typedef struct nas_winograd_kernel {
    /** Whether it can do the convolution and is the best kernel for it; all passes then use it. */
    bool (*pays)(const nas_conv_blocks_t *conv);
    size_t (*scratch_bytes)(const nas_conv_blocks_t *conv);
    void (*forward)(const nas_conv_blocks_t *conv, float *weights, float *x, float *y,
                    float *scratch);
    void (*backward_data)(const nas_conv_blocks_t *conv, float *weights, float *dy, float *dx,
                          float *scratch);
    void (*backward_weights)(const nas_conv_blocks_t *conv, float *x, float *dy, float *dw,
                             float *scratch);
} nas_winograd_kernel_t;

/** image_kernel.c: the gradient by images, which oneDNN has no fast kernel for.
 *  weights [O, K, K, c_in] for all channels of whole blocks; dy blocked; images [out]
 *  [N, c_in, H, W]; scratch: scratch_bytes. */
typedef struct nas_image_kernel {
    size_t (*scratch_bytes)(const nas_conv_blocks_t *conv);
    void (*gradient)(const nas_conv_blocks_t *conv, const float *weights, const float *dy,
                     double *images, void *scratch);
} nas_image_kernel_t;

/** pool_kernel.c */
typedef struct nas_pool_kernel {
    void (*forward)(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t y);
    void (*backward)(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t dy,
                     nas_channels_t dx);
    void (*tangent)(const nas_pool_shape_t *pool, nas_channels_t x, nas_channels_t tx,
                    nas_channels_t ty);
} nas_pool_kernel_t;

/** copy_kernel.c */
typedef struct nas_copy_kernel {
    void (*copy)(const nas_copy_t *copy);
    void (*flatten)(nas_shape_t shape, const void *x, void *y);
    void (*unflatten)(nas_shape_t shape, const void *y, void *x);
} nas_copy_kernel_t;

/** The kernels of one instruction set. */
typedef struct nas_cpu_kernels {
    const nas_layout_kernel_t *layout;
    const nas_combine_kernel_t *combine;
    const nas_reduce_kernel_t *reduce;
    const nas_conv_kernel_t *conv;
    const nas_depthwise_kernel_t *depthwise;
    const nas_image_kernel_t *image;
    const nas_winograd_kernel_t *winograd;
    const nas_pool_kernel_t *pool;
    const nas_copy_kernel_t *copy;
} nas_cpu_kernels_t;

#endif
