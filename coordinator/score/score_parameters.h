/* What every rank must know of a scoring stage: a plain value that rank 0 works out and broadcasts.
 */
#ifndef NAS_COORDINATOR_SCORE_SCORE_PARAMETERS_H
#define NAS_COORDINATOR_SCORE_SCORE_PARAMETERS_H

#include "common/job/job.h"
#include "common/space/network.h"
#include "common/space/pool.h"
#include "coordinator/inputs/inputs_score.h"
#include "worker/engine/metrics/metric.h"

#include <stdint.h>

/** No pointers, so that its bytes can travel. */
typedef struct nas_score_parameters {
    int64_t n_arch;
    int64_t n_metric;
    int64_t metric[NAS_METRICS_MAX]; /**< places in nas_metric_list */
    int64_t known; /**< a bit for each of them that is known of some architectures */
    nas_network_t network;
    int64_t batch; /**< images */
    uint64_t seed;
    int64_t weights;    /**< nas_weights_t */
    nas_digest_t files; /**< of a pool of files: what is in them; zero otherwise */
    int64_t backend;    /**< place in the list of backends */
    double silence_s;   /**< after so long without a sign of life of a rank the job ends */
} nas_score_parameters_t;

/** Those of a job that computes metrics, with nothing known.  Coordinator
 *  only; after nas_inputs_read_files. */
nas_score_parameters_t nas_score_parameters(const nas_job_t *job, const nas_pool_t *pool,
                                            const nas_score_inputs_t *inputs);

#endif
