#include "coordinator/evaluate/evaluate_parameters.h"

nas_evaluate_parameters_t nas_evaluate_parameters(const nas_job_t *job)
{
    return (nas_evaluate_parameters_t){
        .kind = job->objective.kind,
        .size.n_epochs = nas_objective_epochs(job),
        .team_size = nas_objective_team_size(job),
        .first_worker = job->coordinator == NAS_COORDINATOR_DEDICATED,
        .interval_s = job->checkpoint.interval_s,
    };
}

bool nas_evaluate_by_work(const nas_evaluate_parameters_t *parameters)
{
    return nas_objective_kind_at((size_t)parameters->kind)->evaluate != NULL;
}

nas_status_t nas_evaluate_parameters_of_run(nas_evaluate_parameters_t *parameters,
                                            const nas_state_t *state, nas_error_t *err)
{
    parameters->size.n_goals = state->n_goals;
    parameters->size.n_columns = (int64_t)state->report_columns.n;
    parameters->generation = state->generation;
    return nas_state_identity(state, &parameters->run, err);
}

nas_teams_t nas_evaluate_teams(const nas_evaluate_parameters_t *parameters, int n_ranks)
{
    const int64_t wanted = parameters->team_size;
    const int first_worker = n_ranks > 1 ? (int)parameters->first_worker : 0;
    const int n_workers = n_ranks - first_worker;
    const int size = wanted < n_workers ? (int)wanted : n_workers;
    return (nas_teams_t){.first_worker = first_worker, .size = size, .n = n_workers / size};
}
