/* What every layer of drivers does with kernels so small that what they do is plain. */
#include "tests/unit/gpu_layers.h"

enum { N = 4096, LANES = 64 };

static const char kernels[] =
    "typedef struct place { i64 first; i64 width; } place_t;\n"
    /* element first + GROUP_X LANES + LANE: who wrote it */
    "NAS_KERNEL(who, 64)\n"
    "{\n"
    "    const GLOBAL place_t *work = NAS_WORK(place_t);\n"
    "    arena[work->first + GROUP_X * 64 + LANE] =\n"
    "        (float)(GROUP_Y * 10000 + GROUP_X * 100 + LANE);\n"
    "}\n"
    /* each value goes to the lane before, through local memory */
    "NAS_KERNEL(pass_on, 64)\n"
    "{\n"
    "    LOCAL(float, all, 64);\n"
    "    GLOBAL float *mine = arena + GROUP_X * 64;\n"
    "    for (int i = 0; i < ROUNDS; i++) {\n"
    "        all[LANE] = mine[LANE];\n"
    "        BARRIER();\n"
    "        mine[LANE] = all[(LANE + 1) % 64];\n"
    "        BARRIER();\n"
    "    }\n"
    "}\n"
    /* x = 3 x + data[0], modulo 65536, so that the order of launches shows */
    "NAS_KERNEL(advance, 64)\n"
    "{\n"
    "    const int i = GROUP_X * 64 + LANE;\n"
    "    vectors[i] = vectors[i] * 3.0 + (double)data[at / 8];\n"
    "    while (vectors[i] >= 65536.0) vectors[i] -= 65536.0;\n"
    "}\n";

typedef struct place {
    int64_t first, width;
} place_t;

static nas_gpu_buffer_t new_buffer(nas_gpu_t *gpu, size_t bytes)
{
    nas_gpu_buffer_t buffer = {0};
    nas_error_t err = {0};
    cr_assert_eq(gpu->layer->alloc(gpu, bytes, &buffer, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(buffer.bytes, bytes);
    return buffer;
}

static void *new_host(nas_gpu_t *gpu, size_t bytes)
{
    void *memory = gpu->layer->host_alloc(gpu, bytes);
    cr_assert_not_null(memory);
    return memory;
}

static void wait_for(nas_gpu_t *gpu)
{
    nas_error_t err = {0};
    cr_assert_eq(gpu->layer->wait(gpu, &err), NAS_OK, "%s", err.text);
}

static const nas_gpu_kernel_t *kernel_of(nas_gpu_t *gpu, const char *name, const char *rounds)
{
    const nas_gpu_kernel_t *kernel = NULL;
    nas_error_t err = {0};
    char *text = with_prelude(kernels);
    const nas_gpu_source_t source = {
        .name = "test", .text = text, .define = &rounds, .n_defines = 1};
    cr_assert_eq(gpu->layer->kernel(gpu, &source, name, &kernel, &err), NAS_OK, "%s", err.text);
    free(text);
    return kernel;
}

static nas_gpu_memory_t new_memory(nas_gpu_t *gpu)
{
    return (nas_gpu_memory_t){.arena = new_buffer(gpu, N * sizeof(float)),
                              .vectors = new_buffer(gpu, N * sizeof(double)),
                              .data = new_buffer(gpu, N),
                              .table = new_buffer(gpu, N)};
}

static void free_memory(nas_gpu_t *gpu, nas_gpu_memory_t *memory)
{
    gpu->layer->free(gpu, &memory->arena);
    gpu->layer->free(gpu, &memory->vectors);
    gpu->layer->free(gpu, &memory->data);
    gpu->layer->free(gpu, &memory->table);
    cr_assert_null(memory->table.handle);
    gpu->layer->free(gpu, &memory->table);
}

/* What is written is read back, in parts and from any place. */
static void round_trip(nas_gpu_t *gpu)
{
    nas_gpu_buffer_t buffer = new_buffer(gpu, N);
    unsigned char *from = new_host(gpu, N), *to = new_host(gpu, N);
    for (int i = 0; i < N; i++) from[i] = (unsigned char)(i * 7 % 251);
    memset(to, 0, N);
    gpu->layer->write(gpu, buffer, 0, from, N);
    gpu->layer->write(gpu, buffer, 1000, from, 13); /* the later one holds */
    gpu->layer->read(gpu, buffer, 0, to, 1500);
    gpu->layer->read(gpu, buffer, 1500, to + 1500, N - 1500);
    wait_for(gpu);
    cr_assert_arr_eq(to + 1000, from, 13);
    memcpy(to + 1000, from + 1000, 13);
    cr_assert_arr_eq(to, from, N);
    gpu->layer->host_free(gpu, from);
    gpu->layer->host_free(gpu, to);
    gpu->layer->host_free(gpu, NULL);
    gpu->layer->free(gpu, &buffer);
}
ON_EVERY_DRIVER(round_trip)

/* Every work-item of every group runs once, knows where it is, and finds its descriptor: the second
 * of two launches begins `at` bytes behind the table's beginning. */
static void groups_and_lanes(nas_gpu_t *gpu)
{
    nas_gpu_memory_t memory = new_memory(gpu);
    const nas_gpu_kernel_t *who = kernel_of(gpu, "who", "ROUNDS=1");
    place_t *work = new_host(gpu, 6 * sizeof *work);
    float *out = new_host(gpu, N * sizeof *out);
    memset(out, 0, N * sizeof *out);
    for (int i = 0; i < 6; i++) work[i] = (place_t){(5 - i) * 3 * LANES, 0};
    gpu->layer->write(gpu, memory.table, 0, work, 6 * sizeof *work);
    gpu->layer->write(gpu, memory.arena, 0, out, N * sizeof *out);
    gpu->layer->launch(gpu, who, 3, 2, &memory, 0);
    gpu->layer->launch(gpu, who, 3, 4, &memory, 2 * sizeof *work);
    gpu->layer->read(gpu, memory.arena, 0, out, N * sizeof *out);
    wait_for(gpu);
    for (int i = 0; i < N; i++) {
        const int row = 5 - i / (3 * LANES), group = i / LANES % 3, lane = i % LANES;
        const int y = row < 2 ? row : row - 2;
        cr_assert_eq((int)out[i], row < 0 ? 0 : y * 10000 + group * 100 + lane, "element %d", i);
    }
    gpu->layer->host_free(gpu, work);
    gpu->layer->host_free(gpu, out);
    free_memory(gpu, &memory);
}
ON_EVERY_DRIVER(groups_and_lanes)

/* Behind a barrier each lane sees what the others wrote, round after round; definitions reach the
 * kernel, and another definition is another kernel. */
static void barrier(nas_gpu_t *gpu)
{
    nas_gpu_memory_t memory = new_memory(gpu);
    float *values = new_host(gpu, N * sizeof *values);
    for (int i = 0; i < N; i++) values[i] = (float)i;
    gpu->layer->write(gpu, memory.arena, 0, values, N * sizeof *values);
    gpu->layer->launch(gpu, kernel_of(gpu, "pass_on", "ROUNDS=5"), N / LANES, 1, &memory, 0);
    gpu->layer->launch(gpu, kernel_of(gpu, "pass_on", "ROUNDS=12"), N / LANES, 1, &memory, 0);
    gpu->layer->read(gpu, memory.arena, 0, values, N * sizeof *values);
    wait_for(gpu);
    for (int i = 0; i < N; i++) {
        cr_assert_eq((int)values[i], i / LANES * LANES + (i + 17) % LANES, "element %d", i);
    }
    gpu->layer->host_free(gpu, values);
    free_memory(gpu, &memory);
}
ON_EVERY_DRIVER(barrier)

/* Queued work runs in its order. */
static void order(nas_gpu_t *gpu)
{
    enum { N_STEPS = 100 };
    nas_gpu_memory_t memory = new_memory(gpu);
    const nas_gpu_kernel_t *step = kernel_of(gpu, "advance", "ROUNDS=1");
    double *values = new_host(gpu, N * sizeof *values);
    unsigned char *add = new_host(gpu, N_STEPS);
    unsigned expected = 1;
    for (int i = 0; i < N; i++) values[i] = 1.0;
    for (int i = 0; i < N_STEPS; i++) add[i] = (unsigned char)(i * i % 255);
    gpu->layer->write(gpu, memory.vectors, 0, values, N * sizeof *values);
    gpu->layer->write(gpu, memory.data, 0, add, N_STEPS);
    for (int i = 0; i < N_STEPS; i++) {
        gpu->layer->launch(gpu, step, N / LANES, 1, &memory, 8 * (N_STEPS - 1 - i));
        expected = (expected * 3 + add[N_STEPS - 1 - i]) % 65536;
    }
    gpu->layer->read(gpu, memory.vectors, 0, values, N * sizeof *values);
    wait_for(gpu);
    for (int i = 0; i < N; i++) cr_assert_eq(values[i], expected, "element %d", i);
    gpu->layer->host_free(gpu, values);
    gpu->layer->host_free(gpu, add);
    free_memory(gpu, &memory);
}
ON_EVERY_DRIVER(order)

/* The counts are those of what was asked; a kernel is built once for its definitions. */
static void counts(nas_gpu_t *gpu)
{
    nas_gpu_memory_t memory = new_memory(gpu);
    void *host = new_host(gpu, N);
    memset(host, 0, N);
    const nas_gpu_kernel_t *step = kernel_of(gpu, "advance", "ROUNDS=1");
    cr_assert_eq(step, kernel_of(gpu, "advance", "ROUNDS=1"));
    cr_assert_neq(step, kernel_of(gpu, "who", "ROUNDS=1"));
    cr_assert_eq(gpu->counts.n_built + gpu->counts.n_cached, 1);
    cr_assert_neq(step, kernel_of(gpu, "advance", "ROUNDS=2"));
    cr_assert_eq(gpu->counts.n_built + gpu->counts.n_cached, 2);

    gpu->layer->write(gpu, memory.data, 0, host, N);
    gpu->layer->write(gpu, memory.data, 0, host, 1);
    gpu->layer->launch(gpu, step, 1, 1, &memory, 0);
    gpu->layer->read(gpu, memory.arena, 4, host, 12);
    wait_for(gpu);
    cr_assert_eq(gpu->counts.n_writes, 2);
    cr_assert_eq(gpu->counts.bytes_written, N + 1);
    cr_assert_eq(gpu->counts.n_launches, 1);
    cr_assert_eq(gpu->counts.n_reads, 1);
    cr_assert_eq(gpu->counts.bytes_read, 12);
    cr_assert_eq(gpu->counts.n_waits, 1);
    gpu->layer->host_free(gpu, host);
    free_memory(gpu, &memory);
}
ON_EVERY_DRIVER(counts)

/* What cannot be built is refused with the compiler's own words, and what is not there by name; the
 * device is none the worse. */
static void refused(nas_gpu_t *gpu)
{
    const nas_gpu_kernel_t *kernel = NULL;
    nas_error_t err = {0};
    char *text = with_prelude("NAS_KERNEL(wrong, 64) { arena[0] = no_such_name; }\n");
    const nas_gpu_source_t source = {.name = "spoilt", .text = text};
    cr_assert_eq(gpu->layer->kernel(gpu, &source, "wrong", &kernel, &err), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "spoilt"), "%s", err.text);
    cr_assert_not_null(strstr(err.text, "no_such_name"), "%s", err.text);
    cr_assert_null(kernel);
    free(text);

    text = with_prelude(kernels);
    const char *define = "ROUNDS=1";
    const nas_gpu_source_t good = {.name = "test", .text = text, .define = &define, .n_defines = 1};
    cr_assert_eq(gpu->layer->kernel(gpu, &good, "absent", &kernel, &err), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "absent"), "%s", err.text);
    cr_assert_eq(gpu->layer->kernel(gpu, &good, "who", &kernel, &err), NAS_OK, "%s", err.text);
    free(text);
}
ON_EVERY_DRIVER(refused)

/* More than the device has in one piece is an error that says so, and leaves nothing behind. */
static void no_memory(nas_gpu_t *gpu)
{
    nas_gpu_info_t info;
    nas_gpu_buffer_t buffer = {0};
    nas_error_t err = {0};
    gpu->layer->describe(gpu, &info);
    cr_assert_eq(gpu->layer->alloc(gpu, info.largest + 1, &buffer, &err), NAS_ENOMEM);
    cr_assert_not_null(strstr(err.text, info.name), "%s", err.text);
    cr_assert_null(buffer.handle);
}
ON_EVERY_DRIVER(no_memory)

/* A device says what it is, in its list and when it is open; one that is not there cannot be opened. */
static void description(nas_gpu_t *gpu)
{
    nas_gpu_info_t listed[2], info;
    nas_error_t reason = {0}, err = {0};
    int n = 0;
    cr_assert_eq(gpu->layer->list(listed, 1, &n, &reason, &err), NAS_OK);
    cr_assert_geq(n, 1);
    gpu->layer->describe(gpu, &info);
    cr_assert_str_eq(info.name, listed[0].name);
    cr_assert_str_eq(info.id, listed[0].id);
    cr_assert(info.name[0] != '\0' && info.driver[0] != '\0' && info.architecture[0] != '\0');
    cr_assert(info.has_float64);
    cr_assert_geq(info.group_size, 256);
    cr_assert_geq(info.local_bytes, 48 * 1024);
    cr_assert(info.largest > 0 && info.largest <= info.memory);

    nas_gpu_t *none = NULL;
    cr_assert_eq(gpu->layer->open(n, &none, &err), NAS_EINPUT);
    cr_assert_null(none);
    cr_assert_str_not_empty(err.text);
}
ON_EVERY_DRIVER(description)

/* Layers are found by their names, in their order. */
Test(layers, names)
{
    for (int i = 0; nas_gpu_layer_at(i) != NULL; i++) {
        cr_assert_eq(nas_gpu_layer_named(nas_gpu_layer_at(i)->name), nas_gpu_layer_at(i));
    }
    cr_assert_not_null(nas_gpu_layer_named("opencl"));
    cr_assert_null(nas_gpu_layer_named("none"));
    cr_assert_null(nas_gpu_layer_at(-1));
}
