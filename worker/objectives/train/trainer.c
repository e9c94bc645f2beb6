/* One candidate after the other.
 *
 * A training's evaluation on the team: the leader looks into the candidate's file and tells the
 * others whether it is done, where it stands, or that it begins. Then step after step, each
 * preceded by a word of the leader to go on or to stop: it is the leader that is interrupted, and
 * the leader that saves, so that no rank steps alone. What a step finds (the end of an epoch, a
 * loss that is not finite) every rank sees for itself. Validating on many images takes long: there
 * any rank that is interrupted gives up, then all do, and what was found in vain is found again
 * after a restart.
 */
#include "worker/objectives/train/trainer.h"

#include "common/base/checkpoint.h"
#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "worker/candidates/candidate_file.h"
#include "worker/objectives/train/training.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct nas_trainer {
    nas_trainer_options_t options;
    nas_strings_t columns;
};

/* A candidate under way. */
typedef struct evaluation {
    const nas_trainer_t *trainer;
    const nas_candidate_t *candidate;
    const char *stem; /* leader */
    const nas_interrupt_t *interrupt;
    nas_graph_t *graph;
    nas_split_t split;
    nas_engine_t *engine; /* of its own, so that memory goes when it ends */
    nas_training_t *training;
    nas_checkpoint_t checkpoint;
    nas_candidate_record_t found; /* leader: of an earlier start */
    int64_t step;                 /* done, on every rank */
    int64_t n_steps;              /* of all epochs */
    double stepping_s;            /* that steps took since this start of the program */
    int64_t n_stepped;            /* steps in them */
    bool is_done;                 /* found with its outcome */
    bool is_unvalidated;          /* the epoch that ends with this step */
    bool has_diverged;            /* in this step */
} evaluation_t;

/* ------------------------------------------------------------------------------ life and death */

nas_status_t nas_trainer_create(const nas_trainer_options_t *options, nas_trainer_t **trainer_p,
                                nas_error_t *err)
{
    nas_trainer_t *trainer = calloc(1, sizeof *trainer);
    if (!trainer) return nas_error_nomem(err, "the trainer");
    trainer->options = *options;
    const nas_status_t status =
        nas_trainer_columns(&options->recipe, options->dataset->test.n > 0, &trainer->columns, err);
    if (status)
        nas_trainer_destroy(trainer);
    else
        *trainer_p = trainer;
    return status;
}

void nas_trainer_destroy(nas_trainer_t *trainer)
{
    if (!trainer) return;
    nas_strings_fini(&trainer->columns);
    free(trainer);
}

static bool reports_test(const nas_recipe_t *recipe, bool has_test)
{
    return has_test && recipe->validation > 0;
}

nas_status_t nas_trainer_columns(const nas_recipe_t *recipe, bool has_test, nas_strings_t *names,
                                 nas_error_t *err)
{
    static const char *const column[] = {"train_loss", "valid_loss", "test_accuracy"};
    const size_t n = reports_test(recipe, has_test) ? 3 : 2;
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < n && !status; i++)
        status = nas_strings_add(names, column[i], strlen(column[i]), err);
    return status;
}

static bool leads(const evaluation_t *evaluation)
{
    return nas_comm_rank(evaluation->trainer->options.team) == 0;
}

/* ------------------------------------------------------------------------------------ begin */

static nas_status_t build(evaluation_t *evaluation, const nas_arch_t *arch, nas_error_t *err)
{
    const nas_trainer_options_t *o = &evaluation->trainer->options;
    nas_status_t status = nas_graph_create(&o->network, arch, &evaluation->graph, err);
    if (!status)
        status = nas_split_make(o->dataset, &o->recipe, evaluation->candidate->seed,
                                &evaluation->split, err);
    if (!status) status = nas_device_engine(o->device, NULL, &evaluation->engine, err);
    status = nas_comm_agree(o->team, status, err);
    if (status) return status;
    const nas_training_options_t training = {.team = o->team,
                                             .engine = evaluation->engine,
                                             .graph = evaluation->graph,
                                             .arch = evaluation->candidate->name,
                                             .seed = evaluation->candidate->seed,
                                             .recipe = &o->recipe,
                                             .dataset = o->dataset,
                                             .split = &evaluation->split,
                                             .interrupt = evaluation->interrupt};
    status = nas_training_create(&training, &evaluation->training, err);
    if (!status) evaluation->n_steps = o->recipe.epochs * nas_training_steps(evaluation->training);
    return status;
}

static void evaluation_fini(evaluation_t *evaluation)
{
    nas_training_destroy(evaluation->training);
    nas_engine_destroy(evaluation->engine);
    nas_split_fini(&evaluation->split);
    nas_graph_destroy(evaluation->graph);
    nas_candidate_record_fini(&evaluation->found);
}

/* Look into the candidate's file; a damaged one is as good as none. */
static nas_status_t look(evaluation_t *evaluation, bool *found, nas_error_t *err)
{
    const nas_trainer_options_t *o = &evaluation->trainer->options;
    nas_error_t reason = {0};
    evaluation->found =
        (nas_candidate_record_t){.candidate = *evaluation->candidate,
                                 .run = o->run,
                                 .generation = o->generation,
                                 .n_goals = 1,
                                 .n_columns = (int64_t)evaluation->trainer->columns.n,
                                 .n_epochs = o->recipe.epochs};
    const nas_status_t status =
        nas_candidate_read(evaluation->stem, &evaluation->found, found, &reason);
    if (status == NAS_EINPUT) {
        nas_log_line_of_rank("%s; it is trained anew", reason.text);
        *found = false;
        return NAS_OK;
    }
    if (status) *err = reason;
    return status;
}

/* Put what was saved into the training, where it fits. */
static bool take_up(evaluation_t *evaluation)
{
    const nas_candidate_record_t *r = &evaluation->found;
    nas_training_state_t *state = nas_training_state(evaluation->training);
    const size_t n_values = (size_t)evaluation->graph->n_values,
                 n_statistics = (size_t)evaluation->graph->n_statistics;
    if (r->parameters.n != evaluation->graph->n_values || r->velocity.n != r->parameters.n ||
        r->statistics.n != evaluation->graph->n_statistics || r->step > evaluation->n_steps ||
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

/* ------------------------------------------------------------------------------------- saving */

/* A curve is an array of epochs, number by number. */
_Static_assert(sizeof(nas_epoch_t) == NAS_CURVE_COLUMNS * sizeof(double), "an epoch is a row");

/* The epochs so far, NaN behind them; the caller frees it. A step that diverged is none. */
static double *make_curve(evaluation_t *evaluation, nas_error_t *err)
{
    const int64_t n_epochs = evaluation->trainer->options.recipe.epochs;
    const int64_t n_steps = nas_training_steps(evaluation->training),
                  n_done = nas_training_state(evaluation->training)->step / n_steps -
                           evaluation->is_unvalidated;
    double *curve = malloc((size_t)(n_epochs * NAS_CURVE_COLUMNS) * sizeof *curve);
    if (!curve) {
        (void)nas_error_nomem(err, "a training's curve");
        return NULL;
    }
    memcpy(curve, nas_training_state(evaluation->training)->epoch,
           (size_t)n_done * sizeof(nas_epoch_t));
    for (int64_t i = n_done * NAS_CURVE_COLUMNS; i < n_epochs * NAS_CURVE_COLUMNS; i++)
        curve[i] = NAN;
    return curve;
}

/* outcome: once it is done, NULL before. */
static nas_status_t save(evaluation_t *evaluation, const nas_outcome_t *outcome, nas_error_t *err)
{
    const nas_trainer_options_t *o = &evaluation->trainer->options;
    const nas_training_state_t *state = nas_training_state(evaluation->training);
    const double begin_s = nas_clock_monotonic_s();
    nas_candidate_record_t record = {
        .candidate = *evaluation->candidate,
        .run = o->run,
        .generation = o->generation,
        .done = outcome != NULL,
        .n_goals = 1,
        .n_columns = (int64_t)evaluation->trainer->columns.n,
        .n_epochs = o->recipe.epochs,
        .step = state->step,
        .loss_sum = state->loss_sum,
        .parameters = {state->parameter, evaluation->graph->n_values},
        .statistics = {state->statistics, evaluation->graph->n_statistics},
        .velocity = {state->velocity, outcome ? 0 : evaluation->graph->n_values},
        .network = o->network,
        .mean = {(double *)(uintptr_t)o->dataset->mean, o->network.image_channels},
        .std = {(double *)(uintptr_t)o->dataset->std, o->network.image_channels}};
    if (outcome) record.outcome = *outcome;
    double *curve = outcome ? NULL : make_curve(evaluation, err);
    if (!outcome && !curve) return NAS_ENOMEM;
    if (curve) record.outcome.curve = curve;
    const nas_status_t status = nas_candidate_write(evaluation->stem, &record, err);
    free(curve);
    nas_checkpoint_saved(&evaluation->checkpoint, begin_s, nas_clock_monotonic_s());
    NAS_FAULT_POINT("training");
    return status;
}

/* -------------------------------------------------------------------------------------- steps */

/* What the leader tells the others before every step, and before a validation. */
typedef struct word {
    int64_t status;
    nas_error_t err;
} word_t;

static nas_status_t interrupted(nas_error_t *err)
{
    return nas_error_set(err, NAS_ESTOP, "the training was interrupted");
}

static nas_status_t engine_failed(const evaluation_t *evaluation, nas_error_t *err)
{
    const nas_error_t *failure = nas_training_failure(evaluation->training);
    return nas_error_set(err, NAS_EIO, "%s", failure->text);
}

/* What the engine did by itself is known afterwards: of a step that diverged, which it was. */
static nas_status_t take_verdict(evaluation_t *evaluation, nas_training_verdict_t verdict,
                                 nas_error_t *err)
{
    if (verdict == NAS_TRAINING_FAILED) return engine_failed(evaluation, err);
    evaluation->is_unvalidated = verdict == NAS_TRAINING_EPOCH_END;
    evaluation->has_diverged = verdict == NAS_TRAINING_DIVERGED;
    if (evaluation->has_diverged)
        evaluation->step = nas_training_state(evaluation->training)->step + 1;
    return NAS_OK;
}

/* A training that has diverged is not saved: it ends. */
static nas_status_t sync_and_save(evaluation_t *evaluation, nas_error_t *err)
{
    const bool is_unvalidated = evaluation->is_unvalidated;
    const nas_status_t status =
        take_verdict(evaluation, nas_training_sync(evaluation->training), err);
    if (status || evaluation->has_diverged) return status;
    evaluation->is_unvalidated = is_unvalidated;
    return save(evaluation, NULL, err);
}

/* Ask, save where that is due, and agree on whether to go on. */
static nas_status_t before_work(evaluation_t *evaluation, nas_error_t *err)
{
    word_t word = {0};
    const double share = (double)evaluation->step / (double)evaluation->n_steps;
    const bool stop = nas_interrupted(evaluation->interrupt, share);
    if (leads(evaluation)) {
        if (stop || nas_checkpoint_due(&evaluation->checkpoint, nas_clock_monotonic_s(), 0))
            word.status = sync_and_save(evaluation, &word.err);
        if (!word.status && stop && !evaluation->has_diverged) word.status = interrupted(&word.err);
    }
    nas_comm_bcast(evaluation->trainer->options.team, 0, &word, sizeof word);
    if (word.status) *err = word.err;
    return (nas_status_t)word.status;
}

/* Every rank knows that a validation was interrupted. */
static nas_status_t give_up_validation(evaluation_t *evaluation, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    if (nas_training_failure(evaluation->training)->text[0])
        status = engine_failed(evaluation, err);
    else if (leads(evaluation))
        status = save(evaluation, NULL, err);
    status = nas_comm_agree(evaluation->trainer->options.team, status, err);
    return status ? status : interrupted(err);
}

static nas_status_t step(evaluation_t *evaluation, nas_error_t *err)
{
    const double begin_s = nas_clock_monotonic_s();
    const nas_training_verdict_t verdict = nas_training_step(evaluation->training, NULL);
    evaluation->stepping_s += nas_clock_monotonic_s() - begin_s;
    evaluation->n_stepped++;
    evaluation->step++;
    return take_verdict(evaluation, verdict, err);
}

static nas_status_t validate(evaluation_t *evaluation, nas_error_t *err)
{
    if (!nas_training_validate(evaluation->training)) return give_up_validation(evaluation, err);
    evaluation->is_unvalidated = false;
    return NAS_OK;
}

static nas_status_t train(evaluation_t *evaluation, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    while (!status && !evaluation->has_diverged &&
           (evaluation->is_unvalidated || evaluation->step < evaluation->n_steps)) {
        status = before_work(evaluation, err);
        if (!status && evaluation->is_unvalidated)
            status = validate(evaluation, err);
        else if (!status && !evaluation->has_diverged)
            status = step(evaluation, err);
    }
    return status;
}

/* ------------------------------------------------------------------------------------ outcome */

static double images_seen(const evaluation_t *evaluation)
{
    return (double)evaluation->step * (double)evaluation->trainer->options.recipe.batch;
}

static void report_failure(const evaluation_t *evaluation, nas_outcome_t *outcome)
{
    const int64_t n_steps = nas_training_steps(evaluation->training), at = evaluation->step - 1;
    const int64_t step_of_epoch = at % n_steps + 1, epoch = at / n_steps + 1;
    nas_outcome_fail(outcome, "the loss is not finite in step %lld of epoch %lld",
                     (long long)step_of_epoch, (long long)epoch);
    outcome->cost = images_seen(evaluation);
}

static void report_success(const evaluation_t *evaluation, double test_accuracy,
                           nas_outcome_t *outcome)
{
    const nas_recipe_t *recipe = &evaluation->trainer->options.recipe;
    const nas_epoch_t *last = &nas_training_state(evaluation->training)->epoch[recipe->epochs - 1];
    outcome->status = NAS_EVAL_OK;
    outcome->value[0] = last->valid_accuracy;
    outcome->cost = images_seen(evaluation);
    outcome->columns[0] = last->train_loss;
    outcome->columns[1] = last->valid_loss;
    if (evaluation->trainer->columns.n > 2) outcome->columns[2] = test_accuracy;
}

/* Collective over the team: test images are shared by the ranks. */
static nas_status_t validate_on_test(evaluation_t *evaluation, double *accuracy, nas_error_t *err)
{
    const nas_image_source_t *test = &evaluation->trainer->options.dataset->test;
    double loss = NAN;
    int64_t *index = malloc((size_t)test->n * sizeof *index);
    nas_status_t status = index ? NAS_OK : nas_error_nomem(err, "the test images");
    status = nas_comm_agree(evaluation->trainer->options.team, status, err);
    if (!status) status = before_work(evaluation, err);
    for (int64_t i = 0; !status && i < test->n; i++) index[i] = i;
    if (!status &&
        !nas_training_validate_on(evaluation->training, test, index, test->n, &loss, accuracy))
        status = give_up_validation(evaluation, err);
    free(index);
    return status;
}

/* For the log alone: reports hold nothing that differs between equal runs. */
static void tell(const evaluation_t *evaluation, const nas_outcome_t *outcome)
{
    const double n_images =
        (double)evaluation->n_stepped * (double)evaluation->trainer->options.recipe.batch;
    const double rate = n_images / evaluation->stepping_s;
    char text[32] = ""; /* nothing, where it was resumed behind its last step */
    if (outcome->status != NAS_EVAL_OK) return;
    if (evaluation->n_stepped > 0)
        (void)snprintf(text, sizeof text, ", %.*f images/s", rate < 10 ? 2 : 0, rate);
    nas_log_line_of_rank("%s trained: accuracy %.5g%s", evaluation->candidate->name,
                         outcome->value[0], text);
}

static nas_status_t conclude(evaluation_t *evaluation, nas_outcome_t *outcome, nas_error_t *err)
{
    nas_outcome_t found = {0};
    nas_status_t status = NAS_OK;
    const size_t n_columns = evaluation->trainer->columns.n;
    const bool diverged = evaluation->has_diverged;
    double test_accuracy = NAN;
    if (!diverged && n_columns > 2) status = validate_on_test(evaluation, &test_accuracy, err);
    if (status) return status;
    if (leads(evaluation)) {
        found.columns = malloc(n_columns * sizeof *found.columns);
        found.curve = make_curve(evaluation, err);
        if (!found.columns || !found.curve) status = nas_error_nomem(err, "an outcome");
        for (size_t i = 0; found.columns && i < n_columns; i++) found.columns[i] = NAN;
        if (!status && diverged) report_failure(evaluation, &found);
        if (!status && !diverged) report_success(evaluation, test_accuracy, &found);
        if (!status) status = save(evaluation, &found, err);
        if (!status) tell(evaluation, &found);
    }
    status = nas_comm_agree(evaluation->trainer->options.team, status, err);
    if (status)
        nas_outcome_fini(&found);
    else
        *outcome = found;
    return status;
}

/* ---------------------------------------------------------------------------------- candidate */

/* Whether the epoch that ends with the step that was saved had still to be validated. */
static bool lacks_validation(const evaluation_t *evaluation)
{
    const nas_candidate_record_t *r = &evaluation->found;
    const int64_t n_steps = nas_training_steps(evaluation->training);
    if (r->step == 0 || r->step % n_steps != 0) return false;
    const double *epoch = r->outcome.curve + (r->step / n_steps - 1) * NAS_CURVE_COLUMNS;
    return isnan(epoch[NAS_CURVE_VALID_ACCURACY]);
}

/* Where the team begins: step 0, a step that was saved, or the end. */
static nas_status_t find_start(evaluation_t *evaluation, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    struct {
        int64_t done, resumes, step, unvalidated;
    } start = {0};
    if (leads(evaluation)) {
        bool found = false;
        status = look(evaluation, &found, err);
        start.done = !status && found && evaluation->found.done;
        start.resumes = !status && found && !start.done && take_up(evaluation);
        if (start.resumes) {
            start.step = evaluation->found.step;
            start.unvalidated = lacks_validation(evaluation);
        }
    }
    status = nas_comm_agree(evaluation->trainer->options.team, status, err);
    if (status) return status;
    nas_comm_bcast(evaluation->trainer->options.team, 0, &start, sizeof start);
    if (start.resumes) nas_training_resume(evaluation->training);
    evaluation->is_done = start.done;
    evaluation->step = start.step;
    evaluation->is_unvalidated = start.unvalidated;
    return NAS_OK;
}

static nas_status_t run(evaluation_t *evaluation, nas_outcome_t *outcome, nas_error_t *err)
{
    nas_status_t status = find_start(evaluation, err);
    if (status) return status;
    if (evaluation->is_done) {
        *outcome = evaluation->found.outcome;
        evaluation->found.outcome = (nas_outcome_t){0};
        return NAS_OK;
    }
    status = train(evaluation, err);
    return status ? status : conclude(evaluation, outcome, err);
}

nas_status_t nas_trainer_evaluate(nas_trainer_t *trainer, const nas_trainer_task_t *task,
                                  nas_outcome_t *outcome, nas_error_t *err)
{
    evaluation_t evaluation = {.trainer = trainer,
                               .candidate = task->candidate,
                               .stem = task->stem,
                               .interrupt = task->interrupt,
                               .checkpoint = {.interval_s = trainer->options.interval_s,
                                              .saved_s = nas_clock_monotonic_s()}};
    nas_status_t status = build(&evaluation, task->arch, err);
    if (!status) status = run(&evaluation, outcome, err);
    evaluation_fini(&evaluation);
    return status;
}
