/* A folder is removed without recursion, so that no depth of it takes descriptors or stack: what is
 * a folder inside a folder of the top level is first moved to the top level. */
#include "worker/objectives/command/work_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A removal under way. */
typedef struct removal {
    int top;         /* the folder to empty */
    int64_t n_moved; /* folders, which names them */
} removal_t;

/* Whether there is a folder of that name in the folder `at`; if so it may be entered and changed
 * afterwards, whatever permissions it was left with. */
static bool is_folder(int at, const char *name)
{
    struct stat info;
    if (fstatat(at, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(info.st_mode)) return false;
    return (info.st_mode & S_IRWXU) == S_IRWXU || fchmodat(at, name, S_IRWXU, 0) == 0;
}

static DIR *open_inside(int at, const char *name)
{
    if (!is_folder(at, name)) return NULL;
    const int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (fd >= 0 && !dir) (void)close(fd);
    return dir;
}

/* The next entry that is neither "." nor "..", or NULL. */
static const char *next_name(DIR *dir)
{
    for (;;) {
        const struct dirent *entry = readdir(dir);
        if (!entry) return NULL;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return entry->d_name;
    }
}

/* Move a folder to the top, under a name that is free there. */
static bool move_up(removal_t *removal, int at, const char *name)
{
    char target[64];
    struct stat info;
    if (!is_folder(at, name)) return false; /* a folder that may not be written cannot be moved */
    do {
        (void)snprintf(target, sizeof target, "moved-%lld", (long long)removal->n_moved++);
    } while (fstatat(removal->top, target, &info, AT_SYMLINK_NOFOLLOW) == 0);
    return renameat(at, name, removal->top, target) == 0;
}

/* Remove one entry of the top level. Where entries are removed while it is listed, some file
 * systems do not list all of a folder; the next pass then goes on with it. */
static bool remove_entry(removal_t *removal, const char *name)
{
    bool good = true, changed = false;
    if (unlinkat(removal->top, name, 0) == 0) return true;
    DIR *dir = open_inside(removal->top, name);
    if (!dir) return false;
    for (const char *inner = next_name(dir); inner && good; inner = next_name(dir)) {
        good = unlinkat(dirfd(dir), inner, 0) == 0 || move_up(removal, dirfd(dir), inner);
        changed |= good;
    }
    (void)closedir(dir);
    return good && (unlinkat(removal->top, name, AT_REMOVEDIR) == 0 || changed);
}

/* One pass over the top level, which grows meanwhile. Returns false where nothing more can be done;
 * *empty: there was nothing left. */
static bool sweep(removal_t *removal, const char *path, bool *empty)
{
    bool good = true;
    *empty = true;
    DIR *dir = open_inside(AT_FDCWD, path);
    if (!dir) return false;
    removal->top = dirfd(dir);
    for (const char *name = next_name(dir); name && good; name = next_name(dir)) {
        *empty = false;
        good = remove_entry(removal, name);
    }
    (void)closedir(dir);
    return good;
}

nas_status_t nas_work_folder_remove(const char *path, nas_error_t *err)
{
    removal_t removal = {.top = -1};
    bool empty = false;
    struct stat info;
    if (lstat(path, &info) != 0 && errno == ENOENT) return NAS_OK;
    if (unlink(path) == 0) return NAS_OK; /* a file or a link */
    while (!empty)
        if (!sweep(&removal, path, &empty))
            return nas_error_set(err, NAS_EIO, "cannot empty the folder %s: %s", path,
                                 strerror(errno));
    if (rmdir(path) == 0) return NAS_OK;
    return nas_error_set(err, NAS_EIO, "cannot remove the folder %s: %s", path, strerror(errno));
}

/* Whether the folder is there, and no link to one nor somebody else's. */
static bool is_mine(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == geteuid();
}

nas_status_t nas_work_folder_make(const char *path, bool keep, nas_error_t *err)
{
    if (keep && is_mine(path)) return NAS_OK;
    const nas_status_t status = nas_work_folder_remove(path, err);
    if (status) return status;
    if (mkdir(path, S_IRWXU) == 0) return NAS_OK;
    return nas_error_set(err, NAS_EIO, "cannot make the folder %s: %s", path, strerror(errno));
}
