/* What a rank scores with: its engine, and the metrics to measure. */
#ifndef NAS_COORDINATOR_SCORE_SCORE_WORKER_H
#define NAS_COORDINATOR_SCORE_SCORE_WORKER_H

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "coordinator/score/score_parameters.h"
#include "worker/engine/device/device.h"
#include "worker/engine/graph/networks.h"
#include "worker/schedule/schedule.h"

#include <stddef.h>
#include <stdint.h>

/** What it works with; borrowed, and kept while the worker lives. */
typedef struct nas_score_worker_options {
    nas_device_t *device;
    const nas_score_parameters_t *parameters;
    nas_networks_t *networks; /**< this rank's source of the pool's */
    const float *images;      /**< [batch, I, H, W] */
    const int32_t *labels;    /**< [batch] */
} nas_score_worker_options_t;

/** What came of an architecture, with n_metric values behind it. */
typedef struct nas_score_result {
    int64_t arch; /**< place in the pool */
    double seconds;
    int64_t status; /**< nas_score_status_t */
    double value[];
} nas_score_result_t;

/** A rank's list in a round. */
typedef struct nas_score_list {
    const nas_schedule_t *schedule; /**< in whose round it is */
    int rank;
    int64_t n_most;            /**< items of the list that there is room for */
    double met_s;              /**< when the round began */
    nas_interrupt_t interrupt; /**< asked between packs */
    char *result;              /**< [n_most] nas_score_result_t, each nas_score_result_size long */
    nas_error_t *failure;      /**< [out] why the first one failed that did; "" where it is that */
} nas_score_list_t;

/** Opaque. */
typedef struct nas_score_worker nas_score_worker_t;

/** Not collective. The caller owns *worker_p.  NAS_ENOMEM, and as nas_device_engine. */
nas_status_t nas_score_worker_create(const nas_score_worker_options_t *options,
                                     nas_score_worker_t **worker_p, nas_error_t *err);

/** Architectures that it takes at once. Accepts NULL: 0. */
int nas_score_worker_width(const nas_score_worker_t *worker);

size_t nas_score_result_size(const nas_score_parameters_t *parameters);

/** Work a list, a pack at a time, until the next one would end after the deadline, a stop is asked
 *  for, or the end.  Not collective.
 *  report [out] of what was done so far, whenever the interrupt is asked, too: the first n_done
 *  results are there. Seconds of a pack are shared among its architectures by their predicted cost.
 *  An architecture that cannot be scored is recorded, and no error. What is an error is the
 *  engine's, as where a device is lost: the pack under way and what follows are not done. */
nas_status_t nas_score_worker_work(nas_score_worker_t *worker, const nas_score_list_t *list,
                                   nas_schedule_report_t *report, nas_error_t *err);

/** Accepts NULL. */
void nas_score_worker_destroy(nas_score_worker_t *worker);

#endif
