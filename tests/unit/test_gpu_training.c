/* Trainings that stay on a device: what ref does, but for rounding; and the same bits however often
 * somebody looks. On kernels as C alone: PoCL takes minutes to build a training's (system.gpu). */
#include "gpu_engine_case.h"
#include "tests/unit/train_case.h"

#include <math.h>

enum { TRAIN_BATCH = 16, N_STEPS = 4 }; /* of two epochs */

static void make_training_case(train_case_t *c, nas_gpu_t *gpu, int64_t shards)
{
    nas_recipe_t recipe = train_case_recipe(TRAIN_BATCH, shards);
    recipe.epochs = 2;
    train_case_make(c, nas_backend_ref(), recipe);
    if (!gpu) return;
    nas_engine_destroy(c->engine);
    c->engine = make_gpu_engine(gpu, 0);
    c->options.engine = c->engine;
}

static double distance(const double *x, const double *y, int64_t n)
{
    double squares = 0, of_y = 0;
    for (int64_t i = 0; i < n; i++) {
        squares += (x[i] - y[i]) * (x[i] - y[i]);
        of_y += y[i] * y[i];
    }
    return sqrt(squares / of_y);
}

/* Two steps: then float32 and float64 part. The epoch's numbers are of 15 images. */
static void check_steps(nas_gpu_t *gpu, int64_t shards)
{
    train_case_t c, of_ref;
    double loss[N_STEPS], expected[N_STEPS];
    make_training_case(&c, gpu, shards);
    make_training_case(&of_ref, NULL, shards);
    nas_training_t *training = train_case_begin(&c), *ref = train_case_begin(&of_ref);
    cr_assert_eq(train_case_go(training, 2, loss), NAS_TRAINING_EPOCH_END);
    cr_assert_eq(train_case_go(ref, 2, expected), NAS_TRAINING_EPOCH_END);
    const nas_training_state_t *x = nas_training_state(training), *y = nas_training_state(ref);
    for (int i = 0; i < 2; i++) cr_assert_float_eq(loss[i], expected[i], 1e-4 * expected[i]);
    cr_assert_lt(distance(x->parameter, y->parameter, c.graph->n_values), 1e-4);
    cr_assert_lt(distance(x->velocity, y->velocity, c.graph->n_values), 1e-3);
    cr_assert_lt(distance(x->statistics, y->statistics, c.graph->n_statistics), 1e-4);
    cr_assert_float_eq(x->epoch[0].train_loss, y->epoch[0].train_loss, 1e-4);
    cr_assert_float_eq(x->epoch[0].valid_loss, y->epoch[0].valid_loss, 1e-2);
    nas_training_destroy(training);
    nas_training_destroy(ref);
    train_case_drop(&c);
    train_case_drop(&of_ref);
}

static void steps_are_those_of_ref(nas_gpu_t *gpu)
{
    for (int64_t shards = 1; shards <= 4; shards *= 4) check_steps(gpu, shards);
}
ON_LAYER(steps_are_those_of_ref, threads)

/* Nobody looks at a loss, somebody looks at each, and a training that was taken up from the middle
 * of an epoch: the same bits. */
static void looking_changes_nothing(nas_gpu_t *gpu)
{
    train_case_t c;
    double loss[N_STEPS];
    make_training_case(&c, gpu, 2);
    nas_training_t *looked = train_case_begin(&c), *blind = train_case_begin(&c),
                   *resumed = train_case_begin(&c);
    (void)train_case_go(looked, 3, loss);
    train_case_copy_state(&c, looked, resumed);
    nas_training_resume(resumed);
    (void)train_case_go(looked, N_STEPS, loss);
    (void)train_case_go(resumed, N_STEPS, loss);
    for (int epoch = 0; epoch < 2; epoch++)
        cr_assert_eq(nas_training_state(looked)->epoch[epoch].train_loss,
                     (loss[2 * epoch] + loss[2 * epoch + 1]) / 2);
    for (int i = 0; i < N_STEPS; i++)
        if (nas_training_step(blind, NULL) == NAS_TRAINING_EPOCH_END)
            cr_assert(nas_training_validate(blind));
    cr_assert(train_case_same_state(&c, looked, blind));
    cr_assert(train_case_same_state(&c, looked, resumed));
    nas_training_destroy(looked);
    nas_training_destroy(blind);
    nas_training_destroy(resumed);
    train_case_drop(&c);
}
ON_LAYER(looking_changes_nothing, threads)

/* The step that diverged is known at the end of its epoch, with the state before it. */
static void a_step_that_diverges_is_named(nas_gpu_t *gpu)
{
    train_case_t c;
    make_training_case(&c, gpu, 1);
    nas_training_t *training = train_case_begin(&c);
    nas_training_state(training)->parameter[c.graph->n_values - 1] = NAN;
    nas_training_resume(training);
    cr_assert_eq(nas_training_step(training, NULL), NAS_TRAINING_ON);
    cr_assert_eq(nas_training_step(training, NULL), NAS_TRAINING_DIVERGED);
    cr_assert_eq(nas_training_state(training)->step, 0);
    nas_training_destroy(training);
    train_case_drop(&c);
}
ON_LAYER(a_step_that_diverges_is_named, threads)
