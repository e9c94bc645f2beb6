/* Reading memory, the yardstick of what streams it. */
#ifndef NAS_WORKER_BENCH_BENCH_READ_H
#define NAS_WORKER_BENCH_BENCH_READ_H

#include "common/base/error.h"

#include <stdint.h>

/** A buffer of zeros. */
typedef struct nas_bench_read {
    uint64_t *line; /**< n_lines cache lines; owned */
    int64_t n_lines;
} nas_bench_read_t;

/** A buffer of n_bytes, 256 MiB at least, which caches that others use besides do not keep.  Not
 *  collective. NAS_ENOMEM. End with nas_bench_read_fini. */
nas_status_t nas_bench_read_init(nas_bench_read_t *read, int64_t n_bytes, nas_error_t *err);

/** Seconds of the processor in which it is read, with 64-byte lines fetched ahead. 
 *  Not collective. */
double nas_bench_read_s(const nas_bench_read_t *read);

/** Bytes/s where that takes so long. */
double nas_bench_read_rate(const nas_bench_read_t *read, double seconds);

/** Accepts a zeroed struct. */
void nas_bench_read_fini(nas_bench_read_t *read);

/** Median of n > 0 numbers, which are sorted by it. */
double nas_bench_median(double *value, int64_t n);

#endif
