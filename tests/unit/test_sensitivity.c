/* What float64's own values move by is excused, and nothing else. */
#include "tests/unit/explanation_case.h"
#include "worker/verify/sensitivity.h"

/* A corner of every image is as if it were white: maxima over it are taken of equal values. */
static void whiten(nas_reference_t *r)
{
    float *pixel = r->input.data;
    for (int64_t plane = 0; plane < r->input.n * r->input.c; plane++)
        for (int y = 0; y < r->input.h / 2; y++)
            for (int x = 0; x < r->input.w; x++)
                pixel[(plane * r->input.h + y) * r->input.w + x] = 1;
    nas_reference_values_fini(&r->expected);
    r->expected = compute(r, NULL, 0, NULL);
}

/* What whoever rounds differently at every pixel may find. */
static nas_reference_values_t compute_with_rounding(nas_reference_t *r)
{
    const size_t n = nas_reference_n_pixels(r);
    float *own = r->input.data, *rounded = malloc(n * sizeof *rounded);
    cr_assert_not_null(rounded);
    for (size_t i = 0; i < n; i++) rounded[i] = own[i] * (1 + (float)(i % 7) * 0x1p-23F);
    r->input.data = rounded;
    nas_reference_values_t values = compute(r, NULL, 0, NULL);
    r->input.data = own;
    free(rounded);
    return values;
}

/* Values that differ, before and after. */
static void count_differing(const nas_reference_t *r, const nas_reference_values_t *found,
                            size_t *before, size_t *after)
{
    nas_comparison_t *row = NULL;
    size_t n = 0, n_widened = 0;
    *before = *after = 0;
    cr_assert_eq(nas_compare(r, found, false, &row, &n, NULL), NAS_OK);
    for (size_t i = 0; i < n; i++) *before += !row[i].agrees;
    cr_assert_eq(nas_sensitivity_widen(r, row, n, &n_widened, NULL), NAS_OK);
    for (size_t i = 0; i < n; i++) *after += !row[i].agrees;
    cr_assert_eq(n_widened, *before - *after);
    free(row);
}

static void fini(fixture_t *f, nas_reference_values_t *found)
{
    nas_reference_values_fini(found);
    nas_reference_fini(&f->reference);
}

Test(sensitivity, maxima_of_equal_values_are_excused)
{
    fixture_t f = setup("network-mixed.h5");
    size_t before = 0, after = 0;
    whiten(&f.reference);
    nas_reference_values_t found = compute_with_rounding(&f.reference);
    count_differing(&f.reference, &found, &before, &after);
    cr_assert_gt(before, 0);
    cr_assert_eq(after, 0);
    fini(&f, &found);
}

/* Twice the tolerance, of what moves by far less. */
Test(sensitivity, what_is_wrong_stays_so)
{
    fixture_t f = setup("network-mixed.h5");
    size_t before = 0, after = 0;
    nas_reference_values_t found = compute(&f.reference, NULL, 0, NULL);
    *metric_of(&found, "grad_norm") *= 1 + 1e-4;
    for (size_t i = 0; i < nas_reference_n_pixels(&f.reference); i++)
        found.input_gradient[i] *= 1 + 2e-3;
    count_differing(&f.reference, &found, &before, &after);
    cr_assert_eq(before, 2);
    cr_assert_eq(after, 2);
    fini(&f, &found);
}

/* Whatever else moves, a wrong forward pass is none of rounding; nor is a reference that is wrong. */
Test(sensitivity, nothing_is_excused_of_a_wrong_forward_pass_or_reference)
{
    fixture_t f = setup("network-mixed.h5");
    size_t before = 0, after = 0;
    whiten(&f.reference);
    nas_reference_values_t found = compute_with_rounding(&f.reference);
    found.logits[0] += 1;
    count_differing(&f.reference, &found, &before, &after);
    cr_assert_eq(after, before);
    found.logits[0] -= 1;
    *metric_of(&f.reference.expected, "snip") *= 2;
    count_differing(&f.reference, &found, &before, &after);
    cr_assert_eq(after, before);
    fini(&f, &found);
}
