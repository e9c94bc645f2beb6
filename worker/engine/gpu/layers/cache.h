/* Images of built kernels on disk, so that a machine builds each once.
 *
 * They lie in $NAS_GPU_CACHE (empty: nowhere), else $XDG_CACHE_HOME/robotnas/kernels, else
 * ~/.cache/robotnas/kernels. A file is named after the hash of all that its image depends on, holds
 * that hash and a checksum, belongs to the user, and appears at once or not at all: several
 * processes may share a folder. Nothing here is ever an error: what cannot be read is built again,
 * and what cannot be written is said once.
 */
#ifndef NAS_WORKER_ENGINE_GPU_LAYERS_CACHE_H
#define NAS_WORKER_ENGINE_GPU_LAYERS_CACHE_H

#include "worker/engine/gpu/layers/modules.h"

/** What an image depends on; borrowed. */
typedef struct nas_gpu_cache_key {
    const char *identity; /**< of device, driver, compiler and options */
    const char *text;     /**< of the source */
    const char *defines;
} nas_gpu_cache_key_t;

typedef struct nas_gpu_cache {
    char *folder;       /**< NULL: none */
    int64_t most_bytes; /**< that its files may have; older ones are removed at the first writing */
    bool has_written, has_complained;
} nas_gpu_cache_t;

enum { NAS_GPU_CACHE_BYTES = 256 * 1024 * 1024 };

/** Find the folder, which need not be there.  Not collective, as all here. End with
 *  nas_gpu_cache_fini. */
void nas_gpu_cache_init(nas_gpu_cache_t *cache);

/** Frees; the folder stays. */
void nas_gpu_cache_fini(nas_gpu_cache_t *cache);

/** The image of this key. Whether there is one, sound; the caller then frees its bytes. */
bool nas_gpu_cache_read(const nas_gpu_cache_t *cache, const nas_gpu_cache_key_t *key,
                        nas_gpu_image_t *image);

/** Keep an image. */
void nas_gpu_cache_write(nas_gpu_cache_t *cache, const nas_gpu_cache_key_t *key,
                         const nas_gpu_image_t *image);

#endif
