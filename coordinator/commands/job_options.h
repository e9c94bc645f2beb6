/* Options of the commands that take a job. */
#ifndef NAS_COORDINATOR_COMMANDS_JOB_OPTIONS_H
#define NAS_COORDINATOR_COMMANDS_JOB_OPTIONS_H

#include "common/base/error.h"
#include "coordinator/commands/command.h"

#include <stdbool.h>
#include <stddef.h>

/** Texts are borrowed from argv; end with nas_job_options_fini. */
typedef struct nas_job_options {
    const char *job;
    const char **set; /**< [n_set] owned array */
    size_t n_set;
    char *device; /**< "device=NAME", one of `set`; NULL: not given; owned */
    bool help;
    bool resume; /**< search and score, as is fresh */
    bool fresh;
    bool retry_failed; /**< search; with resume only */
    const char *reuse; /**< search and score; NULL: not given */
    int n_ranks;       /**< check, as are score and schema */
    bool score;
    bool schema;
} nas_job_options_t;

/** Parse argv of `search`, `score` or `check`.  NAS_EARG, NAS_ENOMEM. */
nas_status_t nas_job_options_parse(const nas_cli_command_t *command, int argc, char **argv,
                                   nas_job_options_t *options, nas_error_t *err);

void nas_job_options_fini(nas_job_options_t *options);

#endif
