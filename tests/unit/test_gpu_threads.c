/* The layer `threads` finds what a GPU would hide: work-items that part at a barrier, memory that
 * nobody has written, groups that are too large, a `wait` that is missing. */
#include "tests/unit/gpu_layers.h"

#include <math.h>

static const char kernels[] =
    "#line 1 \"parting\"\n"
    "NAS_KERNEL(ends, 64) { if (LANE != 5) BARRIER(); arena[LANE] = 1.0f; }\n"
    "NAS_KERNEL(parts, 64)\n"
    "{\n"
    "    if (LANE < 7) {\n"
    "        BARRIER();\n"
    "    } else {\n"
    "        BARRIER();\n"
    "    }\n"
    "}\n"
    "NAS_KERNEL(together, 64) { BARRIER(); arena[LANE] = arena[LANE] + 1.0f; }\n"
    "NAS_KERNEL(unset, 8) { LOCAL(float, a, 8); arena[LANE] = a[LANE]; a[LANE] = 1.0f; }\n"
    "NAS_KERNEL(large, 8) { LOCAL(float, a, 8192); LOCAL(float, b, 4097); a[LANE] = b[LANE] = 0; }\n"
    "NAS_KERNEL(full, 8) { LOCAL(float, a, 8192); LOCAL(float, b, 4096); a[LANE] = b[LANE] = 0; }\n"
    "NAS_KERNEL(crowd, 257) { arena[LANE] = 0.0f; }\n";

enum { N = 64 };

static nas_gpu_t *open_threads(const char *kind)
{
    cr_assert_eq(setenv("NAS_GPU_THREADS", kind, 1), 0);
    return open_layer("threads");
}

static nas_status_t kernel_of(nas_gpu_t *gpu, const char *name, const nas_gpu_kernel_t **kernel_p,
                              nas_error_t *err)
{
    char *text = with_prelude(kernels);
    const nas_gpu_source_t source = {.name = "parting", .text = text};
    nas_status_t status = gpu->layer->kernel(gpu, &source, name, kernel_p, err);
    free(text);
    return status;
}

static void launch(nas_gpu_t *gpu, const char *name, const nas_gpu_memory_t *memory)
{
    const nas_gpu_kernel_t *kernel = NULL;
    nas_error_t err = {0};
    cr_assert_eq(kernel_of(gpu, name, &kernel, &err), NAS_OK, "%s", err.text);
    gpu->layer->launch(gpu, kernel, 2, 1, memory, 0);
}

static nas_gpu_memory_t new_memory(nas_gpu_t *gpu)
{
    nas_gpu_memory_t memory = {0};
    nas_error_t err = {0};
    cr_assert_eq(gpu->layer->alloc(gpu, N * sizeof(float), &memory.arena, &err), NAS_OK);
    return memory;
}

/* A launch fails with these words, later ones are left out, and the device goes on. */
static void expect_parting(const char *kind, const char *name, const char *words)
{
    nas_gpu_t *gpu = open_threads(kind);
    nas_gpu_memory_t memory = new_memory(gpu);
    float values[N] = {0};
    nas_error_t err = {0};
    gpu->layer->write(gpu, memory.arena, 0, values, sizeof values);
    launch(gpu, name, &memory);
    launch(gpu, "together", &memory);
    cr_assert_eq(gpu->layer->wait(gpu, &err), NAS_EIO);
    cr_assert_not_null(strstr(err.text, name), "%s", err.text);
    cr_assert_not_null(strstr(err.text, words), "%s", err.text);

    gpu->layer->write(gpu, memory.arena, 0, values, sizeof values);
    launch(gpu, "together", &memory);
    gpu->layer->read(gpu, memory.arena, 0, values, sizeof values);
    cr_assert_eq(gpu->layer->wait(gpu, &err), NAS_OK, "%s", err.text);
    for (int i = 0; i < N; i++) cr_assert_eq((int)values[i], 2);
    gpu->layer->free(gpu, &memory.arena);
    gpu->layer->close(gpu);
}

Test(gpu_threads, ending_before_a_barrier)
{
    expect_parting("fibres", "ends", "work-item 0 waits at line 1, work-item 5 has ended");
}

Test(gpu_threads, another_barrier)
{
    expect_parting("fibres", "parts", "work-item 0 waits at line 5, work-item 7 waits at line 7");
}

Test(gpu_threads, ending_before_a_barrier_of_threads)
{
    expect_parting("threads", "ends", "ended while others waited");
}

/* New memory, and the local memory of each group, is NaN: what reads it before it is written shows. */
Test(gpu_threads, unset_memory)
{
    nas_gpu_t *gpu = open_threads("fibres");
    nas_gpu_memory_t memory = new_memory(gpu);
    float values[N];
    nas_error_t err = {0};
    gpu->layer->read(gpu, memory.arena, 0, values, sizeof values);
    cr_assert_eq(gpu->layer->wait(gpu, &err), NAS_OK);
    for (int i = 0; i < N; i++) cr_assert(isnan(values[i]));

    memset(values, 0, sizeof values);
    gpu->layer->write(gpu, memory.arena, 0, values, sizeof values);
    launch(gpu, "unset", &memory);
    gpu->layer->read(gpu, memory.arena, 0, values, sizeof values);
    cr_assert_eq(gpu->layer->wait(gpu, &err), NAS_OK);
    for (int i = 0; i < N; i++) cr_assert(i < 8 ? isnan(values[i]) : values[i] == 0.0F);
    gpu->layer->free(gpu, &memory.arena);
    gpu->layer->close(gpu);
}

/* 48 KiB of local memory and 256 work-items are a group's most, as threads or as fibres. */
static void expect_limits(const char *kind)
{
    nas_gpu_t *gpu = open_threads(kind);
    nas_gpu_memory_t memory = new_memory(gpu);
    const nas_gpu_kernel_t *kernel = NULL;
    nas_error_t err = {0};
    launch(gpu, "full", &memory);
    cr_assert_eq(gpu->layer->wait(gpu, &err), NAS_OK, "%s", err.text);
    launch(gpu, "large", &memory);
    cr_assert_eq(gpu->layer->wait(gpu, &err), NAS_EIO);
    cr_assert_not_null(strstr(err.text, "49156 bytes of local memory"), "%s", err.text);
    cr_assert_eq(kernel_of(gpu, "crowd", &kernel, &err), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "257 work-items"), "%s", err.text);
    gpu->layer->free(gpu, &memory.arena);
    gpu->layer->close(gpu);
}

Test(gpu_threads, limits)
{
    expect_limits("fibres");
}

Test(gpu_threads, limits_of_threads)
{
    expect_limits("threads");
}

/* Nothing runs before somebody waits. */
Test(gpu_threads, queued)
{
    nas_gpu_t *gpu = open_threads("fibres");
    nas_gpu_memory_t memory = new_memory(gpu);
    float values[N] = {0}, out[N];
    nas_error_t err = {0};
    memset(out, 0, sizeof out);
    gpu->layer->write(gpu, memory.arena, 0, values, sizeof values);
    launch(gpu, "together", &memory);
    gpu->layer->read(gpu, memory.arena, 0, out, sizeof out);
    cr_assert_eq((int)out[0], 0);
    values[0] = 10.0F; /* what a missing wait would do */
    cr_assert_eq(gpu->layer->wait(gpu, &err), NAS_OK);
    cr_assert_eq((int)out[0], 12);
    cr_assert_eq((int)out[1], 2);
    gpu->layer->free(gpu, &memory.arena);
    gpu->layer->close(gpu);
}

/* A recorded list of launches runs as often as it is replayed, and not when it is recorded. */
Test(gpu_threads, graph)
{
    nas_gpu_t *gpu = open_threads("fibres");
    nas_gpu_memory_t memory = new_memory(gpu);
    nas_gpu_graph_t *graph = NULL;
    float values[N] = {0};
    nas_error_t err = {0};
    gpu->layer->write(gpu, memory.arena, 0, values, sizeof values);
    gpu->layer->begin_record(gpu);
    for (int i = 0; i < 20; i++) launch(gpu, "together", &memory);
    cr_assert_eq(gpu->layer->end_record(gpu, &graph, &err), NAS_OK);
    for (int i = 0; i < 3; i++) gpu->layer->replay(gpu, graph);
    launch(gpu, "together", &memory);
    gpu->layer->read(gpu, memory.arena, 0, values, sizeof values);
    cr_assert_eq(gpu->layer->wait(gpu, &err), NAS_OK);
    for (int i = 0; i < N; i++) cr_assert_eq((int)values[i], 2 * (3 * 20 + 1));
    cr_assert_eq(gpu->counts.n_launches, 4);
    gpu->layer->graph_free(gpu, graph);
    gpu->layer->free(gpu, &memory.arena);
    gpu->layer->close(gpu);
}

/* A kernel whose bits another driver need not share is refused; in float64, and by integers, it may
 * divide. */
Test(gpu_threads, rounding)
{
#if !defined(__x86_64__)
    cr_skip_test("only x86's instructions are known");
#endif
    static const struct {
        const char *text;
        bool is_fine;
    } known[] = {
        {"NAS_KERNEL(any, 8) { arena[LANE] = arena[LANE] / arena[LANE + 8]; }\n", false},
        {"NAS_KERNEL(any, 8) { arena[LANE] = sqrtf(arena[LANE]); }\n", false},
        {"NAS_KERNEL(any, 8) { vectors[LANE] = sqrt(vectors[LANE] / 3.0); }\n", true},
        {"NAS_KERNEL(any, 8) { arena[LANE] = (float)(LANE / GROUP_X); }\n", true},
    };
    nas_gpu_t *gpu = open_threads("fibres");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const nas_gpu_kernel_t *kernel = NULL;
        nas_error_t err = {0};
        char *text = with_prelude(known[i].text);
        const nas_gpu_source_t source = {.name = "rounding", .text = text};
        const nas_status_t status = gpu->layer->kernel(gpu, &source, "any", &kernel, &err);
        cr_assert_eq(status, known[i].is_fine ? NAS_OK : NAS_EINPUT, "%s", known[i].text);
        cr_assert(known[i].is_fine || strstr(err.text, "float32") != NULL, "%s", err.text);
        free(text);
    }
    gpu->layer->close(gpu);
}

/* The device has as much memory as the test says, and what is freed is free. */
Test(gpu_threads, memory)
{
    cr_assert_eq(setenv("NAS_GPU_THREADS_MEMORY", "1000", 1), 0);
    nas_gpu_t *gpu = open_threads("fibres");
    nas_gpu_buffer_t a = {0}, b = {0};
    nas_gpu_info_t info;
    nas_error_t err = {0};
    cr_assert_eq(gpu->layer->alloc(gpu, 600, &a, &err), NAS_OK);
    cr_assert_eq(gpu->layer->alloc(gpu, 401, &b, &err), NAS_ENOMEM);
    cr_assert_not_null(strstr(err.text, "400 of 1000 are free"), "%s", err.text);
    gpu->layer->describe(gpu, &info);
    cr_assert_eq(info.free_memory, 400);
    gpu->layer->free(gpu, &a);
    cr_assert_eq(gpu->layer->alloc(gpu, 1000, &b, &err), NAS_OK);
    gpu->layer->free(gpu, &b);
    gpu->layer->close(gpu);
}
