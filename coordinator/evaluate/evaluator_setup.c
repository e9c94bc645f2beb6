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

static bool is_on_images(const nas_evaluator_t *evaluator)
{
    return evaluator->kind->traits & NAS_OBJECTIVE_ON_IMAGES;
}

/* Ranks without a device evaluate no networks. */
static bool is_idle(const nas_evaluator_t *evaluator, int rank)
{
    const bool *idle = evaluator->devices->is_idle;
    return is_on_images(evaluator) && idle && idle[rank] &&
           rank >= evaluator->parameters.first_worker;
}

/* On a GPU all shards of a training are computed at once. */
static bool is_on_gpu(const nas_evaluator_t *evaluator)
{
    return is_on_images(evaluator) && evaluator->devices->kind == NAS_DEVICE_GPU;
}

/* Teams are cut from the ranks that work as if there were no others. */
static void make_teams(nas_evaluator_t *evaluator)
{
    const int rank = nas_comm_rank(evaluator->world), size = nas_comm_size(evaluator->world);
    int n_idle = 0, n_idle_before = 0;
    for (int r = 0; r < size; r++) {
        n_idle += is_idle(evaluator, r);
        n_idle_before += r < rank && is_idle(evaluator, r);
    }
    if (is_on_gpu(evaluator)) evaluator->parameters.team_size = 1;
    const nas_teams_t teams = nas_evaluate_teams(&evaluator->parameters, size - n_idle);
    const int place = rank - n_idle_before - teams.first_worker;
    evaluator->team_size = teams.size;
    evaluator->n_teams = teams.n;
    evaluator->my_team = place < 0 || is_idle(evaluator, rank) ? -1 : place / teams.size;
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
    setup->device = is_on_images(evaluator) ? evaluator->devices->own : NULL;
    setup->networks = evaluator->networks;
    setup->columns = &evaluator->column;
    setup->n_goals = parameters->size.n_goals;
    setup->run = parameters->run;
    setup->generation = parameters->generation;
    setup->interval_s = parameters->interval_s;
    setup->images = options ? options->images : NULL;
    return evaluator->kind->create(setup, &evaluator->objective, err);
}

nas_status_t nas_evaluator_create(const nas_evaluator_ranks_t *ranks,
                                  const nas_evaluator_options_t *options,
                                  nas_evaluator_t **evaluator_p, nas_error_t *err)
{
    nas_evaluate_parameters_t parameters = {0};
    if (options) parameters = options->parameters;
    nas_comm_bcast(ranks->world, 0, &parameters, sizeof parameters);
    if (!nas_evaluate_by_work(&parameters)) return NAS_OK;
    nas_evaluator_t *evaluator = calloc(1, sizeof *evaluator);
    if (!evaluator) nas_comm_abort("out of memory for evaluating candidates");
    *evaluator = (nas_evaluator_t){.world = ranks->world,
                                   .devices = ranks->devices,
                                   .networks = ranks->networks,
                                   .heartbeat = ranks->heartbeat,
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
