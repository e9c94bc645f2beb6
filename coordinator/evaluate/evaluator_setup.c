/* Teams, and what they need. */
#include "coordinator/evaluate/evaluator_internal.h"

#include <stdlib.h>
#include <string.h>

static nas_status_t put_text(nas_buffer_t *buffer, const char *text, nas_error_t *err)
{
    return nas_buffer_put(buffer, text, strlen(text) + 1, err);
}

/* Texts, then what the objective has to say. */
static nas_status_t pack(const nas_evaluator_options_t *options, nas_buffer_t *buffer,
                         nas_error_t *err)
{
    nas_status_t status = put_text(buffer, options->output, err);
    if (!status) status = put_text(buffer, options->job->folder, err);
    for (size_t i = 0; i < options->columns->n && !status; i++)
        status = put_text(buffer, options->columns->at[i], err);
    return status ? status : nas_objective_of(options->job)->pack(options->job, buffer, err);
}

static const char *take_text(const char **at)
{
    return nas_buffer_take(at, strlen(*at) + 1);
}

static nas_status_t unpack(nas_evaluator_t *evaluator, nas_error_t *err)
{
    const char *at = evaluator->message.data;
    nas_status_t status = NAS_OK;
    evaluator->output = nas_string_copy(take_text(&at), err);
    evaluator->setup.job_folder = take_text(&at);
    if (!evaluator->output) return NAS_ENOMEM;
    for (int64_t i = 0; i < evaluator->parameters.size.n_columns && !status; i++) {
        const char *text = take_text(&at);
        status = nas_strings_add(&evaluator->column, text, strlen(text), err);
    }
    evaluator->setup.packed = at;
    return status;
}

static nas_status_t spread(nas_evaluator_t *evaluator, const nas_evaluator_options_t *options,
                           nas_error_t *err)
{
    nas_buffer_t *message = &evaluator->message;
    nas_status_t status = NAS_OK;
    if (options) status = pack(options, message, err);
    status = nas_comm_agree(evaluator->world, status, err);
    if (!status) status = nas_buffer_share(evaluator->world, message, err);
    if (!status) status = unpack(evaluator, err);
    return nas_comm_agree(evaluator->world, status, err);
}

static void make_teams(nas_evaluator_t *evaluator)
{
    const int rank = nas_comm_rank(evaluator->world);
    const nas_teams_t teams =
        nas_evaluate_teams(&evaluator->parameters, nas_comm_size(evaluator->world));
    evaluator->team_size = teams.size;
    evaluator->n_teams = teams.n;
    evaluator->my_team = rank < teams.first_worker ? -1 : (rank - teams.first_worker) / teams.size;
    if (evaluator->my_team >= teams.n) evaluator->my_team = -1;
    nas_comm_split(evaluator->world, evaluator->my_team, &evaluator->team);
}

static nas_status_t make_objective(nas_evaluator_t *evaluator,
                                   const nas_evaluator_options_t *options, nas_error_t *err)
{
    const nas_evaluate_parameters_t *parameters = &evaluator->parameters;
    nas_objective_setup_t *setup = &evaluator->setup;
    setup->world = evaluator->world;
    setup->team = evaluator->team;
    setup->columns = &evaluator->column;
    setup->n_goals = parameters->size.n_goals;
    setup->run = parameters->run;
    setup->generation = parameters->generation;
    setup->interval_s = parameters->interval_s;
    setup->images = options ? options->images : NULL;
    return evaluator->kind->create(setup, &evaluator->objective, err);
}

nas_status_t nas_evaluator_create(nas_comm_t *world, const nas_evaluator_options_t *options,
                                  nas_heartbeat_t *heartbeat, nas_evaluator_t **evaluator_p,
                                  nas_error_t *err)
{
    nas_evaluate_parameters_t parameters = {0};
    if (options) parameters = options->parameters;
    nas_comm_bcast(world, 0, &parameters, sizeof parameters);
    if (!nas_evaluate_by_work(&parameters)) return NAS_OK;
    nas_evaluator_t *evaluator = calloc(1, sizeof *evaluator);
    if (!evaluator) nas_comm_abort("out of memory for evaluating candidates");
    *evaluator = (nas_evaluator_t){.world = world,
                                   .heartbeat = heartbeat,
                                   .parameters = parameters,
                                   .kind = nas_objective_kind_at((size_t)parameters.kind),
                                   .my_team = -1};
    make_teams(evaluator);
    nas_status_t status = spread(evaluator, options, err);
    if (!status) status = make_objective(evaluator, options, err);
    if (status)
        nas_evaluator_destroy(evaluator);
    else
        *evaluator_p = evaluator;
    return status;
}

void nas_evaluator_destroy(nas_evaluator_t *evaluator)
{
    if (!evaluator) return;
    evaluator->kind->destroy(evaluator->objective);
    nas_comm_destroy(evaluator->team);
    nas_strings_fini(&evaluator->column);
    free(evaluator->message.data);
    free(evaluator->output);
    free(evaluator);
}
