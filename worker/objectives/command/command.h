/* The user's own trainer: a program that is told an architecture and answers with a score.
 *
 * docs/command.md is the user's side of it. A trainer runs under a supervisor, a process forked off
 * the rank that keeps its time limit, saves what it prints, and ends everything that it started,
 * also what has left its session (the supervisor is a subreaper). The supervisor ends when the rank
 * does, so that no trainer outlives a job. It calls nothing of MPI.
 */
#ifndef NAS_WORKER_OBJECTIVES_COMMAND_COMMAND_H
#define NAS_WORKER_OBJECTIVES_COMMAND_COMMAND_H

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/strings.h"
#include "worker/candidates/candidate.h"

#include <stdbool.h>
#include <stdint.h>

/** How the trainer is run. Borrowed for the call. */
typedef struct nas_command {
    const nas_strings_t *argument; /**< program and arguments; {arch}, {index}, {seed}, {work},
                                        {device} and {job} in them are replaced, {{ and }} are
                                        braces; no shell */
    const char *job_folder;        /**< {job}: the folder of the job file */
    int device;                    /**< {device}: the rank's number on its host */
    double timeout_s;              /**< of one try; 0: none */
    int64_t retries;               /**< tries after the first that failed */
    bool goes_on;                  /**< a try was interrupted in the folder {work} */
    const nas_strings_t *columns;  /**< names of the numbers to take from "columns" */
} nas_command_t;

/** Check placeholders and that the program is there (in PATH, or as a path), before any work.
 *  Not collective.
 *  NAS_EINPUT: an unknown placeholder, with the known ones; an unpaired brace; no such program, or
 *  one that may not be run. The text has no place in front: it is for the job's objective.command.
 *  */
nas_status_t nas_command_check(const nas_command_t *command, nas_error_t *err);

/** Evaluate a candidate: try after try until one answers.  Not collective. Waits in short naps and
 *  asks `interrupt` meanwhile.
 *  stem [in] beginning of the paths of what is kept: STEM.out and STEM.err, what the last try
 *  printed, at most 16 MiB each (a line says where more was dropped); STEM.work, the folder {work},
 *  made empty for every try and removed after the last one that failed. With command->goes_on it
 *  is first given as it is, so that a trainer can take up its own checkpoint; if that fails, which
 *  may be what was left there, it does not count as a try.
 *  outcome [out] the caller's. A trainer that fails is an outcome with status NAS_EVAL_FAILED and a
 *  reason that names how: exit code, signal, time limit, no answer, not JSON, no finite score; its
 *  cost is NaN.
 *  The answer is the last line of standard output that is a JSON object with `score`, a finite
 *  number, and optionally `cost`, a finite number >= 0, and `columns`, an object of numbers or
 *  nulls; other keys, and other lines, are ignored (nas_answer_t).
 *  NAS_ESTOP: interrupted; everything that ran has been ended, nothing of it is an outcome.
 *  NAS_EIO: no process is to be had, or STEM's folder cannot be written; NAS_ENOMEM. */
nas_status_t nas_command_evaluate(const nas_command_t *command, const nas_candidate_t *candidate,
                                  const char *stem, const nas_interrupt_t *interrupt,
                                  nas_outcome_t *outcome, nas_error_t *err);

#endif
