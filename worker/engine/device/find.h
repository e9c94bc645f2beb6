/* Which GPU a choice means on a rank. */
#ifndef NAS_WORKER_ENGINE_DEVICE_FIND_H
#define NAS_WORKER_ENGINE_DEVICE_FIND_H

#include "common/base/error.h"
#include "worker/engine/device/choice.h"
#include "worker/engine/gpu/layers/layer.h"

enum { NAS_DEVICE_NAME_SIZE = NAS_GPU_NAME_SIZE + 48, NAS_DEVICE_MOST = 64 };

/** A GPU among those of its layer. */
typedef struct nas_device_place {
    const nas_gpu_layer_t *layer;
    int position; /**< in the layer's list */
    nas_gpu_info_t info;
} nas_device_place_t;

/** The position of a choice among the n devices of its layer; -1: none fits.
 *  Numbers decide where they are given. What they leave open are the first platform's devices that
 *  can run the kernels and are no processors, or are, where a layer is named that has no others: of
 *  these the rank takes its own number on its node modulo theirs. Drivers list what
 *  CUDA_VISIBLE_DEVICES and its like leave visible, so that a rank to which Slurm gave one takes
 *  that one.  Not collective, deterministic. */
int nas_device_bind(const nas_gpu_info_t *info, int n, const nas_device_choice_t *choice,
                    int local_rank);

/** Find it, in the best layer that has a GPU where none is named.  Not collective; loads drivers.
 *  NAS_EINPUT: none there, with the reason. NAS_EIO: none, and a driver that does not work. */
nas_status_t nas_device_find(const nas_device_choice_t *choice, int local_rank,
                             nas_device_place_t *place, nas_error_t *err);

/** "cuda:0", "opencl:0:1", "threads": what a choice names it by. */
void nas_device_spell(const nas_gpu_layer_t *layer, const nas_gpu_info_t *info,
                      char text[NAS_DEVICE_NAME_SIZE]);

#endif
