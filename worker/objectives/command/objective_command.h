/* The objective of the user's own program: candidates are given to it one by one (command.h). */
#ifndef NAS_WORKER_OBJECTIVES_COMMAND_OBJECTIVE_COMMAND_H
#define NAS_WORKER_OBJECTIVES_COMMAND_OBJECTIVE_COMMAND_H

#include "worker/candidates/objective.h"

extern const nas_objective_kind_t nas_objective_kind_command;
extern const nas_job_section_t nas_objective_keys_command;

/** What a job's objective.* say about the program. */
typedef struct nas_command_keys {
    nas_strings_t command; /**< program and arguments, placeholders as written */
    double timeout_s;      /**< 0: none */
    int64_t retries;
} nas_command_keys_t;

/** Those of a job; borrowed. */
const nas_command_keys_t *nas_job_command(const nas_job_t *job);

#endif
