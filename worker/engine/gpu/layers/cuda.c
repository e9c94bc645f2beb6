/* NVIDIA's devices: CUDA's driver and NVRTC. */
#include "worker/engine/gpu/layers/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL(field, name)                                                                          \
    {                                                                                              \
        offsetof(nas_driver_calls_t, field), name, false                                           \
    }
#define OPTIONAL(field, name)                                                                      \
    {                                                                                              \
        offsetof(nas_driver_calls_t, field), name, true                                            \
    }

/* Names end in the version of the interface that they have had since CUDA 11.4. */
static const nas_driver_symbol_t driver_symbol[] = {
    CALL(init, "cuInit"),
    CALL(version, "cuDriverGetVersion"),
    CALL(count, "cuDeviceGetCount"),
    CALL(device, "cuDeviceGet"),
    CALL(name, "cuDeviceGetName"),
    CALL(attribute, "cuDeviceGetAttribute"),
    CALL(total_memory, "cuDeviceTotalMem_v2"),
    CALL(memory, "cuMemGetInfo_v2"),
    CALL(alloc, "cuMemAlloc_v2"),
    CALL(free, "cuMemFree_v2"),
    CALL(host_alloc, "cuMemHostAlloc"),
    CALL(host_free, "cuMemFreeHost"),
    CALL(write, "cuMemcpyHtoDAsync_v2"),
    CALL(read, "cuMemcpyDtoHAsync_v2"),
    CALL(read_now, "cuMemcpyDtoH_v2"),
    CALL(stream_create, "cuStreamCreate"),
    CALL(stream_destroy, "cuStreamDestroy_v2"),
    CALL(stream_wait, "cuStreamSynchronize"),
    CALL(module_load, "cuModuleLoadData"),
    CALL(module_unload, "cuModuleUnload"),
    CALL(module_function, "cuModuleGetFunction"),
    CALL(module_global, "cuModuleGetGlobal_v2"),
    CALL(launch, "cuLaunchKernel"),
    CALL(record_begin, "cuStreamBeginCapture_v2"),
    CALL(record_end, "cuStreamEndCapture"),
    CALL(graph_build, "cuGraphInstantiateWithFlags"),
    CALL(graph_launch, "cuGraphLaunch"),
    CALL(graph_destroy, "cuGraphDestroy"),
    CALL(executable_destroy, "cuGraphExecDestroy"),
    CALL(error_name, "cuGetErrorName"),
    CALL(error_text, "cuGetErrorString"),
    CALL(context_retain, "cuDevicePrimaryCtxRetain"),
    CALL(context_set, "cuCtxSetCurrent"),
    CALL(context_release, "cuDevicePrimaryCtxRelease_v2"),
    CALL(uuid, "cuDeviceGetUuid"),
    OPTIONAL(instance_uuid, "cuDeviceGetUuid_v2"),
};

#undef CALL
#define CALL(field, name)                                                                          \
    {                                                                                              \
        offsetof(nas_driver_compiler_t, field), name, false                                        \
    }

static const nas_driver_symbol_t compiler_symbol[] = {
    CALL(version, "nvrtcVersion"),
    CALL(create, "nvrtcCreateProgram"),
    CALL(compile, "nvrtcCompileProgram"),
    CALL(log_size, "nvrtcGetProgramLogSize"),
    CALL(log, "nvrtcGetProgramLog"),
    CALL(code_size, "nvrtcGetCUBINSize"),
    CALL(code, "nvrtcGetCUBIN"),
    CALL(destroy, "nvrtcDestroyProgram"),
    CALL(error_text, "nvrtcGetErrorString"),
    CALL(ptx_size, "nvrtcGetPTXSize"),
    CALL(ptx, "nvrtcGetPTX"),
    CALL(n_known, "nvrtcGetNumSupportedArchs"),
    CALL(known, "nvrtcGetSupportedArchs"),
};

/* Division, root and denormals are IEEE's by default; contraction is not off by default. */
static const char *const option[] = {"--fmad=false", "--std=c++17", "-default-device", "-lineinfo",
                                     NULL};

static void words(const nas_driver_calls_t *calls, int code, const char **name, const char **text)
{
    if (calls->error_name(code, name) != 0) *name = "an unknown error of CUDA";
    if (calls->error_text(code, text) != 0) *text = "no text";
}

/* As nvidia-smi prints it, and CUDA_VISIBLE_DEVICES takes it. An instance of MIG has an id of its
 * own. */
static int device_id(const nas_driver_calls_t *calls, int device, char text[NAS_GPU_ID_SIZE])
{
    unsigned char id[16], whole[16];
    int code = calls->uuid(whole, device);
    if (code != 0) return code;
    memcpy(id, whole, sizeof id);
    if (calls->instance_uuid) code = calls->instance_uuid(id, device);
    int length =
        snprintf(text, NAS_GPU_ID_SIZE, "%s", memcmp(id, whole, sizeof id) == 0 ? "GPU" : "MIG");
    for (int i = 0; i < 16; i++) {
        const char *before = i == 0 || i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";
        length +=
            snprintf(text + length, NAS_GPU_ID_SIZE - (size_t)length, "%s%02x", before, id[i]);
    }
    return code;
}

static int describe(const nas_driver_calls_t *calls, int device, nas_gpu_info_t *info)
{
    enum { CAPABILITY_MAJOR = 75, CAPABILITY_MINOR = 76 };
    int major = 0, minor = 0, version = 0;
    int code = calls->attribute(&major, CAPABILITY_MAJOR, device);
    if (code == 0) code = calls->attribute(&minor, CAPABILITY_MINOR, device);
    if (code == 0) code = calls->version(&version);
    if (code == 0) code = device_id(calls, device, info->id);
    snprintf(info->architecture, sizeof info->architecture, "sm_%d%d", major, minor);
    snprintf(info->driver, sizeof info->driver, "CUDA %d.%d", version / 1000, version % 1000 / 10);
    return code;
}

static int enter(const nas_driver_calls_t *calls, int device, void **context)
{
    int code = *context ? 0 : calls->context_retain(context, device);
    return code == 0 ? calls->context_set(*context) : code;
}

static void leave(const nas_driver_calls_t *calls, int device)
{
    (void)calls->context_release(device);
}

enum { MAX_KNOWN = 64 };

/* The largest architecture that NVRTC knows and a device of `wanted` can run; 0: none. */
static int newest_for(const int *known, int n, int wanted)
{
    int best = 0;
    for (int i = 0; i < n; i++) {
        if (known[i] <= wanted && known[i] > best) best = known[i];
    }
    return best;
}

/* NVRTC knows architectures from an oldest one on. A device in between, or newer than the newest, is
 * given PTX, which the driver compiles to the end. */
static nas_status_t target(const nas_driver_compiler_t *compiler, const nas_gpu_info_t *info,
                           nas_driver_target_t *target_p, nas_error_t *err)
{
    int known[MAX_KNOWN], n = 0, major = 0, minor = 0;
    if (compiler->n_known(&n) != 0 || n < 1 || n > MAX_KNOWN || compiler->known(known) != 0 ||
        compiler->version(&major, &minor) != 0) {
        return nas_error_set(err, NAS_EINPUT, "NVRTC does not say which devices it knows");
    }
    const int wanted = (int)strtol(info->architecture + strlen("sm_"), NULL, 10);
    const int best = newest_for(known, n, wanted);
    if (best == 0) {
        int oldest = known[0];
        for (int i = 1; i < n; i++) oldest = known[i] < oldest ? known[i] : oldest;
        return nas_error_set(
            err, NAS_EINPUT,
            "%s is %s, and NVRTC %d.%d compiles for sm_%d and newer: load an older CUDA module, or set NAS_LIBNVRTC to the path of an older libnvrtc",
            info->name, info->architecture, major, minor, oldest);
    }
    target_p->is_ptx = best != wanted;
    snprintf(target_p->option, sizeof target_p->option, "--gpu-architecture=%s_%d",
             target_p->is_ptx ? "compute" : "sm", best);
    return NAS_OK;
}

static const nas_driver_vendor_t vendor = {
    .name = "cuda",
    .compiler_name = "NVRTC",
    .driver = {.variable = "NAS_LIBCUDA",
               .file = {"libcuda.so.1"},
               .remedy = "no NVIDIA driver on this node",
               .symbol = driver_symbol,
               .n_symbols = sizeof driver_symbol / sizeof *driver_symbol},
    .compiler =
        {.variable = "NAS_LIBNVRTC",
         .versioned = "libnvrtc.so.",
         .file = {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so",
                  "/usr/local/cuda/lib64/libnvrtc.so"},
         .remedy =
             "kernels are compiled with it: module load cuda, apt-get install libnvrtc12 or pip install nvidia-cuda-nvrtc",
         .symbol = compiler_symbol,
         .n_symbols = sizeof compiler_symbol / sizeof *compiler_symbol},
    .visible = "CUDA_VISIBLE_DEVICES",
    .attribute_group_size = 1,
    .attribute_local_bytes = 8,
    .attribute_compute_units = 16,
    .option = option,
    .words = words,
    .describe = describe,
    .enter = enter,
    .leave = leave,
    .target = target,
};

NAS_DRIVER_LAYER(cuda);
