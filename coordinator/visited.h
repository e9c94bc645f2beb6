/* The architectures that a method has seen evaluated, and uniform draws among all others. */
#ifndef NAS_COORDINATOR_VISITED_H
#define NAS_COORDINATOR_VISITED_H

#include "common/error.h"
#include "common/rng.h"

#include <stdbool.h>
#include <stdint.h>

/** A set of pool indices: memory for the members alone, whatever the size of the pool. */
typedef struct nas_visited {
    int64_t *arch;    /**< [n] ascending; owned */
    int64_t n;        /**< members */
    int64_t capacity; /**< most members */
    int64_t n_arch;   /**< architectures in the pool */
} nas_visited_t;

/** An empty set of at most `capacity` of the n_arch architectures.  Not collective. NAS_ENOMEM.
 *  End with nas_visited_fini. */
nas_status_t nas_visited_init(nas_visited_t *visited, int64_t n_arch, int64_t capacity,
                              nas_error_t *err);

/** Accepts a zeroed struct. */
void nas_visited_fini(nas_visited_t *visited);

/** Is it a member? O(log n). */
bool nas_visited_has(const nas_visited_t *visited, int64_t arch);

/** Make it a member; true if it was none. O(n): members move. */
bool nas_visited_add(nas_visited_t *visited, int64_t arch);

/** Give `to`, of the same capacity, the members of `from`. O(n). */
void nas_visited_copy(nas_visited_t *to, const nas_visited_t *from);

/** A uniform draw among the architectures that are no members, of which there must be one. O(log
 *  n), one number of rng. */
int64_t nas_visited_draw(const nas_visited_t *visited, nas_rng_t *rng);

#endif
