/* Scores that an earlier run has computed, taken over instead of being computed again.
 *
 * How a metric is measured is its *measurement*: network, images and labels of the batch, seed and
 * kind of the weights, what is in a pool's files, backend, what computes (unit). Under equal measurements a metric of an architecture is
 * the same number, whatever pool it is in, what the job is called and which other metrics are
 * computed with it. So scores are taken over per architecture and metric, and what is missing alone
 * is computed. */
#ifndef NAS_COORDINATOR_SCORE_SCORE_REUSE_H
#define NAS_COORDINATOR_SCORE_SCORE_REUSE_H

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/state/state.h"
#include "coordinator/score/score_parameters.h"

#include <stdint.h>

/** Identity of how the scores of a job are measured.  Coordinator only; after
 *  nas_inputs_read_files, where the job computes metrics.
 *  batch [in] digest of the mini-batch; isa [in] name of the instruction set that all ranks use.
 *  NAS_ENOMEM. */
nas_status_t nas_score_measurement(const nas_score_parameters_t *parameters,
                                   const nas_digest_t *batch, const char *unit,
                                   nas_digest_t *measurement, nas_error_t *err);

/** What is taken over. Zero-initialise: nothing is; end with nas_score_reuse_fini. */
typedef struct nas_score_reuse {
    const nas_state_t *old;         /**< that has the scores; borrowed */
    int64_t *row;                   /**< [n_arch] of old's scores, -1: none; owned */
    int64_t place[NAS_METRICS_MAX]; /**< of each metric of the job in old, -1: not there */
    int64_t n_missing;              /**< metrics of the job that old lacks */
    int64_t n_taken;                /**< architectures with all metrics */
    int64_t n_partly;               /**< architectures with some of them */
} nas_score_reuse_t;

/** Look up what of old's scores counts for a pool of `names` and the metrics of a state.
 *  Coordinator only. O(names).
 *  old [in] of an equal measurement; kept (borrowed). Scores that failed are not taken over.
 *  NAS_ENOMEM. */
nas_status_t nas_score_reuse_init(nas_score_reuse_t *reuse, const nas_state_t *old,
                                  const nas_state_t *state, const nas_name_source_t *names,
                                  nas_error_t *err);

/** Record the architectures of a state that are pending and whose metrics are all there; count
 *  them, and those that lack some of their metrics.  Coordinator only. */
void nas_score_reuse_take(nas_score_reuse_t *reuse, nas_state_t *state);

/** Metrics that need not be computed for such an architecture, a bit each. */
uint32_t nas_score_reuse_known(const nas_score_reuse_t *reuse, int64_t n_metric);

/** Whether some metrics of an architecture are known; the others are to be computed.
 *  Not for one that nas_score_reuse_take has recorded. */
bool nas_score_reuse_is_partly(const nas_score_reuse_t *reuse, int64_t arch);

/** Put what is known of such an architecture among its values.
 *  value [in, out] n_metric. */
void nas_score_reuse_fill(const nas_score_reuse_t *reuse, int64_t arch, int64_t n_metric,
                          double *value);

/** Accepts a zeroed one. */
void nas_score_reuse_fini(nas_score_reuse_t *reuse);

#endif
