/* What programs of a pack read: images, labels, parameters, statistics. What several of them are
 * given at one address is on the device once. */
#ifndef NAS_WORKER_ENGINE_GPU_PACK_INPUTS_H
#define NAS_WORKER_ENGINE_GPU_PACK_INPUTS_H

#include "worker/engine/engine.h"
#include "worker/engine/gpu/pack/waves.h"

/** An array. */
typedef struct nas_gpu_input {
    const void *from;              /**< of the host; NULL: `draw`, or nothing is written */
    const nas_engine_draw_t *draw; /**< NULL: none */
    size_t bytes;
    bool is_data; /**< images, labels; else among the vectors */
    int64_t at;   /**< bytes of the data, or doubles behind the first of all inputs */
} nas_gpu_input_t;

/** Zero-initialised: none. */
typedef struct nas_gpu_inputs {
    nas_gpu_pool_t input; /**< nas_gpu_input_t */
    size_t data_bytes;
    int64_t n_doubles;
} nas_gpu_inputs_t;

/** None, in the memory that there is. */
void nas_gpu_inputs_clear(nas_gpu_inputs_t *inputs);
void nas_gpu_inputs_fini(nas_gpu_inputs_t *inputs);

/** Add those of a task.
 *  places [out] images, labels, parameters, statistics; the latter two as if the first input were
 *  at 0. */
void nas_gpu_inputs_add(nas_gpu_inputs_t *inputs, const nas_engine_task_t *task,
                        nas_gpu_places_t *places);

/** Bytes of the host's that are written to the device. */
size_t nas_gpu_inputs_bytes(const nas_gpu_inputs_t *inputs);

/** Queue the writes. room [in] nas_gpu_inputs_bytes, kept as it is until the next wait.
 *  first: double of the vectors at which the first input is. */
void nas_gpu_inputs_write(const nas_gpu_inputs_t *inputs, nas_gpu_t *gpu,
                          const nas_gpu_memory_t *memory, int64_t first, char *room);

/** Waves that draw those which are drawn.  NAS_ENOMEM. */
nas_status_t nas_gpu_inputs_draw(const nas_gpu_inputs_t *inputs, int64_t first,
                                 nas_gpu_waves_t *waves, const nas_gpu_steps_t *steps);

#endif
