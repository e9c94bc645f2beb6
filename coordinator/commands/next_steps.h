/* What to do after a run: the end of its log names the next commands. */
#ifndef NAS_COORDINATOR_COMMANDS_NEXT_STEPS_H
#define NAS_COORDINATOR_COMMANDS_NEXT_STEPS_H

#include "common/base/error.h"
#include "coordinator/commands/command.h"
#include "coordinator/commands/job_options.h"
#include "coordinator/run/run.h"

#include <stdio.h>

/** Print commands for a shell, a line each with what it is for: of a finished search or scoring run
 *  (NAS_OK) the three that follow, of a stopped one (NAS_ESTOP) how it goes on; nothing after any
 *  other end, and of a stop nothing under the scripts of slurm/, which say it themselves.
 *  Coordinator only.
 *  command: the one that ran with options; run: still open. */
void nas_next_steps_print(const nas_cli_command_t *command, const nas_job_options_t *options,
                          const nas_run_t *run, nas_status_t status, FILE *out);

#endif
