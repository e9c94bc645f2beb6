/* What every rank must know of a search: a plain value that rank 0 works out and broadcasts. */
#ifndef NAS_COORDINATOR_SEARCH_SEARCH_PARAMETERS_H
#define NAS_COORDINATOR_SEARCH_SEARCH_PARAMETERS_H

#include "common/space/pool.h"
#include "coordinator/inputs/inputs_search.h"
#include "coordinator/search/message.h"
#include "coordinator/search/methods/method.h"

#include <stdint.h>

/** No pointers, so that its bytes can travel. */
typedef struct nas_search_parameters {
    int64_t n_arch;
    int64_t n_metric; /**< 0 for methods that take none */
    int64_t n_weight; /**< of an observation: n_metric for methods that weigh metrics, or 0 */
    int64_t budget;
    int64_t parallel;
    int64_t n_repeat;
    int64_t n_groups;
    int64_t metric;   /**< method single: its column; -1 otherwise */
    int64_t method;   /**< index into nas_method_list */
    int64_t encoding; /**< positions of the encoding that the method needs, or has a posterior of;
                           or 0 */
    uint64_t seed;
    double hidden;    /**< of a posterior: share of the pool that first steps leave out */
    double silence_s; /**< after which a rank counts as lost; 0: never */
} nas_search_parameters_t;

/** Those of a job that searches, on so many ranks.  Coordinator only; after
 *  nas_inputs_read_files. */
nas_search_parameters_t nas_search_parameters(const nas_search_inputs_t *inputs,
                                              const nas_pool_t *pool, int n_ranks);

/** The method that they name.  Not collective. Static. */
const nas_method_t *nas_search_method(const nas_search_parameters_t *parameters);

/** Of messages between ranks.  Not collective. */
nas_message_sizes_t nas_search_message_sizes(const nas_search_parameters_t *parameters);

/** What a repeat's method is created with, its encoding and interrupt left out; of a
 *  posterior as if no metric and no position were left out.  Not
 *  collective. */
nas_method_setup_t nas_search_setup(const nas_search_parameters_t *parameters, uint64_t seed);

/** Number of rank groups over which repeats spread: as asked, at most one a repeat and a rank.
 *  Unasked (0), one group a repeat where every group can hold n_values float32 at little cost,
 *  otherwise one.  Not collective. */
int64_t nas_search_groups(int64_t asked, int64_t n_repeat, int64_t n_values, int n_ranks);

/** The group of a rank: contiguous, so that groups share nodes; rank 0 leads group 0. */
int nas_search_group_of(const nas_search_parameters_t *parameters, int rank, int n_ranks);

#endif
