/* Tasks become packs, as many in one as the device has memory for. Two packs may be queued at a
 * time, so that one is planned while the device is busy with the other; they share its memory, which
 * queues in order allow, but not the tables that the host fills. Whatever more a start has is queued
 * in `finish`.
 *
 * Failure: a program that does not fit alone, or has what no kernel computes, fails alone. Where a
 * pack turns out too large it is halved. A launch that fails, or a lost device, comes out in the
 * wait, as the engine's error: nothing is known of any program then.
 */
#include "worker/engine/gpu/pack/gpu_engine.h"

#include "worker/engine/gpu/pack/gpu_engine_internal.h"
#include "worker/engine/gpu/pack/learner.h"
#include "worker/engine/gpu/pack/pack.h"
#include "worker/engine/gpu/plan/layout.h"
#include "worker/engine/gpu/plan/size.h"

#include <math.h>
#include <stdlib.h>

enum { N_PACKS = 2, WIDE = 64, NARROW = 32, MOST_TASKS = 2 * WIDE };

/* Memory from which packs are wide. */
#define WIDE_BYTES ((size_t)48 << 30)

typedef struct gpu_engine {
    nas_engine_t engine;          /* first: one is the other */
    nas_gpu_pack_device_t device; /* then: nas_gpu_engine_head_t */
    nas_gpu_members_t pack[N_PACKS];
    int n_queued;            /* packs since the last wait */
    nas_engine_task_t *task; /* [n] of the start under way */
    nas_engine_result_t *result;
    int64_t *at; /* of each task's results among those that are read */
    int n, room;
    int next;                  /* the first task that was in no pack so far */
    nas_gpu_staging_t results; /* of all packs */
    int64_t n_results;         /* numbers that are read so far */
    nas_gpu_engine_counts_t counts;
} gpu_engine_t;

_Static_assert(offsetof(gpu_engine_t, device) == offsetof(nas_gpu_engine_head_t, device),
               "an engine begins with its head");

static gpu_engine_t *engine_of(nas_engine_t *engine)
{
    return (gpu_engine_t *)(void *)engine;
}

/* ----------------------------------------------------------------------------------------- tasks */

static nas_status_t make_room(gpu_engine_t *e, int n, nas_error_t *err)
{
    if (n <= e->room) return NAS_OK;
    nas_engine_task_t *task = realloc(e->task, (size_t)n * sizeof *task);
    if (task) e->task = task;
    nas_engine_result_t *result = realloc(e->result, (size_t)n * sizeof *result);
    if (result) e->result = result;
    int64_t *at = realloc(e->at, (size_t)n * sizeof *at);
    if (at) e->at = at;
    if (!task || !result || !at) return nas_error_nomem(err, "a GPU's tasks");
    e->room = n;
    return NAS_OK;
}

/* Whether there are kernels for it. */
static nas_status_t check(const nas_program_t *program, nas_error_t *err)
{
    const nas_conv_t *conv;
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && i < program->n_convs; i++)
        status = nas_gpu_layout()->conv_find(&program->conv[i], program->backward, &conv, err);
    return status;
}

static nas_status_t take_tasks(gpu_engine_t *e, const nas_engine_task_t *task, int n,
                               nas_error_t *err)
{
    int64_t n_results = 0;
    nas_status_t status = make_room(e, n, err);
    for (int i = 0; !status && i < n; i++) {
        e->task[i] = task[i];
        e->result[i] = (nas_engine_result_t){0};
        e->result[i].status = check(task[i].program, &e->result[i].err);
        n_results += (int64_t)task[i].program->n_results;
    }
    if (status) return status;
    e->n = n;
    e->next = 0;
    e->n_results = 0;
    e->counts = (nas_gpu_engine_counts_t){0};
    return nas_gpu_staging_grow(e->device.gpu, (size_t)n_results * sizeof(double), &e->results,
                                err);
}

/* ----------------------------------------------------------------------------------------- packs */

/* Tasks from `next` on, `most` at most and as many as the budget allows, at least one. */
static int gather(const gpu_engine_t *e, int most, const nas_engine_task_t **task, int *end)
{
    size_t bytes = 0;
    int n = 0, i = e->next;
    for (; i < e->n && n < most; i++) {
        if (e->result[i].status) continue;
        bytes += nas_gpu_program_bytes(e->device.variants, e->task[i].program);
        if (n > 0 && bytes > e->device.budget.limit) break;
        task[n++] = &e->task[i];
    }
    *end = i;
    return n;
}

static void drop_buffers(gpu_engine_t *e, nas_gpu_members_t *pack)
{
    nas_gpu_buffer_drop(&e->device.budget, &e->device.arena);
    nas_gpu_buffer_drop(&e->device.budget, &e->device.vectors);
    nas_gpu_buffer_drop(&e->device.budget, &pack->data);
    nas_gpu_buffer_drop(&e->device.budget, &pack->table);
}

/* Buffers that grew on their own may leave no room for others: then all are taken anew. */
static nas_status_t prepare(gpu_engine_t *e, nas_gpu_members_t *pack,
                            const nas_engine_task_t *const *task, int n, nas_error_t *err)
{
    nas_status_t status = nas_gpu_members_plan(pack, &e->device, task, n, err);
    if (status) return status;
    status = nas_gpu_members_reserve(pack, &e->device, err);
    if (status != NAS_ENOMEM) return status;
    drop_buffers(e, pack);
    return nas_gpu_members_reserve(pack, &e->device, err);
}

static void count_pack(gpu_engine_t *e, const nas_gpu_members_t *pack)
{
    e->counts.n_waves += nas_gpu_waves_count(&pack->waves);
    for (int i = 0; i < nas_gpu_waves_count(&pack->waves); i++)
        e->counts.n_works += nas_gpu_wave_at(&pack->waves, i)->groups_y;
    e->counts.n_tables += (int64_t)nas_gpu_table_bytes(&pack->waves, &pack->steps);
}

static nas_status_t queue(gpu_engine_t *e, nas_gpu_members_t *pack,
                          const nas_engine_task_t *const *task, int n, nas_error_t *err)
{
    double *results = (double *)(void *)e->results.data + e->n_results;
    const nas_status_t status = nas_gpu_members_queue(pack, &e->device, results, err);
    if (status) return status;
    for (int i = 0; i < n; i++) {
        e->at[task[i] - e->task] = e->n_results;
        e->n_results += (int64_t)task[i]->program->n_results;
    }
    e->n_queued++;
    count_pack(e, pack);
    return NAS_OK;
}

/* The only one of a pack, which does not fit. */
static void fail(gpu_engine_t *e, int task)
{
    const size_t bytes = nas_gpu_program_bytes(e->device.variants, e->task[task].program);
    e->result[task].status = nas_error_set(
        &e->result[task].err, NAS_ENOMEM,
        "a network that needs %zu MiB of the GPU's memory, of which %zu MiB may be taken: fewer images, or a larger GPU",
        bytes >> 20, e->device.budget.limit >> 20);
}

/* The next pack, halved until it fits. */
static nas_status_t queue_next(gpu_engine_t *e, nas_error_t *err)
{
    const nas_engine_task_t *task[MOST_TASKS];
    int end, n = gather(e, MOST_TASKS, task, &end);
    while (n > 0) {
        nas_gpu_members_t *pack = &e->pack[e->n_queued];
        const nas_status_t status = prepare(e, pack, task, n, err);
        if (status && status != NAS_ENOMEM) return status;
        if (!status) {
            e->next = end;
            return queue(e, pack, task, n, err);
        }
        if (n == 1) {
            fail(e, (int)(task[0] - e->task));
            break;
        }
        n = gather(e, (n + 1) / 2, task, &end);
    }
    e->next = end;
    return NAS_OK;
}

static nas_status_t queue_packs(gpu_engine_t *e, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    while (!status && e->next < e->n && e->n_queued < N_PACKS) status = queue_next(e, err);
    return status;
}

static nas_status_t wait(gpu_engine_t *e, nas_error_t *err)
{
    e->n_queued = 0;
    return e->device.gpu->layer->wait(e->device.gpu, err);
}

/* ---------------------------------------------------------------------------------------- values */

static const double *vector_at(const double *results, nas_vector_t vector)
{
    return vector < 0 ? NULL : results + vector;
}

static nas_program_values_t values_of(const nas_program_t *program, const double *results)
{
    const nas_program_results_t *r = &program->results;
    const double *loss = vector_at(results, r->loss), *flow = vector_at(results, r->flow);
    return (nas_program_values_t){
        .logits = vector_at(results, r->logits),
        .loss = loss ? *loss : (double)NAN,
        .layer = (const nas_layer_values_t *)(const void *)vector_at(results, r->layer),
        .jacobian = vector_at(results, r->jacobian),
        .agreement = vector_at(results, r->agreement),
        .correlation = vector_at(results, r->correlation),
        .gradient = vector_at(results, r->gradient),
        .moments = vector_at(results, r->moments),
        .flow_mantissa = flow ? flow[0] : 0,
        .flow_exponent = flow ? (int)flow[1] : 0,
    };
}

/* ----------------------------------------------------------------------------------- the functions */

static size_t bytes(const nas_engine_t *engine, const nas_program_t *const *program, int n)
{
    const gpu_engine_t *e = (const gpu_engine_t *)(const void *)engine;
    size_t sum = 0;
    for (int i = 0; i < n; i++) sum += nas_gpu_program_bytes(e->device.variants, program[i]);
    return sum;
}

/* As a start of these does, but that nothing is queued. */
static nas_status_t reserve(nas_engine_t *engine, const nas_program_t *const *program, int n,
                            nas_error_t *err)
{
    gpu_engine_t *e = engine_of(engine);
    nas_engine_task_t *task = calloc((size_t)n, sizeof *task);
    nas_status_t status = task ? NAS_OK : nas_error_nomem(err, "a GPU's tasks");
    for (int i = 0; !status && i < n; i++) task[i].program = program[i];
    if (!status) status = take_tasks(e, task, n, err);
    free(task);
    while (!status && e->next < n) {
        const nas_engine_task_t *part[MOST_TASKS];
        int end, n_part = gather(e, MOST_TASKS, part, &end);
        for (int i = 0; !status && i < n; i++)
            if (e->result[i].status)
                status = nas_error_set(err, e->result[i].status, "%s", e->result[i].err.text);
        for (int i = 0; !status && i < N_PACKS; i++)
            status = prepare(e, &e->pack[i], part, n_part, err);
        e->next = end;
    }
    return status;
}

static nas_status_t start(nas_engine_t *engine, const nas_engine_task_t *task, int n,
                          nas_error_t *err)
{
    gpu_engine_t *e = engine_of(engine);
    NAS_ASSERT(e->n_queued == 0);
    nas_status_t status = take_tasks(e, task, n, err);
    if (!status) status = queue_packs(e, err);
    if (status && e->n_queued > 0) (void)wait(e, NULL);
    return status;
}

static nas_status_t finish(nas_engine_t *engine, const nas_engine_result_t **result,
                           nas_error_t *err)
{
    gpu_engine_t *e = engine_of(engine);
    nas_status_t status = NAS_OK;
    while (!status && e->n_queued > 0) {
        status = wait(e, err);
        if (!status) status = queue_packs(e, err);
    }
    if (status) return status;
    const double *results = (const double *)(const void *)e->results.data;
    for (int i = 0; i < e->n; i++)
        if (!e->result[i].status)
            e->result[i].values = values_of(e->task[i].program, results + e->at[i]);
    *result = e->result;
    return NAS_OK;
}

/* --------------------------------------------------------------------------------- life and death */

static void destroy(nas_engine_t *engine)
{
    gpu_engine_t *e = engine_of(engine);
    if (e->n_queued > 0) (void)wait(e, NULL);
    for (int i = 0; i < N_PACKS; i++) nas_gpu_members_fini(&e->pack[i], &e->device);
    nas_gpu_buffer_drop(&e->device.budget, &e->device.arena);
    nas_gpu_buffer_drop(&e->device.budget, &e->device.vectors);
    nas_gpu_staging_drop(e->device.gpu, &e->results);
    nas_gpu_planner_destroy(e->device.planner);
    nas_gpu_variants_destroy(e->device.variants);
    free(e->task);
    free(e->result);
    free(e->at);
    free(e);
}

/* A processor's memory is everybody's. */
static size_t default_limit(const nas_gpu_info_t *info)
{
    const size_t free_bytes = info->free_memory ? info->free_memory : info->memory;
    return info->is_cpu ? free_bytes / 2 : free_bytes / 10 * 9;
}

static size_t limit_of(const nas_gpu_engine_options_t *options, const nas_gpu_info_t *info)
{
    return options->memory_bytes ? options->memory_bytes : default_limit(info);
}

int nas_gpu_engine_width(const nas_gpu_engine_options_t *options)
{
    nas_gpu_info_t info = {0};
    if (options->width) return options->width;
    options->gpu->layer->describe(options->gpu, &info);
    return limit_of(options, &info) >= WIDE_BYTES ? WIDE : NARROW;
}

nas_status_t nas_gpu_engine_create(const nas_gpu_engine_options_t *options, nas_engine_t **engine_p,
                                   nas_error_t *err)
{
    nas_gpu_info_t info = {0};
    gpu_engine_t *e = calloc(1, sizeof *e);
    if (!e) return nas_error_nomem(err, "an engine");
    options->gpu->layer->describe(options->gpu, &info);
    e->device = (nas_gpu_pack_device_t){.gpu = options->gpu,
                                        .budget = {.gpu = options->gpu,
                                                   .limit = limit_of(options, &info),
                                                   .largest = info.largest}};
    e->device.variants = nas_gpu_variants_create();
    e->device.planner = e->device.variants ? nas_gpu_planner_create(e->device.variants) : NULL;
    e->engine = (nas_engine_t){.name = options->gpu->layer->name,
                               .layout = nas_gpu_layout(),
                               .width = nas_gpu_engine_width(options),
                               .draws = true,
                               .is_portable = true,
                               .learners = &nas_gpu_learners,
                               .bytes = bytes,
                               .reserve = reserve,
                               .start = start,
                               .finish = finish,
                               .destroy = destroy};
    if (!e->device.planner) {
        destroy(&e->engine);
        return nas_error_nomem(err, "an engine");
    }
    *engine_p = &e->engine;
    return NAS_OK;
}

nas_gpu_engine_counts_t nas_gpu_engine_counts(const nas_engine_t *engine)
{
    return ((const gpu_engine_t *)(const void *)engine)->counts;
}
