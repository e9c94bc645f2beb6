#include "tests/tools/gpu_backend.h"

#include "tests/tools/with_asan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA = 1 << 23, VECTORS = 1 << 20, TABLE = 1 << 16, APART = 64 };

/* The device, its memory, and the same in the host's. */
static struct {
    nas_gpu_t *gpu;
    nas_gpu_memory_t memory;
    float *arena;
    double *vectors;
    unsigned char *table;
    size_t n_floats, n_doubles, n_bytes; /* that are taken */
    bool is_there;                       /* the device has them */
} call;

static void require(bool holds, const char *what, const nas_error_t *err)
{
    if (holds) return;
    (void)fprintf(stderr, "gpu backend: %s: %s\n", what, err ? err->text : "");
    abort();
}

static nas_gpu_buffer_t allocate(size_t bytes)
{
    nas_gpu_buffer_t buffer = {0};
    nas_error_t err = {0};
    require(call.gpu->layer->alloc(call.gpu, bytes, &buffer, &err) == NAS_OK, "memory", &err);
    return buffer;
}

static void *allocate_host(size_t bytes)
{
    void *memory = call.gpu->layer->host_alloc(call.gpu, bytes);
    require(memory != NULL, "memory of the host", NULL);
    return memory;
}

static bool open_device(const char *name)
{
    const nas_gpu_layer_t *layer = nas_gpu_layer_named(name);
    nas_error_t reason = {0}, err = {0};
    nas_gpu_info_t info;
    int n = 0;
    if (!layer) return false;
    require(layer->list(&info, 1, &n, &reason, &err) == NAS_OK, name, &err);
    if (n == 0) return false;
    require(layer->open(0, &call.gpu, &err) == NAS_OK, name, &err);
    call.memory.arena = allocate(ARENA * sizeof(float));
    call.memory.vectors = allocate(VECTORS * sizeof(double));
    call.memory.data = allocate(TABLE);
    call.memory.table = allocate(TABLE);
    call.arena = allocate_host(ARENA * sizeof(float));
    call.vectors = allocate_host(VECTORS * sizeof(double));
    call.table = allocate_host(TABLE);
    return true;
}

void gpu_call_begin(void)
{
    call.n_floats = call.n_doubles = call.n_bytes = 0;
    call.is_there = false;
    (void)gpu_put_floats(NULL, 0);
    (void)gpu_put_doubles(NULL, 0);
}

/* A multiple of APART behind what is taken, all NaN up to its end and beyond it. */
static size_t take(size_t *taken, size_t n, size_t room)
{
    const size_t place = *taken;
    require(!call.is_there, "put after a launch", NULL);
    *taken += (n + 2 * APART - 1) / APART * APART;
    require(*taken <= room, "no room", NULL);
    return place;
}

i64 gpu_put_floats(const float *from, size_t n)
{
    const size_t place = take(&call.n_floats, n, ARENA);
    for (size_t i = place; i < call.n_floats; i++) call.arena[i] = NAN;
    if (from) memcpy(call.arena + place, from, n * sizeof *from);
    return (i64)place;
}

i64 gpu_put_doubles(const double *from, size_t n)
{
    const size_t place = take(&call.n_doubles, n, VECTORS);
    for (size_t i = place; i < call.n_doubles; i++) call.vectors[i] = (double)NAN;
    if (from) memcpy(call.vectors + place, from, n * sizeof *from);
    return (i64)place;
}

i64 gpu_put_table(const void *from, size_t bytes)
{
    const size_t place = take(&call.n_bytes, bytes, TABLE);
    memcpy(call.table + place, from, bytes);
    return (i64)place;
}

nas_gpu_slice_t gpu_put_range(nas_shape_t shape, nas_channels_t range)
{
    const size_t pixels = (size_t)shape.h * (size_t)shape.w;
    const size_t pitch = (size_t)NAS_GPU_PITCH(shape.h, shape.w);
    const size_t planes = (size_t)shape.n * (size_t)range.c_total;
    const i64 at = gpu_put_floats(range.data, planes * pitch);
    for (size_t i = 0; i < planes; i++)
        for (size_t j = pixels; j < pitch; j++) call.arena[(size_t)at + i * pitch + j] = NAN;
    return (nas_gpu_slice_t){at, range.c_total, range.c_first};
}

nas_gpu_slice_t gpu_put_tensor(nas_shape_t shape, const void *data)
{
    return gpu_put_range(shape, (nas_channels_t){(void *)(uintptr_t)data, shape.c, 0});
}

void gpu_run(const nas_gpu_variant_t *variant, int groups_x, int groups_y, i64 works)
{
    const nas_gpu_layer_t *layer = call.gpu->layer;
    const nas_gpu_kernel_t *kernel = NULL;
    nas_error_t err = {0};
    require(nas_gpu_variant_kernel(call.gpu, variant, &kernel, &err) == NAS_OK, variant->kernel,
            &err);
    if (!call.is_there) {
        layer->write(call.gpu, call.memory.arena, 0, call.arena, call.n_floats * sizeof(float));
        layer->write(call.gpu, call.memory.vectors, 0, call.vectors,
                     call.n_doubles * sizeof(double));
        layer->write(call.gpu, call.memory.table, 0, call.table, call.n_bytes);
    }
    call.is_there = true;
    layer->launch(call.gpu, kernel, groups_x, groups_y, &call.memory, works);
    layer->read(call.gpu, call.memory.arena, 0, call.arena, call.n_floats * sizeof(float));
    layer->read(call.gpu, call.memory.vectors, 0, call.vectors, call.n_doubles * sizeof(double));
    require(layer->wait(call.gpu, &err) == NAS_OK, variant->kernel, &err);
}

void gpu_take_floats(i64 place, float *to, size_t n)
{
    memcpy(to, call.arena + place, n * sizeof *to);
}

void gpu_take_doubles(i64 place, double *to, size_t n)
{
    memcpy(to, call.vectors + place, n * sizeof *to);
}

void gpu_take_range(nas_shape_t shape, nas_gpu_slice_t slice, nas_channels_t to)
{
    const size_t pitch = (size_t)NAS_GPU_PITCH(shape.h, shape.w);
    const size_t n = (size_t)shape.c * pitch;
    float *out = to.data;
    for (int i = 0; i < shape.n; i++)
        memcpy(out + (size_t)(i * to.c_total + to.c_first) * pitch,
               call.arena + slice.at + (size_t)(i * slice.c_total + slice.c_first) * pitch,
               n * sizeof *out);
}

const nas_backend_t *gpu_backend(const char *layer)
{
    static nas_backend_t backend;
    if (backend.name) return strcmp(backend.name, layer) == 0 ? &backend : NULL;
    if (WITH_ASAN && strcmp(layer, "opencl") == 0) return NULL; /* PoCL leaks */
    if (!open_device(layer)) return NULL;
    gpu_backend_add_layout(&backend);
    gpu_backend_add_conv(&backend);
    gpu_backend_add_sums(&backend);
    gpu_backend_add_links(&backend);
    backend.name = call.gpu->layer->name;
    return &backend;
}
