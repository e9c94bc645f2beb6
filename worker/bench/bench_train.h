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
    int batch;        /**< all > 0 */
    int channels;
    int cells; /**< per stage */
    int n_repeats;
} nas_bench_train_options_t;

/** Train architectures on synthetic images of 3 x 32 x 32 on one core: whole steps of
 *  nas_training_step, from the augmented batch (mirrored, cropped) to the Nesterov step, after one
 *  to warm up. Print images/s, GFLOP/s and where the time goes: as a table or, with json, as one
 *  object.  Not collective (uses no MPI). Times are medians of the steps; those of operations come
 *  from one more step.
 *  NAS_EARG: not an architecture. NAS_ENOMEM; NAS_EIO: out cannot be written. */
nas_status_t nas_bench_train(const nas_bench_train_options_t *options, FILE *out, bool json,
                             nas_error_t *err);

#endif
