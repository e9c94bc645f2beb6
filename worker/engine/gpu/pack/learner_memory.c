/* The room of a learner: what lies in it from the beginning is written here. */
#include "worker/engine/gpu/pack/learner_internal.h"

#include <string.h>

/* ------------------------------------------------------------------------------ tables, staging */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t staging_bytes(const nas_learner_t *learner)
{
    size_t most = larger(learner->data_bytes, (size_t)learner->options.train->n * sizeof(int32_t));
    for (int i = 0; i < learner->options.n_members; i++) {
        const nas_learner_network_t *network = &learner->network[i];
        const int64_t logits = NAS_LEARNER_VALIDATES * network->batches[0].results;
        most = larger(most, (size_t)nas_learner_state_size(network) * sizeof(double));
        most = larger(most, (size_t)logits * sizeof(double));
    }
    return most;
}

nas_status_t nas_learner_take_table(nas_learner_t *learner, nas_learner_launches_t *launches,
                                    nas_error_t *err)
{
    const size_t bytes = nas_gpu_table_bytes(&launches->waves, &launches->steps);
    nas_status_t status = NAS_OK;
    if (bytes == 0) return NAS_OK;
    status = nas_gpu_buffer_grow(&learner->device->budget, bytes, &launches->table, err);
    if (!status) status = nas_gpu_staging_grow(learner->device->gpu, bytes, &learner->staging, err);
    if (status) return status;
    nas_gpu_table_put(&launches->waves, &launches->steps, learner->staging.data);
    nas_learner_layer(learner)->write(learner->device->gpu, launches->table, 0,
                                      learner->staging.data, bytes);
    return nas_learner_layer(learner)->wait(learner->device->gpu, err);
}

static nas_status_t take_tables(nas_learner_t *learner, nas_error_t *err)
{
    nas_status_t status = nas_learner_take_table(learner, &learner->learn, err);
    for (int i = 0; !status && i < learner->options.n_members; i++)
        for (int of = 0; !status && of < 2; of++)
            status = nas_learner_take_table(learner, &learner->network[i].validate[of], err);
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
    nas_learner_layer(learner)->write(gpu, learner->memory.data, 0, learner->staging.data,
                                      learner->data_bytes);
    return nas_learner_layer(learner)->wait(gpu, err);
}

/* ------------------------------------------------------------------------------------------- all */

nas_status_t nas_learner_take_memory(nas_learner_t *learner, nas_error_t *err)
{
    nas_gpu_budget_t *budget = &learner->device->budget;
    nas_gpu_memory_t *m = &learner->memory;
    nas_gpu_t *gpu = learner->device->gpu;
    const size_t arena = (size_t)(learner->n_arena + learner->scratch) * sizeof(float);
    const size_t vectors = (size_t)(learner->parts + learner->n_parts) * sizeof(double);
    const size_t ahead = NAS_LEARNER_AHEAD * NAS_LEARNER_WRITTEN *
                         (size_t)learner->options.n_members * sizeof(double);
    nas_status_t status = nas_gpu_buffer_grow(budget, arena, &m->arena, err);
    if (!status) status = nas_gpu_buffer_grow(budget, vectors, &m->vectors, err);
    if (!status) status = nas_gpu_buffer_grow(budget, learner->data_bytes, &m->data, err);
    if (!status) status = take_tables(learner, err);
    if (!status) status = nas_gpu_staging_grow(gpu, staging_bytes(learner), &learner->staging, err);
    if (!status) status = nas_gpu_staging_grow(gpu, ahead, &learner->ahead, err);
    return status ? status : write_images(learner, err);
}

void nas_learner_drop_memory(nas_learner_t *learner)
{
    nas_gpu_budget_t *budget = &learner->device->budget;
    nas_gpu_t *gpu = learner->device->gpu;
    nas_gpu_buffer_t *const buffer[] = {&learner->memory.arena, &learner->memory.vectors,
                                        &learner->memory.data, &learner->learn.table};
    for (size_t i = 0; i < sizeof buffer / sizeof *buffer; i++)
        nas_gpu_buffer_drop(budget, buffer[i]);
    for (int i = 0; learner->network && i < learner->options.n_members; i++)
        for (int of = 0; of < 2; of++)
            nas_gpu_buffer_drop(budget, &learner->network[i].validate[of].table);
    nas_gpu_staging_drop(gpu, &learner->staging);
    nas_gpu_staging_drop(gpu, &learner->ahead);
}
