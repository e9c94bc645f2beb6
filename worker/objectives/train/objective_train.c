#include "worker/objectives/train/objective_train.h"

#include "worker/data/share.h"
#include "worker/engine/gpu/plan/layout.h"
#include "worker/engine/graph/cost.h"
#include "worker/engine/host/backends.h"
#include "worker/engine/program/footprint.h"
#include "worker/engine/program/program.h"
#include "worker/objectives/train/augment.h"
#include "worker/objectives/train/trainer.h"

#include <stdlib.h>
#include <string.h>

/* Fewer steps than this hardly tell networks apart; the benchmarks' trainings have about as many as
 * the second. */
enum { FEW_STEPS = 300, USUAL_STEPS = 1000 };

/* What travels. */
typedef struct parameters {
    nas_recipe_t recipe;
    int64_t channels;
    int64_t cells;
} parameters_t;

typedef struct objective {
    const nas_objective_setup_t *setup;
    nas_network_t network;
    nas_dataset_t copy; /* of the images, on ranks other than 0 */
    nas_trainer_t *trainer;
} objective_t;

static nas_network_t network_of(int64_t channels, int64_t cells, const nas_dataset_t *images)
{
    return (nas_network_t){.image_channels = images->train.c,
                           .height = images->train.h,
                           .width = images->train.w,
                           .channels = (int)channels,
                           .cells = (int)cells,
                           .classes = images->n_classes,
                           .convention = NAS_CONVENTION_TRAIN};
}

/* ----------------------------------------------------------------------------------- on rank 0 */

static nas_status_t split_images(const nas_objective_inputs_t *inputs, const nas_recipe_t *recipe,
                                 nas_split_t *split, nas_error_t *err)
{
    return nas_split_make(inputs->images, recipe, (uint64_t)inputs->job->seed, split, err);
}

/* Whether training and validation have enough images: by the first repeat's, the others' are as
 * many. */
static nas_status_t check(const nas_objective_inputs_t *inputs, nas_error_t *err)
{
    nas_split_t split = {0};
    nas_error_t reason = {0};
    const nas_recipe_t recipe = nas_job_recipe(inputs->job);
    const nas_status_t status = split_images(inputs, &recipe, &split, &reason);
    nas_split_fini(&split);
    if (status == NAS_EINPUT)
        return nas_job_error(inputs->job, "objective.batch", err, "%s", reason.text);
    if (status) *err = reason;
    return status;
}

static nas_status_t note(const nas_objective_inputs_t *inputs, nas_strings_t *notes,
                         nas_error_t *err)
{
    const nas_recipe_t recipe = nas_job_recipe(inputs->job);
    nas_split_t split = {0};
    nas_status_t status = split_images(inputs, &recipe, &split, err);
    if (status) return status;
    const int64_t of_epoch = nas_split_steps(&split, &recipe);
    nas_split_fini(&split);
    const int64_t n_steps = of_epoch * recipe.epochs;
    if (n_steps >= FEW_STEPS) return NAS_OK;
    const int64_t usual_epochs = (USUAL_STEPS + of_epoch - 1) / of_epoch;
    char *text = nas_string_format(
        err,
        "objective.epochs: %lld x %lld = %lld steps a training tell networks apart poorly; %d or more are usual: %lld epochs, or a smaller objective.batch",
        (long long)recipe.epochs, (long long)of_epoch, (long long)n_steps, USUAL_STEPS,
        (long long)usual_epochs);
    status = text ? nas_strings_add(notes, text, strlen(text), err) : NAS_ENOMEM;
    free(text);
    return status;
}

static nas_status_t columns(const nas_objective_inputs_t *inputs, nas_strings_t *names,
                            nas_error_t *err)
{
    const nas_recipe_t recipe = nas_job_recipe(inputs->job);
    return nas_trainer_columns(&recipe, inputs->images->test.n > 0, names, err);
}

static int64_t n_epochs(const nas_job_t *job)
{
    return nas_job_recipe(job).epochs;
}

static int64_t team_size(const nas_job_t *job)
{
    return nas_job_recipe(job).shards;
}

/* A step takes three passes of each image: forward, and backward by data and by weights. */
static nas_status_t needs(const nas_objective_inputs_t *inputs, const nas_pool_t *pool,
                          nas_objective_needs_t *found, nas_error_t *err)
{
    const double passes = 3.0;
    const nas_job_t *job = inputs->job;
    const nas_dataset_t *images = inputs->images;
    nas_networks_t *networks = inputs->networks;
    const nas_recipe_t recipe = nas_job_recipe(job);
    const nas_network_t network = network_of(job->network.channels, job->network.cells, images);
    const int batch = (int)(recipe.batch / recipe.shards);
    const nas_footprint_program_t program[] = {{NAS_NEED_LOSS | NAS_NEED_GRADIENT, batch},
                                               {NAS_NEED_INFERENCE, batch}};
    nas_footprint_options_t options = {.backend = nas_backend_of(job->backend, nas_isa_best()),
                                       .network = &network,
                                       .program = program,
                                       .n_programs = 2};
    nas_pool_cost_t cost;
    nas_status_t status = nas_pool_cost(pool, networks, &network, &cost, err);
    if (status) return status;
    found->n_images = (double)recipe.epochs * (double)images->train.n * (1.0 - recipe.validation);
    found->flops = 2.0 * passes * found->n_images * cost.mean_flops;
    found->image_bytes = (double)(images->train.n_bytes + images->test.n_bytes);
    status = nas_footprint_of(&options, networks, cost.largest, &found->tensor_bytes, err);
    if (status) return status;
    options.backend = nas_gpu_layout();
    return nas_footprint_if_computed(&options, networks, cost.largest, &found->gpu_bytes, err);
}

static nas_status_t pack(const nas_job_t *job, nas_buffer_t *buffer, nas_error_t *err)
{
    const parameters_t parameters = {.recipe = nas_job_recipe(job),
                                     .channels = job->network.channels,
                                     .cells = job->network.cells};
    return nas_buffer_put(buffer, &parameters, sizeof parameters, err);
}

/* ------------------------------------------------------------------------------- on every rank */

/* Rank 0 lends its images, the others hold a copy. */
static nas_status_t share_images(objective_t *objective, nas_error_t *err)
{
    nas_dataset_t lent = {0};
    if (objective->setup->images) lent = *objective->setup->images;
    const nas_status_t status = nas_dataset_share(objective->setup->world, &lent, err);
    if (!objective->setup->images) objective->copy = lent;
    return status;
}

static nas_status_t make_trainer(objective_t *objective, const parameters_t *parameters,
                                 nas_error_t *err)
{
    const nas_objective_setup_t *setup = objective->setup;
    const nas_dataset_t *images = setup->images ? setup->images : &objective->copy;
    objective->network = network_of(parameters->channels, parameters->cells, images);
    if (!setup->team) return NAS_OK;
    const nas_trainer_options_t options = {.team = setup->team,
                                           .device = setup->device,
                                           .networks = setup->networks,
                                           .network = objective->network,
                                           .recipe = parameters->recipe,
                                           .dataset = images,
                                           .run = setup->run,
                                           .generation = setup->generation,
                                           .interval_s = setup->interval_s};
    return nas_trainer_create(&options, &objective->trainer, err);
}

static void destroy(void *self)
{
    objective_t *objective = self;
    if (!objective) return;
    nas_trainer_destroy(objective->trainer);
    nas_dataset_fini(&objective->copy);
    free(objective);
}

static nas_status_t create(const nas_objective_setup_t *setup, void **self_p, nas_error_t *err)
{
    const char *at = setup->packed;
    const parameters_t *parameters = nas_buffer_take(&at, sizeof *parameters);
    objective_t *objective = calloc(1, sizeof *objective);
    nas_status_t status = objective ? NAS_OK : nas_error_nomem(err, "the trainer");
    status = nas_comm_agree(setup->world, status, err);
    if (status) {
        free(objective);
        return status;
    }
    objective->setup = setup;
    status = share_images(objective, err);
    if (!status) status = make_trainer(objective, parameters, err);
    status = nas_comm_agree(setup->world, status, err);
    if (status)
        destroy(objective);
    else
        *self_p = objective;
    return status;
}

/* The operations of the network. */
static nas_status_t cost(const void *self, const nas_candidate_t *candidate, double *predicted,
                         nas_error_t *err)
{
    const objective_t *objective = self;
    nas_networks_t *networks = objective->setup->networks;
    int64_t number = 0;
    const nas_status_t status =
        networks->find(networks, candidate->arch, candidate->name, &number, err);
    if (!status) *predicted = networks->operations(networks, number, &objective->network);
    return status;
}

static int width(const void *self)
{
    const objective_t *objective = self;
    return nas_trainer_width(objective->trainer);
}

static nas_status_t evaluate(void *self, const nas_objective_work_t *work, nas_outcome_t *outcome,
                             nas_error_t *err)
{
    objective_t *objective = self;
    nas_trainer_task_t *task = calloc((size_t)work->n, sizeof *task);
    nas_status_t status = task ? NAS_OK : nas_error_nomem(err, "the trainer");
    status = nas_comm_agree(objective->setup->team, status, err);
    for (int i = 0; !status && i < work->n; i++)
        task[i] = (nas_trainer_task_t){.candidate = work->candidate[i], .stem = work->stem[i]};
    const nas_trainer_tasks_t tasks = {.task = task, .n = work->n, .interrupt = work->interrupt};
    if (!status) status = nas_trainer_evaluate(objective->trainer, &tasks, outcome, err);
    free(task);
    return status;
}

const nas_objective_kind_t nas_objective_kind_train = {
    .name = "train",
    .traits = NAS_OBJECTIVE_ON_IMAGES,
    .keys = &nas_objective_keys_train,
    .check = check,
    .note = note,
    .columns = columns,
    .n_epochs = n_epochs,
    .team_size = team_size,
    .needs = needs,
    .pack = pack,
    .create = create,
    .cost = cost,
    .width = width,
    .evaluate = evaluate,
    .destroy = destroy,
};
