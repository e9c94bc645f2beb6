/* What the ranks of a search hold of its pool: metrics, and codes of architectures. */
#ifndef NAS_COORDINATOR_SEARCH_FEATURES_H
#define NAS_COORDINATOR_SEARCH_FEATURES_H

#include "common/base/interrupt.h"
#include "common/comm/comm.h"
#include "coordinator/search/search.h"
#include "worker/ranking/posterior.h"
#include "worker/ranking/score_table.h"

/** Where they come from, and for whom; all borrowed, the interrupt is kept. */
typedef struct nas_features_source {
    nas_comm_t *world;
    nas_comm_t *group;   /**< all ranks of this rank's group */
    nas_comm_t *leaders; /**< leaders of all groups; NULL on the others */
    const nas_search_parameters_t *parameters;
    nas_search_stage_t *stage; /**< rank 0; NULL elsewhere */
    nas_shared_table_t *table; /**< this rank's rows of a table; NULL: none */
    const nas_interrupt_t *interrupt;
} nas_features_source_t;

/** As the method takes them. End with nas_features_fini. */
typedef struct nas_features {
    nas_score_table_t *scores;  /**< where it weighs metrics; sharded over the group */
    nas_posterior_t *posterior; /**< where it has one; likewise */
    nas_encoding_t *encoding;   /**< where it needs one; of the leaders, whole */
} nas_features_t;

/** Move them from whoever has them to the shards of all groups.  Collective over the world. No rank
 *  holds more of a metric than its shard and what it has read, but for rank 0, which has a whole
 *  column at a time where the values are in no table; and, of the codes of a posterior, no more
 *  than 4 MiB besides its shard.
 *  features [in, out] zeroed. NAS_ESTOP: interrupted. NAS_EINPUT: errors of
 *  nas_search_stage_look_at_metrics. NAS_ENOMEM on any rank. The same on all ranks. */
nas_status_t nas_features_load(const nas_features_source_t *source, nas_features_t *features,
                               nas_error_t *err);

/** What a posterior is made for: max_points is the budget.  Not collective. memory_bytes and
 *  interrupt are left out. */
nas_posterior_options_t nas_features_posterior(const nas_search_parameters_t *parameters);

/** Bytes that a rank gives to a posterior, of n_local on its machine: half of its share of the
 *  memory that there is.  Not collective. */
int64_t nas_features_memory(int n_local);

/** Not collective. Accepts a zeroed one. */
void nas_features_fini(nas_features_t *features);

#endif
