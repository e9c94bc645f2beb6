/* The driver (fake_cuda.h). */
#include "tests/tools/fake_cuda/fake_cuda.h"
#include "worker/engine/gpu/layers/modules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct block {
    struct block *next;
    size_t bytes;
    bool is_pinned; /* of the host */
    char *memory;
} block_t;

typedef enum kind { COPY, LAUNCH } kind_t;

typedef struct operation {
    struct operation *next;
    kind_t kind;
    void *to;
    const void *from;
    size_t bytes;
    const nas_gpu_kernel_t *kernel;
    unsigned groups_x, groups_y;
    nas_gpu_memory_t memory;
    int64_t at; /* of the table */
} operation_t;

typedef struct queue {
    operation_t *first, **end;
} queue_t;

/* A code with its source; both are one copy. */
typedef struct module {
    const void *code;
    fake_source_t source;
} module_t;

/* One context, whatever the device. */
static struct driver {
    bool is_initialised, has_context;
    int lost; /* the error that every call returns from then on */
    long n_launches, n_waits;
    size_t bytes;
    block_t *blocks;
    queue_t queue;
    queue_t *graph;     /* that is being recorded */
    nas_gpu_t *threads; /* where kernels run; for good */
} driver;

static long number(const char *variable, long otherwise)
{
    const char *text = getenv(variable);
    return text ? strtol(text, NULL, 10) : otherwise;
}

/* The code of a variable "k:code", where n is k; else 0. */
static int fault(const char *variable, long n)
{
    const char *text = getenv(variable);
    const char *code = text ? strchr(text, ':') : NULL;
    return code && strtol(text, NULL, 10) == n ? (int)strtol(code + 1, NULL, 10) : 0;
}

/* -------------------------------------------------------------------------------------- devices */

EXPORT int cuInit(unsigned flags)
{
    const int code = (int)number("FAKE_CUDA_INIT", 0);
    if (flags != 0) return INVALID_VALUE;
    if (code != 0) return code;
    if (number("FAKE_CUDA_DEVICES", 1) == 0) return NO_DEVICE;
    driver.is_initialised = true;
    return 0;
}

EXPORT int cuDriverGetVersion(int *version)
{
    *version = (int)number("FAKE_CUDA_VERSION", 13000);
    return 0;
}

EXPORT int cuDeviceGetCount(int *n)
{
    *n = (int)number("FAKE_CUDA_DEVICES", 1);
    return driver.is_initialised ? 0 : NOT_INITIALIZED;
}

EXPORT int cuDeviceGet(int *device, int ordinal)
{
    *device = ordinal + 70; /* not its number */
    return ordinal >= 0 && ordinal < number("FAKE_CUDA_DEVICES", 1) ? 0 : INVALID_DEVICE;
}

EXPORT int cuDeviceGetName(char *name, int size, int device)
{
    snprintf(name, (size_t)size, "Fake GPU %d", device - 70);
    return 0;
}

EXPORT int cuDeviceGetAttribute(int *value, int attribute, int device)
{
    const long capability = number("FAKE_CUDA_CAPABILITY", 90);
    (void)device;
    switch (attribute) {
    case 1:
        *value = 1024;
        return 0;
    case 8:
        *value = 48 * 1024;
        return 0;
    case 16:
        *value = 132;
        return 0;
    case 75:
        *value = (int)(capability / 10);
        return 0;
    case 76:
        *value = (int)(capability % 10);
        return 0;
    default:
        return INVALID_VALUE;
    }
}

EXPORT int cuDeviceTotalMem_v2(size_t *bytes, int device)
{
    (void)device;
    *bytes = (size_t)number("FAKE_CUDA_MEMORY", 1L << 30);
    return 0;
}

EXPORT int cuDeviceGetUuid(unsigned char id[16], int device)
{
    for (int i = 0; i < 16; i++) id[i] = (unsigned char)(i * 17 + device - 70);
    return 0;
}

EXPORT int cuDeviceGetUuid_v2(unsigned char id[16], int device)
{
    return cuDeviceGetUuid(id, device);
}

EXPORT int cuDevicePrimaryCtxRetain(void **context, int device)
{
    (void)device;
    if (!driver.is_initialised) return NOT_INITIALIZED;
    *context = &driver;
    return driver.lost;
}

EXPORT int cuDevicePrimaryCtxRelease_v2(int device)
{
    (void)device;
    driver.has_context = false;
    return driver.lost;
}

EXPORT int cuCtxSetCurrent(void *context)
{
    if (context != &driver) return INVALID_CONTEXT;
    driver.has_context = true;
    return 0;
}

/* What every call begins with. */
static int state(void)
{
    if (!driver.has_context) return INVALID_CONTEXT;
    return driver.lost;
}

/* --------------------------------------------------------------------------------------- memory */

EXPORT int cuMemGetInfo_v2(size_t *n_free, size_t *total)
{
    (void)cuDeviceTotalMem_v2(total, 0);
    *n_free = *total - driver.bytes;
    return state();
}

static int take(void **memory, size_t bytes, bool is_pinned)
{
    if (bytes == 0) return INVALID_VALUE;
    block_t *block = malloc(sizeof *block);
    char *taken = malloc(bytes);
    if (!block || !taken) abort();
    memset(taken, 0xff, bytes); /* NaN, of any width */
    *block =
        (block_t){.next = driver.blocks, .bytes = bytes, .is_pinned = is_pinned, .memory = taken};
    driver.blocks = block;
    *memory = taken;
    return 0;
}

static int give(void *memory, bool is_pinned)
{
    for (block_t **at = &driver.blocks; *at; at = &(*at)->next) {
        block_t *block = *at;
        if (block->memory != memory || block->is_pinned != is_pinned) continue;
        if (!is_pinned) driver.bytes -= block->bytes;
        *at = block->next;
        free(block->memory);
        free(block);
        return 0;
    }
    return INVALID_VALUE;
}

static bool holds(const void *from, size_t bytes, bool is_pinned)
{
    for (const block_t *block = driver.blocks; block; block = block->next) {
        const uintptr_t begin = (uintptr_t)block->memory, at = (uintptr_t)from;
        if (block->is_pinned == is_pinned && at >= begin && at - begin <= block->bytes &&
            bytes <= block->bytes - (at - begin)) {
            return true;
        }
    }
    return false;
}

EXPORT int cuMemAlloc_v2(void **memory, size_t bytes)
{
    size_t n_free = 0, total = 0;
    const int code = cuMemGetInfo_v2(&n_free, &total);
    if (code != 0) return code;
    if (bytes > n_free) return OUT_OF_MEMORY;
    driver.bytes += bytes;
    return take(memory, bytes, false);
}

EXPORT int cuMemFree_v2(void *memory)
{
    const int code = state();
    return code ? code : give(memory, false);
}

EXPORT int cuMemHostAlloc(void **memory, size_t bytes, unsigned flags)
{
    const int code = flags ? INVALID_VALUE : state();
    return code ? code : take(memory, bytes, true);
}

EXPORT int cuMemFreeHost(void *memory)
{
    const int code = state();
    return code ? code : give(memory, true);
}

/* ---------------------------------------------------------------------------------------- queue */

static void push(queue_t *queue, const operation_t *operation)
{
    operation_t *copy = malloc(sizeof *copy);
    if (!copy) abort();
    *copy = *operation;
    copy->next = NULL;
    if (!queue->first) queue->end = &queue->first;
    *queue->end = copy;
    queue->end = &copy->next;
}

static void empty(queue_t *queue)
{
    for (operation_t *operation = queue->first, *next; operation; operation = next) {
        next = operation->next;
        free(operation);
    }
    queue->first = NULL;
}

static int enqueue(const operation_t *operation)
{
    push(driver.graph ? driver.graph : &driver.queue, operation);
    return 0;
}

/* Both ends must be what they are said to be. */
static int copy(void *to, const void *from, size_t bytes, bool is_to_device)
{
    const int code = state();
    if (code != 0) return code;
    if (!holds(to, bytes, !is_to_device) || !holds(from, bytes, is_to_device)) return INVALID_VALUE;
    return enqueue(&(operation_t){.kind = COPY, .to = to, .from = from, .bytes = bytes});
}

EXPORT int cuMemcpyHtoDAsync_v2(void *to, const void *from, size_t bytes, void *stream)
{
    return stream == &driver.queue ? copy(to, from, bytes, true) : INVALID_HANDLE;
}

EXPORT int cuMemcpyDtoHAsync_v2(void *to, const void *from, size_t bytes, void *stream)
{
    return stream == &driver.queue ? copy(to, from, bytes, false) : INVALID_HANDLE;
}

EXPORT int cuMemcpyDtoH_v2(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
    return state();
}

EXPORT int cuStreamCreate(void **stream, unsigned flags)
{
    *stream = &driver.queue;
    return flags == 1 ? state() : INVALID_VALUE;
}

EXPORT int cuStreamDestroy_v2(void *stream)
{
    empty(stream);
    return state();
}

static int run(const operation_t *launch)
{
    nas_error_t err = {0};
    driver.threads->layer->launch(driver.threads, launch->kernel, (int)launch->groups_x,
                                  (int)launch->groups_y, &launch->memory, launch->at);
    if (driver.threads->layer->wait(driver.threads, &err) == NAS_OK) return 0;
    fprintf(stderr, "fake CUDA: %s\n", err.text);
    return LAUNCH_FAILED;
}

EXPORT int cuStreamSynchronize(void *stream)
{
    queue_t *queue = stream;
    if (state() != 0) return state();
    driver.lost = fault("FAKE_CUDA_WAIT", ++driver.n_waits);
    for (const operation_t *next = queue->first; next && !driver.lost; next = next->next) {
        if (next->kind == COPY) memcpy(next->to, next->from, next->bytes);
        if (next->kind == LAUNCH) driver.lost = run(next);
    }
    empty(queue);
    return driver.lost;
}

/* -------------------------------------------------------------------------------------- kernels */

static nas_gpu_t *threads(void)
{
    nas_error_t err = {0};
    if (!driver.threads && nas_gpu_layer_threads.open(0, &driver.threads, &err) != NAS_OK) abort();
    return driver.threads;
}

EXPORT int cuModuleLoadData(void **module_p, const void *code)
{
    const int refused = (int)number("FAKE_CUDA_LOAD", 0);
    fake_source_t source;
    if (state() != 0 || refused != 0) return refused ? refused : state();
    if (!fake_tail_read(code, &source)) return INVALID_IMAGE;
    const size_t size = fake_code_size(code) + fake_tail_size(&source);
    module_t *module = calloc(1, sizeof *module);
    void *kept = malloc(size);
    if (!module || !kept) abort();
    module->code = memcpy(kept, code, size);
    (void)fake_tail_read(module->code, &module->source);
    *module_p = module;
    return 0;
}

EXPORT int cuModuleUnload(void *handle)
{
    module_t *module = handle;
    free((void *)(uintptr_t)module->code);
    free(module);
    return state();
}

/* The C build of a kernel that the code has. */
static const nas_gpu_kernel_t *find(const module_t *module, const char *name)
{
    const nas_gpu_source_t source = {.name = "fake",
                                     .text = module->source.text,
                                     .define = module->source.define,
                                     .n_defines = module->source.n_defines};
    const nas_gpu_kernel_t *kernel = NULL;
    nas_error_t err = {0};
    if (!fake_code_has(module->code, name)) return NULL;
    if (threads()->layer->kernel(threads(), &source, name, &kernel, &err) == NAS_OK) return kernel;
    fprintf(stderr, "fake CUDA: %s\n", err.text); /* the real compiler took it, C's does not */
    return NULL;
}

EXPORT int cuModuleGetFunction(const void **function, const module_t *module, const char *name)
{
    if (state() != 0) return state();
    *function = find(module, name);
    return *function ? 0 : NOT_FOUND;
}

/* The one kind of variable that kernels have: their lanes. */
EXPORT int cuModuleGetGlobal_v2(const void **memory, size_t *bytes, const module_t *module,
                                const char *name)
{
    char kernel_name[NAS_GPU_KERNEL_NAME_SIZE];
    const char *end = strstr(name, "_lanes");
    if (state() != 0) return state();
    if (!end || !fake_code_has_variable(module->code, name)) return NOT_FOUND;
    snprintf(kernel_name, sizeof kernel_name, "%.*s", (int)(end - name), name);
    const nas_gpu_kernel_t *kernel = find(module, kernel_name);
    *memory = kernel ? &kernel->lanes : NULL;
    *bytes = sizeof(int);
    return kernel ? 0 : NOT_FOUND;
}

EXPORT int cuLaunchKernel(const nas_gpu_kernel_t *kernel, unsigned groups_x, unsigned groups_y,
                          unsigned groups_z, unsigned lanes_x, unsigned lanes_y, unsigned lanes_z,
                          unsigned local_bytes, void *stream, void **argument, void **extra)
{
    const int failed = fault("FAKE_CUDA_LAUNCH", ++driver.n_launches);
    if (state() != 0 || failed != 0) return failed ? failed : state();
    if (stream != &driver.queue || extra) return INVALID_HANDLE;
    if (groups_x == 0 || groups_y == 0 || groups_y > 65535 || groups_z != 1 ||
        (int)lanes_x != kernel->lanes || lanes_y != 1 || lanes_z != 1 || local_bytes) {
        return INVALID_VALUE;
    }
    operation_t launch = {
        .kind = LAUNCH, .kernel = kernel, .groups_x = groups_x, .groups_y = groups_y};
    nas_gpu_buffer_t *const buffer[] = {&launch.memory.arena, &launch.memory.vectors,
                                        &launch.memory.data, &launch.memory.table};
    for (int i = 0; i < 4; i++) memcpy(&buffer[i]->handle, argument[i], sizeof(void *));
    memcpy(&launch.at, argument[4], sizeof launch.at);
    return enqueue(&launch);
}

/* --------------------------------------------------------------------------------------- graphs */

EXPORT int cuStreamBeginCapture_v2(void *stream, int mode)
{
    if (state() != 0 || stream != &driver.queue || driver.graph || mode < 0 || mode > 2) {
        return INVALID_VALUE;
    }
    driver.graph = calloc(1, sizeof *driver.graph);
    if (!driver.graph) abort();
    return 0;
}

EXPORT int cuStreamEndCapture(void *stream, void **graph)
{
    if (stream != &driver.queue || !driver.graph) return INVALID_VALUE;
    *graph = driver.graph;
    driver.graph = NULL;
    return state();
}

EXPORT int cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long flags)
{
    queue_t *copied = calloc(1, sizeof *copied);
    if (!copied) abort();
    const queue_t *recorded = graph;
    for (const operation_t *next = recorded->first; next; next = next->next) push(copied, next);
    *executable = copied;
    return flags == 0 ? state() : INVALID_VALUE;
}

EXPORT int cuGraphLaunch(void *executable, void *stream)
{
    const queue_t *recorded = executable;
    if (state() != 0) return state();
    for (const operation_t *next = recorded->first; next; next = next->next) push(stream, next);
    return 0;
}

EXPORT int cuGraphDestroy(void *graph)
{
    empty(graph);
    free(graph);
    return 0;
}

EXPORT int cuGraphExecDestroy(void *executable)
{
    return cuGraphDestroy(executable);
}
