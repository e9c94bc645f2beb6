/* `check` and `score` of ONNX files in place of a job. */
#ifndef NAS_COORDINATOR_COMMANDS_NETWORKS_H
#define NAS_COORDINATOR_COMMANDS_NETWORKS_H

#include "coordinator/commands/command.h"

#include <stdbool.h>

/** Whether the arguments of a command name an ONNX file before any other. */
bool nas_cli_names_networks(int argc, char **argv);

/** Run the command on them: count each, and where `measures` compute its metrics.  Prints its own
 *  error; the process's exit code. */
int nas_cli_run_networks(const nas_cli_command_t *command, bool measures, int argc, char **argv);

#endif
