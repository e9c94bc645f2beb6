#include "coordinator/evaluate/evaluate_parameters.h"

#include "coordinator/inputs/inputs_evaluate.h"

static nas_network_t trained_network(const nas_job_t *job, const nas_dataset_t *dataset)
{
    const nas_image_source_t *images = &dataset->train;
    return (nas_network_t){.image_channels = images->c,
                           .height = images->h,
                           .width = images->w,
                           .channels = (int)job->network.channels,
                           .cells = (int)job->network.cells,
                           .classes = dataset->n_classes,
                           .convention = NAS_CONVENTION_TRAIN};
}

nas_evaluate_parameters_t nas_evaluate_parameters(const nas_job_t *job, const nas_pool_t *pool,
                                                  const nas_image_inputs_t *images)
{
    nas_evaluate_parameters_t parameters = {
        .kind = job->objective.kind,
        .first_worker = job->coordinator == NAS_COORDINATOR_DEDICATED,
        .interval_s = job->checkpoint.interval_s,
        .timeout_s = job->objective.timeout_s,
        .retries = job->objective.retries,
        .n_arguments = (int64_t)job->objective.command.n,
    };
    if (job->objective.kind != NAS_OBJECTIVE_TRAIN) return parameters;
    parameters.size.n_epochs = job->objective.epochs;
    parameters.backend = job->backend;
    parameters.space = nas_space_place(pool->space);
    parameters.network = trained_network(job, &images->dataset);
    parameters.recipe = nas_job_recipe(job);
    return parameters;
}

nas_status_t nas_evaluate_parameters_of_run(nas_evaluate_parameters_t *parameters,
                                            const nas_state_t *state, nas_error_t *err)
{
    parameters->size.n_goals = state->n_goals;
    parameters->size.n_columns = (int64_t)state->report_columns.n;
    parameters->generation = state->generation;
    return nas_state_identity(state, &parameters->run, err);
}
