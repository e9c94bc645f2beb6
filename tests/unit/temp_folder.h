/* A folder for the files of one test. */
#ifndef NAS_TESTS_UNIT_TEMP_FOLDER_H
#define NAS_TESTS_UNIT_TEMP_FOLDER_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEMP_PATH_SIZE = 1024 };

/* A path, by value so that one expression can name a file. */
typedef struct temp_path {
    char text[TEMP_PATH_SIZE];
} temp_path_t;

static inline temp_path_t temp_folder_make(void)
{
    temp_path_t folder;
    const char *parent = getenv("TMPDIR");
    (void)snprintf(folder.text, sizeof folder.text, "%s/robotnas-test-XXXXXX",
                   parent ? parent : "/tmp");
    cr_assert_not_null(mkdtemp(folder.text));
    return folder;
}

static inline temp_path_t temp_file(const temp_path_t *folder, const char *name)
{
    temp_path_t path;
    cr_assert_lt(strlen(folder->text) + strlen(name) + 2, sizeof path.text);
    strcpy(path.text, folder->text);
    strcat(path.text, "/");
    strcat(path.text, name);
    return path;
}

/* Write a text into a file, in place of what is there. */
static inline void temp_file_put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

/* Remove a folder and what is in it. */
static inline void temp_folder_remove(const temp_path_t *folder)
{
    DIR *dir = opendir(folder->text);
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        const temp_path_t path = temp_file(folder, entry->d_name);
        if (unlink(path.text) != 0) temp_folder_remove(&path);
    }
    if (dir) closedir(dir);
    (void)rmdir(folder->text);
}

#endif
