/* The architectures seen so far, numbered in the order in which they came, and uniform draws among
 * all others. */
#ifndef NAS_COMMON_BASE_VISITED_H
#define NAS_COMMON_BASE_VISITED_H

#include "common/base/error.h"
#include "common/base/rng.h"

#include <stdbool.h>
#include <stdint.h>

/** A member, in a search tree by architecture that is a heap by a hash of it (a treap). */
typedef struct nas_visited_node {
    int64_t arch;
    int64_t below; /**< member number of the subtree of lower architectures, -1: none */
    int64_t above; /**< likewise of higher ones */
    int64_t n;     /**< members of the subtree, this one included */
} nas_visited_node_t;

/** A set of pool indices: memory for the members alone, whatever the size of the pool. Zeroed, it
 *  is empty and has room for none. */
typedef struct nas_visited {
    nas_visited_node_t *node; /**< [n] in the order of adding; owned */
    int64_t n;                /**< members */
    int64_t capacity;         /**< room for as many */
    int64_t root;             /**< number of the tree's root; nothing while n is 0 */
    int64_t n_arch;           /**< architectures in the pool; 0: unknown, nothing can be drawn */
} nas_visited_t;

/** An empty set with room for `capacity` of the n_arch architectures.  Not collective. NAS_ENOMEM.
 *  End with nas_visited_fini. */
nas_status_t nas_visited_init(nas_visited_t *visited, int64_t n_arch, int64_t capacity,
                              nas_error_t *err);

/** Make room for n members in all; amortised O(1) a member where n rises by one.  Not collective.
 *  NAS_ENOMEM: the set is as it was. */
nas_status_t nas_visited_reserve(nas_visited_t *visited, int64_t n, nas_error_t *err);

/** No members any more; the room stays. Accepts a zeroed struct. O(1). */
void nas_visited_clear(nas_visited_t *visited);

/** Accepts a zeroed struct. */
void nas_visited_fini(nas_visited_t *visited);

/** Its number, counted from 0 in the order of adding, or -1 where it is no member. O(log n). */
int64_t nas_visited_find(const nas_visited_t *visited, int64_t arch);

/** Is it a member? O(log n). */
bool nas_visited_has(const nas_visited_t *visited, int64_t arch);

/** Make it a member, for which there must be room; true if it was none. O(log n). */
bool nas_visited_add(nas_visited_t *visited, int64_t arch);

/** A uniform draw among the architectures that are no members, of which there must be one. O(log
 *  n), one number of rng; it depends on the members alone, not on their order of adding. */
int64_t nas_visited_draw(const nas_visited_t *visited, nas_rng_t *rng);

#endif
