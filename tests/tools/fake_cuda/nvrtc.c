/* NVRTC: the real one, whose code has its source put behind it (fake_cuda.h). */
#include "tests/tools/fake_cuda/fake_cuda.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef struct program {
    void *real;
    char *text;
    char *define[FAKE_MAX_DEFINES];
    int n_defines;
} program_t;

typedef struct compiler {
    int (*version)(int *major, int *minor);
    int (*n_known)(int *n);
    int (*known)(int *architecture);
    int (*create)(void **program, const char *text, const char *name, int n_headers,
                  const char *const *headers, const char *const *names);
    int (*compile)(void *program, int n, const char *const *options);
    int (*log_size)(void *program, size_t *size);
    int (*log)(void *program, char *log);
    int (*cubin_size)(void *program, size_t *size);
    int (*cubin)(void *program, char *code);
    int (*ptx_size)(void *program, size_t *size);
    int (*ptx)(void *program, char *code);
    int (*destroy)(void **program);
    const char *(*error_text)(int code);
} compiler_t;

/* The real one's functions. Without it there is nothing to test: the test says so before. */
static compiler_t real(void)
{
    static const char *const name[] = {
        "nvrtcVersion",
        "nvrtcGetNumSupportedArchs",
        "nvrtcGetSupportedArchs",
        "nvrtcCreateProgram",
        "nvrtcCompileProgram",
        "nvrtcGetProgramLogSize",
        "nvrtcGetProgramLog",
        "nvrtcGetCUBINSize",
        "nvrtcGetCUBIN",
        "nvrtcGetPTXSize",
        "nvrtcGetPTX",
        "nvrtcDestroyProgram",
        "nvrtcGetErrorString",
    };
    enum { N = sizeof name / sizeof *name };
    _Static_assert(sizeof(compiler_t) == N * sizeof(void *), "a name each");
    compiler_t compiler;
    const char *path = getenv("FAKE_CUDA_NVRTC");
    void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library) abort();
    for (int i = 0; i < N; i++) {
        void *function = dlsym(library, name[i]);
        if (!function) abort();
        memcpy((char *)&compiler + (size_t)i * sizeof function, &function, sizeof function);
    }
    return compiler;
}

EXPORT int nvrtcVersion(int *major, int *minor)
{
    return real().version(major, minor);
}

EXPORT int nvrtcGetNumSupportedArchs(int *n)
{
    return real().n_known(n);
}

EXPORT int nvrtcGetSupportedArchs(int *architecture)
{
    return real().known(architecture);
}

EXPORT const char *nvrtcGetErrorString(int code)
{
    return real().error_text(code);
}

EXPORT int nvrtcCreateProgram(void **program_p, const char *text, const char *name, int n_headers,
                              const char *const *headers, const char *const *names)
{
    program_t *program = calloc(1, sizeof *program);
    if (!program) abort();
    program->text = strdup(text);
    *program_p = program;
    return real().create(&program->real, text, name, n_headers, headers, names);
}

EXPORT int nvrtcCompileProgram(program_t *program, int n, const char *const *options)
{
    for (int i = 0; i < n; i++) {
        if (strncmp(options[i], "-D", 2) != 0) continue;
        if (program->n_defines == FAKE_MAX_DEFINES) abort();
        program->define[program->n_defines++] = strdup(options[i] + 2);
    }
    return real().compile(program->real, n, options);
}

EXPORT int nvrtcGetProgramLogSize(program_t *program, size_t *size)
{
    return real().log_size(program->real, size);
}

EXPORT int nvrtcGetProgramLog(program_t *program, char *log)
{
    return real().log(program->real, log);
}

static fake_source_t source_of(const program_t *program)
{
    fake_source_t source = {.text = program->text, .n_defines = program->n_defines};
    for (int i = 0; i < source.n_defines; i++) source.define[i] = program->define[i];
    return source;
}

EXPORT int nvrtcGetCUBINSize(program_t *program, size_t *size)
{
    const int code = real().cubin_size(program->real, size);
    const fake_source_t source = source_of(program);
    *size += fake_tail_size(&source);
    return code;
}

EXPORT int nvrtcGetCUBIN(program_t *program, char *cubin)
{
    const int code = real().cubin(program->real, cubin);
    const fake_source_t source = source_of(program);
    if (code == 0) fake_tail_write(&source, cubin + fake_code_size(cubin));
    return code;
}

EXPORT int nvrtcGetPTXSize(program_t *program, size_t *size)
{
    const int code = real().ptx_size(program->real, size);
    const fake_source_t source = source_of(program);
    *size += fake_tail_size(&source);
    return code;
}

EXPORT int nvrtcGetPTX(program_t *program, char *ptx)
{
    const int code = real().ptx(program->real, ptx);
    const fake_source_t source = source_of(program);
    if (code == 0) fake_tail_write(&source, ptx + fake_code_size(ptx));
    return code;
}

EXPORT int nvrtcDestroyProgram(program_t **program_p)
{
    program_t *program = *program_p;
    const int code = real().destroy(&program->real);
    for (int i = 0; i < program->n_defines; i++) free(program->define[i]);
    free(program->text);
    free(program);
    *program_p = NULL;
    return code;
}
