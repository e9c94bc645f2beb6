/* What this program calls of OpenCL 1.2, declared here and found at run time: no header and no
 * library of a vendor is needed to build. Names and numbers are those of Khronos' specification. */
#ifndef NAS_WORKER_ENGINE_GPU_LAYERS_OPENCL_API_H
#define NAS_WORKER_ENGINE_GPU_LAYERS_OPENCL_API_H

#include "common/base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef int32_t cl_int;
typedef uint32_t cl_uint;
typedef uint64_t cl_ulong;
typedef struct cl_platform *cl_platform_id;
typedef struct cl_device *cl_device_id;
typedef struct cl_context_object *cl_context;
typedef struct cl_queue_object *cl_command_queue;
typedef struct cl_mem_object *cl_mem;
typedef struct cl_program_object *cl_program;
typedef struct cl_kernel_object *cl_kernel;
typedef struct cl_event_object *cl_event;

enum {
    CL_SUCCESS = 0,
    CL_DEVICE_NOT_FOUND = -1,
    CL_MEM_OBJECT_ALLOCATION_FAILURE = -4,
    CL_OUT_OF_RESOURCES = -5,
    CL_OUT_OF_HOST_MEMORY = -6,
    CL_BUILD_PROGRAM_FAILURE = -11,
    CL_INVALID_BUFFER_SIZE = -61,
    CL_PLATFORM_NOT_FOUND_KHR = -1001,

    CL_PLATFORM_NAME = 0x0902,

    CL_DEVICE_TYPE = 0x1000,
    CL_DEVICE_MAX_COMPUTE_UNITS = 0x1002,
    CL_DEVICE_MAX_WORK_GROUP_SIZE = 0x1004,
    CL_DEVICE_MAX_MEM_ALLOC_SIZE = 0x1010,
    CL_DEVICE_GLOBAL_MEM_SIZE = 0x101F,
    CL_DEVICE_LOCAL_MEM_SIZE = 0x1023,
    CL_DEVICE_COMPILER_AVAILABLE = 0x1028,
    CL_DEVICE_NAME = 0x102B,
    CL_DRIVER_VERSION = 0x102D,
    CL_DEVICE_VERSION = 0x102F,
    CL_DEVICE_DOUBLE_FP_CONFIG = 0x1032,
    CL_DEVICE_UUID_KHR = 0x106A,
    CL_UUID_SIZE_KHR = 16,

    CL_MEM_READ_WRITE = 1,
    CL_MEM_ALLOC_HOST_PTR = 1 << 4,
    CL_MAP_READ_AND_WRITE = 3,
    CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED = 2,

    CL_PROGRAM_BINARY_SIZES = 0x1165,
    CL_PROGRAM_BINARIES = 0x1166,
    CL_PROGRAM_BUILD_LOG = 0x1183,
    CL_KERNEL_COMPILE_WORK_GROUP_SIZE = 0x11B1,
    CL_KERNEL_LOCAL_MEM_SIZE = 0x11B2
};

#define CL_DEVICE_TYPE_ALL UINT64_C(0xFFFFFFFF)
#define CL_DEVICE_TYPE_CPU UINT64_C(2)

/* X(name, result, arguments): the functions. */
#define NAS_OPENCL_FUNCTIONS(X)                                                                    \
    X(clGetPlatformIDs, cl_int, (cl_uint, cl_platform_id *, cl_uint *))                            \
    X(clGetPlatformInfo, cl_int, (cl_platform_id, cl_uint, size_t, void *, size_t *))              \
    X(clGetDeviceIDs, cl_int, (cl_platform_id, cl_ulong, cl_uint, cl_device_id *, cl_uint *))      \
    X(clGetDeviceInfo, cl_int, (cl_device_id, cl_uint, size_t, void *, size_t *))                  \
    X(clCreateContext, cl_context,                                                                 \
      (const intptr_t *, cl_uint, const cl_device_id *,                                            \
       void (*)(const char *, const void *, size_t, void *), void *, cl_int *))                    \
    X(clReleaseContext, cl_int, (cl_context))                                                      \
    X(clCreateCommandQueue, cl_command_queue, (cl_context, cl_device_id, cl_ulong, cl_int *))      \
    X(clReleaseCommandQueue, cl_int, (cl_command_queue))                                           \
    X(clFlush, cl_int, (cl_command_queue))                                                         \
    X(clFinish, cl_int, (cl_command_queue))                                                        \
    X(clCreateBuffer, cl_mem, (cl_context, cl_ulong, size_t, void *, cl_int *))                    \
    X(clReleaseMemObject, cl_int, (cl_mem))                                                        \
    X(clEnqueueMigrateMemObjects, cl_int,                                                          \
      (cl_command_queue, cl_uint, const cl_mem *, cl_ulong, cl_uint, const cl_event *,             \
       cl_event *))                                                                                \
    X(clEnqueueMapBuffer, void *,                                                                  \
      (cl_command_queue, cl_mem, cl_uint, cl_ulong, size_t, size_t, cl_uint, const cl_event *,     \
       cl_event *, cl_int *))                                                                      \
    X(clEnqueueUnmapMemObject, cl_int,                                                             \
      (cl_command_queue, cl_mem, void *, cl_uint, const cl_event *, cl_event *))                   \
    X(clEnqueueWriteBuffer, cl_int,                                                                \
      (cl_command_queue, cl_mem, cl_uint, size_t, size_t, const void *, cl_uint, const cl_event *, \
       cl_event *))                                                                                \
    X(clEnqueueReadBuffer, cl_int,                                                                 \
      (cl_command_queue, cl_mem, cl_uint, size_t, size_t, void *, cl_uint, const cl_event *,       \
       cl_event *))                                                                                \
    X(clEnqueueNDRangeKernel, cl_int,                                                              \
      (cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *, const size_t *,       \
       cl_uint, const cl_event *, cl_event *))                                                     \
    X(clCreateProgramWithSource, cl_program,                                                       \
      (cl_context, cl_uint, const char **, const size_t *, cl_int *))                              \
    X(clCreateProgramWithBinary, cl_program,                                                       \
      (cl_context, cl_uint, const cl_device_id *, const size_t *, const unsigned char **,          \
       cl_int *, cl_int *))                                                                        \
    X(clBuildProgram, cl_int,                                                                      \
      (cl_program, cl_uint, const cl_device_id *, const char *, void (*)(cl_program, void *),      \
       void *))                                                                                    \
    X(clGetProgramInfo, cl_int, (cl_program, cl_uint, size_t, void *, size_t *))                   \
    X(clGetProgramBuildInfo, cl_int,                                                               \
      (cl_program, cl_device_id, cl_uint, size_t, void *, size_t *))                               \
    X(clReleaseProgram, cl_int, (cl_program))                                                      \
    X(clCreateKernel, cl_kernel, (cl_program, const char *, cl_int *))                             \
    X(clReleaseKernel, cl_int, (cl_kernel))                                                        \
    X(clSetKernelArg, cl_int, (cl_kernel, cl_uint, size_t, const void *))                          \
    X(clGetKernelWorkGroupInfo, cl_int,                                                            \
      (cl_kernel, cl_device_id, cl_uint, size_t, void *, size_t *))

/** The functions, under their own names. */
typedef struct nas_opencl_api {
#define NAS_OPENCL_MEMBER(name, result, arguments) __typeof__(result arguments) *(name);
    NAS_OPENCL_FUNCTIONS(NAS_OPENCL_MEMBER)
#undef NAS_OPENCL_MEMBER
} nas_opencl_api_t;

/** Find libOpenCL.so.1 and its functions.  Not collective. The library stays loaded for good:
 *  drivers have threads and handlers of their own.
 *  NAS_EIO: there is none, or it lacks a function: which, and the remedy. */
nas_status_t nas_opencl_load(nas_opencl_api_t *api, nas_error_t *err);

/** "CL_OUT_OF_RESOURCES (-5)", or the number alone where it has no well-known name, into text
 *  [size]. Returns text. */
const char *nas_opencl_error(cl_int code, char *text, size_t size);

#endif
