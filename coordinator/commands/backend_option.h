/* The option --backend of the commands that compute networks without a job. */
#ifndef NAS_COORDINATOR_COMMANDS_BACKEND_OPTION_H
#define NAS_COORDINATOR_COMMANDS_BACKEND_OPTION_H

#include "coordinator/commands/command.h"
#include "worker/engine/backends/backend.h"

/** The backend of this name, with the largest instruction set of this machine; NULL: the best that
 *  is built in. Sets the libraries to one thread.
 *  NAS_EARG: no such backend, or not built in. */
nas_status_t nas_backend_option(const nas_cli_command_t *command, const char *name,
                                const nas_backend_t **backend_p, nas_error_t *err);

#endif
