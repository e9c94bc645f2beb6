/* What a search takes: its method, the pool's encoding, and the metrics that it goes by. */
#ifndef NAS_COORDINATOR_INPUTS_INPUTS_SEARCH_H
#define NAS_COORDINATOR_INPUTS_INPUTS_SEARCH_H

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/job/job.h"
#include "common/space/encoding.h"
#include "common/space/pool.h"
#include "common/state/state.h"
#include "coordinator/search/methods/method.h"
#include "worker/ranking/normalise.h"
#include "worker/tables/shared_table.h"

#include <stdint.h>

/** All owned but the job and the table; end with nas_search_inputs_fini. */
typedef struct nas_search_inputs {
    const nas_job_t *job;       /**< borrowed */
    const nas_method_t *method; /**< static; NULL: no search */
    nas_encoding_t *encoding; /**< NULL unless the method needs one, or has a posterior and there is
                                     one, which goes when its ranks have their shards */
    nas_shared_table_t *table; /**< borrowed; source table: the pool's */
    nas_state_t scored;        /**< source scores: the run that made them */
    nas_error_t scored_notice; /**< "", or why its previous file was read */
    int64_t *scored_row;       /**< its row of each architecture, -1: none */
    nas_metric_facts_t *facts; /**< [metrics.names.n]; NULL while values are not known */
} nas_search_inputs_t;

/** What a repeat's method is created with, its encoding and interrupt left out.  Coordinator
 *  only. Of a posterior as if no metric and no position were left out. */
nas_method_setup_t nas_search_inputs_setup(const nas_search_inputs_t *search,
                                           const nas_pool_t *pool, uint64_t seed);

/** What is applied to a metric before the method has it: nothing where it has a posterior, which
 *  goes by ranks.  Not collective. */
nas_transform_t nas_search_inputs_transform(const nas_search_inputs_t *search, const char *name);

/** Source table: the number of metric `metric` (its place in metrics.names) among the table's
 *  columns;
 *  -1 for other sources. */
int nas_search_inputs_column(const nas_search_inputs_t *search, int64_t metric);

/** Values of metric `metric` for the whole pool of n, of other sources than a table.  Coordinator
 *  only.
 *  scores: of this run, for source compute; column [out] one an architecture, NaN where missing. */
void nas_search_inputs_metric(const nas_search_inputs_t *search, int64_t n,
                              const nas_scores_t *scores, int64_t metric, double *column);

/** Fill search->facts, one of every metric that the method goes by.  Coordinator only; once the
 *  values are known: in a table or a score file when the files are read, computed ones when all is
 *  scored. O(pool) a metric, and 8 bytes an architecture meanwhile; of a table's metric each rank
 *  looks at what it holds.
 *  scores [in] of this run, for source compute; NULL otherwise; interrupt: may be NULL.
 *  NAS_EINPUT, with the place of the key, but where the method has a posterior, which leaves it
 *  out: a metric without any value, or a transform that leaves it none. NAS_ESTOP: the interrupt
 *  said so. NAS_ENOMEM. */
nas_status_t nas_search_inputs_look(nas_search_inputs_t *search, const nas_pool_t *pool,
                                    const nas_scores_t *scores, const nas_interrupt_t *interrupt,
                                    nas_error_t *err);

/** Say in a state which of its metrics are constant, or have no value, as far as that is known.
 *  Coordinator only. NAS_ENOMEM. */
nas_status_t nas_search_inputs_mark_constant(const nas_search_inputs_t *search, nas_state_t *state,
                                             nas_error_t *err);

/** Free everything and zero the struct. */
void nas_search_inputs_fini(nas_search_inputs_t *search);

#endif
