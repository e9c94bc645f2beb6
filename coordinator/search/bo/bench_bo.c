#include "coordinator/search/bo/bench_bo.h"

#include "common/base/clock.h"
#include "common/base/matrix.h"
#include "common/base/rng.h"
#include "coordinator/search/bo/acquisition.h"
#include "coordinator/search/bo/gp.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

enum { N_WEIGHTS = 6, N_SIZES = 3, N_REPEATS = 7, MAX_OBSERVATIONS = 500 };

/* Medians over N_REPEATS steps, each on observations of its own. */
typedef struct measurement {
    int64_t n_observations;
    double fit_s;
    double maximise_s;
    double step_s;
} measurement_t;

typedef struct observations {
    double X[MAX_OBSERVATIONS * N_WEIGHTS];
    double y[MAX_OBSERVATIONS];
} observations_t;

/* Uniform weights, and a smooth target with some noise, on the scale of an accuracy in percent. */
static void synthesise(observations_t *observations, int64_t n, uint64_t index)
{
    nas_rng_t rng;
    nas_rng_init(&rng, 0, NAS_STREAM_BENCH, index);
    for (int64_t i = 0; i < n; i++) {
        double *x = observations->X + i * N_WEIGHTS;
        double target = 0.0;
        for (int64_t c = 0; c < N_WEIGHTS; c++) {
            x[c] = nas_rng_between(&rng, -1.0, 1.0);
            target += sin(2.0 * x[c] + (double)c);
        }
        observations->y[i] = 90.0 + target + 0.3 * nas_rng_normal(&rng);
    }
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, N_REPEATS, sizeof *values, compare);
    return values[N_REPEATS / 2];
}

static nas_status_t measure(nas_gp_t *gp, observations_t *observations, measurement_t *measurement,
                            nas_error_t *err)
{
    const int64_t n = measurement->n_observations;
    double fit_s[N_REPEATS];
    double maximise_s[N_REPEATS];
    double step_s[N_REPEATS];
    double x[N_WEIGHTS];
    for (int repeat = 0; repeat < N_REPEATS; repeat++) {
        const uint64_t index = (uint64_t)repeat;
        synthesise(observations, n, index);
        const double begin = nas_clock_monotonic_s();
        nas_status_t status =
            nas_gp_fit(gp, (nas_matrix_view_t){observations->X, n, N_WEIGHTS, N_WEIGHTS},
                       observations->y, 0, index, err);
        const double fitted = nas_clock_monotonic_s();
        if (status == NAS_OK) status = nas_ucb_maximise(gp, N_WEIGHTS, 0, index, x, err);
        if (status != NAS_OK) return status;
        const double end = nas_clock_monotonic_s();
        fit_s[repeat] = fitted - begin;
        maximise_s[repeat] = end - fitted;
        step_s[repeat] = end - begin;
    }
    measurement->fit_s = median(fit_s);
    measurement->maximise_s = median(maximise_s);
    measurement->step_s = median(step_s);
    return NAS_OK;
}

static bool print_table(FILE *out, const measurement_t *measurement)
{
    bool written = fprintf(out, "%12s %12s %12s %12s\n", "observations", "fit [s]", "maximise [s]",
                           "step [s]") > 0;
    for (int i = 0; i < N_SIZES; i++) {
        const measurement_t *m = &measurement[i];
        written =
            written && fprintf(out, "%12lld %12.6f %12.6f %12.6f\n", (long long)m->n_observations,
                               m->fit_s, m->maximise_s, m->step_s) > 0;
    }
    return written;
}

static bool print_json(FILE *out, const measurement_t *measurement)
{
    json_t *steps = json_array();
    for (int i = 0; i < N_SIZES; i++) {
        const measurement_t *m = &measurement[i];
        (void)json_array_append_new(
            steps, json_pack("{s:I, s:f, s:f, s:f}", "observations", (json_int_t)m->n_observations,
                             "fit_s", m->fit_s, "maximise_s", m->maximise_s, "step_s", m->step_s));
    }
    json_t *root = json_pack("{s:s, s:i, s:i, s:o}", "bench", "bo", "weights", N_WEIGHTS, "repeats",
                             N_REPEATS, "steps", steps);
    const bool written =
        root && json_dumpf(root, out, JSON_INDENT(2)) == 0 && fputc('\n', out) != EOF;
    json_decref(root);
    return written;
}

nas_status_t nas_bench_bo(FILE *out, bool json, nas_error_t *err)
{
    measurement_t measurement[N_SIZES] = {
        {.n_observations = 20}, {.n_observations = 100}, {.n_observations = MAX_OBSERVATIONS}};
    nas_gp_t *gp = NULL;
    nas_status_t status = NAS_OK;
    observations_t *observations = malloc(sizeof *observations);
    if (!observations) {
        status = nas_error_nomem(err, "synthetic observations");
        goto out;
    }
    status = nas_gp_create(N_WEIGHTS, MAX_OBSERVATIONS, NULL, &gp, err);
    for (int i = 0; i < N_SIZES && status == NAS_OK; i++) {
        status = measure(gp, observations, &measurement[i], err);
    }
    if (status != NAS_OK) goto out;
    if (!(json ? print_json : print_table)(out, measurement)) {
        status = nas_error_set(err, NAS_EIO, "the measurements could not be written");
    }

out:
    nas_gp_destroy(gp);
    free(observations);
    return status;
}
