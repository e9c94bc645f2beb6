#include "worker/objectives/command/objective_command.h"

#include "common/base/log.h"
#include "worker/candidates/candidate_file.h"
#include "worker/objectives/command/command.h"
#include "worker/objectives/command/output.h"

#include <stdlib.h>
#include <string.h>

/* What travels, before the arguments. */
typedef struct parameters {
    double timeout_s;
    int64_t retries;
    int64_t n_arguments;
} parameters_t;

typedef struct objective {
    const nas_objective_setup_t *setup;
    nas_strings_t argument;
    nas_command_t command;
} objective_t;

/* ----------------------------------------------------------------------------------- on rank 0 */

/* Whatever can be known of the user's trainer before it runs. */
static nas_status_t check(const nas_objective_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    nas_error_t reason = {0};
    const nas_command_t command = {.argument = &nas_job_command(job)->command,
                                   .job_folder = job->folder,
                                   .columns = &job->objective.report};
    const nas_status_t status = nas_command_check(&command, &reason);
    if (status == NAS_EINPUT)
        return nas_job_error(job, "objective.command", err, "%s", reason.text);
    if (status) *err = reason;
    return status;
}

/* There is no shell that would replace what shells do. */
static nas_status_t note(const nas_objective_inputs_t *inputs, nas_strings_t *notes,
                         nas_error_t *err)
{
    const nas_strings_t *argument = &nas_job_command(inputs->job)->command;
    nas_status_t status = NAS_OK;
    for (size_t i = 1; !status && i < argument->n; i++) {
        const char *text = argument->at[i];
        if (strcmp(text, "-c") == 0) break; /* a script follows */
        if (text[0] != '~' && !strchr(text, '$')) continue;
        char *line = nas_string_format(
            err,
            "objective.command: the argument %.80s is passed on as it stands; no shell replaces anything in it",
            text);
        status = line ? nas_strings_add(notes, line, strlen(line), err) : NAS_ENOMEM;
        free(line);
    }
    return status;
}

static nas_status_t pack(const nas_job_t *job, nas_buffer_t *buffer, nas_error_t *err)
{
    const nas_command_keys_t *keys = nas_job_command(job);
    const parameters_t parameters = {.timeout_s = keys->timeout_s,
                                     .retries = keys->retries,
                                     .n_arguments = (int64_t)keys->command.n};
    nas_status_t status = nas_buffer_put(buffer, &parameters, sizeof parameters, err);
    for (size_t i = 0; i < keys->command.n && !status; i++) {
        const char *text = keys->command.at[i];
        status = nas_buffer_put(buffer, text, strlen(text) + 1, err);
    }
    return status;
}

/* ------------------------------------------------------------------------------- on every rank */

static nas_status_t take_arguments(objective_t *objective, nas_error_t *err)
{
    const char *at = objective->setup->packed;
    const parameters_t *parameters = nas_buffer_take(&at, sizeof *parameters);
    nas_status_t status = NAS_OK;
    for (int64_t i = 0; i < parameters->n_arguments && !status; i++) {
        const char *text = nas_buffer_take(&at, strlen(at) + 1);
        status = nas_strings_add(&objective->argument, text, strlen(text), err);
    }
    objective->command = (nas_command_t){.argument = &objective->argument,
                                         .job_folder = objective->setup->job_folder,
                                         .device = nas_comm_local_rank(objective->setup->world),
                                         .timeout_s = parameters->timeout_s,
                                         .retries = parameters->retries,
                                         .columns = objective->setup->columns};
    return status;
}

static void destroy(void *self)
{
    objective_t *objective = self;
    if (!objective) return;
    nas_strings_fini(&objective->argument);
    free(objective);
}

static nas_status_t create(const nas_objective_setup_t *setup, void **self_p, nas_error_t *err)
{
    objective_t *objective = calloc(1, sizeof *objective);
    nas_status_t status = objective ? NAS_OK : nas_error_nomem(err, "the command");
    if (objective) {
        objective->setup = setup;
        status = take_arguments(objective, err);
    }
    status = nas_comm_agree(setup->world, status, err);
    if (status)
        destroy(objective);
    else
        *self_p = objective;
    return status;
}

/* A file that says that a try has begun: what the trainer leaves in its folder until the outcome is
 * known is for the next one to go on with. Without it that begins anew. */
static nas_status_t note_begin(const char *stem, const nas_candidate_record_t *record,
                               nas_error_t *err)
{
    const nas_status_t status = nas_candidate_write(stem, record, err);
    return status == NAS_EIO ? NAS_OK : status;
}

/* A trainer beside this one may have filled the disk, and its folder is removed when it fails; so
 * an answer that cannot be saved counts all the same. If the state file, which is next, cannot be
 * written either, the run ends. */
static nas_status_t save(const char *stem, nas_candidate_record_t *record,
                         const nas_outcome_t *outcome, nas_error_t *err)
{
    nas_error_t unsaved = {0};
    record->done = true;
    record->outcome = *outcome;
    const nas_status_t status = nas_candidate_write(stem, record, &unsaved);
    if (status == NAS_EIO) {
        nas_log_line_of_rank("not saved until the next save of the run: %s", unsaved.text);
        return NAS_OK;
    }
    if (status) *err = unsaved;
    return status;
}

/* Found in the candidate's file, or else made now and saved there. */
static nas_status_t evaluate(void *self, const nas_objective_work_t *work, nas_outcome_t *outcome,
                             nas_error_t *err)
{
    const objective_t *objective = self;
    const nas_candidate_t *candidate = work->candidate[0];
    const char *stem = work->stem[0];
    const nas_objective_setup_t *setup = objective->setup;
    nas_candidate_record_t record = {.candidate = *candidate,
                                     .run = setup->run,
                                     .generation = setup->generation,
                                     .n_goals = setup->n_goals,
                                     .n_columns = (int64_t)setup->columns->n};
    nas_error_t damaged = {0};
    bool found = false;
    nas_status_t status = nas_candidate_read(stem, &record, &found, &damaged);
    if (status && status != NAS_EINPUT) {
        *err = damaged;
        return status;
    }
    if (!status && found && record.done) {
        *outcome = record.outcome;
        return NAS_OK;
    }
    nas_candidate_record_fini(&record);
    if (status) nas_log_line_of_rank("%s; it is evaluated anew", damaged.text);
    nas_command_t command = objective->command;
    command.goes_on = !status && found;
    status = command.goes_on ? NAS_OK : note_begin(stem, &record, err);
    if (!status)
        status = nas_command_evaluate(&command, candidate, stem, work->interrupt, outcome, err);
    return status ? status : save(stem, &record, outcome, err);
}

const nas_objective_kind_t nas_objective_kind_command = {
    .name = "command",
    .output = NAS_OUTPUT_ERR,
    .keys = &nas_objective_keys_command,
    .check = check,
    .note = note,
    .pack = pack,
    .create = create,
    .evaluate = evaluate,
    .destroy = destroy,
};
