/* Device layers: the drivers of GPUs behind one table of functions.
 *
 * A layer is CUDA, HIP, OpenCL, or the threads of this machine (tests). All are opened at run time;
 * none is linked. Work is queued in order and runs when it runs: the only place where its errors
 * come out is `wait`. Kernels are given as source (kernels/), built for the device with a list of
 * definitions, and kept in a cache on disk: ours (cache.h), or the driver's.
 */
#ifndef NAS_WORKER_ENGINE_GPU_LAYERS_LAYER_H
#define NAS_WORKER_ENGINE_GPU_LAYERS_LAYER_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** An opened device with one queue. */
typedef struct nas_gpu nas_gpu_t;
/** A kernel that was built; the device's own, as long as it is open. */
typedef struct nas_gpu_kernel nas_gpu_kernel_t;
/** A recorded list of launches; the device's own. */
typedef struct nas_gpu_graph nas_gpu_graph_t;

/** Memory of the device. */
typedef struct nas_gpu_buffer {
    void *handle; /**< NULL: none */
    size_t bytes;
} nas_gpu_buffer_t;

/** What every kernel is given (kernels/prelude.h). */
typedef struct nas_gpu_memory {
    nas_gpu_buffer_t arena;   /**< tensors, float32 */
    nas_gpu_buffer_t vectors; /**< float64 */
    nas_gpu_buffer_t data;    /**< images and labels, bytes */
    nas_gpu_buffer_t table;   /**< descriptors */
} nas_gpu_memory_t;

enum { NAS_GPU_NAME_SIZE = 128, NAS_GPU_ID_SIZE = 64, NAS_GPU_KERNEL_NAME_SIZE = 32 };

/** A device, as its driver describes it. */
typedef struct nas_gpu_info {
    char name[NAS_GPU_NAME_SIZE];
    char platform[NAS_GPU_NAME_SIZE];   /**< OpenCL's; elsewhere the layer's name */
    char driver[NAS_GPU_ID_SIZE];       /**< version */
    char id[NAS_GPU_ID_SIZE];           /**< UUID or PCI address: what Slurm's binding shows */
    char architecture[NAS_GPU_ID_SIZE]; /**< that kernels are built for: "sm_90", "gfx90a" */
    int platform_index, index;          /**< among the layer's platforms; in the platform */
    size_t memory, free_memory;         /**< bytes; free_memory 0: the driver does not say */
    size_t largest;                     /**< bytes of one buffer */
    int group_size;                     /**< work-items */
    int local_bytes;
    int compute_units;
    bool has_float64;
    bool is_cpu; /**< OpenCL: a device that is this machine's processor */
} nas_gpu_info_t;

/** Kernels to build. Borrowed for the call. */
typedef struct nas_gpu_source {
    const char *name;          /**< of the file, for messages */
    const char *text;          /**< with the prelude and all that it includes */
    const char *const *define; /**< [n_defines] "NAME=VALUE" */
    int n_defines;
} nas_gpu_source_t;

/** Numbers of what a device was asked to do since it was opened, counted by the layer. */
typedef struct nas_gpu_counts {
    int64_t n_launches;
    int64_t n_writes, n_reads, n_waits;
    int64_t bytes_written, bytes_read;
    int64_t n_built; /**< sources, with their definitions, given to the driver's compiler, which may
                           keep a cache of its own, as PoCL does */
    int64_t n_cached; /**< taken from our cache on disk */
} nas_gpu_counts_t;

/** No function is collective; a device belongs to one thread. */
typedef struct nas_gpu_layer {
    const char *name; /**< "cuda", "hip", "opencl", "threads" */

    /** Devices that this process may use, in the driver's order.
     *  info [out] up to `room`; n [out] how many there are. NAS_OK with n = 0 where there is no
     *  driver or no device: `reason` [out, NULL: not wanted] says which, and the remedy.
     *  NAS_EIO: there is a driver that does not work. */
    nas_status_t (*list)(nas_gpu_info_t *info, int room, int *n, nas_error_t *reason,
                         nas_error_t *err);

    /** Open a device of that list: position in it.  The caller owns *gpu_p.
     *  NAS_EINPUT: none there, or one that cannot run the kernels (no float64, too old or too new for
     *  the compiler), or a library is missing, with the remedy. */
    nas_status_t (*open)(int position, nas_gpu_t **gpu_p, nas_error_t *err);
    /** What is queued is waited for. Accepts NULL. */
    void (*close)(nas_gpu_t *gpu);
    /** As of `list`; free_memory as it is now. */
    void (*describe)(nas_gpu_t *gpu, nas_gpu_info_t *info);

    /** NAS_ENOMEM. The caller frees it. Contents are undefined. */
    nas_status_t (*alloc)(nas_gpu_t *gpu, size_t bytes, nas_gpu_buffer_t *buffer, nas_error_t *err);
    /** Accepts a handle of NULL. Waits for what is queued. */
    void (*free)(nas_gpu_t *gpu, nas_gpu_buffer_t *buffer);
    /** Memory of the host that the device reads and writes fast; NULL: none left. */
    void *(*host_alloc)(nas_gpu_t *gpu, size_t bytes);
    void (*host_free)(nas_gpu_t *gpu, void *memory);

    /** The kernel `name` of a source with its definitions: from this process, from the cache on
     *  disk, or built.
     *  NAS_EINPUT: it cannot be built; err has the compiler's first words. */
    nas_status_t (*kernel)(nas_gpu_t *gpu, const nas_gpu_source_t *source, const char *name,
                           const nas_gpu_kernel_t **kernel_p, nas_error_t *err);

    /* Queued, in order; none waits. Memory of the host is from host_alloc and stays as it is until
     * the next wait. */
    void (*write)(nas_gpu_t *gpu, nas_gpu_buffer_t to, size_t at, const void *from, size_t bytes);
    void (*read)(nas_gpu_t *gpu, nas_gpu_buffer_t from, size_t at, void *to, size_t bytes);
    /** groups_x x groups_y groups; at: bytes of the table, a multiple of 8. */
    void (*launch)(nas_gpu_t *gpu, const nas_gpu_kernel_t *kernel, int groups_x, int groups_y,
                   const nas_gpu_memory_t *memory, int64_t at);

    /** Keep launches from here to `end_record`, which are all that is asked for until then, in place of
     *  running them; a replay counts as one launch. NULL: the device has no
     *  graphs, and neither function. */
    void (*begin_record)(nas_gpu_t *gpu);
    /** NAS_EIO. The caller frees *graph_p. */
    nas_status_t (*end_record)(nas_gpu_t *gpu, nas_gpu_graph_t **graph_p, nas_error_t *err);
    void (*replay)(nas_gpu_t *gpu, nas_gpu_graph_t *graph);
    void (*graph_free)(nas_gpu_t *gpu, nas_gpu_graph_t *graph);

    /** Wait for all that is queued.
     *  NAS_EIO: a launch failed, or the device is lost: nothing that was queued since the last wait
     *  can be trusted, and neither can the device. */
    nas_status_t (*wait)(nas_gpu_t *gpu, nas_error_t *err);
} nas_gpu_layer_t;

extern const nas_gpu_layer_t nas_gpu_layer_cuda;
extern const nas_gpu_layer_t nas_gpu_layer_hip;
extern const nas_gpu_layer_t nas_gpu_layer_opencl;
extern const nas_gpu_layer_t nas_gpu_layer_threads; /**< only where the tests are built */

/** What all layers' devices begin with. */
struct nas_gpu {
    const nas_gpu_layer_t *layer;
    nas_gpu_counts_t counts;
};

/** The layers of this program, the better ones first; NULL: there are no more. */
const nas_gpu_layer_t *nas_gpu_layer_at(int place);
/** The layer of this name, or NULL. */
const nas_gpu_layer_t *nas_gpu_layer_named(const char *name);

#endif
