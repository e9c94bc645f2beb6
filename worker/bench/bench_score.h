/* `robotnas bench score`: how fast networks are built and measured, beside how fast this machine
 * could at most. */
#ifndef NAS_WORKER_BENCH_BENCH_SCORE_H
#define NAS_WORKER_BENCH_BENCH_SCORE_H

#include "common/base/error.h"
#include "worker/engine/device/device.h"
#include "worker/engine/metrics/metric.h"

#include <stdbool.h>
#include <stdio.h>

/** What to measure. Borrowed for the call. */
typedef struct nas_bench_score_options {
    nas_device_t *device;
    const char *arch;                  /**< a name; NULL: those of bench_work.h */
    const char *onnx;                  /**< a file, in place of any: on a core alone; NULL: none */
    const nas_metric_t *const *metric; /**< [n_metric] */
    int n_metric;
    int batch;    /**< all > 0 */
    int channels; /**< not of a file */
    int cells;    /**< per stage; not of a file */
    int n_repeats;
} nas_bench_score_options_t;

/** Score architectures on synthetic images of 3 x 32 x 32, or the network of a file on images of
 *  its own extents, with random weights: building (a file is read once, before) and
 *  initialising the network included, after one run to warm up. Print architectures/s, GFLOP/s, the
 *  arena's size, where the time goes, and the floor of bench_floor.h: as a table or, with json, as
 *  one object.  Not collective (uses no MPI). Times are medians over the repeats, of the
 *  processor; those of operations come from one more run. On a device that takes several architectures at once it is packs of
 *  copies that are scored, then packs of random architectures, and rates and memory are all there
 *  is.
 *  NAS_EARG: not an architecture. NAS_EINPUT: as nas_onnx_read. NAS_ENOMEM; NAS_EIO: out cannot be written. */
nas_status_t nas_bench_score(const nas_bench_score_options_t *options, FILE *out, bool json,
                             nas_error_t *err);

#endif
