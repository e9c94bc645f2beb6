#include "worker/verify/verify_training.h"

#include "worker/data/memory.h"
#include "worker/objectives/train/training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* reference.h defines it: one epoch, nothing done to the images. */
static nas_recipe_t recipe_of(const nas_reference_t *reference)
{
    return (nas_recipe_t){.epochs = 1,
                          .batch = reference->batch,
                          .shards = 1,
                          .rate = 0.1,
                          .cosine = true,
                          .momentum = 0.9,
                          .nesterov = true,
                          .weight_decay = 5e-4};
}

/* What a training needs, and owns nothing of. */
typedef struct replay {
    nas_recipe_t recipe;
    nas_dataset_t dataset;
    nas_split_t split;
    nas_comm_t *team;
} replay_t;

/* An epoch goes through its images in an order of its own. They lie so that this order is the
 * file's; numbers are of images in the dataset. */
static void place_images(const nas_images_t *from, const int64_t *order, nas_images_t *images)
{
    const size_t n_values = nas_images_values(images);
    const float *given = from->data;
    float *data = images->data;
    for (int64_t i = 0; i < from->n; i++) {
        memcpy(data + (size_t)order[i] * n_values, given + (size_t)i * n_values,
               n_values * sizeof *data);
        images->labels[order[i]] = from->labels[i];
    }
}

static nas_status_t order_images(const nas_images_t *from, uint64_t seed, nas_split_t *split,
                                 nas_images_t *images, nas_error_t *err)
{
    split->train = calloc((size_t)images->n, sizeof *split->train);
    int64_t *order = calloc((size_t)images->n, sizeof *order);
    nas_status_t status = nas_images_allocate(images, err);
    if (!status && (!split->train || !order)) status = nas_error_nomem(err, "images");
    if (!status) {
        split->n_train = images->n;
        for (int64_t i = 0; i < images->n; i++) split->train[i] = i;
        nas_epoch_order(split, seed, 0, order);
        place_images(from, order, images);
    }
    free(order);
    return status;
}

/* All images to train on. They are normalised already. */
static nas_status_t make_images(const nas_reference_t *reference, uint64_t seed, replay_t *replay,
                                nas_error_t *err)
{
    nas_dataset_t *dataset = &replay->dataset;
    nas_images_t images = reference->course;
    images.data = images.labels = NULL;
    dataset->n_classes = reference->graph->network.classes;
    for (int c = 0; c < images.c; c++) dataset->std[c] = 1;
    nas_status_t status = order_images(&reference->course, seed, &replay->split, &images, err);
    if (!status)
        status = nas_memory_source(&images, dataset->mean, dataset->std, &dataset->train, err);
    nas_images_fini(&images);
    return status;
}

static void take_steps(const nas_reference_t *reference, nas_training_t *training, double *losses)
{
    nas_training_verdict_t verdict = NAS_TRAINING_ON;
    memcpy(nas_training_state(training)->parameter, reference->parameters,
           (size_t)reference->graph->n_values * sizeof(double));
    nas_training_resume(training);
    for (int i = 0; i < reference->n_steps; i++) {
        losses[i] = NAN;
        if (verdict == NAS_TRAINING_DIVERGED) continue;
        verdict = nas_training_step(training, &losses[i]);
        if (verdict == NAS_TRAINING_DIVERGED) losses[i] = NAN;
    }
}

nas_status_t nas_verify_training(nas_engine_t *engine, const nas_reference_t *reference,
                                 double *losses, nas_error_t *err)
{
    replay_t replay = {.recipe = recipe_of(reference)};
    nas_training_t *training = NULL;
    nas_training_options_t options = {.engine = engine,
                                      .graph = reference->graph,
                                      .arch = nas_reference_name(reference),
                                      .seed = 0,
                                      .recipe = &replay.recipe,
                                      .dataset = &replay.dataset,
                                      .split = &replay.split};
    nas_status_t status = nas_comm_self(&replay.team, err);
    if (!status) status = make_images(reference, options.seed, &replay, err);
    options.team = replay.team;
    if (!status) status = nas_training_create(&options, &training, err);
    if (!status) take_steps(reference, training, losses);
    nas_training_destroy(training);
    nas_comm_destroy(replay.team);
    nas_split_fini(&replay.split);
    nas_dataset_fini(&replay.dataset);
    return status;
}
