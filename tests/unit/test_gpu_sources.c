/* The kernels' texts: all of them are in the program, in words that each language knows, and without
 * float32 divisions and square roots, which OpenCL may round as it likes. */
#include "tests/unit/gpu_layers.h"
#include "worker/engine/gpu/kernels/sources.h"

#include <ctype.h>
#include <dirent.h>

enum { SIZE = 1 << 18 };

/* The text of a file of the kernels' folder; the caller frees it. */
static char *text_of(const char *name)
{
    char path[4096];
    char *text = calloc(1, SIZE);
    cr_assert_not_null(text);
    (void)snprintf(path, sizeof path, "%s/worker/engine/gpu/kernels/%s", getenv("ROBOTNAS_SOURCE"),
                   name);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    cr_assert_lt(fread(text, 1, SIZE, file), SIZE - 1);
    (void)fclose(file);
    return text;
}

/* Lines of #include "..." become empty. */
static void strip_includes(char *text)
{
    for (char *at = text; (at = strstr(at, "#include \"")) != NULL;) {
        char *end = at + strcspn(at, "\n");
        memmove(at, end, strlen(end) + 1);
    }
}

static void expect_line_file(const char *text, const char *file)
{
    char line[280];
    (void)snprintf(line, sizeof line, "#line 1 \"%s\"\n", file);
    cr_assert_not_null(strstr(text, line), "%s", file);
}

/* Each .cl file is there by its name, behind what it needs, to its last byte. */
Test(gpu_sources, embedded)
{
    char path[4096];
    int n_files = 0, n_names = 0;
    (void)snprintf(path, sizeof path, "%s/worker/engine/gpu/kernels", getenv("ROBOTNAS_SOURCE"));
    DIR *folder = opendir(path);
    cr_assert_not_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const char *dot = strrchr(entry->d_name, '.');
        char name[256];
        if (dot == NULL || strcmp(dot, ".cl") != 0) continue;
        n_files++;
        (void)snprintf(name, sizeof name, "%.*s", (int)(dot - entry->d_name), entry->d_name);
        const char *text = nas_gpu_source(name);
        cr_assert_not_null(text, "%s", name);
        char *file = text_of(entry->d_name);
        strip_includes(file);
        cr_assert_gt(strlen(text), strlen(file));
        cr_assert_str_eq(text + strlen(text) - strlen(file), file, "%s", name);
        expect_line_file(text, "prelude.h");
        expect_line_file(text, "work.h");
        expect_line_file(text, "math.h");
        expect_line_file(text, entry->d_name);
        cr_assert_null(strstr(text, "\n#include \""), "%s", name);
        free(file);
    }
    (void)closedir(folder);
    while (nas_gpu_source_name(n_names) != NULL) n_names++;
    cr_assert_gt(n_names, 0);
    cr_assert_eq(n_names, n_files);
    cr_assert_null(nas_gpu_source("absent"));
}

/* Comments become blanks. */
static void strip_comments(char *text)
{
    for (char *at = text; (at = strstr(at, "/*")) != NULL;) {
        char *end = strstr(at, "*/");
        cr_assert_not_null(end);
        for (; at < end + 2; at++) {
            if (*at != '\n') *at = ' ';
        }
    }
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Words that one of OpenCL C, CUDA C++ and HIP C++ reserves and another lets pass for a name, and
 * functions that the rules forbid. Prelude and layers have their own reasons. */
static const char *const forbidden[] = {
    "half",        "kernel",        "global",     "local",     "constant",     "private",
    "generic",     "sampler_t",     "event_t",    "image2d_t", "image3d_t",    "pipe",
    "complex",     "imaginary",     "uniform",    "read_only", "write_only",   "read_write",
    "uchar",       "ushort",        "uint",       "ulong",     "float2",       "float3",
    "float4",      "double2",       "double4",    "int2",      "int4",         "float8",
    "float16",     "class",         "new",        "delete",    "this",         "template",
    "typename",    "operator",      "namespace",  "public",    "protected",    "virtual",
    "friend",      "explicit",      "mutable",    "try",       "catch",        "throw",
    "using",       "bool",          "true",       "false",     "and",          "or",
    "not",         "xor",           "export",     "nullptr",   "alignas",      "wchar_t",
    "goto",        "long",          "sqrtf",      "rsqrt",     "native_exp",   "expf",
    "logf",        "exp",           "log",        "pow",       "powf",         "fdividef",
    "__shfl_sync", "warpSize",      "threadIdx",  "blockIdx",  "get_local_id", "get_group_id",
    "barrier",     "__syncthreads", "atomic_add", "atomicAdd", "printf",       "malloc"};

Test(gpu_sources, words)
{
    for (int place = 0; nas_gpu_source_name(place) != NULL; place++) {
        char file[64], word[64];
        (void)snprintf(file, sizeof file, "%s.cl", nas_gpu_source_name(place));
        char *text = text_of(file);
        strip_comments(text);
        for (const char *at = text; *at != '\0';) {
            size_t n = 0;
            while (is_word(at[n])) n++;
            if (n > 0 && n < sizeof word && !isdigit((unsigned char)at[0])) {
                (void)snprintf(word, sizeof word, "%.*s", (int)n, at);
                for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
                    cr_assert_str_neq(word, forbidden[i], "%s: %s", file, word);
                }
            }
            at += n > 0 ? n : 1;
        }
        free(text);
    }
}
