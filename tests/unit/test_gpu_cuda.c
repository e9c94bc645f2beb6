/* The layer of CUDA, and that of HIP where it differs, without a device. */
#include "tests/unit/gpu_layers.h"
#include "worker/engine/gpu/pack/golden.h"

/* Without a driver there are no devices: the reason names the library and what to do, and so does the
 * error of opening one. */
static void expect_no_driver(const nas_gpu_layer_t *layer, const char *library,
                             const char *variable)
{
    nas_gpu_info_t info;
    nas_gpu_t *gpu = NULL;
    nas_error_t reason = {0}, err = {0};
    int n = -1;
    cr_assert_eq(layer->list(&info, 1, &n, &reason, &err), NAS_OK);
    cr_assert_eq(n, 0);
    cr_assert_not_null(strstr(reason.text, library), "%s", reason.text);
    cr_assert_not_null(strstr(reason.text, variable), "%s", reason.text);
    cr_assert_eq(layer->list(&info, 1, &n, NULL, &err), NAS_OK);
    cr_assert_eq(layer->open(0, &gpu, &err), NAS_EINPUT);
    cr_assert_str_eq(err.text, reason.text);
    cr_assert_null(gpu);
}

Test(driver, none)
{
    setenv("NAS_LIBCUDA", "/nowhere/libcuda.so.1", 1);
    setenv("NAS_LIBHIP", "/nowhere/libamdhip64.so", 1);
    expect_no_driver(&nas_gpu_layer_cuda, "/nowhere/libcuda.so.1 is not there", "NAS_LIBCUDA");
    expect_no_driver(&nas_gpu_layer_hip, "/nowhere/libamdhip64.so is not there", "NAS_LIBHIP");
}

/* A library of that name that is none is said to be another. */
Test(driver, another_library)
{
    setenv("NAS_LIBCUDA", "libm.so.6", 1);
    expect_no_driver(&nas_gpu_layer_cuda, "libm.so.6 has no cuInit", "");
}

/* AMD's library has all that the layer calls, whether or not there is a device. */
Test(driver, hip)
{
    nas_gpu_info_t info;
    nas_error_t reason = {0}, err = {0};
    int n = -1;
    cr_assert_eq(nas_gpu_layer_hip.list(&info, 1, &n, &reason, &err), NAS_OK, "%s", err.text);
    if (strstr(reason.text, "is not there") != NULL) cr_skip_test("%s", reason.text);
    if (n == 0) {
        cr_assert_not_null(strstr(reason.text, "the hip driver is there, and no device of it"),
                           "%s", reason.text);
    }
}

/* --------------------------------------------------------------- a driver that plays faults (fake_cuda) */

enum { N = 256, LANES = 64 };

/* A device with memory for N numbers, and two kernels. */
typedef struct bench {
    nas_gpu_t *gpu;
    nas_gpu_memory_t memory;
    const nas_gpu_kernel_t *add, *twice; /* to and times the vectors */
    double *host;                        /* [N] */
} bench_t;

static nas_gpu_t *open_at(int position)
{
    nas_gpu_t *gpu = NULL;
    nas_error_t err = {0};
    cr_assert_eq(nas_gpu_layer_cuda.open(position, &gpu, &err), NAS_OK, "%s", err.text);
    return gpu;
}

static nas_status_t find(nas_gpu_t *gpu, const char *name, const nas_gpu_kernel_t **kernel,
                         nas_error_t *err)
{
    char *text = with_prelude("NAS_KERNEL(add, 64) { vectors[GROUP_X * 64 + LANE] += STEP; }\n"
                              "NAS_KERNEL(twice, 64) { vectors[GROUP_X * 64 + LANE] *= 2.0; }\n");
    const char *define = "STEP=(double)at";
    const nas_gpu_source_t source = {
        .name = "test", .text = text, .define = &define, .n_defines = 1};
    const nas_status_t status = gpu->layer->kernel(gpu, &source, name, kernel, err);
    free(text);
    return status;
}

static nas_status_t wait_for(const bench_t *bench, nas_error_t *err)
{
    return bench->gpu->layer->wait(bench->gpu, err);
}

static bench_t set_up(void)
{
    nas_error_t err = {0};
    bench_t bench = {.gpu = open_at(0)};
    const nas_gpu_layer_t *layer = bench.gpu->layer;
    cr_assert_eq(find(bench.gpu, "add", &bench.add, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(find(bench.gpu, "twice", &bench.twice, &err), NAS_OK, "%s", err.text);
    nas_gpu_buffer_t *vectors = &bench.memory.vectors;
    cr_assert_eq(layer->alloc(bench.gpu, N * sizeof(double), vectors, &err), NAS_OK, "%s",
                 err.text);
    bench.host = layer->host_alloc(bench.gpu, N * sizeof(double));
    cr_assert_not_null(bench.host);
    for (int i = 0; i < N; i++) bench.host[i] = i;
    return bench;
}

static void tear_down(bench_t *bench)
{
    bench->gpu->layer->host_free(bench->gpu, bench->host);
    bench->gpu->layer->free(bench->gpu, &bench->memory.vectors);
    bench->gpu->layer->close(bench->gpu);
}

static void send(const bench_t *bench)
{
    bench->gpu->layer->write(bench->gpu, bench->memory.vectors, 0, bench->host, N * sizeof(double));
}

static void launch(const bench_t *bench, const nas_gpu_kernel_t *kernel, int64_t at)
{
    bench->gpu->layer->launch(bench->gpu, kernel, N / LANES, 1, &bench->memory, at);
}

static void receive(const bench_t *bench)
{
    bench->gpu->layer->read(bench->gpu, bench->memory.vectors, 0, bench->host, N * sizeof(double));
}

static void expect_values(const bench_t *bench, double factor, double summand)
{
    nas_error_t err = {0};
    receive(bench);
    cr_assert_eq(wait_for(bench, &err), NAS_OK, "%s", err.text);
    for (int i = 0; i < N; i++) cr_assert_eq(bench->host[i], factor * i + summand, "element %d", i);
}

/* Nothing is waited for but by `wait`: until then a copy reads whatever the host's memory holds, and
 * nothing has come back. Arguments are those of the launch, though. */
Test(cuda, asynchrony)
{
    use_fake_cuda();
    bench_t bench = set_up();
    int64_t at = 8;
    for (int i = 0; i < N; i++) bench.host[i] = -1.0;
    send(&bench);
    launch(&bench, bench.add, at);
    at = 16;
    launch(&bench, bench.add, at);
    launch(&bench, bench.twice, at);
    receive(&bench);
    cr_assert_eq(bench.host[3], -1.0);
    for (int i = 0; i < N; i++) bench.host[i] = i;
    expect_values(&bench, 2.0, 48.0);
    tear_down(&bench);
}

/* The golden set, as the real NVRTC names it and the host's side hands it out. */
Test(cuda, golden_bits)
{
    use_fake_cuda();
    nas_error_t err = {0};
    nas_gpu_t *gpu = open_at(0);
    uint64_t hash = 0;
    cr_assert_eq(nas_gpu_golden(gpu, &hash, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(hash, NAS_GPU_GOLDEN, "%016llx", (unsigned long long)hash);
    gpu->layer->close(gpu);
}

/* A recorded list does nothing until it is replayed, and then the same each time. */
Test(cuda, graph)
{
    use_fake_cuda();
    bench_t bench = set_up();
    const nas_gpu_layer_t *layer = bench.gpu->layer;
    nas_gpu_graph_t *graph = NULL;
    nas_error_t err = {0};
    send(&bench);
    layer->begin_record(bench.gpu);
    launch(&bench, bench.add, 8);
    launch(&bench, bench.twice, 0);
    cr_assert_eq(layer->end_record(bench.gpu, &graph, &err), NAS_OK, "%s", err.text);
    expect_values(&bench, 1.0, 0.0);
    for (int i = 0; i < 3; i++) layer->replay(bench.gpu, graph);
    expect_values(&bench, 8.0, 112.0);
    layer->graph_free(bench.gpu, graph);
    tear_down(&bench);
}

/* Devices are listed as nvidia-smi calls them, and opened by their place in the list. */
Test(cuda, devices)
{
    use_fake_cuda();
    setenv("FAKE_CUDA_DEVICES", "3", 1);
    nas_gpu_info_t info[2];
    nas_gpu_t *gpu = NULL;
    nas_error_t reason = {0}, err = {0};
    int n = 0;
    cr_assert_eq(nas_gpu_layer_cuda.list(info, 2, &n, &reason, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(n, 3);
    cr_assert_str_eq(info[1].name, "Fake GPU 1");
    cr_assert_str_eq(info[1].id, "GPU-01122334-4556-6778-899a-abbccddeef00");
    cr_assert_str_eq(info[1].architecture, "sm_90");
    cr_assert_str_eq(info[1].driver, "CUDA 13.0");
    cr_assert_eq(info[1].index, 1);
    gpu = open_at(2);
    gpu->layer->describe(gpu, &info[0]);
    cr_assert_str_eq(info[0].name, "Fake GPU 2");
    cr_assert_eq(info[0].free_memory, info[0].memory);
    gpu->layer->close(gpu);
    cr_assert_eq(nas_gpu_layer_cuda.open(3, &gpu, &err), NAS_EINPUT);
    cr_assert_str_eq(err.text, "cuda:3 is not there: the devices are 0 to 2");
}

/* A driver that sees no device says so and what it was told to see; one that does not work is an
 * error. */
Test(cuda, driver_without_devices)
{
    use_fake_cuda();
    nas_gpu_info_t info;
    nas_error_t reason = {0}, err = {0};
    int n = -1;
    setenv("FAKE_CUDA_DEVICES", "0", 1);
    setenv("CUDA_VISIBLE_DEVICES", "7", 1);
    cr_assert_eq(nas_gpu_layer_cuda.list(&info, 1, &n, &reason, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(n, 0);
    cr_assert_not_null(strstr(reason.text, "CUDA_VISIBLE_DEVICES is 7"), "%s", reason.text);
    setenv("FAKE_CUDA_INIT", "803", 1);
    cr_assert_eq(nas_gpu_layer_cuda.list(&info, 1, &n, &reason, &err), NAS_EIO);
    cr_assert_not_null(
        strstr(err.text, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (system has unsupported"), "%s",
        err.text);
}

static void expect_refused(const char *words[], int n)
{
    nas_gpu_t *gpu = NULL;
    nas_error_t err = {0};
    cr_assert_eq(nas_gpu_layer_cuda.open(0, &gpu, &err), NAS_EINPUT);
    cr_assert_null(gpu);
    for (int i = 0; i < n; i++) cr_assert_not_null(strstr(err.text, words[i]), "%s", err.text);
}

/* Without NVRTC no device can be opened, and the line says what brings it. */
Test(cuda, no_nvrtc)
{
    use_fake_cuda();
    setenv("NAS_LIBNVRTC", "/nowhere/libnvrtc.so", 1);
    const char *words[] = {"/nowhere/libnvrtc.so is not there", "module load cuda",
                           "pip install nvidia-cuda-nvrtc", "NAS_LIBNVRTC"};
    expect_refused(words, 4);
}

/* A device that is older than all that NVRTC knows is refused; one that is newer runs. */
Test(cuda, old_device)
{
    use_fake_cuda();
    setenv("FAKE_CUDA_CAPABILITY", "30", 1);
    const char *words[] = {"Fake GPU 0 is sm_30", "NVRTC", "compiles for sm_", "older CUDA module"};
    expect_refused(words, 4);
}

Test(cuda, new_device)
{
    use_fake_cuda();
    setenv("FAKE_CUDA_CAPABILITY", "995", 1);
    bench_t bench = set_up();
    send(&bench);
    launch(&bench, bench.add, 8);
    expect_values(&bench, 1.0, 8.0);
    tear_down(&bench);
}

/* Kernels of an NVRTC that is newer than the driver are said to be. */
Test(cuda, old_driver)
{
    use_fake_cuda();
    setenv("FAKE_CUDA_LOAD", "209", 1);
    setenv("FAKE_CUDA_VERSION", "12020", 1);
    const nas_gpu_kernel_t *kernel = NULL;
    nas_error_t err = {0};
    nas_gpu_t *gpu = open_at(0);
    cr_assert_eq(find(gpu, "add", &kernel, &err), NAS_EIO);
    cr_assert_null(kernel);
    cr_assert_not_null(strstr(err.text, "the driver (CUDA 12.2) does not take kernels of NVRTC"),
                       "%s", err.text);
    cr_assert_not_null(strstr(err.text, "CUDA_ERROR_NO_BINARY_FOR_GPU"), "%s", err.text);
    gpu->layer->close(gpu);
}

/* Memory runs out with a number, and what is freed can be had again. */
Test(cuda, out_of_memory)
{
    use_fake_cuda();
    setenv("FAKE_CUDA_MEMORY", "1000000", 1);
    nas_gpu_buffer_t first = {0}, second = {0};
    nas_error_t err = {0};
    nas_gpu_t *gpu = open_at(0);
    cr_assert_eq(gpu->layer->alloc(gpu, 600000, &first, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(gpu->layer->alloc(gpu, 600000, &second, &err), NAS_ENOMEM);
    cr_assert_null(second.handle);
    cr_assert_not_null(
        strstr(err.text,
               "600000 bytes of the memory of cuda:0 Fake GPU 0, of which 400000 are free"),
        "%s", err.text);
    gpu->layer->free(gpu, &first);
    cr_assert_eq(gpu->layer->alloc(gpu, 600000, &second, &err), NAS_OK, "%s", err.text);
    gpu->layer->free(gpu, &second);
    gpu->layer->close(gpu);
}

/* A launch that fails comes out of `wait`, by the kernel's name, and stays: what was queued behind it
 * is not run. */
Test(cuda, failed_launch)
{
    use_fake_cuda();
    setenv("FAKE_CUDA_LAUNCH", "2:701", 1);
    nas_error_t err = {0};
    bench_t bench = set_up();
    send(&bench);
    launch(&bench, bench.add, 8);
    launch(&bench, bench.twice, 8);
    launch(&bench, bench.add, 8);
    receive(&bench);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(wait_for(&bench, &err), NAS_EIO);
        cr_assert_str_eq(
            err.text,
            "cuda:0 Fake GPU 0 failed at twice: CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES (too many resources requested for launch)");
    }
    cr_assert_eq(bench.host[5], 5.0);
    tear_down(&bench);
}

static void expect_lost(const char *code, const char *words)
{
    setenv("FAKE_CUDA_WAIT", code, 1);
    nas_error_t err = {0};
    nas_gpu_buffer_t buffer = {0};
    bench_t bench = set_up();
    send(&bench);
    cr_assert_eq(wait_for(&bench, &err), NAS_OK, "%s", err.text);
    launch(&bench, bench.add, 8);
    cr_assert_eq(wait_for(&bench, &err), NAS_EIO);
    cr_assert_not_null(strstr(err.text, "device lost, cuda:0 Fake GPU 0 GPU-00112233-"), "%s",
                       err.text);
    cr_assert_not_null(strstr(err.text, words), "%s", err.text);
    launch(&bench, bench.add, 8);
    cr_assert_eq(wait_for(&bench, &err), NAS_EIO);
    cr_assert_eq(bench.gpu->layer->alloc(bench.gpu, 8, &buffer, &err), NAS_EIO);
    cr_assert_null(buffer.handle);
    tear_down(&bench);
}

/* A device that is lost says so with the driver's words, at once and ever after, and can be closed. */
Test(cuda, lost_device)
{
    use_fake_cuda();
    expect_lost("2:700", "CUDA_ERROR_ILLEGAL_ADDRESS (an illegal memory access was encountered)");
}

Test(cuda, memory_that_cannot_be_corrected)
{
    use_fake_cuda();
    expect_lost("2:214", "CUDA_ERROR_ECC_UNCORRECTABLE (uncorrectable ECC error encountered)");
}

/* One while a list is recorded ends the record. */
Test(cuda, failed_record)
{
    use_fake_cuda();
    setenv("FAKE_CUDA_LAUNCH", "1:1", 1);
    nas_gpu_graph_t *graph = NULL;
    nas_error_t err = {0};
    bench_t bench = set_up();
    bench.gpu->layer->begin_record(bench.gpu);
    launch(&bench, bench.add, 8);
    cr_assert_eq(bench.gpu->layer->end_record(bench.gpu, &graph, &err), NAS_EIO);
    cr_assert_null(graph);
    cr_assert_not_null(strstr(err.text, "failed at add: CUDA_ERROR_INVALID_VALUE"), "%s", err.text);
    tear_down(&bench);
}
