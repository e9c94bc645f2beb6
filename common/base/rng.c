#include "common/base/rng.h"

#include "common/base/error.h"

#include <Random123/philox.h>
#include <math.h>
#include <string.h>

enum { WORDS_PER_BLOCK = 4, BLOCKS_AT_ONCE = 8 };

void nas_rng_init(nas_rng_t *rng, uint64_t seed, nas_stream_t stream, uint64_t index)
{
    *rng = (nas_rng_t){
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .counter = {0, (uint32_t)stream, (uint32_t)index, (uint32_t)(index >> 32)},
        .n_used = WORDS_PER_BLOCK,
    };
}

static void next_block(nas_rng_t *rng)
{
    philox4x32_ctr_t counter;
    philox4x32_key_t key;
    memcpy(counter.v, rng->counter, sizeof rng->counter);
    memcpy(key.v, rng->key, sizeof rng->key);
    const philox4x32_ctr_t block = philox4x32(counter, key);
    memcpy(rng->block, block.v, sizeof rng->block);
    rng->counter[0]++;
    NAS_ASSERT(rng->counter[0] != 0); /* 2^34 words a stream */
    rng->n_used = 0;
}

uint64_t nas_rng_u64(nas_rng_t *rng)
{
    if (rng->n_used + 2 > WORDS_PER_BLOCK) next_block(rng);
    const uint64_t low = rng->block[rng->n_used];
    const uint64_t high = rng->block[rng->n_used + 1];
    rng->n_used += 2;
    return high << 32 | low;
}

static double uniform_of(uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53;
}

double nas_rng_uniform(nas_rng_t *rng)
{
    return uniform_of(nas_rng_u64(rng));
}

/* The next blocks: philox4x32's ten rounds, of all of them in step, which a processor works on side
 * by side. */
static void next_blocks(nas_rng_t *rng, uint32_t word[WORDS_PER_BLOCK][BLOCKS_AT_ONCE])
{
    uint32_t key[2] = {rng->key[0], rng->key[1]};
    for (uint32_t i = 0; i < BLOCKS_AT_ONCE; i++) {
        word[0][i] = rng->counter[0] + i;
        for (int w = 1; w < WORDS_PER_BLOCK; w++) word[w][i] = rng->counter[w];
    }
    for (int round = 0; round < PHILOX4x32_DEFAULT_ROUNDS; round++) {
        for (int i = 0; i < BLOCKS_AT_ONCE; i++) {
            const uint64_t a = (uint64_t)PHILOX_M4x32_0 * word[0][i];
            const uint64_t b = (uint64_t)PHILOX_M4x32_1 * word[2][i];
            word[0][i] = (uint32_t)(b >> 32) ^ word[1][i] ^ key[0];
            word[1][i] = (uint32_t)b;
            word[2][i] = (uint32_t)(a >> 32) ^ word[3][i] ^ key[1];
            word[3][i] = (uint32_t)a;
        }
        key[0] += PHILOX_W32_0;
        key[1] += PHILOX_W32_1;
    }
    NAS_ASSERT(rng->counter[0] < UINT32_MAX - BLOCKS_AT_ONCE); /* 2^34 words a stream */
    rng->counter[0] += BLOCKS_AT_ONCE;
}

void nas_rng_uniforms(nas_rng_t *rng, size_t n, double *value)
{
    uint32_t word[WORDS_PER_BLOCK][BLOCKS_AT_ONCE];
    size_t k = 0;
    for (; k < n && rng->n_used < WORDS_PER_BLOCK; k++) value[k] = nas_rng_uniform(rng);
    for (; k + 2 * (size_t)BLOCKS_AT_ONCE <= n; k += 2 * (size_t)BLOCKS_AT_ONCE) {
        next_blocks(rng, word);
        for (size_t i = 0; i < BLOCKS_AT_ONCE; i++) {
            value[k + 2 * i] = uniform_of((uint64_t)word[1][i] << 32 | word[0][i]);
            value[k + 2 * i + 1] = uniform_of((uint64_t)word[3][i] << 32 | word[2][i]);
        }
    }
    for (; k < n; k++) value[k] = nas_rng_uniform(rng);
}

double nas_rng_between(nas_rng_t *rng, double low, double high)
{
    return low + (high - low) * nas_rng_uniform(rng);
}

uint64_t nas_rng_below(nas_rng_t *rng, uint64_t n)
{
    NAS_ASSERT(n > 0);
    const uint64_t excess =
        (UINT64_MAX % n + 1) % n; /* values beyond the last whole multiple of n are redrawn */
    uint64_t x;
    do {
        x = nas_rng_u64(rng);
    } while (x > UINT64_MAX - excess);
    return x % n;
}

double nas_rng_normal(nas_rng_t *rng)
{
    const double two_pi = 6.283185307179586476925;
    const double u = 1.0 - nas_rng_uniform(rng); /* in (0, 1], so that the logarithm is finite */
    const double v = nas_rng_uniform(rng);
    return sqrt(-2.0 * log(u)) * cos(two_pi * v);
}
