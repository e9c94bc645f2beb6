/* Cases by how many networks share a launch: each is placed to see how much memory it takes, and
 * then again to be measured. */
#ifndef NAS_WORKER_GPU_BENCH_WAVES_H
#define NAS_WORKER_GPU_BENCH_WAVES_H

#include "worker/gpu_bench/room.h"
#include "worker/gpu_bench/timing.h"

enum { NAS_WAVES_MOST = 64, NAS_WAVES_NAME_SIZE = 40 };

/** A case for a number of networks. */
typedef struct nas_wave_case {
    const char *kernel;              /**< what the table calls it */
    char shape[NAS_WAVES_NAME_SIZE]; /**< likewise */
    double flops, bytes;             /**< of one network; bytes that have to be read and written */
    nas_timed_t timed;
} nas_wave_case_t;

/** Cases of a part. */
typedef struct nas_waves {
    const char *key, *title; /**< of the table */
    int n_cases;
    bool has_flops; /**< a column for them */
    /** Case i for n_networks: takes its place in the room and says what is launched. */
    void (*place)(const nas_gpu_bench_t *bench, int i, int n_networks, nas_room_t *room,
                  nas_wave_case_t *the_case);
} nas_waves_t;

/** Measure all cases, for 1, 4, 16 and 64 networks; quick: for 1 and 4.  As nas_gpu_bench_part_t. */
nas_status_t nas_waves_measure(const nas_gpu_bench_t *bench, const nas_waves_t *waves,
                               nas_error_t *err);

#endif
