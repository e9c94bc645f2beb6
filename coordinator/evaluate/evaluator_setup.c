/* Teams, and what they need. */
#include "coordinator/evaluate/evaluator_internal.h"
#include "worker/data/share.h"
#include "worker/engine/backends/backends.h"

#include <stdlib.h>
#include <string.h>

static nas_status_t put_text(nas_buffer_t *buffer, const char *text, nas_error_t *err)
{
    return nas_buffer_put(buffer, text, strlen(text) + 1, err);
}

static nas_status_t put_texts(nas_buffer_t *buffer, const nas_strings_t *texts, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < texts->n && !status; i++) status = put_text(buffer, texts->at[i], err);
    return status;
}

static nas_status_t pack_texts(const nas_evaluator_options_t *options, nas_buffer_t *buffer,
                               nas_error_t *err)
{
    nas_status_t status = put_text(buffer, options->output, err);
    if (!status) status = put_text(buffer, options->job_folder, err);
    if (!status) status = put_texts(buffer, options->argument, err);
    return status ? status : put_texts(buffer, options->columns, err);
}

static const char *take_text(const char **at)
{
    return nas_buffer_take(at, strlen(*at) + 1);
}

static nas_status_t take_texts(const char **at, int64_t n, nas_strings_t *texts, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (int64_t i = 0; i < n && !status; i++) {
        const char *text = take_text(at);
        status = nas_strings_add(texts, text, strlen(text), err);
    }
    return status;
}

static nas_status_t unpack_texts(nas_evaluator_t *evaluator, const nas_buffer_t *buffer,
                                 nas_error_t *err)
{
    const nas_evaluate_parameters_t *parameters = &evaluator->parameters;
    const char *at = buffer->data;
    evaluator->output = nas_string_copy(take_text(&at), err);
    evaluator->job_folder = nas_string_copy(take_text(&at), err);
    if (!evaluator->output || !evaluator->job_folder) return NAS_ENOMEM;
    nas_status_t status = take_texts(&at, parameters->n_arguments, &evaluator->argument, err);
    if (status) return status;
    return take_texts(&at, parameters->size.n_columns, &evaluator->column, err);
}

static nas_status_t spread_texts(nas_evaluator_t *evaluator, const nas_evaluator_options_t *options,
                                 nas_error_t *err)
{
    nas_buffer_t buffer = {0};
    nas_status_t status = NAS_OK;
    if (options) status = pack_texts(options, &buffer, err);
    status = nas_comm_agree(evaluator->world, status, err);
    if (!status) status = nas_buffer_share(evaluator->world, &buffer, err);
    if (!status) status = unpack_texts(evaluator, &buffer, err);
    free(buffer.data);
    return status;
}

static void make_teams(nas_evaluator_t *evaluator)
{
    const nas_evaluate_parameters_t *parameters = &evaluator->parameters;
    const int rank = nas_comm_rank(evaluator->world);
    const int first = nas_comm_size(evaluator->world) > 1 ? (int)parameters->first_worker : 0;
    const int n_workers = nas_comm_size(evaluator->world) - first;
    const int64_t wanted = parameters->kind == NAS_OBJECTIVE_TRAIN ? parameters->recipe.shards : 1;
    evaluator->team_size = wanted < n_workers ? (int)wanted : n_workers;
    evaluator->n_teams = n_workers / evaluator->team_size;
    evaluator->my_team = rank < first ? -1 : (rank - first) / evaluator->team_size;
    if (evaluator->my_team >= evaluator->n_teams) evaluator->my_team = -1;
    nas_comm_split(evaluator->world, evaluator->my_team, &evaluator->team);
}

static nas_status_t make_trainer(nas_evaluator_t *evaluator, const nas_dataset_t *images,
                                 nas_isa_t isa, nas_error_t *err)
{
    const nas_evaluate_parameters_t *parameters = &evaluator->parameters;
    const nas_backend_t *backend = nas_backend_of((nas_backend_kind_t)parameters->backend, isa);
    if (!backend)
        return nas_error_set(
            err, NAS_EINPUT,
            "this program was built without oneDNN, which backend: cpu needs; set backend: ref");
    if (!evaluator->team) return NAS_OK;
    const nas_trainer_options_t options = {.team = evaluator->team,
                                           .backend = backend,
                                           .network = parameters->network,
                                           .recipe = parameters->recipe,
                                           .dataset = images,
                                           .run = parameters->run,
                                           .generation = parameters->generation,
                                           .interval_s = parameters->interval_s};
    return nas_trainer_create(&options, &evaluator->trainer, err);
}

/* Rank 0 lends its images, the others hold a copy. */
static nas_status_t share_images(nas_evaluator_t *evaluator, const nas_dataset_t *own,
                                 nas_error_t *err)
{
    nas_dataset_t lent = {0};
    if (own) lent = *own;
    const nas_status_t status = nas_dataset_share(evaluator->world, &lent, err);
    if (!own) evaluator->images = lent;
    return status;
}

/* own [in] rank 0's images; NULL elsewhere. */
static nas_status_t prepare_training(nas_evaluator_t *evaluator, const nas_dataset_t *own,
                                     nas_error_t *err)
{
    double isa = nas_isa_best();
    nas_comm_min(evaluator->world, &isa, 1);
    nas_status_t status = share_images(evaluator, own, err);
    if (!status)
        status = make_trainer(evaluator, own ? own : &evaluator->images, (nas_isa_t)isa, err);
    return nas_comm_agree(evaluator->world, status, err);
}

static void prepare_command(nas_evaluator_t *evaluator)
{
    evaluator->command = (nas_command_t){.argument = &evaluator->argument,
                                         .job_folder = evaluator->job_folder,
                                         .device = nas_comm_local_rank(evaluator->world),
                                         .timeout_s = evaluator->parameters.timeout_s,
                                         .retries = evaluator->parameters.retries,
                                         .columns = &evaluator->column};
}

nas_status_t nas_evaluator_create(nas_comm_t *world, const nas_evaluator_options_t *options,
                                  nas_heartbeat_t *heartbeat, nas_evaluator_t **evaluator_p,
                                  nas_error_t *err)
{
    nas_evaluate_parameters_t parameters = {0};
    if (options) parameters = options->parameters;
    nas_comm_bcast(world, 0, &parameters, sizeof parameters);
    if (parameters.kind == NAS_OBJECTIVE_TABLE) return NAS_OK;
    nas_evaluator_t *evaluator = calloc(1, sizeof *evaluator);
    if (!evaluator) nas_comm_abort("out of memory for evaluating candidates");
    *evaluator = (nas_evaluator_t){
        .world = world, .heartbeat = heartbeat, .parameters = parameters, .my_team = -1};
    make_teams(evaluator);
    nas_status_t status = nas_comm_agree(world, spread_texts(evaluator, options, err), err);
    if (!status && parameters.kind == NAS_OBJECTIVE_TRAIN)
        status = prepare_training(evaluator, options ? options->images : NULL, err);
    else if (!status)
        prepare_command(evaluator);
    if (status)
        nas_evaluator_destroy(evaluator);
    else
        *evaluator_p = evaluator;
    return status;
}

void nas_evaluator_destroy(nas_evaluator_t *evaluator)
{
    if (!evaluator) return;
    nas_trainer_destroy(evaluator->trainer);
    nas_comm_destroy(evaluator->team);
    nas_dataset_fini(&evaluator->images);
    nas_strings_fini(&evaluator->argument);
    nas_strings_fini(&evaluator->column);
    free(evaluator->job_folder);
    free(evaluator->output);
    free(evaluator);
}
