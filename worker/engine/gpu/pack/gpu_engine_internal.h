/* What an engine of GPUs begins with, for what else computes on its device. */
#ifndef NAS_WORKER_ENGINE_GPU_PACK_GPU_ENGINE_INTERNAL_H
#define NAS_WORKER_ENGINE_GPU_PACK_GPU_ENGINE_INTERNAL_H

#include "worker/engine/gpu/pack/pack.h"

typedef struct nas_gpu_engine_head {
    nas_engine_t engine;
    nas_gpu_pack_device_t device;
} nas_gpu_engine_head_t;

static inline nas_gpu_pack_device_t *nas_gpu_engine_device(nas_engine_t *engine)
{
    return &((nas_gpu_engine_head_t *)(void *)engine)->device;
}

#endif
