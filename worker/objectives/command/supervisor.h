/* A trainer under a supervisor: a process that watches it and ends whatever it started.
 *
 * The rank forks the supervisor, and the supervisor the trainer, which alone executes a program.
 * The supervisor is safe in an MPI program for the reasons that worker/data/untrusted/sandbox.h
 * gives: it calls nothing of MPI, touches none of its memory, closes its descriptors and ends by
 * _exit. It leads a session of its own, so that a launcher which kills the rank's process group
 * leaves it the time to end the trainer. Two pipes lead to it: one that is never written, whose end
 * tells it that the rank is gone or wants it to stop, and one for its result.
 */
#ifndef NAS_WORKER_OBJECTIVES_COMMAND_SUPERVISOR_H
#define NAS_WORKER_OBJECTIVES_COMMAND_SUPERVISOR_H

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "worker/objectives/command/answer.h"

/** What is to be run. Borrowed for the call. */
typedef struct nas_supervisor_task {
    char *const *argument; /**< program and arguments, NULL at the end */
    int out;               /**< files for what it prints, */
    int err;               /**< each at most NAS_OUTPUT_SIZE bytes */
    double timeout_s;      /**< 0: none */
} nas_supervisor_task_t;

/** How the trainer ended. */
typedef enum nas_ending {
    NAS_ENDING_EXIT = 0, /**< by itself; code is its exit code */
    NAS_ENDING_SIGNAL,   /**< by a signal, its number in code */
    NAS_ENDING_TIME,     /**< at the time limit */
    NAS_ENDING_NOT_RUN,  /**< the program could not be executed; code is errno */
    NAS_ENDING_LOST      /**< its supervisor was killed; what it left running is unknown */
} nas_ending_t;

/** What came of it. Zero-initialise; end with nas_answer_fini(&answer). */
typedef struct nas_supervision {
    nas_ending_t ending;
    int code;
    nas_answer_t answer; /**< of its standard output */
} nas_supervision_t;

/** Run a trainer to its end, or to that of its time.  Not collective; from the thread that entered
 *  main, and only one at a time. Waits in naps of at most 50 ms and asks `interrupt` after each.
 *  When it returns, nothing of what the trainer started is running, short of what the system cannot
 *  end (hanging in a driver, or of another user): after 30 s of trying, a line in `err` says so.
 *  A trainer whose time is up, or who has left processes running, has 5 s between SIGTERM and
 *  SIGKILL; after an interrupt, or where this process ends, 1 s.
 *  supervision [out] the caller's.
 *  NAS_ESTOP: interrupted. NAS_EIO: no process or pipe is to be had. NAS_ENOMEM. */
nas_status_t nas_supervisor_run(const nas_supervisor_task_t *task, const nas_interrupt_t *interrupt,
                                nas_supervision_t *supervision, nas_error_t *err);

#endif
