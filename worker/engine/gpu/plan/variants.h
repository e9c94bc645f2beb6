/* The variants that programs came to need so far, by number: a number is what operations are
 * compared by. Those of convolutions are looked up by their shape, once. */
#ifndef NAS_WORKER_ENGINE_GPU_PLAN_VARIANTS_H
#define NAS_WORKER_ENGINE_GPU_PLAN_VARIANTS_H

#include "worker/engine/gpu/plan/variant.h"

/** Numbers of the kernels that are in no convolution; the others follow. */
typedef enum nas_gpu_plain {
    NAS_GPU_PLAIN_CLEAR = 0,
    NAS_GPU_PLAIN_INIT,
    NAS_GPU_PLAIN_PACK,
    NAS_GPU_PLAIN_UNPACK,
    NAS_GPU_PLAIN_LOAD,
    NAS_GPU_PLAIN_COMBINE,
    NAS_GPU_PLAIN_IMAGE_DOTS,
    NAS_GPU_PLAIN_MOMENTS,
    NAS_GPU_PLAIN_WEIGHT_DOTS,
    NAS_GPU_PLAIN_WEIGHT_PARTS,
    NAS_GPU_PLAIN_AGREEMENT,
    NAS_GPU_PLAIN_STANDARDISE,
    NAS_GPU_PLAIN_CORRELATE,
    NAS_GPU_PLAIN_SCALARS,
    NAS_GPU_PLAIN_AUGMENT,
    NAS_GPU_PLAIN_GATHER,
    NAS_GPU_PLAIN_SETTLE,
    NAS_GPU_PLAIN_DESCEND,
    NAS_GPU_PLAIN_POOL,
    NAS_GPU_PLAIN_POOL_ADJOINT,
    NAS_GPU_PLAIN_COPY,
    NAS_GPU_PLAIN_FLATTEN,
    NAS_GPU_PLAIN_COUNT
} nas_gpu_plain_t;

/** A convolution's pass, as it is carried out. */
typedef struct nas_gpu_conv_kernel {
    nas_conv_shape_t shape;
    nas_gpu_pass_t pass;
    int variant;
    int groups_x; /**< tiles, or parts of BACKWARD_WEIGHTS */
    int block_o, block_i;
    int tile_images, tile_rows;
} nas_gpu_conv_kernel_t;

/** Opaque. */
typedef struct nas_gpu_variants nas_gpu_variants_t;

/** NULL: no memory. The caller destroys it. */
nas_gpu_variants_t *nas_gpu_variants_create(void);

/** A convolution's pass, found or added; the next call makes the address invalid. NULL: no
 *  memory. */
const nas_gpu_conv_kernel_t *nas_gpu_variants_conv(nas_gpu_variants_t *variants,
                                                   const nas_conv_shape_t *shape,
                                                   nas_gpu_pass_t pass);

/** How many there are. */
int nas_gpu_variants_count(const nas_gpu_variants_t *variants);

const nas_gpu_variant_t *nas_gpu_variants_at(const nas_gpu_variants_t *variants, int number);

/** Its kernel on a device, always the same one.  As nas_gpu_variant_kernel. */
nas_status_t nas_gpu_variants_kernel(nas_gpu_variants_t *variants, nas_gpu_t *gpu, int number,
                                     const nas_gpu_kernel_t **kernel_p, nas_error_t *err);

/** Accepts NULL. */
void nas_gpu_variants_destroy(nas_gpu_variants_t *variants);

#endif
