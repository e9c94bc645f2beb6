/* Work on files that may be damaged or hostile, done in a child process with limits on memory and
 * time. Whatever happens to the child, the parent gets its answer or one line of error.
 *
 * The child is forked and never executes another program: it works, answers through a pipe and
 * ends. That is safe in an MPI program: it calls nothing of MPI, so that the segments of the
 * shared-memory transport, mapped in it too, are not touched; it ends by _exit, so that no exit
 * handler runs twice; the library's progress threads do not exist in it, and glibc's malloc works
 * after a fork whatever they were doing. On networks with registered memory a fork is safe with
 * Linux 5.12 or the fork support of libibverbs, which UCX turns on. Rank 0 alone forks, before the
 * work begins.
 */
#ifndef NAS_WORKER_DATA_UNTRUSTED_SANDBOX_H
#define NAS_WORKER_DATA_UNTRUSTED_SANDBOX_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** What the child may take. */
typedef struct nas_sandbox_limits {
    int64_t memory_bytes; /**< of address space, beyond what this process has at the fork */
    int cpu_s;            /**< of processor time: for files that send a library round in circles */
    int wall_s;           /**< of elapsed time: for file systems that do not answer */
} nas_sandbox_limits_t;

/** What the child does. */
typedef struct nas_sandbox_task {
    const char *path; /**< the file it reads, for messages; borrowed until finish */
    nas_sandbox_limits_t limits;
    /** Runs in the child; its standard output and error are closed. Returns false where it could
     *  not send its answer. */
    bool (*work)(int fd, const void *context);
    const void *context;
} nas_sandbox_task_t;

/** A running child. */
typedef struct nas_sandbox {
    pid_t pid;
    int fd; /**< its answer; ends where it does */
} nas_sandbox_t;

/** Start the child.  Not collective; one at a time.
 *  sandbox [out]; ended by nas_sandbox_finish. NAS_EIO: no process or pipe is to be had. */
nas_status_t nas_sandbox_start(const nas_sandbox_task_t *task, nas_sandbox_t *sandbox,
                               nas_error_t *err);

/** For the child: send all of data. Returns false where that failed. */
bool nas_sandbox_send(int fd, const void *data, size_t size);

/** Stop listening, wait for the child and say how it ended.  Not collective.
 *  NAS_OK: by itself, or because nobody listened any more.
 *  NAS_EINPUT, naming the file: by a signal, an unknown exit code, or at a limit of time. (At the
 *  limit of memory its allocations fail, which its work reports.)
 *  NAS_EIO: it could not be set up, or not answer. */
nas_status_t nas_sandbox_finish(const nas_sandbox_task_t *task, nas_sandbox_t *sandbox,
                                nas_error_t *err);

#endif
