#include "worker/bench/bench_read.h"

#include "common/base/clock.h"
#include "common/base/huge_pages.h"
#include "worker/ranking/score.h"

#include <stdlib.h>

nas_status_t nas_bench_read_init(nas_bench_read_t *read, int64_t n_bytes, nas_error_t *err)
{
    const int64_t least = 256 * 1024 * 1024;
    read->n_lines = (n_bytes > least ? n_bytes : least) / NAS_SCORE_LINE;
    read->line = nas_huge_pages_create((size_t)read->n_lines * NAS_SCORE_LINE);
    return read->line ? NAS_OK : nas_error_nomem(err, "the bench");
}

double nas_bench_read_s(const nas_bench_read_t *read)
{
    const double start = nas_clock_processor_s();
    const uint64_t bits = nas_score_kernel(nas_isa_best())->read(read->line, read->n_lines);
    const double seconds = nas_clock_processor_s() - start;
    NAS_ASSERT(bits == 0);
    return seconds;
}

double nas_bench_read_rate(const nas_bench_read_t *read, double seconds)
{
    return (double)read->n_lines * NAS_SCORE_LINE / seconds;
}

void nas_bench_read_fini(nas_bench_read_t *read)
{
    free(read->line);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double nas_bench_median(double *value, int64_t n)
{
    qsort(value, (size_t)n, sizeof *value, ascending);
    return 0.5 * (value[(n - 1) / 2] + value[n / 2]);
}
