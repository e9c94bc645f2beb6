/* A pack: programs that are on the device together, from what they read to what they found. */
#ifndef NAS_WORKER_ENGINE_GPU_PACK_PACK_H
#define NAS_WORKER_ENGINE_GPU_PACK_PACK_H

#include "worker/engine/gpu/pack/inputs.h"
#include "worker/engine/gpu/pack/memory.h"
#include "worker/engine/gpu/pack/waves.h"

/** What packs of a device share, one after the other: they are queued in order. */
typedef struct nas_gpu_pack_device {
    nas_gpu_t *gpu;
    nas_gpu_budget_t budget;
    nas_gpu_variants_t *variants;
    nas_gpu_planner_t *planner;
    nas_gpu_buffer_t arena, vectors;
} nas_gpu_pack_device_t;

/** Zero-initialised: of nothing. Its memory is kept from one use to the next. */
typedef struct nas_gpu_members {
    nas_gpu_inputs_t inputs;
    nas_gpu_steps_t steps;
    nas_gpu_waves_t waves;
    nas_gpu_pool_t places; /**< nas_gpu_places_t of each program */
    int64_t n_arena;       /**< floats, and so on: all that it takes */
    int64_t n_results, n_vectors;
    nas_gpu_scratch_t scratch;
    nas_gpu_staging_t staging; /**< inputs, then the table */
    nas_gpu_buffer_t data, table;
} nas_gpu_members_t;

/** Plan n tasks.
 *  NAS_ENOMEM: of the host. */
nas_status_t nas_gpu_members_plan(nas_gpu_members_t *pack, nas_gpu_pack_device_t *device,
                                  const nas_engine_task_t *const *task, int n, nas_error_t *err);

/** Take the memory that it needs, and have its kernels built.
 *  NAS_ENOMEM; NAS_EINPUT: a kernel cannot be built. Nothing may be queued that uses this pack. */
nas_status_t nas_gpu_members_reserve(nas_gpu_members_t *pack, nas_gpu_pack_device_t *device,
                                     nas_error_t *err);

/** Queue all of it, and the reading of its results.
 *  results [out] n_results numbers of pinned memory: those of its programs, one behind the other. */
nas_status_t nas_gpu_members_queue(nas_gpu_members_t *pack, nas_gpu_pack_device_t *device,
                                   double *results, nas_error_t *err);

/** Give its memory back. */
void nas_gpu_members_fini(nas_gpu_members_t *pack, nas_gpu_pack_device_t *device);

#endif
