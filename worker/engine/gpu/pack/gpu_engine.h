/* The engine of GPUs: a pack of programs at once, in waves.
 *
 * A pack is the programs of up to `width` architectures that are on the device together. `start`
 * puts all that the device needs into one table, uploads it, queues every launch and returns;
 * `finish` waits and reads what was found, in one read. Nothing is read in between.
 */
#ifndef NAS_WORKER_ENGINE_GPU_PACK_GPU_ENGINE_H
#define NAS_WORKER_ENGINE_GPU_PACK_GPU_ENGINE_H

#include "worker/engine/engine.h"
#include "worker/engine/gpu/layers/layer.h"

typedef struct nas_gpu_engine_options {
    nas_gpu_t *gpu;      /**< opened, kept, and nobody else's while programs are under way */
    int width;           /**< programs at once at most; 0: 64, or 32 below 48 GiB */
    size_t memory_bytes; /**< of the device that may be taken; 0: 90 % of what is free */
} nas_gpu_engine_options_t;

/** Not collective. The caller owns *engine_p and ends it with nas_engine_destroy, before the device
 *  is closed.  NAS_ENOMEM. */
nas_status_t nas_gpu_engine_create(const nas_gpu_engine_options_t *options, nas_engine_t **engine_p,
                                   nas_error_t *err);

/** Programs at once at most, of an engine that is created like this now. */
int nas_gpu_engine_width(const nas_gpu_engine_options_t *options);

/** What the last start was cut into. */
typedef struct nas_gpu_engine_counts {
    int64_t n_waves;  /**< launches of all kinds */
    int64_t n_works;  /**< descriptors */
    int64_t n_tables; /**< bytes of them */
} nas_gpu_engine_counts_t;

nas_gpu_engine_counts_t nas_gpu_engine_counts(const nas_engine_t *engine);

#endif
