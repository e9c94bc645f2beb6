#include "common/base/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* The next block of a generator that stands at this counter and key. */
static void assert_block(const uint32_t key[2], const uint32_t counter[4],
                         const uint32_t expected[4])
{
    nas_rng_t rng;
    nas_rng_init(&rng, 0, NAS_STREAM_RANDOM, 0);
    memcpy(rng.key, key, sizeof rng.key);
    memcpy(rng.counter, counter, sizeof rng.counter);
    cr_assert_eq(nas_rng_u64(&rng), (uint64_t)expected[1] << 32 | expected[0]);
    cr_assert_eq(nas_rng_u64(&rng), (uint64_t)expected[3] << 32 | expected[2]);
}

/* Random123's kat_vectors, philox4x32 with 10 rounds, but for all ones: that counter is past a
 * stream's last block. */
Test(rng, known_answers_of_philox)
{
    assert_block((uint32_t[]){0, 0}, (uint32_t[]){0, 0, 0, 0},
                 (uint32_t[]){0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    assert_block((uint32_t[]){0xa4093822, 0x299f31d0},
                 (uint32_t[]){0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                 (uint32_t[]){0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

/* Part of the reproducibility contract: a change of these changes every run. */
Test(rng, pinned_values)
{
    const uint64_t bits[] = {0xb42bd2fcb75fe2ee, 0x56716bf8cbb8ceee, 0xca5459f9bc2e8f24,
                             0x220c0820a4f5d552};
    const uint64_t below[] = {13380, 4113, 11155, 10531, 12209, 2818};
    const double between[] = {0x1.72900b82dab24p-2, -0x1.193e8e7209102p-1, -0x1.f5cdbbc80be94p-1};
    const double normal[] = {-0.52228083192031127, 0.3384119942215244, -0.5281565093608489};
    nas_rng_t rng;
    nas_rng_init(&rng, 10, NAS_STREAM_ACQUISITION, 3);
    for (int i = 0; i < 4; i++) cr_assert_eq(nas_rng_u64(&rng), bits[i]);
    nas_rng_init(&rng, 10, NAS_STREAM_RANDOM, 0);
    for (int i = 0; i < 6; i++) cr_assert_eq(nas_rng_below(&rng, 15625), below[i]);
    nas_rng_init(&rng, 10, NAS_STREAM_FIRST_WEIGHTS, 0);
    for (int i = 0; i < 3; i++) cr_assert(nas_rng_between(&rng, -1.0, 1.0) == between[i]);
    nas_rng_init(&rng, 10, NAS_STREAM_BENCH, 0);
    for (int i = 0; i < 3; i++) {
        const double x = nas_rng_normal(&rng);
        cr_assert_float_eq(x, normal[i], 1e-14); /* the last bits are the mathematical library's */
    }
}

/* Wherever the stream stands, and however many are asked for. */
Test(rng, many_are_those_one_by_one)
{
    for (size_t first = 0; first < 4; first++) {
        for (size_t n = 0; n < 70; n++) {
            double value[70];
            nas_rng_t rng, again;
            nas_rng_init(&rng, 0x123456789abcdef0, NAS_STREAM_WEIGHTS, 0xfedcba9876543210);
            for (size_t i = 0; i < first; i++) (void)nas_rng_u64(&rng);
            again = rng;
            nas_rng_uniforms(&rng, n, value);
            for (size_t i = 0; i < n; i++) cr_assert(value[i] == nas_rng_uniform(&again));
            cr_assert_eq(nas_rng_u64(&rng), nas_rng_u64(&again));
        }
    }
}

Test(rng, copy_forks_and_init_replays)
{
    nas_rng_t rng, again;
    nas_rng_init(&rng, 7, NAS_STREAM_REA, 42);
    (void)nas_rng_u64(&rng);
    nas_rng_t fork = rng;
    const uint64_t next = nas_rng_u64(&rng);
    nas_rng_init(&again, 7, NAS_STREAM_REA, 42);
    (void)nas_rng_u64(&again);
    cr_assert_eq(nas_rng_u64(&fork), next);
    cr_assert_eq(nas_rng_u64(&again), next);
}

enum { N_DRAW = 100000 };

/* Correlation of N_DRAW uniforms of two generators. */
static double correlation(nas_rng_t a, nas_rng_t b)
{
    double sum = 0;
    for (int i = 0; i < N_DRAW; i++)
        sum += (nas_rng_uniform(&a) - 0.5) * (nas_rng_uniform(&b) - 0.5);
    return 12.0 * sum / N_DRAW;
}

/* Keys that differ in one bit or field give unrelated sequences: a correlation's standard deviation
 * is 1 / sqrt(n). */
Test(rng, streams_are_independent)
{
    static const struct {
        uint64_t seed;
        nas_stream_t stream;
        uint64_t index;
    } key[] = {
        {10, NAS_STREAM_RANDOM, 0},
        {11, NAS_STREAM_RANDOM, 0},
        {10, NAS_STREAM_REA, 0},
        {10, NAS_STREAM_RANDOM, 1},
        {10, NAS_STREAM_RANDOM, 1ull << 32},
        {10 | 1ull << 32, NAS_STREAM_RANDOM, 0},
        {0, NAS_STREAM_RANDOM, 10},
    };
    const int n = sizeof key / sizeof *key;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) {
            nas_rng_t a, b;
            nas_rng_init(&a, key[i].seed, key[i].stream, key[i].index);
            nas_rng_init(&b, key[j].seed, key[j].stream, key[j].index);
            cr_assert_lt(fabs(correlation(a, b)), 4.5 / sqrt(N_DRAW), "%d and %d", i, j);
        }
}

/* Chi-square over k cells: mean k - 1, standard deviation sqrt(2 (k - 1)). */
static void assert_uniform_below(uint64_t k)
{
    int64_t count[100] = {0};
    double chi_square = 0;
    const double expected = (double)N_DRAW / (double)k, mean = (double)k - 1;
    nas_rng_t rng;
    nas_rng_init(&rng, k, NAS_STREAM_RANDOM, 0);
    for (int i = 0; i < N_DRAW; i++) {
        const uint64_t x = nas_rng_below(&rng, k);
        cr_assert_lt(x, k);
        count[x]++;
    }
    for (uint64_t i = 0; i < k; i++) chi_square += pow((double)count[i] - expected, 2) / expected;
    cr_assert_leq(fabs(chi_square - mean), 5.0 * sqrt(2.0 * mean), "%d cells", (int)k);
}

Test(rng, below_is_uniform)
{
    for (uint64_t k = 1; k <= 100; k += k < 10 ? 1 : 9) assert_uniform_below(k);
}

/* A plain modulo would give the lowest third of these n twice the chance of the others. */
Test(rng, below_is_unbiased_for_large_n)
{
    const uint64_t n = (1ull << 63) + (1ull << 62);
    int n_low = 0;
    nas_rng_t rng;
    nas_rng_init(&rng, 1, NAS_STREAM_RANDOM, 0);
    for (int i = 0; i < N_DRAW; i++) {
        const uint64_t x = nas_rng_below(&rng, n);
        cr_assert_lt(x, n);
        n_low += x < n / 3;
    }
    cr_assert_float_eq((double)n_low / N_DRAW, 1.0 / 3.0, 5.0 * sqrt(2.0 / 9.0 / N_DRAW));
    for (int i = 0; i < 1000; i++) cr_assert_lt(nas_rng_below(&rng, UINT64_MAX), UINT64_MAX);
}

/* Mean and variance of N_DRAW values against the distribution's, within five standard errors. */
static void assert_moments(const double *x, double mean, double variance, double fourth)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < N_DRAW; i++) {
        sum += x[i];
        squares += (x[i] - mean) * (x[i] - mean);
    }
    cr_assert_float_eq(sum / N_DRAW, mean, 5.0 * sqrt(variance / N_DRAW));
    cr_assert_float_eq(squares / N_DRAW, variance,
                       5.0 * sqrt((fourth - variance * variance) / N_DRAW));
}

Test(rng, uniform_and_between_stay_in_their_range)
{
    static double unit[N_DRAW], cube[N_DRAW];
    nas_rng_t rng;
    nas_rng_init(&rng, 3, NAS_STREAM_BENCH, 0);
    for (int i = 0; i < N_DRAW; i++) {
        unit[i] = nas_rng_uniform(&rng);
        cube[i] = nas_rng_between(&rng, -1.0, 1.0);
        cr_assert(unit[i] >= 0.0 && unit[i] < 1.0);
        cr_assert(cube[i] >= -1.0 && cube[i] < 1.0);
    }
    assert_moments(unit, 0.5, 1.0 / 12.0, 1.0 / 80.0);
    assert_moments(cube, 0.0, 1.0 / 3.0, 1.0 / 5.0);
}

Test(rng, normal_has_its_moments)
{
    static double x[N_DRAW];
    int n_beyond = 0;
    nas_rng_t rng;
    nas_rng_init(&rng, 4, NAS_STREAM_BENCH, 0);
    for (int i = 0; i < N_DRAW; i++) {
        x[i] = nas_rng_normal(&rng);
        cr_assert(isfinite(x[i]));
        n_beyond += fabs(x[i]) > 1.959963984540054;
    }
    assert_moments(x, 0.0, 1.0, 3.0);
    cr_assert_float_eq((double)n_beyond / N_DRAW, 0.05, 5.0 * sqrt(0.05 * 0.95 / N_DRAW));
}
