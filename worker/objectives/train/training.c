/* One training.
 *
 * Purpose. The same numbers on a team of any size, and a state small enough to be saved at any
 * step.
 *
 * What is where. The leader alone has the velocity and the numbers of past epochs, adds up what the
 * shards gave, steps in float64, and sends the parameters to its team. Every rank has the images
 * and computes its shards with two programs in one arena: one learns (loss and gradient), one looks
 * at images with running statistics. What an image looks like in an epoch (its place in the order,
 * crop, mirror, hole) is a function of seed, epoch and image, so that no generator has a state to
 * save.
 *
 * States. A training stands after `step` steps. nas_training_step takes it one further, or to the
 * end of an epoch, where nas_training_validate enters the epoch's numbers; only then may the next
 * step follow. nas_training_resume begins at whatever step the leader has put into its state.
 *
 * An engine that steps by itself has all of that but the numbers of past epochs where it is
 * (training_learner.c), and its team is one rank.
 *
 * Failure. Creation fails on all ranks or on none. A loss or gradient that is not finite is no
 * error but a verdict, DIVERGED, which every rank gets in the same step. An interrupt is heard
 * between two batches of validation; between two steps the caller asks.
 */
#include "worker/engine/graph/parameters.h"
#include "worker/objectives/train/training_internal.h"

#include <stdlib.h>
#include <string.h>

bool nas_training_leads(const nas_training_t *training)
{
    return nas_comm_rank(training->options.team) == 0;
}

/* ----------------------------------------------------------------------------------- creation */

static nas_status_t check_options(const nas_training_options_t *options, nas_error_t *err)
{
    const nas_recipe_t *recipe = options->recipe;
    const nas_network_t *network = &options->graph->network;
    const nas_image_source_t *images = &options->dataset->train;
    const int n_ranks = nas_comm_size(options->team);
    NAS_ASSERT(network->image_channels == images->c && network->height == images->h &&
               network->width == images->w && network->classes >= options->dataset->n_classes);
    if (recipe->epochs < 1 || recipe->batch < 1 || recipe->shards < 1 ||
        recipe->batch % recipe->shards != 0)
        return nas_error_set(
            err, NAS_EARG,
            "a training of %lld epochs in batches of %lld images and %lld shards; expected an epoch or more, and a batch of whole shards",
            (long long)recipe->epochs, (long long)recipe->batch, (long long)recipe->shards);
    if (options->engine->learners && n_ranks > 1)
        return nas_error_set(err, NAS_EARG,
                             "a training on %d ranks, of which one has all of it on its device",
                             n_ranks);
    if (n_ranks > recipe->shards)
        return nas_error_set(
            err, NAS_EARG,
            "a training of %lld shards on %d ranks; expected at most as many ranks as shards",
            (long long)recipe->shards, n_ranks);
    if (options->split->n_train < recipe->batch)
        return nas_error_set(
            err, NAS_EARG,
            "a training on %lld images in batches of %lld; expected at least a batch",
            (long long)options->split->n_train, (long long)recipe->batch);
    return NAS_OK;
}

static void set_sizes(nas_training_t *training)
{
    const nas_training_options_t *options = &training->options;
    const nas_recipe_t *recipe = options->recipe;
    const nas_dataset_t *dataset = options->dataset;
    const int64_t most = dataset->train.n > dataset->test.n ? dataset->train.n : dataset->test.n;
    training->n_steps = nas_split_steps(options->split, recipe);
    training->n_images = recipe->batch / recipe->shards;
    nas_comm_shard(recipe->shards, nas_comm_rank(options->team), nas_comm_size(options->team),
                   &training->first_shard, &training->n_shards);
    training->order_of = -1;
    training->batches = options->engine->learners ? options->engine->learners->validates : 1;
    training->row_length = options->graph->n_values + options->graph->n_statistics + 1;
    training->max_tally = (most + training->n_images - 1) / training->n_images;
}

/* Whether there was memory for the state, which on the others than the leader is what the next
 * step's shards depend on. */
static bool allocate_state(nas_training_t *training)
{
    const nas_graph_t *graph = training->options.graph;
    const size_t n_values = (size_t)graph->n_values;
    nas_training_state_t *state = &training->state;
    state->parameter = calloc(n_values + 2, sizeof *state->parameter);
    state->statistics = calloc((size_t)graph->n_statistics, sizeof *state->statistics);
    if (!state->parameter || !state->statistics) return false;
    if (!nas_training_leads(training)) return true;
    state->velocity = calloc(n_values, sizeof *state->velocity);
    state->epoch = calloc((size_t)training->options.recipe->epochs, sizeof *state->epoch);
    return state->velocity && state->epoch;
}

static nas_status_t allocate(nas_training_t *training, nas_error_t *err)
{
    const size_t n_images = (size_t)training->n_images,
                 n_ranks = (size_t)nas_comm_size(training->options.team),
                 n_shards = (size_t)training->n_shards;
    const size_t n_rows = nas_training_leads(training) ? 1 : n_shards;
    training->images =
        calloc(n_images, nas_source_values(&training->options.dataset->train) * sizeof(float));
    training->labels = calloc(n_images, sizeof *training->labels);
    training->index = calloc(n_images, sizeof *training->index);
    training->order = calloc((size_t)training->options.split->n_train, sizeof *training->order);
    training->row = calloc(n_rows * (size_t)training->row_length, sizeof *training->row);
    training->tally = calloc((size_t)training->max_tally, sizeof *training->tally);
    training->offset = calloc(n_ranks + 1, sizeof *training->offset);
    training->logits = calloc((size_t)training->batches * n_images,
                              (size_t)training->options.graph->network.classes * sizeof(double));
    if (allocate_state(training) && training->logits && training->images && training->labels &&
        training->index && training->order && training->row && training->tally && training->offset)
        return NAS_OK;
    return nas_error_nomem(err, "a training");
}

/* What it takes is taken now, so that no step fails for lack of it: then ranks would part. */
static nas_status_t make_program(nas_engine_t *engine, const nas_program_options_t *options,
                                 nas_program_t **program_p, nas_error_t *err)
{
    const nas_status_t status = nas_program_create(options, program_p, err);
    if (status || engine->learners) return status; /* a learner takes it by itself */
    return engine->reserve(engine, (const nas_program_t *const[]){*program_p}, 1, err);
}

static nas_status_t make_programs(nas_training_t *training, nas_error_t *err)
{
    const nas_training_options_t *options = &training->options;
    nas_program_options_t program = {.layout = options->engine->layout,
                                     .graph = options->graph,
                                     .batch = (int)training->n_images,
                                     .needs = NAS_NEED_LOSS | NAS_NEED_GRADIENT,
                                     .smoothing = options->recipe->smoothing};
    nas_status_t status = make_program(options->engine, &program, &training->descend, err);
    program.needs = NAS_NEED_INFERENCE;
    if (!status) status = make_program(options->engine, &program, &training->validate, err);
    return status;
}

void nas_training_compute(nas_training_t *training, const nas_engine_task_t *task,
                          nas_program_values_t *values)
{
    const nas_status_t status = nas_engine_run(training->options.engine, task, values, NULL);
    NAS_ASSERT(status == NAS_OK);
}

static void begin(nas_training_t *training)
{
    const nas_training_options_t *options = &training->options;
    const nas_graph_t *graph = options->graph;
    if (options->parameters)
        memcpy(training->state.parameter, options->parameters,
               (size_t)graph->n_values * sizeof(double));
    else
        nas_parameters_fill(graph, options->weights, options->seed, options->arch,
                            training->state.parameter);
    if (options->statistics) {
        memcpy(training->state.statistics, options->statistics,
               (size_t)graph->n_statistics * sizeof(double));
        return;
    }
    for (int i = 0; i < graph->n_nodes; i++) {
        const nas_node_t *node = &graph->node[i];
        if (node->kind != NAS_NODE_NORM) continue;
        double *variance = training->state.statistics + node->statistics + node->extents.c;
        for (int c = 0; c < node->extents.c; c++) variance[c] = 1;
    }
}

/* This rank's part. training: zeros but for its options; the caller destroys it. */
static nas_status_t make(nas_training_t *training, nas_error_t *err)
{
    nas_status_t status = check_options(&training->options, err);
    if (status) return status;
    set_sizes(training);
    if ((status = allocate(training, err))) return status;
    if ((status = make_programs(training, err))) return status;
    begin(training);
    return NAS_OK;
}

static nas_status_t make_all(const nas_training_options_t *options, int n,
                             nas_training_t **training, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && i < n; i++) {
        training[i] = calloc(1, sizeof **training);
        if (!training[i]) return nas_error_nomem(err, "a training");
        training[i]->options = options[i];
        status = make(training[i], err);
    }
    if (status || !options[0].engine->learners) return status;
    return nas_training_learner_create(training, n, err);
}

nas_status_t nas_trainings_create(const nas_training_options_t *options, int n,
                                  nas_training_t **training, nas_error_t *err)
{
    for (int i = 0; i < n; i++) training[i] = NULL;
    const nas_status_t status =
        nas_comm_agree(options[0].team, make_all(options, n, training, err), err);
    for (int i = 0; status && i < n; i++) {
        nas_training_destroy(training[i]);
        training[i] = NULL;
    }
    return status;
}

nas_status_t nas_training_create(const nas_training_options_t *options, nas_training_t **training_p,
                                 nas_error_t *err)
{
    nas_training_t *training = NULL;
    const nas_status_t status = nas_trainings_create(options, 1, &training, err);
    if (!status) *training_p = training;
    return status;
}

void nas_training_destroy(nas_training_t *training)
{
    if (!training) return;
    nas_training_learner_leave(training);
    nas_program_destroy(training->descend);
    nas_program_destroy(training->validate);
    free(training->state.parameter);
    free(training->state.velocity);
    free(training->state.statistics);
    free(training->state.epoch);
    free(training->images);
    free(training->labels);
    free(training->index);
    free(training->order);
    free(training->row);
    free(training->tally);
    free(training->offset);
    free(training->logits);
    free(training);
}

/* -------------------------------------------------------------------------------------- state */

nas_training_state_t *nas_training_state(nas_training_t *training)
{
    return &training->state;
}

void nas_training_resume(nas_training_t *training)
{
    nas_comm_t *team = training->options.team;
    nas_training_state_t *state = &training->state;
    nas_comm_bcast(team, 0, &state->step, sizeof state->step);
    nas_comm_bcast(team, 0, state->parameter,
                   (size_t)training->options.graph->n_values * sizeof *state->parameter);
    training->is_behind = true;
    training->is_ahead = false;
}

const nas_error_t *nas_training_failure(const nas_training_t *training)
{
    return &training->failure;
}

int64_t nas_training_steps(const nas_training_t *training)
{
    return training->n_steps;
}
