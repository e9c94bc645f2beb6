#include "worker/engine/gpu/layers/opencl_api.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

nas_status_t nas_opencl_load(nas_opencl_api_t *api, nas_error_t *err)
{
    void *library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == NULL) {
        return nas_error_set(
            err, NAS_EIO,
            "libOpenCL.so.1 was not found; it comes with a driver of GPUs (on Debian: ocl-icd-libopencl1)");
    }
    void *function;
#define FIND(name, result, arguments)                                                              \
    function = dlsym(library, #name);                                                              \
    if (function == NULL) {                                                                        \
        return nas_error_set(err, NAS_EIO, "libOpenCL.so.1 has no %s: OpenCL 1.2 is needed",       \
                             #name);                                                               \
    }                                                                                              \
    memcpy(&api->name, &function, sizeof function);
    NAS_OPENCL_FUNCTIONS(FIND)
#undef FIND
    return NAS_OK;
}

const char *nas_opencl_error(cl_int code, char *text, size_t size)
{
    static const struct {
        cl_int code;
        const char *name;
    } known[] = {
        {-2, "CL_DEVICE_NOT_AVAILABLE"},
        {-3, "CL_COMPILER_NOT_AVAILABLE"},
        {CL_MEM_OBJECT_ALLOCATION_FAILURE, "CL_MEM_OBJECT_ALLOCATION_FAILURE"},
        {CL_OUT_OF_RESOURCES, "CL_OUT_OF_RESOURCES"},
        {CL_OUT_OF_HOST_MEMORY, "CL_OUT_OF_HOST_MEMORY"},
        {CL_BUILD_PROGRAM_FAILURE, "CL_BUILD_PROGRAM_FAILURE"},
        {-14, "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST"},
        {-30, "CL_INVALID_VALUE"},
        {-36, "CL_INVALID_COMMAND_QUEUE"},
        {-38, "CL_INVALID_MEM_OBJECT"},
        {-42, "CL_INVALID_BINARY"},
        {-46, "CL_INVALID_KERNEL_NAME"},
        {-52, "CL_INVALID_KERNEL_ARGS"},
        {-54, "CL_INVALID_WORK_GROUP_SIZE"},
        {-61, "CL_INVALID_BUFFER_SIZE"},
    };
    (void)snprintf(text, size, "OpenCL error %d", code);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].code == code) (void)snprintf(text, size, "%s (%d)", known[i].name, code);
    }
    return text;
}
