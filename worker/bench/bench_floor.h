/* The time that the work of a program must take on this machine: every convolution at the rate that
 * it reaches alone, everything else at the bandwidth of memory.
 *
 *   floor = sum over shapes and passes of convolutions: FLOP / (FLOP/s of that pass alone)
 *         + bytes of all other operations / bytes/s that memory is read with
 *
 * Alone, a convolution finds its tensors as the call before left them, in the cache where they fit.
 * The bytes are those of each operation's tensors, each once; what an operation leaves in the cache
 * for the next costs less, so that the second term can be undercut.
 */
#ifndef NAS_WORKER_BENCH_BENCH_FLOOR_H
#define NAS_WORKER_BENCH_BENCH_FLOOR_H

#include "common/base/error.h"
#include "worker/engine/host/profile.h"

/** Floors in seconds. */
typedef struct nas_bench_floor {
    double entry_s[NAS_PROFILE_ENTRIES]; /**< of each entry of the profile */
    double conv_s;                       /**< of all convolutions */
    double memory_s;                     /**< of all else */
} nas_bench_floor_t;

/** Bytes/s of one core that reads memory beyond the caches: the best of a few passes over 256 MiB.
 *  Not collective.
 *  bytes_per_s [out].
 *  NAS_ENOMEM. */
nas_status_t nas_bench_bandwidth(double *bytes_per_s, nas_error_t *err);

/** Measure every convolution of a profile alone and add up.  Not collective; takes some ms a shape
 *  and pass. Best times of several runs.
 *  floor [out].
 *  NAS_ENOMEM, NAS_EARG (the backend has no such kernel). */
nas_status_t nas_bench_floor(const nas_backend_t *backend, const nas_profile_t *profile,
                             double bytes_per_s, nas_bench_floor_t *floor, nas_error_t *err);

#endif
