/* What every rank must know of a scoring stage: a plain value that rank 0 works out and broadcasts. */
#ifndef NAS_COORDINATOR_SCORE_SCORING_PLAN_H
#define NAS_COORDINATOR_SCORE_SCORING_PLAN_H

#include "common/space/network.h"

#include <stdint.h>

enum { NAS_SCORING_MAX_METRICS = 32 };

/** No pointers, so that its bytes can travel. */
typedef struct nas_scoring_plan {
    int64_t n_arch;
    int64_t n_metric;
    int64_t metric[NAS_SCORING_MAX_METRICS]; /**< places in nas_metric_list */
    int64_t known; /**< a bit for each of them that is known of some architectures */
    int64_t space; /**< place in nas_space_list */
    nas_network_t network;
    int64_t batch; /**< images */
    uint64_t seed;
    int64_t backend;      /**< nas_backend_kind_t */
    int64_t isa;          /**< nas_isa_t, the smallest of all ranks */
    int64_t first_worker; /**< 1 where rank 0 coordinates only */
    double silence_s;     /**< after so long without a sign of life of a rank the job ends */
} nas_scoring_plan_t;

#endif
