/* The layer `threads`, of builds with tests: this machine's processor, its kernels compiled as C.
 *
 * Work-items are fibres of one thread, or threads where the program is built with ThreadSanitizer
 * or the variable NAS_GPU_THREADS is `threads`. Kernels are compiled by the program's own compiler
 * with its own sanitizers; one that divides in float32 is refused. What is queued runs in `wait` and
 * not before, so that who forgets it finds out; new memory is full of NaN.
 *
 * NAS_GPU_GROUPS=backwards: fibres run the groups of a launch from the last to the first, which must
 * change nothing.
 *
 * NAS_GPU_THREADS_MEMORY: bytes of its memory in all (default 8 GiB), for tests that run out of it.
 */
#ifndef NAS_WORKER_ENGINE_GPU_LAYERS_THREADS_H
#define NAS_WORKER_ENGINE_GPU_LAYERS_THREADS_H

#include "worker/engine/gpu/layers/modules.h"
#include "worker/engine/gpu/layers/run.h"

typedef struct nas_threads {
    nas_gpu_t gpu; /**< first */
    nas_gpu_info_t info;
    nas_gpu_modules_t *modules;
    nas_fibres_t *fibres;                /**< NULL: work-items are threads */
    struct nas_threads_command *command; /**< [n_commands], queued */
    size_t n_commands, room;
    nas_gpu_graph_t *recording; /**< NULL: none */
    nas_status_t failure;       /**< the first since the last wait */
    nas_error_t failed;
} nas_threads_t;

extern const nas_gpu_builder_t nas_threads_builder;

/** Whether work-items are to be threads. */
bool nas_threads_are_real(void);

/** What else a module depends on; the caller frees it.  NULL: no memory. */
char *nas_threads_identity(bool are_real, nas_error_t *err);

/** A kernel as it is called. */
void nas_threads_kernel(const nas_gpu_kernel_t *kernel, nas_run_t *run);

#endif
