#include "worker/data/folder_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A folder under way, and those above it: links may lead back up. */
typedef struct level {
    const char *path;
    dev_t device;
    ino_t inode;
    const struct level *above;
} level_t;

static nas_status_t cannot_read(const char *path, nas_error_t *err)
{
    return nas_error_set(err, NAS_EINPUT, "cannot read %s: %s", path, strerror(errno));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* By folder, then by name: the files of a folder stand together, before those of the folders in it.
 */
static int by_folder(const void *a, const void *b)
{
    const char *left = *(char *const *)a, *right = *(char *const *)b;
    const size_t n_left = (size_t)(strrchr(left, '/') - left);
    const size_t n_right = (size_t)(strrchr(right, '/') - right);
    const int order = memcmp(left, right, n_left < n_right ? n_left : n_right);
    if (order != 0) return order;
    if (n_left != n_right) return n_left < n_right ? -1 : 1;
    return strcmp(left + n_left, right + n_right);
}

/* Append path/name to the folders or the files, by what it is or leads to. */
static nas_status_t take_entry(const char *folder, const char *name, nas_strings_t *folders,
                               nas_strings_t *files, nas_error_t *err)
{
    struct stat info;
    nas_status_t status = NAS_OK;
    const bool ends_in_slash = folder[0] && folder[strlen(folder) - 1] == '/';
    char *path = nas_string_format(err, "%s%s%s", folder, ends_in_slash ? "" : "/", name);
    if (!path) return NAS_ENOMEM;
    if (stat(path, &info) != 0)
        status = cannot_read(path, err);
    else
        status = nas_strings_add(S_ISDIR(info.st_mode) ? folders : files, path, strlen(path), err);
    free(path);
    return status;
}

/* What a folder has, in no order, hidden entries left out. */
static nas_status_t read_folder(const char *path, nas_strings_t *folders, nas_strings_t *files,
                                nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    DIR *dir = opendir(path);
    if (!dir) return cannot_read(path, err);
    while (!status) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry && errno != 0) status = cannot_read(path, err);
        if (!entry) break;
        if (entry->d_name[0] != '.') status = take_entry(path, entry->d_name, folders, files, err);
    }
    (void)closedir(dir);
    return status;
}

/* Enter a folder from the one above; refused where it is one of those above. */
static nas_status_t enter(const char *path, const level_t *above, level_t *level, nas_error_t *err)
{
    struct stat info;
    if (stat(path, &info) != 0) return cannot_read(path, err);
    *level = (level_t){.path = path, .device = info.st_dev, .inode = info.st_ino, .above = above};
    for (; above; above = above->above)
        if (above->device == level->device && above->inode == level->inode)
            return nas_error_set(err, NAS_EINPUT, "%s leads back to %s, which it is in", path,
                                 above->path);
    return NAS_OK;
}

/* All files below a folder, in no order. The depth is bounded: no path is longer than the system's
 * limit. */
static nas_status_t collect(const char *path, const level_t *above, nas_strings_t *files,
                            nas_error_t *err)
{
    level_t level;
    nas_strings_t folders = {0};
    nas_status_t status = enter(path, above, &level, err);
    if (!status) status = read_folder(path, &folders, files, err);
    for (size_t i = 0; i < folders.n && !status; i++)
        status = collect(folders.at[i], &level, files, err);
    nas_strings_fini(&folders);
    return status;
}

static bool is_line(const char *name)
{
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        if (*c < ' ' || *c == 127) return false;
    return true;
}

/* A folder becomes the next class. */
static nas_status_t add_class(const char *path, const level_t *above, nas_folder_list_t *list,
                              nas_error_t *err)
{
    const size_t n_before = list->files.n;
    const char *name = strrchr(path, '/') + 1;
    if (!is_line(name))
        return nas_error_set(err, NAS_EINPUT, "%s: a control character in the name of a class",
                             path);
    nas_status_t status = collect(path, above, &list->files, err);
    if (!status) status = nas_strings_add(&list->classes, name, strlen(name), err);
    if (status) return status;
    const size_t n_more = list->files.n - n_before;
    if (n_more == 0) return nas_error_set(err, NAS_EINPUT, "%s: this class has no images", path);
    qsort(list->files.at + n_before, n_more, sizeof *list->files.at, by_folder);
    int32_t *labels = realloc(list->labels, list->files.n * sizeof *labels);
    if (!labels) return nas_error_nomem(err, "labels");
    list->labels = labels;
    for (size_t i = n_before; i < list->files.n; i++) labels[i] = (int32_t)list->classes.n - 1;
    return NAS_OK;
}

nas_status_t nas_folder_list(const char *folder, nas_folder_list_t *list, nas_error_t *err)
{
    nas_folder_list_t found = {0};
    nas_strings_t folders = {0}, beside = {0};
    level_t level;
    nas_status_t status = enter(folder, NULL, &level, err);
    if (!status) status = read_folder(folder, &folders, &beside, err);
    if (status) goto out;
    if (folders.n < 2 || folders.n > NAS_IMAGES_MAX_CLASSES) {
        status = nas_error_set(
            err, NAS_EINPUT, "%s: %zu folder%s in it, each of which is a class; expected 2 to %d",
            folder, folders.n, folders.n == 1 ? "" : "s", NAS_IMAGES_MAX_CLASSES);
        goto out;
    }
    qsort(folders.at, folders.n, sizeof *folders.at, by_name);
    for (size_t i = 0; i < folders.n && !status; i++)
        status = add_class(folders.at[i], &level, &found, err);
    if (status) goto out;
    *list = found;
    found = (nas_folder_list_t){0};
out:
    nas_folder_list_fini(&found);
    nas_strings_fini(&folders);
    nas_strings_fini(&beside);
    return status;
}

char *nas_folder_class_text(const nas_strings_t *classes, nas_error_t *err)
{
    size_t n_bytes = 1;
    for (size_t i = 0; i < classes->n; i++) n_bytes += strlen(classes->at[i]) + 1;
    char *text = malloc(n_bytes);
    if (!text) {
        (void)nas_error_nomem(err, "names of classes");
        return NULL;
    }
    char *end = text;
    for (size_t i = 0; i < classes->n; i++) {
        if (i > 0) *end++ = '\n';
        end = stpcpy(end, classes->at[i]);
    }
    *end = '\0';
    return text;
}

void nas_folder_list_fini(nas_folder_list_t *list)
{
    nas_strings_fini(&list->classes);
    nas_strings_fini(&list->files);
    free(list->labels);
    *list = (nas_folder_list_t){0};
}
