/* Starting the trainer, from the supervisor. */
#ifndef NAS_WORKER_OBJECTIVES_COMMAND_CHILD_H
#define NAS_WORKER_OBJECTIVES_COMMAND_CHILD_H

#include <sys/types.h>

/** What it is started with. Borrowed. */
typedef struct nas_child {
    char *const *argument; /**< program and arguments, NULL at the end */
    int out;               /**< descriptors of its standard output, */
    int err;               /**< its standard error, */
    int failure;           /**< and of a pipe, closed on exec: errno as an int, where the program
                                could not be run */
} nas_child_t;

/** Fork and run it as execvp would, in a new session and with default signals. It gets this
 *  process's standard input and environment, but not the variables that a launcher of MPI programs
 *  set for this process: an MPI program among the trainers would take itself for a rank of ours.
 *  It is killed where this process, of one thread, ends first.  Not collective.
 *  Returns its process, or -1 with errno. */
pid_t nas_child_start(const nas_child_t *trainer);

#endif
