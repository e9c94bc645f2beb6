#include "common/io/memory.h"

#include "common/base/strings.h"
#include "common/io/file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a file of the kernel's says, which tells no size: up to size - 1 bytes, none where it cannot
 * be read. */
static void read_text(const char *path, char *text, size_t size)
{
    nas_error_t ignored = {0};
    int64_t unknown = 0;
    size_t n_read = 0;
    int fd = -1;
    *text = '\0';
    if (nas_file_open(path, &fd, &unknown, &ignored)) return;
    if (nas_file_read_next(fd, path, text, size - 1, &n_read, &ignored)) n_read = 0;
    (void)close(fd);
    text[n_read] = '\0';
}

/* The number that a file begins with; INT64_MAX where it says "max", or is not there. */
static int64_t number_in(const char *folder, const char *name)
{
    nas_error_t ignored = {0};
    char *path = nas_string_format(&ignored, "%s/%s", folder, name), text[32] = "";
    if (path) read_text(path, text, sizeof text);
    free(path);
    return *text >= '0' && *text <= '9' ? strtoll(text, NULL, 10) : INT64_MAX;
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
    char text[1 << 14], *rest = text;
    int64_t least = INT64_MAX;
    read_text(groups, text, sizeof text);
    for (const char *line; (line = strsep(&rest, "\n"));) {
        const int64_t limit = limit_of(line, root);
        if (limit < least) least = limit;
    }
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
