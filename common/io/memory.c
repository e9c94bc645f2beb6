#include "common/io/memory.h"

#include "common/base/strings.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number that a file begins with; INT64_MAX where it says "max", or is not there. */
static int64_t number_in(const char *folder, const char *name)
{
    nas_error_t ignored = {0};
    long long number = INT64_MAX;
    char *path = nas_string_format(&ignored, "%s/%s", folder, name), text[32] = "";
    FILE *file = path ? fopen(path, "re") : NULL;
    free(path);
    if (!file) return INT64_MAX;
    if (fgets(text, sizeof text, file) && *text >= '0' && *text <= '9')
        number = strtoll(text, NULL, 10);
    (void)fclose(file);
    return number;
}

/* The least of a group and of all above it. path [in, out] ROOT/GROUP, which is cut to ROOT. */
static int64_t least_above(char *path, size_t root_length, const char *name)
{
    int64_t least = INT64_MAX;
    for (;;) {
        const int64_t limit = number_in(path, name);
        if (limit < least) least = limit;
        char *slash = strrchr(path, '/');
        if (!slash || (size_t)(slash - path) < root_length) return least;
        *slash = '\0';
    }
}

/* line: NUMBER:CONTROLLERS:PATH; version 2 has number 0 and no controllers. */
static int64_t limit_of(const char *line, const char *root)
{
    static const char controller[] = ":memory:";
    nas_error_t ignored = {0};
    const char *found = strstr(line, controller);
    const bool is_2 = strncmp(line, "0::", 3) == 0;
    if (!found && !is_2) return INT64_MAX;
    const char *group = is_2 ? line + 3 : found + sizeof controller - 1;
    const char *below = is_2 ? "" : "/memory";
    char *path = nas_string_format(&ignored, "%s%s%s", root, below, group);
    if (!path) return INT64_MAX;
    const int64_t limit = least_above(path, strlen(root) + strlen(below),
                                      is_2 ? "memory.max" : "memory.limit_in_bytes");
    free(path);
    return limit;
}

int64_t nas_memory_limit(const char *groups, const char *root)
{
    int64_t least = INT64_MAX;
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen(groups, "re");
    if (!file) return least;
    while (getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        const int64_t limit = limit_of(line, root);
        if (limit < least) least = limit;
    }
    free(line);
    (void)fclose(file);
    return least;
}

int64_t nas_memory_bytes(void)
{
    const int64_t machine = (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);
    const int64_t limit = nas_memory_limit("/proc/self/cgroup", "/sys/fs/cgroup");
    return limit < machine ? limit : machine;
}

int nas_memory_processors(void)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}
