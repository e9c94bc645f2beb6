/* Learners on a GPU (worker/engine/learner.h): what is queued, written and read; learner_plan.c says
 * what the launches are, learner_layout.c where things lie, learner_memory.c takes the room.
 *
 * Nothing of a step comes back before somebody asks. The host writes four numbers of each member
 * before it, from memory that stays as it is until the step is done, and waits when
 * NAS_LEARNER_AHEAD are queued: so an interrupt is heard within a few steps. Members come and go
 * with the steps that they take: the launches are those of the ones that take the present one.
 */
#include "worker/engine/gpu/pack/learner.h"

#include "worker/engine/gpu/pack/gpu_engine_internal.h"
#include "worker/engine/gpu/pack/learner_internal.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------- life and death */

static void drop_graph(nas_learner_t *learner)
{
    if (learner->graph)
        nas_learner_layer(learner)->graph_free(learner->device->gpu, learner->graph);
    learner->graph = NULL;
}

static void destroy(nas_learner_t *learner)
{
    if (!learner) return;
    drop_graph(learner);
    nas_learner_drop_memory(learner);
    nas_learner_unplan(learner);
    free(learner->network);
    free(learner);
}

static nas_status_t make(nas_learner_t *learner, const nas_learner_member_t *member,
                         nas_error_t *err)
{
    const int n = learner->options.n_members;
    learner->network = calloc((size_t)n, sizeof *learner->network);
    if (!learner->network) return nas_error_nomem(err, "a training on a GPU");
    for (int i = 0; i < n; i++) learner->network[i].member = member[i];
    nas_status_t status = nas_learner_lay_out(learner, err);
    if (!status) status = nas_learner_plan(learner, err);
    return status ? status : nas_learner_take_memory(learner, err);
}

static nas_status_t create(nas_engine_t *engine, const nas_learner_options_t *options,
                           nas_learner_t **learner_p, nas_error_t *err)
{
    nas_learner_t *learner = calloc(1, sizeof *learner);
    if (!learner) return nas_error_nomem(err, "a training on a GPU");
    learner->options = *options;
    learner->options.member = NULL;
    learner->device = nas_gpu_engine_device(engine);
    const nas_status_t status = make(learner, options->member, err);
    if (status) {
        destroy(learner);
        return status;
    }
    *learner_p = learner;
    return NAS_OK;
}

/* ---------------------------------------------------------------------------------------- state */

static nas_status_t wait(nas_learner_t *learner, nas_error_t *err)
{
    learner->n_ahead = 0;
    return nas_learner_layer(learner)->wait(learner->device->gpu, err);
}

/* What batch variances are multiplied by, means by 1; then a batch's share in both. */
static void put_norms(const nas_learner_member_t *member, double *unbiased, double *share)
{
    for (int i = 0; i < member->n_norms; i++) {
        const nas_learner_norm_t *norm = &member->norm[i];
        for (int c = 0; c < norm->c; c++) {
            unbiased[norm->statistics + c] = 1;
            unbiased[norm->statistics + norm->c + c] = norm->unbiased;
            share[norm->statistics + c] = share[norm->statistics + norm->c + c] = norm->share;
        }
    }
}

/* A state is staged as it lies in the vectors, from the step on. */
static nas_status_t write_state(nas_learner_t *learner, int member,
                                const nas_learner_state_t *state, nas_error_t *err)
{
    const nas_learner_network_t *network = &learner->network[member];
    const nas_learner_vectors_t *at = &network->at;
    const size_t n_values = (size_t)network->member.n_values * sizeof(double);
    const size_t n_statistics = (size_t)network->member.n_statistics * sizeof(double);
    const size_t n_all = (size_t)nas_learner_state_size(network) * sizeof(double);
    nas_status_t status = wait(learner, err);
    double *all = (double *)(void *)learner->staging.data;
    if (status) return status;
    memset(all, 0, n_all);
    all[NAS_GPU_STEP_LOSS_SUM] = state->loss_sum;
    all[NAS_GPU_STEP_BAD] = -1;
    memcpy(all + (at->parameter - at->step), state->parameter, n_values);
    memcpy(all + (at->velocity - at->step), state->velocity, n_values);
    memcpy(all + (at->statistics - at->step), state->statistics, n_statistics);
    put_norms(&network->member, all + (at->unbiased - at->step), all + (at->share - at->step));
    nas_learner_layer(learner)->write(learner->device->gpu, learner->memory.vectors,
                                      (size_t)at->step * sizeof *all, all, n_all);
    return wait(learner, err);
}

static nas_status_t read_state(nas_learner_t *learner, int member, nas_learner_state_t *state,
                               nas_error_t *err)
{
    const nas_learner_network_t *network = &learner->network[member];
    const nas_learner_vectors_t *at = &network->at;
    const size_t n_values = (size_t)network->member.n_values * sizeof(double);
    const size_t n_statistics = (size_t)network->member.n_statistics * sizeof(double);
    const double *all = (const double *)(const void *)learner->staging.data;
    nas_learner_layer(learner)->read(learner->device->gpu, learner->memory.vectors,
                                     (size_t)at->step * sizeof *all, learner->staging.data,
                                     (size_t)(at->unbiased - at->step) * sizeof *all);
    const nas_status_t status = wait(learner, err);
    if (status) return status;
    memcpy(state->parameter, all + (at->parameter - at->step), n_values);
    memcpy(state->velocity, all + (at->velocity - at->step), n_values);
    memcpy(state->statistics, all + (at->statistics - at->step), n_statistics);
    state->loss = all[NAS_GPU_STEP_LOSS];
    state->loss_sum = all[NAS_GPU_STEP_LOSS_SUM];
    state->bad_step = (int64_t)all[NAS_GPU_STEP_BAD];
    return NAS_OK;
}

static nas_status_t order(nas_learner_t *learner, int member, const int64_t *index, int64_t n,
                          nas_error_t *err)
{
    int32_t *numbers = (int32_t *)(void *)learner->staging.data;
    const nas_status_t status = wait(learner, err);
    if (status) return status;
    for (int64_t i = 0; i < n; i++) numbers[i] = (int32_t)index[i];
    nas_learner_layer(learner)->write(learner->device->gpu, learner->memory.data,
                                      (size_t)learner->network[member].order, numbers,
                                      (size_t)n * sizeof *numbers);
    return wait(learner, err);
}

/* ------------------------------------------------------------------------------------- launches */

static nas_status_t launch(nas_learner_t *learner, const nas_learner_launches_t *launches,
                           nas_error_t *err)
{
    nas_gpu_pack_device_t *device = learner->device;
    nas_gpu_memory_t memory = learner->memory;
    memory.table = launches->table;
    for (int i = 0; i < nas_gpu_waves_count(&launches->waves); i++) {
        const nas_gpu_wave_t *wave = nas_gpu_wave_at(&launches->waves, i);
        const nas_gpu_kernel_t *kernel;
        const nas_status_t status =
            nas_gpu_variants_kernel(device->variants, device->gpu, wave->variant, &kernel, err);
        if (status) return status;
        nas_learner_layer(learner)->launch(device->gpu, kernel, wave->groups_x, wave->groups_y,
                                           &memory, wave->at);
    }
    return NAS_OK;
}

/* All steps are the same launches: recorded once, where the device can. Kernels are built before. */
static nas_status_t record(nas_learner_t *learner, nas_error_t *err)
{
    nas_gpu_t *gpu = learner->device->gpu;
    nas_status_t status = NAS_OK;
    const nas_gpu_kernel_t *kernel;
    for (int i = 0; !status && i < nas_gpu_waves_count(&learner->learn.waves); i++)
        status = nas_gpu_variants_kernel(learner->device->variants, gpu,
                                         nas_gpu_wave_at(&learner->learn.waves, i)->variant,
                                         &kernel, err);
    if (status || !nas_learner_layer(learner)->begin_record) return status;
    nas_learner_layer(learner)->begin_record(gpu);
    status = launch(learner, &learner->learn, err);
    const nas_status_t ended = nas_learner_layer(learner)->end_record(gpu, &learner->graph, err);
    return status ? status : ended;
}

static bool are_in_step(const nas_learner_t *learner, const nas_learner_step_t *step, int n)
{
    int n_in = 0;
    for (int i = 0; i < learner->options.n_members; i++) n_in += learner->network[i].is_in_step;
    for (int i = 0; i < n; i++)
        if (!learner->network[step[i].member].is_in_step) return false;
    return n_in == n;
}

/* The launches of a step are those of these members. */
static nas_status_t take_members(nas_learner_t *learner, const nas_learner_step_t *step, int n,
                                 nas_error_t *err)
{
    if (are_in_step(learner, step, n)) return NAS_OK;
    nas_status_t status = wait(learner, err);
    if (status) return status;
    drop_graph(learner);
    for (int i = 0; i < learner->options.n_members; i++) learner->network[i].is_in_step = false;
    for (int i = 0; i < n; i++) learner->network[step[i].member].is_in_step = true;
    status = nas_learner_plan_step(learner, err);
    return status ? status : nas_learner_take_table(learner, &learner->learn, err);
}

/* Which step of the member it is. */
static void write_step(nas_learner_t *learner, const nas_learner_step_t *step, double *numbers)
{
    const nas_learner_vectors_t *at = &learner->network[step->member].at;
    numbers[NAS_GPU_STEP_NUMBER] = (double)step->number;
    numbers[NAS_GPU_STEP_EPOCH] = (double)step->epoch;
    numbers[NAS_GPU_STEP_PLACE] = (double)step->place;
    numbers[NAS_GPU_STEP_RATE] = step->rate;
    nas_learner_layer(learner)->write(learner->device->gpu, learner->memory.vectors,
                                      (size_t)at->step * sizeof(double), numbers,
                                      NAS_LEARNER_WRITTEN * sizeof *numbers);
}

static nas_status_t queue_step(nas_learner_t *learner, const nas_learner_step_t *step, int n,
                               nas_error_t *err)
{
    const int n_members = learner->options.n_members;
    nas_status_t status = take_members(learner, step, n, err);
    if (!status && learner->n_ahead == NAS_LEARNER_AHEAD) status = wait(learner, err);
    if (!status && !learner->graph) status = record(learner, err);
    if (status) return status;
    double *numbers = (double *)(void *)learner->ahead.data;
    numbers += (size_t)NAS_LEARNER_WRITTEN * (size_t)n_members * (size_t)learner->n_ahead++;
    for (int i = 0; i < n; i++, numbers += NAS_LEARNER_WRITTEN)
        write_step(learner, &step[i], numbers);
    if (!learner->graph) return launch(learner, &learner->learn, err);
    nas_learner_layer(learner)->replay(learner->device->gpu, learner->graph);
    return NAS_OK;
}

/* What is left of the last batch, and batches that nobody asked for, are filled up. */
static nas_status_t write_index(nas_learner_t *learner, const nas_learner_validation_t *validation,
                                int64_t n, nas_error_t *err)
{
    int32_t *numbers = (int32_t *)(void *)learner->staging.data;
    for (int64_t i = 0; i < n; i++)
        numbers[i] = (int32_t)validation->index[i < validation->n ? i : 0];
    nas_learner_layer(learner)->write(learner->device->gpu, learner->memory.data,
                                      (size_t)learner->index, numbers, (size_t)n * sizeof *numbers);
    return wait(learner, err);
}

static nas_status_t validate(nas_learner_t *learner, int member,
                             const nas_learner_validation_t *validation, nas_error_t *err)
{
    const nas_learner_network_t *network = &learner->network[member];
    const nas_learner_copies_t *batches = &network->batches[validation->of_test];
    const nas_program_t *program = batches->program;
    const size_t n_logits = (size_t)program->n * (size_t)program->head.o;
    const int64_t n_batches = (validation->n + program->n - 1) / program->n;
    const double *results = (const double *)(const void *)learner->staging.data;
    nas_status_t status = wait(learner, err);
    if (!status) status = write_index(learner, validation, (int64_t)batches->n * program->n, err);
    if (!status) status = launch(learner, &network->validate[validation->of_test], err);
    if (status) return status;
    nas_learner_layer(learner)->read(learner->device->gpu, learner->memory.vectors,
                                     (size_t)batches->places[0].results * sizeof(double),
                                     learner->staging.data,
                                     (size_t)(n_batches * batches->results) * sizeof(double));
    status = wait(learner, err);
    for (int64_t i = 0; !status && i < n_batches; i++)
        memcpy(validation->logits + (size_t)i * n_logits,
               results + i * batches->results + program->results.logits, n_logits * sizeof(double));
    return status;
}

const nas_learner_functions_t nas_gpu_learners = {.create = create,
                                                  .write = write_state,
                                                  .order = order,
                                                  .step = queue_step,
                                                  .read = read_state,
                                                  .validate = validate,
                                                  .destroy = destroy,
                                                  .validates = NAS_LEARNER_VALIDATES};
