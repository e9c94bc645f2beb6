#include "worker/engine/gpu/layers/modules.h"

#include "common/base/strings.h"
#include "worker/engine/gpu/layers/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct module {
    struct module *next;
    char *text, *defines;
    void *handle;
    nas_gpu_kernel_t *kernels;
} module_t;

struct nas_gpu_modules {
    nas_gpu_t *gpu;
    const nas_gpu_builder_t *builder;
    char *identity;
    module_t *first;
    nas_gpu_cache_t cache;
};

nas_status_t nas_gpu_modules_create(nas_gpu_t *gpu, const nas_gpu_builder_t *builder,
                                    const char *identity, nas_gpu_modules_t **modules_p,
                                    nas_error_t *err)
{
    nas_gpu_modules_t *modules = calloc(1, sizeof *modules);
    if (modules == NULL) return nas_error_nomem(err, "modules of a GPU");
    *modules = (nas_gpu_modules_t){.gpu = gpu, .builder = builder};
    modules->identity = nas_string_copy(identity, err);
    if (modules->identity == NULL) {
        free(modules);
        return NAS_ENOMEM;
    }
    nas_gpu_cache_init(&modules->cache);
    *modules_p = modules;
    return NAS_OK;
}

static void free_module(nas_gpu_modules_t *modules, module_t *module)
{
    for (nas_gpu_kernel_t *kernel = module->kernels, *next; kernel != NULL; kernel = next) {
        next = kernel->next;
        if (modules->builder->drop_kernel != NULL) {
            modules->builder->drop_kernel(modules->gpu, kernel);
        }
        free(kernel);
    }
    if (module->handle != NULL) modules->builder->drop_module(modules->gpu, module->handle);
    free(module->text);
    free(module->defines);
    free(module);
}

void nas_gpu_modules_destroy(nas_gpu_modules_t *modules)
{
    if (modules == NULL) return;
    for (module_t *module = modules->first, *next; module != NULL; module = next) {
        next = module->next;
        free_module(modules, module);
    }
    nas_gpu_cache_fini(&modules->cache);
    free(modules->identity);
    free(modules);
}

/* From the cache, where that has it and the driver takes it. */
static bool load_cached(nas_gpu_modules_t *modules, const nas_gpu_cache_key_t *key, void **handle_p)
{
    nas_gpu_image_t image = {0};
    if (!nas_gpu_cache_read(&modules->cache, key, &image)) return false;
    const nas_status_t status = modules->builder->load(modules->gpu, &image, handle_p, NULL);
    free(image.bytes);
    if (status == NAS_OK) modules->gpu->counts.n_cached++;
    return status == NAS_OK;
}

static nas_status_t build(nas_gpu_modules_t *modules, const nas_gpu_source_t *source,
                          const char *defines, void **handle_p, nas_error_t *err)
{
    if (modules->builder->build != NULL) {
        nas_status_t status = modules->builder->build(modules->gpu, source, handle_p, err);
        if (status == NAS_OK) modules->gpu->counts.n_built++;
        return status;
    }
    const nas_gpu_cache_key_t key = {
        .identity = modules->identity, .text = source->text, .defines = defines};
    nas_gpu_image_t image = {0};
    if (load_cached(modules, &key, handle_p)) return NAS_OK;
    nas_status_t status = modules->builder->compile(modules->gpu, source, &image, err);
    if (status != NAS_OK) return status;
    modules->gpu->counts.n_built++;
    status = modules->builder->load(modules->gpu, &image, handle_p, err);
    if (status == NAS_OK) nas_gpu_cache_write(&modules->cache, &key, &image);
    free(image.bytes);
    return status;
}

static nas_status_t open_module(nas_gpu_modules_t *modules, const nas_gpu_source_t *source,
                                char *defines, module_t **module_p, nas_error_t *err)
{
    module_t *module = calloc(1, sizeof *module);
    if (module == NULL) {
        free(defines);
        return nas_error_nomem(err, "modules of a GPU");
    }
    module->defines = defines;
    module->text = nas_string_copy(source->text, err);
    nas_status_t status =
        module->text == NULL ? NAS_ENOMEM : build(modules, source, defines, &module->handle, err);
    if (status != NAS_OK) {
        free_module(modules, module);
        return status;
    }
    module->next = modules->first;
    modules->first = module;
    *module_p = module;
    return NAS_OK;
}

static nas_status_t find_module(nas_gpu_modules_t *modules, const nas_gpu_source_t *source,
                                module_t **module_p, nas_error_t *err)
{
    char *defines = nas_gpu_defines(source, "");
    if (defines == NULL) return nas_error_nomem(err, "modules of a GPU");
    for (module_t *module = modules->first; module != NULL; module = module->next) {
        if (strcmp(module->defines, defines) == 0 && strcmp(module->text, source->text) == 0) {
            free(defines);
            *module_p = module;
            return NAS_OK;
        }
    }
    return open_module(modules, source, defines, module_p, err);
}

nas_status_t nas_gpu_modules_kernel(nas_gpu_modules_t *modules, const nas_gpu_source_t *source,
                                    const char *name, const nas_gpu_kernel_t **kernel_p,
                                    nas_error_t *err)
{
    NAS_ASSERT(strlen(name) < NAS_GPU_KERNEL_NAME_SIZE);
    module_t *module = NULL;
    nas_status_t status = find_module(modules, source, &module, err);
    if (status != NAS_OK) return status;
    for (const nas_gpu_kernel_t *kernel = module->kernels; kernel != NULL; kernel = kernel->next) {
        if (strcmp(kernel->name, name) == 0) {
            *kernel_p = kernel;
            return NAS_OK;
        }
    }
    nas_gpu_kernel_t *kernel = calloc(1, sizeof *kernel);
    if (kernel == NULL) return nas_error_nomem(err, "modules of a GPU");
    (void)snprintf(kernel->name, sizeof kernel->name, "%s", name);
    status = modules->builder->find(modules->gpu, module->handle, kernel, err);
    if (status != NAS_OK) {
        free(kernel);
        return status;
    }
    kernel->next = module->kernels;
    module->kernels = kernel;
    *kernel_p = kernel;
    return NAS_OK;
}

/* Length of the line at `line`; whether it has anything but blanks, and speaks of an error. */
static size_t read_line(const char *line, bool *has_words, bool *is_error)
{
    const size_t length = strcspn(line, "\n");
    *has_words = strspn(line, " \t\r") < length;
    *is_error = false;
    for (size_t i = 0; i + 5 <= length && !*is_error; i++) {
        *is_error = strncasecmp(line + i, "error", 5) == 0;
    }
    return length;
}

const char *nas_gpu_first_words(const char *log, char *text, size_t size)
{
    const char *first = NULL, *error = NULL;
    size_t n_first = 0, n_error = 0;
    for (const char *line = log; *line != '\0' && error == NULL;) {
        bool has_words, is_error;
        const size_t length = read_line(line, &has_words, &is_error);
        if (is_error) error = line, n_error = length;
        if (has_words && first == NULL) first = line, n_first = length;
        line += length + (line[length] == '\n');
    }
    if (error != NULL) first = error, n_first = n_error;
    if (first == NULL) first = "the compiler gave no reason", n_first = strlen(first);
    (void)snprintf(text, size, "%.*s", (int)n_first, first);
    return text;
}

char *nas_gpu_defines(const nas_gpu_source_t *source, const char *prefix)
{
    size_t size = 1;
    for (int i = 0; i < source->n_defines; i++) {
        size += strlen(prefix) + strlen(source->define[i]) + 1;
    }
    char *defines = calloc(1, size), *end = defines;
    if (defines == NULL) return NULL;
    for (int i = 0; i < source->n_defines; i++) {
        end += snprintf(end, size - (size_t)(end - defines), "%s%s ", prefix, source->define[i]);
    }
    return defines;
}
