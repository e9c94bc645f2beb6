/* What a launch costs: of one group that finds nothing to do, on the queue and in a graph. */
#include "common/base/clock.h"
#include "worker/gpu_bench/room.h"
#include "worker/gpu_bench/timing.h"

#include <math.h>

enum { N_QUEUED = 10000, N_RECORDED = 1000, N_QUICK = 100, N_SAMPLES = 5 };

typedef struct queue {
    nas_gpu_t *gpu;
    const nas_gpu_kernel_t *kernel;
    nas_room_t room;
    int64_t at;
    int n;                  /* launches of a sample, or of a graph */
    nas_gpu_graph_t *graph; /* NULL: none */
} queue_t;

static void launch_all(const queue_t *queue)
{
    for (int i = 0; i < queue->n; i++)
        queue->gpu->layer->launch(queue->gpu, queue->kernel, 1, 1, &queue->room.memory, queue->at);
}

/* Seconds a launch, the median of samples; host_s [out] until all are queued, likewise. */
static nas_status_t time_queue(const queue_t *queue, double *host_s, double *seconds,
                               nas_error_t *err)
{
    const nas_gpu_layer_t *layer = queue->gpu->layer;
    double host[N_SAMPLES], all[N_SAMPLES];
    nas_status_t status = layer->wait(queue->gpu, err);
    for (int i = 0; !status && i < N_SAMPLES; i++) {
        const double begin_s = nas_clock_monotonic_s();
        if (queue->graph)
            layer->replay(queue->gpu, queue->graph);
        else
            launch_all(queue);
        host[i] = nas_clock_monotonic_s() - begin_s;
        status = layer->wait(queue->gpu, err);
        all[i] = nas_clock_monotonic_s() - begin_s;
    }
    if (status) return status;
    *host_s = nas_median(host, N_SAMPLES) / queue->n;
    *seconds = nas_median(all, N_SAMPLES) / queue->n;
    return NAS_OK;
}

static nas_status_t prepare(queue_t *queue, nas_error_t *err)
{
    const nas_gpu_variant_t variant = nas_gpu_plain_variant("begin", "clear");
    const nas_gpu_clear_t clear = {.at = nas_room_doubles(&queue->room, 4)};
    nas_room_keep(&queue->room);
    nas_status_t status = nas_room_open(&queue->room, queue->gpu, err);
    if (!status) status = nas_gpu_variant_kernel(queue->gpu, &variant, &queue->kernel, err);
    if (status) return status;
    nas_room_clear(&queue->room);
    queue->at = nas_room_describe(&queue->room, &clear, sizeof clear);
    nas_room_upload(&queue->room, queue->gpu);
    return NAS_OK;
}

static nas_status_t record(queue_t *queue, nas_error_t *err)
{
    const nas_gpu_layer_t *layer = queue->gpu->layer;
    layer->begin_record(queue->gpu);
    launch_all(queue);
    return layer->end_record(queue->gpu, &queue->graph, err);
}

static void print(nas_sheet_t *sheet, const char *how, int n, double host_s, double seconds)
{
    const nas_sheet_cell_t cell[] = {{.text = how},
                                     {.number = n},
                                     {.number = 1e6 * seconds},
                                     {.number = 1e6 * host_s},
                                     {.number = 1 / seconds}};
    nas_sheet_row(sheet, cell);
}

static nas_status_t measure(const nas_gpu_bench_t *bench, queue_t *queue, nas_error_t *err)
{
    double host_s = NAN, seconds = NAN;
    queue->n = bench->is_quick ? N_QUICK : N_QUEUED;
    nas_status_t status = time_queue(queue, &host_s, &seconds, err);
    if (status) return status;
    print(bench->sheet, "on the queue", queue->n, host_s, seconds);
    if (!bench->gpu->layer->begin_record) return NAS_OK;
    queue->n = bench->is_quick ? N_QUICK : N_RECORDED;
    status = record(queue, err);
    if (!status) status = time_queue(queue, &host_s, &seconds, err);
    if (!status) print(bench->sheet, "in a graph", queue->n, host_s, seconds);
    return status;
}

nas_status_t nas_gpu_bench_launches(const nas_gpu_bench_t *bench, nas_error_t *err)
{
    static const nas_sheet_column_t column[] = {{"how", "launches", -14, 0},
                                                {"launches", "number", 8, 0},
                                                {"microseconds", "us each", 9, 2},
                                                {"host_microseconds", "of host", 9, 2},
                                                {"launches_per_s", "a second", 11, 0}};
    queue_t queue = {.gpu = bench->gpu};
    nas_status_t status = prepare(&queue, err);
    nas_sheet_table(bench->sheet, "launches", "Launches that do nothing", column,
                    sizeof column / sizeof *column);
    if (!status) status = measure(bench, &queue, err);
    nas_sheet_end_table(bench->sheet);
    if (queue.graph) bench->gpu->layer->graph_free(bench->gpu, queue.graph);
    nas_room_close(&queue.room, bench->gpu);
    return status;
}
