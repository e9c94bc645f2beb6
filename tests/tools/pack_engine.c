#include "tests/tools/pack_engine.h"

#include "worker/engine/graph/parameters.h"
#include "worker/engine/program/op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static nas_pack_engine_t *pack_of(nas_engine_t *engine)
{
    return (nas_pack_engine_t *)(void *)engine;
}

static size_t bytes(const nas_engine_t *engine, const nas_program_t *const *program, int n)
{
    const nas_engine_t *host = ((const nas_pack_engine_t *)(const void *)engine)->host;
    return host->bytes(host, program, n);
}

static nas_status_t reserve(nas_engine_t *engine, const nas_program_t *const *program, int n,
                            nas_error_t *err)
{
    return pack_of(engine)->host->reserve(pack_of(engine)->host, program, n, err);
}

/* What was found belongs to the engine until now: whoever still looks at it finds nothing. */
static void spoil(nas_pack_engine_t *pack)
{
    for (int i = 0; i < pack->n_results; i++) {
        const nas_program_values_t *values = &pack->result[i].values;
        if (pack->result[i].status) continue;
        const double *const array[] = {values->agreement, values->correlation,
                                       values->layer ? &values->layer->dot : NULL,
                                       values->layer ? &values->layer->abs_dot : NULL};
        for (size_t k = 0; k < sizeof array / sizeof *array; k++)
            if (array[k]) *(double *)(uintptr_t)array[k] = (double)NAN;
    }
    pack->n_results = 0;
}

static bool is_lost(nas_pack_engine_t *pack)
{
    return pack->n_starts_left == 0;
}

static nas_status_t lose(nas_error_t *err)
{
    return nas_error_set(err, NAS_EIO, "the device is lost");
}

/* Parameters as the engine draws them. */
static double *draw(const nas_engine_draw_t *draw)
{
    nas_graph_t graph = {.n_parameters = draw->n_parameters};
    int64_t n = 0;
    graph.parameter = calloc((size_t)draw->n_parameters, sizeof *graph.parameter);
    NAS_ASSERT(graph.parameter);
    memcpy(graph.parameter, draw->parameter, (size_t)draw->n_parameters * sizeof *graph.parameter);
    for (int i = 0; i < draw->n_parameters; i++) n += draw->parameter[i].n;
    double *values = malloc((size_t)(n + 1) * sizeof *values);
    NAS_ASSERT(values);
    nas_parameters_init(&graph, draw->seed, draw->arch, values);
    free(graph.parameter);
    return values;
}

static void forget_tasks(nas_pack_engine_t *pack)
{
    for (int i = 0; i < pack->n; i++) free(pack->drawn[i]);
    free(pack->drawn);
    free(pack->task);
    pack->drawn = NULL;
    pack->task = NULL;
    pack->n = 0;
}

static nas_status_t start(nas_engine_t *engine, const nas_engine_task_t *task, int n,
                          nas_error_t *err)
{
    nas_pack_engine_t *pack = pack_of(engine);
    NAS_ASSERT(pack->n == 0 && n > 0);
    spoil(pack);
    pack->n_starts++;
    if (is_lost(pack) && pack->is_lost_at_start) return lose(err);
    if (pack->most_tasks && n > pack->most_tasks)
        return nas_error_set(err, NAS_ENOMEM, "no memory for %d programs", n);
    pack->task = malloc((size_t)n * sizeof *task);
    pack->drawn = calloc((size_t)n, sizeof *pack->drawn);
    NAS_ASSERT(pack->task && pack->drawn);
    memcpy(pack->task, task, (size_t)n * sizeof *task);
    pack->n = n;
    for (int i = 0; i < n; i++)
        if (!task[i].parameters) pack->task[i].parameters = pack->drawn[i] = draw(task[i].draw);
    return NAS_OK;
}

/* Those that do not fit fail alone. */
static nas_status_t run(nas_pack_engine_t *pack, nas_error_t *err)
{
    nas_status_t status = pack->host->start(pack->host, pack->task, pack->n, err);
    if (!status) status = pack->host->finish(pack->host, &pack->result, err);
    if (status) return status;
    pack->n_results = pack->n;
    for (int i = 0; i < pack->n; i++) {
        nas_engine_result_t *result = (nas_engine_result_t *)(uintptr_t)&pack->result[i];
        if (!pack->most_bytes ||
            nas_program_vector_bytes(pack->task[i].program) <= pack->most_bytes)
            continue;
        result->status = nas_error_set(&result->err, NAS_ENOMEM, "it does not fit the device");
        result->values = (nas_program_values_t){0};
    }
    return NAS_OK;
}

static nas_status_t finish(nas_engine_t *engine, const nas_engine_result_t **result,
                           nas_error_t *err)
{
    nas_pack_engine_t *pack = pack_of(engine);
    NAS_ASSERT(pack->n > 0);
    nas_status_t status = is_lost(pack) ? lose(err) : run(pack, err);
    if (pack->n_starts_left > 0) pack->n_starts_left--;
    *result = pack->result;
    forget_tasks(pack);
    return status;
}

static void destroy(nas_engine_t *engine)
{
    nas_pack_engine_t *pack = pack_of(engine);
    forget_tasks(pack);
    nas_engine_destroy(pack->host);
    free(pack);
}

nas_pack_engine_t *nas_pack_engine_create(nas_engine_t *host)
{
    nas_pack_engine_t *pack = calloc(1, sizeof *pack);
    if (!pack) return NULL;
    pack->host = host;
    pack->n_starts_left = -1;
    pack->engine = (nas_engine_t){.name = "pack",
                                  .layout = host->layout,
                                  .width = 8,
                                  .bytes = bytes,
                                  .reserve = reserve,
                                  .start = start,
                                  .finish = finish,
                                  .destroy = destroy};
    return pack;
}
