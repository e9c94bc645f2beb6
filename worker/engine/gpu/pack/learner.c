/* Learners on a GPU (worker/engine/learner.h): what is queued, written and read; learner_plan.c says
 * what the launches are.
 *
 * Nothing of a step comes back before somebody asks. The host writes four numbers before each, from
 * memory that stays as it is until the step is done, and waits when NAS_LEARNER_AHEAD are queued:
 * so an interrupt is heard within a few steps.
 */
#include "worker/engine/gpu/pack/learner.h"

#include "worker/engine/gpu/pack/gpu_engine_internal.h"
#include "worker/engine/gpu/pack/learner_internal.h"

#include <stdlib.h>
#include <string.h>

enum { WRITTEN = NAS_GPU_STEP_LOSS }; /* numbers of a step that are the host's */

/* -------------------------------------------------------------------------------------- memory */

static const nas_gpu_layer_t *layer_of(const nas_learner_t *learner)
{
    return learner->device->gpu->layer;
}

static size_t staging_bytes(const nas_learner_t *learner)
{
    const nas_learner_options_t *o = &learner->options;
    const size_t state = (size_t)learner->at.gradient * sizeof(double);
    const size_t logits =
        (size_t)(NAS_LEARNER_VALIDATES * learner->validate[0].results) * sizeof(double);
    const size_t order = (size_t)o->train->n * sizeof(int32_t);
    size_t most = learner->data_bytes > state ? learner->data_bytes : state;
    if (logits > most) most = logits;
    return order > most ? order : most;
}

static nas_status_t take_table(nas_learner_t *learner, nas_learner_launches_t *launches,
                               nas_error_t *err)
{
    const size_t bytes = nas_gpu_table_bytes(&launches->waves, &launches->steps);
    nas_status_t status = NAS_OK;
    if (bytes == 0) return NAS_OK;
    status = nas_gpu_buffer_grow(&learner->device->budget, bytes, &launches->table, err);
    if (!status) status = nas_gpu_staging_grow(learner->device->gpu, bytes, &learner->staging, err);
    if (status) return status;
    nas_gpu_table_put(&launches->waves, &launches->steps, learner->staging.data);
    layer_of(learner)->write(learner->device->gpu, launches->table, 0, learner->staging.data,
                             bytes);
    return layer_of(learner)->wait(learner->device->gpu, err);
}

static nas_status_t take_memory(nas_learner_t *learner, nas_error_t *err)
{
    nas_gpu_budget_t *budget = &learner->device->budget;
    nas_gpu_memory_t *m = &learner->memory;
    nas_gpu_t *gpu = learner->device->gpu;
    nas_status_t status =
        nas_gpu_buffer_grow(budget, (size_t)learner->n_arena * sizeof(float), &m->arena, err);
    if (!status)
        status =
            nas_gpu_buffer_grow(budget, (size_t)learner->at.n * sizeof(double), &m->vectors, err);
    if (!status) status = nas_gpu_buffer_grow(budget, learner->data_bytes, &m->data, err);
    if (!status) status = take_table(learner, &learner->learn, err);
    for (int i = 0; !status && i < 2; i++) status = take_table(learner, &learner->validate[i], err);
    if (!status) status = nas_gpu_staging_grow(gpu, staging_bytes(learner), &learner->staging, err);
    if (!status)
        status = nas_gpu_staging_grow(gpu, NAS_LEARNER_AHEAD * WRITTEN * sizeof(double),
                                      &learner->ahead, err);
    return status;
}

/* --------------------------------------------------------------------------------------- images */

static void stage_images(const nas_learner_t *learner, const nas_learner_images_t *images,
                         const nas_learner_data_t *at)
{
    char *data = learner->staging.data;
    const size_t n = (size_t)images->n, c = (size_t)images->c;
    const size_t n_values = n * c * (size_t)images->h * (size_t)images->w;
    if (images->bytes) {
        memcpy(data + at->images, images->bytes, n_values);
        memcpy(data + at->table, images->table, c * 256 * sizeof(float));
    } else {
        memcpy(data + at->images, images->values, n_values * sizeof(float));
    }
    memcpy(data + at->black, images->black, c * sizeof(float));
    memcpy(data + at->labels, images->labels, n * sizeof(int32_t));
}

static nas_status_t write_images(nas_learner_t *learner, nas_error_t *err)
{
    const nas_learner_options_t *o = &learner->options;
    nas_gpu_t *gpu = learner->device->gpu;
    memset(learner->staging.data, 0, learner->data_bytes);
    stage_images(learner, o->train, &learner->of[0]);
    if (o->test) stage_images(learner, o->test, &learner->of[1]);
    layer_of(learner)->write(gpu, learner->memory.data, 0, learner->staging.data,
                             learner->data_bytes);
    return layer_of(learner)->wait(gpu, err);
}

/* ------------------------------------------------------------------------------- life and death */

static void destroy(nas_learner_t *learner)
{
    if (!learner) return;
    nas_gpu_budget_t *budget = &learner->device->budget;
    nas_gpu_t *gpu = learner->device->gpu;
    if (learner->graph) layer_of(learner)->graph_free(gpu, learner->graph);
    nas_gpu_buffer_t *const buffer[] = {&learner->memory.arena,      &learner->memory.vectors,
                                        &learner->memory.data,       &learner->learn.table,
                                        &learner->validate[0].table, &learner->validate[1].table};
    for (size_t i = 0; i < sizeof buffer / sizeof *buffer; i++)
        nas_gpu_buffer_drop(budget, buffer[i]);
    nas_gpu_staging_drop(gpu, &learner->staging);
    nas_gpu_staging_drop(gpu, &learner->ahead);
    nas_learner_unplan(learner);
    free(learner);
}

static nas_status_t create(nas_engine_t *engine, const nas_learner_options_t *options,
                           nas_learner_t **learner_p, nas_error_t *err)
{
    nas_learner_t *learner = calloc(1, sizeof *learner);
    if (!learner) return nas_error_nomem(err, "a training on a GPU");
    learner->options = *options;
    learner->device = nas_gpu_engine_device(engine);
    nas_status_t status = nas_learner_plan(learner, err);
    if (!status) status = take_memory(learner, err);
    if (!status) status = write_images(learner, err);
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
    return layer_of(learner)->wait(learner->device->gpu, err);
}

/* What batch variances are multiplied by; means by 1. */
static void put_unbiased(const nas_learner_t *learner, double *unbiased)
{
    const nas_learner_options_t *o = &learner->options;
    for (int i = 0; i < o->n_norms; i++) {
        const nas_learner_norm_t *norm = &o->norm[i];
        for (int c = 0; c < norm->c; c++) {
            unbiased[norm->statistics + c] = 1;
            unbiased[norm->statistics + norm->c + c] = norm->unbiased;
        }
    }
}

static nas_status_t write_state(nas_learner_t *learner, const nas_learner_state_t *state,
                                nas_error_t *err)
{
    const nas_learner_options_t *o = &learner->options;
    const nas_learner_vectors_t *at = &learner->at;
    const size_t n_values = (size_t)o->n_values * sizeof(double);
    nas_status_t status = wait(learner, err);
    double *all = (double *)(void *)learner->staging.data;
    if (status) return status;
    memset(all, 0, (size_t)at->gradient * sizeof *all);
    all[at->step + NAS_GPU_STEP_LOSS_SUM] = state->loss_sum;
    all[at->step + NAS_GPU_STEP_BAD] = -1;
    memcpy(all + at->parameter, state->parameter, n_values);
    memcpy(all + at->velocity, state->velocity, n_values);
    memcpy(all + at->statistics, state->statistics, (size_t)o->n_statistics * sizeof(double));
    put_unbiased(learner, all + at->unbiased);
    layer_of(learner)->write(learner->device->gpu, learner->memory.vectors, 0, all,
                             (size_t)at->gradient * sizeof *all);
    return wait(learner, err);
}

static nas_status_t read_state(nas_learner_t *learner, nas_learner_state_t *state, nas_error_t *err)
{
    const nas_learner_options_t *o = &learner->options;
    const nas_learner_vectors_t *at = &learner->at;
    const size_t n_values = (size_t)o->n_values * sizeof(double);
    const double *all = (const double *)(const void *)learner->staging.data;
    layer_of(learner)->read(learner->device->gpu, learner->memory.vectors, 0, learner->staging.data,
                            (size_t)at->unbiased * sizeof *all);
    const nas_status_t status = wait(learner, err);
    if (status) return status;
    memcpy(state->parameter, all + at->parameter, n_values);
    memcpy(state->velocity, all + at->velocity, n_values);
    memcpy(state->statistics, all + at->statistics, (size_t)o->n_statistics * sizeof(double));
    state->loss = all[at->step + NAS_GPU_STEP_LOSS];
    state->loss_sum = all[at->step + NAS_GPU_STEP_LOSS_SUM];
    state->bad_step = (int64_t)all[at->step + NAS_GPU_STEP_BAD];
    return NAS_OK;
}

static nas_status_t order(nas_learner_t *learner, const int64_t *index, int64_t n, nas_error_t *err)
{
    int32_t *numbers = (int32_t *)(void *)learner->staging.data;
    const nas_status_t status = wait(learner, err);
    if (status) return status;
    for (int64_t i = 0; i < n; i++) numbers[i] = (int32_t)index[i];
    layer_of(learner)->write(learner->device->gpu, learner->memory.data, (size_t)learner->order,
                             numbers, (size_t)n * sizeof *numbers);
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
        layer_of(learner)->launch(device->gpu, kernel, wave->groups_x, wave->groups_y, &memory,
                                  wave->at);
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
    if (status || !layer_of(learner)->begin_record) return status;
    layer_of(learner)->begin_record(gpu);
    status = launch(learner, &learner->learn, err);
    const nas_status_t ended = layer_of(learner)->end_record(gpu, &learner->graph, err);
    return status ? status : ended;
}

static nas_status_t queue_step(nas_learner_t *learner, const nas_learner_step_t *step,
                               nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    if (learner->n_ahead == NAS_LEARNER_AHEAD) status = wait(learner, err);
    if (!status && !learner->graph) status = record(learner, err);
    if (status) return status;
    double *numbers = (double *)(void *)learner->ahead.data + WRITTEN * learner->n_ahead++;
    numbers[NAS_GPU_STEP_NUMBER] = (double)step->number;
    numbers[NAS_GPU_STEP_EPOCH] = (double)step->epoch;
    numbers[NAS_GPU_STEP_PLACE] = (double)step->place;
    numbers[NAS_GPU_STEP_RATE] = step->rate;
    layer_of(learner)->write(learner->device->gpu, learner->memory.vectors,
                             (size_t)learner->at.step * sizeof(double), numbers,
                             WRITTEN * sizeof *numbers);
    if (!learner->graph) return launch(learner, &learner->learn, err);
    layer_of(learner)->replay(learner->device->gpu, learner->graph);
    return NAS_OK;
}

/* What is left of the last batch, and batches that nobody asked for, are filled up. */
static nas_status_t write_index(nas_learner_t *learner, const nas_learner_validation_t *validation,
                                nas_error_t *err)
{
    int32_t *numbers = (int32_t *)(void *)learner->staging.data;
    const int64_t n = (int64_t)NAS_LEARNER_VALIDATES * learner->options.validate->n;
    for (int64_t i = 0; i < n; i++)
        numbers[i] = (int32_t)validation->index[i < validation->n ? i : 0];
    layer_of(learner)->write(learner->device->gpu, learner->memory.data, (size_t)learner->index,
                             numbers, (size_t)n * sizeof *numbers);
    return wait(learner, err);
}

static nas_status_t validate(nas_learner_t *learner, const nas_learner_validation_t *validation,
                             nas_error_t *err)
{
    const nas_program_t *program = learner->options.validate;
    const nas_learner_launches_t *l = &learner->validate[validation->of_test];
    const size_t n_logits = (size_t)program->n * (size_t)program->head.o;
    const int64_t n_batches = (validation->n + program->n - 1) / program->n;
    const double *results = (const double *)(const void *)learner->staging.data;
    nas_status_t status = wait(learner, err);
    if (!status) status = write_index(learner, validation, err);
    if (!status) status = launch(learner, l, err);
    if (status) return status;
    layer_of(learner)->read(learner->device->gpu, learner->memory.vectors,
                            (size_t)l->places[0].results * sizeof(double), learner->staging.data,
                            (size_t)(n_batches * l->results) * sizeof(double));
    status = wait(learner, err);
    for (int64_t i = 0; !status && i < n_batches; i++)
        memcpy(validation->logits + (size_t)i * n_logits,
               results + i * l->results + program->results.logits, n_logits * sizeof(double));
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
