#include "worker/engine/gpu/pack/golden.h"

#include "worker/engine/gpu/pack/golden_set.h"

#include <stdlib.h>

enum { N_BUFFERS = 4 };

/* The buffers, with the host's memory that goes into them. */
typedef struct transfer {
    nas_gpu_buffer_t *buffer[N_BUFFERS];
    void *host[N_BUFFERS];
    size_t bytes[N_BUFFERS];
} transfer_t;

static nas_status_t take_memory(nas_gpu_t *gpu, transfer_t *t, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && i < N_BUFFERS; i++) {
        status = gpu->layer->alloc(gpu, t->bytes[i], t->buffer[i], err);
        if (status) break;
        t->host[i] = gpu->layer->host_alloc(gpu, t->bytes[i]);
        if (!t->host[i]) status = nas_error_nomem(err, "golden kernels");
    }
    return status;
}

static void give_memory(nas_gpu_t *gpu, const transfer_t *t)
{
    for (int i = 0; i < N_BUFFERS; i++) {
        gpu->layer->free(gpu, t->buffer[i]);
        gpu->layer->host_free(gpu, t->host[i]);
    }
}

/* Queue everything, and wait: arena and vectors, the first two, come back. */
static nas_status_t run(nas_gpu_t *gpu, const nas_golden_set_t *set, const nas_gpu_memory_t *memory,
                        const transfer_t *t, nas_error_t *err)
{
    const nas_gpu_layer_t *layer = gpu->layer;
    nas_status_t status = NAS_OK;
    for (int i = 0; i < N_BUFFERS; i++)
        layer->write(gpu, *t->buffer[i], 0, t->host[i], t->bytes[i]);
    for (int i = 0; !status && i < set->n_launches; i++) {
        const nas_golden_launch_t *launch = &set->launch[i];
        const nas_gpu_kernel_t *kernel = NULL;
        status = nas_gpu_variant_kernel(gpu, &launch->variant, &kernel, err);
        if (!status)
            layer->launch(gpu, kernel, launch->groups_x, launch->groups_y, memory, launch->at);
    }
    for (int i = 0; i < 2; i++) layer->read(gpu, *t->buffer[i], 0, t->host[i], t->bytes[i]);
    nas_error_t ignored = {0};
    const nas_status_t waited = layer->wait(gpu, status ? &ignored : err);
    return status ? status : waited;
}

static uint64_t hash_of(uint64_t hash, const void *data, size_t n)
{
    const unsigned char *byte = data;
    for (size_t i = 0; i < n; i++) hash = (hash ^ byte[i]) * 0x100000001b3;
    return hash;
}

/* What networks of NAS-Bench-201 take. */
static void fill_plain(nas_golden_set_t *set)
{
    nas_golden_add_convs(set);
    nas_golden_add_tensors(set);
    nas_golden_add_scalars(set);
    nas_golden_add_training(set);
}

/* What others take besides. */
static void fill_any(nas_golden_set_t *set)
{
    nas_golden_add_windows(set);
    nas_golden_add_links(set);
}

/* Fill in a set, carry it out, and hash what it made. */
static nas_status_t run_set(nas_gpu_t *gpu, void (*fill)(nas_golden_set_t *set), uint64_t *hash,
                            nas_error_t *err)
{
    nas_gpu_memory_t memory = {0};
    transfer_t t = {.buffer = {&memory.arena, &memory.vectors, &memory.data, &memory.table},
                    .bytes = {NAS_GOLDEN_FLOATS * sizeof(float),
                              NAS_GOLDEN_DOUBLES * sizeof(double), NAS_GOLDEN_DATA,
                              NAS_GOLDEN_TABLE}};
    nas_golden_set_t *set = calloc(1, sizeof *set);
    nas_status_t status = set ? NAS_OK : nas_error_nomem(err, "golden kernels");
    if (!status) status = take_memory(gpu, &t, err);
    if (!status) {
        set->arena = t.host[0];
        set->vectors = t.host[1];
        set->data = t.host[2];
        set->table = t.host[3];
        nas_golden_fill(set);
        fill(set);
        status = run(gpu, set, &memory, &t, err);
    }
    if (!status) {
        const uint64_t basis = 0xcbf29ce484222325;
        *hash = hash_of(hash_of(basis, t.host[0], t.bytes[0]), t.host[1], t.bytes[1]);
    }
    give_memory(gpu, &t);
    free(set);
    return status;
}

nas_status_t nas_gpu_golden(nas_gpu_t *gpu, uint64_t *hash, nas_error_t *err)
{
    uint64_t plain = 0, any = 0;
    nas_status_t status = run_set(gpu, fill_plain, &plain, err);
    if (!status) status = run_set(gpu, fill_any, &any, err);
    if (!status) *hash = plain ^ any ^ NAS_GPU_GOLDEN_ANY;
    return status;
}
