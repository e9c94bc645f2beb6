/* The engine of GPUs: packs that change no bits, memory that runs out, devices that are lost. */
#include "gpu_engine_case.h"
#include "tests/tools/gpu_null.h"
#include "worker/engine/graph/parameters.h"
#include "worker/engine/program/op.h"

static const nas_network_t TINY = {3, 4, 4, 3, 1, 5, NAS_CONVENTION_SCORE};

enum { BATCH = 3, MOST = 9 };

/* Cells with a program each, of one batch. */
typedef struct cells {
    program_case_t c[MOST];
    nas_program_t *program[MOST];
    nas_engine_task_t task[MOST];
} cells_t;

static cells_t make_cells(void)
{
    cells_t cells;
    for (int i = 0; i < MOST; i++) {
        cells.c[i] = make_case(nas_gpu_layout(), &TINY, BATCH, i);
        cells.c[i].options.needs = NAS_NEED_LOSS | NAS_NEED_GRADIENT;
        cells.program[i] = compile(&cells.c[i]);
        cells.task[i] = task_of(&cells.c[i], cells.program[i]);
        cells.task[i].images = cells.c[0].images;
        cells.task[i].labels = cells.c[0].labels;
    }
    return cells;
}

static void free_cells(cells_t *cells)
{
    for (int i = 0; i < MOST; i++) {
        nas_program_destroy(cells->program[i]);
        free_case(&cells->c[i]);
    }
}

static const nas_engine_result_t *run_tasks(nas_engine_t *engine, const nas_engine_task_t *task,
                                            int n)
{
    const nas_engine_result_t *result = NULL;
    cr_assert_eq(engine->start(engine, task, n, NULL), NAS_OK);
    cr_assert_eq(engine->finish(engine, &result, NULL), NAS_OK);
    return result;
}

static size_t gradient_bytes(const cells_t *cells, int i)
{
    return (size_t)cells->c[i].graph->n_values * sizeof(double);
}

/* Of one, of eight, of some in another order. */
static void company_changes_nothing(nas_gpu_t *gpu)
{
    static const int order[] = {7, 0, 4};
    nas_engine_t *engine = make_gpu_engine(gpu, 0);
    cells_t cells = make_cells();
    double *alone[MOST];
    for (int i = 0; i < MOST; i++) {
        const nas_engine_result_t *result = run_tasks(engine, &cells.task[i], 1);
        alone[i] = copy_of(result->values.gradient, (size_t)cells.c[i].graph->n_values);
    }
    const nas_engine_result_t *result = run_tasks(engine, cells.task, 8);
    for (int i = 0; i < 8; i++)
        cr_assert_eq(memcmp(result[i].values.gradient, alone[i], gradient_bytes(&cells, i)), 0);
    nas_engine_task_t task[3];
    for (int i = 0; i < 3; i++) task[i] = cells.task[order[i]];
    result = run_tasks(engine, task, 3);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(
            memcmp(result[i].values.gradient, alone[order[i]], gradient_bytes(&cells, order[i])),
            0);
    for (int i = 0; i < MOST; i++) free(alone[i]);
    free_cells(&cells);
    nas_engine_destroy(engine);
}
ON_LAYER(company_changes_nothing, threads)

/* With memory for one or two at once, the same comes of all of them. */
static void packs_are_cut_to_the_memory(nas_gpu_t *gpu)
{
    cells_t cells = make_cells();
    nas_engine_t *engine = make_gpu_engine(gpu, 0);
    const nas_program_t *const all_convolutions[] = {cells.program[1]};
    const size_t most = engine->bytes(engine, all_convolutions, 1);
    nas_engine_t *small = make_gpu_engine(gpu, 2 * most);
    const nas_engine_result_t *a = run_tasks(engine, cells.task, MOST);
    const nas_engine_result_t *b = run_tasks(small, cells.task, MOST);
    for (int i = 0; i < MOST; i++) {
        cr_assert_eq(b[i].status, NAS_OK, "%s", b[i].err.text);
        cr_assert_eq(memcmp(a[i].values.gradient, b[i].values.gradient, gradient_bytes(&cells, i)),
                     0);
    }
    cr_assert_gt(nas_gpu_engine_counts(small).n_waves, nas_gpu_engine_counts(engine).n_waves);
    free_cells(&cells);
    nas_engine_destroy(engine);
    nas_engine_destroy(small);
}
ON_LAYER(packs_are_cut_to_the_memory, threads)

/* Parameters that the device draws are those that the host draws. */
static void draws_as_the_host(nas_gpu_t *gpu)
{
    cells_t cells = make_cells();
    nas_engine_t *engine = make_gpu_engine(gpu, 0);
    const nas_graph_t *graph = cells.c[1].graph;
    const uint64_t seed = 5;
    const nas_engine_draw_t draw = {.parameter = graph->parameter,
                                    .n_parameters = graph->n_parameters,
                                    .seed = seed,
                                    .arch = "x"};
    nas_parameters_init(graph, seed, "x", cells.c[1].parameters);
    nas_engine_task_t task[] = {cells.task[1], cells.task[1], cells.task[1]};
    task[1].parameters = task[2].parameters = NULL;
    task[1].draw = task[2].draw = &draw;
    const nas_engine_result_t *result = run_tasks(engine, task, 3);
    for (int i = 1; i < 3; i++)
        cr_assert_eq(
            memcmp(result[i].values.gradient, result[0].values.gradient, gradient_bytes(&cells, 1)),
            0);
    free_cells(&cells);
    nas_engine_destroy(engine);
}
ON_LAYER(draws_as_the_host, threads)

/* ------------------------------------------------------------------------- without any computing */

enum { MUCH = 1 << 30 };

/* Nothing is read but the results, once, and what several are given is written once. */
Test(gpu_engine, one_read_a_pack)
{
    nas_gpu_null_t device;
    cells_t cells = make_cells();
    nas_gpu_null_init(&device, MUCH);
    nas_engine_t *engine = make_gpu_engine(&device.gpu, 0);
    for (int i = 0; i < MOST; i++) cells.task[i].parameters = cells.c[1].parameters;
    (void)run_tasks(engine, &cells.task[1], 1);
    const int64_t n_writes = device.gpu.counts.n_writes;
    cr_assert_eq(device.gpu.counts.n_reads, 1);
    cr_assert_eq(device.gpu.counts.n_waits, 1);
    const nas_engine_task_t same[] = {cells.task[1], cells.task[1], cells.task[1]};
    (void)run_tasks(engine, same, 3);
    cr_assert_eq(device.gpu.counts.n_reads, 2);
    cr_assert_eq(device.gpu.counts.n_writes, 2 * n_writes);
    nas_engine_destroy(engine);
    free_cells(&cells);
    cr_assert_eq(device.taken, 0);
}

/* What was reserved is enough: a start takes nothing more, and builds nothing. */
Test(gpu_engine, what_was_reserved_is_enough)
{
    nas_gpu_null_t device;
    cells_t cells = make_cells();
    nas_gpu_null_init(&device, MUCH);
    nas_engine_t *engine = make_gpu_engine(&device.gpu, 0);
    cr_assert_eq(engine->reserve(engine, (const nas_program_t *const *)cells.program, MOST, NULL),
                 NAS_OK);
    const int n = device.n_allocations, n_kernels = device.n_kernels;
    cr_assert_gt(n, 0);
    cr_assert_gt(n_kernels, 0);
    cr_assert_eq(device.gpu.counts.n_launches, 0);
    (void)run_tasks(engine, cells.task, MOST);
    (void)run_tasks(engine, cells.task, 2);
    cr_assert_eq(device.n_allocations, n);
    cr_assert_eq(device.n_kernels, n_kernels);
    nas_engine_destroy(engine);
    free_cells(&cells);
}

/* A program that does not fit fails alone, and says what it needs. */
Test(gpu_engine, a_program_that_does_not_fit_fails_alone)
{
    nas_gpu_null_t device;
    cells_t cells = make_cells();
    nas_gpu_null_init(&device, MUCH);
    program_case_t large = cells.c[1];
    large.options.batch = 30000;
    nas_program_t *program = compile(&large);
    nas_engine_t *engine = make_gpu_engine(&device.gpu, 64 << 20);
    const nas_program_t *const list[] = {program};
    const nas_engine_task_t task[] = {cells.task[0], {.program = program}, cells.task[1]};
    const nas_engine_result_t *result = run_tasks(engine, task, 3);
    cr_assert_eq(result[0].status, NAS_OK);
    cr_assert_eq(result[1].status, NAS_ENOMEM);
    cr_assert_not_null(strstr(result[1].err.text, "64 MiB"), "%s", result[1].err.text);
    cr_assert_eq(result[2].status, NAS_OK);
    cr_assert_eq(engine->reserve(engine, list, 1, NULL), NAS_ENOMEM);
    cr_assert_leq(device.most_taken, 64 << 20);
    (void)run_tasks(engine, cells.task, MOST);
    nas_program_destroy(program);
    nas_engine_destroy(engine);
    free_cells(&cells);
}

/* A device that has less than it said: packs are halved until they fit. */
Test(gpu_engine, packs_are_halved_where_the_device_has_less)
{
    nas_gpu_null_t device;
    cells_t cells = make_cells();
    nas_gpu_null_init(&device, MUCH);
    nas_engine_t *engine = make_gpu_engine(&device.gpu, MUCH);
    const nas_program_t *const all_convolutions[] = {cells.program[1]};
    device.memory = 2 * engine->bytes(engine, all_convolutions, 1);
    const nas_engine_result_t *result = run_tasks(engine, cells.task, MOST);
    for (int i = 0; i < MOST; i++) cr_assert_eq(result[i].status, NAS_OK, "%s", result[i].err.text);
    cr_assert_gt(device.gpu.counts.n_reads, 1);
    nas_engine_destroy(engine);
    free_cells(&cells);
}

/* A program that no kernel computes fails alone. */
Test(gpu_engine, a_program_without_kernels_fails_alone)
{
    nas_gpu_null_t device;
    cells_t cells = make_cells();
    nas_gpu_null_init(&device, MUCH);
    nas_engine_t *engine = make_gpu_engine(&device.gpu, 0);
    const nas_program_t *const list[] = {cells.program[1]};
    cells.program[1]->conv[0].k = 2;
    const nas_engine_result_t *result = run_tasks(engine, cells.task, 3);
    cr_assert_eq(result[0].status, NAS_OK);
    cr_assert_eq(result[1].status, NAS_EARG);
    cr_assert_neq(result[1].err.text[0], 0);
    cr_assert_eq(result[2].status, NAS_OK);
    cr_assert_eq(engine->reserve(engine, list, 1, NULL), NAS_EARG);
    nas_engine_destroy(engine);
    free_cells(&cells);
}

/* A lost device is the engine's error. */
Test(gpu_engine, a_lost_device_is_the_engines_error)
{
    nas_gpu_null_t device;
    const nas_engine_result_t *result = NULL;
    nas_error_t err = {0};
    cells_t cells = make_cells();
    nas_gpu_null_init(&device, MUCH);
    nas_engine_t *engine = make_gpu_engine(&device.gpu, 0);
    device.is_lost = true;
    cr_assert_eq(engine->start(engine, cells.task, 3, &err), NAS_OK);
    cr_assert_eq(engine->finish(engine, &result, &err), NAS_EIO);
    cr_assert_not_null(strstr(err.text, "lost"));
    cr_assert_null(result);
    nas_engine_destroy(engine);
    free_cells(&cells);
    cr_assert_eq(device.taken, 0);
}
