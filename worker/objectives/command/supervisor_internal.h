/* What the rank's and the supervisor's side of supervisor.h agree on. */
#ifndef NAS_WORKER_OBJECTIVES_COMMAND_SUPERVISOR_INTERNAL_H
#define NAS_WORKER_OBJECTIVES_COMMAND_SUPERVISOR_INTERNAL_H

#include "worker/objectives/command/supervisor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** The supervisor's result, followed by the n_bytes of the answer's line. */
typedef struct nas_supervisor_message {
    nas_status_t status; /**< NAS_EIO with errno in code, NAS_ENOMEM, or NAS_OK with the others */
    nas_ending_t ending;
    int code;
    nas_answer_t answer; /**< but for its lines; their pointers are of no use elsewhere */
    size_t n_bytes;
} nas_supervisor_message_t;

/** The supervisor's ends of what leads to it. */
typedef struct nas_supervisor_link {
    pid_t rank;
    int alive;  /**< to read: it ends where the rank does, or wants it to stop */
    int result; /**< to write */
} nas_supervisor_link_t;

/** A pipe, both ends closed on exec. Returns false with errno, and no pipe. */
bool nas_supervisor_pipe(int end[2]);

/** Make the process just forked off one of its own: a session, default signals, all of them blocked
 *  but readable from a descriptor, no descriptors but the link's, the task's files and standard
 *  ones that lead nowhere, a subreaper, told by SIGTERM when the rank ends.
 *  task, link [in/out] their descriptors may get other numbers.
 *  Returns the descriptor of signals, or -1: with errno, or where the rank has ended already. */
int nas_supervisor_detach(nas_supervisor_task_t *task, nas_supervisor_link_t *link);

/** The supervisor, after the fork. */
_Noreturn void nas_supervisor_main(nas_supervisor_task_t task, nas_supervisor_link_t link);

#endif
