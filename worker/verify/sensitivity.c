#include "worker/verify/sensitivity.h"

#include "common/base/rng.h"
#include "worker/verify/kinks.h"

#include <math.h>
#include <stdlib.h>

enum { N_DRAWS = 4 };

/* A network's parameters and images, changed. */
typedef struct changed {
    double *parameters;
    float *images;
} changed_t;

/* Values of float64 of other parameters and images, NULL: its own, against the reference's. *row_p is the
 * caller's; losses of a training, which come last, are not among them. */
static nas_status_t compare_float64(const nas_reference_t *reference, const changed_t *changed,
                                    nas_comparison_t **row_p, size_t *n, nas_error_t *err)
{
    nas_reference_t batch = *reference;
    nas_reference_values_t values = {0};
    batch.n_steps = 0;
    nas_reference_t other = batch;
    if (changed) other.parameters = changed->parameters;
    if (changed) other.input.data = changed->images;
    nas_status_t status = nas_kinks_compute(&other, NULL, 0, &values, NULL, err);
    if (!status) status = nas_compare(&batch, &values, !changed, row_p, n, err);
    nas_reference_values_fini(&values);
    return status;
}

static nas_status_t is_right(const nas_reference_t *reference, bool *is, nas_error_t *err)
{
    nas_comparison_t *row = NULL;
    size_t n = 0;
    const nas_status_t status = compare_float64(reference, NULL, &row, &n, err);
    *is = status == NAS_OK && nas_comparisons_agree(row, n);
    free(row);
    return status;
}

/* What is changed by a few roundings, up or down. */
static double change(nas_rng_t *rng, double value)
{
    const bool is_up = nas_rng_uniform(rng) < 0.5;
    return value * (1 + (is_up ? 1 : -1) * NAS_SENSITIVITY_CHANGE);
}

static void draw_change(const nas_reference_t *reference, uint64_t draw, const changed_t *changed)
{
    const size_t n_pixels = nas_reference_n_pixels(reference);
    const float *images = reference->input.data;
    nas_rng_t rng;
    nas_rng_init(&rng, 0, NAS_STREAM_SENSITIVITY, draw);
    for (int64_t i = 0; i < reference->graph->n_values; i++)
        changed->parameters[i] = change(&rng, reference->parameters[i]);
    for (size_t i = 0; i < n_pixels; i++) changed->images[i] = (float)change(&rng, images[i]);
}

/* moved: of one draw. NaN and infinite ones excuse nothing. */
static size_t widen(const nas_comparison_t *moved, size_t n, nas_comparison_t *row)
{
    size_t n_widened = 0;
    for (size_t i = 0; i < n; i++) {
        if (row[i].agrees || !isfinite(moved[i].error)) continue;
        row[i].tolerance = fmax(row[i].tolerance, moved[i].error);
        row[i].agrees = row[i].error <= row[i].tolerance;
        n_widened += row[i].agrees;
    }
    return n_widened;
}

static nas_status_t widen_by_draws(const nas_reference_t *reference, nas_comparison_t *row,
                                   size_t *n_widened, nas_error_t *err)
{
    const size_t n_values = (size_t)reference->graph->n_values;
    changed_t changed = {.parameters = malloc((n_values + 1) * sizeof(double)),
                         .images = malloc(nas_reference_n_pixels(reference) * sizeof(float))};
    nas_status_t status = NAS_OK;
    if (!changed.parameters || !changed.images)
        status = nas_error_nomem(err, "changed parameters and images");
    for (uint64_t draw = 0; !status && draw < N_DRAWS; draw++) {
        nas_comparison_t *moved = NULL;
        size_t n = 0;
        draw_change(reference, draw, &changed);
        status = compare_float64(reference, &changed, &moved, &n, err);
        if (!status) *n_widened += widen(moved, n, row);
        free(moved);
    }
    free(changed.parameters);
    free(changed.images);
    return status;
}

nas_status_t nas_sensitivity_widen(const nas_reference_t *reference, nas_comparison_t *row,
                                   size_t n, size_t *n_widened, nas_error_t *err)
{
    bool is = false;
    *n_widened = 0;
    if (!nas_comparisons_agree_forward(row, n)) return NAS_OK; /* that is no rounding */
    const nas_status_t status = is_right(reference, &is, err);
    return status || !is ? status : widen_by_draws(reference, row, n_widened, err);
}
