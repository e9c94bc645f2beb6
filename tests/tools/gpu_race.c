/* A sum by a tree, right or with a race planted, for ThreadSanitizer to find on the layer `threads`, and
 * Oclgrind on `opencl`.
 *
 * usage: gpu_race PRELUDE none | local | global | rounds [LAYER]
 *   PRELUDE  worker/engine/gpu/kernels/prelude.h
 *   none     as it should be
 *   local    the barrier before the tree is missing
 *   global   all work-items write the result
 *   rounds   the barrier between rounds of the tree is missing
 */
#include "worker/engine/gpu/layers/layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char kernel[] = "#line 1 \"planted\"\n"
                             "NAS_KERNEL(sum, 64)\n"
                             "{\n"
                             "    LOCAL(float, part, 64);\n"
                             "    part[LANE] = arena[LANE];\n"
                             "    if (!LOCAL_RACE) BARRIER();\n"
                             "    for (int n = 32; n > 0; n /= 2) {\n"
                             "        if (LANE < n) part[LANE] += part[LANE + n];\n"
                             "        if (!ROUNDS_RACE) BARRIER();\n"
                             "    }\n"
                             "    if (GLOBAL_RACE || LANE == 0) arena[64 + GROUP_X] = part[0];\n"
                             "}\n";

enum { N = 64, N_GROUPS = 3, PRELUDE_SIZE = 1 << 16 };

/* NULL: none. */
static char *read_source(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) return NULL;
    char *text = malloc(PRELUDE_SIZE + sizeof kernel);
    if (text != NULL) {
        const size_t n = fread(text, 1, PRELUDE_SIZE, file);
        memcpy(text + n, kernel, sizeof kernel);
    }
    (void)fclose(file);
    return text;
}

static nas_status_t sum(nas_gpu_t *gpu, const char *text, const char *const define[3],
                        nas_error_t *err)
{
    const nas_gpu_layer_t *layer = gpu->layer;
    const nas_gpu_source_t source = {
        .name = "planted", .text = text, .define = define, .n_defines = 3};
    const nas_gpu_kernel_t *tree = NULL;
    nas_gpu_memory_t memory = {0};
    float values[N + N_GROUPS];
    for (int i = 0; i < N + N_GROUPS; i++) values[i] = (float)i;
    nas_status_t status = layer->kernel(gpu, &source, "sum", &tree, err);
    if (status == NAS_OK) status = layer->alloc(gpu, sizeof values, &memory.arena, err);
    if (status != NAS_OK) return status;
    layer->write(gpu, memory.arena, 0, values, sizeof values);
    layer->launch(gpu, tree, N_GROUPS, 1, &memory, 0);
    layer->read(gpu, memory.arena, 0, values, sizeof values);
    status = layer->wait(gpu, err);
    layer->free(gpu, &memory.arena);
    printf("sums:");
    for (int i = 0; i < N_GROUPS; i++) printf(" %g", (double)values[N + i]);
    printf("\n");
    return status;
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = {"local", "global", "rounds"};
    static const char *const names[] = {"LOCAL_RACE", "GLOBAL_RACE", "ROUNDS_RACE"};
    char defines[3][32];
    nas_error_t err = {0};
    nas_gpu_t *gpu = NULL;
    char *text = argc == 3 || argc == 4 ? read_source(argv[1]) : NULL;
    const nas_gpu_layer_t *layer = nas_gpu_layer_named(argc == 4 ? argv[3] : "threads");
    if (text == NULL || layer == NULL) {
        (void)fprintf(stderr, "usage: gpu_race PRELUDE none|local|global|rounds [LAYER]\n");
        return 2;
    }
    for (int i = 0; i < 3; i++) {
        (void)snprintf(defines[i], sizeof defines[i], "%s=%d", names[i],
                       strcmp(argv[2], kinds[i]) == 0);
    }
    nas_status_t status = layer->open(0, &gpu, &err);
    if (status == NAS_OK) {
        status = sum(gpu, text, (const char *const[]){defines[0], defines[1], defines[2]}, &err);
        layer->close(gpu);
    }
    free(text);
    if (status != NAS_OK) (void)fprintf(stderr, "gpu_race: %s\n", err.text);
    return nas_exit_code(status);
}
