#include "coordinator/evaluate/evaluate_needs.h"

#include "coordinator/evaluate/evaluate_parameters.h"

/* Teams that find nothing to do do not count. */
nas_status_t nas_evaluate_needs(const nas_evaluate_load_t *load, nas_evaluate_needs_t *needs,
                                nas_error_t *err)
{
    const nas_evaluate_parameters_t parameters = nas_evaluate_parameters(load->objective.job);
    const nas_teams_t teams = nas_evaluate_teams(&parameters, load->n_ranks);
    needs->team_size = teams.size;
    needs->n_teams = teams.n < load->n_candidates ? teams.n : load->n_candidates;
    return nas_objective_needs(&load->objective, load->pool, &needs->of, err);
}
