/* Whole networks through the engine: all that six metrics need of the device, of one architecture
 * and of packs. What the host makes of it afterwards is not in it: bench score has that. */
#include "common/base/clock.h"
#include "common/base/rng.h"
#include "worker/engine/gpu/pack/gpu_engine.h"
#include "worker/gpu_bench/network.h"
#include "worker/gpu_bench/timing.h"

#include <math.h>
#include <stdlib.h>

enum { WIDTH = 32, QUICK_WIDTH = 2, MOST_RUNS = 5, N_IMAGES = 64, N_QUICK_IMAGES = 6 };

/* grad_norm, snip, grasp, fisher, jacob_cov; synflow has a program of its own. */
static const unsigned needs =
    NAS_NEED_SUMS | NAS_NEED_CURVATURE | NAS_NEED_FISHER | NAS_NEED_CORRELATION;

typedef struct packs {
    const nas_gpu_bench_t *bench;
    nas_engine_t *engine;
    float *images;
    int32_t *labels;
    int n_images;
    nas_bench_member_t member[WIDTH];
    int n;
    nas_engine_draw_t draw[WIDTH];
    nas_engine_task_t task[NAS_BENCH_MOST_PROGRAMS * WIDTH];
    int n_tasks;
} packs_t;

/* Of one architecture. */
typedef struct took {
    double seconds, host_s; /* host_s: graphs and programs, and their start */
    double launches, bytes_written, bytes_read;
    size_t bytes; /* of the device, by all of the pack */
} took_t;

/* --------------------------------------------------------------------------------------- inputs */

static nas_status_t make_images(packs_t *packs, nas_error_t *err)
{
    const nas_network_t net = nas_bench_network(packs->bench->is_quick, NAS_CONVENTION_SCORE);
    packs->n_images = packs->bench->is_quick ? N_QUICK_IMAGES : N_IMAGES;
    const size_t n = (size_t)packs->n_images;
    const size_t n_values = n * (size_t)net.image_channels * (size_t)net.height * (size_t)net.width;
    nas_rng_t rng;
    packs->images = malloc(n_values * sizeof *packs->images);
    packs->labels = malloc(n * sizeof *packs->labels);
    if (!packs->images || !packs->labels) return nas_error_nomem(err, "the bench's images");
    nas_rng_init(&rng, 0, NAS_STREAM_BENCH, 0);
    for (size_t i = 0; i < n_values; i++) packs->images[i] = (float)nas_rng_normal(&rng);
    for (size_t i = 0; i < n; i++)
        packs->labels[i] = (int32_t)nas_rng_below(&rng, (uint64_t)net.classes);
    return NAS_OK;
}

static void clear(packs_t *packs)
{
    for (int i = 0; i < packs->n; i++) nas_bench_member_fini(&packs->member[i]);
    packs->n = packs->n_tasks = 0;
}

static nas_status_t add(packs_t *packs, const nas_arch_t *arch, nas_error_t *err)
{
    const nas_network_t net = nas_bench_network(packs->bench->is_quick, NAS_CONVENTION_SCORE);
    nas_bench_member_t *member = &packs->member[packs->n];
    nas_engine_draw_t *draw = &packs->draw[packs->n++];
    nas_status_t status = nas_bench_member_init(member, &net, arch, err);
    if (!status) status = nas_bench_member_add(member, packs->n_images, needs, err);
    if (!status) status = nas_bench_member_add(member, 1, NAS_NEED_FLOW, err);
    if (status) return status;
    *draw = (nas_engine_draw_t){.parameter = member->graph->parameter,
                                .n_parameters = member->graph->n_parameters,
                                .arch = member->name};
    for (int i = 0; i < member->n_programs; i++)
        packs->task[packs->n_tasks++] = (nas_engine_task_t){.program = member->program[i],
                                                            .draw = draw,
                                                            .images = packs->images,
                                                            .labels = packs->labels};
    return NAS_OK;
}

/* `width` times the architecture of this name; NULL: drawn from the space. */
static nas_status_t make_pack(packs_t *packs, const char *name, int width, nas_error_t *err)
{
    nas_arch_t arch = {0};
    nas_rng_t rng;
    nas_rng_init(&rng, 0, NAS_STREAM_BENCH, 1);
    nas_status_t status = nas_arch_init(&arch, nas_space_with_networks(), err);
    if (!status && name) status = nas_arch_parse(&arch, name, err);
    for (int i = 0; !status && i < width; i++) {
        if (!name) nas_arch_set(&arch, (int64_t)nas_rng_below(&rng, (uint64_t)arch.space->count));
        status = add(packs, &arch, err);
    }
    nas_arch_fini(&arch);
    return status;
}

/* ------------------------------------------------------------------------------------- measuring */

static nas_status_t run(packs_t *packs, double *seconds, double *host_s, nas_error_t *err)
{
    const nas_engine_result_t *result = NULL;
    const double begin_s = nas_clock_monotonic_s(), begin_host_s = nas_clock_processor_s();
    nas_status_t status = packs->engine->start(packs->engine, packs->task, packs->n_tasks, err);
    *host_s = nas_clock_processor_s() - begin_host_s;
    if (!status) status = packs->engine->finish(packs->engine, &result, err);
    *seconds = nas_clock_monotonic_s() - begin_s;
    for (int i = 0; !status && i < packs->n_tasks; i++)
        if (result[i].status)
            status = nas_error_set(err, result[i].status, "%s", result[i].err.text);
    return status;
}

/* The median of runs after one that builds what kernels there are to build. */
static nas_status_t time_pack(packs_t *packs, took_t *took, nas_error_t *err)
{
    const nas_gpu_counts_t *counts = &packs->bench->gpu->counts;
    const int n_runs = packs->bench->is_quick || packs->bench->is_once ? 1 : MOST_RUNS;
    double seconds[MOST_RUNS], host_s[MOST_RUNS];
    nas_status_t status = packs->bench->is_once ? NAS_OK : run(packs, &seconds[0], &host_s[0], err);
    const nas_gpu_counts_t before = *counts;
    for (int i = 0; !status && i < n_runs; i++) status = run(packs, &seconds[i], &host_s[i], err);
    if (status) return status;
    const double n = packs->n, n_all = n * n_runs;
    took->seconds = nas_median(seconds, n_runs) / n;
    took->host_s += nas_median(host_s, n_runs) / n;
    took->launches = (double)(counts->n_launches - before.n_launches) / n_all;
    took->bytes_written = (double)(counts->bytes_written - before.bytes_written) / n_all;
    took->bytes_read = (double)(counts->bytes_read - before.bytes_read) / n_all;
    return NAS_OK;
}

static size_t count_bytes(const packs_t *packs)
{
    const nas_program_t *program[NAS_BENCH_MOST_PROGRAMS * WIDTH];
    for (int i = 0; i < packs->n_tasks; i++) program[i] = packs->task[i].program;
    return packs->engine->bytes(packs->engine, program, packs->n_tasks);
}

static void print(const packs_t *packs, const char *name, const took_t *took)
{
    const nas_sheet_cell_t cell[] = {{.number = packs->n},
                                     {.number = 1e3 * took->seconds},
                                     {.number = 1 / took->seconds},
                                     {.number = took->launches},
                                     {.number = took->bytes_written / 1024},
                                     {.number = took->bytes_read / 1024},
                                     {.number = 1e3 * took->host_s},
                                     {.number = (double)took->bytes / (1 << 20)},
                                     {.text = name ? name : "random"}};
    nas_sheet_row(packs->bench->sheet, cell);
}

static nas_status_t measure(packs_t *packs, const char *name, int width, nas_error_t *err)
{
    took_t took = {0};
    const double begin_s = nas_clock_processor_s();
    nas_status_t status = make_pack(packs, name, width, err);
    took.host_s = (nas_clock_processor_s() - begin_s) / width;
    if (!status) took.bytes = count_bytes(packs);
    if (!status) status = time_pack(packs, &took, err);
    if (!status) print(packs, name, &took);
    clear(packs);
    return status;
}

static nas_status_t measure_all(packs_t *packs, nas_error_t *err)
{
    const nas_space_t *space = nas_space_with_networks();
    const bool is_quick = packs->bench->is_quick;
    const int n_typical = is_quick ? 1 : NAS_SPACE_TYPICAL, width = is_quick ? QUICK_WIDTH : WIDTH;
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && i < n_typical; i++) {
        status = measure(packs, space->typical[i], 1, err);
        if (!status) status = measure(packs, space->typical[i], width, err);
    }
    return status ? status : measure(packs, NULL, width, err);
}

nas_status_t nas_gpu_bench_networks(const nas_gpu_bench_t *bench, nas_error_t *err)
{
    static const nas_sheet_column_t column[] = {
        {"at_once", "at once", 7, 0},           {"milliseconds", "ms each", 9, 2},
        {"arch_per_s", "a second", 9, 1},       {"launches", "launches", 8, 1},
        {"kib_written", "KiB to", 8, 1},        {"kib_read", "KiB from", 8, 1},
        {"host_milliseconds", "host ms", 8, 2}, {"mebibytes", "MiB", 8, 0},
        {"arch", "architecture", -1, 0}};
    const nas_gpu_engine_options_t options = {.gpu = bench->gpu};
    packs_t *packs = calloc(1, sizeof *packs);
    if (!packs) return nas_error_nomem(err, "the bench");
    packs->bench = bench;
    nas_status_t status = make_images(packs, err);
    if (!status) status = nas_gpu_engine_create(&options, &packs->engine, err);
    nas_sheet_table(bench->sheet, "networks",
                    "Networks, for six metrics; of one architecture: launches, KiB, host ms",
                    column, sizeof column / sizeof *column);
    if (!status) status = measure_all(packs, err);
    nas_sheet_end_table(bench->sheet);
    nas_engine_destroy(packs->engine);
    free(packs->images);
    free(packs->labels);
    free(packs);
    return status;
}
