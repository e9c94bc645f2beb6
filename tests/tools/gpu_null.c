#include "tests/tools/gpu_null.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static nas_gpu_null_t *null_of(nas_gpu_t *gpu)
{
    return (nas_gpu_null_t *)(void *)gpu;
}

static void close_null(nas_gpu_t *gpu)
{
    (void)gpu;
}

static void describe(nas_gpu_t *gpu, nas_gpu_info_t *info)
{
    const nas_gpu_null_t *device = null_of(gpu);
    *info = (nas_gpu_info_t){.memory = device->memory,
                             .free_memory = device->memory - device->taken,
                             .largest = device->memory,
                             .group_size = 256,
                             .local_bytes = 48 << 10,
                             .has_float64 = true};
    (void)snprintf(info->name, sizeof info->name, "null");
}

static nas_status_t alloc(nas_gpu_t *gpu, size_t bytes, nas_gpu_buffer_t *buffer, nas_error_t *err)
{
    nas_gpu_null_t *device = null_of(gpu);
    if (device->taken + bytes > device->memory)
        return nas_error_set(err, NAS_ENOMEM, "the null device has no memory left");
    device->taken += bytes;
    device->n_allocations++;
    if (device->taken > device->most_taken) device->most_taken = device->taken;
    *buffer = (nas_gpu_buffer_t){.handle = device, .bytes = bytes};
    return NAS_OK;
}

static void free_null(nas_gpu_t *gpu, nas_gpu_buffer_t *buffer)
{
    null_of(gpu)->taken -= buffer->bytes;
}

static void *host_alloc(nas_gpu_t *gpu, size_t bytes)
{
    null_of(gpu)->n_allocations++;
    return malloc(bytes);
}

static void host_free(nas_gpu_t *gpu, void *memory)
{
    (void)gpu;
    free(memory);
}

static nas_status_t kernel(nas_gpu_t *gpu, const nas_gpu_source_t *source, const char *name,
                           const nas_gpu_kernel_t **kernel_p, nas_error_t *err)
{
    (void)source;
    (void)name;
    (void)err;
    null_of(gpu)->n_kernels++;
    *kernel_p = (const nas_gpu_kernel_t *)(const void *)gpu;
    return NAS_OK;
}

static void write_null(nas_gpu_t *gpu, nas_gpu_buffer_t to, size_t at, const void *from,
                       size_t bytes)
{
    (void)from;
    NAS_ASSERT(at + bytes <= to.bytes);
    gpu->counts.n_writes++;
    gpu->counts.bytes_written += (int64_t)bytes;
}

static void read_null(nas_gpu_t *gpu, nas_gpu_buffer_t from, size_t at, void *to, size_t bytes)
{
    NAS_ASSERT(at + bytes <= from.bytes);
    memset(to, 0, bytes);
    gpu->counts.n_reads++;
    gpu->counts.bytes_read += (int64_t)bytes;
}

static void launch(nas_gpu_t *gpu, const nas_gpu_kernel_t *k, int groups_x, int groups_y,
                   const nas_gpu_memory_t *memory, int64_t at)
{
    (void)k;
    NAS_ASSERT(groups_x > 0 && groups_y > 0 && groups_y < 1 << 16);
    NAS_ASSERT(at >= 0 && at % 8 == 0 && (size_t)at < memory->table.bytes);
    gpu->counts.n_launches++;
}

static nas_status_t wait_null(nas_gpu_t *gpu, nas_error_t *err)
{
    gpu->counts.n_waits++;
    if (null_of(gpu)->is_lost) return nas_error_set(err, NAS_EIO, "the null device is lost");
    return NAS_OK;
}

static const nas_gpu_layer_t layer = {.name = "null",
                                      .close = close_null,
                                      .describe = describe,
                                      .alloc = alloc,
                                      .free = free_null,
                                      .host_alloc = host_alloc,
                                      .host_free = host_free,
                                      .kernel = kernel,
                                      .write = write_null,
                                      .read = read_null,
                                      .launch = launch,
                                      .wait = wait_null};

void nas_gpu_null_init(nas_gpu_null_t *device, size_t memory)
{
    *device = (nas_gpu_null_t){.gpu = {.layer = &layer}, .memory = memory};
}
