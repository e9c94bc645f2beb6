/* A launch carried out by this machine's own processor: groups one after the other, whose work-items
 * are fibres of one thread, or threads. */
#ifndef NAS_WORKER_ENGINE_GPU_LAYERS_RUN_H
#define NAS_WORKER_ENGINE_GPU_LAYERS_RUN_H

#include "common/base/error.h"
#include "worker/engine/gpu/kernels/prelude.h"

#include <stdint.h>

enum { NAS_RUN_LANES = 256, NAS_RUN_LOCAL_BYTES = 48 * 1024 };

/** A kernel, and what it is given. */
typedef struct nas_run {
    const char *name;
    void (*kernel)(float *arena, double *vectors, const u8 *data, const u8 *table, i64 at);
    nas_gpu_item_t *(*item)(
        void); /**< where the calling thread's work-item reads what it is told */
    int lanes; /**< at most NAS_RUN_LANES */
    int groups_x, groups_y;
    float *arena;
    double *vectors;
    const u8 *data, *table;
    int64_t at;
} nas_run_t;

/** Work-items as fibres; opaque. */
typedef struct nas_fibres nas_fibres_t;

/** NAS_ENOMEM. The caller owns *fibres_p. Not collective, as all here; of one thread. */
nas_status_t nas_fibres_create(nas_fibres_t **fibres_p, nas_error_t *err);
/** Accepts NULL. */
void nas_fibres_destroy(nas_fibres_t *fibres);

/** Carry a launch out. Local memory is filled with NaN before each group.
 *  NAS_EIO: work-items of a group met at different barriers or ended while others waited at one, or
 *  the group takes more than NAS_RUN_LOCAL_BYTES; the rest of the launch is left out. */
nas_status_t nas_fibres_run(nas_fibres_t *fibres, const nas_run_t *run, nas_error_t *err);

/** The same with a thread a work-item, so that ThreadSanitizer sees what two of them do to the same
 *  memory between two barriers. Different barriers are one to it, and local memory keeps what it
 *  held: filling it would be a race. */
nas_status_t nas_crew_run(const nas_run_t *run, nas_error_t *err);

/** What both say of a launch. */
nas_status_t nas_run_diverged(const nas_run_t *run, nas_error_t *err, const char *how);
nas_status_t nas_run_check_local(const nas_run_t *run, size_t local_bytes, nas_error_t *err);

#endif
