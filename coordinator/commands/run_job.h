/* Running a job on all ranks: what `search` and `score` share. */
#ifndef NAS_COORDINATOR_COMMANDS_RUN_JOB_H
#define NAS_COORDINATOR_COMMANDS_RUN_JOB_H

#include "common/job/job.h"
#include "coordinator/commands/command.h"

/** Run a command that takes a job under MPI: options, stages, report. Returns the process's exit
 *  code. */
int nas_cli_run_job(const nas_cli_command_t *command, nas_job_purpose_t purpose, int argc,
                    char **argv);

#endif
