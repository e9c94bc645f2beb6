/* The options --device and --backend of the commands that compute networks without a job. */
#ifndef NAS_COORDINATOR_COMMANDS_DEVICE_OPTION_H
#define NAS_COORDINATOR_COMMANDS_DEVICE_OPTION_H

#include "coordinator/commands/command.h"
#include "worker/engine/device/device.h"

/** What the two options say; NULL: not given. */
typedef struct nas_device_words {
    const char *device;  /**< NULL: the CPU where a backend is named, else as "auto" */
    const char *backend; /**< of the CPU; NULL: the best that is built in */
} nas_device_words_t;

/** Open the device that they mean, a CPU with the largest instruction set of this machine; auto: a
 *  GPU where there is one. Sets the libraries to one thread.  Not collective.
 *  The caller owns *device_p.
 *  NAS_EARG: no such device or backend, one that is not built in, or two that exclude each other.
 *  Errors of nas_device_open. */
nas_status_t nas_device_option(const nas_cli_command_t *command, const nas_device_words_t *words,
                               nas_device_t **device_p, nas_error_t *err);

#endif
