/* AMD's devices: HIP and hiprtc.
 *
 * Written against HIP 5.2's headers and compiled kernels; no device of AMD's has run it yet. */
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

static const nas_driver_symbol_t driver_symbol[] = {
    CALL(init, "hipInit"),
    CALL(version, "hipDriverGetVersion"),
    CALL(count, "hipGetDeviceCount"),
    CALL(device, "hipDeviceGet"),
    CALL(name, "hipDeviceGetName"),
    CALL(attribute, "hipDeviceGetAttribute"),
    CALL(total_memory, "hipDeviceTotalMem"),
    CALL(memory, "hipMemGetInfo"),
    CALL(alloc, "hipMalloc"),
    CALL(free, "hipFree"),
    CALL(host_alloc, "hipHostMalloc"),
    CALL(host_free, "hipHostFree"),
    CALL(write, "hipMemcpyHtoDAsync"),
    CALL(read, "hipMemcpyDtoHAsync"),
    CALL(read_now, "hipMemcpyDtoH"),
    CALL(stream_create, "hipStreamCreateWithFlags"),
    CALL(stream_destroy, "hipStreamDestroy"),
    CALL(stream_wait, "hipStreamSynchronize"),
    CALL(module_load, "hipModuleLoadData"),
    CALL(module_unload, "hipModuleUnload"),
    CALL(module_function, "hipModuleGetFunction"),
    CALL(module_global, "hipModuleGetGlobal"),
    CALL(launch, "hipModuleLaunchKernel"),
    CALL(record_begin, "hipStreamBeginCapture"),
    CALL(record_end, "hipStreamEndCapture"),
    CALL(graph_build, "hipGraphInstantiateWithFlags"),
    CALL(graph_launch, "hipGraphLaunch"),
    CALL(graph_destroy, "hipGraphDestroy"),
    CALL(executable_destroy, "hipGraphExecDestroy"),
    CALL(error_name_of, "hipGetErrorName"),
    CALL(error_text_of, "hipGetErrorString"),
    CALL(set_device, "hipSetDevice"),
    CALL(bus_id, "hipDeviceGetPCIBusId"),
    OPTIONAL(properties, "hipGetDevicePropertiesR0600"),
    OPTIONAL(properties_old, "hipGetDeviceProperties"),
};

#undef CALL
#define CALL(field, name)                                                                          \
    {                                                                                              \
        offsetof(nas_driver_compiler_t, field), name, false                                        \
    }

static const nas_driver_symbol_t compiler_symbol[] = {
    CALL(version, "hiprtcVersion"),
    CALL(create, "hiprtcCreateProgram"),
    CALL(compile, "hiprtcCompileProgram"),
    CALL(log_size, "hiprtcGetProgramLogSize"),
    CALL(log, "hiprtcGetProgramLog"),
    CALL(code_size, "hiprtcGetCodeSize"),
    CALL(code, "hiprtcGetCode"),
    CALL(destroy, "hiprtcDestroyProgram"),
    CALL(error_text, "hiprtcGetErrorString"),
};

static const char *const option[] = {"-ffp-contract=off", "-std=c++17", "-O3", NULL};

static void words(const nas_driver_calls_t *calls, int code, const char **name, const char **text)
{
    *name = calls->error_name_of(code);
    *text = calls->error_text_of(code);
    if (!*name) *name = "an unknown error of HIP";
    if (!*text) *text = "no text";
}

enum { NAS_HIP_PROPERTIES = 16384 };

/* "gfx90a:sramecc+:xnack-" out of the properties, a structure whose fields move from version to
 * version: it is the last text there that begins so, behind the device's name. */
static void find_architecture(const char *properties, char architecture[NAS_GPU_ID_SIZE])
{
    for (int i = 0; i + NAS_GPU_ID_SIZE < NAS_HIP_PROPERTIES; i++) {
        if (memcmp(properties + i, "gfx", 3) != 0) continue;
        snprintf(architecture, NAS_GPU_ID_SIZE, "%.*s", NAS_GPU_ID_SIZE - 1, properties + i);
    }
}

static int describe(const nas_driver_calls_t *calls, int device, nas_gpu_info_t *info)
{
    int (*ask)(void *, int) = calls->properties ? calls->properties : calls->properties_old;
    char *properties = calloc(1, NAS_HIP_PROPERTIES);
    if (!properties || !ask) {
        free(properties);
        return NAS_DRIVER_UNKNOWN;
    }
    int version = 0;
    int code = ask(properties, device);
    if (code == 0) find_architecture(properties, info->architecture);
    free(properties);
    if (code == 0) code = calls->version(&version);
    if (code == 0) code = calls->bus_id(info->id, NAS_GPU_ID_SIZE, device);
    snprintf(info->driver, sizeof info->driver, "HIP %d.%d", version / 10000000,
             version / 100000 % 100);
    return code;
}

static int enter(const nas_driver_calls_t *calls, int device, void **context)
{
    (void)context;
    return calls->set_device(device);
}

/* What hiprtc knows it says only when it compiles. */
static nas_status_t target(const nas_driver_compiler_t *compiler, const nas_gpu_info_t *info,
                           nas_driver_target_t *target_p, nas_error_t *err)
{
    (void)compiler;
    if (!*info->architecture) {
        return nas_error_set(err, NAS_EINPUT, "hip:%d %s does not say what its architecture is",
                             info->index, info->name);
    }
    snprintf(target_p->option, sizeof target_p->option, "--offload-arch=%s", info->architecture);
    return NAS_OK;
}

static const nas_driver_vendor_t vendor = {
    .name = "hip",
    .compiler_name = "hiprtc",
    .driver = {.variable = "NAS_LIBHIP",
               .file = {"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5",
                        "libamdhip64.so", "/opt/rocm/lib/libamdhip64.so"},
               .remedy = "no HIP of AMD's ROCm on this node: module load rocm",
               .symbol = driver_symbol,
               .n_symbols = sizeof driver_symbol / sizeof *driver_symbol},
    /* A library of its own, or a part of HIP's. */
    .compiler = {.variable = "NAS_LIBHIPRTC",
                 .versioned = "libhiprtc.so.",
                 .file = {"libhiprtc.so", "/opt/rocm/lib/libhiprtc.so", "libamdhip64.so.5",
                          "libamdhip64.so"},
                 .remedy = "kernels are compiled with it: module load rocm",
                 .symbol = compiler_symbol,
                 .n_symbols = sizeof compiler_symbol / sizeof *compiler_symbol},
    .visible = "ROCR_VISIBLE_DEVICES",
    .attribute_group_size = 56,
    .attribute_local_bytes = 74,
    .attribute_compute_units = 63,
    .option = option,
    .words = words,
    .describe = describe,
    .enter = enter,
    .leave = NULL,
    .target = target,
};

NAS_DRIVER_LAYER(hip);
