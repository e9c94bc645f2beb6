#include "worker/engine/gpu/layers/opencl.h"

#include "common/base/strings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory of the host that is a mapped buffer: what drivers pin. */
typedef struct nas_opencl_pinned {
    struct nas_opencl_pinned *next;
    cl_mem buffer;
    void *memory;
} pinned_t;

static nas_opencl_t *own(nas_gpu_t *gpu)
{
    return (nas_opencl_t *)gpu;
}

static nas_status_t list(nas_gpu_info_t *info, int room, int *n, nas_error_t *reason,
                         nas_error_t *err)
{
    nas_opencl_api_t api;
    nas_opencl_place_t *place = NULL;
    *n = 0;
    if (nas_opencl_load(&api, reason) != NAS_OK) return NAS_OK;
    nas_status_t status = nas_opencl_places(&api, &place, n, reason, err);
    if (status != NAS_OK) return status;
    for (int i = 0; i < *n && i < room; i++) nas_opencl_describe(&api, &place[i], &info[i]);
    free(place);
    return NAS_OK;
}

static void close_gpu(nas_gpu_t *base)
{
    nas_opencl_t *gpu = own(base);
    if (gpu == NULL) return;
    if (gpu->queue != NULL) (void)gpu->api.clFinish(gpu->queue);
    while (gpu->pinned != NULL) gpu->gpu.layer->host_free(base, gpu->pinned->memory);
    nas_gpu_modules_destroy(gpu->modules);
    if (gpu->queue != NULL) (void)gpu->api.clReleaseCommandQueue(gpu->queue);
    if (gpu->context != NULL) (void)gpu->api.clReleaseContext(gpu->context);
    free(gpu);
}

/* Whether kernels run on it at all. */
static nas_status_t check_device(const nas_opencl_t *gpu, nas_error_t *err)
{
    cl_uint has_compiler = 0;
    if (!gpu->info.has_float64) {
        return nas_error_set(
            err, NAS_EINPUT,
            "%s has no float64, without which no network is computed on it; choose another device",
            gpu->info.name);
    }
    (void)gpu->api.clGetDeviceInfo(gpu->device, CL_DEVICE_COMPILER_AVAILABLE, sizeof has_compiler,
                                   &has_compiler, NULL);
    if (!has_compiler) {
        return nas_error_set(
            err, NAS_EINPUT,
            "the driver of %s has no compiler for kernels; install the complete driver",
            gpu->info.name);
    }
    return NAS_OK;
}

static nas_status_t open_queue(nas_opencl_t *gpu, nas_error_t *err)
{
    cl_int code = CL_SUCCESS;
    char text[64];
    gpu->context = gpu->api.clCreateContext(NULL, 1, &gpu->device, NULL, NULL, &code);
    if (code == CL_SUCCESS) {
        gpu->queue = gpu->api.clCreateCommandQueue(gpu->context, gpu->device, 0, &code);
    }
    if (code != CL_SUCCESS) {
        return nas_error_set(err, NAS_EINPUT, "%s cannot be opened: %s", gpu->info.name,
                             nas_opencl_error(code, text, sizeof text));
    }
    char *identity =
        nas_string_format(err, "opencl\n%s\n%s\n%s\n%s\n%s", gpu->info.platform, gpu->info.name,
                          gpu->info.architecture, gpu->info.driver, NAS_OPENCL_OPTIONS);
    if (identity == NULL) return NAS_ENOMEM;
    nas_status_t status = nas_gpu_modules_create(&gpu->gpu, nas_opencl_builder(&gpu->info),
                                                 identity, &gpu->modules, err);
    free(identity);
    return status;
}

static nas_status_t find_device(nas_opencl_t *gpu, int position, nas_error_t *err)
{
    nas_opencl_place_t *place = NULL;
    nas_error_t reason = {0};
    int n = 0;
    if (nas_opencl_load(&gpu->api, err) != NAS_OK) return NAS_EINPUT;
    nas_status_t status = nas_opencl_places(&gpu->api, &place, &n, &reason, err);
    if (status != NAS_OK) return status;
    if (position < 0 || position >= n) {
        status = n == 0 ? nas_error_set(err, NAS_EINPUT, "%s", reason.text)
                        : nas_error_set(err, NAS_EINPUT,
                                        "OpenCL has %d devices here, and none at position %d", n,
                                        position);
    } else {
        gpu->device = place[position].device;
        nas_opencl_describe(&gpu->api, &place[position], &gpu->info);
    }
    free(place);
    return status;
}

static nas_status_t open_gpu(int position, nas_gpu_t **gpu_p, nas_error_t *err)
{
    nas_opencl_t *gpu = calloc(1, sizeof *gpu);
    if (gpu == NULL) return nas_error_nomem(err, "an OpenCL device");
    gpu->gpu.layer = &nas_gpu_layer_opencl;
    nas_status_t status = find_device(gpu, position, err);
    if (status == NAS_OK) status = check_device(gpu, err);
    if (status == NAS_OK) status = open_queue(gpu, err);
    if (status != NAS_OK) {
        close_gpu(&gpu->gpu);
        return status;
    }
    *gpu_p = &gpu->gpu;
    return NAS_OK;
}

static void describe(nas_gpu_t *gpu, nas_gpu_info_t *info)
{
    *info = own(gpu)->info; /* OpenCL does not say what is free */
}

/* Drivers take memory when it is used first; it is used here, so that there is some or not. */
static cl_int touch(nas_opencl_t *gpu, cl_mem buffer)
{
    cl_int code = gpu->api.clEnqueueMigrateMemObjects(
        gpu->queue, 1, &buffer, CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED, 0, NULL, NULL);
    return code == CL_SUCCESS ? gpu->api.clFinish(gpu->queue) : code;
}

static nas_status_t alloc(nas_gpu_t *base, size_t bytes, nas_gpu_buffer_t *buffer, nas_error_t *err)
{
    nas_opencl_t *gpu = own(base);
    cl_int code = CL_INVALID_BUFFER_SIZE;
    cl_mem memory = NULL;
    char text[64];
    if (bytes <= gpu->info.largest) {
        memory = gpu->api.clCreateBuffer(gpu->context, CL_MEM_READ_WRITE, bytes ? bytes : 1, NULL,
                                         &code);
    }
    if (code == CL_SUCCESS) code = touch(gpu, memory);
    if (code != CL_SUCCESS) {
        if (memory != NULL) (void)gpu->api.clReleaseMemObject(memory);
        return nas_error_set(err, NAS_ENOMEM, "no %zu bytes are left on %s: %s", bytes,
                             gpu->info.name, nas_opencl_error(code, text, sizeof text));
    }
    *buffer = (nas_gpu_buffer_t){.handle = memory, .bytes = bytes};
    return NAS_OK;
}

static void free_buffer(nas_gpu_t *gpu, nas_gpu_buffer_t *buffer)
{
    if (buffer->handle != NULL) {
        (void)own(gpu)->api.clFinish(own(gpu)->queue);
        (void)own(gpu)->api.clReleaseMemObject(buffer->handle);
    }
    *buffer = (nas_gpu_buffer_t){0};
}

static void *host_alloc(nas_gpu_t *base, size_t bytes)
{
    nas_opencl_t *gpu = own(base);
    cl_int code = CL_SUCCESS;
    pinned_t *pinned = calloc(1, sizeof *pinned);
    if (pinned == NULL) return NULL;
    pinned->buffer = gpu->api.clCreateBuffer(
        gpu->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, bytes ? bytes : 1, NULL, &code);
    if (code == CL_SUCCESS) {
        pinned->memory =
            gpu->api.clEnqueueMapBuffer(gpu->queue, pinned->buffer, 1, CL_MAP_READ_AND_WRITE, 0,
                                        bytes ? bytes : 1, 0, NULL, NULL, &code);
    }
    if (code != CL_SUCCESS) {
        if (pinned->buffer != NULL) (void)gpu->api.clReleaseMemObject(pinned->buffer);
        free(pinned);
        return NULL;
    }
    pinned->next = gpu->pinned;
    gpu->pinned = pinned;
    return pinned->memory;
}

static void host_free(nas_gpu_t *base, void *memory)
{
    nas_opencl_t *gpu = own(base);
    pinned_t **at = &gpu->pinned;
    if (memory == NULL) return;
    while (*at != NULL && (*at)->memory != memory) at = &(*at)->next;
    NAS_ASSERT(*at != NULL);
    pinned_t *pinned = *at;
    *at = pinned->next;
    (void)gpu->api.clEnqueueUnmapMemObject(gpu->queue, pinned->buffer, memory, 0, NULL, NULL);
    (void)gpu->api.clFinish(gpu->queue);
    (void)gpu->api.clReleaseMemObject(pinned->buffer);
    free(pinned);
}

/* The first failure since the last wait is kept until then. */
static void note(nas_opencl_t *gpu, cl_int code, const char *what)
{
    if (code == CL_SUCCESS || gpu->failure != CL_SUCCESS) return;
    gpu->failure = code;
    (void)snprintf(gpu->failed, sizeof gpu->failed, "%s", what);
}

static void write_buffer(nas_gpu_t *base, nas_gpu_buffer_t to, size_t at, const void *from,
                         size_t bytes)
{
    nas_opencl_t *gpu = own(base);
    NAS_ASSERT(at <= to.bytes && bytes <= to.bytes - at);
    base->counts.n_writes++;
    base->counts.bytes_written += (int64_t)bytes;
    if (bytes == 0) return;
    note(gpu,
         gpu->api.clEnqueueWriteBuffer(gpu->queue, to.handle, 0, at, bytes, from, 0, NULL, NULL),
         "writing to the device");
}

static void read_buffer(nas_gpu_t *base, nas_gpu_buffer_t from, size_t at, void *to, size_t bytes)
{
    nas_opencl_t *gpu = own(base);
    NAS_ASSERT(at <= from.bytes && bytes <= from.bytes - at);
    base->counts.n_reads++;
    base->counts.bytes_read += (int64_t)bytes;
    if (bytes == 0) return;
    note(gpu,
         gpu->api.clEnqueueReadBuffer(gpu->queue, from.handle, 0, at, bytes, to, 0, NULL, NULL),
         "reading from the device");
}

static nas_status_t kernel_of(nas_gpu_t *gpu, const nas_gpu_source_t *source, const char *name,
                              const nas_gpu_kernel_t **kernel_p, nas_error_t *err)
{
    return nas_gpu_modules_kernel(own(gpu)->modules, source, name, kernel_p, err);
}

static void launch(nas_gpu_t *base, const nas_gpu_kernel_t *kernel, int groups_x, int groups_y,
                   const nas_gpu_memory_t *memory, int64_t at)
{
    nas_opencl_t *gpu = own(base);
    const nas_gpu_buffer_t *buffer[] = {&memory->arena, &memory->vectors, &memory->data,
                                        &memory->table};
    const size_t lanes[] = {(size_t)kernel->lanes, 1};
    const size_t items[] = {(size_t)groups_x * lanes[0], (size_t)groups_y};
    NAS_ASSERT(groups_x > 0 && groups_y > 0 && at % 8 == 0);
    base->counts.n_launches++;
    for (cl_uint i = 0; i < 4; i++) {
        note(gpu, gpu->api.clSetKernelArg(kernel->handle, i, sizeof(cl_mem), &buffer[i]->handle),
             kernel->name);
    }
    note(gpu, gpu->api.clSetKernelArg(kernel->handle, 4, sizeof at, &at), kernel->name);
    note(gpu,
         gpu->api.clEnqueueNDRangeKernel(gpu->queue, kernel->handle, 2, NULL, items, lanes, 0, NULL,
                                         NULL),
         kernel->name);
    note(gpu, gpu->api.clFlush(gpu->queue), kernel->name);
}

static nas_status_t wait_for_all(nas_gpu_t *base, nas_error_t *err)
{
    nas_opencl_t *gpu = own(base);
    char text[64];
    base->counts.n_waits++;
    note(gpu, gpu->api.clFinish(gpu->queue), "waiting for the device");
    if (gpu->failure == CL_SUCCESS) return NAS_OK;
    const cl_int code = gpu->failure;
    gpu->failure = CL_SUCCESS;
    return nas_error_set(err, NAS_EIO, "%s failed: %s: %s", gpu->info.name, gpu->failed,
                         nas_opencl_error(code, text, sizeof text));
}

const nas_gpu_layer_t nas_gpu_layer_opencl = {
    .name = "opencl",
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
    .wait = wait_for_all,
};
