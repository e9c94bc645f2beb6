#include "common/file.h"

#include "common/fault.h"
#include "common/strings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* open(2), again where a signal interrupts it. */
static int open_retrying(const char *path, int flags)
{
    int fd;
    do {
        fd = open(path, flags | O_CLOEXEC, 0666);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

static nas_status_t check_regular(const char *path, const struct stat *info, nas_error_t *err)
{
    if (S_ISDIR(info->st_mode))
        return nas_error_set(err, NAS_EINPUT, "%s is a directory; a file was expected", path);
    if (!S_ISREG(info->st_mode))
        return nas_error_set(err, NAS_EINPUT, "%s is not a regular file", path);
    return NAS_OK;
}

nas_status_t nas_file_open(const char *path, int *fd_p, int64_t *size, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    struct stat info;
    /* O_NONBLOCK: opening a FIFO without a writer would wait for ever. */
    const int fd = open_retrying(path, O_RDONLY | O_NONBLOCK);
    if (fd < 0) return nas_error_set(err, NAS_EINPUT, "cannot open %s: %s", path, strerror(errno));
    if (fstat(fd, &info) != 0) {
        status = nas_error_set(err, NAS_EIO, "cannot read %s: %s", path, strerror(errno));
        goto out;
    }
    status = check_regular(path, &info, err);
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

bool nas_file_exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
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
    if (make_folder(path)) return NAS_OK;
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

nas_status_t nas_file_make_parent(const char *path, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    char *folder = nas_string_copy(path, err);
    if (!folder) return NAS_ENOMEM;
    char *slash = strrchr(folder, '/');
    if (slash) *slash = '\0';
    if (slash && *folder) status = need_folder(folder, err);
    free(folder);
    return status;
}

char *nas_file_sibling(const char *path, const char *suffix, nas_error_t *err)
{
    return nas_string_format(err, "%s%s", path, suffix);
}

/* Error text from errno, with the remedy where the user has one. */
static nas_status_t write_error(const char *path, nas_error_t *err)
{
    const bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    return nas_error_set(err, NAS_EIO, "cannot write %s: %s%s", path, strerror(errno),
                         full ? "; free space there and run again with --resume" : "");
}

static bool write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t n = write(fd, data, size);
        if (n < 0 && errno != EINTR) return false;
        if (n <= 0) continue;
        data += n;
        size -= (size_t)n;
    }
    return true;
}

/* Bytes [first, last) of the concatenated spans. */
static bool write_range(int fd, const nas_span_t *span, size_t n, size_t first, size_t last)
{
    size_t begin = 0;
    for (size_t i = 0; i < n; begin += span[i].size, i++) {
        const size_t end = begin + span[i].size;
        const size_t from = first > begin ? first : begin;
        const size_t to = last < end ? last : end;
        if (from < to && !write_all(fd, (const char *)span[i].data + (from - begin), to - from))
            return false;
    }
    return true;
}

/* The new content, whole and on disk, under the temporary name. */
static nas_status_t write_new(const char *path, const nas_span_t *span, size_t n, nas_error_t *err)
{
    size_t size = 0;
    for (size_t i = 0; i < n; i++) size += span[i].size;
    NAS_FAULT_POINT("write-before");
    const int fd = open_retrying(path, O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0) return write_error(path, err);
    bool written = write_range(fd, span, n, 0, size / 2);
    NAS_FAULT_POINT("write-middle");
    written = written && write_range(fd, span, n, size / 2, size);
    NAS_FAULT_POINT("write-after");
    written = written && fsync(fd) == 0;
    const nas_status_t status = written ? NAS_OK : write_error(path, err);
    if (close(fd) != 0 && !status) return write_error(path, err);
    return status;
}

/* path becomes prev, where it is to be kept, and tmp becomes path; on failure path is what it was.
 */
static nas_status_t exchange(const char *tmp, const char *path, const char *prev, nas_error_t *err)
{
    NAS_FAULT_POINT("rename-before");
    const bool kept = prev && rename(path, prev) == 0;
    if (prev && !kept && errno != ENOENT) return write_error(path, err);
    NAS_FAULT_POINT("rename-middle");
    if (rename(tmp, path) != 0) {
        const nas_status_t status = write_error(path, err);
        if (kept) (void)rename(prev, path);
        return status;
    }
    NAS_FAULT_POINT("rename-after");
    return NAS_OK;
}

/* Anything but a file would be renamed to path.prev, a whole folder too. */
nas_status_t nas_file_check_replaceable(const char *path, nas_error_t *err)
{
    struct stat info;
    return stat(path, &info) == 0 ? check_regular(path, &info, err) : NAS_OK;
}

/* The folder that holds path, opened for fsync. */
static nas_status_t open_folder(const char *path, int *fd_p, nas_error_t *err)
{
    char *folder = nas_string_copy(path, err);
    if (!folder) return NAS_ENOMEM;
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = '\0'; /* "/name" is in "/" */
    *fd_p = open_retrying(slash ? folder : ".", O_RDONLY | O_DIRECTORY);
    const nas_status_t status = *fd_p < 0 ? write_error(path, err) : NAS_OK;
    free(folder);
    return status;
}

static nas_status_t sync_folder(int fd, const char *path, nas_error_t *err)
{
    /* EINVAL: a file system whose folders cannot be synchronised, so nothing more can be done. */
    if (fsync(fd) == 0 || errno == EINVAL) return NAS_OK;
    return write_error(path, err);
}

nas_status_t nas_file_replace(const char *path, const nas_span_t *span, size_t n,
                              bool keep_previous, nas_error_t *err)
{
    int folder = -1;
    nas_status_t status = nas_file_check_replaceable(path, err);
    if (status) return status;
    char *tmp = nas_file_sibling(path, ".tmp", err);
    char *prev = nas_file_sibling(path, ".prev", err);
    status = tmp && prev ? open_folder(path, &folder, err) : NAS_ENOMEM;
    if (status) goto out;
    status = write_new(tmp, span, n, err);
    if (!status) status = exchange(tmp, path, keep_previous ? prev : NULL, err);
    if (status)
        (void)unlink(tmp);
    else
        status = sync_folder(folder, path, err);
out:
    if (folder >= 0) close(folder);
    free(tmp);
    free(prev);
    return status;
}

nas_status_t nas_file_publish(const char *tmp, const char *path, nas_error_t *err)
{
    int folder = -1;
    nas_status_t status = nas_file_check_replaceable(path, err);
    if (!status) status = open_folder(path, &folder, err);
    if (!status) status = exchange(tmp, path, NULL, err);
    if (!status) status = sync_folder(folder, path, err);
    if (folder >= 0) close(folder);
    return status;
}
