/* Searches by pool-gp, and a pool of which it can learn nothing. */
#ifndef NAS_TESTS_POOL_GP_CASE_H
#define NAS_TESTS_POOL_GP_CASE_H

#include "method_driver.h"

static const int64_t PARALLEL[] = {1, 3, 8};

enum { N_PARALLEL = 3 };

static inline search_t search_of(const pool_t *pool, int64_t budget, int64_t parallel)
{
    return (search_t){.method = nas_method_find("pool-gp"),
                      .pool = pool,
                      .budget = budget,
                      .parallel = parallel,
                      .seed = 10};
}

/* Targets that nothing explains, and metrics that explain nothing. */
static inline pool_t noise_pool(void)
{
    nas_rng_t rng;
    pool_t pool = pool_create(4, 4, 0);
    nas_rng_init(&rng, 5, NAS_STREAM_BENCH, 0);
    for (int64_t i = 0; i < pool.n_arch; i++) {
        pool.target[i] = nas_rng_normal(&rng);
        for (int m = 0; m < POOL_METRICS; m++)
            pool.metric[i * POOL_METRICS + m] = nas_rng_normal(&rng);
    }
    return pool;
}

#endif
