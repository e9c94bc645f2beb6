/* What scoring a pool will take: an estimate, before anything runs. */
#ifndef NAS_COORDINATOR_SCORE_SCORE_NEEDS_H
#define NAS_COORDINATOR_SCORE_SCORE_NEEDS_H

#include "common/base/error.h"
#include "common/job/job.h"
#include "common/space/pool.h"
#include "coordinator/inputs/inputs_score.h"

/** An estimate. */
typedef struct nas_score_needs {
    double
        tensor_bytes; /**< on each rank, of the pool's largest network as this machine would score
                              it; NaN: metrics that are formulas, or another program's backend */
    double gpu_bytes; /**< the same on a GPU */
    double flops;     /**< of all networks together; NaN: not known before they are made */
} nas_score_needs_t;

/** Estimate.  Not collective; after nas_inputs_read_files, of a job that computes metrics. Some 10
 *  microseconds an architecture, and some tens of milliseconds. Deterministic.
 *  needs [out].
 *  NAS_EARG, NAS_ENOMEM as nas_pool_cost and nas_footprint_of. */
nas_status_t nas_score_needs(const nas_job_t *job, const nas_pool_t *pool,
                             const nas_score_inputs_t *inputs, nas_score_needs_t *needs,
                             nas_error_t *err);

#endif
