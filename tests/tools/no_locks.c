/* A file system without locks, to be preloaded: fcntl locks fail with the error number in NO_LOCKS.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>

typedef int (*fcntl_t)(int, int, ...);

static int without_locks(const char *name, int fd, int command, void *argument)
{
    fcntl_t next = NULL;
    const char *reason = getenv("NO_LOCKS");
    *(void **)&next = dlsym(RTLD_NEXT, name);
    if (!reason || (command != F_SETLK && command != F_SETLKW)) return next(fd, command, argument);
    errno = (int)strtol(reason, NULL, 10);
    return -1;
}

int fcntl(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    return without_locks("fcntl", fd, command, argument);
}

int fcntl64(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    return without_locks("fcntl64", fd, command, argument);
}
