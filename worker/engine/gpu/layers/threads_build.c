#include "common/base/strings.h"
#include "worker/engine/gpu/layers/threads.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN true
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN true
#endif
#endif
#ifndef WITH_TSAN
#define WITH_TSAN false
#endif

/* The end of every source: what the prelude declares. */
static const char tail[] =
    "\nNAS_ITEM_LOCAL nas_gpu_item_t nas_gpu_item;\n"
    "nas_gpu_item_t *nas_gpu_item_of_thread(void) { return &nas_gpu_item; }\n";

/* A shared object, and the file that it is. */
typedef struct module {
    void *library;
    int file;
    nas_gpu_item_t *(*item)(void);
} module_t;

/* What the handle of a kernel stands for. */
typedef struct entry {
    void (*function)(float *arena, double *vectors, const u8 *data, const u8 *table, i64 at);
    nas_gpu_item_t *(*item)(void);
} entry_t;

bool nas_threads_are_real(void)
{
    const char *asked = getenv("NAS_GPU_THREADS");
    return WITH_TSAN || (asked != NULL && strcmp(asked, "threads") == 0);
}

/* fma as an instruction, where there is one; elsewhere it is the C library's, with the same bits. */
static const char *flags_of_processor(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("fma") ? "-mfma" : "";
#else
    return "";
#endif
}

/* The command, but for its files. */
static char *command_of(bool are_real, nas_error_t *err)
{
    return nas_string_format(
        err,
        "%s -std=gnu17 -w -g -O1 -ffp-contract=off -fno-math-errno -fno-strict-aliasing -fPIC -shared %s %s %s",
        NAS_THREADS_COMPILER, NAS_THREADS_SANITIZERS, flags_of_processor(),
        are_real ? "" : "-DNAS_ITEM_LOCAL=");
}

char *nas_threads_identity(bool are_real, nas_error_t *err)
{
    char *command = command_of(are_real, err);
    char *identity =
        command == NULL ? NULL
                        : nas_string_format(err, "threads\n%s\n%s\n%s", command, __VERSION__, tail);
    free(command);
    return identity;
}

/* Run a command of the shell with its words in a file: whether it succeeded. */
static bool run(const char *command)
{
    extern char **environ;
    char *const argument[] = {(char *)"sh", (char *)"-c", (char *)command, NULL};
    pid_t pid;
    int ended = 0;
    if (posix_spawn(&pid, "/bin/sh", NULL, NULL, argument, environ) != 0) return false;
    while (waitpid(pid, &ended, 0) < 0) {
        if (errno != EINTR) return false;
    }
    return WIFEXITED(ended) && WEXITSTATUS(ended) == 0;
}

static nas_status_t read_file(const char *path, nas_gpu_image_t *image, nas_error_t *err)
{
    struct stat status;
    FILE *file = fopen(path, "r");
    if (file == NULL || fstat(fileno(file), &status) != 0) {
        if (file != NULL) (void)fclose(file);
        return nas_error_set(err, NAS_EIO, "%s: %s", path, strerror(errno));
    }
    image->n = (size_t)status.st_size;
    image->bytes = calloc(1, image->n + 1); /* a text ends */
    const bool is_read = image->bytes != NULL && fread(image->bytes, 1, image->n, file) == image->n;
    (void)fclose(file);
    if (is_read) return NAS_OK;
    free(image->bytes);
    image->bytes = NULL;
    return nas_error_set(err, NAS_EIO, "%s cannot be read", path);
}

static nas_status_t write_source(const char *path, const nas_gpu_source_t *source, nas_error_t *err)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) return nas_error_set(err, NAS_EIO, "%s: %s", path, strerror(errno));
    for (int i = 0; i < source->n_defines; i++) {
        const char *define = source->define[i];
        const size_t n_name = strcspn(define, "=");
        const char *value = define[n_name] == '=' ? define + n_name + 1 : "1";
        (void)fprintf(file, "#define %.*s %s\n", (int)n_name, define, value);
    }
    (void)fprintf(file, "#line 1 \"%s\"\n%s%s", source->name, source->text, tail);
    if (fclose(file) == 0) return NAS_OK;
    return nas_error_set(err, NAS_EIO, "%s: %s", path, strerror(errno));
}

static nas_status_t refuse(const nas_gpu_source_t *source, const char *log_path, nas_error_t *err)
{
    nas_gpu_image_t log = {0};
    char words[512];
    nas_status_t status = read_file(log_path, &log, err);
    if (status != NAS_OK) return status;
    status =
        nas_error_set(err, NAS_EINPUT, "the kernels of %s cannot be built by %s: %s", source->name,
                      NAS_THREADS_COMPILER, nas_gpu_first_words(log.bytes, words, sizeof words));
    free(log.bytes);
    return status;
}

/* Divisions and square roots of float32 are what OpenCL may round as it likes. The prelude forbids
 * them, and the assembler's text of x86 shows them: divss, vsqrtps. */
static nas_status_t check_rounding(const nas_gpu_source_t *source, const char *path,
                                   nas_error_t *err)
{
    static const char *const forbidden[] = {"divss", "divps", "sqrtss", "sqrtps"};
    nas_gpu_image_t text = {0};
    nas_status_t status = read_file(path, &text, err);
    if (status != NAS_OK) return status;
    for (char *rest = text.bytes, *line; (line = strsep(&rest, "\n")) != NULL;) {
        line += strspn(line, " \t");
        if (line[0] == 'v') line++;
        for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
            if (strncmp(line, forbidden[i], strlen(forbidden[i])) != 0) continue;
            status = nas_error_set(
                err, NAS_EINPUT,
                "the kernels of %s divide or take a square root in float32 (%s), which drivers round as they like",
                source->name, forbidden[i]);
        }
    }
    free(text.bytes);
    return status;
}

/* Where a source is compiled. */
typedef struct paths {
    const char *folder;
    char source[64], text[64], log[64], out[64];
} paths_t;

static nas_status_t compile_at(const paths_t *path, const nas_gpu_source_t *source,
                               const char *command, nas_gpu_image_t *image, nas_error_t *err)
{
    nas_status_t status = write_source(path->source, source, err);
    if (status != NAS_OK) return status;
    char *all = nas_string_format(
        err,
        "cd %s && LC_ALL=C && export LC_ALL && { %s -S -o kernels.s kernels.c && %s -o kernels.so kernels.s -lm; } >log 2>&1",
        path->folder, command, command);
    if (all == NULL) return NAS_ENOMEM;
    if (!run(all)) {
        status = refuse(source, path->log, err);
    } else {
        status = check_rounding(source, path->text, err);
        if (status == NAS_OK) status = read_file(path->out, image, err);
    }
    free(all);
    return status;
}

/* In a folder of its own. */
static nas_status_t compile_in(const char *folder, const nas_gpu_source_t *source, bool are_real,
                               nas_gpu_image_t *image, nas_error_t *err)
{
    paths_t path = {.folder = folder};
    (void)snprintf(path.source, sizeof path.source, "%s/kernels.c", folder);
    (void)snprintf(path.text, sizeof path.text, "%s/kernels.s", folder);
    (void)snprintf(path.log, sizeof path.log, "%s/log", folder);
    (void)snprintf(path.out, sizeof path.out, "%s/kernels.so", folder);
    char *command = command_of(are_real, err);
    if (command == NULL) return NAS_ENOMEM;
    nas_status_t status = compile_at(&path, source, command, image, err);
    free(command);
    (void)unlink(path.source);
    (void)unlink(path.text);
    (void)unlink(path.log);
    (void)unlink(path.out);
    return status;
}

static nas_status_t compile(nas_gpu_t *gpu, const nas_gpu_source_t *source, nas_gpu_image_t *image,
                            nas_error_t *err)
{
    char folder[] = "/tmp/robotnas-kernels-XXXXXX";
    if (mkdtemp(folder) == NULL) {
        return nas_error_set(err, NAS_EIO, "%s: %s", folder, strerror(errno));
    }
    const bool are_real = ((nas_threads_t *)gpu)->fibres == NULL;
    nas_status_t status = compile_in(folder, source, are_real, image, err);
    (void)rmdir(folder);
    return status;
}

static void drop_module(nas_gpu_t *gpu, void *handle)
{
    module_t *module = handle;
    (void)gpu;
    if (module->library != NULL) (void)dlclose(module->library);
    if (module->file >= 0) (void)close(module->file);
    free(module);
}

/* From a file without a name: there is none to tidy away, and what stands for it here is its own as
 * long as it is open. */
static bool open_library(module_t *module, const nas_gpu_image_t *image)
{
    char path[64] = "/tmp/robotnas-kernels-XXXXXX";
    module->file = mkstemp(path);
    if (module->file < 0) return false;
    (void)unlink(path);
    (void)fcntl(module->file, F_SETFD, FD_CLOEXEC);
    const char *bytes = image->bytes;
    for (size_t n = 0; n < image->n;) {
        const ssize_t written = write(module->file, bytes + n, image->n - n);
        if (written <= 0) return false;
        n += (size_t)written;
    }
    (void)snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getpid(), module->file);
    module->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    return module->library != NULL;
}

static nas_status_t load(nas_gpu_t *gpu, const nas_gpu_image_t *image, void **module_p,
                         nas_error_t *err)
{
    module_t *module = calloc(1, sizeof *module);
    if (module == NULL) return nas_error_nomem(err, "a built kernel");
    if (!open_library(module, image)) {
        const char *reason = dlerror();
        nas_status_t status =
            nas_error_set(err, NAS_EIO, "a kernel that was built cannot be loaded: %s",
                          reason != NULL ? reason : strerror(errno));
        drop_module(gpu, module);
        return status;
    }
    void *item = dlsym(module->library, "nas_gpu_item_of_thread");
    NAS_ASSERT(item != NULL);
    memcpy(&module->item, &item, sizeof item);
    *module_p = module;
    return NAS_OK;
}

static nas_status_t find(nas_gpu_t *gpu, void *handle, nas_gpu_kernel_t *kernel, nas_error_t *err)
{
    const module_t *module = handle;
    char name[NAS_GPU_KERNEL_NAME_SIZE + 8];
    (void)gpu;
    (void)snprintf(name, sizeof name, "%s_lanes", kernel->name);
    void *function = dlsym(module->library, kernel->name);
    const int *lanes = dlsym(module->library, name);
    if (function == NULL || lanes == NULL) {
        return nas_error_set(err, NAS_EINPUT, "there is no kernel %s", kernel->name);
    }
    if (*lanes < 1 || *lanes > NAS_RUN_LANES) {
        return nas_error_set(err, NAS_EINPUT, "kernel %s has groups of %d work-items; %d at most",
                             kernel->name, *lanes, (int)NAS_RUN_LANES);
    }
    entry_t *entry = calloc(1, sizeof *entry);
    if (entry == NULL) return nas_error_nomem(err, "a built kernel");
    memcpy(&entry->function, &function, sizeof function);
    entry->item = module->item;
    kernel->handle = entry;
    kernel->lanes = *lanes;
    return NAS_OK;
}

static void drop_kernel(nas_gpu_t *gpu, nas_gpu_kernel_t *kernel)
{
    (void)gpu;
    free(kernel->handle);
}

void nas_threads_kernel(const nas_gpu_kernel_t *kernel, nas_run_t *run)
{
    const entry_t *entry = kernel->handle;
    run->kernel = entry->function;
    run->item = entry->item;
    run->lanes = kernel->lanes;
}

const nas_gpu_builder_t nas_threads_builder = {
    .compile = compile,
    .load = load,
    .find = find,
    .drop_kernel = drop_kernel,
    .drop_module = drop_module,
};
