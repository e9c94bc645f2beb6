/* What there is under a name, before it is opened. */
#include "common/base/strings.h"
#include "common/io/file_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

nas_status_t nas_file_check_regular(const char *path, const struct stat *info, nas_error_t *err)
{
    if (S_ISDIR(info->st_mode))
        return nas_error_set(err, NAS_EINPUT, "%s is a directory; a file was expected", path);
    if (!S_ISREG(info->st_mode))
        return nas_error_set(err, NAS_EINPUT, "%s is not a regular file", path);
    return NAS_OK;
}

char *nas_file_folder(const char *path, nas_error_t *err)
{
    const char *slash = strrchr(path, '/');
    return nas_string_format(err, "%.*s", slash ? (int)(slash - path + 1) : 0, path);
}

bool nas_file_is_own_link(const char *path, const struct stat *link)
{
    struct stat info;
    if (link->st_uid == geteuid() || link->st_uid == 0) return true;
    char *folder = nas_file_folder(path, NULL);
    const bool known = folder && stat(*folder ? folder : ".", &info) == 0;
    free(folder);
    return known && info.st_uid == link->st_uid;
}
