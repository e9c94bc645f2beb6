/* Whole files: bounded reads, atomic replacement, locks.
 * The only module that writes to the output folder. */
#ifndef NAS_COMMON_FILE_H
#define NAS_COMMON_FILE_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Read a regular file of at most limit bytes.  Not collective. *data_p is the caller's (free) and
 *  has a NUL after its *size bytes.
 *  NAS_EINPUT, naming path: missing, unreadable, a directory or other non-file, larger than limit.
 *  NAS_EIO: the read failed, or the file became shorter meanwhile. NAS_ENOMEM. */
nas_status_t nas_file_read(const char *path, size_t limit, char **data_p, size_t *size,
                           nas_error_t *err);

/** Open a regular file for reading; same errors. A FIFO or device never blocks here. *fd_p is the
 *  caller's (close);
 *  size [out] in bytes. */
nas_status_t nas_file_open(const char *path, int *fd_p, int64_t *size, nas_error_t *err);

/** Read the next bytes of an open file: exactly size of them, fewer only at its end.  Not
 *  collective. path: for the message;
 *  n_read [out].
 *  NAS_EIO: the read failed. */
nas_status_t nas_file_read_next(int fd, const char *path, void *data, size_t size, size_t *n_read,
                                nas_error_t *err);

/** Whether something stands at path (of any kind). */
bool nas_file_exists(const char *path);

/** Make the folders above path, like mkdir -p.  NAS_EIO. */
nas_status_t nas_file_make_parents(const char *path, nas_error_t *err);

/** Make the folder that holds path, but none above it: where they have vanished, as a file system
 *  that is no longer mounted, nothing is to be written in their place.  NAS_EIO. */
nas_status_t nas_file_make_parent(const char *path, nas_error_t *err);

/** One piece of a file to write. */
typedef struct nas_span {
    const void *data;
    size_t size;
} nas_span_t;

/** Replace path by the concatenation of n spans so that, whatever instant the process or machine
 *  dies at, a whole file is at path or, with keep_previous, at path.prev.  Not collective; one
 *  writer at a time (nas_lock_acquire). Writes path.tmp, fsyncs it, renames path to path.prev
 *  (with keep_previous) and path.tmp to path, fsyncs the folder.
 *  NAS_EINPUT: a directory or other non-file is at path.
 *  NAS_EIO (disk full, quota, read-only): path is as before and path.tmp is removed; only where
 *  the last fsync fails, path is new and may not outlive a power cut. Passes the fault points
 *  write-before, write-middle, write-after, rename-before, rename-middle, rename-after. */
nas_status_t nas_file_replace(const char *path, const nas_span_t *span, size_t n,
                              bool keep_previous, nas_error_t *err);

/** Whether path is free, or a file that may be replaced.  Not collective.
 *  NAS_EINPUT: a directory or other non-file is there. */
nas_status_t nas_file_check_replaceable(const char *path, nas_error_t *err);

/** Put a file that is whole and on disk (fsync) at path, for files too large for nas_file_replace.
 *  Not collective; one writer at a time. tmp is in the same folder. Renames it, fsyncs the folder.
 *  NAS_EINPUT: a directory or other non-file is at path. NAS_EIO: as of nas_file_replace, but tmp
 *  stays. Passes the fault points of renaming. */
nas_status_t nas_file_publish(const char *tmp, const char *path, nas_error_t *err);

/** path with a suffix, into a new string (free). NULL with err set when out of memory. */
char *nas_file_sibling(const char *path, const char *suffix, nas_error_t *err);

/** An fcntl lock on path.lock: one writer of path at a time, across processes and nodes. Opaque. */
typedef struct nas_lock nas_lock_t;

/** Take the lock or fail at once.  Not collective.
 *  NAS_EINPUT: another process holds it (named by host and pid).
 *  NAS_EIO: the lock file cannot be made or the file system has no locks. */
nas_status_t nas_lock_acquire(const char *path, nas_lock_t **lock_p, nas_error_t *err);

/** Remove the lock file and let go. Accepts NULL. */
void nas_lock_release(nas_lock_t *lock);

#endif
