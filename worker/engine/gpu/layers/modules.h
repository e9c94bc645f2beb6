/* Kernels of an open device: built once, then found by source, definitions and name.
 *
 * A module is a source built with its definitions; an image is what the device's compiler makes of
 * it, bytes that the driver loads. What differs between layers is a builder: all else (what this
 * process has built already, and what lies in the cache on disk) is here.
 */
#ifndef NAS_WORKER_ENGINE_GPU_LAYERS_MODULES_H
#define NAS_WORKER_ENGINE_GPU_LAYERS_MODULES_H

#include "worker/engine/gpu/layers/layer.h"

/** A kernel, in every layer. */
struct nas_gpu_kernel {
    struct nas_gpu_kernel *next; /**< of the module */
    char name[NAS_GPU_KERNEL_NAME_SIZE];
    void *handle;    /**< the driver's */
    int lanes;       /**< work-items of a group */
    int local_bytes; /**< of a group */
};

/** What was built. */
typedef struct nas_gpu_image {
    void *bytes; /**< malloc */
    size_t n;
} nas_gpu_image_t;

/** What a layer does. */
typedef struct nas_gpu_builder {
    /** Compile a source.  image [out]: the caller frees its bytes.
     *  NAS_EINPUT: with the compiler's first words. */
    nas_status_t (*compile)(nas_gpu_t *gpu, const nas_gpu_source_t *source, nas_gpu_image_t *image,
                            nas_error_t *err);
    /** Build a source for a driver that keeps what it built on disk itself: in place of `compile`,
     *  `load` and our cache. NULL: it does not.  The caller drops *module_p.
     *  NAS_EINPUT: with the compiler's first words. */
    nas_status_t (*build)(nas_gpu_t *gpu, const nas_gpu_source_t *source, void **module_p,
                          nas_error_t *err);
    /** Load an image, of which nothing is kept.  The caller drops *module_p.
     *  NAS_EIO: the driver does not take it. */
    nas_status_t (*load)(nas_gpu_t *gpu, const nas_gpu_image_t *image, void **module_p,
                         nas_error_t *err);
    /** Fill in handle, lanes and local_bytes of a kernel whose name is set.
     *  NAS_EINPUT: the module has none of that name. */
    nas_status_t (*find)(nas_gpu_t *gpu, void *module, nas_gpu_kernel_t *kernel, nas_error_t *err);
    /** End a kernel; NULL: there is nothing to do. */
    void (*drop_kernel)(nas_gpu_t *gpu, nas_gpu_kernel_t *kernel);
    void (*drop_module)(nas_gpu_t *gpu, void *module);
} nas_gpu_builder_t;

/** Modules of a device; opaque. */
typedef struct nas_gpu_modules nas_gpu_modules_t;

/** Begin.  gpu, builder: borrowed until the end. identity: whatever else an image depends on, in
 *  words: device, driver, compiler, options; copied.
 *  The caller owns *modules_p.  NAS_ENOMEM. */
nas_status_t nas_gpu_modules_create(nas_gpu_t *gpu, const nas_gpu_builder_t *builder,
                                    const char *identity, nas_gpu_modules_t **modules_p,
                                    nas_error_t *err);

/** nas_gpu_layer_t's `kernel`; counts n_built and n_cached of the device. */
nas_status_t nas_gpu_modules_kernel(nas_gpu_modules_t *modules, const nas_gpu_source_t *source,
                                    const char *name, const nas_gpu_kernel_t **kernel_p,
                                    nas_error_t *err);

/** Accepts NULL. */
void nas_gpu_modules_destroy(nas_gpu_modules_t *modules);

/** Of a compiler's words, the first line that speaks of an error, else the first that is not blank:
 *  cut to fit into text [size]. Returns text. */
const char *nas_gpu_first_words(const char *log, char *text, size_t size);

/** The definitions of a source, each with `prefix` before it and a blank behind it, in one string
 *  that the caller frees. NULL: no memory. */
char *nas_gpu_defines(const nas_gpu_source_t *source, const char *prefix);

#endif
