/* Programs are carried out one by one in `start`: the host has nothing to wait for. They share an
 * arena of tensors, one after the other, but each has vectors of its own, so that what all of them
 * found is there at the end. Memory grows to what the largest so far took, and kernels are looked
 * up whenever a program comes: the backend keeps them.
 */
#include "worker/engine/host/host.h"

#include "common/base/huge_pages.h"
#include "common/io/memory.h"
#include "worker/engine/host/run.h"

#include <stdlib.h>

/* Memory that grows, by whole numbers of bytes; what was in it is lost. */
typedef struct memory {
    void *data;
    size_t size;
} memory_t;

typedef struct host {
    nas_engine_t engine; /* first: one is the other */
    nas_profile_t *profile;
    memory_t arena;   /* of tensors */
    memory_t vectors; /* of all programs of a start, one behind the other */
    memory_t joined;
    memory_t ones; /* an image */
    memory_t kernels;
    memory_t results;
} host_t;

static host_t *host_of(nas_engine_t *engine)
{
    return (host_t *)(void *)engine;
}

/* ----------------------------------------------------------------------------------------
 * memory */

/* Whether the machine has so much at all: the system may promise more, and then end the process that
 * takes it. Little is not worth the question. */
static bool exists(size_t bytes)
{
    const size_t little = (size_t)1 << 30;
    return bytes < little || bytes <= (size_t)nas_memory_bytes();
}

static nas_status_t grow(memory_t *memory, size_t bytes, const char *what, nas_error_t *err)
{
    if (bytes <= memory->size) return NAS_OK;
    free(memory->data);
    *memory = (memory_t){0};
    if (exists(bytes)) memory->data = nas_huge_pages_create(bytes);
    if (!memory->data)
        return nas_error_set(err, NAS_ENOMEM, "out of memory for a network's %s (%zu MiB)", what,
                             bytes >> 20);
    memory->size = bytes;
    return NAS_OK;
}

static nas_status_t grow_ones(memory_t *memory, nas_shape_t image, nas_error_t *err)
{
    const size_t n = (size_t)image.n * (size_t)image.c * (size_t)image.h * (size_t)image.w;
    if (n * sizeof(float) <= memory->size) return NAS_OK;
    const nas_status_t status = grow(memory, n * sizeof(float), "image", err);
    float *ones = memory->data;
    for (size_t i = 0; !status && i < n; i++) ones[i] = 1;
    return status;
}

/* Look all kernels of a program up. */
static nas_status_t find_kernels(host_t *host, const nas_program_t *program, nas_error_t *err)
{
    const size_t n = (size_t)program->n_convs;
    nas_status_t status = grow(&host->kernels, n * sizeof(nas_conv_t *), "kernels", err);
    const nas_conv_t **kernel = host->kernels.data;
    for (size_t i = 0; !status && i < n; i++)
        status =
            host->engine.layout->conv_find(&program->conv[i], program->backward, &kernel[i], err);
    return status;
}

/* What a program takes that it does not share with those started with it. */
static nas_status_t prepare(host_t *host, const nas_program_t *program, nas_error_t *err)
{
    nas_status_t status = grow(&host->arena, program->arena_bytes, "tensors", err);
    if (!status)
        status = grow(&host->joined, (size_t)program->n_joined * sizeof(double), "weights", err);
    if (!status && program->flow) status = grow_ones(&host->ones, program->image, err);
    if (!status) status = find_kernels(host, program, err);
    return status;
}

static nas_status_t grow_shared(host_t *host, size_t n_vectors, int n, nas_error_t *err)
{
    const nas_status_t status = grow(&host->vectors, n_vectors * sizeof(double), "vectors", err);
    if (status) return status;
    return grow(&host->results, (size_t)n * sizeof(nas_engine_result_t), "results", err);
}

static size_t bytes(const nas_engine_t *engine, const nas_program_t *const *program, int n)
{
    size_t arena = 0, vectors = 0;
    (void)engine;
    for (int i = 0; i < n; i++) {
        if (program[i]->arena_bytes > arena) arena = program[i]->arena_bytes;
        vectors += nas_program_vector_bytes(program[i]);
    }
    return arena + vectors;
}

static nas_status_t reserve(nas_engine_t *engine, const nas_program_t *const *program, int n,
                            nas_error_t *err)
{
    host_t *host = host_of(engine);
    size_t n_vectors = 0;
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && i < n; i++) {
        status = prepare(host, program[i], err);
        n_vectors += program[i]->n_vectors;
    }
    return status ? status : grow_shared(host, n_vectors, n, err);
}

/* -------------------------------------------------------------------------------------------
 * run */

static void run_task(host_t *host, const nas_engine_task_t *task, double *vectors,
                     nas_engine_result_t *result)
{
    *result = (nas_engine_result_t){0};
    result->status = prepare(host, task->program, &result->err);
    if (result->status) return;
    const nas_run_t run = {.backend = host->engine.layout,
                           .program = task->program,
                           .task = task,
                           .conv = host->kernels.data,
                           .arena = host->arena.data,
                           .vectors = vectors,
                           .joined = host->joined.data,
                           .ones = host->ones.data};
    nas_run(&run, host->profile);
    result->values = nas_run_values(&run);
}

static nas_status_t start(nas_engine_t *engine, const nas_engine_task_t *task, int n,
                          nas_error_t *err)
{
    host_t *host = host_of(engine);
    size_t n_vectors = 0;
    for (int i = 0; i < n; i++) n_vectors += task[i].program->n_vectors;
    const nas_status_t status = grow_shared(host, n_vectors, n, err);
    if (status) return status;
    nas_engine_result_t *result = host->results.data;
    double *vectors = host->vectors.data;
    for (int i = 0; i < n; vectors += task[i++].program->n_vectors)
        run_task(host, &task[i], vectors, &result[i]);
    return NAS_OK;
}

static nas_status_t finish(nas_engine_t *engine, const nas_engine_result_t **result,
                           nas_error_t *err)
{
    (void)err;
    *result = host_of(engine)->results.data;
    return NAS_OK;
}

/* ---------------------------------------------------------------------------------- life and
 * death */

static void destroy(nas_engine_t *engine)
{
    host_t *host = host_of(engine);
    memory_t *const all[] = {&host->arena, &host->vectors, &host->joined,
                             &host->ones,  &host->kernels, &host->results};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]->data);
    free(host);
}

nas_status_t nas_host_engine_create(const nas_backend_t *backend, nas_profile_t *profile,
                                    nas_engine_t **engine_p, nas_error_t *err)
{
    host_t *host = calloc(1, sizeof *host);
    if (!host) return nas_error_nomem(err, "an engine");
    host->profile = profile;
    host->engine = (nas_engine_t){.name = backend->name,
                                  .layout = backend,
                                  .width = 1,
                                  .bytes = bytes,
                                  .reserve = reserve,
                                  .start = start,
                                  .finish = finish,
                                  .destroy = destroy};
    *engine_p = &host->engine;
    return NAS_OK;
}
