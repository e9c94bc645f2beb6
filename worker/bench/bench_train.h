/* `robotnas bench train`: how fast networks are trained. */
#ifndef NAS_WORKER_BENCH_BENCH_TRAIN_H
#define NAS_WORKER_BENCH_BENCH_TRAIN_H

#include "common/base/error.h"
#include "worker/engine/device/device.h"

#include <stdbool.h>
#include <stdio.h>

/** What to measure. Borrowed for the call. */
typedef struct nas_bench_train_options {
    nas_device_t *device;
    const char *arch; /**< a name; NULL: those of bench_work.h */
    const char *onnx; /**< a file, in place of any: on a core alone; NULL: none */
    int batch;        /**< all > 0 */
    int channels;     /**< not of a file */
    int cells;        /**< per stage; not of a file */
    int n_repeats;
} nas_bench_train_options_t;

/** Train architectures on synthetic images of 3 x 32 x 32, or the network of a file on images of
 *  its own extents, on one core: whole steps of
 *  nas_training_step, from the augmented batch (mirrored, cropped) to the Nesterov step, after one
 *  to warm up. Print images/s, GFLOP/s and where the time goes: as a table or, with json, as one
 *  object.  Not collective (uses no MPI). Times are medians of the steps, of the processor on a core; those of operations come
 *  from one more step.
 *  NAS_EARG: not an architecture. NAS_EINPUT: as nas_onnx_read. NAS_ENOMEM; NAS_EIO: out cannot be written. */
nas_status_t nas_bench_train(const nas_bench_train_options_t *options, FILE *out, bool json,
                             nas_error_t *err);

#endif
