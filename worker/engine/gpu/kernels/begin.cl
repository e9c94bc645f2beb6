/* What a pack begins with: vectors cleared, parameters drawn, weights and images brought into
 * tensors. */
#include "worker/engine/gpu/kernels/rng.h"

#define LANES 256

NAS_KERNEL(clear, LANES)
{
    const GLOBAL nas_gpu_clear_t *k = NAS_WORK(nas_gpu_clear_t);
    for (int part = 0; part < 4; part++) {
        const i64 i = (i64)GROUP_X * 1024 + part * LANES + LANE;
        if (i < k->n) vectors[k->at + i] = 0;
    }
}

/* ---------------------------------------------------------------------------------- parameters */

/* nas_rng_between(-bound, bound) of two words, rounded to float. */
DEVICE double between(u32 low, u32 high, double bound)
{
    const double drawn = (double)(((u64)high << 32 | low) >> 11) * 0x1p-53;
    const double above = 2.0 * bound * drawn;
    return (double)(float)(-bound + above);
}

/* A lane draws the block that has two values. */
NAS_KERNEL(init, LANES)
{
    const GLOBAL nas_gpu_init_t *k = NAS_WORK(nas_gpu_init_t);
    const i64 block = (i64)GROUP_X * LANES + LANE;
    const double bound = k->bound;
    double value[2] = {k->fill, k->fill};
    if (bound != 0) {
        u32 key[2] = {k->key[0], k->key[1]};
        u32 word[4] = {k->counter[0] + (u32)block, k->counter[1], k->counter[2], k->counter[3]};
        nas_gpu_philox(key, word);
        value[0] = between(word[0], word[1], bound);
        value[1] = between(word[2], word[3], bound);
    }
    for (int i = 0; i < 2; i++)
        if (2 * block + i < k->n) vectors[k->at + 2 * block + i] = value[i];
}

/* ------------------------------------------------------------------------------ into tensors */

NAS_KERNEL(pack, LANES)
{
    const GLOBAL nas_gpu_pack_t *k = NAS_WORK(nas_gpu_pack_t);
    for (int part = 0; part < 2; part++) {
        const i64 i = (i64)GROUP_X * 512 + part * LANES + LANE;
        if (i < k->n) {
            const float value = (float)vectors[k->from + i];
            arena[k->to + i] = k->absolute && value < 0 ? -value : value;
        }
    }
}

NAS_KERNEL(unpack, LANES)
{
    const GLOBAL nas_gpu_unpack_t *k = NAS_WORK(nas_gpu_unpack_t);
    for (int part = 0; part < 2; part++) {
        const i64 i = (i64)GROUP_X * 512 + part * LANES + LANE;
        if (i < k->n) {
            const double value = (double)arena[k->from + i];
            vectors[k->to + i] = k->onto ? vectors[k->to + i] + value : value;
        }
    }
}

NAS_KERNEL(load, LANES)
{
    const GLOBAL nas_gpu_load_t *k = NAS_WORK(nas_gpu_load_t);
    const int pixels = k->h * k->w;
    if (GROUP_X < k->n * k->c) {
        GLOBAL float *to = arena + k->to + (i64)GROUP_X * NAS_GPU_PITCH(k->h, k->w);
        const i64 at = k->from < 0 ? 0 : k->from;
        const GLOBAL float *from =
            k->staged ? arena + at + (i64)GROUP_X * NAS_GPU_PITCH(k->h, k->w)
                      : (const GLOBAL float *)(data + at) + (i64)GROUP_X * pixels;
        for (int first = 0; first < pixels; first += LANES) {
            const int i = first + LANE;
            if (i < pixels) to[i] = k->from < 0 ? 1.0f : from[i];
        }
    }
}
