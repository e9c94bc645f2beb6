/* A source compiled by NVRTC or hiprtc, for tests/system/gpu_compile.sh.
 *
 * usage: rtc nvrtc|hiprtc LIBRARY SOURCE OUT OPTION...
 * LIBRARY is a path. The compiler's log goes to stdout, the code to OUT. Exits 1 where SOURCE does
 * not compile, 2 where the library cannot be used. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct compiler {
    int (*create)(void **program, const char *text, const char *name, int n_headers,
                  const char *const *headers, const char *const *names);
    int (*compile)(void *program, int n, const char *const *options);
    int (*log_size)(void *program, size_t *size);
    int (*log)(void *program, char *log);
    int (*code_size)(void *program, size_t *size);
    int (*code)(void *program, char *code);
} compiler_t;

enum { N_CALLS = sizeof(compiler_t) / sizeof(void *) };

static const char *const nvrtc[N_CALLS] = {"nvrtcCreateProgram",     "nvrtcCompileProgram",
                                           "nvrtcGetProgramLogSize", "nvrtcGetProgramLog",
                                           "nvrtcGetCUBINSize",      "nvrtcGetCUBIN"};
static const char *const hiprtc[N_CALLS] = {"hiprtcCreateProgram",     "hiprtcCompileProgram",
                                            "hiprtcGetProgramLogSize", "hiprtcGetProgramLog",
                                            "hiprtcGetCodeSize",       "hiprtcGetCode"};

_Noreturn static void stop(const char *what, const char *which)
{
    fprintf(stderr, "rtc: %s: %s\n", which, what);
    exit(2);
}

static compiler_t load(const char *path, const char *const name[N_CALLS])
{
    compiler_t compiler;
    void *library = dlopen(path, RTLD_NOW);
    if (!library) stop(dlerror(), path);
    for (int i = 0; i < N_CALLS; i++) {
        void *function = dlsym(library, name[i]);
        if (!function) stop("has no such function", name[i]);
        memcpy((char *)&compiler + (size_t)i * sizeof function, &function, sizeof function);
    }
    return compiler;
}

static char *read_text(const char *path)
{
    enum { ROOM = 1 << 20 };
    FILE *file = fopen(path, "r");
    char *text = calloc(1, ROOM);
    if (!file || !text) stop("cannot be read", path);
    if (fread(text, 1, ROOM - 1, file) == ROOM - 1) stop("is too long", path);
    fclose(file);
    return text;
}

static void print_log(const compiler_t *compiler, void *program)
{
    size_t size = 0;
    if (compiler->log_size(program, &size) != 0 || size <= 1) return;
    char *log = calloc(1, size + 1);
    if (!log || compiler->log(program, log) != 0) stop("gives no log", "compiler");
    puts(log);
    free(log);
}

static void write_code(const compiler_t *compiler, void *program, const char *path)
{
    size_t size = 0;
    if (compiler->code_size(program, &size) != 0 || size == 0) stop("gives no code", "compiler");
    char *code = malloc(size);
    FILE *file = fopen(path, "wb");
    if (!code || !file || compiler->code(program, code) != 0 ||
        fwrite(code, 1, size, file) != size || fclose(file) != 0) {
        stop("cannot be written", path);
    }
    free(code);
}

int main(int argc, char **argv)
{
    if (argc < 5) stop("nvrtc|hiprtc LIBRARY SOURCE OUT OPTION...", "usage");
    const compiler_t compiler = load(argv[2], strcmp(argv[1], "nvrtc") == 0 ? nvrtc : hiprtc);
    char *text = read_text(argv[3]);
    void *program = NULL;
    if (compiler.create(&program, text, argv[3], 0, NULL, NULL) != 0)
        stop("does not begin", argv[1]);
    const int code = compiler.compile(program, argc - 5, (const char *const *)argv + 5);
    print_log(&compiler, program);
    if (code == 0) write_code(&compiler, program, argv[4]);
    free(text);
    return code != 0;
}
