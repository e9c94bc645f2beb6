/* Devices: what a rank computes networks on, its processor's cores or a GPU.
 *
 * NAS_GPU_PACK=N: a GPU has N architectures at once at most, from 1 to 4096; fewer, where its memory
 * does not hold so many. Results are the same for any N. Without it the GPU's memory decides.
 */
#ifndef NAS_WORKER_ENGINE_DEVICE_DEVICE_H
#define NAS_WORKER_ENGINE_DEVICE_DEVICE_H

#include "common/base/error.h"
#include "worker/engine/device/choice.h"
#include "worker/engine/engine.h"
#include "worker/engine/gpu/layers/layer.h"
#include "worker/engine/host/profile.h"

#include <stdint.h>

typedef struct nas_device_options {
    nas_device_choice_t choice;   /**< not AUTO */
    const nas_backend_t *backend; /**< of CPU */
    int local_rank;               /**< of the ranks on this node */
} nas_device_options_t;

/** Opaque. */
typedef struct nas_device nas_device_t;

/** Open it: of a GPU its driver, and the golden kernels are run (golden.h).  Not collective.
 *  The caller owns *device_p; engines of it end before it.
 *  NAS_EARG: NAS_GPU_PACK is no such number. NAS_EINPUT: not to be had, with the remedy; NAS_EIO: it
 *  is there and does not work. NAS_ENOMEM. */
nas_status_t nas_device_open(const nas_device_options_t *options, nas_device_t **device_p,
                             nas_error_t *err);

nas_device_kind_t nas_device_kind(const nas_device_t *device);
/** "cpu", or "cuda:0 NVIDIA H200"; the device's. */
const char *nas_device_name(const nas_device_t *device);
/** Digest of the golden kernels' bits; 0 of a CPU. */
uint64_t nas_device_golden(const nas_device_t *device);
/** A GPU as it was when it was opened; NULL: a CPU. The device's. */
const nas_gpu_info_t *nas_device_info(const nas_device_t *device);
/** What a GPU was asked to do so far; NULL: a CPU. The device's. */
const nas_gpu_counts_t *nas_device_counts(const nas_device_t *device);
/** That programs for it are made for. */
const nas_backend_t *nas_device_layout(const nas_device_t *device);

/** Architectures that its engines like at once: 1 on a CPU. */
int nas_device_width(const nas_device_t *device);

/** An engine on it, of its own memory.  As nas_host_engine_create, nas_gpu_engine_create.
 *  profile: of a CPU only, else NULL. */
nas_status_t nas_device_engine(nas_device_t *device, nas_profile_t *profile,
                               nas_engine_t **engine_p, nas_error_t *err);

/** Accepts NULL. */
void nas_device_close(nas_device_t *device);

#endif
