#include "coordinator/inputs/inputs_evaluate.h"

#include "coordinator/inputs/inputs_internal.h"
#include "coordinator/inputs/inputs_ranks.h"
#include "worker/objectives/command/command.h"
#include "worker/objectives/train/augment.h"

#include <stdlib.h>

nas_recipe_t nas_job_recipe(const nas_job_t *job)
{
    return (nas_recipe_t){
        .epochs = job->objective.epochs,
        .batch = job->objective.batch,
        .shards = job->objective.shards,
        .rate = job->objective.rate,
        .cosine = job->objective.schedule == NAS_RATE_COSINE,
        .momentum = job->objective.momentum,
        .nesterov = job->objective.nesterov,
        .weight_decay = job->objective.weight_decay,
        .smoothing = job->objective.smoothing,
        .clip = job->objective.clip,
        .validation = job->objective.validation,
        .flip = job->objective.flip,
        .crop = job->objective.crop,
        .cutout = job->objective.cutout,
    };
}

/* The table's rows that are in the pool take part. */
static nas_status_t rank_rows(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    nas_status_t status = NAS_OK;
    nas_table_order_t order = {.column =
                                   nas_shared_table_find(inputs->table, job->objective.column),
                               .minimise = job->objective.minimise,
                               .n_best = job->search.budget,
                               .interrupt = inputs->interrupt};
    if (nas_inputs_have_table_pool(inputs))
        return nas_inputs_rank_table(inputs->table, &order, err);
    status =
        nas_inputs_join(inputs, nas_shared_table_names(inputs->table), &inputs->evaluate.row, err);
    order.row = inputs->evaluate.row;
    order.n_row = nas_pool_count(&inputs->pool);
    return status ? status : nas_inputs_rank_table(inputs->table, &order, err);
}

static nas_status_t make_table_objective(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    nas_status_t status = rank_rows(inputs, err);
    const nas_objective_options_t options = {.job = job,
                                             .table = inputs->table,
                                             .names = inputs->pool.names,
                                             .n_arch = nas_pool_count(&inputs->pool),
                                             .row = inputs->evaluate.row};
    if (!status) status = nas_objective_create(&options, &inputs->evaluate.objective, err);
    if (status) return status;
    if (nas_objective_present(inputs->evaluate.objective) == 0)
        return nas_job_error(job, "objective.column", err, "'%s' has no value for any architecture",
                             job->objective.column);
    return NAS_OK;
}

/* Whatever can be known of the user's trainer before it runs. */
static nas_status_t check_command(const nas_job_t *job, nas_error_t *err)
{
    nas_error_t reason = {0};
    const nas_command_t command = {.argument = &job->objective.command,
                                   .job_folder = job->folder,
                                   .columns = &job->objective.report};
    const nas_status_t status = nas_command_check(&command, &reason);
    return nas_inputs_blame(job, "objective.command", status, &reason, err);
}

/* Whether training and validation have enough images: by the first repeat's, the others' are as
 * many. */
static nas_status_t check_recipe(const nas_inputs_t *inputs, nas_error_t *err)
{
    nas_split_t split = {0};
    nas_error_t reason = {0};
    const nas_recipe_t recipe = nas_job_recipe(inputs->job);
    const nas_status_t status = nas_split_make(&inputs->images.dataset, &recipe,
                                               (uint64_t)inputs->job->seed, &split, &reason);
    nas_split_fini(&split);
    return nas_inputs_blame(inputs->job, "objective.batch", status, &reason, err);
}

nas_status_t nas_inputs_make_objective(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    nas_status_t status = NAS_OK;
    switch (job->objective.kind) {
    case NAS_OBJECTIVE_TABLE:
        status = make_table_objective(inputs, err);
        break;
    case NAS_OBJECTIVE_TRAIN:
        status = check_recipe(inputs, err);
        break;
    case NAS_OBJECTIVE_COMMAND:
        status = check_command(job, err);
        break;
    }
    if (status) return status;
    if (job->search.budget > nas_pool_count(&inputs->pool))
        return nas_job_error(
            job, "search.budget", err, "%lld is more than the pool's %lld architectures",
            (long long)job->search.budget, (long long)nas_pool_count(&inputs->pool));
    return NAS_OK;
}

void nas_evaluate_inputs_fini(nas_evaluate_inputs_t *evaluate)
{
    nas_objective_destroy(evaluate->objective);
    free(evaluate->row);
    *evaluate = (nas_evaluate_inputs_t){0};
}
