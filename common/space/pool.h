/* The pool: the architectures that a job is about, from a table or from a search space. */
#ifndef NAS_COMMON_SPACE_POOL_H
#define NAS_COMMON_SPACE_POOL_H

#include "common/base/error.h"
#include "common/base/name_source.h"
#include "common/base/names.h"
#include "common/space/arch.h"
#include "common/space/encoding.h"
#include "common/space/space.h"
#include "common/space/subset.h"

#include <stdint.h>

/** A plain value; end with nas_pool_fini. Architecture i is name i, or row i of the table,
 *  everywhere. */
typedef struct nas_pool {
    const nas_space_t *space; /**< NULL: the pool is a table's rows */
    const nas_names_t *names; /**< the selection's, or of rows that are known here; NULL where it is
                                *   a whole space and nobody has asked for them, or in a table, which
                                *   ranks may share */
    nas_selection_t selection; /**< of a space */
    nas_arch_t *arch;          /**< of a space: to make names; owned */
    int64_t n_rows;            /**< of a table */
} nas_pool_t;

/** The rows of a table.  Not collective. */
nas_pool_t nas_pool_of_table(int64_t n_rows);

/** The rows of a table whose names are known here, as where each has a network.  Not collective.
 *  names: indexed; kept, borrowed. */
nas_pool_t nas_pool_of_names(const nas_names_t *names);

/** Part of a space.  Not collective. Errors of nas_subset_select.
 *  pool [out] the caller's. */
nas_status_t nas_pool_of_space(const nas_space_t *space, const nas_subset_t *subset,
                               nas_pool_t *pool, nas_error_t *err);

/** Number of architectures. */
int64_t nas_pool_count(const nas_pool_t *pool);

/** The names of a pool of a space or of names, without a list of them where it is a whole one. Borrowed while
 *  the pool lives. */
nas_name_source_t nas_pool_names(const nas_pool_t *pool);

/** See to it that pool->names is there, for look-ups by name, but for a table's pool.  Not
 *  collective. NAS_ENOMEM. */
nas_status_t nas_pool_list_names(nas_pool_t *pool, nas_error_t *err);

/** Whether it is all of its space, in its order, or rows; and the number of its architecture i in the
 *  space, of rows i. */
bool nas_pool_is_whole(const nas_pool_t *pool);
int64_t nas_pool_index(const nas_pool_t *pool, int64_t i);

/** For a pool of a space: its codes, as mutation and policies want them.
 *  NAS_ENOMEM. The caller owns *encoding_p. */
nas_status_t nas_pool_encode(const nas_pool_t *pool, nas_encoding_t **encoding_p, nas_error_t *err);

/** Join a list of architecture texts on a pool of a space, whatever form they are in, or of names, as
 *  they stand.  Not
 *  collective; O((names + pool) log).
 *  row [out] [pool count]: which of names each architecture is, -1 for none.
 *  NAS_EINPUT, with the place of the text (nas_names_place): it is no architecture of the space, or
 *  the same one as another; with the file: none is in the pool. */
nas_status_t nas_pool_join(const nas_pool_t *pool, const nas_names_t *names, int64_t *row,
                           nas_error_t *err);

/** Accepts a zeroed pool. */
void nas_pool_fini(nas_pool_t *pool);

#endif
