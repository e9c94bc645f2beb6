#include "worker/data/folders/folder_internal.h"

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

/* Enter a folder from the one above; refused where it is one of those above. */
static nas_status_t enter(const char *path, const level_t *above, level_t *level, nas_error_t *err)
{
    struct stat info;
    if (stat(path, &info) != 0) return nas_folder_unreadable(path, err);
    *level = (level_t){.path = path, .device = info.st_dev, .inode = info.st_ino, .above = above};
    for (; above; above = above->above)
        if (above->device == level->device && above->inode == level->inode)
            return nas_error_set(err, NAS_EINPUT, "%s leads back to %s, which it is in", path,
                                 above->path);
    return NAS_OK;
}

/* All files below a folder, in no order; what cannot be read is a fault. The depth is bounded: no
 * path is longer than the system's limit. */
static nas_status_t collect(const char *path, const level_t *above, nas_strings_t *files,
                            nas_folder_faults_t *faults, nas_error_t *err)
{
    level_t level;
    nas_error_t reason = {0};
    nas_folder_contents_t contents = {0};
    nas_status_t status = enter(path, above, &level, &reason);
    if (!status) status = nas_folder_look(path, &contents, faults, &reason);
    status = nas_folder_absorb(faults, status, &reason, err);
    for (size_t i = 0; i < contents.files.n && !status; i++)
        status = nas_strings_add(files, contents.files.at[i], strlen(contents.files.at[i]), err);
    for (size_t i = 0; i < contents.folders.n && !status; i++)
        status = collect(contents.folders.at[i], &level, files, faults, err);
    nas_folder_contents_fini(&contents);
    return status;
}

/* Names go into files that are read as UTF-8, one a line. */
static nas_status_t check_name(const char *path, nas_error_t *err)
{
    char *plain = nas_string_escape(path, err);
    if (!plain) return NAS_ENOMEM;
    const bool good = strcmp(strrchr(plain, '/'), strrchr(path, '/')) == 0;
    const nas_status_t status =
        good
            ? NAS_OK
            : nas_error_set(
                  err, NAS_EINPUT,
                  "%s: the name of a class is UTF-8 without control characters; rename this folder",
                  plain);
    free(plain);
    return status;
}

/* Let go of all files but the first n. */
static void keep_first(nas_strings_t *files, size_t n)
{
    while (files->n > n) free(files->at[--files->n]);
}

static nas_status_t label_files(nas_folder_list_t *list, size_t first, nas_error_t *err)
{
    int32_t *labels = realloc(list->labels, (list->files.n + 1) * sizeof *labels);
    if (!labels) return nas_error_nomem(err, "labels");
    list->labels = labels;
    for (size_t i = first; i < list->files.n; i++) labels[i] = (int32_t)list->classes.n - 1;
    return NAS_OK;
}

/* A folder becomes the next class. */
static nas_status_t add_class(const char *path, const level_t *above, nas_folder_list_t *list,
                              nas_folder_faults_t *faults, nas_error_t *err)
{
    const size_t first = list->files.n;
    const int64_t n_faults = faults->n;
    const char *name = strrchr(path, '/') + 1;
    nas_error_t reason = {0};
    nas_status_t status = nas_folder_absorb(faults, check_name(path, &reason), &reason, err);
    if (!status) status = collect(path, above, &list->files, faults, err);
    if (!status) status = nas_strings_add(&list->classes, name, strlen(name), err);
    if (status) return status;
    if (list->files.n == first && faults->n == n_faults)
        status = nas_folder_absorb(
            faults, nas_error_set(&reason, NAS_EINPUT, "%s: this class has no images", path),
            &reason, err);
    if (list->files.n > first)
        qsort(list->files.at + first, list->files.n - first, sizeof *list->files.at, by_folder);
    return status ? status : label_files(list, first, err);
}

nas_status_t nas_folder_list(const nas_folder_options_t *options, nas_folder_list_t *list,
                             nas_folder_summary_t *summary, nas_error_t *err)
{
    nas_folder_list_t found = {0};
    nas_folder_contents_t contents = {0};
    level_t level;
    nas_status_t status = enter(options->folder, NULL, &level, err);
    if (!status) status = nas_folder_look(options->folder, &contents, &summary->faults, err);
    if (status) goto out;
    if (contents.folders.n > 1)
        qsort(contents.folders.at, contents.folders.n, sizeof *contents.folders.at, by_name);
    status = nas_folder_check_classes(options, &contents, err);
    for (size_t i = 0; i < contents.folders.n && !status; i++) {
        const size_t first = found.files.n;
        status = add_class(contents.folders.at[i], &level, &found, &summary->faults, err);
        if (options->per_class > 0) keep_first(&found.files, first + (size_t)options->per_class);
    }
    if (!status) status = nas_folder_note(&contents, &found.classes, &summary->notes, err);
    if (status) goto out;
    *list = found;
    found = (nas_folder_list_t){0};
out:
    nas_folder_list_fini(&found);
    nas_folder_contents_fini(&contents);
    return status;
}

void nas_folder_list_fini(nas_folder_list_t *list)
{
    nas_strings_fini(&list->classes);
    nas_strings_fini(&list->files);
    free(list->labels);
    *list = (nas_folder_list_t){0};
}
