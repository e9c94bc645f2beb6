/* Greedy search: the T best architectures under one weight vector, from the top, until T are
 * evaluated in all. */
#ifndef NAS_COORDINATOR_SEARCH_METHODS_GREEDY_H
#define NAS_COORDINATOR_SEARCH_METHODS_GREEDY_H

#include "common/base/visited.h"
#include "coordinator/search/methods/method.h"

/** The frontier, asked for once: the last phase of robot, the whole of single. */
typedef struct nas_greedy {
    int64_t *frontier; /**< [budget] best first; owned */
    int64_t budget;    /**< T */
    int64_t parallel;  /**< q */
    int64_t n_metric;
    int64_t n_passed; /**< places at the top of the frontier that are visited */
    bool known;       /**< the frontier was answered */
} nas_greedy_t;

/** Not collective. NAS_ENOMEM. End with nas_greedy_fini. */
nas_status_t nas_greedy_init(nas_greedy_t *greedy, const nas_method_setup_t *setup,
                             nas_error_t *err);

/** Accepts a zeroed struct. */
void nas_greedy_fini(nas_greedy_t *greedy);

/** What to look up: the frontier under weights [n_metric] (borrowed until the next call) while it
 *  is unknown, then nothing, then done.
 *  query [out]. */
void nas_greedy_ask(const nas_greedy_t *greedy, const nas_visited_t *visited, const double *weights,
                    nas_query_t *query);

/** The next at most q architectures of the frontier that are not visited, all with these weights;
 *  with the frontier itself in the step that asked for it. answer as method.h says;
 *  proposals [out]. */
void nas_greedy_propose(nas_greedy_t *greedy, const nas_visited_t *visited, const double *weights,
                        const int64_t *answer, nas_proposals_t *proposals);

#endif
