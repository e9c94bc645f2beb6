/* Waves: launches over all programs of a pack.
 *
 * A wave is one launch of one variant, over every step that has it and waits for nothing any more,
 * whatever program it is of. Which variant comes next is said by the step behind which the longest
 * way lies, so that the program which is behind most leads and the others join; waves are queued in
 * order, hence what a step waits for is done when it begins. In which wave a step is changes no bit
 * of what it computes.
 */
#ifndef NAS_WORKER_ENGINE_GPU_PACK_WAVES_H
#define NAS_WORKER_ENGINE_GPU_PACK_WAVES_H

#include "worker/engine/gpu/plan/steps.h"

/** A launch. */
typedef struct nas_gpu_wave {
    int variant;
    int groups_x, groups_y;
    int64_t at; /**< its descriptors, bytes of the table */
} nas_gpu_wave_t;

/** Where parts of gradients by weights go, which live from one launch to the next. */
typedef struct nas_gpu_scratch {
    int64_t at;     /**< floats of the arena */
    int64_t floats; /**< at once, if no single step has more */
} nas_gpu_scratch_t;

/** Zero-initialised: none. */
typedef struct nas_gpu_waves {
    nas_gpu_pool_t wave;  /**< nas_gpu_wave_t */
    nas_gpu_pool_t table; /**< descriptors, wave after wave: behind the steps' own table */
    int64_t most_floats;  /**< of the scratch, that any wave needs */
    nas_gpu_pool_t room;  /**< to work in */
} nas_gpu_waves_t;

/** No waves, in the memory that there is; the table begins behind that of the steps, which is
 *  complete. */
void nas_gpu_waves_clear(nas_gpu_waves_t *waves);
/** Give its memory back. */
void nas_gpu_waves_fini(nas_gpu_waves_t *waves);

/** A wave behind those that there are, of n descriptors, for which room is returned.
 *  steps: whose table it is behind.  NULL: no memory. */
void *nas_gpu_waves_add(nas_gpu_waves_t *waves, const nas_gpu_steps_t *steps,
                        const nas_gpu_step_t *step);

/** All steps in waves.  Not collective, deterministic; linear in steps and edges.
 *  NAS_ENOMEM. */
nas_status_t nas_gpu_waves_make(nas_gpu_waves_t *waves, const nas_gpu_steps_t *steps,
                                const nas_gpu_scratch_t *scratch, nas_error_t *err);

static inline int nas_gpu_waves_count(const nas_gpu_waves_t *waves)
{
    return (int)(waves->wave.n / sizeof(nas_gpu_wave_t));
}

static inline const nas_gpu_wave_t *nas_gpu_wave_at(const nas_gpu_waves_t *waves, int number)
{
    return (const nas_gpu_wave_t *)(const void *)waves->wave.data + number;
}

/** Bytes of the whole table: that of the steps, then of the waves. */
static inline size_t nas_gpu_table_bytes(const nas_gpu_waves_t *waves, const nas_gpu_steps_t *steps)
{
    return steps->table.n + waves->table.n;
}

/** The whole table, at `to`. */
void nas_gpu_table_put(const nas_gpu_waves_t *waves, const nas_gpu_steps_t *steps, char *to);

#endif
