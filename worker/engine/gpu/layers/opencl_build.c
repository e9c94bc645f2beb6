#include "common/base/strings.h"
#include "worker/engine/gpu/layers/opencl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NAS_EINPUT with the compiler's first words. */
static nas_status_t refuse(nas_opencl_t *gpu, const nas_gpu_source_t *source, cl_program program,
                           nas_error_t *err)
{
    char words[512] = "no memory for the compiler's words";
    size_t size = 0;
    const nas_opencl_api_t *api = &gpu->api;
    (void)api->clGetProgramBuildInfo(program, gpu->device, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
    char *log = calloc(1, size + 1);
    if (log != NULL) {
        (void)api->clGetProgramBuildInfo(program, gpu->device, CL_PROGRAM_BUILD_LOG, size, log,
                                         NULL);
        (void)nas_gpu_first_words(log, words, sizeof words);
        free(log);
    }
    return nas_error_set(err, NAS_EINPUT, "the kernels of %s cannot be built for %s: %s",
                         source->name, gpu->info.name, words);
}

static nas_status_t image_of(nas_opencl_t *gpu, cl_program program, nas_gpu_image_t *image,
                             nas_error_t *err)
{
    const nas_opencl_api_t *api = &gpu->api;
    size_t n = 0;
    char text[64];
    cl_int code = api->clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof n, &n, NULL);
    if (code == CL_SUCCESS && n > 0) {
        unsigned char *bytes = malloc(n);
        if (bytes == NULL) return nas_error_nomem(err, "a built kernel");
        code = api->clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof bytes, &bytes, NULL);
        *image = (nas_gpu_image_t){.bytes = bytes, .n = n};
        if (code == CL_SUCCESS) return NAS_OK;
        free(bytes);
    }
    return nas_error_set(err, NAS_EIO, "%s does not hand out kernels that it has built: %s",
                         gpu->info.name, nas_opencl_error(code, text, sizeof text));
}

static nas_status_t build(nas_gpu_t *base, const nas_gpu_source_t *source, void **module_p,
                          nas_error_t *err)
{
    nas_opencl_t *gpu = (nas_opencl_t *)base;
    cl_int code = CL_SUCCESS;
    const char *text = source->text;
    char *defines = nas_gpu_defines(source, "-D");
    char *options =
        defines == NULL ? NULL : nas_string_format(err, "%s %s", NAS_OPENCL_OPTIONS, defines);
    free(defines);
    if (options == NULL) return nas_error_nomem(err, "options of a kernel");
    cl_program program = gpu->api.clCreateProgramWithSource(gpu->context, 1, &text, NULL, &code);
    if (code == CL_SUCCESS) {
        code = gpu->api.clBuildProgram(program, 1, &gpu->device, options, NULL, NULL);
    }
    free(options);
    if (program == NULL) return nas_error_nomem(err, "a kernel's source");
    if (code == CL_SUCCESS) {
        *module_p = program;
        return NAS_OK;
    }
    nas_status_t status = refuse(gpu, source, program, err);
    (void)gpu->api.clReleaseProgram(program);
    return status;
}

static nas_status_t compile(nas_gpu_t *base, const nas_gpu_source_t *source, nas_gpu_image_t *image,
                            nas_error_t *err)
{
    void *program = NULL;
    nas_status_t status = build(base, source, &program, err);
    if (status != NAS_OK) return status;
    status = image_of((nas_opencl_t *)base, program, image, err);
    (void)((nas_opencl_t *)base)->api.clReleaseProgram(program);
    return status;
}

static nas_status_t load(nas_gpu_t *base, const nas_gpu_image_t *image, void **module_p,
                         nas_error_t *err)
{
    nas_opencl_t *gpu = (nas_opencl_t *)base;
    const unsigned char *bytes = image->bytes;
    cl_int code = CL_SUCCESS;
    char text[64];
    cl_program program = gpu->api.clCreateProgramWithBinary(gpu->context, 1, &gpu->device,
                                                            &image->n, &bytes, NULL, &code);
    if (code == CL_SUCCESS) {
        code = gpu->api.clBuildProgram(program, 1, &gpu->device, NAS_OPENCL_OPTIONS, NULL, NULL);
    }
    if (code == CL_SUCCESS) {
        *module_p = program;
        return NAS_OK;
    }
    if (program != NULL) (void)gpu->api.clReleaseProgram(program);
    return nas_error_set(err, NAS_EIO, "%s does not take a kernel that it has built: %s",
                         gpu->info.name, nas_opencl_error(code, text, sizeof text));
}

static nas_status_t find(nas_gpu_t *base, void *module, nas_gpu_kernel_t *kernel, nas_error_t *err)
{
    nas_opencl_t *gpu = (nas_opencl_t *)base;
    const nas_opencl_api_t *api = &gpu->api;
    size_t lanes[3] = {0};
    cl_ulong local_bytes = 0;
    cl_int code = CL_SUCCESS;
    char text[64];
    cl_kernel handle = api->clCreateKernel(module, kernel->name, &code);
    if (code != CL_SUCCESS) {
        return nas_error_set(err, NAS_EINPUT, "there is no kernel %s: %s", kernel->name,
                             nas_opencl_error(code, text, sizeof text));
    }
    (void)api->clGetKernelWorkGroupInfo(handle, gpu->device, CL_KERNEL_COMPILE_WORK_GROUP_SIZE,
                                        sizeof lanes, lanes, NULL);
    (void)api->clGetKernelWorkGroupInfo(handle, gpu->device, CL_KERNEL_LOCAL_MEM_SIZE,
                                        sizeof local_bytes, &local_bytes, NULL);
    kernel->handle = handle;
    kernel->lanes = (int)lanes[0];
    kernel->local_bytes = (int)local_bytes;
    return NAS_OK;
}

static void drop_kernel(nas_gpu_t *base, nas_gpu_kernel_t *kernel)
{
    (void)((nas_opencl_t *)base)->api.clReleaseKernel(kernel->handle);
}

static void drop_module(nas_gpu_t *base, void *module)
{
    (void)((nas_opencl_t *)base)->api.clReleaseProgram(module);
}

static const nas_gpu_builder_t with_images = {
    .compile = compile,
    .load = load,
    .find = find,
    .drop_kernel = drop_kernel,
    .drop_module = drop_module,
};

/* PoCL keeps its kernels on disk, each built when it is launched first; asked for an image, it
 * builds all of a source, and once more what is launched of the image. */
static const nas_gpu_builder_t with_cache_of_driver = {
    .build = build,
    .find = find,
    .drop_kernel = drop_kernel,
    .drop_module = drop_module,
};

const nas_gpu_builder_t *nas_opencl_builder(const nas_gpu_info_t *info)
{
    const bool is_pocl = strcmp(info->platform, "Portable Computing Language") == 0;
    return is_pocl && info->is_cpu ? &with_cache_of_driver : &with_images;
}
