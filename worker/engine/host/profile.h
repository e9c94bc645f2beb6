/* Where the time of programs goes: seconds, floating-point operations and bytes by kind of work. */
#ifndef NAS_WORKER_ENGINE_HOST_PROFILE_H
#define NAS_WORKER_ENGINE_HOST_PROFILE_H

#include "worker/engine/backends/backend.h"

#include <stdint.h>

/** Kinds of work in a run. */
typedef enum nas_work {
    NAS_WORK_CONV_FORWARD = 0,
    NAS_WORK_CONV_BACKWARD_DATA,
    NAS_WORK_CONV_BACKWARD_WEIGHTS,
    NAS_WORK_COMBINE,
    NAS_WORK_MOMENTS,
    NAS_WORK_IMAGE_DOTS,
    NAS_WORK_SIGNS, /**< and their agreement between images */
    NAS_WORK_MAX_ABS,
    NAS_WORK_WEIGHT_DOTS, /**< sums over all layers' weights and gradients */
    NAS_WORK_SCALAR,      /**< on vectors of a number a channel or an image */
    NAS_WORK_POOL,        /**< what no combination takes */
    NAS_WORK_COPY,        /**< of parts of tensors, to and from flat ones */
    NAS_WORK_LOAD,        /**< images and weights into the backend's layout, gradients out of it */
    NAS_WORK_COUNT
} nas_work_t;

/** All calls of one kind, convolutions by their shape. */
typedef struct nas_profile_entry {
    nas_work_t work;
    nas_conv_shape_t shape; /**< of convolutions */
    int64_t n_calls;
    double seconds;
    double flops; /**< of convolutions: two a multiply-add */
    double bytes; /**< of tensors and weights, each once where a call reads or writes it */
} nas_profile_entry_t;

/** A network of NAS-Bench-201 has six shapes of cell convolutions a stage and seven others, in three
 *  passes; flow has those of one image besides. What a network has beyond these many is added to
 *  the first of its kind, for which there is room whatever came before. */
enum { NAS_PROFILE_SHAPES = 256, NAS_PROFILE_ENTRIES = NAS_PROFILE_SHAPES + NAS_WORK_COUNT };

/** Zero-initialise; what runs is added. */
typedef struct nas_profile {
    nas_profile_entry_t entry[NAS_PROFILE_ENTRIES];
    int n;
} nas_profile_t;

/** "conv forward", "combine", ... */
const char *nas_work_name(nas_work_t work);

/** The pass is of a convolution. */
bool nas_work_is_conv(nas_work_t work);

/** Add a call.  Not collective. */
void nas_profile_add(nas_profile_t *profile, const nas_profile_entry_t *call);

#endif
