/* How much memory there is. */
#ifndef NAS_COMMON_IO_MEMORY_H
#define NAS_COMMON_IO_MEMORY_H

#include <stdint.h>

/** Bytes that the processes of this machine may take together: its memory, or what the control
 *  groups of this process leave it, whichever is less.  Not collective. Read anew at every call. */
int64_t nas_memory_bytes(void);

/** The least limit of a process's control groups, or INT64_MAX where there is none.  Not
 *  collective.
 *  groups: path of a list of them, such as /proc/self/cgroup; root: where they are mounted, such as
 *  /sys/fs/cgroup: version 2, or the controller `memory` of version 1 below it. Folders above a
 *  group count, too; those that are not there, as in a container, do not. */
int64_t nas_memory_limit(const char *groups, const char *root);

/** Processors of this machine, at least 1, also those that this process may not run on: ranks that
 *  are bound to one each share the machine's memory all the same.  Not collective. */
int nas_memory_processors(void);

#endif
