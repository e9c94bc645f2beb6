/* Notes about metrics: their values, and where scores come from. */
#include "coordinator/inputs/notes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------------------------- values */

static const char *transform_phrase(nas_transform_t transform)
{
    static const char *const phrase[] = {
        [NAS_TRANSFORM_LOG] = " after transform log", [NAS_TRANSFORM_EXP] = " after transform exp"};
    const bool changes = transform == NAS_TRANSFORM_LOG || transform == NAS_TRANSFORM_EXP;
    return changes ? phrase[transform] : "";
}

/* Architectures that are in the table or among the scores. */
static int64_t count_covered(const nas_inputs_t *inputs)
{
    const int64_t n = nas_pool_count(&inputs->pool);
    int64_t n_covered = 0;
    for (int64_t i = 0; i < n; i++) n_covered += !inputs->scored_row || inputs->scored_row[i] >= 0;
    return n_covered;
}

/* What normalisation makes of values that are not there: nas_normalise. */
static nas_status_t note_metric(const nas_inputs_t *inputs, size_t m, nas_strings_t *notes,
                                nas_error_t *err)
{
    const char *name = inputs->job->metrics.names.at[m];
    const nas_metric_facts_t *facts = &inputs->metric_facts[m];
    const char *after = transform_phrase(nas_job_transform(inputs->job, name));
    const long long n = (long long)count_covered(inputs);
    nas_status_t status = NAS_OK;
    if (facts->is_constant && facts->n_left == 1)
        return nas_note_add(
            notes,
            nas_string_format(
                err,
                "metric %s is known%s for one architecture only: it tells nothing apart and gets no weight",
                name, after),
            err);
    if (facts->is_constant)
        return nas_note_add(
            notes,
            nas_string_format(
                err,
                "metric %s is the same for every architecture%s: it tells nothing apart and gets no weight",
                name, after),
            err);
    if (facts->n_given < n)
        status = nas_note_add(
            notes,
            nas_string_format(
                err,
                "metric %s has values for %lld of %lld architectures; the others count as its lowest",
                name, (long long)facts->n_given, n),
            err);
    if (status || facts->n_left == facts->n_given) return status;
    return nas_note_add(
        notes,
        nas_string_format(
            err,
            "metric %s has %lld values%s of %lld, which must be above 0; the others count as its lowest",
            name, (long long)facts->n_left, after, (long long)facts->n_given),
        err);
}

static nas_status_t note_all_constant(const nas_inputs_t *inputs, nas_strings_t *notes,
                                      nas_error_t *err)
{
    size_t n_constant = 0;
    const size_t n = inputs->job->metrics.names.n;
    for (size_t m = 0; m < n; m++) n_constant += inputs->metric_facts[m].is_constant;
    if (n_constant < n) return NAS_OK;
    return nas_note_add(
        notes,
        nas_string_copy(
            "no metric tells architectures apart: the search follows the order of the pool", err),
        err);
}

nas_status_t nas_inputs_note_metrics(const nas_inputs_t *inputs, nas_strings_t *notes,
                                     nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    if (!inputs->metric_facts) return NAS_OK;
    for (size_t m = 0; !status && m < inputs->job->metrics.names.n; m++)
        status = note_metric(inputs, m, notes, err);
    return status ? status : note_all_constant(inputs, notes, err);
}

/* ------------------------------------------------------------------------ scores of another run */

static nas_status_t note_difference(const nas_inputs_t *inputs, const char *here, const char *key,
                                    nas_strings_t *notes, nas_error_t *err)
{
    enum { SHOWN = 100 };
    size_t n = 0, n_there = 0;
    const char *value = nas_job_text_value(here, key, &n);
    const char *there = nas_job_text_value(inputs->scored.job_text, key, &n_there);
    if (!value || !there || (n == n_there && memcmp(value, there, n) == 0)) return NAS_OK;
    return nas_note_add(notes,
                        nas_string_format(err,
                                          "metrics.file: scored with %s %.*s, this job has %.*s",
                                          key, (int)(n_there < SHOWN ? n_there : SHOWN), there,
                                          (int)(n < SHOWN ? n : SHOWN), value),
                        err);
}

static nas_status_t note_differences(const nas_inputs_t *inputs, nas_strings_t *notes,
                                     nas_error_t *err)
{
    static const char *const keys[] = {"seed",        "network.channels", "network.cells",
                                       "data.format", "data.train",       "data.classes",
                                       "data.limit"};
    char *here = NULL;
    nas_status_t status = nas_job_print(inputs->job, false, &here, err);
    for (size_t i = 0; !status && i < sizeof keys / sizeof *keys; i++)
        status = note_difference(inputs, here, keys[i], notes, err);
    free(here);
    return status;
}

static nas_status_t note_coverage(const nas_inputs_t *inputs, nas_strings_t *notes,
                                  nas_error_t *err)
{
    const int64_t n = nas_pool_count(&inputs->pool), n_scored = count_covered(inputs);
    if (n_scored == n) return NAS_OK;
    return nas_note_add(
        notes,
        nas_string_format(
            err,
            "metrics.file: %s has scores for %lld of the pool's %lld architectures; the others count as the lowest",
            inputs->job->metrics.file, (long long)n_scored, (long long)n),
        err);
}

nas_status_t nas_inputs_note_scores(const nas_inputs_t *inputs, nas_strings_t *notes,
                                    nas_error_t *err)
{
    const char *notice = inputs->scored_notice.text;
    nas_status_t status = NAS_OK;
    if (!inputs->scored_row) return NAS_OK;
    if (*notice) status = nas_note_add(notes, nas_string_copy(notice, err), err);
    if (!status) status = note_coverage(inputs, notes, err);
    return status ? status : note_differences(inputs, notes, err);
}
