/* Whole files: bounded reads, atomic replacement, links, locks.
 *
 * All that is written goes through here (tests/system/sources.sh holds the rest to it), for others
 * may be able to write to the folder of an output, and its names can be foretold. So a name that
 * the program chooses itself (OUTPUT.tmp, OUTPUT.lock, the files in OUTPUT.d) is never followed
 * where a link stands there: it is replaced or refused. A name that the user chose is followed as
 * far as the links are the user's own (nas_file_follow). Nothing that stands there makes an open
 * wait. */
#ifndef NAS_COMMON_IO_FILE_H
#define NAS_COMMON_IO_FILE_H

#include "common/base/digest.h"
#include "common/base/error.h"

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

/** SHA-256 of a regular file's bytes.  Not collective. Errors of nas_file_open and
 *  nas_file_read_next. NAS_ENOMEM. */
nas_status_t nas_file_digest(const char *path, nas_digest_t *digest, nas_error_t *err);

/** Write all of it to an open file or pipe, signals or not.  Not collective. False where it cannot:
 *  errno says why. */
bool nas_file_write_all(int fd, const void *data, size_t size);

/** Whether something stands at path (of any kind). */
bool nas_file_exists(const char *path);

/** What can be known of a file without reading it; a changed file has another. */
typedef struct nas_file_stamp {
    int64_t size;       /**< in bytes */
    int64_t changed_ns; /**< time of the last change of its content, by the file system */
} nas_file_stamp_t;

/** Whether path, a link followed, is a regular file; stamp [out]. */
bool nas_file_stamp(const char *path, nas_file_stamp_t *stamp);

/** Which file stands at a path and in which state: a write, a rename or a change of its time of
 *  change, by whomever, gives another. */
typedef struct nas_file_identity {
    int64_t size; /**< in bytes */
    int64_t changed_ns;
    int64_t touched_ns; /**< time of the last change of anything, which nobody can set */
    uint64_t device;
    uint64_t inode;
} nas_file_identity_t;

/** Whether path, a link followed, is a regular file; identity [out]. */
bool nas_file_identify(const char *path, nas_file_identity_t *identity);

bool nas_file_identity_equal(const nas_file_identity_t *a, const nas_file_identity_t *b);

/** Whether both paths, links followed, lead to one file that is there. */
bool nas_file_same(const char *path, const char *other);

/** Make the folders above path, like mkdir -p.  NAS_EIO. */
nas_status_t nas_file_make_parents(const char *path, nas_error_t *err);

/** Make the folder that holds path, but none above it: where they have vanished, as a file system
 *  that is no longer mounted, nothing is to be written in their place. A link to a folder is good
 *  where nas_file_follow follows it.  NAS_EIO. NAS_EINPUT: a link of another user. */
nas_status_t nas_file_make_parent(const char *path, nas_error_t *err);

/** Where what is written to path belongs: path itself or, where a link stands there, the place that
 *  it leads to, over any number of links and whether or not something is there yet. A file beside
 *  path, as path.prev, is then one beside the target.  Not collective.
 *  Followed is a link of this user, of root, or of the owner of the folder that it is in; others
 *  could lead a write to anywhere.
 *  target_p [out] the caller's (free).
 *  NAS_EINPUT, naming path: links in a circle, a link of another user, or what stands at the end is
 *  a directory or another non-file. NAS_ENOMEM. */
nas_status_t nas_file_follow(const char *path, char **target_p, nas_error_t *err);

/** The same for reading: links of anyone are followed. The caller's (free). NULL with err set when
 *  out of memory; path itself where links lead in a circle, which opening it will say. */
char *nas_file_locate(const char *path, nas_error_t *err);

/** Make an empty file at path in place of whatever stands there but a folder; a link or FIFO is
 *  removed, not opened, and of a file its mode is kept.  Not collective.
 *  fd_p [out] for writing; the caller's (close).
 *  NAS_EIO, naming path. */
nas_status_t nas_file_create(const char *path, int *fd_p, nas_error_t *err);

/** One piece of a file to write. */
typedef struct nas_span {
    const void *data;
    size_t size;
} nas_span_t;

/** Replace path by the concatenation of n spans so that, whatever instant the process or machine
 *  dies at, a whole file is at path or, with keep_previous, at path.prev.  Not collective; one
 *  writer at a time (nas_lock_acquire). Makes path.tmp anew, writes it, fsyncs it, renames path to
 *  path.prev (with keep_previous) and path.tmp to path, fsyncs the folder. The new file has mode,
 *  owner and group of the one at path (or else path.prev) as far as this user may give them. A link
 *  at path is replaced, not followed: see nas_file_follow.
 *  NAS_EINPUT: a directory or other non-file is at path.
 *  NAS_EIO (disk full, quota, read-only): path is as before and path.tmp is removed; only where
 *  the last fsync fails, path is new and may not outlive a power cut. Passes the fault points
 *  write-before, write-middle, write-after, rename-before, rename-middle, rename-after. */
nas_status_t nas_file_replace(const char *path, const nas_span_t *span, size_t n,
                              bool keep_previous, nas_error_t *err);

/** Whether path is free, or a file (or link) that may be replaced.  Not collective.
 *  NAS_EINPUT: a directory or other non-file is there. */
nas_status_t nas_file_check_replaceable(const char *path, nas_error_t *err);

/** Begin a file that is to stand at path once it is whole, for files too large for
 *  nas_file_replace: path.tmp, made anew.  Not collective; one writer at a time.
 *  tmp_p [out] its name, the caller's (free); fd_p [out] for writing; the caller's (close).
 *  NAS_EINPUT: a directory or other non-file is at path. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_file_begin(const char *path, char **tmp_p, int *fd_p, nas_error_t *err);

/** Put what nas_file_begin began, and the caller has written, at path.  Not collective. Gives it
 *  the mode as nas_file_replace does, fsyncs it, renames it, fsyncs the folder.
 *  NAS_EINPUT: a directory or other non-file is at path. NAS_EIO: as of nas_file_replace, but tmp
 *  stays. Passes the fault points of renaming. */
nas_status_t nas_file_publish(int fd, const char *tmp, const char *path, nas_error_t *err);

/** path with a suffix, into a new string (free). NULL with err set when out of memory. */
char *nas_file_sibling(const char *path, const char *suffix, nas_error_t *err);

/** An fcntl lock on path.lock: one writer of path at a time, across processes and nodes. Opaque. */
typedef struct nas_lock nas_lock_t;

/** Take the lock or fail at once.  Not collective. Where the file system has no locks, nothing is
 *  held: see nas_lock_missing.
 *  NAS_EINPUT: another process holds it (named by host and pid), or what stands at path.lock is no
 *  lock file of this program, which is left as it is.
 *  NAS_EIO: the lock file cannot be made. */
nas_status_t nas_lock_acquire(const char *path, nas_lock_t **lock_p, nas_error_t *err);

/** NULL where the lock is held; else one line for the user: that the file system has no locks, and
 *  what is not protected. Borrowed from the lock. */
const char *nas_lock_missing(const nas_lock_t *lock);

/** Remove the lock file and let go. Accepts NULL. */
void nas_lock_release(nas_lock_t *lock);

#endif
