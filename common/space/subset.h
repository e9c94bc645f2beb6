/* The part of a space that makes a pool: `pool.subset` of a job. */
#ifndef NAS_COMMON_SPACE_SUBSET_H
#define NAS_COMMON_SPACE_SUBSET_H

#include "common/base/error.h"
#include "common/base/names.h"
#include "common/space/space.h"

#include <stdint.h>

typedef enum nas_subset_kind {
    NAS_SUBSET_ALL = 0,    /**< the whole space */
    NAS_SUBSET_UNIQUE,     /**< the first of every class of space->unique */
    NAS_SUBSET_EQUIVALENT, /**< the first of every class of space->equivalent */
    NAS_SUBSET_SAMPLE,     /**< n distinct ones, uniformly */
    NAS_SUBSET_FILE        /**< those that a file lists */
} nas_subset_kind_t;

/** Which subset. Borrowed for the call. */
typedef struct nas_subset {
    nas_subset_kind_t kind;
    int64_t n;        /**< SAMPLE: how many, 1 ..= space->count */
    uint64_t seed;    /**< SAMPLE: the job's */
    const char *path; /**< FILE: one architecture a line, in either form; what follows a #, blank
                       *   lines, blanks around and a UTF-8 byte order mark are skipped */
} nas_subset_t;

/** Architectures of a space: names in the space's own form, indexed, and where each stands in the
 *  space's enumeration. Zero-initialise it; end with nas_selection_fini. */
typedef struct nas_selection {
    int64_t n;
    nas_names_t *names; /**< [n]; NULL for ALL until nas_selection_name */
    int64_t *index;     /**< [n], distinct; ascending but for FILE, which keeps the order of its
                         *   lines; NULL for ALL, where a place is an index */
} nas_selection_t;

/** Select.  Not collective; FILE reads the file. Deterministic: a sample depends on seed, n and the
 *  space alone. Memory of what is selected; time O(space->count) but for FILE, and for SAMPLE of a
 *  space beyond 2^24, which is O(n log n).
 *  selection [out] the caller's, to be ended with nas_selection_fini.
 *  NAS_EINPUT: the space has no such classes; ALL of more than a pool holds; n is out of range; a
 *  file that cannot be read, lists nothing or more than 16 MiB; as `FILE:LINE: ...`: a line that is
 *  no architecture of the space, or one that a line before is (named with that line). NAS_EIO,
 *  NAS_ENOMEM. */
nas_status_t nas_subset_select(const nas_space_t *space, const nas_subset_t *subset,
                               nas_selection_t *selection, nas_error_t *err);

/** Give a selection of a space its names, where it lacks them: what can do without has the space
 *  make them.  Not collective. O(n). NAS_ENOMEM. */
nas_status_t nas_selection_name(const nas_space_t *space, nas_selection_t *selection,
                                nas_error_t *err);

/** Free what the selection holds; it is empty and usable afterwards. */
void nas_selection_fini(nas_selection_t *selection);

#endif
