/* Golden kernels: what a device makes of a fixed set of launches, as one number.
 *
 * Every device must compute the same bits (kernels/prelude.h says by which rules). That is what IEEE
 * 754 promises, if neither the driver's compiler nor the device takes a liberty. So each device shows
 * it when it is opened: ranks whose numbers differ may not share a run.
 */
#ifndef NAS_WORKER_ENGINE_GPU_PACK_GOLDEN_H
#define NAS_WORKER_ENGINE_GPU_PACK_GOLDEN_H

#include "common/base/error.h"
#include "worker/engine/gpu/layers/layer.h"

#include <stdint.h>

/** What a device finds that keeps the rules. Part of what makes runs comparable: a change of it is a
 *  change of scores. */
#define NAS_GPU_GOLDEN UINT64_C(0x67f2118a0c7544c3)

/** That of the second set alone: kernels that networks beyond NAS-Bench-201's take. Whoever finds it
 *  has the first set's number for his own, so that runs whose files are older go on. */
#define NAS_GPU_GOLDEN_ANY UINT64_C(0xc7edb4a07d4d0f1c)

/** Carry the golden set out: every file of kernels, convolutions of several kinds and
 *  sizes among them, on numbers made of integers.  Not collective.
 *  gpu: nothing may be under way. hash [out]: FNV-1a, 64 bits, of all that was computed, other than
 *  that where the second set is not what NAS_GPU_GOLDEN_ANY says.
 *  NAS_ENOMEM; NAS_EINPUT: a kernel cannot be built; NAS_EIO: the device failed. */
nas_status_t nas_gpu_golden(nas_gpu_t *gpu, uint64_t *hash, nas_error_t *err);

#endif
