#include "worker/bench/bench_packs.h"

#include "common/base/clock.h"
#include "common/base/rng.h"
#include "worker/bench/bench_work.h"

#include <stdlib.h>

typedef struct packs {
    const nas_bench_packs_options_t *options;
    nas_arch_t arch;
    nas_rng_t rng;
    double *values;              /* [width x n_metric] */
    double **value;              /* [width] in it */
    nas_scorer_result_t *result; /* [width] */
} packs_t;

static nas_status_t allocate(packs_t *packs, nas_error_t *err)
{
    const size_t width = (size_t)packs->options->width, n_metric = (size_t)packs->options->n_metric;
    packs->values = malloc((width * n_metric + 1) * sizeof *packs->values);
    packs->value = malloc(width * sizeof *packs->value);
    packs->result = malloc(width * sizeof *packs->result);
    if (!packs->values || !packs->value || !packs->result) return nas_error_nomem(err, "the bench");
    for (size_t i = 0; i < width; i++) packs->value[i] = packs->values + i * n_metric;
    return NAS_OK;
}

static void start(packs_t *packs)
{
    const uint64_t n_archs = (uint64_t)packs->arch.space->count;
    for (int i = 0; i < packs->options->width; i++) {
        if (!packs->options->arch)
            nas_arch_set(&packs->arch, (int64_t)nas_rng_below(&packs->rng, n_archs));
        nas_scorer_add(packs->options->scorer, packs->arch.index);
    }
    nas_scorer_start(packs->options->scorer);
}

static nas_status_t finish(packs_t *packs, nas_error_t *err)
{
    nas_status_t status =
        nas_scorer_finish(packs->options->scorer, packs->value, packs->result, err);
    for (int i = 0; !status && i < packs->options->width; i++)
        if (packs->result[i].status)
            status = nas_error_set(err, packs->result[i].status, "%s", packs->result[i].err.text);
    return status;
}

static nas_status_t time_packs(packs_t *packs, double *seconds, nas_error_t *err)
{
    const int n = packs->options->n_packs;
    start(packs);
    nas_status_t status = finish(packs, err);
    if (status) return status;
    const double begin_s = nas_clock_monotonic_s();
    start(packs);
    for (int k = 1; !status && k <= n; k++) {
        if (k < n) start(packs);
        status = finish(packs, err);
    }
    *seconds = (nas_clock_monotonic_s() - begin_s) / n / packs->options->width;
    return status;
}

nas_status_t nas_bench_packs(const nas_bench_packs_options_t *options, double *seconds,
                             nas_error_t *err)
{
    packs_t packs = {.options = options};
    nas_rng_init(&packs.rng, 0, NAS_STREAM_BENCH, 1);
    nas_status_t status =
        nas_bench_arch(options->arch ? options->arch : nas_bench_name(0), &packs.arch, err);
    if (!status) status = allocate(&packs, err);
    if (!status) status = time_packs(&packs, seconds, err);
    nas_arch_fini(&packs.arch);
    free(packs.values);
    free(packs.value);
    free(packs.result);
    return status;
}
