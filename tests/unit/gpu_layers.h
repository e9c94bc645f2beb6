/* Layers of GPUs under test: a device of each that is there, and sources with the prelude. */
#ifndef NAS_TESTS_UNIT_GPU_LAYERS_H
#define NAS_TESTS_UNIT_GPU_LAYERS_H

#include "tests/tools/with_asan.h"
#include "tests/unit/fake_cuda.h"
#include "worker/engine/gpu/layers/layer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** The layer's first device, opened; skips the test, by name, where there is none. Of cuda that is
 *  the driver without one. */
static inline nas_gpu_t *open_layer(const char *name)
{
    if (strcmp(name, "cuda") == 0) use_fake_cuda();
    if (WITH_ASAN && strcmp(name, "opencl") == 0) {
        cr_skip_test("PoCL's LLVM leaks, and is slow under the leak checker");
    }
    const nas_gpu_layer_t *layer = nas_gpu_layer_named(name);
    if (layer == NULL) cr_skip_test("no layer `%s` in this build", name);
    nas_gpu_info_t info;
    nas_error_t reason = {0}, err = {0};
    int n = 0;
    cr_assert_eq(layer->list(&info, 1, &n, &reason, &err), NAS_OK, "%s", err.text);
    if (n == 0) cr_skip_test("no device of %s: %s", name, reason.text);
    nas_gpu_t *gpu = NULL;
    cr_assert_eq(layer->open(0, &gpu, &err), NAS_OK, "%s", err.text);
    return gpu;
}

/** The prelude and `kernels` behind it; the caller frees it. */
static inline char *with_prelude(const char *kernels)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/worker/engine/gpu/kernels/prelude.h",
                   getenv("ROBOTNAS_SOURCE"));
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    const size_t room = 1 << 16, n_kernels = strlen(kernels) + 1;
    char *text = malloc(room + n_kernels);
    cr_assert_not_null(text);
    const size_t n = fread(text, 1, room, file);
    cr_assert(n > 0 && n < room);
    memcpy(text + n, kernels, n_kernels);
    (void)fclose(file);
    return text;
}

/** A test of a property, void PROPERTY(nas_gpu_t *), on each layer. */
#define ON_EVERY_LAYER(property)                                                                   \
    ON_LAYER(property, opencl)                                                                     \
    ON_LAYER(property, threads)
/** The same, and on that of CUDA's host side, for tests of layers themselves. */
#define ON_EVERY_DRIVER(property)                                                                  \
    ON_EVERY_LAYER(property)                                                                       \
    ON_LAYER(property, cuda)
#define ON_LAYER(property, name)                                                                   \
    Test(name, property)                                                                           \
    {                                                                                              \
        nas_gpu_t *gpu = open_layer(#name);                                                        \
        property(gpu);                                                                             \
        gpu->layer->close(gpu);                                                                    \
    }

#endif
