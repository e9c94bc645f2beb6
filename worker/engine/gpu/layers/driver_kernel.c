/* Kernels of CUDA's kind: compiled by the vendor's library, loaded by its driver. */
#include "worker/engine/gpu/layers/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static nas_driver_gpu_t *of(nas_gpu_t *gpu)
{
    return (nas_driver_gpu_t *)gpu;
}

nas_status_t nas_driver_compiler_open(nas_driver_gpu_t *gpu, char *identity, size_t size,
                                      nas_error_t *err)
{
    const nas_driver_vendor_t *vendor = gpu->vendor;
    const char *number = strpbrk(gpu->info.driver, "0123456789"); /* of "CUDA 13.0" */
    const int driver = number ? (int)strtol(number, NULL, 10) : 0;
    nas_status_t status = nas_driver_load(&vendor->compiler, driver, &gpu->compiler, err);
    if (status == NAS_OK) status = vendor->target(&gpu->compiler, &gpu->info, &gpu->target, err);
    if (status != NAS_OK) return status;
    int version[2] = {0, 0};
    if (gpu->compiler.version(&version[0], &version[1]) != 0) version[0] = 0;
    int length = snprintf(identity, size, "%s %d.%d %s", vendor->compiler_name, version[0],
                          version[1], gpu->target.option);
    for (int i = 0; vendor->option[i]; i++) {
        length += snprintf(identity + length, size - (size_t)length, " %s", vendor->option[i]);
    }
    return NAS_OK;
}

/* Options of the compiler: the target's, the vendor's, and -DNAME=VALUE of all definitions.
 * *text_p holds the latter; both are the caller's (free). NULL: no memory. */
static const char **options_of(const nas_driver_gpu_t *gpu, const nas_gpu_source_t *source, int *n,
                               char **text_p)
{
    int n_fixed = 1;
    while (gpu->vendor->option[n_fixed - 1]) n_fixed++;
    char *text = nas_gpu_defines(source, "-D");
    const char **option = calloc((size_t)n_fixed + (size_t)source->n_defines, sizeof *option);
    if (!text || !option) {
        free(text);
        free(option);
        return NULL;
    }
    option[0] = gpu->target.option;
    memcpy(option + 1, gpu->vendor->option, (size_t)(n_fixed - 1) * sizeof *option);
    *n = n_fixed;
    char *left = NULL;
    for (char *word = strtok_r(text, " ", &left); word; word = strtok_r(NULL, " ", &left)) {
        option[(*n)++] = word;
    }
    *text_p = text;
    return option;
}

/* What the compiler had to say, as the text of an error. */
static nas_status_t say_refused(nas_driver_gpu_t *gpu, const nas_gpu_source_t *source,
                                void *program, int code, nas_error_t *err)
{
    const nas_driver_compiler_t *compiler = &gpu->compiler;
    char words[512];
    size_t size = 0;
    char *log = compiler->log_size(program, &size) == 0 ? calloc(1, size + 1) : NULL;
    if (log && size > 0) (void)compiler->log(program, log);
    nas_gpu_first_words(log && *log ? log : compiler->error_text(code), words, sizeof words);
    free(log);
    return nas_error_set(err, NAS_EINPUT, "%s does not compile %s.cl for %s: %s",
                         gpu->vendor->compiler_name, source->name, gpu->info.architecture, words);
}

/* The compiled program's bytes. */
static nas_status_t take_code(nas_driver_gpu_t *gpu, void *program, nas_gpu_image_t *image,
                              nas_error_t *err)
{
    const nas_driver_compiler_t *compiler = &gpu->compiler;
    const bool is_ptx = gpu->target.is_ptx;
    size_t n = 0;
    int code = is_ptx ? compiler->ptx_size(program, &n) : compiler->code_size(program, &n);
    char *bytes = code == 0 ? malloc(n > 0 ? n : 1) : NULL;
    if (code == 0 && !bytes) return nas_error_nomem(err, "kernels");
    if (code == 0) code = is_ptx ? compiler->ptx(program, bytes) : compiler->code(program, bytes);
    if (code != 0) {
        free(bytes);
        return nas_error_set(err, NAS_EINPUT, "%s gives no code: %s", gpu->vendor->compiler_name,
                             compiler->error_text(code));
    }
    *image = (nas_gpu_image_t){.bytes = bytes, .n = n};
    return NAS_OK;
}

static nas_status_t compile(nas_gpu_t *base, const nas_gpu_source_t *source, nas_gpu_image_t *image,
                            nas_error_t *err)
{
    nas_driver_gpu_t *gpu = of(base);
    const nas_driver_compiler_t *compiler = &gpu->compiler;
    char *text = NULL, file[NAS_GPU_NAME_SIZE];
    int n = 0;
    const char **option = options_of(gpu, source, &n, &text);
    if (!option) return nas_error_nomem(err, "kernels");
    void *program = NULL;
    snprintf(file, sizeof file, "%s.cl", source->name);
    int code = compiler->create(&program, source->text, file, 0, NULL, NULL);
    nas_status_t status = NAS_OK;
    if (code != 0) {
        status = nas_error_set(err, NAS_EINPUT, "%s does not begin: %s", gpu->vendor->compiler_name,
                               compiler->error_text(code));
    } else {
        code = compiler->compile(program, n, option);
        status = code != 0 ? say_refused(gpu, source, program, code, err)
                           : take_code(gpu, program, image, err);
        (void)compiler->destroy(&program);
    }
    free(text);
    free(option);
    return status;
}

static nas_status_t load(nas_gpu_t *base, const nas_gpu_image_t *image, void **module_p,
                         nas_error_t *err)
{
    nas_driver_gpu_t *gpu = of(base);
    const int code = gpu->calls.module_load(module_p, image->bytes);
    if (code == 0) return NAS_OK;
    const bool is_other_version =
        code == NAS_DRIVER_NO_BINARY || code == NAS_DRIVER_INVALID_IMAGE ||
        code == NAS_DRIVER_UNSUPPORTED_PTX || code == NAS_DRIVER_INVALID_PTX;
    char what[NAS_ERROR_SIZE / 2];
    if (is_other_version) {
        int version[2] = {0, 0};
        (void)gpu->compiler.version(&version[0], &version[1]);
        snprintf(
            what, sizeof what,
            "the driver (%s) does not take kernels of %s %d.%d: use one that is not newer than the driver (%s says which)",
            gpu->info.driver, gpu->vendor->compiler_name, version[0], version[1],
            gpu->vendor->compiler.variable);
    } else {
        snprintf(what, sizeof what, "kernels cannot be loaded");
    }
    return nas_driver_error(gpu, NAS_EIO, what, code, err);
}

static nas_status_t find(nas_gpu_t *base, void *module, nas_gpu_kernel_t *kernel, nas_error_t *err)
{
    nas_driver_gpu_t *gpu = of(base);
    const nas_driver_calls_t *calls = &gpu->calls;
    char lanes_name[NAS_GPU_KERNEL_NAME_SIZE + 8], what[NAS_GPU_KERNEL_NAME_SIZE + 32];
    snprintf(lanes_name, sizeof lanes_name, "%s_lanes", kernel->name);
    void *lanes = NULL;
    size_t bytes = 0;
    int code = calls->module_function(&kernel->handle, module, kernel->name);
    if (code == 0) code = calls->module_global(&lanes, &bytes, module, lanes_name);
    if (code == 0 && bytes != sizeof kernel->lanes) code = NAS_DRIVER_INVALID_IMAGE;
    if (code == 0) code = calls->read_now(&kernel->lanes, lanes, bytes);
    if (code == 0) return NAS_OK;
    snprintf(what, sizeof what, "kernel %s", kernel->name);
    return nas_driver_error(gpu, NAS_EINPUT, what, code, err);
}

static void drop_module(nas_gpu_t *base, void *module)
{
    (void)of(base)->calls.module_unload(module);
}

const nas_gpu_builder_t nas_driver_builder = {
    .compile = compile,
    .load = load,
    .find = find,
    .drop_module = drop_module,
};
