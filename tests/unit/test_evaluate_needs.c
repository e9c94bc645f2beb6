#include "coordinator/evaluate/evaluate_needs.h"
#include "coordinator/evaluate/evaluate_parameters.h"

#include <criterion/criterion.h>
#include <string.h>

Test(evaluate_needs, teams_have_as_many_ranks_as_can_share_or_there_are)
{
    for (int n_ranks = 1; n_ranks < 12; n_ranks++) {
        for (int64_t wanted = 1; wanted <= 5; wanted++) {
            for (int64_t first_worker = 0; first_worker <= 1; first_worker++) {
                const nas_evaluate_parameters_t parameters = {.team_size = wanted,
                                                              .first_worker = first_worker};
                const nas_teams_t teams = nas_evaluate_teams(&parameters, n_ranks);
                const int n_workers = n_ranks - teams.first_worker;
                cr_assert_eq(teams.first_worker, n_ranks > 1 ? first_worker : 0);
                cr_assert(teams.n >= 1 && teams.size >= 1 && teams.size <= wanted);
                cr_assert(teams.size == wanted || teams.size == n_workers);
                cr_assert_leq(teams.n * teams.size, n_workers);
                cr_assert_gt((teams.n + 1) * teams.size, n_workers, "no team more fits");
            }
        }
    }
}

static int place_of(const char *name)
{
    int place = 0;
    while (strcmp(nas_objective_kind_at((size_t)place)->name, name) != 0) place++;
    return place;
}

Test(evaluate_needs, a_command_has_a_team_a_rank_but_no_more_than_candidates)
{
    const nas_job_t job = {.objective = {.kind = place_of("command")},
                           .coordinator = NAS_COORDINATOR_DEDICATED};
    nas_evaluate_load_t load = {.objective = {.job = &job}, .n_candidates = 3, .n_ranks = 3};
    nas_evaluate_needs_t needs;
    cr_assert_eq(nas_evaluate_needs(&load, &needs, NULL), NAS_OK);
    cr_assert(needs.n_teams == 2 && needs.team_size == 1 && needs.of.flops == 0);
    load.n_ranks = 9;
    cr_assert_eq(nas_evaluate_needs(&load, &needs, NULL), NAS_OK);
    cr_assert_eq(needs.n_teams, 3);
}
