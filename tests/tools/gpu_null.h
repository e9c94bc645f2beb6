/* A layer of GPUs that computes nothing: what is read are zeros. It counts what it is asked for, has
 * as much memory as a test says, and fails when that says so. */
#ifndef NAS_TESTS_TOOLS_GPU_NULL_H
#define NAS_TESTS_TOOLS_GPU_NULL_H

#include "worker/engine/gpu/layers/layer.h"

/** A device. */
typedef struct nas_gpu_null {
    nas_gpu_t gpu; /**< first: one is the other */
    size_t memory; /**< bytes */
    size_t taken;
    size_t most_taken;
    int n_allocations; /**< of device and host */
    int n_kernels;     /**< found so far */
    bool is_lost;      /**< the next wait says so */
} nas_gpu_null_t;

/** The caller keeps it while it is used. */
void nas_gpu_null_init(nas_gpu_null_t *device, size_t memory);

#endif
