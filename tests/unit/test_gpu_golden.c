/* The golden set: what every device has to compute. */
#include "gpu_layers.h"
#include "worker/engine/gpu/pack/golden.h"

/* Each layer, whose compilers have nothing in common, computes the same bits, each time. */
static void golden_bits(nas_gpu_t *gpu)
{
    nas_error_t err = {0};
    for (int i = 0; i < 2; i++) {
        uint64_t hash = 0;
        cr_assert_eq(nas_gpu_golden(gpu, &hash, &err), NAS_OK, "%s", err.text);
        cr_assert_eq(hash, NAS_GPU_GOLDEN, "%016llx", (unsigned long long)hash);
    }
}
ON_EVERY_LAYER(golden_bits)

/* No group of a launch knows which others were before it. */
Test(threads, golden_bits_backwards)
{
    cr_assert_eq(setenv("NAS_GPU_GROUPS", "backwards", 1), 0);
    nas_gpu_t *gpu = open_layer("threads");
    golden_bits(gpu);
    gpu->layer->close(gpu);
}
