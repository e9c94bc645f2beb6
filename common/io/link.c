/* Links that the user's own names end in.
 *
 * The kernel would follow them by itself. They are followed here, since the files beside an output
 * (the temporary one, the lock) belong beside the file that it leads to, and since the kernel asks
 * whose link it is in sticky folders only, and not everywhere.
 */
#include "common/base/strings.h"
#include "common/io/file_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_LINKS = 40 /* as of the kernel */ };

/* Where the link at path leads, in terms of what path is relative to. */
static nas_status_t read_link(const char *path, char **target_p, nas_error_t *err)
{
    char text[PATH_MAX];
    const ssize_t n = readlink(path, text, sizeof text - 1);
    if (n < 0)
        return nas_error_set(err, NAS_EINPUT, "cannot read the link %s: %s", path, strerror(errno));
    text[n] = '\0';
    char *folder = nas_file_folder(path, err);
    if (!folder) return NAS_ENOMEM;
    *target_p = nas_string_format(err, "%s%s", *text == '/' ? "" : folder, text);
    free(folder);
    return *target_p ? NAS_OK : NAS_ENOMEM;
}

static nas_status_t follow(const char *path, bool only_own, char **target_p, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    struct stat info;
    char *at = nas_string_copy(path, err);
    if (!at) return NAS_ENOMEM;
    for (int n = 0; !status && lstat(at, &info) == 0 && S_ISLNK(info.st_mode); n++) {
        char *next = NULL;
        if (n == MOST_LINKS)
            status = nas_error_set(err, NAS_EINPUT, "%s: a circle of symbolic links", path);
        else if (only_own && !nas_file_is_own_link(at, &info))
            status = nas_error_set(
                err, NAS_EINPUT,
                "%s is a symbolic link of another user, which is not followed; name the file that it leads to",
                at);
        else
            status = read_link(at, &next, err);
        if (status) break;
        free(at);
        at = next;
    }
    if (status)
        free(at);
    else
        *target_p = at;
    return status;
}

nas_status_t nas_file_follow(const char *path, char **target_p, nas_error_t *err)
{
    struct stat info;
    char *target = NULL;
    nas_status_t status = follow(path, true, &target, err);
    if (!status && lstat(target, &info) == 0) status = nas_file_check_regular(path, &info, err);
    if (status)
        free(target);
    else
        *target_p = target;
    return status;
}

char *nas_file_locate(const char *path, nas_error_t *err)
{
    char *target = NULL;
    const nas_status_t status = follow(path, false, &target, err);
    return status == NAS_EINPUT ? nas_string_copy(path, err) : target;
}
