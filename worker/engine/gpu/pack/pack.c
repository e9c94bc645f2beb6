/* How a pack lies in the device's memory.
 *
 *     arena     tensors of one program after the other, then parts of gradients by weights
 *     vectors   results of all programs; their other vectors and counts; parameters and statistics;
 *               parts that sums are added from
 *     data      images and labels
 *     table     descriptors
 *
 * The first two groups of vectors are 0 at the beginning. Results come first, so that one read
 * brings all of them.
 */
#include "worker/engine/gpu/pack/pack.h"

#include "worker/engine/gpu/plan/descriptors.h"
#include "worker/engine/gpu/plan/size.h"

#include <stdlib.h>

enum { CLEARED_A_GROUP = 1024, ALIGNMENT = 32 /* doubles */ };

/* Bytes of parts of gradients in one wave: more are cut into several. */
#define SCRATCH_BYTES ((int64_t)256 << 20)

static int64_t align(int64_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static nas_gpu_places_t *places_at(const nas_gpu_members_t *pack, int number)
{
    return (nas_gpu_places_t *)(void *)pack->places.data + number;
}

/* ------------------------------------------------------------------------------------------ plan */

/* Of all but the parts, which are known when the steps are. */
static void place(nas_gpu_members_t *pack, const nas_engine_task_t *const *task, int n)
{
    int64_t results = 0, vectors = 0;
    pack->n_arena = 0;
    for (int i = 0; i < n; i++) {
        const nas_program_t *program = task[i]->program;
        nas_gpu_places_t *places = nas_gpu_pool_add(&pack->places, sizeof *places);
        *places = (nas_gpu_places_t){.arena = pack->n_arena, .results = results};
        nas_gpu_inputs_add(&pack->inputs, task[i], places);
        pack->n_arena += (int64_t)(nas_gpu_program_arena_bytes(program) / sizeof(float));
        results += (int64_t)program->n_results;
    }
    if (pack->places.failed) return;
    pack->n_results = results;
    vectors = align(results);
    for (int i = 0; i < n; i++) {
        const nas_program_t *program = task[i]->program;
        nas_gpu_places_t *places = places_at(pack, i);
        places->vectors = vectors;
        vectors = align(vectors + (int64_t)(program->n_vectors - program->n_results));
        places->counts = vectors;
        vectors = align(vectors + nas_gpu_program_counts(program));
    }
    pack->n_vectors = vectors;
    for (int i = 0; i < n; i++) {
        nas_gpu_places_t *places = places_at(pack, i);
        if (places->parameters >= 0) places->parameters += vectors;
        if (places->statistics >= 0) places->statistics += vectors;
        places->parts = vectors + pack->inputs.n_doubles;
    }
}

static void clear(nas_gpu_members_t *pack)
{
    nas_gpu_inputs_clear(&pack->inputs);
    nas_gpu_steps_clear(&pack->steps);
    nas_gpu_waves_clear(&pack->waves);
    nas_gpu_pool_clear(&pack->places);
}

/* Vectors are 0, and parameters drawn, before all else. */
static nas_status_t begin_waves(nas_gpu_members_t *pack)
{
    const int64_t n = pack->n_vectors;
    const nas_gpu_step_t step = {.variant = NAS_GPU_PLAIN_CLEAR,
                                 .groups_x = (int)((n + CLEARED_A_GROUP - 1) / CLEARED_A_GROUP),
                                 .n = 1,
                                 .n_bytes = sizeof(nas_gpu_clear_t)};
    nas_gpu_clear_t *work = nas_gpu_waves_add(&pack->waves, &pack->steps, &step);
    if (!work) return NAS_ENOMEM;
    *work = (nas_gpu_clear_t){.at = 0, .n = n};
    return nas_gpu_inputs_draw(&pack->inputs, n, &pack->waves, &pack->steps);
}

nas_status_t nas_gpu_members_plan(nas_gpu_members_t *pack, nas_gpu_pack_device_t *device,
                                  const nas_engine_task_t *const *task, int n, nas_error_t *err)
{
    clear(pack);
    place(pack, task, n);
    nas_status_t status = pack->places.failed || pack->inputs.input.failed ? NAS_ENOMEM : NAS_OK;
    for (int i = 0; !status && i < n; i++)
        status = nas_gpu_steps_add(&pack->steps, device->planner, task[i]->program,
                                   places_at(pack, i), err);
    if (!status) status = begin_waves(pack);
    if (status) return nas_error_nomem(err, "a pack of networks");
    pack->scratch =
        (nas_gpu_scratch_t){.at = pack->n_arena, .floats = SCRATCH_BYTES / (int64_t)sizeof(float)};
    return nas_gpu_waves_make(&pack->waves, &pack->steps, &pack->scratch, err);
}

/* ---------------------------------------------------------------------------------------- memory */

static nas_status_t find_kernels(const nas_gpu_members_t *pack, nas_gpu_pack_device_t *device,
                                 nas_error_t *err)
{
    const nas_gpu_kernel_t *kernel;
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && i < nas_gpu_waves_count(&pack->waves); i++)
        status = nas_gpu_variants_kernel(device->variants, device->gpu,
                                         nas_gpu_wave_at(&pack->waves, i)->variant, &kernel, err);
    return status;
}

nas_status_t nas_gpu_members_reserve(nas_gpu_members_t *pack, nas_gpu_pack_device_t *device,
                                     nas_error_t *err)
{
    const size_t arena = (size_t)(pack->n_arena + pack->waves.most_floats) * sizeof(float);
    const size_t vectors =
        (size_t)(pack->n_vectors + pack->inputs.n_doubles + pack->steps.n_parts) * sizeof(double);
    const size_t table = nas_gpu_table_bytes(&pack->waves, &pack->steps);
    nas_gpu_budget_t *budget = &device->budget;
    nas_status_t status = nas_gpu_buffer_grow(budget, arena, &device->arena, err);
    if (!status) status = nas_gpu_buffer_grow(budget, vectors, &device->vectors, err);
    if (!status) status = nas_gpu_buffer_grow(budget, pack->inputs.data_bytes, &pack->data, err);
    if (!status) status = nas_gpu_buffer_grow(budget, table, &pack->table, err);
    if (!status)
        status = nas_gpu_staging_grow(device->gpu, nas_gpu_inputs_bytes(&pack->inputs) + table,
                                      &pack->staging, err);
    return status ? status : find_kernels(pack, device, err);
}

/* ----------------------------------------------------------------------------------------- queue */

static nas_status_t launch(const nas_gpu_members_t *pack, nas_gpu_pack_device_t *device,
                           const nas_gpu_memory_t *memory, nas_error_t *err)
{
    const nas_gpu_layer_t *layer = device->gpu->layer;
    for (int i = 0; i < nas_gpu_waves_count(&pack->waves); i++) {
        const nas_gpu_wave_t *wave = nas_gpu_wave_at(&pack->waves, i);
        const nas_gpu_kernel_t *kernel;
        const nas_status_t status =
            nas_gpu_variants_kernel(device->variants, device->gpu, wave->variant, &kernel, err);
        if (status) return status;
        layer->launch(device->gpu, kernel, wave->groups_x, wave->groups_y, memory, wave->at);
    }
    return NAS_OK;
}

nas_status_t nas_gpu_members_queue(nas_gpu_members_t *pack, nas_gpu_pack_device_t *device,
                                   double *results, nas_error_t *err)
{
    const nas_gpu_layer_t *layer = device->gpu->layer;
    const nas_gpu_memory_t memory = {.arena = device->arena,
                                     .vectors = device->vectors,
                                     .data = pack->data,
                                     .table = pack->table};
    const size_t n_inputs = nas_gpu_inputs_bytes(&pack->inputs);
    char *table = pack->staging.data + n_inputs;
    nas_gpu_inputs_write(&pack->inputs, device->gpu, &memory, pack->n_vectors, pack->staging.data);
    nas_gpu_table_put(&pack->waves, &pack->steps, table);
    layer->write(device->gpu, pack->table, 0, table,
                 nas_gpu_table_bytes(&pack->waves, &pack->steps));
    const nas_status_t status = launch(pack, device, &memory, err);
    if (status) return status;
    layer->read(device->gpu, device->vectors, 0, results, (size_t)pack->n_results * sizeof(double));
    return NAS_OK;
}

void nas_gpu_members_fini(nas_gpu_members_t *pack, nas_gpu_pack_device_t *device)
{
    nas_gpu_inputs_fini(&pack->inputs);
    nas_gpu_steps_fini(&pack->steps);
    nas_gpu_waves_fini(&pack->waves);
    free(pack->places.data);
    nas_gpu_staging_drop(device->gpu, &pack->staging);
    nas_gpu_buffer_drop(&device->budget, &pack->data);
    nas_gpu_buffer_drop(&device->budget, &pack->table);
    *pack = (nas_gpu_members_t){0};
}
