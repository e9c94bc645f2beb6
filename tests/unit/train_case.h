/* A small training: a cell of every operation on 8 x 8 images of three classes, for tests with and
 * without MPI. */
#ifndef NAS_TESTS_UNIT_TRAIN_CASE_H
#define NAS_TESTS_UNIT_TRAIN_CASE_H

#include "common/base/rng.h"
#include "tests/unit/arch_case.h"
#include "worker/data/memory.h"
#include "worker/engine/host/host.h"
#include "worker/objectives/train/training.h"

#include <stdlib.h>
#include <string.h>

#define TRAIN_CASE_CELL                                                                            \
    "|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|nor_conv_1x1~0|nor_conv_3x3~1|none~2|"

enum { CASE_TRAIN = 62, CASE_TEST = 23, CASE_COLOURS = 3, CASE_SIDE = 8, CASE_CLASSES = 3 };

/* Everything that options point to. */
typedef struct train_case {
    nas_dataset_t dataset;
    nas_recipe_t recipe;
    nas_split_t split;
    nas_arch_t arch;
    nas_graph_t *graph;
    nas_comm_t *alone;
    const nas_backend_t *backend;
    nas_engine_t *engine;
    nas_training_options_t options;
} train_case_t;

/* Noise, and every third row bright: which third is the class. */
static inline void train_case_draw(nas_images_t *images, int64_t n, uint64_t number)
{
    nas_rng_t rng;
    *images = (nas_images_t){.n = n, .c = CASE_COLOURS, .h = CASE_SIDE, .w = CASE_SIDE};
    NAS_ASSERT(nas_images_allocate(images, NULL) == NAS_OK);
    uint8_t *pixel = images->data;
    nas_rng_init(&rng, 17, NAS_STREAM_BENCH, number);
    for (int64_t i = 0; i < n; i++) {
        const int label = (int)nas_rng_below(&rng, CASE_CLASSES);
        images->labels[i] = label;
        for (int k = 0; k < CASE_COLOURS * CASE_SIDE * CASE_SIDE; k++) {
            const int row = k / CASE_SIDE % CASE_SIDE;
            *pixel++ =
                (uint8_t)(nas_rng_below(&rng, 128) + (row % CASE_CLASSES == label ? 100 : 0));
        }
    }
}

/* What a recipe may ask for, all of it. */
static inline nas_recipe_t train_case_recipe(int64_t batch, int64_t shards)
{
    return (nas_recipe_t){.epochs = 3,
                          .batch = batch,
                          .shards = shards,
                          .rate = 0.05,
                          .cosine = true,
                          .momentum = 0.9,
                          .nesterov = true,
                          .weight_decay = 5e-4,
                          .smoothing = 0.1,
                          .clip = 2,
                          .validation = 0.25,
                          .flip = true,
                          .crop = 1,
                          .cutout = 3};
}

static inline void train_case_images(nas_dataset_t *dataset)
{
    nas_images_t train, test;
    train_case_draw(&train, CASE_TRAIN, 0);
    train_case_draw(&test, CASE_TEST, 1);
    nas_images_moments(&train, dataset->mean, dataset->std);
    const double *mean = dataset->mean, *std = dataset->std;
    NAS_ASSERT(nas_memory_source(&train, mean, std, &dataset->train, NULL) == NAS_OK);
    NAS_ASSERT(nas_memory_source(&test, mean, std, &dataset->test, NULL) == NAS_OK);
}

/* On the team of this process alone; another may be set in options. */
static inline void train_case_make(train_case_t *c, const nas_backend_t *backend,
                                   nas_recipe_t recipe)
{
    const nas_network_t network = {.image_channels = CASE_COLOURS,
                                   .height = CASE_SIDE,
                                   .width = CASE_SIDE,
                                   .channels = 8,
                                   .cells = 1,
                                   .classes = CASE_CLASSES,
                                   .convention = NAS_CONVENTION_TRAIN};
    *c = (train_case_t){
        .recipe = recipe, .dataset = {.n_classes = CASE_CLASSES}, .backend = backend};
    train_case_images(&c->dataset);
    NAS_ASSERT(nas_split_make(&c->dataset, &c->recipe, 5, &c->split, NULL) == NAS_OK);
    c->arch = arch_of(TRAIN_CASE_CELL);
    NAS_ASSERT(nas_graph_create(&network, &c->arch, &c->graph, NULL) == NAS_OK);
    NAS_ASSERT(nas_host_engine_create(backend, NULL, &c->engine, NULL) == NAS_OK);
    NAS_ASSERT(nas_comm_self(&c->alone, NULL) == NAS_OK);
    c->options = (nas_training_options_t){.team = c->alone,
                                          .engine = c->engine,
                                          .graph = c->graph,
                                          .arch = TRAIN_CASE_CELL,
                                          .seed = 5,
                                          .recipe = &c->recipe,
                                          .dataset = &c->dataset,
                                          .split = &c->split};
}

static inline void train_case_drop(train_case_t *c)
{
    nas_dataset_fini(&c->dataset);
    nas_split_fini(&c->split);
    nas_graph_destroy(c->graph);
    nas_arch_fini(&c->arch);
    nas_engine_destroy(c->engine);
    nas_comm_destroy(c->alone);
}

static inline nas_training_t *train_case_begin(const train_case_t *c)
{
    nas_training_t *training = NULL;
    nas_error_t err = {0};
    NAS_ASSERT(nas_training_create(&c->options, &training, &err) == NAS_OK);
    return training;
}

/* Steps up to and without number `end`, each epoch validated; loss [out] of every step, by its
 * number. Ends early where it diverges. */
static inline nas_training_verdict_t train_case_go(nas_training_t *training, int64_t end,
                                                   double *loss)
{
    const nas_training_state_t *state = nas_training_state(training);
    nas_training_verdict_t verdict = NAS_TRAINING_ON;
    while (state->step < end && verdict != NAS_TRAINING_DIVERGED) {
        const int64_t step = state->step;
        verdict = nas_training_step(training, &loss[step]);
        NAS_ASSERT(verdict == NAS_TRAINING_DIVERGED || state->step == step + 1);
        if (verdict == NAS_TRAINING_EPOCH_END) nas_training_validate(training);
    }
    return verdict;
}

static inline bool train_case_same(const void *a, const void *b, size_t n_bytes)
{
    return memcmp(a, b, n_bytes) == 0;
}

/* The leader's states, bit by bit. */
static inline bool train_case_same_state(const train_case_t *c, nas_training_t *a,
                                         nas_training_t *b)
{
    const nas_training_state_t *x = nas_training_state(a), *y = nas_training_state(b);
    const size_t n_values = (size_t)c->graph->n_values * sizeof(double);
    const size_t n_epochs = (size_t)(x->step / nas_training_steps(a)) * sizeof *x->epoch;
    return x->step == y->step && x->loss_sum == y->loss_sum &&
           memcmp(x->parameter, y->parameter, n_values) == 0 &&
           memcmp(x->velocity, y->velocity, n_values) == 0 &&
           memcmp(x->statistics, y->statistics, (size_t)c->graph->n_statistics * sizeof(double)) ==
               0 &&
           memcmp(x->epoch, y->epoch, n_epochs) == 0;
}

/* What a saved and read state does. */
static inline void train_case_copy_state(const train_case_t *c, nas_training_t *from,
                                         nas_training_t *to)
{
    const nas_training_state_t *x = nas_training_state(from);
    nas_training_state_t *y = nas_training_state(to);
    const size_t n_values = (size_t)c->graph->n_values * sizeof(double);
    y->step = x->step;
    y->loss_sum = x->loss_sum;
    memcpy(y->parameter, x->parameter, n_values);
    memcpy(y->velocity, x->velocity, n_values);
    memcpy(y->statistics, x->statistics, (size_t)c->graph->n_statistics * sizeof(double));
    memcpy(y->epoch, x->epoch, (size_t)c->recipe.epochs * sizeof *x->epoch);
}

#endif
