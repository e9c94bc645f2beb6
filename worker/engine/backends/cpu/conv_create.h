/* A convolution of the cpu backend, and how it is made: which kernels its passes take, how weights
 * lie, and what scratch they want. */
#ifndef NAS_WORKER_ENGINE_BACKENDS_CPU_CONV_CREATE_H
#define NAS_WORKER_ENGINE_BACKENDS_CPU_CONV_CREATE_H

#include "worker/engine/backends/cpu/primitive.h"

enum { NAS_CONV_LINE = 64 /**< bytes; parts of scratch and of packed weights begin on a line */ };

typedef enum nas_conv_method {
    NAS_CONV_BY_PASS = 0, /**< each by oneDNN or, where it has none, by own kernels */
    NAS_CONV_WINOGRAD,    /**< all by own kernels of that kind */
    NAS_CONV_DEPTHWISE
} nas_conv_method_t;

/** See backend.h. */
struct nas_conv {
    const nas_cpu_kernels_t *kernels;
    nas_conv_shape_t shape;
    bool backward;
    nas_conv_method_t method;
    bool planes;         /**< kernels read images in planes */
    bool copies_images;  /**< images in planes are copied into blocks first */
    bool image_gradient; /**< the gradient by images has an own kernel */
    nas_conv_blocks_t blocks;
    nas_primitive_t *pass[NAS_PASS_COUNT]; /**< of oneDNN; NULL: own kernels */
    nas_filter_layout_t forward_layout;
    nas_filter_layout_t backward_layout;
    size_t weight_elements;
    size_t backward_elements; /**< 0 where there is no second layout */
    size_t blocked_bytes; /**< of scratch, at its beginning: images or their gradient in blocks */
    size_t scratch_bytes;
    nas_conv_t *next; /**< in the cache */
};

/** Make a convolution of a shape that the backend takes.  Not collective.
 *  kernels are borrowed for good.  NAS_ENOMEM. */
nas_status_t nas_cpu_conv_create(const nas_cpu_kernels_t *kernels, const nas_conv_shape_t *shape,
                                 bool backward, nas_conv_t **conv_p, nas_error_t *err);

#endif
