/* The lock of an output file: an fcntl write lock on path.lock, which holds one line naming its
 * owner.
 *
 * fcntl locks work across nodes on NFS and Lustre (with -o flock) and end with their process,
 * however it dies. They belong to the process: taking one twice in a process succeeds, and closing
 * any descriptor of the file drops it.
 */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OWNER_SIZE = 256 };

struct nas_lock {
    char *path; /* of the lock file */
    int fd;
};

/* Whether fd is still the file at path: a holder that lets go unlinks its lock file. */
static bool is_current(int fd, const char *path)
{
    struct stat held, named;
    return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

static nas_status_t refuse(int fd, const char *path, nas_error_t *err)
{
    char owner[OWNER_SIZE];
    const ssize_t n = pread(fd, owner, sizeof owner - 1, 0);
    owner[n > 0 ? n : 0] = '\0';
    owner[strcspn(owner, "\n")] = '\0';
    return nas_error_set(err, NAS_EINPUT,
                         "%s is in use by %s; wait until it ends or choose another output", path,
                         *owner ? owner : "another process");
}

/* Open and lock once; *fd_p stays -1 where the file was unlinked in between. */
static nas_status_t try_lock(const char *path, const char *lock_path, int *fd_p, nas_error_t *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    nas_status_t status = NAS_OK;
    const int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return nas_error_set(err, NAS_EIO, "cannot make %s: %s", lock_path, strerror(errno));
    if (fcntl(fd, F_SETLK, &whole) == 0) {
        if (is_current(fd, lock_path)) {
            *fd_p = fd;
            return NAS_OK;
        }
    } else if (errno == EACCES || errno == EAGAIN) {
        status = refuse(fd, path, err);
    } else {
        status = nas_error_set(err, NAS_EIO, "cannot lock %s: %s", lock_path, strerror(errno));
    }
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
        snprintf(owner, sizeof owner, "process %ld on host %s\n", (long)getpid(), host);
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
        status = try_lock(path, lock->path, &lock->fd, err);
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

void nas_lock_release(nas_lock_t *lock)
{
    if (!lock) return;
    /* Unlinked first: after the close another process may hold a lock on this very file. */
    (void)unlink(lock->path);
    close(lock->fd);
    free(lock->path);
    free(lock);
}
