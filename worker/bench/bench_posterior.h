/* How fast the posterior of method pool-gp looks through a pool, beside how fast this machine reads
 * memory: a part of `robotnas bench rank`. */
#ifndef NAS_WORKER_BENCH_BENCH_POSTERIOR_H
#define NAS_WORKER_BENCH_BENCH_POSTERIOR_H

#include "common/base/error.h"
#include "common/base/isa.h"

#include <stdint.h>

enum { NAS_BENCH_POSITIONS = 6 }; /**< of each row, with 5 choices */

/** What to measure; all > 0. */
typedef struct nas_bench_posterior_options {
    int64_t n_arch;
    int64_t n_metric;
    int64_t n_points;
    int64_t n_repeats; /**< timed steps of each instruction set */
} nas_bench_posterior_options_t;

/** Medians, of one instruction set; time is of the processor. */
typedef struct nas_bench_posterior {
    nas_isa_t isa;
    double seconds;          /**< of a step: the last point appended, one sweep for its line, means,
                                  deviations and the highest expected improvement */
    double read_bytes_per_s; /**< of memory, measured right before each step */
} nas_bench_posterior_t;

/** Bytes of a row that a step reads and writes: features, codes, lines. */
double nas_bench_posterior_row_bytes(const nas_bench_posterior_options_t *options);

/** Measure a step with every available instruction set on one core.  Not collective. Memory: the
 *  row's bytes, the points rounded up to 16, and what is read besides: the features once more, 256
 *  MiB at least; 8 bytes a row while metrics are made.
 *  result [out] up to NAS_ISA_COUNT of them; n_result [out]. NAS_ENOMEM. */
nas_status_t nas_bench_posterior(const nas_bench_posterior_options_t *options,
                                 nas_bench_posterior_t *result, int *n_result, nas_error_t *err);

#endif
