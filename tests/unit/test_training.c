#include "tests/unit/train_case.h"
#include "worker/engine/graph/parameters.h"
#include "worker/engine/host/host.h"
#include "worker/objectives/train/sgd.h"

#include <criterion/criterion.h>
#include <math.h>

enum { BATCH = 20, MAX_STEPS = 60, PIXELS = CASE_COLOURS * CASE_SIDE * CASE_SIDE };

static void make_case(train_case_t *c, int64_t shards)
{
    train_case_make(c, nas_backend_ref(), train_case_recipe(BATCH, shards));
}

static double *zeros(int64_t n)
{
    double *x = calloc((size_t)n, sizeof *x);
    cr_assert_not_null(x);
    return x;
}

/* ---------------------------------------------------------------------------- transcription */

/* A training by hand, in the plain order of its definition. */
typedef struct by_hand {
    const train_case_t *c;
    nas_engine_t *engine;
    nas_program_t *program; /* of a shard */
    int64_t step;
    double *parameter, *velocity, *statistics;
    double *gradient, *moments; /* mean over the shards */
} by_hand_t;

static void begin_by_hand(by_hand_t *hand, const train_case_t *c)
{
    const nas_graph_t *graph = c->graph;
    *hand = (by_hand_t){.c = c,
                        .parameter = zeros(graph->n_values),
                        .velocity = zeros(graph->n_values),
                        .statistics = zeros(graph->n_statistics),
                        .gradient = zeros(graph->n_values),
                        .moments = zeros(graph->n_statistics)};
    const nas_program_options_t options = {.layout = c->backend,
                                           .graph = graph,
                                           .batch = (int)(c->recipe.batch / c->recipe.shards),
                                           .needs = NAS_NEED_LOSS | NAS_NEED_GRADIENT,
                                           .smoothing = c->recipe.smoothing};
    cr_assert_eq(nas_host_engine_create(c->backend, NULL, &hand->engine, NULL), NAS_OK);
    cr_assert_eq(nas_program_create(&options, &hand->program, NULL), NAS_OK);
    nas_parameters_init(graph, c->options.seed, c->options.arch, hand->parameter);
    for (int i = 0; i < graph->n_nodes; i++) {
        const nas_node_t *node = &graph->node[i];
        for (int k = 0; node->kind == NAS_NODE_NORM && k < node->extents.c; k++)
            hand->statistics[node->statistics + node->extents.c + k] = 1;
    }
}

static void end_by_hand(by_hand_t *hand)
{
    nas_program_destroy(hand->program);
    nas_engine_destroy(hand->engine);
    free(hand->parameter);
    free(hand->velocity);
    free(hand->statistics);
    free(hand->gradient);
    free(hand->moments);
}

/* Adds a shard's gradient and moments, over the number of shards; the shard's loss. */
static double add_shard(by_hand_t *hand, const int64_t *index, int64_t n)
{
    const train_case_t *c = hand->c;
    const nas_graph_t *graph = c->graph;
    const int64_t n_steps = nas_split_steps(&c->split, &c->recipe);
    float images[BATCH * PIXELS];
    int32_t labels[BATCH];
    nas_program_values_t values;
    const nas_augment_options_t augment = {.dataset = &c->dataset,
                                           .recipe = &c->recipe,
                                           .seed = c->options.seed,
                                           .epoch = hand->step / n_steps};
    nas_augment(&augment, index, n, images);
    for (int64_t i = 0; i < n; i++) labels[i] = c->dataset.train.labels[index[i]];
    const nas_engine_task_t task = {.program = hand->program,
                                    .parameters = hand->parameter,
                                    .images = images,
                                    .labels = labels};
    cr_assert_eq(nas_engine_run(hand->engine, &task, &values, NULL), NAS_OK);
    for (int64_t i = 0; i < graph->n_values; i++)
        hand->gradient[i] += values.gradient[i] / (double)c->recipe.shards;
    for (int64_t i = 0; i < graph->n_statistics; i++)
        hand->moments[i] += values.moments[i] / (double)c->recipe.shards;
    return values.loss;
}

/* As torch.nn.BatchNorm2d; the case's cell leaves no norm out. */
static void update_by_hand(by_hand_t *hand)
{
    const nas_graph_t *graph = hand->c->graph;
    for (int i = 0; i < graph->n_nodes; i++) {
        const nas_node_t *norm = &graph->node[i];
        const nas_extents_t e = norm->extents;
        const int64_t m = hand->c->recipe.batch / hand->c->recipe.shards * e.h * e.w;
        for (int k = 0; norm->kind == NAS_NODE_NORM && k < 2 * e.c; k++) {
            const double factor = k < e.c ? 1 : (double)m / (double)(m - 1);
            double *running = &hand->statistics[norm->statistics + k];
            *running = (1 - norm->momentum) * *running +
                       norm->momentum * factor * hand->moments[norm->statistics + k];
        }
    }
}

static double step_by_hand(by_hand_t *hand)
{
    const train_case_t *c = hand->c;
    const nas_graph_t *graph = c->graph;
    const nas_recipe_t *recipe = &c->recipe;
    const int64_t n_steps = nas_split_steps(&c->split, recipe), n = recipe->batch / recipe->shards;
    int64_t order[CASE_TRAIN];
    double loss = 0;
    memset(hand->gradient, 0, (size_t)graph->n_values * sizeof(double));
    memset(hand->moments, 0, (size_t)graph->n_statistics * sizeof(double));
    nas_epoch_order(&c->split, c->options.seed, hand->step / n_steps, order);
    for (int64_t s = 0; s < recipe->shards; s++)
        loss += add_shard(hand, order + hand->step % n_steps * recipe->batch + s * n, n) /
                (double)recipe->shards;
    update_by_hand(hand);
    const nas_sgd_values_t values = {.n = graph->n_values,
                                     .parameter = hand->parameter,
                                     .velocity = hand->velocity,
                                     .gradient = hand->gradient};
    nas_sgd_step(recipe, nas_sgd_rate(recipe, hand->step, recipe->epochs * n_steps),
                 hand->step == 0, &values);
    hand->step++;
    return loss;
}

static void assert_close(const double *found, const double *expected, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        cr_assert_float_eq(found[i], expected[i], 1e-12 * (1 + fabs(expected[i])));
}

/* Of its own to every other norm; the rest have the usual one. */
static void give_momentum(nas_graph_t *graph)
{
    for (int i = 0; i < graph->n_nodes; i += 2)
        if (graph->node[i].kind == NAS_NODE_NORM) graph->node[i].momentum = 0.375;
}

/* Across the end of an epoch, in one shard and in several. */
Test(training, steps_equal_their_definition)
{
    for (int64_t shards = 1; shards <= 4; shards *= 2) {
        train_case_t c;
        make_case(&c, shards);
        give_momentum(c.graph);
        nas_training_t *training = train_case_begin(&c);
        const nas_training_state_t *state = nas_training_state(training);
        by_hand_t hand;
        begin_by_hand(&hand, &c);
        cr_assert_eq(nas_training_steps(training), 2);
        for (int step = 0; step < 3; step++) {
            double loss = 0;
            const nas_training_verdict_t verdict = nas_training_step(training, &loss);
            cr_assert_eq(verdict, step == 1 ? NAS_TRAINING_EPOCH_END : NAS_TRAINING_ON);
            const double expected = step_by_hand(&hand);
            cr_assert_float_eq(loss, expected, 1e-12);
            assert_close(state->parameter, hand.parameter, c.graph->n_values);
            assert_close(state->velocity, hand.velocity, c.graph->n_values);
            assert_close(state->statistics, hand.statistics, c.graph->n_statistics);
        }
        end_by_hand(&hand);
        nas_training_destroy(training);
        train_case_drop(&c);
    }
}

/* Each shard is normalised by itself. */
Test(training, shards_are_normalised_by_themselves)
{
    double loss[2];
    for (int i = 0; i < 2; i++) {
        train_case_t c;
        make_case(&c, i == 0 ? 1 : 4);
        nas_training_t *training = train_case_begin(&c);
        (void)nas_training_step(training, &loss[i]);
        nas_training_destroy(training);
        train_case_drop(&c);
    }
    cr_assert_gt(fabs(loss[0] - loss[1]), 1e-4);
}

/* --------------------------------------------------------------------------------- judgement */

/* Images one by one, by a program of its own. */
static void judge_by_hand(const train_case_t *c, const nas_training_state_t *state,
                          const nas_image_source_t *images, const int64_t *index, int64_t n,
                          double *loss, double *accuracy)
{
    nas_engine_t *engine = NULL;
    nas_program_t *program = NULL;
    const nas_program_options_t options = {
        .layout = c->backend, .graph = c->graph, .batch = 1, .needs = NAS_NEED_INFERENCE};
    cr_assert_eq(nas_host_engine_create(c->backend, NULL, &engine, NULL), NAS_OK);
    cr_assert_eq(nas_program_create(&options, &program, NULL), NAS_OK);
    *loss = *accuracy = 0;
    for (int64_t i = 0; i < n; i++) {
        float image[PIXELS];
        double sum = 0;
        int best = 0;
        nas_source_read(images, index + i, 1, image);
        const nas_engine_task_t task = {.program = program,
                                        .parameters = state->parameter,
                                        .images = image,
                                        .statistics = state->statistics};
        nas_program_values_t values;
        cr_assert_eq(nas_engine_run(engine, &task, &values, NULL), NAS_OK);
        const double *logit = values.logits;
        for (int k = 0; k < CASE_CLASSES; k++) {
            sum += exp(logit[k]);
            if (logit[k] > logit[best]) best = k;
        }
        *loss += (log(sum) - logit[images->labels[index[i]]]) / (double)n;
        *accuracy += 100.0 * (best == images->labels[index[i]]) / (double)n;
    }
    nas_program_destroy(program);
    nas_engine_destroy(engine);
}

/* In batches of 5 of which the last is not full, on images held out or the test images. */
Test(training, an_epoch_ends_with_its_validation)
{
    for (int of_test = 0; of_test < 2; of_test++) {
        train_case_t c;
        nas_recipe_t recipe = train_case_recipe(BATCH, 4);
        if (of_test) recipe.validation = 0;
        train_case_make(&c, nas_backend_ref(), recipe);
        const nas_image_source_t *images = of_test ? &c.dataset.test : &c.dataset.train;
        nas_training_t *training = train_case_begin(&c);
        const nas_training_state_t *state = nas_training_state(training);
        const int64_t n_steps = nas_training_steps(training);
        double step_loss[MAX_STEPS], mean = 0, loss, accuracy;
        cr_assert_neq(c.split.n_valid % 5, 0);
        (void)train_case_go(training, 2 * n_steps, step_loss);
        for (int64_t i = n_steps; i < 2 * n_steps; i++) mean += step_loss[i] / (double)n_steps;
        judge_by_hand(&c, state, images, c.split.valid, c.split.n_valid, &loss, &accuracy);
        cr_assert_float_eq(state->epoch[1].train_loss, mean, 1e-12);
        cr_assert_float_eq(state->epoch[1].valid_loss, loss, 1e-12);
        cr_assert_float_eq(state->epoch[1].valid_accuracy, accuracy, 1e-12);
        cr_assert_eq(state->loss_sum, 0);
        nas_training_destroy(training);
        train_case_drop(&c);
    }
}

/* Equal logits: the lowest class. */
Test(training, ties_go_to_the_lower_class_and_rubbish_is_never_right)
{
    train_case_t c;
    make_case(&c, 4);
    nas_training_t *training = train_case_begin(&c);
    double *parameter = nas_training_state(training)->parameter, loss = 0, accuracy = -1;
    int64_t index[CASE_TEST], n_lowest = 0;
    for (int i = 0; i < CASE_TEST; i++) {
        index[i] = i;
        n_lowest += c.dataset.test.labels[i] == 0;
    }
    for (int64_t i = 0; i < c.graph->n_values; i++) parameter[i] = 0;
    nas_training_validate_on(training, &c.dataset.test, index, CASE_TEST, &loss, &accuracy);
    cr_assert_float_eq(loss, log(CASE_CLASSES), 1e-12);
    cr_assert_float_eq(accuracy, 100.0 * (double)n_lowest / CASE_TEST, 1e-12);
    for (int64_t i = 0; i < c.graph->n_values; i++) parameter[i] = NAN;
    nas_training_validate_on(training, &c.dataset.test, index, CASE_TEST, &loss, &accuracy);
    cr_assert(isnan(loss));
    cr_assert_eq(accuracy, 0);
    nas_training_destroy(training);
    train_case_drop(&c);
}

/* ------------------------------------------------------------------------------------ courses */

/* From any step, the first, the last and one in the middle of an epoch among them. */
Test(training, going_on_from_a_state_gives_the_same_bits)
{
    train_case_t c;
    make_case(&c, 2);
    double straight[MAX_STEPS], resumed[MAX_STEPS];
    nas_training_t *all = train_case_begin(&c);
    const int64_t n = c.recipe.epochs * nas_training_steps(all);
    (void)train_case_go(all, n, straight);
    for (int64_t stop = 0; stop <= n; stop++) {
        nas_training_t *first = train_case_begin(&c), *second = train_case_begin(&c);
        (void)train_case_go(first, stop, resumed);
        train_case_copy_state(&c, first, second);
        nas_training_resume(second);
        (void)train_case_go(second, n, resumed);
        cr_assert_eq(memcmp(straight, resumed, (size_t)n * sizeof *straight), 0);
        cr_assert(train_case_same_state(&c, all, second));
        nas_training_destroy(first);
        nas_training_destroy(second);
    }
    nas_training_destroy(all);
    train_case_drop(&c);
}

Test(training, classes_that_differ_are_learnt)
{
    train_case_t c;
    nas_recipe_t recipe = train_case_recipe(BATCH, 2);
    recipe.epochs = 30;
    recipe.smoothing = 0;
    recipe.cutout = 0;
    train_case_make(&c, nas_backend_ref(), recipe);
    nas_training_t *training = train_case_begin(&c);
    const nas_epoch_t *epoch = nas_training_state(training)->epoch;
    const int64_t last = recipe.epochs - 1;
    double loss[MAX_STEPS];
    (void)train_case_go(training, recipe.epochs * nas_training_steps(training), loss);
    cr_assert_lt(epoch[last].train_loss, 0.7 * epoch[0].train_loss);
    cr_assert_lt(epoch[last].valid_loss, 0.7 * epoch[0].valid_loss);
    cr_assert_gt(epoch[last].valid_accuracy, 90);
    nas_training_destroy(training);
    train_case_drop(&c);
}

/* The state stays that of the last good step. */
Test(training, a_huge_rate_diverges)
{
    train_case_t c;
    nas_recipe_t recipe = train_case_recipe(BATCH, 2);
    recipe.rate = 1e100;
    train_case_make(&c, nas_backend_ref(), recipe);
    nas_training_t *training = train_case_begin(&c);
    const nas_training_state_t *state = nas_training_state(training);
    double loss[MAX_STEPS];
    cr_assert_eq(train_case_go(training, 6, loss), NAS_TRAINING_DIVERGED);
    const int64_t step = state->step;
    double *before = zeros(c.graph->n_values);
    memcpy(before, state->parameter, (size_t)c.graph->n_values * sizeof *before);
    cr_assert_eq(nas_training_step(training, loss), NAS_TRAINING_DIVERGED);
    cr_assert_eq(state->step, step);
    cr_assert_eq(memcmp(before, state->parameter, (size_t)c.graph->n_values * sizeof *before), 0);
    free(before);
    nas_training_destroy(training);
    train_case_drop(&c);
}

/* One parameter is enough, wherever it stands. */
Test(training, a_gradient_that_is_not_finite_diverges)
{
    train_case_t c;
    make_case(&c, 1);
    nas_training_t *training = train_case_begin(&c);
    double *parameter = nas_training_state(training)->parameter, loss = 0;
    const double kept = parameter[c.graph->n_values - 1];
    parameter[c.graph->n_values - 1] = NAN;
    cr_assert_eq(nas_training_step(training, &loss), NAS_TRAINING_DIVERGED);
    cr_assert(isnan(loss));
    parameter[c.graph->n_values - 1] = kept;
    cr_assert_eq(nas_training_step(training, &loss), NAS_TRAINING_ON);
    nas_training_destroy(training);
    train_case_drop(&c);
}

static void assert_refused(train_case_t *c, int64_t epochs, int64_t batch, int64_t shards,
                           const char *text)
{
    nas_training_t *training = NULL;
    nas_error_t err = {0};
    c->recipe.epochs = epochs;
    c->recipe.batch = batch;
    c->recipe.shards = shards;
    cr_assert_eq(nas_training_create(&c->options, &training, &err), NAS_EARG);
    cr_assert_str_eq(err.text, text);
    cr_assert_null(training);
}

Test(training, what_does_not_fit_is_refused)
{
    train_case_t c;
    make_case(&c, 1);
    assert_refused(&c, 1, 20, 3,
                   "a training of 1 epochs in batches of 20 images and 3 shards; expected an "
                   "epoch or more, and a batch of whole shards");
    assert_refused(&c, 0, 20, 2,
                   "a training of 0 epochs in batches of 20 images and 2 shards; expected an "
                   "epoch or more, and a batch of whole shards");
    assert_refused(&c, 1, 48, 2,
                   "a training on 46 images in batches of 48; expected at least a batch");
    train_case_drop(&c);
}
