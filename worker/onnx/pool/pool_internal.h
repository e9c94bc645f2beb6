/* What the parts of a pool of files share: the source (pool.c), looking at files (look.c), and the
 * program that writes them (written.c). */
#ifndef NAS_WORKER_ONNX_POOL_POOL_INTERNAL_H
#define NAS_WORKER_ONNX_POOL_POOL_INTERNAL_H

#include "worker/onnx/pool/pool.h"
#include "worker/onnx/read/read.h"

/** What was found in a file. */
typedef struct nas_onnx_found {
    int64_t status; /**< nas_status_t; NAS_OK where nobody has looked, too */
    nas_digest_t digest;
    nas_cost_t all;
    nas_cost_t live;
} nas_onnx_found_t;

typedef struct nas_onnx_pool {
    nas_networks_t networks;
    nas_onnx_files_t files;
    int rank;                /**< among those that write files */
    double *operations;      /**< [n], on every rank; NULL: not known */
    nas_onnx_found_t *found; /**< [n] on rank 0, NULL elsewhere and where it is not known */
} nas_onnx_pool_t;

/** Of the images that the job has. */
static inline nas_onnx_expected_t nas_onnx_pool_expects(const nas_onnx_pool_t *pool,
                                                        const nas_network_t *extents)
{
    return (nas_onnx_expected_t){.image_channels = extents->image_channels,
                                 .height = extents->height,
                                 .width = extents->width,
                                 .classes = extents->classes,
                                 .with_values = pool->files.weights == NAS_WEIGHTS_FILE};
}

/** Look at the files of all ranks' shares.  Collective. As nas_onnx_pool_create. */
nas_status_t nas_onnx_pool_look(nas_onnx_pool_t *pool, nas_comm_t *comm,
                                const nas_interrupt_t *interrupt, nas_onnx_seen_t *seen,
                                nas_error_t *err);

/** The file that the command writes for an architecture, written now if it is not there.  Not
 *  collective.
 *  path_p [out] the caller's (free).
 *  NAS_EINPUT: the command failed, by how. NAS_ESTOP. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_onnx_pool_write(const nas_onnx_pool_t *pool, int64_t arch, char **path_p,
                                 nas_error_t *err);

#endif
