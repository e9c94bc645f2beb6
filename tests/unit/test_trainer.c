/* Candidates evaluated by a training each, with checkpoints; on every backend. */
#include "trained_case.h"

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

/* Between steps, while images are validated, and while test images are looked at. */
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
    /* the first question comes before any work, the last ones while images are looked at */
    while (evaluate(&f, 5, &last) == NAS_ESTOP) {
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

/* Test images that validate are no news besides. */
Test(trainer, the_test_accuracy_is_reported_where_test_images_do_not_validate)
{
    nas_recipe_t recipe = train_case_recipe(BATCH, 1);
    assert_columns(&recipe, true, 3);
    assert_columns(&recipe, false, 2);
    recipe.validation = 0;
    assert_columns(&recipe, true, 2);
}

/* Held out or not, what the test images say last is the same number. */
Test(trainer, without_images_held_out_the_test_images_validate)
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
    cr_assert_eq(evaluate(&f, 0, &outcome), NAS_EINPUT);
    cr_assert_not_null(strstr(f.err.text, "fewer than a batch of 62"), "%s", f.err.text);
    cr_assert_not(nas_file_exists(f.file.text));
    drop(&f);
}
