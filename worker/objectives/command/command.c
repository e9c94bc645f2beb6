#include "worker/objectives/command/command.h"

#include "common/io/file.h"
#include "worker/objectives/command/arguments.h"
#include "worker/objectives/command/output.h"
#include "worker/objectives/command/supervisor.h"
#include "worker/objectives/command/work_folder.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NUMBER_SIZE = 24 /* of an integer's text */ };

/* A path that a trainer finds from any working directory; *absolute_p is the caller's (free). */
static nas_status_t make_absolute(const char *path, char **absolute_p, nas_error_t *err)
{
    char folder[PATH_MAX] = "";
    const bool relative = *path != '/';
    if (relative && !getcwd(folder, sizeof folder))
        return nas_error_set(err, NAS_EIO, "no path of the working directory: %s", strerror(errno));
    *absolute_p = nas_string_format(err, "%s%s%s", folder, relative && *path ? "/" : "", path);
    return *absolute_p ? NAS_OK : NAS_ENOMEM;
}

/* ---------------------------------------------------------------------------------- check */

/* Whether the placeholders are known, each of them having some text. */
static nas_status_t check_placeholders(const nas_strings_t *argument, nas_error_t *err)
{
    const nas_placeholder_texts_t texts = {.at = {"", "", "", "", "", ""}};
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < argument->n && !status; i++) {
        char *text = NULL;
        status = nas_argument_expand(argument->at[i], &texts, &text, err);
        free(text);
    }
    return status;
}

nas_status_t nas_command_check(const nas_command_t *command, nas_error_t *err)
{
    char device[NUMBER_SIZE];
    char *job = NULL, *program = NULL;
    if (command->argument->n == 0)
        return nas_error_set(err, NAS_EINPUT, "is empty; expected a program and its arguments");
    nas_status_t status = check_placeholders(command->argument, err);
    if (!status) status = make_absolute(command->job_folder, &job, err);
    if (status) return status;
    (void)snprintf(device, sizeof device, "%d", command->device);
    /* What is known of every candidate: one program for all of them can be looked for now. */
    nas_placeholder_texts_t texts = {0};
    texts.at[NAS_PLACEHOLDER_DEVICE] = device;
    texts.at[NAS_PLACEHOLDER_JOB] = job;
    status = nas_argument_expand(command->argument->at[0], &texts, &program, err);
    if (!status) status = nas_argument_find_program(program, err);
    free(program);
    free(job);
    return status;
}

/* ---------------------------------------------------------------------------------- trial */

/* A candidate's trainer, ready to run as often as it takes. */
typedef struct trial {
    const nas_command_t *command;
    const nas_interrupt_t *interrupt;
    char *out; /* paths */
    char *err;
    char *work;
    char **argument; /* NULL at the end */
} trial_t;

static void trial_fini(trial_t *trial)
{
    for (char **argument = trial->argument; argument && *argument; argument++) free(*argument);
    free(trial->argument);
    free(trial->out);
    free(trial->err);
    free(trial->work);
}

static nas_status_t expand_arguments(trial_t *trial, const nas_candidate_t *candidate,
                                     const char *job, nas_error_t *err)
{
    const nas_strings_t *argument = trial->command->argument;
    char index[NUMBER_SIZE], seed[NUMBER_SIZE], device[NUMBER_SIZE];
    (void)snprintf(index, sizeof index, "%lld", (long long)candidate->arch);
    (void)snprintf(seed, sizeof seed, "%llu", (unsigned long long)candidate->seed);
    (void)snprintf(device, sizeof device, "%d", trial->command->device);
    const nas_placeholder_texts_t texts = {.at = {[NAS_PLACEHOLDER_ARCH] = candidate->name,
                                                  [NAS_PLACEHOLDER_INDEX] = index,
                                                  [NAS_PLACEHOLDER_SEED] = seed,
                                                  [NAS_PLACEHOLDER_WORK] = trial->work,
                                                  [NAS_PLACEHOLDER_DEVICE] = device,
                                                  [NAS_PLACEHOLDER_JOB] = job}};
    trial->argument = calloc(argument->n + 1, sizeof *trial->argument);
    if (!trial->argument) return nas_error_nomem(err, "a trainer's arguments");
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < argument->n && !status; i++)
        status = nas_argument_expand(argument->at[i], &texts, &trial->argument[i], err);
    return status;
}

static nas_status_t trial_init(trial_t *trial, const nas_candidate_t *candidate, const char *stem,
                               nas_error_t *err)
{
    char *whole = NULL, *job = NULL;
    nas_status_t status = make_absolute(stem, &whole, err);
    if (!status) status = make_absolute(trial->command->job_folder, &job, err);
    if (!status) status = nas_file_make_parent(whole, err);
    if (status) goto out;
    trial->out = nas_file_sibling(whole, NAS_OUTPUT_OUT, err);
    trial->err = nas_file_sibling(whole, NAS_OUTPUT_ERR, err);
    trial->work = nas_file_sibling(whole, ".work", err);
    status = trial->out && trial->err && trial->work ? NAS_OK : NAS_ENOMEM;
    if (!status) status = expand_arguments(trial, candidate, job, err);
out:
    free(whole);
    free(job);
    return status;
}

/* -------------------------------------------------------------------------------- one try */

static nas_status_t supervise(const trial_t *trial, nas_supervision_t *supervision,
                              nas_error_t *err)
{
    nas_supervisor_task_t task = {
        .argument = trial->argument, .out = -1, .err = -1, .timeout_s = trial->command->timeout_s};
    nas_status_t status = nas_file_create(trial->out, &task.out, err);
    if (!status) status = nas_file_create(trial->err, &task.err, err);
    if (!status) status = nas_supervisor_run(&task, trial->interrupt, supervision, err);
    if (task.out >= 0) (void)close(task.out);
    if (task.err >= 0) (void)close(task.err);
    return status;
}

/* Say how a trainer ended that did not end well. */
static void describe(const trial_t *trial, const nas_supervision_t *supervision,
                     nas_outcome_t *outcome)
{
    const int code = supervision->code;
    switch (supervision->ending) {
    case NAS_ENDING_EXIT:
        nas_outcome_fail(outcome, "exit code %d", code);
        break;
    case NAS_ENDING_SIGNAL:
        nas_outcome_fail(outcome, "ended by signal %d (%s)", code, strsignal(code));
        break;
    case NAS_ENDING_TIME:
        nas_outcome_fail(outcome, "time limit of %g s", trial->command->timeout_s);
        break;
    case NAS_ENDING_NOT_RUN:
        nas_outcome_fail(outcome, "cannot run %.100s: %s", trial->argument[0], strerror(code));
        break;
    case NAS_ENDING_LOST:
        nas_outcome_fail(outcome, "its supervisor was killed (signal %d)", code);
        break;
    }
}

/* goes_on: in the folder of a try that was interrupted. */
static nas_status_t try_once(const trial_t *trial, bool goes_on, nas_outcome_t *outcome,
                             nas_error_t *err)
{
    static const nas_answer_t none = {0};
    nas_supervision_t supervision = {0};
    nas_status_t status = nas_work_folder_make(trial->work, goes_on, err);
    if (!status) status = supervise(trial, &supervision, err);
    if (status) return status;
    const bool good = supervision.ending == NAS_ENDING_EXIT && supervision.code == 0;
    status =
        nas_answer_read(good ? &supervision.answer : &none, trial->command->columns, outcome, err);
    if (!status && !good) describe(trial, &supervision, outcome);
    nas_answer_fini(&supervision.answer);
    return status;
}

/* ------------------------------------------------------------------------------------ all tries */

/* A failure may be part of what interrupts: a signal that was meant for all processes of a job
 * reaches the trainer first. */
static nas_status_t check_interrupt(const trial_t *trial, nas_error_t *err)
{
    if (!nas_interrupted(trial->interrupt, 0)) return NAS_OK;
    return nas_error_set(err, NAS_ESTOP, "stopped after a trainer had failed");
}

static nas_status_t try_often(const trial_t *trial, nas_outcome_t *outcome, nas_error_t *err)
{
    const int64_t n_tries = trial->command->retries + 1;
    bool goes_on = trial->command->goes_on;
    for (int64_t n_failed = 0; n_failed < n_tries;) {
        nas_outcome_fini(outcome);
        nas_status_t status = try_once(trial, goes_on, outcome, err);
        if (status || outcome->status == NAS_EVAL_OK) return status;
        status = check_interrupt(trial, err);
        if (status) return status;
        n_failed += !goes_on;
        goes_on = false;
    }
    if (n_tries > 1) {
        char reason[NAS_REASON_SIZE];
        (void)snprintf(reason, sizeof reason, "%.200s", outcome->reason);
        nas_outcome_fail(outcome, "%s (%lld tries)", reason, (long long)n_tries);
    }
    return NAS_OK;
}

nas_status_t nas_command_evaluate(const nas_command_t *command, const nas_candidate_t *candidate,
                                  const char *stem, const nas_interrupt_t *interrupt,
                                  nas_outcome_t *outcome, nas_error_t *err)
{
    trial_t trial = {.command = command, .interrupt = interrupt};
    nas_outcome_t found = {0};
    nas_status_t status = trial_init(&trial, candidate, stem, err);
    if (!status) status = try_often(&trial, &found, err);
    /* What cannot be removed now is in nobody's way until the candidate is evaluated again. */
    if (!status && found.status == NAS_EVAL_FAILED) (void)nas_work_folder_remove(trial.work, NULL);
    if (status)
        nas_outcome_fini(&found);
    else
        *outcome = found;
    trial_fini(&trial);
    return status;
}
