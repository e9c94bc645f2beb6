/* Random numbers as common/base/rng.h has them. */
#ifndef NAS_WORKER_ENGINE_GPU_KERNELS_RNG_H
#define NAS_WORKER_ENGINE_GPU_KERNELS_RNG_H

/** Philox 4x32-10 (Salmon, Moraes, Dror & Shaw 2011): the block of a key and a counter, in the
 *  place of the counter; the key is spent. */
DEVICE void nas_gpu_philox(u32 key[2], u32 counter[4])
{
    UNROLL
    for (int i = 0; i < 10; i++) {
        const u64 a = (u64)0xD2511F53u * counter[0], b = (u64)0xCD9E8D57u * counter[2];
        const u32 mixed = (u32)(b >> 32) ^ counter[1] ^ key[0];
        counter[2] = (u32)(a >> 32) ^ counter[3] ^ key[1];
        counter[3] = (u32)a;
        counter[0] = mixed;
        counter[1] = (u32)b;
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
}

#endif
