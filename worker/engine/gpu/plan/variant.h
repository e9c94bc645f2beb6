/* Variants: a kernel with the definitions that it is built with. Two operations can share a launch
 * where theirs is the same.
 *
 * Plain convolutions are built for a kernel size, a stride and the pixels of what they write; channels
 * and images are in the descriptors, and of others all is (window.h). How a tensor is cut into tiles, and a batch into parts, depends on
 * that shape alone: so an architecture's bits do not depend on its company. All else is built once.
 *
 * A tile is tile_images images by tile_rows rows (all columns) of what is written, the last ones
 * what is left; tiles of the same images are neighbours, upper rows first. Only tiles of whole
 * planes have more than one image. Whoever puts the tiles' moments together (NAS_GPU_MOMENTS of
 * work.h: per, rows) knows from that how many values each has.
 */
#ifndef NAS_WORKER_ENGINE_GPU_PLAN_VARIANT_H
#define NAS_WORKER_ENGINE_GPU_PLAN_VARIANT_H

#include "worker/engine/backends/backend.h"
#include "worker/engine/gpu/layers/layer.h"

/** Pixels of a row that a group of work-items still spans. */
enum { NAS_GPU_MOST_COLUMNS = 2048 };

enum { NAS_GPU_MAX_DEFINES = 16, NAS_GPU_DEFINE_SIZE = 24 };

/** Which of a convolution's three. */
typedef enum nas_gpu_pass {
    NAS_GPU_FORWARD = 0,
    NAS_GPU_BACKWARD_DATA,
    NAS_GPU_BACKWARD_WEIGHTS
} nas_gpu_pass_t;

/** A plain value. Two are the same where source, kernel and definitions are. */
typedef struct nas_gpu_variant {
    const char *source; /**< see sources.h */
    const char *kernel;
    char define[NAS_GPU_MAX_DEFINES][NAS_GPU_DEFINE_SIZE]; /**< "K=3" */
    int n_defines;
    int lanes; /**< work-items of a group; 0: as the source says */
    /* Convolutions: */
    int tile_images, tile_rows; /**< of what is written; BACKWARD_WEIGHTS: of dy, at once */
    int block_o, block_i; /**< channels of a block: of what is written; BACKWARD_WEIGHTS: of outputs
                               and of inputs */
    int h, w;             /**< pixels of what is written; BACKWARD_WEIGHTS: of dy */
    int units;            /**< BACKWARD_WEIGHTS: that images are cut into */
} nas_gpu_variant_t;

/** The variant of a convolution's pass. */
nas_gpu_variant_t nas_gpu_conv_variant(const nas_conv_shape_t *shape, nas_gpu_pass_t pass);

/** Tiles of n images: groups_x of a convolution, and what its moments are cut into. */
int nas_gpu_conv_tiles(const nas_gpu_variant_t *variant, int n);

/** Parts that BACKWARD_WEIGHTS cuts n images into: its groups_x. */
int nas_gpu_weight_splits(const nas_gpu_variant_t *variant, int n);

/** A kernel that is built without definitions, of a source that is in no convolution. */
nas_gpu_variant_t nas_gpu_plain_variant(const char *source, const char *kernel);

bool nas_gpu_variant_is(const nas_gpu_variant_t *a, const nas_gpu_variant_t *b);

/** Build it, or find it.  As nas_gpu_layer_t's kernel. */
nas_status_t nas_gpu_variant_kernel(nas_gpu_t *gpu, const nas_gpu_variant_t *variant,
                                    const nas_gpu_kernel_t **kernel_p, nas_error_t *err);

#endif
