/* An open device of CUDA's kind: memory, the queue, graphs.
 *
 * All that is queued goes to one stream. What fails there is noted, the first of it, and comes out
 * of `wait`; from then on the device does nothing more, for whatever it holds is not what was asked
 * for. An error that the driver keeps (an illegal address, memory that cannot be corrected, a device
 * that fell off its bus) is one of the device, any other is one of a call. */
#include "worker/engine/gpu/layers/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static nas_driver_gpu_t *of(nas_gpu_t *gpu)
{
    return (nas_driver_gpu_t *)gpu; /* which begins with it */
}

/* -------------------------------------------------------------------------------------- devices */

/* Sets info's fields that both vendors give by the same calls, then the vendor's own. */
static int describe_device(const nas_driver_gpu_t *gpu, int ordinal, int device,
                           nas_gpu_info_t *info)
{
    const nas_driver_vendor_t *vendor = gpu->vendor;
    const nas_driver_calls_t *calls = &gpu->calls;
    *info = (nas_gpu_info_t){.index = ordinal, .has_float64 = true};
    snprintf(info->platform, sizeof info->platform, "%s", vendor->name);
    int code = calls->name(info->name, sizeof info->name, device);
    if (code == 0) code = calls->total_memory(&info->memory, device);
    const struct {
        int *value;
        int attribute;
    } wanted[] = {{&info->group_size, vendor->attribute_group_size},
                  {&info->local_bytes, vendor->attribute_local_bytes},
                  {&info->compute_units, vendor->attribute_compute_units}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted && code == 0; i++) {
        code = calls->attribute(wanted[i].value, wanted[i].attribute, device);
    }
    info->largest = info->memory;
    return code == 0 ? vendor->describe(calls, device, info) : code;
}

/* Load the driver, begin, count devices. *n = 0 and a reason where there is none. */
static nas_status_t begin(nas_driver_gpu_t *gpu, int *n, nas_error_t *reason, nas_error_t *err)
{
    const nas_driver_vendor_t *vendor = gpu->vendor;
    *n = 0;
    if (nas_driver_load(&vendor->driver, 0, &gpu->calls, reason) != NAS_OK) return NAS_OK;
    int code = gpu->calls.init(0);
    if (code == 0) code = gpu->calls.count(n);
    if (code == NAS_DRIVER_NO_DEVICE || code == NAS_DRIVER_INVALID_DEVICE) {
        code = 0;
        *n = 0;
    }
    if (code != 0) {
        *n = 0;
        char what[64];
        snprintf(what, sizeof what, "the %s driver does not work", vendor->name);
        return nas_driver_error(gpu, NAS_EIO, what, code, err);
    }
    if (*n == 0) {
        const char *visible = getenv(vendor->visible);
        nas_error_set(reason, NAS_OK, "the %s driver is there, and no device of it (%s is %s)",
                      vendor->name, vendor->visible, visible ? visible : "not set");
    }
    return NAS_OK;
}

static nas_status_t look_at(nas_driver_gpu_t *gpu, int ordinal, nas_gpu_info_t *info,
                            nas_error_t *err)
{
    int code = gpu->calls.device(&gpu->device, ordinal);
    if (code == 0) code = describe_device(gpu, ordinal, gpu->device, info);
    if (code == 0) return NAS_OK;
    char what[64];
    snprintf(what, sizeof what, "%s:%d does not answer", gpu->vendor->name, ordinal);
    return nas_driver_error(gpu, NAS_EIO, what, code, err);
}

nas_status_t nas_driver_list(const nas_driver_vendor_t *vendor, nas_gpu_info_t *info, int room,
                             int *n, nas_error_t *reason, nas_error_t *err)
{
    nas_driver_gpu_t looked_at = {.vendor = vendor};
    nas_status_t status = begin(&looked_at, n, reason, err);
    for (int i = 0; status == NAS_OK && i < *n && i < room; i++) {
        status = look_at(&looked_at, i, &info[i], err);
    }
    return status;
}

/* What is left of opening once the device is known: compiler, context, stream. */
static nas_status_t open_queue(nas_driver_gpu_t *gpu, nas_error_t *err)
{
    char identity[NAS_ERROR_SIZE], what[NAS_GPU_NAME_SIZE + 32];
    nas_status_t status = nas_driver_compiler_open(gpu, identity, sizeof identity, err);
    if (status != NAS_OK) return status;
    int code = gpu->vendor->enter(&gpu->calls, gpu->device, &gpu->context);
    const unsigned not_with_stream_0 = 1;
    if (code == 0) code = gpu->calls.stream_create(&gpu->stream, not_with_stream_0);
    if (code != 0) {
        snprintf(what, sizeof what, "%s:%d %s cannot be opened", gpu->vendor->name, gpu->info.index,
                 gpu->info.name);
        return nas_driver_error(gpu, NAS_EIO, what, code, err);
    }
    return nas_gpu_modules_create(&gpu->base, &nas_driver_builder, identity, &gpu->modules, err);
}

nas_status_t nas_driver_open(const nas_driver_vendor_t *vendor, const nas_gpu_layer_t *layer,
                             int position, nas_gpu_t **gpu_p, nas_error_t *err)
{
    nas_driver_gpu_t *gpu = calloc(1, sizeof *gpu);
    if (!gpu) return nas_error_nomem(err, "a GPU");
    gpu->base.layer = layer;
    gpu->vendor = vendor;
    int n = 0;
    nas_error_t reason = {0};
    nas_status_t status = begin(gpu, &n, &reason, err);
    if (status == NAS_OK && n == 0) status = nas_error_set(err, NAS_EINPUT, "%s", reason.text);
    if (status == NAS_OK && (position < 0 || position >= n)) {
        status = nas_error_set(err, NAS_EINPUT, "%s:%d is not there: the devices are 0 to %d",
                               vendor->name, position, n - 1);
    }
    if (status == NAS_OK) status = look_at(gpu, position, &gpu->info, err);
    if (status == NAS_OK) status = open_queue(gpu, err);
    if (status != NAS_OK) {
        nas_driver_close(&gpu->base);
        return status;
    }
    *gpu_p = &gpu->base;
    return NAS_OK;
}

/* Makes the device this thread's: a thread may have opened several. */
static int enter(nas_driver_gpu_t *gpu)
{
    return gpu->vendor->enter(&gpu->calls, gpu->device, &gpu->context);
}

void nas_driver_close(nas_gpu_t *base)
{
    if (!base) return;
    nas_driver_gpu_t *gpu = of(base);
    if (gpu->stream) {
        (void)enter(gpu);
        (void)gpu->calls.stream_wait(gpu->stream);
    }
    nas_gpu_modules_destroy(gpu->modules);
    if (gpu->stream) (void)gpu->calls.stream_destroy(gpu->stream);
    if (gpu->context && gpu->vendor->leave) gpu->vendor->leave(&gpu->calls, gpu->device);
    free(gpu);
}

void nas_driver_describe(nas_gpu_t *base, nas_gpu_info_t *info)
{
    nas_driver_gpu_t *gpu = of(base);
    size_t total = 0;
    *info = gpu->info;
    if (enter(gpu) != 0 || gpu->calls.memory(&info->free_memory, &total) != 0) {
        info->free_memory = 0;
    }
}

/* --------------------------------------------------------------------------------------- memory */

nas_status_t nas_driver_alloc(nas_gpu_t *base, size_t bytes, nas_gpu_buffer_t *buffer,
                              nas_error_t *err)
{
    nas_driver_gpu_t *gpu = of(base);
    void *memory = NULL;
    int code = enter(gpu);
    if (code == 0) code = gpu->calls.alloc(&memory, bytes > 0 ? bytes : 1);
    if (code == 0) {
        *buffer = (nas_gpu_buffer_t){.handle = memory, .bytes = bytes};
        return NAS_OK;
    }
    size_t n_free = 0, total = 0;
    (void)gpu->calls.memory(&n_free, &total);
    char what[NAS_GPU_NAME_SIZE + 128];
    snprintf(what, sizeof what, "%zu bytes of the memory of %s:%d %s, of which %zu are free", bytes,
             gpu->vendor->name, gpu->info.index, gpu->info.name, n_free);
    return nas_driver_error(gpu, code == NAS_DRIVER_OUT_OF_MEMORY ? NAS_ENOMEM : NAS_EIO, what,
                            code, err);
}

/* Notes the first failure of what is queued. */
static void note(nas_driver_gpu_t *gpu, int code, const char *at)
{
    if (code == 0 || gpu->failed) return;
    gpu->failed = code;
    snprintf(gpu->failed_at, sizeof gpu->failed_at, "%s", at);
}

void nas_driver_free(nas_gpu_t *base, nas_gpu_buffer_t *buffer)
{
    nas_driver_gpu_t *gpu = of(base);
    if (!buffer->handle) return;
    (void)enter(gpu);
    note(gpu, gpu->calls.stream_wait(gpu->stream), "wait");
    (void)gpu->calls.free(buffer->handle);
    *buffer = (nas_gpu_buffer_t){0};
}

void *nas_driver_host_alloc(nas_gpu_t *base, size_t bytes)
{
    nas_driver_gpu_t *gpu = of(base);
    void *memory = NULL;
    const int code = enter(gpu);
    return code == 0 && gpu->calls.host_alloc(&memory, bytes > 0 ? bytes : 1, 0) == 0 ? memory
                                                                                      : NULL;
}

void nas_driver_host_free(nas_gpu_t *base, void *memory)
{
    nas_driver_gpu_t *gpu = of(base);
    if (memory && enter(gpu) == 0) (void)gpu->calls.host_free(memory);
}

nas_status_t nas_driver_kernel(nas_gpu_t *base, const nas_gpu_source_t *source, const char *name,
                               const nas_gpu_kernel_t **kernel_p, nas_error_t *err)
{
    nas_driver_gpu_t *gpu = of(base);
    const int code = enter(gpu);
    if (code != 0) return nas_driver_error(gpu, NAS_EIO, "device lost", code, err);
    return nas_gpu_modules_kernel(gpu->modules, source, name, kernel_p, err);
}

/* ---------------------------------------------------------------------------------------- queue */

/* Whether there is a device to queue for. */
static bool can_queue(nas_driver_gpu_t *gpu)
{
    note(gpu, enter(gpu), "context");
    return gpu->failed == 0;
}

void nas_driver_write(nas_gpu_t *base, nas_gpu_buffer_t to, size_t at, const void *from,
                      size_t bytes)
{
    nas_driver_gpu_t *gpu = of(base);
    NAS_ASSERT(at <= to.bytes && bytes <= to.bytes - at);
    base->counts.n_writes++;
    base->counts.bytes_written += (int64_t)bytes;
    if (bytes == 0 || !can_queue(gpu)) return;
    note(gpu, gpu->calls.write((char *)to.handle + at, from, bytes, gpu->stream), "copy");
}

void nas_driver_read(nas_gpu_t *base, nas_gpu_buffer_t from, size_t at, void *to, size_t bytes)
{
    nas_driver_gpu_t *gpu = of(base);
    NAS_ASSERT(at <= from.bytes && bytes <= from.bytes - at);
    base->counts.n_reads++;
    base->counts.bytes_read += (int64_t)bytes;
    if (bytes == 0 || !can_queue(gpu)) return;
    note(gpu, gpu->calls.read(to, (const char *)from.handle + at, bytes, gpu->stream), "copy");
}

void nas_driver_launch(nas_gpu_t *base, const nas_gpu_kernel_t *kernel, int groups_x, int groups_y,
                       const nas_gpu_memory_t *memory, int64_t at)
{
    nas_driver_gpu_t *gpu = of(base);
    NAS_ASSERT(groups_x > 0 && groups_y > 0);
    base->counts.n_launches++;
    if (!can_queue(gpu)) return;
    nas_gpu_memory_t m = *memory;
    void *argument[] = {&m.arena.handle, &m.vectors.handle, &m.data.handle, &m.table.handle, &at};
    note(gpu,
         gpu->calls.launch(kernel->handle, (unsigned)groups_x, (unsigned)groups_y, 1,
                           (unsigned)kernel->lanes, 1, 1, 0, gpu->stream, argument, NULL),
         kernel->name);
}

/* An error that no later call of this process can be rid of: memory or a link that cannot be
 * corrected, a device or context that is gone, what a kernel was stopped for. */
static bool is_of_device(int code)
{
    static const int lasting[] = {4,
                                  46,
                                  214,
                                  220,
                                  226,
                                  700,
                                  702,
                                  709,
                                  710,
                                  714,
                                  715,
                                  716,
                                  717,
                                  718,
                                  719,
                                  802,
                                  806,
                                  810,
                                  NAS_DRIVER_UNKNOWN};
    for (size_t i = 0; i < sizeof lasting / sizeof *lasting; i++) {
        if (code == lasting[i]) return true;
    }
    return false;
}

static nas_status_t say_failure(const nas_driver_gpu_t *gpu, nas_error_t *err)
{
    char what[NAS_GPU_NAME_SIZE + NAS_GPU_ID_SIZE + 128];
    const int size = sizeof what;
    if (is_of_device(gpu->failed)) {
        snprintf(what, (size_t)size, "device lost, %s:%d %s %s", gpu->vendor->name, gpu->info.index,
                 gpu->info.name, gpu->info.id);
    } else {
        snprintf(what, (size_t)size, "%s:%d %s failed at %s", gpu->vendor->name, gpu->info.index,
                 gpu->info.name, gpu->failed_at);
    }
    return nas_driver_error(gpu, NAS_EIO, what, gpu->failed, err);
}

nas_status_t nas_driver_wait(nas_gpu_t *base, nas_error_t *err)
{
    nas_driver_gpu_t *gpu = of(base);
    base->counts.n_waits++;
    (void)enter(gpu);
    note(gpu, gpu->calls.stream_wait(gpu->stream), "wait");
    return gpu->failed ? say_failure(gpu, err) : NAS_OK;
}

/* --------------------------------------------------------------------------------------- graphs */

void nas_driver_begin_record(nas_gpu_t *base)
{
    nas_driver_gpu_t *gpu = of(base);
    /* Kernels may be loaded meanwhile. */
    const int relaxed = 2;
    if (can_queue(gpu)) note(gpu, gpu->calls.record_begin(gpu->stream, relaxed), "record");
}

nas_status_t nas_driver_end_record(nas_gpu_t *base, nas_gpu_graph_t **graph_p, nas_error_t *err)
{
    nas_driver_gpu_t *gpu = of(base);
    void *graph = NULL, *executable = NULL;
    note(gpu, enter(gpu), "context");
    /* Ended even where a launch failed, or the stream would record for ever. */
    const int code = gpu->calls.record_end(gpu->stream, &graph);
    note(gpu, code, "record");
    if (gpu->failed == 0) note(gpu, gpu->calls.graph_build(&executable, graph, 0), "record");
    if (graph) (void)gpu->calls.graph_destroy(graph);
    if (gpu->failed) {
        if (executable) (void)gpu->calls.executable_destroy(executable);
        return say_failure(gpu, err);
    }
    *graph_p = executable;
    return NAS_OK;
}

void nas_driver_replay(nas_gpu_t *base, nas_gpu_graph_t *graph)
{
    nas_driver_gpu_t *gpu = of(base);
    if (can_queue(gpu)) note(gpu, gpu->calls.graph_launch(graph, gpu->stream), "replay");
}

void nas_driver_graph_free(nas_gpu_t *base, nas_gpu_graph_t *graph)
{
    nas_driver_gpu_t *gpu = of(base);
    if (!graph || enter(gpu) != 0) return;
    note(gpu, gpu->calls.stream_wait(gpu->stream), "wait");
    (void)gpu->calls.executable_destroy(graph);
}
