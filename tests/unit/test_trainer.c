/* Candidates judged by a training each, with checkpoints; on every backend. */
#include "common/base/isa.h"
#include "common/io/file.h"
#include "common/state/h5.h"
#include "temp_folder.h"
#include "tests/unit/train_case.h"
#include "worker/candidates/candidate_file.h"
#include "worker/engine/host/backends.h"
#include "worker/objectives/train/trainer.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <math.h>

enum { BATCH = 20, N_EPOCHS = 3, N_STEPS = 2, N_CURVE = N_EPOCHS * NAS_CURVE_COLUMNS };

/* Who interrupts, and what was asked. */
typedef struct asking {
    int64_t n;          /* questions so far */
    int64_t yes_from;   /* number of the first one that is answered yes; 0: none */
    const char *keep;   /* where the file goes at question number */
    int64_t keep_at;    /* this; 0: nowhere */
    const char *file;   /* the candidate's */
    double last_share;  /* the latest */
    bool share_is_good; /* never went back, within [0, 1] */
} asking_t;

/* A trainer with its candidate's file. */
typedef struct fixture {
    temp_path_t folder, stem, file, kept;
    train_case_t c;
    nas_candidate_t candidate;
    nas_trainer_options_t options;
    asking_t asking;
    nas_error_t err;
} fixture_t;

static void copy_file(const char *from, const char *to)
{
    char *data = NULL;
    size_t n = 0;
    cr_assert_eq(nas_file_read(from, 64 << 20, &data, &n, NULL), NAS_OK);
    cr_assert_eq(nas_file_replace(to, &(nas_span_t){data, n}, 1, false, NULL), NAS_OK);
    free(data);
}

static bool asked(void *context, double share)
{
    asking_t *asking = context;
    asking->n++;
    asking->share_is_good &= share >= asking->last_share && share <= 1;
    asking->last_share = share;
    if (asking->n == asking->keep_at) copy_file(asking->file, asking->keep);
    return asking->yes_from > 0 && asking->n >= asking->yes_from;
}

/* 15 of 62 images are held out, so that an epoch has two steps. */
static void make(fixture_t *f, const nas_backend_t *backend, nas_recipe_t recipe)
{
    *f = (fixture_t){.folder = temp_folder_make()};
    f->stem = temp_file(&f->folder, "run.h5.d/000007-s5");
    f->file = temp_file(&f->folder, "run.h5.d/000007-s5.h5");
    f->kept = temp_file(&f->folder, "kept.h5");
    train_case_make(&f->c, backend, recipe);
    f->candidate = (nas_candidate_t){.arch = 7, .seed = 5, .name = TRAIN_CASE_CELL};
    f->options = (nas_trainer_options_t){.team = f->c.alone,
                                         .backend = backend,
                                         .network = f->c.graph->network,
                                         .recipe = recipe,
                                         .dataset = &f->c.dataset,
                                         .run = {{1, 2, 3}},
                                         .interval_s = 60};
}

static void drop(fixture_t *f)
{
    train_case_drop(&f->c);
    temp_folder_remove(&f->folder);
}

static nas_status_t judge(fixture_t *f, int64_t yes_from, nas_outcome_t *outcome)
{
    nas_trainer_t *trainer = NULL;
    f->asking.n = 0;
    f->asking.yes_from = yes_from;
    f->asking.last_share = 0;
    f->asking.share_is_good = true;
    const nas_interrupt_t interrupt = {.asked = asked, .context = &f->asking};
    cr_assert_eq(nas_trainer_create(&f->options, &trainer, &f->err), NAS_OK);
    const nas_trainer_task_t task = {.candidate = &f->candidate,
                                     .arch = &f->c.arch,
                                     .stem = f->stem.text,
                                     .interrupt = &interrupt};
    const nas_status_t status = nas_trainer_evaluate(trainer, &task, outcome, &f->err);
    nas_trainer_destroy(trainer);
    cr_assert(f->asking.share_is_good);
    return status;
}

/* Judge to the end; the outcome is the caller's. */
static nas_outcome_t outcome_of(fixture_t *f)
{
    nas_outcome_t outcome = {0};
    cr_assert_eq(judge(f, 0, &outcome), NAS_OK, "%s", f->err.text);
    return outcome;
}

/* Judge up to a question that is answered yes. */
static void interrupt_at(fixture_t *f, int64_t yes_from)
{
    nas_outcome_t outcome = {0};
    cr_assert_eq(judge(f, yes_from, &outcome), NAS_ESTOP);
    cr_assert(!outcome.columns && !outcome.curve);
}

static void assert_same_bits(const double *a, const double *b, int64_t n)
{
    cr_assert(a && b && memcmp(a, b, (size_t)n * sizeof *a) == 0);
}

static void assert_same_outcome(const nas_outcome_t *a, const nas_outcome_t *b, int64_t n_columns)
{
    cr_assert_eq(a->status, b->status);
    cr_assert_str_eq(a->reason, b->reason);
    assert_same_bits(a->value, b->value, 1);
    assert_same_bits(&a->cost, &b->cost, 1);
    assert_same_bits(a->columns, b->columns, n_columns);
    assert_same_bits(a->curve, b->curve, N_CURVE);
}

static nas_candidate_record_t record_of(fixture_t *f)
{
    bool found = false;
    nas_candidate_record_t record = {.candidate = f->candidate,
                                     .run = f->options.run,
                                     .n_goals = 1,
                                     .n_columns = 3,
                                     .n_epochs = f->options.recipe.epochs};
    cr_assert_eq(nas_candidate_read(f->stem.text, &record, &found, &f->err), NAS_OK, "%s",
                 f->err.text);
    cr_assert(found);
    return record;
}

typedef void (*test_t)(const nas_backend_t *backend);

static void on_every_backend(test_t test)
{
    const nas_backend_t *cpu = nas_backend_named("cpu")->of(nas_isa_best());
    test(nas_backend_ref());
    if (cpu) test(cpu);
}

/* --------------------------------------------------------------------------------- by hand */

/* The same training without a trainer. */
static void test_by_hand(const nas_backend_t *backend)
{
    fixture_t f;
    double losses[N_EPOCHS * N_STEPS], loss = 0, test_accuracy = 0;
    int64_t index[CASE_TEST];
    make(&f, backend, train_case_recipe(BATCH, 2));
    nas_outcome_t outcome = outcome_of(&f);
    nas_training_t *training = train_case_begin(&f.c);
    cr_assert_eq(nas_training_steps(training), N_STEPS);
    (void)train_case_go(training, N_EPOCHS * N_STEPS, losses);
    const nas_training_state_t *state = nas_training_state(training);
    const nas_epoch_t *last = &state->epoch[N_EPOCHS - 1];
    for (int i = 0; i < CASE_TEST; i++) index[i] = i;
    cr_assert(nas_training_validate_on(training, &f.c.dataset.test, index, CASE_TEST, &loss,
                                       &test_accuracy));
    cr_assert_eq(outcome.status, NAS_EVAL_OK);
    cr_assert_str_empty(outcome.reason);
    cr_assert_eq(outcome.value[0], last->valid_accuracy);
    cr_assert_eq(outcome.cost, N_EPOCHS * N_STEPS * BATCH);
    cr_assert_eq(outcome.columns[0], last->train_loss);
    cr_assert_eq(outcome.columns[1], last->valid_loss);
    cr_assert_eq(outcome.columns[2], test_accuracy);
    assert_same_bits(outcome.curve, &state->epoch[0].train_loss, N_CURVE);

    nas_candidate_record_t record = record_of(&f);
    cr_assert(record.done && record.velocity.n == 0);
    cr_assert(record.parameters.n == f.c.graph->n_values &&
              record.statistics.n == f.c.graph->n_statistics);
    assert_same_bits(record.parameters.at, state->parameter, record.parameters.n);
    assert_same_bits(record.statistics.at, state->statistics, record.statistics.n);
    assert_same_bits(record.mean.at, f.c.dataset.mean, CASE_COLOURS);
    assert_same_bits(record.std.at, f.c.dataset.std, CASE_COLOURS);
    cr_assert_eq(memcmp(&record.network, &f.options.network, sizeof record.network), 0);
    nas_candidate_record_fini(&record);
    nas_training_destroy(training);
    nas_outcome_fini(&outcome);
    drop(&f);
}

Test(trainer, its_outcome_is_that_of_a_training_by_hand)
{
    on_every_backend(test_by_hand);
}

/* -------------------------------------------------------------------------------- interrupts */

/* The outcome and the file of a candidate that was started again are those of the other one. */
static void assert_as_undisturbed(fixture_t *f, const nas_outcome_t *outcome,
                                  const nas_candidate_record_t *record)
{
    nas_outcome_t again = outcome_of(f);
    nas_candidate_record_t found = record_of(f);
    assert_same_outcome(&again, outcome, 3);
    assert_same_bits(found.parameters.at, record->parameters.at, record->parameters.n);
    assert_same_bits(found.statistics.at, record->statistics.at, record->statistics.n);
    nas_candidate_record_fini(&found);
    nas_outcome_fini(&again);
}

static void test_interrupts(const nas_backend_t *backend)
{
    fixture_t f;
    make(&f, backend, train_case_recipe(BATCH, 1));
    nas_outcome_t outcome = outcome_of(&f);
    nas_candidate_record_t record = record_of(&f);
    const int64_t n_asked = f.asking.n;
    cr_assert_geq(n_asked, N_EPOCHS * N_STEPS);
    for (int64_t at = 1; at <= n_asked; at++) {
        cr_assert_eq(unlink(f.file.text), 0);
        interrupt_at(&f, at);
        cr_assert_eq(f.asking.n, at, "asked again after the answer was yes");
        assert_as_undisturbed(&f, &outcome, &record);
    }
    nas_candidate_record_fini(&record);
    nas_outcome_fini(&outcome);
    drop(&f);
}

/* Between steps, while images are validated, and while test images are judged. */
Test(trainer, an_interrupt_at_any_question_changes_nothing)
{
    on_every_backend(test_interrupts);
}

/* As often as there are steps. */
static void test_repeated_interrupts(const nas_backend_t *backend)
{
    fixture_t f;
    nas_outcome_t last = {0};
    int64_t n_starts = 0, step = -1;
    make(&f, backend, train_case_recipe(BATCH, 1));
    nas_outcome_t outcome = outcome_of(&f);
    nas_candidate_record_t record = record_of(&f);
    cr_assert_eq(unlink(f.file.text), 0);
    /* the first question comes before any work, the last ones while images are judged */
    while (judge(&f, 5, &last) == NAS_ESTOP) {
        nas_candidate_record_t found = record_of(&f);
        cr_assert(!found.done && found.step >= step && found.velocity.n == found.parameters.n);
        step = found.step;
        nas_candidate_record_fini(&found);
        cr_assert_lt(++n_starts, 20, "it does not get on");
    }
    cr_assert_gt(n_starts, 1);
    assert_same_outcome(&last, &outcome, 3);
    assert_as_undisturbed(&f, &outcome, &record);
    nas_outcome_fini(&last);
    nas_candidate_record_fini(&record);
    nas_outcome_fini(&outcome);
    drop(&f);
}

Test(trainer, many_interrupts_change_nothing)
{
    on_every_backend(test_repeated_interrupts);
}

/* A process that dies leaves the file as it was saved last. */
static void test_deaths(const nas_backend_t *backend)
{
    fixture_t f;
    make(&f, backend, train_case_recipe(BATCH, 1));
    f.options.interval_s = 0;
    nas_outcome_t outcome = outcome_of(&f);
    nas_candidate_record_t record = record_of(&f);
    const int64_t n_asked = f.asking.n;
    f.asking.file = f.file.text;
    f.asking.keep = f.kept.text;
    for (int64_t at = 2; at <= n_asked; at += 3) {
        cr_assert_eq(unlink(f.file.text), 0);
        f.asking.keep_at = at;
        nas_outcome_t last = outcome_of(&f);
        nas_outcome_fini(&last);
        f.asking.keep_at = 0;
        copy_file(f.kept.text, f.file.text);
        nas_candidate_record_t found = record_of(&f);
        cr_assert_not(found.done);
        nas_candidate_record_fini(&found);
        assert_as_undisturbed(&f, &outcome, &record);
        cr_assert_leq(f.asking.n, n_asked);
    }
    nas_candidate_record_fini(&record);
    nas_outcome_fini(&outcome);
    drop(&f);
}

Test(trainer, a_death_at_any_question_changes_nothing)
{
    on_every_backend(test_deaths);
}

/* ------------------------------------------------------------------------------------ files */

Test(trainer, one_that_is_done_is_not_trained_again)
{
    fixture_t f;
    make(&f, nas_backend_ref(), train_case_recipe(BATCH, 1));
    nas_outcome_t outcome = outcome_of(&f), again = outcome_of(&f);
    cr_assert_eq(f.asking.n, 0);
    assert_same_outcome(&again, &outcome, 3);
    nas_outcome_fini(&again);
    nas_outcome_fini(&outcome);
    drop(&f);
}

static void flip_byte(const temp_path_t *path, long at)
{
    FILE *file = fopen(path->text, "r+b");
    cr_assert(file && fseek(file, at, SEEK_SET) == 0);
    const int byte = fgetc(file);
    cr_assert(fseek(file, at, SEEK_SET) == 0 && fputc(byte ^ 1, file) != EOF);
    cr_assert_eq(fclose(file), 0);
}

/* So many lines of stderr end like this. */
static void expect_lines(const char *end, int n)
{
    char line[2 * TEMP_PATH_SIZE];
    FILE *err = cr_get_redirected_stderr();
    int found = 0;
    (void)fflush(stderr);
    while (found < n && fgets(line, sizeof line, err)) {
        const size_t length = strlen(line);
        found += length >= strlen(end) && strcmp(line + length - strlen(end), end) == 0;
    }
    cr_assert_eq(found, n);
}

/* With a line in the log, whichever rank it is. */
Test(trainer, one_whose_file_is_damaged_is_trained_anew)
{
    fixture_t f;
    cr_redirect_stderr();
    make(&f, nas_backend_ref(), train_case_recipe(BATCH, 1));
    nas_outcome_t outcome = outcome_of(&f);
    const int64_t n_asked = f.asking.n;
    flip_byte(&f.file, 5000);
    nas_outcome_t again = outcome_of(&f);
    cr_assert_eq(f.asking.n, n_asked);
    assert_same_outcome(&again, &outcome, 3);
    nas_outcome_fini(&again);

    cr_assert_eq(unlink(f.file.text), 0);
    interrupt_at(&f, 4);
    flip_byte(&f.file, 100);
    again = outcome_of(&f);
    cr_assert_eq(f.asking.n, n_asked);
    assert_same_outcome(&again, &outcome, 3);
    expect_lines("is trained anew\n", 2);
    nas_outcome_fini(&again);
    nas_outcome_fini(&outcome);
    drop(&f);
}

Test(trainer, a_file_of_another_run_or_seed_does_not_count)
{
    fixture_t f;
    make(&f, nas_backend_ref(), train_case_recipe(BATCH, 1));
    nas_outcome_t outcome = outcome_of(&f);
    const int64_t n_asked = f.asking.n;
    f.options.run.byte[0]++;
    nas_outcome_t again = outcome_of(&f);
    cr_assert_eq(f.asking.n, n_asked);
    assert_same_outcome(&again, &outcome, 3);
    nas_outcome_fini(&again);
    f.candidate.seed++;
    again = outcome_of(&f);
    cr_assert_eq(f.asking.n, n_asked);
    cr_assert_neq(again.columns[0], outcome.columns[0]);
    nas_outcome_fini(&again);
    nas_outcome_fini(&outcome);
    drop(&f);
}

/* As where the program that wrote it was another: then it does not fit. */
Test(trainer, a_file_whose_arrays_do_not_fit_does_not_count)
{
    fixture_t f;
    make(&f, nas_backend_ref(), train_case_recipe(BATCH, 1));
    nas_outcome_t outcome = outcome_of(&f);
    const int64_t n_asked = f.asking.n;
    cr_assert_eq(unlink(f.file.text), 0);
    interrupt_at(&f, 4);
    nas_candidate_record_t record = record_of(&f);
    record.parameters.n--;
    record.velocity.n--;
    cr_assert_eq(nas_candidate_write(f.stem.text, &record, &f.err), NAS_OK);
    nas_candidate_record_fini(&record);
    nas_outcome_t again = outcome_of(&f);
    cr_assert_eq(f.asking.n, n_asked);
    assert_same_outcome(&again, &outcome, 3);
    nas_outcome_fini(&again);
    nas_outcome_fini(&outcome);
    drop(&f);
}

Test(trainer, what_cannot_be_saved_is_an_error)
{
    fixture_t f;
    nas_outcome_t outcome = {0};
    make(&f, nas_backend_ref(), train_case_recipe(BATCH, 1));
    const temp_path_t in_the_way = temp_file(&f.folder, "run.h5.d");
    FILE *file = fopen(in_the_way.text, "w");
    cr_assert(file && fclose(file) == 0);
    cr_assert_eq(judge(&f, 3, &outcome), NAS_EIO);
    cr_assert_not_null(strstr(f.err.text, in_the_way.text), "%s", f.err.text);
    cr_assert_eq(judge(&f, 0, &outcome), NAS_EIO);
    cr_assert(!outcome.columns && !outcome.curve);
    drop(&f);
}

/* ---------------------------------------------------------------------------------- outcomes */

static void test_divergence(const nas_backend_t *backend)
{
    fixture_t f;
    nas_recipe_t recipe = train_case_recipe(BATCH, 1);
    recipe.rate = 1e100;
    make(&f, backend, recipe);
    nas_outcome_t outcome = outcome_of(&f);
    long long step = 0, epoch = 0;
    cr_assert_eq(outcome.status, NAS_EVAL_FAILED);
    cr_assert_eq(
        sscanf(outcome.reason, "the loss is not finite in step %lld of epoch %lld", &step, &epoch),
        2, "%s", outcome.reason);
    cr_assert(step >= 1 && step <= N_STEPS && epoch >= 1 && epoch <= N_EPOCHS);
    cr_assert(isnan(outcome.value[0]));
    cr_assert_eq(outcome.cost, (double)(((epoch - 1) * N_STEPS + step) * BATCH));
    for (int i = 0; i < 3; i++) cr_assert(isnan(outcome.columns[i]));
    for (int64_t e = 0; e < N_EPOCHS; e++)
        cr_assert_eq(!isnan(outcome.curve[e * NAS_CURVE_COLUMNS + NAS_CURVE_VALID_ACCURACY]),
                     e < epoch - 1);

    nas_outcome_t again = outcome_of(&f);
    cr_assert_eq(f.asking.n, 0, "a failure is an outcome, and not tried again");
    assert_same_outcome(&again, &outcome, 3);
    nas_outcome_fini(&again);
    nas_outcome_fini(&outcome);
    drop(&f);
}

Test(trainer, a_loss_that_is_not_finite_is_an_outcome)
{
    on_every_backend(test_divergence);
}

/* In the last step of an epoch, which has one step or two. */
Test(trainer, the_curve_of_a_training_that_diverged_ends_before)
{
    for (int64_t n_steps = 1; n_steps <= 2; n_steps++) {
        fixture_t f;
        nas_recipe_t recipe = train_case_recipe(46 / n_steps, 1);
        recipe.rate = 1e100;
        make(&f, nas_backend_ref(), recipe);
        nas_outcome_t outcome = outcome_of(&f);
        cr_assert_eq(nas_split_steps(&f.c.split, &recipe), n_steps);
        cr_assert_str_eq(outcome.reason, n_steps == 1
                                             ? "the loss is not finite in step 1 of epoch 2"
                                             : "the loss is not finite in step 2 of epoch 1");
        cr_assert_eq(!isnan(outcome.curve[NAS_CURVE_VALID_ACCURACY]), n_steps == 1);
        for (int64_t i = (2 - n_steps) * NAS_CURVE_COLUMNS; i < N_CURVE; i++)
            cr_assert(isnan(outcome.curve[i]));
        nas_outcome_fini(&outcome);
        drop(&f);
    }
}

static void assert_columns(const nas_recipe_t *recipe, bool has_test, size_t n)
{
    static const char *const name[] = {"train_loss", "valid_loss", "test_accuracy"};
    nas_strings_t names = {0};
    cr_assert_eq(nas_trainer_columns(recipe, has_test, &names, NULL), NAS_OK);
    cr_assert_eq(names.n, n);
    for (size_t i = 0; i < n; i++) cr_assert_str_eq(names.at[i], name[i]);
    nas_strings_fini(&names);
}

/* Test images that judge are no news besides. */
Test(trainer, the_test_accuracy_is_reported_where_test_images_do_not_judge)
{
    nas_recipe_t recipe = train_case_recipe(BATCH, 1);
    assert_columns(&recipe, true, 3);
    assert_columns(&recipe, false, 2);
    recipe.validation = 0;
    assert_columns(&recipe, true, 2);
}

/* Held out or not, what is judged last by the test images is the same number. */
Test(trainer, without_images_held_out_the_test_images_judge)
{
    fixture_t f;
    nas_recipe_t recipe = train_case_recipe(BATCH, 1);
    double losses[N_EPOCHS * 3], loss = 0, accuracy = 0;
    int64_t index[CASE_TEST];
    recipe.validation = 0;
    make(&f, nas_backend_ref(), recipe);
    nas_outcome_t outcome = outcome_of(&f);
    nas_training_t *training = train_case_begin(&f.c);
    (void)train_case_go(training, N_EPOCHS * nas_training_steps(training), losses);
    for (int i = 0; i < CASE_TEST; i++) index[i] = i;
    cr_assert(
        nas_training_validate_on(training, &f.c.dataset.test, index, CASE_TEST, &loss, &accuracy));
    cr_assert_eq(outcome.value[0], accuracy);
    cr_assert_eq(outcome.columns[1], loss);
    nas_training_destroy(training);
    nas_outcome_fini(&outcome);
    drop(&f);
}

Test(trainer, a_recipe_that_does_not_fit_the_images_is_refused)
{
    fixture_t f;
    nas_outcome_t outcome = {0};
    make(&f, nas_backend_ref(), train_case_recipe(BATCH, 1));
    f.options.recipe.batch = CASE_TRAIN;
    cr_assert_eq(judge(&f, 0, &outcome), NAS_EINPUT);
    cr_assert_not_null(strstr(f.err.text, "fewer than a batch of 62"), "%s", f.err.text);
    cr_assert_not(nas_file_exists(f.file.text));
    drop(&f);
}
