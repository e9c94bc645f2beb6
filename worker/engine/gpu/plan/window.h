/* Convolutions and pools of any window, as their kernels are told of them. */
#ifndef NAS_WORKER_ENGINE_GPU_PLAN_WINDOW_H
#define NAS_WORKER_ENGINE_GPU_PLAN_WINDOW_H

#include "worker/engine/backends/backend.h"
#include "worker/engine/gpu/plan/descriptors.h"
#include "worker/engine/gpu/plan/variant.h"

/** All of a pass's descriptor but places and channels in memory. */
void nas_gpu_window_geometry(const nas_conv_shape_t *shape, nas_gpu_pass_t pass,
                             nas_gpu_window_t *work);

/** Groups of work-items of a pass: groups_x. */
int nas_gpu_window_groups(const nas_conv_shape_t *shape, nas_gpu_pass_t pass);

/** Outputs that a work-item has: OUTPUTS of window.cl. */
int nas_gpu_window_outputs(const nas_conv_shape_t *shape, nas_gpu_pass_t pass);

/** Parts that BACKWARD_WEIGHTS cuts a batch into. By the shape alone. */
int nas_gpu_window_splits(const nas_conv_shape_t *shape);

/** Extents, window and padding of a pool's descriptor. */
void nas_gpu_pooling_geometry(const nas_pool_shape_t *shape, nas_gpu_pooling_t *work);

#endif
