/* What methods do that only want to know what was evaluated. */
#ifndef NAS_COORDINATOR_SEARCH_METHODS_VISIT_H
#define NAS_COORDINATOR_SEARCH_METHODS_VISIT_H

#include "common/base/visited.h"
#include "coordinator/search/methods/method.h"

/** Their `tell`: list the architectures of n results as visited.  Group leader only. O(n) expected.
 *  visited [in, out] of a capacity that the results fit into.
 *  NAS_ESTOP: setup->interrupt said so. */
nas_status_t nas_method_visit(const nas_method_setup_t *setup, nas_visited_t *visited,
                              const nas_result_t *result, int64_t n, nas_error_t *err);

#endif
