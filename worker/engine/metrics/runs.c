#include "worker/engine/metrics/runs.h"

#include "common/base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------------------------- which there are */

static nas_runs_t runs_of_kind(nas_runs_kind_t kind, int batch)
{
    const int few = batch < NAS_RUNS_FEW_IMAGES ? batch : NAS_RUNS_FEW_IMAGES;
    const nas_runs_t runs[NAS_N_RUNS] = {
        [NAS_RUNS_BATCH] = {.n = 1, .batch = batch},
        [NAS_RUNS_FLOW] = {.n = 1, .batch = 1},
        [NAS_RUNS_FEW] = {.n = 1, .batch = few},
        [NAS_RUNS_HALVES] = {.n = 2, .batch = batch > 1 ? batch / 2 : 1},
        [NAS_RUNS_NOISE] = {.n = 1, .batch = batch},
        [NAS_RUNS_CHANGE] = {.n = 2, .batch = batch},
    };
    nas_runs_t of_kind = runs[kind];
    of_kind.kind = kind;
    return of_kind;
}

int nas_runs_list(const nas_metric_t *const *metric, int n_metric, int batch, nas_runs_t *runs)
{
    int n = 0;
    for (int kind = 0; kind < NAS_N_RUNS; kind++) {
        runs[n] = runs_of_kind((nas_runs_kind_t)kind, batch);
        for (int i = 0; i < n_metric; i++)
            if (metric[i]->on == runs[n].kind) runs[n].needs |= metric[i]->needs;
        n += runs[n].needs != 0;
    }
    return n;
}

/* ---------------------------------------------------------------------------------------- images */

/* The first ones, in a place of their own: whoever looks for passes over the batch by its images'
 * place (worker/verify/kinks.h) is to find that one alone. */
static nas_status_t copy_few(const nas_runs_t *runs, const nas_runs_source_t *source,
                             nas_runs_images_t *to, nas_error_t *err)
{
    const size_t n = (size_t)runs->batch * source->image;
    float *images = malloc((n + 1) * sizeof *images);
    if (!images) return nas_error_nomem(err, "a few images");
    memcpy(images, source->images, n * sizeof *images);
    *to = (nas_runs_images_t){{images}, {source->labels}, images};
    return NAS_OK;
}

/* Classes that stand one behind the other in the batch are then in both halves. */
static nas_status_t copy_halves(const nas_runs_t *runs, const nas_runs_source_t *source,
                                nas_runs_images_t *to, nas_error_t *err)
{
    const size_t n = (size_t)runs->batch, n_numbers = source->image * sizeof(float);
    char *memory = malloc(2 * n * (n_numbers + sizeof(int32_t)) + 1);
    if (!memory) return nas_error_nomem(err, "halves of a batch");
    *to = (nas_runs_images_t){.owned = memory};
    for (size_t half = 0; half < 2; half++) {
        float *images = (float *)(void *)(memory + half * n * n_numbers);
        int32_t *labels =
            (int32_t *)(void *)(memory + 2 * n * n_numbers + half * n * sizeof *labels);
        for (size_t i = 0; i < n; i++) {
            const size_t from = (2 * i + half) % (size_t)source->batch;
            memcpy(images + i * source->image, source->images + from * source->image, n_numbers);
            labels[i] = source->labels[from];
        }
        to->images[half] = images;
        to->labels[half] = labels;
    }
    return NAS_OK;
}

static void draw_noise(uint64_t seed, uint64_t number, double size, float *images, size_t n)
{
    nas_rng_t rng;
    nas_rng_init(&rng, seed, NAS_STREAM_NOISE, number);
    for (size_t i = 0; i < n; i++)
        images[i] = (float)((double)images[i] + size * nas_rng_normal(&rng));
}

static nas_status_t make_noise(const nas_runs_t *runs, const nas_runs_source_t *source,
                               nas_runs_images_t *to, nas_error_t *err)
{
    const double change = 0.01;
    const size_t n = (size_t)runs->batch * source->image;
    float *noise = calloc((size_t)runs->n * n + 1, sizeof *noise);
    if (!noise) return nas_error_nomem(err, "images of noise");
    *to = (nas_runs_images_t){.owned = noise};
    draw_noise(source->seed, 0, 1, noise, n);
    for (int run = 0; run < runs->n; run++) {
        to->images[run] = noise + (size_t)run * n;
        to->labels[run] = source->labels;
    }
    if (runs->n < 2) return NAS_OK;
    memcpy(noise + n, noise, n * sizeof *noise);
    draw_noise(source->seed, 1, change, noise + n, n);
    return NAS_OK;
}

nas_status_t nas_runs_images_init(const nas_runs_t *runs, const nas_runs_source_t *source,
                                  nas_runs_images_t *to, nas_error_t *err)
{
    if (runs->kind == NAS_RUNS_HALVES) return copy_halves(runs, source, to, err);
    if (runs->kind == NAS_RUNS_NOISE || runs->kind == NAS_RUNS_CHANGE)
        return make_noise(runs, source, to, err);
    if (runs->kind == NAS_RUNS_FEW) return copy_few(runs, source, to, err);
    *to = (nas_runs_images_t){.images = {source->images}, .labels = {source->labels}};
    return NAS_OK;
}

void nas_runs_images_fini(nas_runs_images_t *images)
{
    free(images->owned);
    *images = (nas_runs_images_t){0};
}

/* ------------------------------------------------------------------------------------ parameters */

void nas_runs_scale(const nas_graph_t *graph, double *parameters)
{
    for (int i = 0; i < graph->n_parameters; i++) {
        const nas_parameter_t *parameter = &graph->parameter[i];
        double *value = parameters + parameter->offset, squares = 0;
        if (parameter->kind != NAS_PARAMETER_WEIGHT) continue;
        for (int64_t k = 0; k < parameter->n; k++) squares += value[k] * value[k];
        const double size = sqrt(squares / (double)parameter->n);
        for (int64_t k = 0; size > 0 && k < parameter->n; k++) value[k] /= size;
    }
}
