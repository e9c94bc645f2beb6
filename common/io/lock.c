/* The lock of an output file: an fcntl write lock on path.lock, which holds one line naming its
 * owner.
 *
 * fcntl locks work across nodes on NFS and Lustre (with -o flock) and end with their process,
 * however it dies. They belong to the process: taking one twice in a process succeeds, and closing
 * any descriptor of the file drops it. Where a file system has none, the run goes on without.
 *
 * The file is written to, so it must be one of this program's: a regular file of one name that is
 * empty (or zeros, after a power cut) or has such a line. Anything else may have been put there to
 * be overwritten.
 */
#include "common/io/file_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OWNER_SIZE = 256 };

struct nas_lock {
    char *path; /* of the lock file */
    int fd;
    nas_error_t missing; /* "" where it is held */
};

static const char owner_begins[] = "process ";

/* Whether fd is still the file at path: a holder that lets go unlinks its lock file. */
static bool is_current(int fd, const char *path)
{
    struct stat held, named;
    return fstat(fd, &held) == 0 && lstat(path, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

/* The first line of the lock file. */
static void read_owner(int fd, char owner[OWNER_SIZE])
{
    const ssize_t n = pread(fd, owner, OWNER_SIZE - 1, 0);
    owner[n > 0 ? n : 0] = '\0';
    owner[strcspn(owner, "\n")] = '\0';
}

static nas_status_t refuse(int fd, const char *path, nas_error_t *err)
{
    char owner[OWNER_SIZE];
    read_owner(fd, owner);
    return nas_error_set(err, NAS_EINPUT,
                         "%s is in use by %s; wait until it ends or choose another output", path,
                         *owner ? owner : "another process");
}

/* Whether the file may be written to; a file without a name has just been removed by its holder. */
static nas_status_t check_ours(int fd, const char *lock_path, nas_error_t *err)
{
    struct stat info;
    char owner[OWNER_SIZE];
    const char *wrong = NULL;
    if (fstat(fd, &info) != 0)
        return nas_error_set(err, NAS_EIO, "cannot read %s: %s", lock_path, strerror(errno));
    read_owner(fd, owner);
    if (!S_ISREG(info.st_mode))
        wrong = "is not a regular file";
    else if (info.st_nlink > 1)
        wrong = "is a file with another name too (a hard link)";
    else if (*owner && strncmp(owner, owner_begins, strlen(owner_begins)) != 0)
        wrong = "is not a lock file of robotnas";
    if (!wrong) return NAS_OK;
    return nas_error_set(err, NAS_EINPUT, "%s %s; remove it or choose another output", lock_path,
                         wrong);
}

static nas_status_t open_lock(const char *lock_path, int *fd_p, nas_error_t *err)
{
    const int fd =
        nas_file_open_retrying(lock_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (fd < 0 && errno == ELOOP)
        return nas_error_set(err, NAS_EINPUT,
                             "%s is a symbolic link, which is not followed; remove it", lock_path);
    if (fd < 0)
        return nas_error_set(err, NAS_EIO, "cannot make %s: %s", lock_path, strerror(errno));
    const nas_status_t status = check_ours(fd, lock_path, err);
    if (status)
        close(fd);
    else
        *fd_p = fd;
    return status;
}

/* Errors of a file system that has no locks: NFS without its lock service, Lustre without -o flock,
 * FUSE. */
static bool is_without_locks(int reason)
{
    return reason == ENOLCK || reason == ENOSYS || reason == EOPNOTSUPP || reason == EINVAL;
}

static void note_missing(nas_lock_t *lock, const char *path, int reason)
{
    (void)nas_error_set(
        &lock->missing, NAS_OK,
        "%s: its file system has no locks (%s), so nothing keeps a second job from writing the same output at the same time; start one at a time, or choose an output on a file system with locks (Lustre: mounted with -o flock)",
        path, strerror(reason));
}

/* Open and lock once; lock->fd stays -1 where the file was unlinked in between. */
static nas_status_t try_lock(nas_lock_t *lock, const char *path, nas_error_t *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = -1;
    nas_status_t status = open_lock(lock->path, &fd, err);
    if (status) return status;
    const bool held = fcntl(fd, F_SETLK, &whole) == 0;
    const int reason = held ? 0 : errno;
    const bool missing = !held && is_without_locks(reason);
    if ((held || missing) && is_current(fd, lock->path)) {
        if (missing) note_missing(lock, path, reason);
        lock->fd = fd;
        return NAS_OK;
    }
    if (reason == EACCES || reason == EAGAIN)
        status = refuse(fd, path, err);
    else if (!held && !missing)
        status = nas_error_set(err, NAS_EIO, "cannot lock %s: %s", lock->path, strerror(reason));
    close(fd);
    return status;
}

/* Who holds the lock, for the messages of others; a failure costs no more than their text. */
static void write_owner(int fd)
{
    char host[OWNER_SIZE / 2] = "unknown";
    char owner[OWNER_SIZE];
    (void)gethostname(host, sizeof host - 1);
    const int length =
        snprintf(owner, sizeof owner, "%s%ld on host %s\n", owner_begins, (long)getpid(), host);
    if (ftruncate(fd, 0) == 0 && pwrite(fd, owner, (size_t)length, 0) < 0) (void)ftruncate(fd, 0);
}

nas_status_t nas_lock_acquire(const char *path, nas_lock_t **lock_p, nas_error_t *err)
{
    nas_status_t status = NAS_ENOMEM;
    nas_lock_t *lock = malloc(sizeof *lock);
    if (!lock) return nas_error_nomem(err, "a lock");
    *lock = (nas_lock_t){.path = nas_file_sibling(path, ".lock", err), .fd = -1};
    if (!lock->path) goto out;
    do {
        status = try_lock(lock, path, err);
    } while (!status && lock->fd < 0);
    if (status) goto out;
    write_owner(lock->fd);
    *lock_p = lock;
    return NAS_OK;
out:
    free(lock->path);
    free(lock);
    return status;
}

const char *nas_lock_missing(const nas_lock_t *lock)
{
    return *lock->missing.text ? lock->missing.text : NULL;
}

void nas_lock_release(nas_lock_t *lock)
{
    if (!lock) return;
    /* Unlinked first: after the close another process may hold a lock on this very file. */
    if (is_current(lock->fd, lock->path)) (void)unlink(lock->path);
    close(lock->fd);
    free(lock->path);
    free(lock);
}
