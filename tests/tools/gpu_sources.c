/* Kernels as files that compile by themselves, for tests/system/gpu_compile.sh.
 *
 * usage: gpu_sources FOLDER
 * Writes FOLDER/NAME.cl for each source that needs no definitions, and for each variant of the
 * convolutions that scoring and training need: of NAS-Bench-201 with 16, 32 and 64 channels at 32, 16
 * and 8 pixels, of the tiny networks of references, at 8, 4 and 2 pixels, and those of any window.
 * Prints a line each:
 * NAME, `full` or `tiny`, and of a variant its kernel and definitions. */
#include "worker/engine/gpu/kernels/sources.h"
#include "worker/engine/gpu/plan/variant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VARIANTS = 256, N_STAGES = 3 };

typedef struct list {
    nas_gpu_variant_t variant[MAX_VARIANTS];
    int n;
    int n_full; /* of networks of the full size */
} list_t;

static void add(list_t *list, const nas_conv_shape_t *shape, nas_gpu_pass_t pass)
{
    const nas_gpu_variant_t variant = nas_gpu_conv_variant(shape, pass);
    for (int i = 0; i < list->n; i++) {
        if (nas_gpu_variant_is(&list->variant[i], &variant)) return;
    }
    NAS_ASSERT(list->n < MAX_VARIANTS);
    list->variant[list->n++] = variant;
}

static void add_passes(list_t *list, const nas_conv_shape_t *shape)
{
    add(list, shape, NAS_GPU_FORWARD);
    add(list, shape, NAS_GPU_BACKWARD_DATA);
    add(list, shape, NAS_GPU_BACKWARD_WEIGHTS);
}

/* Stem, cells, and the residual blocks between them: at each stage half the pixels and twice the
 * channels. */
static void add_network(list_t *list, int batch, int channels, int pixels)
{
    const nas_conv_shape_t stem = {.n = batch,
                                   .c_in = 3,
                                   .h_in = pixels,
                                   .w_in = pixels,
                                   .c_out = channels,
                                   .k = 3,
                                   .stride = 1,
                                   .image = true};
    add_passes(list, &stem);
    for (int stage = 0; stage < N_STAGES; stage++) {
        const int c = channels << stage, side = pixels >> stage;
        nas_conv_shape_t shape = {
            .n = batch, .c_in = c, .h_in = side, .w_in = side, .c_out = c, .k = 1, .stride = 1};
        add_passes(list, &shape);
        shape.k = 3;
        add_passes(list, &shape);
        shape.stride = 2;
        shape.c_out = 2 * c;
        if (stage < N_STAGES - 1) add_passes(list, &shape);
    }
}

/* Those of any window, whose source has all of its kernels: a dense one, and a depthwise one. */
static void add_windows(list_t *list)
{
    nas_conv_shape_t shape = {.n = 1, .c_in = 8, .c_out = 8, .h_in = 5, .w_in = 5, .groups = 1};
    shape.window = (nas_window_t){5, 5, 1, 1, 1, 1, 2, 2, 2, 2};
    shape.h_out = shape.w_out = 5;
    add(list, &shape, NAS_GPU_FORWARD);
    shape.groups = 8;
    add(list, &shape, NAS_GPU_FORWARD);
}

static FILE *create(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.cl", folder, name);
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

static void write_variant(const char *folder, const list_t *list, int number)
{
    const nas_gpu_variant_t *variant = &list->variant[number];
    char name[64];
    snprintf(name, sizeof name, "%s_%02d", variant->source, number);
    FILE *file = create(folder, name);
    printf("%s %s %s", name, number < list->n_full ? "full" : "tiny", variant->kernel);
    for (int i = 0; i < variant->n_defines; i++) {
        const char *define = variant->define[i], *value = strchr(define, '=');
        fprintf(file, "#define %.*s %s\n", (int)(value - define), define, value + 1);
        printf(" %s", define);
    }
    puts("");
    fputs(nas_gpu_source(variant->source), file);
    fclose(file);
}

int main(int argc, char **argv)
{
    static list_t list;
    if (argc != 2) {
        fputs("usage: gpu_sources FOLDER\n", stderr);
        return 2;
    }
    add_network(&list, 64, 16, 32);
    add_windows(&list);
    list.n_full = list.n;
    add_network(&list, 6, 4, 8);
    for (int i = 0; i < list.n; i++) write_variant(argv[1], &list, i);
    for (int i = 0; nas_gpu_source_name(i); i++) {
        const char *name = nas_gpu_source_name(i);
        bool has_variants = false;
        for (int k = 0; k < list.n; k++) {
            has_variants = has_variants || strcmp(list.variant[k].source, name) == 0;
        }
        if (has_variants) continue;
        FILE *file = create(argv[1], name);
        printf("%s full\n", name);
        fputs(nas_gpu_source(name), file);
        fclose(file);
    }
    return 0;
}
