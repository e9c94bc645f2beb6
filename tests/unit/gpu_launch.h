/* Memory of a device under test, with the host's copy of all of it, and launches of one kernel. */
#ifndef NAS_TESTS_UNIT_GPU_LAUNCH_H
#define NAS_TESTS_UNIT_GPU_LAUNCH_H

#include "gpu_layers.h"
#include "worker/engine/gpu/kernels/sources.h"

/** What is on a device. The arrays are the host's. */
typedef struct launch_memory {
    nas_gpu_t *gpu;
    float *arena;
    double *vectors;
    unsigned char *data;
    unsigned char *table;
    nas_gpu_memory_t memory;
} launch_memory_t;

static inline void *launch_room(nas_gpu_t *gpu, size_t bytes, nas_gpu_buffer_t *buffer)
{
    nas_error_t err = {0};
    cr_assert_eq(gpu->layer->alloc(gpu, bytes, buffer, &err), NAS_OK, "%s", err.text);
    void *host = gpu->layer->host_alloc(gpu, bytes);
    cr_assert_not_null(host);
    memset(host, 0, bytes);
    return host;
}

/** Room for floats, doubles, bytes of data, bytes of descriptors; all 0. */
static inline launch_memory_t launch_create(nas_gpu_t *gpu, size_t floats, size_t doubles,
                                            size_t data, size_t table)
{
    launch_memory_t m = {.gpu = gpu};
    m.arena = launch_room(gpu, floats * sizeof(float), &m.memory.arena);
    m.vectors = launch_room(gpu, doubles * sizeof(double), &m.memory.vectors);
    m.data = launch_room(gpu, data, &m.memory.data);
    m.table = launch_room(gpu, table, &m.memory.table);
    return m;
}

/** The host's arrays to the device, one launch of the table's first descriptors, and back. */
static inline void launch_run(launch_memory_t *m, const char *file, const char *kernel,
                              int groups_x, int groups_y)
{
    const nas_gpu_source_t source = {.name = file, .text = nas_gpu_source(file)};
    const nas_gpu_layer_t *layer = m->gpu->layer;
    const nas_gpu_memory_t *on = &m->memory;
    const nas_gpu_kernel_t *built = NULL;
    nas_error_t err = {0};
    cr_assert_eq(layer->kernel(m->gpu, &source, kernel, &built, &err), NAS_OK, "%s", err.text);
    layer->write(m->gpu, on->arena, 0, m->arena, on->arena.bytes);
    layer->write(m->gpu, on->vectors, 0, m->vectors, on->vectors.bytes);
    layer->write(m->gpu, on->data, 0, m->data, on->data.bytes);
    layer->write(m->gpu, on->table, 0, m->table, on->table.bytes);
    layer->launch(m->gpu, built, groups_x, groups_y, on, 0);
    layer->read(m->gpu, on->arena, 0, m->arena, on->arena.bytes);
    layer->read(m->gpu, on->vectors, 0, m->vectors, on->vectors.bytes);
    cr_assert_eq(layer->wait(m->gpu, &err), NAS_OK, "%s", err.text);
}

static inline void launch_destroy(launch_memory_t *m)
{
    nas_gpu_buffer_t *const buffer[] = {&m->memory.arena, &m->memory.vectors, &m->memory.data,
                                        &m->memory.table};
    void *const host[] = {m->arena, m->vectors, m->data, m->table};
    for (int i = 0; i < 4; i++) {
        m->gpu->layer->free(m->gpu, buffer[i]);
        m->gpu->layer->host_free(m->gpu, host[i]);
    }
}

#endif
