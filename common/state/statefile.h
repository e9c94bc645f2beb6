/* State files: one HDF5 file per run behind a user block with magic, version and digest. */
#ifndef NAS_COMMON_STATE_STATEFILE_H
#define NAS_COMMON_STATE_STATEFILE_H

#include "common/base/error.h"
#include "common/io/file.h"
#include "common/state/state.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    NAS_STATEFILE_VERSION = 3, /**< that is written */
    NAS_STATEFILE_OLDEST = 2   /**< that is read besides */
};

/** Replace the state file at path.  Not collective; the writer holds the lock. Atomic
 *  (nas_file_replace: links are the caller's to follow). The file before it becomes path.prev if it
 *  is whole, else it is dropped, so that a damaged file never takes the place of a good one. A text
 *  of the state that is NULL is stored as "".
 *  last [in, out]: what the caller's last write left at path, all 0 before the first: as long as
 *  path is that, it is not read to see whether it is whole. NULL: it always is.
 *  NAS_EIO, NAS_EINPUT (a folder is at path): what was there is untouched. NAS_ENOMEM. */
nas_status_t nas_statefile_write(const char *path, const nas_state_t *state,
                                 nas_file_identity_t *last, nas_error_t *err);

/** Read and verify one file: magic, size, digest, version, then the type, shape and range of every
 *  value.  Not collective. A file of an older version that can be read gives the same state as its
 *  equal of today, but for what it did not hold.
 *  state [out] is filled on success only; end it with nas_state_fini.
 *  NAS_EINPUT with path and reason: missing, a directory, empty, not a state file, cut short,
 *  damaged, of a newer version, inconsistent content. */
nas_status_t nas_statefile_read_one(const char *path, nas_state_t *state, nas_error_t *err);

/** Read path or, where it is damaged or missing, path.prev; where path is a link, what it leads to
 *  and the one before that.  Not collective.
 *  notice [out] "" or one line saying that and why the previous file was taken.
 *  NAS_EINPUT when both fail: err gives the reason for each. A whole file of a newer version is
 *  never passed over. */
nas_status_t nas_statefile_read(const char *path, nas_state_t *state, nas_error_t *notice,
                                nas_error_t *err);

/** Whether path or path.prev is there, or of a link what it leads to. */
bool nas_statefile_exists(const char *path);

/** Whether the file at path, a link followed, begins as state files do, damaged or not. */
bool nas_statefile_begins(const char *path);

/** Refuse to replace what is not a run's: a file at path or path.prev, a link followed, that begins
 *  otherwise than state files do, unless the other one begins so and shows that a run is there.
 *  Missing and empty files are nobody's.  Not collective.
 *  NAS_EINPUT, naming it and what to do. NAS_ENOMEM. */
nas_status_t nas_statefile_check_own(const char *path, nas_error_t *err);

#endif
