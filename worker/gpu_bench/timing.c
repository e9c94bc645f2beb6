#include "worker/gpu_bench/timing.h"

#include "common/base/clock.h"

#include <stdlib.h>

enum { MOST_SAMPLES = 5, MOST_REPEATS = 4000 };

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double nas_median(double *sample, int n)
{
    qsort(sample, (size_t)n, sizeof *sample, compare);
    return sample[n / 2];
}

/* What is repeated. */
typedef struct work {
    nas_gpu_t *gpu;
    const nas_timed_t *timed;
    const nas_gpu_kernel_t *kernel[NAS_TIMED_MOST];
} work_t;

/* Seconds of all repeats together. */
static nas_status_t run(const work_t *work, int repeats, double *seconds, nas_error_t *err)
{
    const nas_gpu_layer_t *layer = work->gpu->layer;
    const double begin_s = nas_clock_monotonic_s();
    for (int r = 0; r < repeats; r++)
        for (int i = 0; i < work->timed->n; i++) {
            const nas_timed_launch_t *launch = &work->timed->launch[i];
            layer->launch(work->gpu, work->kernel[i], launch->groups_x, launch->groups_y,
                          work->timed->memory, launch->at);
        }
    const nas_status_t status = layer->wait(work->gpu, err);
    *seconds = nas_clock_monotonic_s() - begin_s;
    return status;
}

static nas_status_t build(work_t *work, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && i < work->timed->n; i++)
        status = nas_gpu_variant_kernel(work->gpu, &work->timed->launch[i].variant,
                                        &work->kernel[i], err);
    return status;
}

/* Samples of at least so long: a clock is read twice in each, and a queue runs dry at its end. */
static int count_repeats(const nas_gpu_bench_t *bench, double once_s)
{
    const double sample_s = bench->is_quick ? 0.001 : 0.02;
    const double repeats = sample_s / (once_s + 1e-9);
    if (repeats > MOST_REPEATS) return MOST_REPEATS;
    return repeats < 1 ? 1 : (int)repeats;
}

nas_status_t nas_time_launches(const nas_gpu_bench_t *bench, const nas_timed_t *timed,
                               double *seconds, nas_error_t *err)
{
    work_t work = {.gpu = bench->gpu, .timed = timed};
    double sample[MOST_SAMPLES];
    nas_status_t status = build(&work, err);
    if (!status) status = run(&work, 1, seconds, err);
    if (status || bench->is_once) return status;
    status = run(&work, 1, seconds, err); /* the first one may have waited for the device to wake */
    const int repeats = status ? 0 : count_repeats(bench, *seconds);
    const int n_samples = bench->is_quick ? 1 : MOST_SAMPLES;
    for (int i = 0; !status && i < n_samples; i++) {
        status = run(&work, repeats, &sample[i], err);
        sample[i] /= repeats;
    }
    if (!status) *seconds = nas_median(sample, n_samples);
    return status;
}
