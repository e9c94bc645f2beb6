/* Counter-based random numbers (Philox 4x32-10 of Random123), keyed by what they are for. */
#ifndef NAS_COMMON_BASE_RNG_H
#define NAS_COMMON_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/** What a stream is for. Values are part of the reproducibility contract: append, never renumber.
 */
typedef enum nas_stream {
    NAS_STREAM_FIRST_WEIGHTS = 1, /**< robot: the first weight vector */
    NAS_STREAM_LENGTH_SCALE = 2,  /**< GP: restarts of the marginal likelihood */
    NAS_STREAM_ACQUISITION = 3,   /**< robot: candidate points and local-search starts */
    NAS_STREAM_RANDOM = 4,        /**< random search */
    NAS_STREAM_REA = 5,           /**< regularised evolution */
    NAS_STREAM_REINFORCE = 6,     /**< reinforce */
    NAS_STREAM_BENCH = 7,         /**< synthetic data of `bench` */
    NAS_STREAM_SUBSET = 8,        /**< architectures of a sampled pool */
    NAS_STREAM_BATCH = 9,         /**< images of a mini-batch */
    NAS_STREAM_WEIGHTS = 10,      /**< initial weights of a layer */
    NAS_STREAM_SPLIT = 11,        /**< images held out for validation */
    NAS_STREAM_EPOCH = 12,        /**< order of an epoch's images */
    NAS_STREAM_AUGMENT = 13,      /**< crop, mirroring and cutout of an image in an epoch */
    NAS_STREAM_HIDDEN = 14,       /**< pool-gp: architectures that the first steps leave out */
    NAS_STREAM_HEDGE = 15,        /**< pool-gp: whether a pick is drawn, and which it is */
    NAS_STREAM_NOISE = 16, /**< metrics that are measured on noise: images (0), their change (1) */
    NAS_STREAM_SENSITIVITY = 17 /**< verify: parameters changed by a few roundings */
} nas_stream_t;

/** A position in one stream. A plain value: copy it to fork, re-initialise it to replay. */
typedef struct nas_rng {
    uint32_t key[2];     /**< the seed */
    uint32_t counter[4]; /**< block number, stream, index (low, high) */
    uint32_t block[4];   /**< output of the current block */
    uint32_t n_used;     /**< words of the block already handed out */
} nas_rng_t;

/** Start stream `stream`, number `index` (a step, an architecture) under `seed`.  Not collective,
 *  deterministic. Equal arguments give equal sequences; different ones are independent. */
void nas_rng_init(nas_rng_t *rng, uint64_t seed, nas_stream_t stream, uint64_t index);

/** 64 uniform bits. */
uint64_t nas_rng_u64(nas_rng_t *rng);

/** Uniform in [0, 1), 53 bits. */
double nas_rng_uniform(nas_rng_t *rng);

/** As n calls of nas_rng_uniform, in a fraction of their time.  value [out] [n]. */
void nas_rng_uniforms(nas_rng_t *rng, size_t n, double *value);

/** Uniform in [low, high). */
double nas_rng_between(nas_rng_t *rng, double low, double high);

/** Uniform integer in [0, n), unbiased. n > 0. */
uint64_t nas_rng_below(nas_rng_t *rng, uint64_t n);

/** Standard normal (Box-Muller; consumes two uniforms each call). */
double nas_rng_normal(nas_rng_t *rng);

#endif
