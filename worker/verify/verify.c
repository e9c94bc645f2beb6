#include "worker/verify/verify.h"

#include "worker/verify/comparison.h"
#include "worker/verify/explanation.h"
#include "worker/verify/sensitivity.h"
#include "worker/verify/verify_training.h"
#include "worker/verify/verify_values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Results of all files so far. */
typedef struct tally {
    size_t n_values;
    size_t n_differ;
    nas_error_t first; /* the first value that differs, in words */
} tally_t;

/* ------------------------------------------------------------------------------- compute */

static nas_status_t compute(nas_device_t *device, const nas_reference_t *reference,
                            nas_reference_values_t *values, nas_error_t *err)
{
    nas_engine_t *engine = NULL;
    nas_status_t status = nas_reference_values_init(reference, values, err);
    if (!status) status = nas_device_engine(device, NULL, &engine, err);
    if (!status && nas_reference_has_values(reference))
        status = nas_verify_values(engine, reference, values, err);
    if (!status && reference->n_steps > 0)
        status = nas_verify_training(engine, reference, values->losses, err);
    nas_engine_destroy(engine);
    return status;
}

/* --------------------------------------------------------------------------------- print */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void print_network(const nas_reference_t *reference, FILE *out)
{
    const nas_network_t *net = &reference->graph->network;
    if (reference->model)
        (void)fprintf(out, "images of %d x %d x %d, %d classes, %s%s", net->image_channels,
                      net->height, net->width, net->classes,
                      reference->space ? reference->space->name : "",
                      reference->space ? "'s network, " : "");
    else
        (void)fprintf(out, "%d channels, %d %s a stage, ", net->channels, net->cells,
                      net->cells == 1 ? "cell" : "cells");
}

static void print_file(const char *path, const nas_reference_t *reference, FILE *out)
{
    const bool has_values = nas_reference_has_values(reference);
    (void)fprintf(out, "\n%s: ", base_name(path));
    print_network(reference, out);
    if (has_values) (void)fprintf(out, "%d images", reference->batch);
    if (reference->n_steps > 0)
        (void)fprintf(out, "%s%d steps of %d images", has_values ? ", " : "", reference->n_steps,
                      reference->batch);
    (void)fprintf(out, "\n  %s\n", nas_reference_name(reference));
    (void)fprintf(out, "  %-34s %13s %13s %9s %9s  %s\n", "value", "expected", "found", "error",
                  "tolerance", "verdict");
}

static void print_left_out(const nas_reference_t *reference, FILE *out)
{
    if (reference->n_left_out > 0)
        (void)fprintf(out,
                      "  left out: losses of %d steps; name the CIFAR-10 file of their images with "
                      "--images\n",
                      reference->n_left_out);
}

/* NaN and 0 without their sign, which says nothing. */
static double without_sign(double value)
{
    return isnan(value) ? (double)NAN : value + 0.0;
}

static void print_row(const nas_comparison_t *row, FILE *out)
{
    (void)fprintf(out, "  %-34s %13.6g %13.6g %9.1e %9.1e  %s\n", row->name,
                  without_sign(row->expected), without_sign(row->found), row->error, row->tolerance,
                  row->agrees ? "agrees" : "DIFFERS");
}

/* Rows that stand together: one of no group, or neighbours in a group with one tolerance. */
static size_t together(const nas_comparison_t *row, size_t n)
{
    size_t end = 1;
    while (end < n && row->group && row[end].group && strcmp(row[end].group, row->group) == 0 &&
           row[end].tolerance == row->tolerance)
        end++;
    return end;
}

/* Those of a group that differ, and the worst of those that agree. */
static void print_group(const nas_comparison_t *row, size_t n, FILE *out)
{
    const nas_comparison_t *worst = NULL;
    size_t n_agree = 0;
    for (size_t i = 0; i < n; i++) {
        if (!row[i].agrees) {
            print_row(&row[i], out);
            continue;
        }
        n_agree++;
        if (!worst || row[i].error > worst->error) worst = &row[i];
    }
    if (!worst) return;
    print_row(worst, out);
    if (row->group) (void)fprintf(out, "  the worst of %zu %s that agree\n", n_agree, row->group);
}

static void print_rows(const nas_comparison_t *row, size_t n, FILE *out)
{
    for (size_t i = 0, end; i < n; i = end) {
        end = i + together(&row[i], n - i);
        print_group(&row[i], end - i, out);
    }
}

static void print_explanation(const nas_explanation_t *explanation, FILE *out)
{
    if (explanation->n == 1)
        (void)fprintf(out, "  expected with 1 ReLU, %.1e from its kink, on its other side\n",
                      explanation->distance);
    else if (explanation->n > 1)
        (void)fprintf(
            out, "  expected with %d ReLUs, at most %.1e from their kinks, on their other side\n",
            explanation->n, explanation->distance);
}

static void print_widened(size_t n_widened, FILE *out)
{
    if (n_widened > 0)
        (void)fprintf(
            out,
            "  where parameters and images change by %.0e, float64's own move by the tolerances of %zu of these\n",
            NAS_SENSITIVITY_CHANGE, n_widened);
}

static void count(tally_t *tally, const char *path, const nas_comparison_t *row, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tally->n_values++;
        if (row[i].agrees) continue;
        if (tally->n_differ++ == 0)
            (void)nas_error_set(&tally->first, NAS_ENUMERIC,
                                "%s: %s is %.9g, expected %.9g (error %.1e, tolerance %.1e)", path,
                                row[i].name, row[i].found, row[i].expected, row[i].error,
                                row[i].tolerance);
    }
}

/* -------------------------------------------------------------------------------- verify */

/* A file, what was found for it, and how it compares. */
typedef struct verified {
    nas_reference_t reference;
    nas_reference_values_t found;
    nas_explanation_t explanation; /* that explain it */
    nas_comparison_t *row;
    size_t n;
    size_t n_widened; /* rows that agree since float32 can tell no more */
} verified_t;

/* With what float64 gives with the ReLUs at their kinks on the other side. */
static nas_status_t compare_with_explanation(verified_t *verified, nas_error_t *err)
{
    nas_reference_t reference = verified->reference;
    reference.expected = verified->explanation.expected;
    reference.expected.losses = verified->reference.expected.losses;
    free(verified->row);
    verified->row = NULL;
    return nas_compare(&reference, &verified->found, false, &verified->row, &verified->n, err);
}

static nas_status_t compare(verified_t *verified, bool is_float64, nas_error_t *err)
{
    nas_status_t status = nas_compare(&verified->reference, &verified->found, is_float64,
                                      &verified->row, &verified->n, err);
    const bool may_be_explained = !is_float64 && nas_reference_has_values(&verified->reference);
    if (status || !may_be_explained || nas_comparisons_agree(verified->row, verified->n))
        return status;
    status = nas_explain(&verified->reference, &verified->found, NAS_EXPLANATION_WITHIN,
                         &verified->explanation, err);
    if (status) return status;
    if (verified->explanation.n > 0) return compare_with_explanation(verified, err);
    return nas_sensitivity_widen(&verified->reference, verified->row, verified->n,
                                 &verified->n_widened, err);
}

static nas_status_t verify_file(const nas_verify_options_t *options, const char *path,
                                tally_t *tally, FILE *out, nas_error_t *err)
{
    const bool is_float64 = nas_device_layout(options->device)->element_bytes == sizeof(double);
    verified_t verified = {0};
    const nas_reference_t *reference = &verified.reference;
    nas_status_t status =
        nas_reference_read(path, options->images, options->space, &verified.reference, err);
    if (status) return status;
    if ((status = compute(options->device, reference, &verified.found, err))) goto out;
    if ((status = compare(&verified, is_float64, err))) goto out;
    print_file(path, reference, out);
    print_rows(verified.row, verified.n, out);
    print_explanation(&verified.explanation, out);
    print_widened(verified.n_widened, out);
    print_left_out(reference, out);
    count(tally, path, verified.row, verified.n);
    if (options->dump) status = nas_reference_write(options->dump, reference, &verified.found, err);
out:
    free(verified.row);
    nas_explanation_fini(&verified.explanation);
    nas_reference_values_fini(&verified.found);
    nas_reference_fini(&verified.reference);
    return status;
}

static nas_status_t conclude(const tally_t *tally, FILE *out, nas_error_t *err)
{
    (void)fprintf(out, "\n%zu values, %zu differ\n", tally->n_values, tally->n_differ);
    if (fflush(out) != 0 || ferror(out))
        return nas_error_set(err, NAS_EIO, "verify's table cannot be written");
    if (tally->n_differ == 0) return NAS_OK;
    return nas_error_set(err, NAS_ENUMERIC, "%s", tally->first.text);
}

nas_status_t nas_verify(const nas_verify_options_t *options, FILE *out, nas_error_t *err)
{
    tally_t tally = {0};
    nas_status_t status = NAS_OK;
    if (options->dump && options->n_paths != 1)
        return nas_error_set(err, NAS_EARG, "verify: --dump takes one reference file, not %d",
                             options->n_paths);
    if (nas_device_kind(options->device) == NAS_DEVICE_GPU)
        (void)fprintf(out, "device %s\n", nas_device_name(options->device));
    else
        (void)fprintf(out, "backend %s\n", nas_device_layout(options->device)->name);
    for (int i = 0; !status && i < options->n_paths; i++)
        status = verify_file(options, options->path[i], &tally, out, err);
    return status ? status : conclude(&tally, out, err);
}
