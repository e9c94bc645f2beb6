/* Devices: what a rank computes networks on, its processor's cores or a GPU.
 *
 * The job and the option --device name one: `auto`, `cpu`, `gpu`, or a layer of GPUs with numbers,
 * `cuda:1`, `opencl:0:1`. Numbers that are left out mean the device that is bound to the rank: what
 * Slurm made visible, else the rank's number on its node modulo the devices. `auto` stands for a GPU
 * where any rank has one, which is for the ranks to agree on (coordinator/devices).
 */
#ifndef NAS_WORKER_ENGINE_DEVICE_DEVICE_H
#define NAS_WORKER_ENGINE_DEVICE_DEVICE_H

#include "common/base/error.h"
#include "worker/engine/engine.h"
#include "worker/engine/host/profile.h"

#include <stdint.h>

typedef enum nas_device_kind {
    NAS_DEVICE_AUTO = 0, /**< only of a choice */
    NAS_DEVICE_CPU,
    NAS_DEVICE_GPU
} nas_device_kind_t;

/** What was asked for; a plain value. */
typedef struct nas_device_choice {
    int64_t kind;     /**< nas_device_kind_t */
    int64_t layer;    /**< nas_gpu_layer_at; -1: any */
    int64_t platform; /**< OpenCL's; -1: any */
    int64_t index;    /**< -1: the one that is bound to the rank */
} nas_device_choice_t;

/** NAS_EINPUT: what it may be, in one line. */
nas_status_t nas_device_choice_parse(const char *text, nas_device_choice_t *choice,
                                     nas_error_t *err);

typedef struct nas_device_options {
    nas_device_choice_t choice;   /**< not AUTO */
    const nas_backend_t *backend; /**< of CPU */
    int local_rank;               /**< of the ranks on this node */
} nas_device_options_t;

/** Opaque. */
typedef struct nas_device nas_device_t;

/** Whether this rank has a GPU that the choice fits and that can be opened.  Not collective.
 *  reason [out, NULL: not wanted]: why not, with the remedy. */
bool nas_device_has_gpu(const nas_device_options_t *options, nas_error_t *reason);

/** Open it: of a GPU its driver, and the golden kernels are run (golden.h).  Not collective.
 *  The caller owns *device_p; engines of it end before it.
 *  NAS_EINPUT: not to be had, with the remedy; NAS_EIO: it is there and does not work. */
nas_status_t nas_device_open(const nas_device_options_t *options, nas_device_t **device_p,
                             nas_error_t *err);

nas_device_kind_t nas_device_kind(const nas_device_t *device);
/** "cpu", or "cuda:0 NVIDIA H200"; the device's. */
const char *nas_device_name(const nas_device_t *device);
/** Digest of the golden kernels' bits; 0 of a CPU. */
uint64_t nas_device_golden(const nas_device_t *device);
/** That programs for it are made for. */
const nas_backend_t *nas_device_layout(const nas_device_t *device);

/** An engine on it, of its own memory.  As nas_host_engine_create, nas_gpu_engine_create.
 *  profile: of a CPU only, else NULL. */
nas_status_t nas_device_engine(nas_device_t *device, nas_profile_t *profile,
                               nas_engine_t **engine_p, nas_error_t *err);

/** Accepts NULL. */
void nas_device_close(nas_device_t *device);

#endif
