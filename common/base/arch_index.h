/* Which number an architecture has, in the order of adding from 0 on. A hash table: cheaper
 * to look up in than nas_visited_t (visited.h), which can draw from the others besides. */
#ifndef NAS_COMMON_BASE_ARCH_INDEX_H
#define NAS_COMMON_BASE_ARCH_INDEX_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stdint.h>

/** A slot of the table. */
typedef struct nas_arch_slot {
    int64_t arch;
    int64_t number_plus_1; /**< 0: the slot is empty */
} nas_arch_slot_t;

/** Zeroed, it is empty. End with nas_arch_index_fini. */
typedef struct nas_arch_index {
    nas_arch_slot_t *slot; /**< [n_slots], a power of two; owned */
    int64_t n_slots;
    int64_t n; /**< members */
} nas_arch_index_t;

/** Make room for n members in all; amortised O(1) a member where n rises by one.  Not collective.
 *  NAS_ENOMEM: it is as it was. */
nas_status_t nas_arch_index_reserve(nas_arch_index_t *index, int64_t n, nas_error_t *err);

/** Give an architecture the next number, for which there must be room; false, and nothing happens,
 *  where it has one. O(1). */
bool nas_arch_index_add(nas_arch_index_t *index, int64_t arch);

/** Its number, or -1 where it has none. O(1). */
int64_t nas_arch_index_find(const nas_arch_index_t *index, int64_t arch);

/** Accepts a zeroed struct; it is empty afterwards. */
void nas_arch_index_fini(nas_arch_index_t *index);

#endif
