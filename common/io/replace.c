/* Replacing files. Every new file is made by O_EXCL under a name that was freed before, so that
 * nothing which somebody has put there is written to: no file behind a link, symbolic or hard, and
 * no FIFO or device.
 */
#include "common/base/fault.h"
#include "common/base/strings.h"
#include "common/io/file_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Error text from errno, with the remedy where the user has one. */
static nas_status_t write_error(const char *path, nas_error_t *err)
{
    const bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    return nas_error_set(err, NAS_EIO, "cannot write %s: %s%s", path, strerror(errno),
                         full ? "; free space there and run again with --resume" : "");
}

/* Bytes [first, last) of the concatenated spans. */
static bool write_range(int fd, const nas_span_t *span, size_t n, size_t first, size_t last)
{
    size_t begin = 0;
    for (size_t i = 0; i < n; begin += span[i].size, i++) {
        const size_t end = begin + span[i].size;
        const size_t from = first > begin ? first : begin;
        const size_t to = last < end ? last : end;
        if (from < to &&
            !nas_file_write_all(fd, (const char *)span[i].data + (from - begin), to - from))
            return false;
    }
    return true;
}

/* ---------------------------------------------------------------------------------------- new */

/* Remove what stands at path, unless it is a folder, and make a file there. Whoever puts something
 * there in between is given up on soon. */
static int make_anew(const char *path, mode_t mode)
{
    int fd = -1;
    for (int i = 0; i < 3 && fd < 0; i++) {
        if (unlink(path) != 0 && errno != ENOENT) return -1;
        fd = nas_file_open_retrying(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
        if (fd < 0 && errno != EEXIST) return -1;
    }
    return fd;
}

/* Whether a file stands at path, not followed, whose mode a new one there is to have. */
static bool find_old(const char *path, struct stat *old)
{
    return path && lstat(path, old) == 0 && S_ISREG(old->st_mode);
}

/* Give a new file owner, group and mode of the old one. Where the group cannot be given, the new
 * group gets what all others have. Some file systems have no modes; no failure then. */
static void take_after(int fd, const struct stat *old)
{
    struct stat own;
    mode_t mode = old->st_mode & (S_IRWXU | S_IRWXG | S_IRWXO);
    if (fstat(fd, &own) != 0) return;
    const bool same = own.st_uid == old->st_uid && own.st_gid == old->st_gid;
    if (!same && fchown(fd, old->st_uid, old->st_gid) != 0 && own.st_gid != old->st_gid &&
        fchown(fd, (uid_t)-1, old->st_gid) != 0)
        mode &= S_IRWXU | S_IRWXO | (mode & S_IRWXO) << 3;
    (void)fchmod(fd, mode);
}

nas_status_t nas_file_create(const char *path, int *fd_p, nas_error_t *err)
{
    struct stat old;
    const bool had = find_old(path, &old);
    const int fd = make_anew(path, had ? S_IRUSR | S_IWUSR : 0666);
    if (fd < 0) return write_error(path, err);
    if (had) take_after(fd, &old);
    *fd_p = fd;
    return NAS_OK;
}

/* The temporary file of path; private until it gets the mode of what it replaces. */
static nas_status_t make_tmp(const char *tmp, const char *path, const char *prev, int *fd_p,
                             nas_error_t *err)
{
    struct stat old;
    const bool had = find_old(path, &old) || find_old(prev, &old);
    *fd_p = make_anew(tmp, had ? S_IRUSR | S_IWUSR : 0666);
    return *fd_p < 0 ? write_error(tmp, err) : NAS_OK;
}

/* It is whole: its mode, and to the disk with it. */
static bool settle(int fd, const char *path, const char *prev)
{
    struct stat old;
    if (find_old(path, &old) || find_old(prev, &old)) take_after(fd, &old);
    return fsync(fd) == 0;
}

/* The new content, whole and on disk, under the temporary name. */
static nas_status_t write_new(int fd, const char *tmp, const nas_span_t *span, size_t n,
                              nas_error_t *err)
{
    size_t size = 0;
    for (size_t i = 0; i < n; i++) size += span[i].size;
    bool written = write_range(fd, span, n, 0, size / 2);
    NAS_FAULT_POINT("write-middle");
    written = written && write_range(fd, span, n, size / 2, size);
    NAS_FAULT_POINT("write-after");
    return written ? NAS_OK : write_error(tmp, err);
}

/* ------------------------------------------------------------------------------------ exchange */

/* path becomes prev, where it is to be kept, and tmp becomes path; on failure path is what it was.
 */
static nas_status_t exchange(const char *tmp, const char *path, const char *prev, nas_error_t *err)
{
    NAS_FAULT_POINT("rename-before");
    const bool kept = prev && rename(path, prev) == 0;
    if (prev && !kept && errno != ENOENT) return write_error(prev, err);
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
    if (lstat(path, &info) != 0 || S_ISLNK(info.st_mode)) return NAS_OK;
    return nas_file_check_regular(path, &info, err);
}

/* The folder that holds path, opened for fsync. */
static nas_status_t open_folder(const char *path, int *fd_p, nas_error_t *err)
{
    char *folder = nas_string_copy(path, err);
    if (!folder) return NAS_ENOMEM;
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = '\0'; /* "/name" is in "/" */
    *fd_p = nas_file_open_retrying(slash ? folder : ".", O_RDONLY | O_DIRECTORY, 0);
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

/* A replacement under way. */
typedef struct replacement {
    const char *path;
    char *tmp; /* owned, as prev */
    char *prev;
    int folder;
} replacement_t;

static nas_status_t write_tmp(const replacement_t *replacement, const nas_span_t *span, size_t n,
                              nas_error_t *err)
{
    int fd = -1;
    const char *path = replacement->path, *tmp = replacement->tmp, *prev = replacement->prev;
    NAS_FAULT_POINT("write-before");
    nas_status_t status = make_tmp(tmp, path, prev, &fd, err);
    if (status) return status;
    status = write_new(fd, tmp, span, n, err);
    if (!status && !settle(fd, path, prev)) status = write_error(tmp, err);
    if (close(fd) != 0 && !status) status = write_error(tmp, err);
    if (status) (void)unlink(tmp);
    return status;
}

nas_status_t nas_file_replace(const char *path, const nas_span_t *span, size_t n,
                              bool keep_previous, nas_error_t *err)
{
    replacement_t with = {.path = path, .folder = -1};
    nas_status_t status = nas_file_check_replaceable(path, err);
    if (status) return status;
    with.tmp = nas_file_sibling(path, ".tmp", err);
    with.prev = nas_file_sibling(path, ".prev", err);
    status = with.tmp && with.prev ? open_folder(path, &with.folder, err) : NAS_ENOMEM;
    if (!status) status = write_tmp(&with, span, n, err);
    if (status) goto out;
    status = exchange(with.tmp, path, keep_previous ? with.prev : NULL, err);
    if (status)
        (void)unlink(with.tmp);
    else
        status = sync_folder(with.folder, path, err);
out:
    if (with.folder >= 0) close(with.folder);
    free(with.tmp);
    free(with.prev);
    return status;
}

nas_status_t nas_file_begin(const char *path, char **tmp_p, int *fd_p, nas_error_t *err)
{
    nas_status_t status = nas_file_check_replaceable(path, err);
    if (status) return status;
    char *tmp = nas_file_sibling(path, ".tmp", err);
    if (!tmp) return NAS_ENOMEM;
    status = make_tmp(tmp, path, NULL, fd_p, err);
    if (status)
        free(tmp);
    else
        *tmp_p = tmp;
    return status;
}

nas_status_t nas_file_publish(int fd, const char *tmp, const char *path, nas_error_t *err)
{
    int folder = -1;
    nas_status_t status = nas_file_check_replaceable(path, err);
    if (!status) status = open_folder(path, &folder, err);
    if (!status && !settle(fd, path, NULL)) status = write_error(tmp, err);
    if (!status) status = exchange(tmp, path, NULL, err);
    if (!status) status = sync_folder(folder, path, err);
    if (folder >= 0) close(folder);
    return status;
}
