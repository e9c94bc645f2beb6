#include "common/base/strings.h"
#include "common/io/file_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int nas_file_open_retrying(const char *path, int flags, mode_t mode)
{
    int fd;
    do {
        fd = open(path, flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

nas_status_t nas_file_open(const char *path, int *fd_p, int64_t *size, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    struct stat info;
    /* O_NONBLOCK: opening a FIFO without a writer would wait for ever. */
    const int fd = nas_file_open_retrying(path, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0) return nas_error_set(err, NAS_EINPUT, "cannot open %s: %s", path, strerror(errno));
    if (fstat(fd, &info) != 0) {
        status = nas_error_set(err, NAS_EIO, "cannot read %s: %s", path, strerror(errno));
        goto out;
    }
    status = nas_file_check_regular(path, &info, err);
    if (status) goto out;
    if (fcntl(fd, F_SETFL, 0) != 0) { /* clears O_NONBLOCK */
        status = nas_error_set(err, NAS_EIO, "cannot read %s: %s", path, strerror(errno));
        goto out;
    }
    *fd_p = fd;
    *size = info.st_size;
out:
    if (status) close(fd);
    return status;
}

nas_status_t nas_file_read_next(int fd, const char *path, void *data, size_t size, size_t *n_read,
                                nas_error_t *err)
{
    size_t done = 0;
    while (done < size) {
        const ssize_t n = read(fd, (char *)data + done, size - done);
        if (n == 0) break;
        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR)
            return nas_error_set(err, NAS_EIO, "cannot read %s: %s", path, strerror(errno));
    }
    *n_read = done;
    return NAS_OK;
}

bool nas_file_write_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        const ssize_t n = write(fd, at, size);
        if (n < 0 && errno != EINTR) return false;
        if (n <= 0) continue;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

nas_status_t nas_file_read(const char *path, size_t limit, char **data_p, size_t *size,
                           nas_error_t *err)
{
    int fd = -1;
    int64_t n_bytes = 0;
    size_t n_read = 0;
    char *data = NULL;
    nas_status_t status = nas_file_open(path, &fd, &n_bytes, err);
    if (status) return status;
    if ((uint64_t)n_bytes > limit) {
        status = nas_error_set(err, NAS_EINPUT, "%s has %lld bytes; at most %zu are accepted", path,
                               (long long)n_bytes, limit);
        goto out;
    }
    data = malloc((size_t)n_bytes + 1);
    if (!data) {
        status = nas_error_nomem(err, path);
        goto out;
    }
    status = nas_file_read_next(fd, path, data, (size_t)n_bytes, &n_read, err);
    if (status) goto out;
    if (n_read != (size_t)n_bytes) {
        status = nas_error_set(err, NAS_EIO, "%s became shorter while it was read", path);
        goto out;
    }
    data[n_read] = '\0';
    *data_p = data;
    *size = n_read;
    data = NULL;
out:
    free(data);
    close(fd);
    return status;
}

nas_status_t nas_file_digest(const char *path, nas_digest_t *digest, nas_error_t *err)
{
    enum { CHUNK = 1 << 20 };
    int fd = -1;
    int64_t n_bytes = 0;
    size_t n_read = CHUNK;
    nas_hasher_t *hasher = NULL;
    nas_status_t status = nas_file_open(path, &fd, &n_bytes, err);
    if (status) return status;
    char *data = malloc(CHUNK);
    status = data ? nas_hasher_create(&hasher, err) : nas_error_nomem(err, path);
    while (!status && n_read == CHUNK) {
        status = nas_file_read_next(fd, path, data, CHUNK, &n_read, err);
        if (!status) nas_hasher_update(hasher, data, n_read);
    }
    if (!status) *digest = nas_hasher_finish(hasher);
    nas_hasher_destroy(hasher);
    free(data);
    close(fd);
    return status;
}

bool nas_file_exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

static int64_t nanoseconds(struct timespec time)
{
    const int64_t second = 1000000000;
    return (int64_t)time.tv_sec * second + (int64_t)time.tv_nsec;
}

bool nas_file_identify(const char *path, nas_file_identity_t *identity)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return false;
    *identity = (nas_file_identity_t){.size = info.st_size,
                                      .changed_ns = nanoseconds(info.st_mtim),
                                      .touched_ns = nanoseconds(info.st_ctim),
                                      .device = info.st_dev,
                                      .inode = info.st_ino};
    return true;
}

bool nas_file_identity_equal(const nas_file_identity_t *a, const nas_file_identity_t *b)
{
    return a->size == b->size && a->changed_ns == b->changed_ns && a->touched_ns == b->touched_ns &&
           a->device == b->device && a->inode == b->inode;
}

bool nas_file_stamp(const char *path, nas_file_stamp_t *stamp)
{
    nas_file_identity_t identity;
    if (!nas_file_identify(path, &identity)) return false;
    *stamp = (nas_file_stamp_t){.size = identity.size, .changed_ns = identity.changed_ns};
    return true;
}

bool nas_file_same(const char *path, const char *other)
{
    struct stat one, two;
    return stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_dev == two.st_dev &&
           one.st_ino == two.st_ino;
}

/* Some file systems answer EACCES or EROFS for a folder that is there, so what counts is the
 * result. */
static bool make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0) return true;
    const int reason = errno;
    struct stat info;
    const bool there = stat(path, &info) == 0;
    errno = there ? ENOTDIR : reason;
    return there && S_ISDIR(info.st_mode);
}

static nas_status_t need_folder(const char *path, nas_error_t *err)
{
    struct stat info;
    if (make_folder(path)) return NAS_OK;
    if (errno == EEXIST && lstat(path, &info) == 0 && S_ISLNK(info.st_mode))
        return nas_error_set(
            err, NAS_EIO,
            "%s is a link to nothing; make the folder that it leads to, or remove the link", path);
    return nas_error_set(err, NAS_EIO, "cannot make the folder %s: %s", path, strerror(errno));
}

nas_status_t nas_file_make_parents(const char *path, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    char *folder = nas_string_copy(path, err);
    if (!folder) return NAS_ENOMEM;
    for (char *slash = strchr(folder, '/'); slash && !status; slash = strchr(slash + 1, '/')) {
        if (slash == folder) continue; /* the root */
        *slash = '\0';
        status = need_folder(folder, err);
        *slash = '/';
    }
    free(folder);
    return status;
}

/* A link in place of a folder may be planted. */
static nas_status_t check_folder_link(const char *path, nas_error_t *err)
{
    struct stat info;
    if (lstat(path, &info) != 0 || !S_ISLNK(info.st_mode) || nas_file_is_own_link(path, &info))
        return NAS_OK;
    return nas_error_set(err, NAS_EINPUT,
                         "%s is a symbolic link of another user, which is not followed; remove it",
                         path);
}

nas_status_t nas_file_make_parent(const char *path, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    char *folder = nas_string_copy(path, err);
    if (!folder) return NAS_ENOMEM;
    char *slash = strrchr(folder, '/');
    if (slash) *slash = '\0';
    if (slash && *folder) status = check_folder_link(folder, err);
    if (slash && *folder && !status) status = need_folder(folder, err);
    free(folder);
    return status;
}

char *nas_file_sibling(const char *path, const char *suffix, nas_error_t *err)
{
    return nas_string_format(err, "%s%s", path, suffix);
}
