#include "worker/objectives/train/trainee.h"

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/io/file.h"
#include "worker/engine/program/op.h"
#include "worker/engine/program/program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool leads(const nas_trainee_t *trainee)
{
    return nas_comm_rank(trainee->options->team) == 0;
}

/* ------------------------------------------------------------------------------ life and death */

/* What no kernel computes is found before anything is trained. */
static nas_status_t check_computed(const nas_trainee_t *trainee, nas_error_t *err)
{
    nas_program_t *program = NULL;
    const nas_program_options_t options = {.layout = nas_device_layout(trainee->options->device),
                                           .graph = trainee->fresh.graph,
                                           .batch = 1,
                                           .needs = NAS_NEED_LOSS | NAS_NEED_GRADIENT};
    const nas_status_t status = nas_program_create(&options, &program, err);
    nas_program_destroy(program);
    return status;
}

static nas_status_t make_network(nas_trainee_t *trainee, nas_error_t *err)
{
    const nas_trainer_options_t *o = trainee->options;
    const nas_candidate_t *candidate = trainee->task->candidate;
    nas_networks_t *networks = o->networks;
    int64_t number = 0;
    nas_status_t status = networks->find(networks, candidate->arch, candidate->name, &number, err);
    if (!status) status = networks->make(networks, number, &o->network, &trainee->fresh, err);
    return status ? status : check_computed(trainee, err);
}

/* The leader first: what a program of the user's writes, it writes once, and all have the same. */
static nas_status_t make_networks(nas_trainee_t *trainee, nas_error_t *err)
{
    nas_comm_t *team = trainee->options->team;
    nas_status_t status =
        nas_comm_agree(team, leads(trainee) ? make_network(trainee, err) : NAS_OK, err);
    if (status) return status;
    status = leads(trainee) ? NAS_OK : make_network(trainee, err);
    return nas_comm_agree(team, status, err);
}

/* Nothing is saved of it: it is found again as quickly. */
static nas_status_t fail(nas_trainee_t *trainee, const nas_error_t *reason, nas_error_t *err)
{
    const size_t n_columns = (size_t)trainee->n_columns;
    const size_t n_curve = (size_t)trainee->options->recipe.epochs * NAS_CURVE_COLUMNS;
    nas_outcome_t *outcome = &trainee->outcome;
    trainee->stage = NAS_TRAINEE_DONE;
    if (!leads(trainee)) return NAS_OK;
    outcome->columns = malloc(n_columns * sizeof *outcome->columns);
    outcome->curve = malloc(n_curve * sizeof *outcome->curve);
    if (!outcome->columns || !outcome->curve) return nas_error_nomem(err, "an outcome");
    for (size_t i = 0; i < n_columns; i++) outcome->columns[i] = NAN;
    for (size_t i = 0; i < n_curve; i++) outcome->curve[i] = NAN;
    nas_outcome_fail(outcome, "%s", reason->text);
    outcome->cost = 0;
    return NAS_OK;
}

nas_status_t nas_trainee_build(nas_trainee_t *trainee, nas_error_t *err)
{
    const nas_trainer_options_t *o = trainee->options;
    nas_error_t reason = {0};
    nas_status_t status = make_networks(trainee, &reason);
    if (status == NAS_EARG || status == NAS_EINPUT || status == NAS_EIO)
        return nas_comm_agree(o->team, fail(trainee, &reason, err), err);
    if (status) {
        *err = reason;
        return status;
    }
    status = nas_split_make(o->dataset, &o->recipe, trainee->task->candidate->seed, &trainee->split,
                            err);
    return nas_comm_agree(o->team, status, err);
}

nas_training_options_t nas_trainee_options(const nas_trainee_t *trainee, nas_engine_t *engine,
                                           const nas_interrupt_t *interrupt)
{
    const nas_trainer_options_t *o = trainee->options;
    return (nas_training_options_t){.team = o->team,
                                    .engine = engine,
                                    .graph = trainee->fresh.graph,
                                    .arch = trainee->task->candidate->name,
                                    .seed = trainee->task->candidate->seed,
                                    .weights = trainee->fresh.weights,
                                    .parameters = trainee->fresh.parameters,
                                    .statistics = trainee->fresh.statistics,
                                    .recipe = &o->recipe,
                                    .dataset = o->dataset,
                                    .split = &trainee->split,
                                    .interrupt = interrupt};
}

void nas_trainee_leave(nas_trainee_t *trainee)
{
    nas_training_destroy(trainee->training);
    trainee->training = NULL;
}

void nas_trainee_fini(nas_trainee_t *trainee)
{
    nas_trainee_leave(trainee);
    nas_split_fini(&trainee->split);
    nas_fresh_network_fini(&trainee->fresh);
    nas_candidate_record_fini(&trainee->found);
    free(trainee->onnx);
    nas_outcome_fini(&trainee->outcome);
}

/* --------------------------------------------------------------------------------------- begin */

/* Look into the candidate's file; a damaged one is as good as none. */
static nas_status_t read_file(nas_trainee_t *trainee, nas_error_t *err)
{
    const nas_trainer_options_t *o = trainee->options;
    nas_error_t reason = {0};
    trainee->found = (nas_candidate_record_t){.candidate = *trainee->task->candidate,
                                              .run = o->run,
                                              .generation = o->generation,
                                              .n_goals = 1,
                                              .n_columns = trainee->n_columns,
                                              .n_epochs = o->recipe.epochs};
    const nas_status_t status =
        nas_candidate_read(trainee->task->stem, &trainee->found, &trainee->is_found, &reason);
    if (status == NAS_EINPUT) {
        nas_log_line_of_rank("%s; it is trained anew", reason.text);
        trainee->is_found = false;
        return NAS_OK;
    }
    if (status) *err = reason;
    return status;
}

nas_status_t nas_trainee_look(nas_trainee_t *trainee, nas_error_t *err)
{
    nas_comm_t *team = trainee->options->team;
    nas_status_t status = NAS_OK;
    int64_t done = 0;
    if (leads(trainee)) {
        status = read_file(trainee, err);
        done = !status && trainee->is_found && trainee->found.done;
    }
    status = nas_comm_agree(team, status, err);
    if (status) return status;
    nas_comm_bcast(team, 0, &done, sizeof done);
    if (!done) return NAS_OK;
    trainee->stage = NAS_TRAINEE_DONE;
    trainee->outcome = trainee->found.outcome;
    trainee->found.outcome = (nas_outcome_t){0};
    return NAS_OK;
}

/* Put what was saved into the training, where it fits. */
static bool take_up(nas_trainee_t *trainee)
{
    const nas_candidate_record_t *r = &trainee->found;
    nas_training_state_t *state = nas_training_state(trainee->training);
    const size_t n_values = (size_t)trainee->fresh.graph->n_values,
                 n_statistics = (size_t)trainee->fresh.graph->n_statistics;
    if (r->parameters.n != trainee->fresh.graph->n_values || r->velocity.n != r->parameters.n ||
        r->statistics.n != trainee->fresh.graph->n_statistics || r->step > trainee->n_steps ||
        !r->outcome.curve)
        return false;
    memcpy(state->parameter, r->parameters.at, n_values * sizeof(double));
    memcpy(state->velocity, r->velocity.at, n_values * sizeof(double));
    memcpy(state->statistics, r->statistics.at, n_statistics * sizeof(double));
    memcpy(state->epoch, r->outcome.curve, (size_t)r->n_epochs * sizeof *state->epoch);
    state->step = r->step;
    state->loss_sum = r->loss_sum;
    return true;
}

static nas_trainee_stage_t stage_behind_steps(const nas_trainee_t *trainee)
{
    if (trainee->step < trainee->n_steps) return NAS_TRAINEE_STEPS;
    return trainee->n_columns > 2 ? NAS_TRAINEE_TEST : NAS_TRAINEE_OUTCOME;
}

/* Whether the epoch that ends with the step that was saved had still to be validated. */
static bool lacks_validation(const nas_trainee_t *trainee)
{
    const nas_candidate_record_t *r = &trainee->found;
    const int64_t n_steps = nas_training_steps(trainee->training);
    if (r->step == 0 || r->step % n_steps != 0) return false;
    const double *epoch = r->outcome.curve + (r->step / n_steps - 1) * NAS_CURVE_COLUMNS;
    return isnan(epoch[NAS_CURVE_VALID_ACCURACY]);
}

void nas_trainee_begin(nas_trainee_t *trainee)
{
    nas_comm_t *team = trainee->options->team;
    struct {
        int64_t resumes, step, unvalidated;
    } start = {0};
    trainee->n_steps = trainee->options->recipe.epochs * nas_training_steps(trainee->training);
    if (leads(trainee) && trainee->is_found && take_up(trainee)) {
        start.resumes = true;
        start.step = trainee->found.step;
        start.unvalidated = lacks_validation(trainee);
    }
    nas_comm_bcast(team, 0, &start, sizeof start);
    if (start.resumes) nas_training_resume(trainee->training);
    trainee->step = start.step;
    trainee->stage = start.unvalidated ? NAS_TRAINEE_VALIDATION : stage_behind_steps(trainee);
}

/* ------------------------------------------------------------------------------------- saving */

/* A curve is an array of epochs, number by number. */
_Static_assert(sizeof(nas_epoch_t) == NAS_CURVE_COLUMNS * sizeof(double), "an epoch is a row");

/* The epochs so far, NaN behind them; the caller frees it. A step that diverged is none. */
static double *make_curve(const nas_trainee_t *trainee, nas_error_t *err)
{
    const int64_t n_epochs = trainee->options->recipe.epochs;
    const nas_training_state_t *state = nas_training_state(trainee->training);
    const int64_t n_done = state->step / nas_training_steps(trainee->training) -
                           (trainee->stage == NAS_TRAINEE_VALIDATION);
    double *curve = malloc((size_t)(n_epochs * NAS_CURVE_COLUMNS) * sizeof *curve);
    if (!curve) {
        (void)nas_error_nomem(err, "a training's curve");
        return NULL;
    }
    memcpy(curve, state->epoch, (size_t)n_done * sizeof(nas_epoch_t));
    for (int64_t i = n_done * NAS_CURVE_COLUMNS; i < n_epochs * NAS_CURVE_COLUMNS; i++)
        curve[i] = NAN;
    return curve;
}

/* outcome: once it is known, NULL before. */
static nas_status_t write_file(nas_trainee_t *trainee, const nas_outcome_t *outcome,
                               nas_error_t *err)
{
    const nas_trainer_options_t *o = trainee->options;
    const nas_training_state_t *state = nas_training_state(trainee->training);
    nas_candidate_record_t record = {
        .candidate = *trainee->task->candidate,
        .run = o->run,
        .generation = o->generation,
        .done = outcome != NULL,
        .n_goals = 1,
        .n_columns = trainee->n_columns,
        .n_epochs = o->recipe.epochs,
        .step = state->step,
        .loss_sum = state->loss_sum,
        .parameters = {state->parameter, trainee->fresh.graph->n_values},
        .statistics = {state->statistics, trainee->fresh.graph->n_statistics},
        .velocity = {state->velocity, outcome ? 0 : trainee->fresh.graph->n_values},
        .network = o->network,
        .onnx = trainee->onnx,
        .onnx_content = trainee->onnx_content,
        .mean = {(double *)(uintptr_t)o->dataset->mean, o->network.image_channels},
        .std = {(double *)(uintptr_t)o->dataset->std, o->network.image_channels}};
    if (outcome) record.outcome = *outcome;
    double *curve = outcome ? NULL : make_curve(trainee, err);
    if (!outcome && !curve) return NAS_ENOMEM;
    if (curve) record.outcome.curve = curve;
    const nas_status_t status = nas_candidate_write(trainee->task->stem, &record, err);
    free(curve);
    NAS_FAULT_POINT("training");
    return status;
}

/* -------------------------------------------------------------------------------------- steps */

static nas_status_t engine_failed(const nas_trainee_t *trainee, nas_error_t *err)
{
    const nas_error_t *failure = nas_training_failure(trainee->training);
    return nas_error_set(err, NAS_EIO, "%s", failure->text);
}

/* What an engine did by itself is known afterwards: of a step that diverged, which it was. */
static nas_status_t take_verdict(nas_trainee_t *trainee, nas_training_verdict_t verdict,
                                 nas_error_t *err)
{
    if (verdict == NAS_TRAINING_FAILED) return engine_failed(trainee, err);
    if (verdict != NAS_TRAINING_DIVERGED) return NAS_OK;
    trainee->has_diverged = true;
    trainee->stage = NAS_TRAINEE_OUTCOME;
    trainee->step = nas_training_state(trainee->training)->step + 1;
    return NAS_OK;
}

nas_status_t nas_trainee_stepped(nas_trainee_t *trainee, nas_training_verdict_t verdict,
                                 nas_error_t *err)
{
    trainee->n_stepped++;
    trainee->step++;
    if (verdict == NAS_TRAINING_EPOCH_END) trainee->stage = NAS_TRAINEE_VALIDATION;
    return take_verdict(trainee, verdict, err);
}

nas_status_t nas_trainee_save(nas_trainee_t *trainee, nas_error_t *err)
{
    const nas_status_t status = take_verdict(trainee, nas_training_sync(trainee->training), err);
    return status || trainee->has_diverged ? status : write_file(trainee, NULL, err);
}

/* --------------------------------------------------------------------------------- validation */

static nas_status_t test(nas_trainee_t *trainee, bool *interrupted, nas_error_t *err)
{
    const nas_image_source_t *images = &trainee->options->dataset->test;
    double loss = NAN;
    int64_t *index = malloc((size_t)images->n * sizeof *index);
    nas_status_t status = index ? NAS_OK : nas_error_nomem(err, "the test images");
    status = nas_comm_agree(trainee->options->team, status, err);
    for (int64_t i = 0; !status && i < images->n; i++) index[i] = i;
    if (!status)
        *interrupted = !nas_training_validate_on(trainee->training, images, index, images->n, &loss,
                                                 &trainee->test_accuracy);
    free(index);
    return status;
}

nas_status_t nas_trainee_validate(nas_trainee_t *trainee, bool *interrupted, nas_error_t *err)
{
    const bool is_test = trainee->stage == NAS_TRAINEE_TEST;
    nas_status_t status = NAS_OK;
    if (is_test)
        status = test(trainee, interrupted, err);
    else
        *interrupted = !nas_training_validate(trainee->training);
    if (status) return status;
    if (*interrupted) {
        if (nas_training_failure(trainee->training)->text[0]) status = engine_failed(trainee, err);
        return nas_comm_agree(trainee->options->team, status, err);
    }
    trainee->stage = is_test ? NAS_TRAINEE_OUTCOME : stage_behind_steps(trainee);
    return NAS_OK;
}

/* ------------------------------------------------------------------------------------ outcome */

static double images_seen(const nas_trainee_t *trainee)
{
    return (double)trainee->step * (double)trainee->options->recipe.batch;
}

static void report_failure(const nas_trainee_t *trainee, nas_outcome_t *outcome)
{
    const int64_t n_steps = nas_training_steps(trainee->training), at = trainee->step - 1;
    const int64_t step_of_epoch = at % n_steps + 1, epoch = at / n_steps + 1;
    nas_outcome_fail(outcome, "the loss is not finite in step %lld of epoch %lld",
                     (long long)step_of_epoch, (long long)epoch);
    outcome->cost = images_seen(trainee);
}

static void report_success(const nas_trainee_t *trainee, nas_outcome_t *outcome)
{
    const nas_recipe_t *recipe = &trainee->options->recipe;
    const nas_epoch_t *last = &nas_training_state(trainee->training)->epoch[recipe->epochs - 1];
    outcome->status = NAS_EVAL_OK;
    outcome->value[0] = last->valid_accuracy;
    outcome->cost = images_seen(trainee);
    outcome->columns[0] = last->train_loss;
    outcome->columns[1] = last->valid_loss;
    if (trainee->n_columns > 2) outcome->columns[2] = trainee->test_accuracy;
}

/* For the log alone: reports hold nothing that differs between equal runs. */
static void tell(const nas_trainee_t *trainee)
{
    const double n_images = (double)trainee->n_stepped * (double)trainee->options->recipe.batch;
    const double rate = n_images / trainee->stepping_s;
    char speed[32] = "", beside[32] = ""; /* nothing, where it was resumed behind its last step */
    if (trainee->outcome.status != NAS_EVAL_OK) return;
    if (trainee->n_stepped > 0)
        (void)snprintf(speed, sizeof speed, ", %.*f images/s", rate < 10 ? 2 : 0, rate);
    if (trainee->n_stepped > 0 && trainee->n_at_once > 1)
        (void)snprintf(beside, sizeof beside, ", one of %d at once", trainee->n_at_once);
    nas_log_line_of_rank("%s trained: accuracy %.5g%s%s", trainee->task->candidate->name,
                         trainee->outcome.value[0], speed, beside);
}

static nas_status_t make_outcome(nas_trainee_t *trainee, nas_outcome_t *outcome, nas_error_t *err)
{
    const size_t n_columns = (size_t)trainee->n_columns;
    outcome->columns = malloc(n_columns * sizeof *outcome->columns);
    outcome->curve = make_curve(trainee, err);
    if (!outcome->columns || !outcome->curve) return nas_error_nomem(err, "an outcome");
    for (size_t i = 0; i < n_columns; i++) outcome->columns[i] = NAN;
    if (trainee->has_diverged)
        report_failure(trainee, outcome);
    else
        report_success(trainee, outcome);
    return NAS_OK;
}

/* Which file the parameters are of, for who exports them. A file that is gone by now will be missed
 * there. */
static void note_file(nas_trainee_t *trainee)
{
    nas_error_t ignored = {0};
    const char *file = trainee->fresh.file;
    if (!file || trainee->onnx) return;
    if (!nas_file_digest(file, &trainee->onnx_content, &ignored))
        trainee->onnx = realpath(file, NULL);
}

nas_status_t nas_trainee_conclude(nas_trainee_t *trainee, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    if (leads(trainee)) {
        note_file(trainee);
        status = make_outcome(trainee, &trainee->outcome, err);
        if (!status) status = write_file(trainee, &trainee->outcome, err);
        if (!status) tell(trainee);
    }
    status = nas_comm_agree(trainee->options->team, status, err);
    if (!status) trainee->stage = NAS_TRAINEE_DONE;
    return status;
}

double nas_trainee_share(const nas_trainee_t *trainee)
{
    if (trainee->stage >= NAS_TRAINEE_OUTCOME) return 1;
    return trainee->n_steps > 0 ? (double)trainee->step / (double)trainee->n_steps : 0;
}
