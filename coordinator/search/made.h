/* Evaluations that were made before, to be found instead of being made again. */
#ifndef NAS_COORDINATOR_SEARCH_MADE_H
#define NAS_COORDINATOR_SEARCH_MADE_H

#include "common/base/error.h"
#include "common/state/state.h"

#include <stdbool.h>
#include <stdint.h>

/** Sorted by name, then seed. Zero: none; end with nas_made_fini. */
typedef struct nas_made {
    const nas_evaluation_t **at; /**< [n] of a state, borrowed */
    int64_t n;
} nas_made_t;

/** Known results of a state and, where they count, its evaluations but for failures, which are made
 *  anew.  Coordinator only. O(n log n).
 *  state [in] kept (borrowed). NAS_ENOMEM. */
nas_status_t nas_made_init(nas_made_t *made, const nas_state_t *state, bool evaluations,
                           nas_error_t *err);

/** An equal evaluation, or NULL. */
const nas_evaluation_t *nas_made_find(const nas_made_t *made, const char *name, uint64_t seed);

/** Accepts a zeroed one. */
void nas_made_fini(nas_made_t *made);

#endif
