/* The layout of tensors on GPUs, for which programs are made: float32 [N, C, P], see
 * kernels/work.h. It knows sizes; what computes is the engine's (pack/gpu_engine.h). */
#ifndef NAS_WORKER_ENGINE_GPU_PLAN_LAYOUT_H
#define NAS_WORKER_ENGINE_GPU_PLAN_LAYOUT_H

#include "worker/engine/backends/backend.h"

/** Name "gpu"; functions that compute are NULL. */
const nas_backend_t *nas_gpu_layout(void);

#endif
