/* Trainings on an engine that steps by itself (worker/engine/learner.h); those that were created
 * together are members of one learner.
 *
 * The network and its images lie there; what is here is told where the step's images stand, and asks
 * for the state when somebody wants it: before a save, and at the end of an epoch. Until then a
 * step that diverged is not known; it and those queued behind it changed nothing.
 */
#include "worker/data/memory.h"
#include "worker/objectives/train/sgd.h"
#include "worker/objectives/train/training_internal.h"

#include <stdlib.h>

/* ----------------------------------------------------------------------------------- creation */

static int count_norms(const nas_graph_t *graph)
{
    int n = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        n += graph->node[i].kind == NAS_NODE_NORM && graph->node[i].live;
    return n;
}

static void list_norms(const nas_training_t *training, nas_learner_norm_t *norm)
{
    const nas_graph_t *graph = training->options.graph;
    for (int i = 0; i < graph->n_nodes; i++) {
        const nas_node_t *node = &graph->node[i];
        if (node->kind != NAS_NODE_NORM || !node->live) continue;
        *norm++ = (nas_learner_norm_t){.statistics = node->statistics,
                                       .c = node->extents.c,
                                       .unbiased = nas_training_unbiased(training, node),
                                       .share = node->momentum};
    }
}

/* Bytes with what they stand for, or values where the source has no bytes. */
static nas_status_t take_images(const nas_image_source_t *source, const nas_dataset_t *dataset,
                                nas_resident_images_t *images, nas_error_t *err)
{
    const size_t n_values = (size_t)source->n * nas_source_values(source);
    images->black = malloc((size_t)source->c * sizeof *images->black);
    if (!images->black) return nas_error_nomem(err, "a training's images");
    for (int c = 0; c < source->c; c++)
        images->black[c] = (float)((0 - dataset->mean[c]) / dataset->std[c]);
    images->source = (nas_learner_images_t){.n = source->n,
                                            .c = source->c,
                                            .h = source->h,
                                            .w = source->w,
                                            .bytes = nas_memory_pixels(source),
                                            .labels = source->labels,
                                            .black = images->black};
    if (images->source.bytes) {
        images->table = malloc((size_t)source->c * NAS_BYTE_VALUES * sizeof *images->table);
        if (!images->table) return nas_error_nomem(err, "a training's images");
        nas_memory_table(source, images->table);
        images->source.table = images->table;
        return NAS_OK;
    }
    images->values = malloc(n_values * sizeof *images->values);
    int64_t *index = malloc((size_t)source->n * sizeof *index);
    if (images->values && index) {
        for (int64_t i = 0; i < source->n; i++) index[i] = i;
        nas_source_read(source, index, source->n, images->values);
    }
    images->source.values = images->values;
    free(index);
    return images->values && index ? NAS_OK : nas_error_nomem(err, "a training's images");
}

static void resident_fini(nas_resident_images_t *images)
{
    free(images->black);
    free(images->table);
    free(images->values);
    *images = (nas_resident_images_t){0};
}

static nas_learner_member_t member_of(const nas_training_t *training)
{
    const nas_graph_t *graph = training->options.graph;
    return (nas_learner_member_t){.program = training->descend,
                                  .validate = training->validate,
                                  .norm = training->norm,
                                  .n_norms = count_norms(graph),
                                  .n_values = graph->n_values,
                                  .n_statistics = graph->n_statistics,
                                  .seed = training->options.seed};
}

static nas_status_t take_norms(nas_training_t *training, nas_error_t *err)
{
    const int n_norms = count_norms(training->options.graph);
    training->norm = malloc((size_t)(n_norms + 1) * sizeof *training->norm);
    if (!training->norm) return nas_error_nomem(err, "a training");
    list_norms(training, training->norm);
    return NAS_OK;
}

static nas_status_t create(const nas_training_learner_t *shared, const nas_training_options_t *o,
                           const nas_learner_member_t *member, nas_learner_t **learner_p,
                           nas_error_t *err)
{
    const nas_recipe_t *recipe = o->recipe;
    const nas_learner_options_t options = {
        .member = member,
        .n_members = shared->n_members,
        .n_shards = (int)recipe->shards,
        .momentum = recipe->momentum,
        .weight_decay = recipe->weight_decay,
        .clip = recipe->clip,
        .nesterov = recipe->nesterov,
        .crop = (int)recipe->crop,
        .cutout = (int)recipe->cutout,
        .flip = recipe->flip,
        .train = &shared->resident[0].source,
        .test = o->dataset->test.n > 0 ? &shared->resident[1].source : NULL};
    return shared->engine->learners->create(shared->engine, &options, learner_p, err);
}

static void drop(nas_training_learner_t *shared)
{
    if (shared->learner) shared->engine->learners->destroy(shared->learner);
    for (int i = 0; i < 2; i++) resident_fini(&shared->resident[i]);
    free(shared->step);
    free(shared);
}

static nas_status_t make(nas_training_learner_t *shared, nas_training_t *const *training,
                         nas_error_t *err)
{
    const nas_training_options_t *o = &training[0]->options;
    const nas_dataset_t *dataset = o->dataset;
    const int n = shared->n_members;
    nas_learner_member_t *member = malloc((size_t)n * sizeof *member);
    shared->step = malloc((size_t)n * sizeof *shared->step);
    nas_status_t status = member && shared->step ? NAS_OK : nas_error_nomem(err, "a training");
    for (int i = 0; !status && i < n; i++) {
        status = take_norms(training[i], err);
        if (!status) member[i] = member_of(training[i]);
    }
    if (!status) status = take_images(&dataset->train, dataset, &shared->resident[0], err);
    if (!status && dataset->test.n > 0)
        status = take_images(&dataset->test, dataset, &shared->resident[1], err);
    if (!status) status = create(shared, o, member, &shared->learner, err);
    free(member);
    return status;
}

nas_status_t nas_training_learner_create(nas_training_t *const *training, int n, nas_error_t *err)
{
    nas_training_learner_t *shared = calloc(1, sizeof *shared);
    if (!shared) return nas_error_nomem(err, "a training");
    shared->engine = training[0]->options.engine;
    shared->n_members = shared->n_left = n;
    const nas_status_t status = make(shared, training, err);
    if (status) {
        drop(shared);
        return status;
    }
    for (int i = 0; i < n; i++) {
        training[i]->learner = shared;
        training[i]->member = i;
        training[i]->is_behind = true;
    }
    return NAS_OK;
}

void nas_training_learner_leave(nas_training_t *training)
{
    if (training->learner && --training->learner->n_left == 0) drop(training->learner);
    free(training->norm);
}

/* -------------------------------------------------------------------------------------- steps */

static const nas_learner_functions_t *functions(const nas_training_t *training)
{
    return training->learner->engine->learners;
}

static nas_training_verdict_t fail(nas_training_t *training)
{
    training->has_failed = true;
    return NAS_TRAINING_FAILED;
}

/* What was put into the state, by creation or by whoever takes a training up, is there now. */
static nas_status_t catch_up(nas_training_t *training)
{
    nas_training_state_t *state = &training->state;
    const nas_learner_state_t now = {.parameter = state->parameter,
                                     .velocity = state->velocity,
                                     .statistics = state->statistics,
                                     .loss_sum = state->loss_sum};
    if (!training->is_behind) return NAS_OK;
    const nas_status_t status = functions(training)->write(
        training->learner->learner, training->member, &now, &training->failure);
    training->is_behind = status != NAS_OK;
    return status;
}

static nas_status_t follow_order(nas_training_t *training, int64_t epoch)
{
    const nas_training_options_t *options = &training->options;
    if (training->order_of == epoch) return NAS_OK;
    nas_epoch_order(options->split, options->seed, epoch, training->order);
    training->order_of = epoch;
    return functions(training)->order(training->learner->learner, training->member, training->order,
                                      options->split->n_train, &training->failure);
}

static nas_status_t prepare_step(nas_training_t *training, nas_learner_step_t *step)
{
    const nas_recipe_t *recipe = training->options.recipe;
    const nas_training_state_t *state = &training->state;
    const int64_t epoch = state->step / training->n_steps;
    *step = (nas_learner_step_t){
        .member = training->member,
        .number = state->step,
        .epoch = epoch,
        .place = state->step % training->n_steps * recipe->batch,
        .rate = nas_sgd_portable_rate(recipe, state->step, recipe->epochs * training->n_steps)};
    const nas_status_t status = catch_up(training);
    return status ? status : follow_order(training, epoch);
}

/* One of each. Whatever fails is the engine's, and so fails all; the first one says why. */
static nas_status_t queue_steps(nas_training_t *const *training, int n)
{
    nas_training_learner_t *shared = training[0]->learner;
    nas_status_t status = NAS_OK;
    int failed = 0;
    for (int i = 0; !status && i < n; i++) {
        status = prepare_step(training[i], &shared->step[i]);
        failed = i;
    }
    if (!status) {
        failed = 0;
        status =
            functions(training[0])->step(shared->learner, shared->step, n, &training[0]->failure);
    }
    for (int i = 0; status && i < n; i++) {
        training[i]->failure = training[failed]->failure;
        (void)fail(training[i]);
    }
    for (int i = 0; !status && i < n; i++) {
        training[i]->is_ahead = true;
        training[i]->state.step++;
    }
    return status;
}

nas_training_verdict_t nas_training_sync(nas_training_t *training)
{
    nas_training_state_t *state = &training->state;
    nas_learner_state_t now = {.parameter = state->parameter,
                               .velocity = state->velocity,
                               .statistics = state->statistics};
    if (!training->learner || !training->is_ahead) return NAS_TRAINING_ON;
    if (functions(training)->read(training->learner->learner, training->member, &now,
                                  &training->failure))
        return fail(training);
    training->is_ahead = false;
    state->loss_sum = now.loss_sum;
    training->last_loss = now.loss;
    if (now.bad_step < 0) return NAS_TRAINING_ON;
    state->step = now.bad_step;
    return NAS_TRAINING_DIVERGED;
}

static nas_training_verdict_t judge_step(nas_training_t *training, bool is_wanted)
{
    const bool ends = training->state.step % training->n_steps == 0;
    if (!ends && !is_wanted) return NAS_TRAINING_ON;
    const nas_training_verdict_t verdict = nas_training_sync(training);
    return verdict || !ends ? verdict : NAS_TRAINING_EPOCH_END;
}

nas_training_verdict_t nas_training_learner_step(nas_training_t *training, double *loss)
{
    if (queue_steps(&training, 1)) return NAS_TRAINING_FAILED;
    const nas_training_verdict_t verdict = judge_step(training, loss != NULL);
    if (loss) *loss = training->last_loss;
    return verdict;
}

void nas_training_learner_steps(nas_training_t *const *training, int n,
                                nas_training_verdict_t *verdict)
{
    const nas_status_t status = queue_steps(training, n);
    for (int i = 0; i < n; i++)
        verdict[i] = status ? NAS_TRAINING_FAILED : judge_step(training[i], false);
}

/* --------------------------------------------------------------------------------- validation */

nas_status_t nas_training_learner_logits(nas_training_t *training, const nas_image_source_t *images,
                                         const int64_t *index, int64_t n)
{
    const nas_learner_validation_t validation = {.of_test =
                                                     images == &training->options.dataset->test,
                                                 .index = index,
                                                 .n = n,
                                                 .logits = training->logits};
    const nas_status_t status = catch_up(training);
    if (status) return status;
    return functions(training)->validate(training->learner->learner, training->member, &validation,
                                         &training->failure);
}
