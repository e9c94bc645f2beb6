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

static nas_status_t pack_texts(const nas_session_t *session, nas_buffer_t *buffer, nas_error_t *err)
{
    const nas_job_t *job = nas_session_inputs(session)->job;
    const nas_strings_t *columns = &nas_session_state(session)->report_columns;
    nas_status_t status = put_text(buffer, nas_session_output(session), err);
    if (!status) status = put_text(buffer, job->folder, err);
    for (size_t i = 0; i < job->objective.command.n && !status; i++)
        status = put_text(buffer, job->objective.command.at[i], err);
    for (size_t i = 0; i < columns->n && !status; i++)
        status = put_text(buffer, columns->at[i], err);
    return status;
}

static const char *take_text(const char **at)
{
    return nas_buffer_take(at, strlen(*at) + 1);
}

static nas_status_t unpack_texts(nas_evaluator_t *judging, const nas_buffer_t *buffer,
                                 nas_error_t *err)
{
    const char *at = buffer->data;
    judging->output = nas_string_copy(take_text(&at), err);
    judging->job_folder = nas_string_copy(take_text(&at), err);
    nas_status_t status = judging->output && judging->job_folder ? NAS_OK : NAS_ENOMEM;
    for (int64_t i = 0; i < judging->plan.n_arguments + judging->plan.size.n_columns && !status;
         i++) {
        nas_strings_t *list = i < judging->plan.n_arguments ? &judging->argument : &judging->column;
        const char *text = take_text(&at);
        status = nas_strings_add(list, text, strlen(text), err);
    }
    return status;
}

static nas_status_t spread_texts(nas_evaluator_t *judging, nas_error_t *err)
{
    nas_buffer_t buffer = {0};
    nas_status_t status = NAS_OK;
    if (judging->session) status = pack_texts(judging->session, &buffer, err);
    status = nas_comm_agree(judging->world, status, err);
    if (!status) status = nas_buffer_share(judging->world, &buffer, err);
    if (!status) status = unpack_texts(judging, &buffer, err);
    free(buffer.data);
    return status;
}

static void make_teams(nas_evaluator_t *judging)
{
    const nas_evaluator_plan_t *plan = &judging->plan;
    const int rank = nas_comm_rank(judging->world);
    const int first = nas_comm_size(judging->world) > 1 ? (int)plan->first_worker : 0;
    const int n_workers = nas_comm_size(judging->world) - first;
    const int64_t wanted = plan->kind == NAS_OBJECTIVE_TRAIN ? plan->recipe.shards : 1;
    judging->team_size = wanted < n_workers ? (int)wanted : n_workers;
    judging->n_teams = n_workers / judging->team_size;
    judging->my_team = rank < first ? -1 : (rank - first) / judging->team_size;
    if (judging->my_team >= judging->n_teams) judging->my_team = -1;
    nas_comm_split(judging->world, judging->my_team, &judging->team);
}

static nas_status_t make_trainer(nas_evaluator_t *judging, nas_isa_t isa, nas_error_t *err)
{
    const nas_evaluator_plan_t *plan = &judging->plan;
    const nas_dataset_t *images =
        judging->session ? &nas_session_inputs(judging->session)->dataset : &judging->images;
    const nas_backend_t *backend = nas_backend_of((nas_backend_kind_t)plan->backend, isa);
    if (!backend)
        return nas_error_set(
            err, NAS_EINPUT,
            "this program was built without oneDNN, which backend: cpu needs; set backend: ref");
    if (!judging->team) return NAS_OK;
    const nas_trainer_options_t options = {.team = judging->team,
                                           .backend = backend,
                                           .network = plan->network,
                                           .recipe = plan->recipe,
                                           .dataset = images,
                                           .run = plan->run,
                                           .generation = plan->generation,
                                           .interval_s = plan->interval_s};
    return nas_trainer_create(&options, &judging->trainer, err);
}

/* Rank 0 lends its images, the others hold a copy. */
static nas_status_t share_images(nas_evaluator_t *judging, nas_error_t *err)
{
    nas_dataset_t lent = {0};
    if (judging->session) lent = nas_session_inputs(judging->session)->dataset;
    const nas_status_t status = nas_dataset_share(judging->world, &lent, err);
    if (!judging->session) judging->images = lent;
    return status;
}

static nas_status_t prepare_training(nas_evaluator_t *judging, nas_error_t *err)
{
    double isa = nas_isa_best();
    nas_comm_min(judging->world, &isa, 1);
    nas_status_t status = share_images(judging, err);
    if (!status) status = make_trainer(judging, (nas_isa_t)isa, err);
    return nas_comm_agree(judging->world, status, err);
}

static void prepare_command(nas_evaluator_t *judging)
{
    judging->command = (nas_command_t){.argument = &judging->argument,
                                       .job_folder = judging->job_folder,
                                       .device = nas_comm_local_rank(judging->world),
                                       .timeout_s = judging->plan.timeout_s,
                                       .retries = judging->plan.retries,
                                       .columns = &judging->column};
}

nas_status_t nas_evaluator_create(nas_comm_t *world, nas_session_t *session,
                                  nas_heartbeat_t *heartbeat, nas_evaluator_t **evaluator_p,
                                  nas_error_t *err)
{
    nas_evaluator_plan_t plan = {0};
    if (session) plan = *nas_session_judging(session);
    nas_comm_bcast(world, 0, &plan, sizeof plan);
    if (plan.kind == NAS_OBJECTIVE_TABLE) return NAS_OK;
    nas_evaluator_t *judging = calloc(1, sizeof *judging);
    if (!judging) nas_comm_abort("out of memory for judging candidates");
    *judging = (nas_evaluator_t){
        .world = world, .session = session, .heartbeat = heartbeat, .plan = plan, .my_team = -1};
    make_teams(judging);
    nas_status_t status = nas_comm_agree(world, spread_texts(judging, err), err);
    if (!status && plan.kind == NAS_OBJECTIVE_TRAIN)
        status = prepare_training(judging, err);
    else if (!status)
        prepare_command(judging);
    if (status)
        nas_evaluator_destroy(judging);
    else
        *evaluator_p = judging;
    return status;
}

void nas_evaluator_destroy(nas_evaluator_t *judging)
{
    if (!judging) return;
    nas_trainer_destroy(judging->trainer);
    nas_comm_destroy(judging->team);
    nas_dataset_fini(&judging->images);
    nas_strings_fini(&judging->argument);
    nas_strings_fini(&judging->column);
    free(judging->job_folder);
    free(judging->output);
    free(judging);
}
