#include "worker/engine/gpu/layers/threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum command_kind { WRITE, READ, LAUNCH, REPLAY } command_kind_t;

typedef struct nas_threads_command {
    command_kind_t kind;
    void *to;         /* WRITE, READ */
    const void *from; /* WRITE, READ */
    size_t bytes;
    nas_run_t run;
    const nas_gpu_graph_t *graph;
} command_t;

struct nas_gpu_graph {
    nas_run_t *run;
    size_t n, room;
    bool is_short; /* of memory */
};

static nas_threads_t *own(nas_gpu_t *gpu)
{
    return (nas_threads_t *)gpu;
}

static void fill_info(nas_gpu_info_t *info)
{
    const char *memory = getenv("NAS_GPU_THREADS_MEMORY");
    *info = (nas_gpu_info_t){.name = "this machine's processor, for tests",
                             .platform = "threads",
                             .driver = __VERSION__,
                             .id = "0",
                             .group_size = NAS_RUN_LANES,
                             .local_bytes = NAS_RUN_LOCAL_BYTES,
                             .compute_units = 1,
                             .has_float64 = true,
                             .is_cpu = true};
    (void)snprintf(info->architecture, sizeof info->architecture, "C by %s",
                   nas_threads_are_real() ? "threads" : "fibres");
    info->memory = memory != NULL ? (size_t)strtoull(memory, NULL, 10) : (size_t)8 << 30;
    info->free_memory = info->largest = info->memory;
}

static nas_status_t list(nas_gpu_info_t *info, int room, int *n, nas_error_t *reason,
                         nas_error_t *err)
{
    (void)reason;
    (void)err;
    *n = 1;
    if (room > 0) fill_info(info);
    return NAS_OK;
}

static void launch_now(nas_threads_t *gpu, const nas_run_t *run)
{
    if (gpu->failure != NAS_OK) return;
    gpu->failure = gpu->fibres != NULL ? nas_fibres_run(gpu->fibres, run, &gpu->failed)
                                       : nas_crew_run(run, &gpu->failed);
}

/* All that is queued, of which errors stay for `wait`. */
static void carry_out(nas_threads_t *gpu)
{
    for (size_t i = 0; i < gpu->n_commands; i++) {
        const command_t *command = &gpu->command[i];
        switch (command->kind) {
        case WRITE:
        case READ:
            memcpy(command->to, command->from, command->bytes);
            break;
        case LAUNCH:
            launch_now(gpu, &command->run);
            break;
        case REPLAY:
            for (size_t k = 0; k < command->graph->n; k++) {
                launch_now(gpu, &command->graph->run[k]);
            }
            break;
        }
    }
    gpu->n_commands = 0;
}

static void close_gpu(nas_gpu_t *base)
{
    nas_threads_t *gpu = own(base);
    if (gpu == NULL) return;
    carry_out(gpu);
    nas_gpu_modules_destroy(gpu->modules);
    nas_fibres_destroy(gpu->fibres);
    free(gpu->command);
    free(gpu);
}

static nas_status_t open_parts(nas_threads_t *gpu, nas_error_t *err)
{
    const bool are_real = nas_threads_are_real();
    char *identity = nas_threads_identity(are_real, err);
    if (identity == NULL) return NAS_ENOMEM;
    nas_status_t status =
        nas_gpu_modules_create(&gpu->gpu, &nas_threads_builder, identity, &gpu->modules, err);
    free(identity);
    if (status == NAS_OK && !are_real) status = nas_fibres_create(&gpu->fibres, err);
    return status;
}

static nas_status_t open_gpu(int position, nas_gpu_t **gpu_p, nas_error_t *err)
{
    if (position != 0) {
        return nas_error_set(err, NAS_EINPUT,
                             "the layer threads has one device, and none at position %d", position);
    }
    nas_threads_t *gpu = calloc(1, sizeof *gpu);
    if (gpu == NULL) return nas_error_nomem(err, "the layer threads");
    gpu->gpu.layer = &nas_gpu_layer_threads;
    fill_info(&gpu->info);
    nas_status_t status = open_parts(gpu, err);
    if (status != NAS_OK) {
        close_gpu(&gpu->gpu);
        return status;
    }
    *gpu_p = &gpu->gpu;
    return NAS_OK;
}

static void describe(nas_gpu_t *gpu, nas_gpu_info_t *info)
{
    *info = own(gpu)->info;
}

static nas_status_t alloc(nas_gpu_t *base, size_t bytes, nas_gpu_buffer_t *buffer, nas_error_t *err)
{
    nas_threads_t *gpu = own(base);
    void *memory = NULL;
    if (bytes > gpu->info.free_memory || posix_memalign(&memory, 64, bytes ? bytes : 1) != 0) {
        return nas_error_set(err, NAS_ENOMEM, "no %zu bytes are left on %s: %zu of %zu are free",
                             bytes, gpu->info.name, gpu->info.free_memory, gpu->info.memory);
    }
    memset(memory, 0xff, bytes);
    gpu->info.free_memory -= bytes;
    *buffer = (nas_gpu_buffer_t){.handle = memory, .bytes = bytes};
    return NAS_OK;
}

static void free_buffer(nas_gpu_t *base, nas_gpu_buffer_t *buffer)
{
    if (buffer->handle != NULL) {
        carry_out(own(base));
        own(base)->info.free_memory += buffer->bytes;
        free(buffer->handle);
    }
    *buffer = (nas_gpu_buffer_t){0};
}

static void *host_alloc(nas_gpu_t *gpu, size_t bytes)
{
    void *memory = NULL;
    (void)gpu;
    return posix_memalign(&memory, 64, bytes ? bytes : 1) == 0 ? memory : NULL;
}

static void host_free(nas_gpu_t *gpu, void *memory)
{
    (void)gpu;
    free(memory);
}

/* Room for one more of `size` bytes each; NULL: none. */
static void *grow(void *list, size_t n, size_t *room, size_t size)
{
    if (n < *room) return list;
    void *more = realloc(list, (2 * n + 16) * size);
    if (more != NULL) *room = 2 * n + 16;
    return more;
}

static void queue(nas_threads_t *gpu, const command_t *command)
{
    void *more = grow(gpu->command, gpu->n_commands, &gpu->room, sizeof *command);
    if (more == NULL) {
        gpu->failure = nas_error_nomem(&gpu->failed, "queued work");
        return;
    }
    gpu->command = more;
    gpu->command[gpu->n_commands++] = *command;
}

static void write_buffer(nas_gpu_t *gpu, nas_gpu_buffer_t to, size_t at, const void *from,
                         size_t bytes)
{
    NAS_ASSERT(at <= to.bytes && bytes <= to.bytes - at && own(gpu)->recording == NULL);
    gpu->counts.n_writes++;
    gpu->counts.bytes_written += (int64_t)bytes;
    queue(own(gpu),
          &(command_t){.kind = WRITE, .to = (char *)to.handle + at, .from = from, .bytes = bytes});
}

static void read_buffer(nas_gpu_t *gpu, nas_gpu_buffer_t from, size_t at, void *to, size_t bytes)
{
    NAS_ASSERT(at <= from.bytes && bytes <= from.bytes - at && own(gpu)->recording == NULL);
    gpu->counts.n_reads++;
    gpu->counts.bytes_read += (int64_t)bytes;
    queue(own(gpu),
          &(command_t){
              .kind = READ, .to = to, .from = (const char *)from.handle + at, .bytes = bytes});
}

static nas_status_t kernel_of(nas_gpu_t *gpu, const nas_gpu_source_t *source, const char *name,
                              const nas_gpu_kernel_t **kernel_p, nas_error_t *err)
{
    return nas_gpu_modules_kernel(own(gpu)->modules, source, name, kernel_p, err);
}

static void record(nas_threads_t *gpu, const nas_run_t *run)
{
    nas_gpu_graph_t *graph = gpu->recording;
    void *more = grow(graph->run, graph->n, &graph->room, sizeof *run);
    if (more == NULL) {
        graph->is_short = true;
        return;
    }
    graph->run = more;
    graph->run[graph->n++] = *run;
}

static void launch(nas_gpu_t *gpu, const nas_gpu_kernel_t *kernel, int groups_x, int groups_y,
                   const nas_gpu_memory_t *memory, int64_t at)
{
    command_t command = {.kind = LAUNCH};
    NAS_ASSERT(groups_x > 0 && groups_y > 0 && at % 8 == 0);
    command.run = (nas_run_t){.name = kernel->name,
                              .groups_x = groups_x,
                              .groups_y = groups_y,
                              .arena = memory->arena.handle,
                              .vectors = memory->vectors.handle,
                              .data = memory->data.handle,
                              .table = memory->table.handle,
                              .at = at};
    nas_threads_kernel(kernel, &command.run);
    if (own(gpu)->recording != NULL) {
        record(own(gpu), &command.run);
        return;
    }
    gpu->counts.n_launches++;
    queue(own(gpu), &command);
}

static void begin_record(nas_gpu_t *gpu)
{
    NAS_ASSERT(own(gpu)->recording == NULL);
    own(gpu)->recording = calloc(1, sizeof *own(gpu)->recording);
    NAS_ASSERT(own(gpu)->recording != NULL);
}

static void graph_free(nas_gpu_t *gpu, nas_gpu_graph_t *graph)
{
    if (graph == NULL) return;
    carry_out(own(gpu));
    free(graph->run);
    free(graph);
}

static nas_status_t end_record(nas_gpu_t *gpu, nas_gpu_graph_t **graph_p, nas_error_t *err)
{
    nas_gpu_graph_t *graph = own(gpu)->recording;
    NAS_ASSERT(graph != NULL);
    own(gpu)->recording = NULL;
    if (graph->is_short) {
        graph_free(gpu, graph);
        return nas_error_nomem(err, "a graph");
    }
    *graph_p = graph;
    return NAS_OK;
}

static void replay(nas_gpu_t *gpu, nas_gpu_graph_t *graph)
{
    gpu->counts.n_launches++;
    queue(own(gpu), &(command_t){.kind = REPLAY, .graph = graph});
}

static nas_status_t wait_for_all(nas_gpu_t *gpu, nas_error_t *err)
{
    gpu->counts.n_waits++;
    carry_out(own(gpu));
    const nas_status_t status = own(gpu)->failure;
    own(gpu)->failure = NAS_OK;
    return status == NAS_OK ? NAS_OK : nas_error_set(err, status, "%s", own(gpu)->failed.text);
}

const nas_gpu_layer_t nas_gpu_layer_threads = {
    .name = "threads",
    .list = list,
    .open = open_gpu,
    .close = close_gpu,
    .describe = describe,
    .alloc = alloc,
    .free = free_buffer,
    .host_alloc = host_alloc,
    .host_free = host_free,
    .kernel = kernel_of,
    .write = write_buffer,
    .read = read_buffer,
    .launch = launch,
    .begin_record = begin_record,
    .end_record = end_record,
    .replay = replay,
    .graph_free = graph_free,
    .wait = wait_for_all,
};
