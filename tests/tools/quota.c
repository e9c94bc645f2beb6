/* A quota on a folder, to be preloaded: after QUOTA_WRITES calls of write() by this process to files
 * below QUOTA_FOLDER all others fail with EDQUOT, or the next QUOTA_FAILURES. For machines whose
 * kernel has no quota. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_below(int fd, const char *folder)
{
    char link[64], path[PATH_MAX];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return false;
    path[n] = '\0';
    const size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

ssize_t write(int fd, const void *data, size_t size)
{
    static ssize_t (*next)(int, const void *, size_t);
    static long n_writes;
    const char *folder = getenv("QUOTA_FOLDER"), *limit = getenv("QUOTA_WRITES");
    const char *failures = getenv("QUOTA_FAILURES");
    if (!next) *(void **)&next = dlsym(RTLD_NEXT, "write");
    if (!folder || !limit || !is_below(fd, folder)) return next(fd, data, size);
    const long n_later = n_writes++ - strtol(limit, NULL, 10);
    if (n_later < 0 || (failures && n_later >= strtol(failures, NULL, 10)))
        return next(fd, data, size);
    errno = EDQUOT;
    return -1;
}
