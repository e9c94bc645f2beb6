/* Notes about metrics: their values, and where scores come from. */
#include "coordinator/inputs/inputs_internal.h"
#include "coordinator/inputs/note.h"
#include "coordinator/inputs/notes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------------------------- values */

static const char *transform_phrase(const nas_search_inputs_t *search, const char *name)
{
    static const char *const phrase[] = {
        [NAS_TRANSFORM_LOG] = " after transform log", [NAS_TRANSFORM_EXP] = " after transform exp"};
    const nas_transform_t transform = nas_search_inputs_transform(search, name);
    const bool changes = transform == NAS_TRANSFORM_LOG || transform == NAS_TRANSFORM_EXP;
    return changes ? phrase[transform] : "";
}

/* Architectures that are in the table or among the scores. */
static int64_t count_covered(const nas_search_inputs_t *search, const nas_pool_t *pool)
{
    const int64_t n = nas_pool_count(pool);
    int64_t n_covered = 0;
    for (int64_t i = 0; i < n; i++) n_covered += !search->scored_row || search->scored_row[i] >= 0;
    return n_covered;
}

/* What becomes of values that are not there: nas_normalise, nas_posterior_load. */
static const char *stand_in(const nas_search_inputs_t *search)
{
    return search->method->has_posterior ? "as the middle of the pool" : "as its lowest";
}

static nas_status_t note_metric(const nas_search_inputs_t *search, const nas_pool_t *pool, size_t m,
                                nas_strings_t *notes, nas_error_t *err)
{
    const char *name = search->job->metrics.names.at[m];
    const nas_metric_facts_t *facts = &search->facts[m];
    const char *after = transform_phrase(search, name);
    const long long n = (long long)count_covered(search, pool);
    const char *fate = search->method->has_posterior ? "is left out" : "gets no weight";
    nas_status_t status = NAS_OK;
    if (facts->n_left == 0)
        return nas_note_add(
            notes,
            nas_string_format(err, "metric %s has no value for any architecture: it is left out",
                              name),
            err);
    if (facts->is_constant && facts->n_left == 1)
        return nas_note_add(
            notes,
            nas_string_format(
                err,
                "metric %s is known%s for one architecture only: it tells nothing apart and %s",
                name, after, fate),
            err);
    if (facts->is_constant)
        return nas_note_add(
            notes,
            nas_string_format(
                err,
                "metric %s is the same for every architecture%s: it tells nothing apart and %s",
                name, after, fate),
            err);
    if (facts->n_given < n)
        status = nas_note_add(
            notes,
            nas_string_format(
                err, "metric %s has values for %lld of %lld architectures; the others count %s",
                name, (long long)facts->n_given, n, stand_in(search)),
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

static bool metrics_tell_apart(const nas_search_inputs_t *search)
{
    size_t n_constant = 0;
    const size_t n = search->job->metrics.names.n;
    for (size_t m = 0; search->facts && m < n; m++)
        n_constant += search->facts[m].is_constant || search->facts[m].n_left == 0;
    return n_constant < n;
}

bool nas_search_inputs_tell_apart(const nas_search_inputs_t *search)
{
    return search->encoding || metrics_tell_apart(search);
}

static nas_status_t note_all_constant(const nas_search_inputs_t *search, nas_strings_t *notes,
                                      nas_error_t *err)
{
    if (search->job->metrics.names.n == 0 || metrics_tell_apart(search)) return NAS_OK;
    const char *instead = "follows the order of the pool";
    if (search->method->has_posterior)
        instead = search->encoding ? "goes by the encoding alone" : "draws at random";
    return nas_note_add(
        notes,
        nas_string_format(err, "no metric tells architectures apart: the search %s", instead), err);
}

nas_status_t nas_search_inputs_note(const nas_search_inputs_t *search, const nas_pool_t *pool,
                                    nas_strings_t *notes, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    if (!search->facts) return NAS_OK;
    for (size_t m = 0; !status && m < search->job->metrics.names.n; m++)
        status = note_metric(search, pool, m, notes, err);
    return status ? status : note_all_constant(search, notes, err);
}

/* ------------------------------------------------------------------------ scores of another run */

static nas_status_t note_difference(const nas_search_inputs_t *search, const char *here,
                                    const char *key, nas_strings_t *notes, nas_error_t *err)
{
    enum { SHOWN = 100 };
    size_t n = 0, n_there = 0;
    const char *value = nas_job_text_value(here, key, &n);
    const char *there = nas_job_text_value(search->scored.job_text, key, &n_there);
    if (!value || !there || (n == n_there && memcmp(value, there, n) == 0)) return NAS_OK;
    return nas_note_add(notes,
                        nas_string_format(err,
                                          "metrics.file: scored with %s %.*s, this job has %.*s",
                                          key, (int)(n_there < SHOWN ? n_there : SHOWN), there,
                                          (int)(n < SHOWN ? n : SHOWN), value),
                        err);
}

static nas_status_t note_differences(const nas_search_inputs_t *search, nas_strings_t *notes,
                                     nas_error_t *err)
{
    static const char *const keys[] = {"seed",        "network.channels", "network.cells",
                                       "data.format", "data.train",       "data.classes",
                                       "data.limit"};
    char *here = NULL;
    nas_status_t status = nas_job_print(search->job, false, &here, err);
    for (size_t i = 0; !status && i < sizeof keys / sizeof *keys; i++)
        status = note_difference(search, here, keys[i], notes, err);
    free(here);
    return status;
}

static nas_status_t note_coverage(const nas_search_inputs_t *search, const nas_pool_t *pool,
                                  nas_strings_t *notes, nas_error_t *err)
{
    const int64_t n = nas_pool_count(pool), n_scored = count_covered(search, pool);
    if (n_scored == n) return NAS_OK;
    return nas_note_add(
        notes,
        nas_string_format(
            err,
            "metrics.file: %s has scores for %lld of the pool's %lld architectures; the others count as the %s",
            search->job->metrics.file, (long long)n_scored, (long long)n,
            search->method->has_posterior ? "middle" : "lowest"),
        err);
}

nas_status_t nas_search_inputs_note_scores(const nas_search_inputs_t *search,
                                           const nas_pool_t *pool, nas_strings_t *notes,
                                           nas_error_t *err)
{
    const char *notice = search->scored_notice.text;
    nas_status_t status = NAS_OK;
    if (!search->scored_row) return NAS_OK;
    if (*notice) status = nas_note_add(notes, nas_string_copy(notice, err), err);
    if (!status) status = note_coverage(search, pool, notes, err);
    return status ? status : note_differences(search, notes, err);
}
