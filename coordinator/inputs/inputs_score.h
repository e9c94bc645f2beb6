/* What scoring takes: the mini-batch. */
#ifndef NAS_COORDINATOR_INPUTS_INPUTS_SCORE_H
#define NAS_COORDINATOR_INPUTS_INPUTS_SCORE_H

#include "common/base/digest.h"
#include "worker/data/batch.h"
#include "worker/engine/graph/networks.h"

/** All owned; end with nas_score_inputs_fini. Zero where a job computes no metrics. */
typedef struct nas_score_inputs {
    nas_batch_t batch;        /**< n is 0: no metrics are computed */
    int n_classes;            /**< of its labels */
    nas_digest_t content;     /**< of the mini-batch */
    nas_digest_t hash;        /**< identity of the scores */
    nas_networks_t *networks; /**< the pool's; borrowed */
    nas_digest_t files;       /**< of a pool of files: what is in them; zero otherwise */
    int64_t n_unreadable;     /**< of its files, which are known to fail */
} nas_score_inputs_t;

/** Free everything and zero the struct. */
void nas_score_inputs_fini(nas_score_inputs_t *score);

#endif
