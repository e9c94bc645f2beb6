/* Candidates that are trained together, on the team.
 *
 * The leader looks into the candidates' files and tells the others which are done, where the others
 * stand, or that they begin. Then one piece of work after the other: a step of all that are not at
 * the end of an epoch, or the validation of one that is; each is preceded by a word of the leader to
 * go on or to stop: it is the leader that is interrupted, and the leader that saves, so that no rank
 * steps alone. What a step finds (the end of an epoch, a loss that is not finite) every rank sees
 * for itself. Validating on many images takes long: there any rank that is interrupted gives up,
 * then all do, and what was found in vain is found again after a restart.
 *
 * Only an engine that steps by itself takes several candidates at once (a pack), as many as it has
 * memory for; the others follow. They share its launches and nothing else: each has its own file,
 * ends when it ends, and one that diverges leaves the others alone. All are saved together, so that
 * saving takes no larger share of the time than with one.
 */
#include "worker/objectives/train/trainer.h"

#include "common/base/checkpoint.h"
#include "common/base/clock.h"
#include "worker/objectives/train/trainee.h"

#include <stdlib.h>
#include <string.h>

struct nas_trainer {
    nas_trainer_options_t options;
    nas_strings_t columns;
};

/* Candidates under way. */
typedef struct work {
    const nas_trainer_t *trainer;
    const nas_interrupt_t *interrupt; /* the caller's */
    nas_interrupt_t within;           /* asked by the trainings: the same, of all candidates */
    nas_trainee_t *trainee;           /* [n] all that are asked for */
    int n;
    nas_trainee_t **pack; /* [n_pack] those on the engine */
    int n_pack;
    nas_engine_t *engine; /* the pack's own, so that memory goes when it ends */
    nas_checkpoint_t checkpoint;
    nas_training_options_t *training; /* [n] room for what they are created with, */
    nas_training_t **stepping;        /* for those that take a step, */
    nas_training_verdict_t *verdict;  /* and what it found */
} work_t;

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

static bool leads(const work_t *work)
{
    return nas_comm_rank(work->trainer->options.team) == 0;
}

int nas_trainer_width(const nas_trainer_t *trainer)
{
    return nas_device_width(trainer->options.device);
}

/* --------------------------------------------------------------------------------------- packs */

static double share_done(const work_t *work)
{
    double sum = 0;
    for (int i = 0; i < work->n; i++) sum += nas_trainee_share(&work->trainee[i]);
    return sum / work->n;
}

/* Of a training, which knows its own share alone. */
static bool asked_within(void *context, double share)
{
    const work_t *work = context;
    (void)share;
    return nas_interrupted(work->interrupt, share_done(work));
}

static void drop_pack(work_t *work)
{
    for (int i = 0; i < work->n_pack; i++) nas_trainee_leave(work->pack[i]);
    nas_engine_destroy(work->engine);
    work->engine = NULL;
    work->n_pack = 0;
}

/* The first ones that are not done yet, `most` at most. Returns how many. */
static int gather_pack(work_t *work, int most)
{
    work->n_pack = 0;
    for (int i = 0; i < work->n && work->n_pack < most; i++)
        if (work->trainee[i].stage != NAS_TRAINEE_DONE)
            work->pack[work->n_pack++] = &work->trainee[i];
    return work->n_pack;
}

static nas_status_t create_trainings(work_t *work, nas_error_t *err)
{
    nas_status_t status =
        nas_device_engine(work->trainer->options.device, NULL, &work->engine, err);
    status = nas_comm_agree(work->trainer->options.team, status, err);
    for (int i = 0; !status && i < work->n_pack; i++)
        work->training[i] = nas_trainee_options(work->pack[i], work->engine, &work->within);
    if (!status) status = nas_trainings_create(work->training, work->n_pack, work->stepping, err);
    for (int i = 0; !status && i < work->n_pack; i++) work->pack[i]->training = work->stepping[i];
    return status;
}

/* What was gathered, halved until it fits. */
static nas_status_t make_pack(work_t *work, nas_error_t *err)
{
    nas_status_t status = create_trainings(work, err);
    while (status == NAS_ENOMEM && work->n_pack > 1) {
        const int half = (work->n_pack + 1) / 2;
        drop_pack(work);
        (void)gather_pack(work, half);
        status = create_trainings(work, err);
    }
    for (int i = 0; !status && i < work->n_pack; i++) {
        work->pack[i]->n_at_once = work->n_pack;
        nas_trainee_begin(work->pack[i]);
    }
    work->checkpoint = (nas_checkpoint_t){.interval_s = work->trainer->options.interval_s,
                                          .saved_s = nas_clock_monotonic_s()};
    return status;
}

/* ------------------------------------------------------------------------------------ one work */

/* What the leader tells the others before every piece of work. */
typedef struct word {
    int64_t status, stops;
    nas_error_t err;
} word_t;

static nas_status_t save_all(work_t *work, nas_error_t *err)
{
    const double begin_s = nas_clock_monotonic_s();
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && i < work->n_pack; i++)
        if (work->pack[i]->stage < NAS_TRAINEE_OUTCOME)
            status = nas_trainee_save(work->pack[i], err);
    nas_checkpoint_saved(&work->checkpoint, begin_s, nas_clock_monotonic_s());
    return status;
}

/* Ask, save where that is due, and agree on whether to go on. */
static nas_status_t before_work(work_t *work, bool *stops, nas_error_t *err)
{
    word_t word = {.stops = nas_interrupted(work->interrupt, share_done(work))};
    if (leads(work) &&
        (word.stops || nas_checkpoint_due(&work->checkpoint, nas_clock_monotonic_s(), 0)))
        word.status = save_all(work, &word.err);
    nas_comm_bcast(work->trainer->options.team, 0, &word, sizeof word);
    if (word.status) *err = word.err;
    *stops = word.stops != 0;
    return (nas_status_t)word.status;
}

/* Every rank knows that a validation was interrupted. */
static nas_status_t validate(work_t *work, nas_trainee_t *trainee, bool *stops, nas_error_t *err)
{
    nas_status_t status = nas_trainee_validate(trainee, stops, err);
    if (status || !*stops) return status;
    if (leads(work)) status = save_all(work, err);
    return nas_comm_agree(work->trainer->options.team, status, err);
}

/* All that are not at the end of an epoch; none: those have diverged. */
static nas_status_t step(work_t *work, nas_error_t *err)
{
    const double begin_s = nas_clock_monotonic_s();
    nas_status_t status = NAS_OK;
    int n = 0;
    for (int i = 0; i < work->n_pack; i++)
        if (work->pack[i]->stage == NAS_TRAINEE_STEPS)
            work->stepping[n++] = work->pack[i]->training;
    if (n == 0) return NAS_OK;
    nas_trainings_step(work->stepping, n, work->verdict);
    const double seconds = nas_clock_monotonic_s() - begin_s;
    for (int i = 0, k = 0; !status && i < work->n_pack; i++) {
        if (work->pack[i]->stage != NAS_TRAINEE_STEPS) continue;
        work->pack[i]->stepping_s += seconds;
        status = nas_trainee_stepped(work->pack[i], work->verdict[k++], err);
    }
    return status;
}

/* Those at the end of an epoch come first, so that steps are taken by as many as can. */
static nas_status_t advance(work_t *work, bool *stops, nas_error_t *err)
{
    for (int i = 0; i < work->n_pack; i++) {
        const nas_trainee_stage_t stage = work->pack[i]->stage;
        if (stage == NAS_TRAINEE_VALIDATION || stage == NAS_TRAINEE_TEST)
            return validate(work, work->pack[i], stops, err);
    }
    return step(work, err);
}

/* n_left [out]: of the pack, that are not done. */
static nas_status_t conclude_ended(work_t *work, int *n_left, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    *n_left = 0;
    for (int i = 0; !status && i < work->n_pack; i++) {
        if (work->pack[i]->stage == NAS_TRAINEE_OUTCOME)
            status = nas_trainee_conclude(work->pack[i], err);
        *n_left += work->pack[i]->stage != NAS_TRAINEE_DONE;
    }
    return status;
}

static nas_status_t train_pack(work_t *work, nas_error_t *err)
{
    int n_left = 0;
    nas_status_t status = conclude_ended(work, &n_left, err); /* taken up behind the last step */
    while (!status && n_left > 0) {
        bool stops = false;
        status = before_work(work, &stops, err);
        if (!status && !stops) status = advance(work, &stops, err);
        if (!status) status = conclude_ended(work, &n_left, err);
        if (!status && stops && n_left > 0)
            status = nas_error_set(err, NAS_ESTOP, "the training was interrupted");
    }
    return status;
}

/* ----------------------------------------------------------------------------------- candidates */

static nas_status_t begin(work_t *work, const nas_trainer_task_t *task, nas_error_t *err)
{
    const size_t n = (size_t)work->n;
    nas_status_t status = NAS_OK;
    work->trainee = calloc(n, sizeof *work->trainee);
    work->pack = malloc(n * sizeof(void *));
    work->training = malloc(n * sizeof *work->training);
    work->stepping = malloc(n * sizeof(void *));
    work->verdict = malloc(n * sizeof *work->verdict);
    if (!work->trainee || !work->pack || !work->training || !work->stepping || !work->verdict)
        status = nas_error_nomem(err, "the trainer");
    status = nas_comm_agree(work->trainer->options.team, status, err);
    for (int i = 0; !status && i < work->n; i++) {
        nas_trainee_t *trainee = &work->trainee[i];
        trainee->options = &work->trainer->options;
        trainee->task = &task[i];
        trainee->n_columns = (int64_t)work->trainer->columns.n;
        status = nas_trainee_look(trainee, err);
        if (!status && trainee->stage != NAS_TRAINEE_DONE) status = nas_trainee_build(trainee, err);
    }
    return status;
}

static void end(work_t *work)
{
    drop_pack(work);
    for (int i = 0; work->trainee && i < work->n; i++) nas_trainee_fini(&work->trainee[i]);
    free(work->trainee);
    free(work->pack);
    free(work->training);
    free(work->stepping);
    free(work->verdict);
}

nas_status_t nas_trainer_evaluate(nas_trainer_t *trainer, const nas_trainer_tasks_t *tasks,
                                  nas_outcome_t *outcome, nas_error_t *err)
{
    work_t work = {.trainer = trainer, .interrupt = tasks->interrupt, .n = tasks->n};
    work.within = (nas_interrupt_t){.asked = asked_within, .context = &work};
    trainer->options.networks->interrupt = &work.within;
    nas_status_t status = begin(&work, tasks->task, err);
    while (!status && gather_pack(&work, work.n) > 0) {
        status = make_pack(&work, err);
        if (!status) status = train_pack(&work, err);
        drop_pack(&work);
    }
    for (int i = 0; !status && i < work.n; i++) {
        outcome[i] = work.trainee[i].outcome;
        work.trainee[i].outcome = (nas_outcome_t){0};
    }
    trainer->options.networks->interrupt = NULL;
    end(&work);
    return status;
}
