#include "worker/verify/verify.h"

#include "worker/engine/scorer.h"
#include "worker/verify/comparison.h"
#include "worker/verify/verify_training.h"

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

/* The metrics that the file has, with the rank of each in the list of all. */
typedef struct chosen {
    const nas_metric_t **metric;
    int *index;
    double *value;
    int n;
} chosen_t;

static nas_status_t choose_metrics(const nas_reference_t *reference, chosen_t *chosen,
                                   nas_error_t *err)
{
    int n_metrics;
    const nas_metric_t *const *list = nas_metric_list(&n_metrics);
    chosen->metric = calloc((size_t)n_metrics, sizeof *chosen->metric);
    chosen->index = calloc((size_t)n_metrics, sizeof *chosen->index);
    chosen->value = calloc((size_t)n_metrics, sizeof *chosen->value);
    if (!chosen->metric || !chosen->index || !chosen->value) return nas_error_nomem(err, "metrics");
    for (int i = 0; i < n_metrics; i++) {
        if (!reference->has_metric[i]) continue;
        chosen->index[chosen->n] = i;
        chosen->metric[chosen->n++] = list[i];
    }
    return NAS_OK;
}

static nas_status_t compute_metrics(nas_engine_t *engine, const nas_reference_t *reference,
                                    nas_reference_values_t *values, nas_error_t *err)
{
    chosen_t chosen = {0};
    nas_scorer_t *scorer = NULL;
    nas_status_t status = choose_metrics(reference, &chosen, err);
    const nas_scorer_options_t options = {.engine = engine,
                                          .network = reference->graph->network,
                                          .metric = chosen.metric,
                                          .n_metric = chosen.n,
                                          .batch = reference->batch,
                                          .images = reference->images,
                                          .labels = reference->labels};
    if (!status) status = nas_scorer_create(&options, &scorer, err);
    if (!status)
        status =
            nas_scorer_measure(scorer, reference->graph, reference->parameters, chosen.value, err);
    for (int i = 0; !status && i < chosen.n; i++) values->metric[chosen.index[i]] = chosen.value[i];
    nas_scorer_destroy(scorer);
    free(chosen.metric);
    free(chosen.index);
    free(chosen.value);
    return status;
}

/* What the program must bring besides logits and loss. */
static unsigned needs_of(const nas_reference_t *reference)
{
    unsigned needs = NAS_NEED_LOSS;
    if (reference->has_input_gradient) needs |= NAS_NEED_JACOBIAN;
    for (int i = 0; i < reference->graph->n_parameters; i++)
        if (reference->has_gradient[i]) needs |= NAS_NEED_GRADIENT;
    return needs;
}

/* Logits, loss and gradients. Where no way leads to the input, its gradient stays 0. */
static nas_status_t compute_outputs(nas_engine_t *engine, const nas_reference_t *reference,
                                    nas_reference_values_t *values, nas_error_t *err)
{
    const nas_program_options_t options = {.layout = engine->layout,
                                           .graph = reference->graph,
                                           .batch = reference->batch,
                                           .needs = needs_of(reference)};
    const size_t n_logits = (size_t)reference->batch * (size_t)reference->graph->network.classes;
    nas_program_t *program = NULL;
    nas_program_values_t run;
    nas_status_t status = nas_program_create(&options, &program, err);
    const nas_engine_task_t task = {.program = program,
                                    .parameters = reference->parameters,
                                    .images = reference->images,
                                    .labels = reference->labels};
    if (!status) status = nas_engine_run(engine, &task, &run, err);
    if (status) goto out;
    memcpy(values->logits, run.logits, n_logits * sizeof *values->logits);
    values->loss = run.loss;
    if (run.jacobian)
        memcpy(values->input_gradient, run.jacobian,
               nas_reference_n_pixels(reference) * sizeof *values->input_gradient);
    if (run.gradient)
        memcpy(values->gradient, run.gradient,
               (size_t)reference->graph->n_values * sizeof *values->gradient);
out:
    nas_program_destroy(program);
    return status;
}

static nas_status_t compute(nas_device_t *device, const nas_reference_t *reference,
                            nas_reference_values_t *values, nas_error_t *err)
{
    nas_engine_t *engine = NULL;
    nas_status_t status = nas_reference_values_init(reference, values, err);
    if (!status) status = nas_device_engine(device, NULL, &engine, err);
    if (!status && reference->n_steps > 0) {
        status = nas_verify_training(engine, reference, values->losses, err);
    } else if (!status) {
        status = compute_outputs(engine, reference, values, err);
        if (!status) status = compute_metrics(engine, reference, values, err);
    }
    nas_engine_destroy(engine);
    return status;
}

/* --------------------------------------------------------------------------------- print */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void print_file(const char *path, const nas_reference_t *reference, FILE *out)
{
    const nas_network_t *net = &reference->graph->network;
    (void)fprintf(out, "\n%s: %d channels, %d %s a stage, ", base_name(path), net->channels,
                  net->cells, net->cells == 1 ? "cell" : "cells");
    if (reference->n_steps > 0) (void)fprintf(out, "%d steps of ", reference->n_steps);
    (void)fprintf(out, "%d images\n  %s\n", reference->batch, reference->arch.name);
    (void)fprintf(out, "  %-34s %13s %13s %9s %9s  %s\n", "value", "expected", "found", "error",
                  "tolerance", "verdict");
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

static nas_status_t verify_file(const nas_verify_options_t *options, const char *path,
                                tally_t *tally, FILE *out, nas_error_t *err)
{
    const bool is_float64 = nas_device_layout(options->device)->element_bytes == sizeof(double);
    nas_reference_t reference = {0};
    nas_reference_values_t found = {0};
    nas_comparison_t *comparison = NULL;
    size_t n = 0;
    nas_status_t status = nas_reference_read(path, options->images, &reference, err);
    if (status) return status;
    if ((status = compute(options->device, &reference, &found, err))) goto out;
    if ((status = nas_compare(&reference, &found, is_float64, &comparison, &n, err))) goto out;
    print_file(path, &reference, out);
    print_rows(comparison, n, out);
    count(tally, path, comparison, n);
    if (options->dump) status = nas_reference_write(options->dump, &reference, &found, err);
out:
    free(comparison);
    nas_reference_values_fini(&found);
    nas_reference_fini(&reference);
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
