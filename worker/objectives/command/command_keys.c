/* The job's keys about the user's own program. */
#include "worker/objectives/command/objective_command.h"

static const nas_job_field_t fields[] = {
    {.key = "objective.minimise"},
    {.key = "objective.report"},
    {.key = "objective.command",
     .type = NAS_JOB_ARGUMENTS,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(nas_command_keys_t, command),
     .doc =
         "The program and its arguments, of which `{arch}`, `{index}`, `{seed}`, `{work}`, `{device}` and `{job}` are replaced. No shell."},
    {.key = "objective.timeout",
     .type = NAS_JOB_FLOAT,
     .affects = NAS_JOB_AFFECTS_NOTHING,
     .search_only = true,
     .own = true,
     .offset = offsetof(nas_command_keys_t, timeout_s),
     .initial = "0",
     .most = 1e8,
     .doc = "Seconds after which a try of it is ended and has failed; 0: none."},
    {.key = "objective.retries",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_AFFECTS_NOTHING,
     .search_only = true,
     .own = true,
     .offset = offsetof(nas_command_keys_t, retries),
     .initial = "0",
     .most = 100,
     .doc = "Tries after the first one that failed, before the architecture counts as failed."},
    {.key = "objective.patience",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_AFFECTS_NOTHING,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.patience),
     .initial = "3",
     .most = 1e9,
     .doc =
         "Failed evaluations after which a run gives up where none has succeeded; 0: it never does."},
};

const nas_job_section_t nas_objective_keys_command = {
    .key = "objective.kind",
    .name = "command",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .n_bytes = sizeof(nas_command_keys_t),
};

const nas_command_keys_t *nas_job_command(const nas_job_t *job)
{
    return nas_job_values(job, &nas_objective_keys_command);
}
