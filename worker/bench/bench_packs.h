/* Rates of an engine that takes several architectures at once. */
#ifndef NAS_WORKER_BENCH_BENCH_PACKS_H
#define NAS_WORKER_BENCH_BENCH_PACKS_H

#include "worker/engine/scorer.h"

/** What to measure; borrowed for the call. */
typedef struct nas_bench_packs_options {
    nas_scorer_t *scorer;
    int width;        /**< architectures of a pack */
    int n_metric;     /**< of the scorer */
    const char *arch; /**< that all of them are; NULL: drawn from the space that has networks */
    int n_packs;
} nas_bench_packs_options_t;

/** Score packs, of which each is made while the one before is under way, after one to warm up.  Not
 *  collective.
 *  seconds [out] of one architecture.
 *  NAS_EARG: not an architecture. NAS_ENOMEM; and as one of them failed. */
nas_status_t nas_bench_packs(const nas_bench_packs_options_t *options, double *seconds,
                             nas_error_t *err);

#endif
