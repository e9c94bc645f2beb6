/* The OpenCL layer's own parts: the devices of all platforms, and kernels built for one. */
#ifndef NAS_WORKER_ENGINE_GPU_LAYERS_OPENCL_H
#define NAS_WORKER_ENGINE_GPU_LAYERS_OPENCL_H

#include "worker/engine/gpu/layers/modules.h"
#include "worker/engine/gpu/layers/opencl_api.h"

/** A device of the list. */
typedef struct nas_opencl_place {
    cl_device_id device;
    int platform_index, index;
    char platform[NAS_GPU_NAME_SIZE];
    bool is_cpu;
} nas_opencl_place_t;

/** All devices of all platforms: GPUs and accelerators first, then processors, each in the driver's
 *  order.  Not collective.  The caller frees *places_p; n [out].
 *  NAS_OK with n = 0: reason [out] says why. NAS_EIO: a driver fails. NAS_ENOMEM. */
nas_status_t nas_opencl_places(const nas_opencl_api_t *api, nas_opencl_place_t **places_p, int *n,
                               nas_error_t *reason, nas_error_t *err);

/** What a device says of itself. */
void nas_opencl_describe(const nas_opencl_api_t *api, const nas_opencl_place_t *place,
                         nas_gpu_info_t *info);

/** An opened device. */
typedef struct nas_opencl {
    nas_gpu_t gpu; /**< first */
    nas_opencl_api_t api;
    nas_gpu_info_t info;
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;
    nas_gpu_modules_t *modules;
    struct nas_opencl_pinned *pinned; /**< memory of the host */
    cl_int failure;                   /**< the first since the last wait */
    char failed[64];                  /**< what failed then */
} nas_opencl_t;

/** What builds kernels for a device. */
const nas_gpu_builder_t *nas_opencl_builder(const nas_gpu_info_t *info);

/** Options that kernels are built with, besides their definitions. */
#define NAS_OPENCL_OPTIONS "-cl-std=CL1.2"

#endif
