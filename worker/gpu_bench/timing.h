/* How long launches take. */
#ifndef NAS_WORKER_GPU_BENCH_TIMING_H
#define NAS_WORKER_GPU_BENCH_TIMING_H

#include "worker/engine/gpu/plan/variant.h"
#include "worker/gpu_bench/bench.h"

enum { NAS_TIMED_MOST = 2 };

/** A launch, on memory that is the case's. */
typedef struct nas_timed_launch {
    nas_gpu_variant_t variant;
    int groups_x, groups_y;
    int64_t at; /**< bytes of the table */
} nas_timed_launch_t;

/** Launches that are timed together. Borrowed. */
typedef struct nas_timed {
    const nas_gpu_memory_t *memory;
    nas_timed_launch_t launch[NAS_TIMED_MOST];
    int n;
} nas_timed_t;

/** Seconds of them, one behind the other: queued as often as makes a sample long enough, waited
 *  for, and the median of several samples; after one that is not timed.  As nas_gpu_bench_part_t. */
nas_status_t nas_time_launches(const nas_gpu_bench_t *bench, const nas_timed_t *timed,
                               double *seconds, nas_error_t *err);

/** The median of n samples, which are put in order. */
double nas_median(double *sample, int n);

#endif
