/* What there is in one folder. */
#include "worker/data/folders/folder_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

nas_status_t nas_folder_unreadable(const char *path, nas_error_t *err)
{
    return nas_error_set(err, NAS_EINPUT, "cannot read %s: %s", path, strerror(errno));
}

/* Whether an entry is none of the user's: hidden, or left by a file manager, an archive or a file
 * system. */
static bool is_passed_over(const char *name)
{
    static const char *const known[] = {"Thumbs.db",
                                        "ehthumbs.db",
                                        "ehthumbs_vista.db",
                                        "desktop.ini",
                                        "Icon\r",
                                        "__MACOSX",
                                        "$RECYCLE.BIN",
                                        "System Volume Information",
                                        "lost+found",
                                        "@eaDir",
                                        "@tmp",
                                        "#recycle",
                                        "#snapshot",
                                        "Network Trash Folder",
                                        "__pycache__"};
    if (name[0] == '.') return true;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(name, known[i]) == 0) return true;
    return false;
}

/* Append path/name to the folders or the files, by what it is or leads to. */
static nas_status_t take_entry(const char *folder, const char *name,
                               nas_folder_contents_t *contents, nas_folder_faults_t *faults,
                               nas_error_t *err)
{
    struct stat info;
    nas_error_t reason = {0};
    nas_status_t status = NAS_OK;
    const bool ends_in_slash = folder[0] && folder[strlen(folder) - 1] == '/';
    char *path = nas_string_format(err, "%s%s%s", folder, ends_in_slash ? "" : "/", name);
    if (!path) return NAS_ENOMEM;
    if (stat(path, &info) != 0)
        status = nas_folder_absorb(faults, nas_folder_unreadable(path, &reason), &reason, err);
    else
        status = nas_strings_add(S_ISDIR(info.st_mode) ? &contents->folders : &contents->files,
                                 path, strlen(path), err);
    free(path);
    return status;
}

nas_status_t nas_folder_look(const char *path, nas_folder_contents_t *contents,
                             nas_folder_faults_t *faults, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    DIR *dir = opendir(path);
    if (!dir) return nas_folder_unreadable(path, err);
    while (!status) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry && errno != 0) status = nas_folder_unreadable(path, err);
        if (!entry) break;
        if (!is_passed_over(entry->d_name))
            status = take_entry(path, entry->d_name, contents, faults, err);
    }
    (void)closedir(dir);
    return status;
}

void nas_folder_contents_fini(nas_folder_contents_t *contents)
{
    nas_strings_fini(&contents->folders);
    nas_strings_fini(&contents->files);
}
