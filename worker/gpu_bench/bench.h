/* The parts of the bench: each measures one thing on an open device and writes a table of it. */
#ifndef NAS_WORKER_GPU_BENCH_BENCH_H
#define NAS_WORKER_GPU_BENCH_BENCH_H

#include "common/base/error.h"
#include "worker/engine/gpu/layers/layer.h"
#include "worker/gpu_bench/sheet.h"

#include <stdbool.h>

/** Where, how, and where to. Borrowed by every part. */
typedef struct nas_gpu_bench {
    nas_gpu_t *gpu;
    nas_gpu_info_t info;
    nas_sheet_t *sheet;
    bool is_quick; /**< tiny shapes, for tests */
    bool is_once;  /**< each case is launched once, for profilers and sanitizers */
} nas_gpu_bench_t;

/** A part.  Not collective; nothing else may be under way on the device.
 *  Its table has what could be measured, cases that do not fit the device with no numbers.
 *  NAS_EINPUT: a kernel cannot be built. NAS_ENOMEM. NAS_EIO: the device is lost. */
typedef nas_status_t nas_gpu_bench_part_t(const nas_gpu_bench_t *bench, nas_error_t *err);

/** The golden kernels.  NAS_ENUMERIC: not the bits that every device must find. */
nas_gpu_bench_part_t nas_gpu_bench_golden;
/** A launch that does nothing, on the queue and in a graph. */
nas_gpu_bench_part_t nas_gpu_bench_launches;
/** Convolutions, their adjoints by data and by weights. */
nas_gpu_bench_part_t nas_gpu_bench_convs;
/** What else goes through tensors. */
nas_gpu_bench_part_t nas_gpu_bench_tensors;
/** Whole networks, through the engine. */
nas_gpu_bench_part_t nas_gpu_bench_networks;
/** Steps of training. */
nas_gpu_bench_part_t nas_gpu_bench_training;

/** The devices of all layers.  Not collective; loads drivers. NAS_ENOMEM. */
nas_status_t nas_gpu_bench_devices(nas_sheet_t *sheet, nas_error_t *err);

#endif
