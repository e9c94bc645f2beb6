#include "worker/verify/explanation.h"

#include "worker/verify/comparison.h"
#include "worker/verify/kinks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ReLUs that are turned. */
typedef struct turned {
    int64_t position[NAS_KINKS_TURNED];
    int n;
    double distance; /* of the inputs from their kinks, the largest */
} turned_t;

typedef struct search {
    const nas_reference_t *reference;
    const nas_reference_values_t *found;
    nas_explanation_t *explanation;
    nas_comparison_t *row; /* with none turned */
    size_t n_rows;
    nas_kinks_t near;
    size_t n;         /* numbers of all gradients that the reference has */
    double *gradient; /* [n] with none turned */
    double *wanted;   /* [n] what was found, less that */
    double *effect;   /* [NAS_KINKS_MOST][n] what one ReLU alone brings */
} search_t;

/* ------------------------------------------------------------------------------- comparing */

/* Values that did not agree are to do so by far. */
static bool is_explained(const nas_comparison_t *before, const nas_comparison_t *row)
{
    return row->agrees && (before->agrees || row->error <= before->error / 2);
}

/* What was found, against a reference of these values. *row_p is the caller's. */
static nas_status_t compare(const search_t *search, const nas_reference_values_t *expected,
                            nas_comparison_t **row_p, size_t *n, nas_error_t *err)
{
    nas_reference_t reference = *search->reference;
    reference.expected = *expected;
    return nas_compare(&reference, search->found, false, row_p, n, err);
}

static nas_status_t are_explained(const search_t *search, const nas_reference_values_t *expected,
                                  bool *are, nas_error_t *err)
{
    nas_comparison_t *row = NULL;
    size_t n = 0;
    const nas_status_t status = compare(search, expected, &row, &n, err);
    *are = status == NAS_OK;
    for (size_t i = 0; *are && i < n; i++) *are = is_explained(&search->row[i], &row[i]);
    free(row);
    return status;
}

/* ------------------------------------------------------------------------------- gradients */

/* All that the reference has, one behind the other; to NULL: none. Returns how many numbers. */
static size_t gather(const nas_reference_t *reference, const nas_reference_values_t *values,
                     double *to)
{
    const nas_graph_t *graph = reference->graph;
    size_t n = 0;
    if (reference->has_input_gradient) {
        n = nas_reference_n_pixels(reference);
        if (to) memcpy(to, values->input_gradient, n * sizeof *to);
    }
    for (int i = 0; i < graph->n_parameters; i++) {
        const nas_parameter_t *parameter = &graph->parameter[i];
        if (!reference->has_gradient[i]) continue;
        if (to)
            memcpy(to + n, values->gradient + parameter->offset, (size_t)parameter->n * sizeof *to);
        n += (size_t)parameter->n;
    }
    return n;
}

/* Those of these values, less those with none turned. */
static void gather_change(const search_t *search, const nas_reference_values_t *values, double *to)
{
    (void)gather(search->reference, values, to);
    for (size_t i = 0; i < search->n; i++) to[i] -= search->gradient[i];
}

static nas_status_t make_room(search_t *search, nas_error_t *err)
{
    search->n = gather(search->reference, NULL, NULL);
    search->gradient = calloc(search->n + 1, sizeof(double));
    search->wanted = calloc(search->n + 1, sizeof(double));
    search->effect = calloc(search->n * NAS_KINKS_MOST + 1, sizeof(double));
    if (search->gradient && search->wanted && search->effect) return NAS_OK;
    return nas_error_nomem(err, "gradients");
}

/* ----------------------------------------------------------------------------------- trying */

static void add(turned_t *turned, const nas_kink_t *kink)
{
    turned->position[turned->n++] = kink->position;
    turned->distance = fmax(turned->distance, kink->distance);
}

/* Compute with these turned. Where that gives what was found they are what was looked for; else the
 * change goes to `effect` unless that is NULL. */
static nas_status_t try(search_t *search, const turned_t *turned, double *effect, nas_error_t *err)
{
    nas_reference_values_t values = {0};
    bool is_found = false;
    nas_status_t status =
        nas_kinks_compute(search->reference, turned->position, turned->n, &values, NULL, err);
    if (!status) status = are_explained(search, &values, &is_found, err);
    if (is_found) {
        *search->explanation = (nas_explanation_t){turned->n, turned->distance, values};
        return NAS_OK;
    }
    if (!status && effect) gather_change(search, &values, effect);
    nas_reference_values_fini(&values);
    return status;
}

/* Each alone, up to one that explains all. */
static nas_status_t try_each(search_t *search, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && search->explanation->n == 0 && i < search->near.n; i++) {
        turned_t alone = {0};
        add(&alone, &search->near.kink[i]);
        status = try(search, &alone, search->effect + (size_t)i * search->n, err);
    }
    return status;
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* How often each effect is in what is wanted, by least squares: Gauss and Seidel's iteration on the
 * normal equations. share [out] n_effects. */
static void resolve(const search_t *search, int n_effects, double *share)
{
    enum { N_SWEEPS = 1000 };
    double product[NAS_KINKS_MOST][NAS_KINKS_MOST], wanted[NAS_KINKS_MOST];
    for (int i = 0; i < n_effects; i++) {
        const double *effect = search->effect + (size_t)i * search->n;
        for (int k = 0; k < n_effects; k++)
            product[i][k] = dot(effect, search->effect + (size_t)k * search->n, search->n);
        wanted[i] = dot(effect, search->wanted, search->n);
        share[i] = 0;
    }
    for (int sweep = 0; sweep < N_SWEEPS; sweep++)
        for (int i = 0; i < n_effects; i++) {
            if (product[i][i] > 0)
                share[i] += (wanted[i] - dot(product[i], share, (size_t)n_effects)) / product[i][i];
        }
}

/* Those whose effects what was found is made of. */
static nas_status_t try_together(search_t *search, nas_error_t *err)
{
    double share[NAS_KINKS_MOST] = {0};
    turned_t turned = {0};
    resolve(search, search->near.n, share);
    for (int i = 0; i < search->near.n; i++) {
        if (!(share[i] > 0.5)) continue;
        if (turned.n == NAS_KINKS_TURNED) return NAS_OK;
        add(&turned, &search->near.kink[i]);
    }
    return turned.n > 1 ? try(search, &turned, NULL, err) : NAS_OK;
}

/* ------------------------------------------------------------------------------------- find */

/* Whether float64 gives what the reference has. */
static nas_status_t check_reference(const nas_reference_t *reference,
                                    const nas_reference_values_t *values, bool *is_right,
                                    nas_error_t *err)
{
    nas_comparison_t *row = NULL;
    size_t n = 0;
    const nas_status_t status = nas_compare(reference, values, true, &row, &n, err);
    *is_right = status == NAS_OK && nas_comparisons_agree(row, n);
    free(row);
    return status;
}

/* Lists the kinks that are near enough; none, where it makes no sense to look for any. */
static nas_status_t begin(search_t *search, double within, nas_error_t *err)
{
    nas_reference_values_t values = {0};
    bool is_right = false;
    nas_kinks_t *near = &search->near;
    nas_status_t status = make_room(search, err);
    if (!status) status = nas_kinks_compute(search->reference, NULL, 0, &values, near, err);
    if (!status) status = check_reference(search->reference, &values, &is_right, err);
    if (!status) status = compare(search, &values, &search->row, &search->n_rows, err);
    if (!status) {
        (void)gather(search->reference, &values, search->gradient);
        gather_change(search, search->found, search->wanted);
    }
    nas_reference_values_fini(&values);
    if (status) return status;
    while (near->n > 0 && near->kink[near->n - 1].share > within) near->n--;
    if (!is_right || !nas_comparisons_agree_forward(search->row, search->n_rows)) near->n = 0;
    return NAS_OK;
}

nas_status_t nas_explain(const nas_reference_t *reference, const nas_reference_values_t *found,
                         double within, nas_explanation_t *explanation, nas_error_t *err)
{
    nas_reference_t batch = *reference;
    search_t search = {.reference = &batch, .found = found, .explanation = explanation};
    batch.n_steps = 0; /* losses of a training are nothing to explain */
    nas_status_t status = begin(&search, within, err);
    if (!status) status = try_each(&search, err);
    if (!status && explanation->n == 0) status = try_together(&search, err);
    free(search.row);
    free(search.gradient);
    free(search.wanted);
    free(search.effect);
    return status;
}

void nas_explanation_fini(nas_explanation_t *explanation)
{
    nas_reference_values_fini(&explanation->expected);
    *explanation = (nas_explanation_t){0};
}
