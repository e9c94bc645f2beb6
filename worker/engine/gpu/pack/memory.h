/* Memory of a device and of the host that grows, within a limit; what was in it is lost. */
#ifndef NAS_WORKER_ENGINE_GPU_PACK_MEMORY_H
#define NAS_WORKER_ENGINE_GPU_PACK_MEMORY_H

#include "worker/engine/gpu/layers/layer.h"

/** Of one device. */
typedef struct nas_gpu_budget {
    nas_gpu_t *gpu;
    size_t limit;   /**< bytes of all buffers */
    size_t largest; /**< bytes of one */
    size_t taken;   /**< bytes */
} nas_gpu_budget_t;

/** Grow a buffer to `bytes` at least. What is queued is waited for where it grows.
 *  NAS_ENOMEM: beyond the budget, or the device has none; the buffer is then empty. */
nas_status_t nas_gpu_buffer_grow(nas_gpu_budget_t *budget, size_t bytes, nas_gpu_buffer_t *buffer,
                                 nas_error_t *err);

/** Give it back. */
void nas_gpu_buffer_drop(nas_gpu_budget_t *budget, nas_gpu_buffer_t *buffer);

/** Memory of the host that the device reads and writes fast. Zero-initialised: none. */
typedef struct nas_gpu_staging {
    char *data;
    size_t bytes;
} nas_gpu_staging_t;

/** NAS_ENOMEM. Nothing may be queued that uses it. */
nas_status_t nas_gpu_staging_grow(nas_gpu_t *gpu, size_t bytes, nas_gpu_staging_t *staging,
                                  nas_error_t *err);
void nas_gpu_staging_drop(nas_gpu_t *gpu, nas_gpu_staging_t *staging);

#endif
