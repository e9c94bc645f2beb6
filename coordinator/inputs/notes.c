#include "coordinator/inputs/notes.h"

#include "coordinator/inputs/inputs_internal.h"
#include "coordinator/inputs/note.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------------------------- images */

/* A split that has not all of its classes. */
static nas_status_t note_classes(const char *split, const nas_class_use_t *use, int64_t n_images,
                                 nas_strings_t *notes, nas_error_t *err)
{
    if (use->used >= use->whole) return NAS_OK;
    return nas_note_add(
        notes,
        nas_string_format(err,
                          "data.limit: the first %lld images of data.%s have %d of its %d classes",
                          (long long)n_images, split, use->used, use->whole),
        err);
}

static nas_status_t note_images(const nas_inputs_t *inputs, nas_strings_t *notes, nas_error_t *err)
{
    const nas_image_facts_t *facts = &inputs->images.facts;
    nas_status_t status = note_classes("train", &facts->train, facts->n_train, notes, err);
    if (!status) status = note_classes("test", &facts->test, facts->n_test, notes, err);
    if (status || facts->train.whole >= inputs->images.n_classes) return status;
    return nas_note_add(
        notes,
        nas_string_format(err, "data.train: %d of %d classes have no image; labels count from 0",
                          inputs->images.n_classes - facts->train.whole, inputs->images.n_classes),
        err);
}

/* ------------------------------------------------------------------------------------ objective */

static nas_status_t note_objective(const nas_inputs_t *inputs, nas_strings_t *notes,
                                   nas_error_t *err)
{
    const int64_t n = nas_pool_count(&inputs->pool);
    if (!inputs->evaluate.objective || nas_objective_present(inputs->evaluate.objective) == n)
        return NAS_OK;
    return nas_note_add(
        notes,
        nas_string_format(
            err,
            "objective.column: %s has values for %lld of %lld architectures; to evaluate another one uses budget and is recorded as missing",
            nas_job_table(inputs->job)->column,
            (long long)nas_objective_present(inputs->evaluate.objective), (long long)n),
        err);
}

/* What is looked for, or reported of what was found, given to the search as a metric. */
static nas_status_t note_told(const nas_inputs_t *inputs, nas_strings_t *notes, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const bool one = inputs->search.method->needs_metric; /* follows one of them alone */
    nas_status_t status = NAS_OK;
    if (!inputs->evaluate.objective || !nas_inputs_take_metrics(inputs) ||
        job->metrics.source != NAS_SOURCE_TABLE)
        return NAS_OK;
    for (size_t m = 0; !status && m < job->metrics.names.n; m++) {
        const char *name = job->metrics.names.at[m], *what = NULL;
        if (strcmp(name, nas_job_table(job)->column) == 0)
            what = "is the objective's own column: the search would be told what it is to find";
        else if (nas_strings_find(&job->objective.report, name) >= 0)
            what = "is a column that is reported as a result: the search would be told it before";
        if (!what || (one && strcmp(name, job->search.metric) != 0)) continue;
        status = nas_note_add(notes, nas_string_format(err, "metric %s %s", name, what), err);
    }
    return status;
}

/* What a posterior has no use for. */
static nas_status_t note_transform(const nas_inputs_t *inputs, nas_strings_t *notes,
                                   nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    size_t m = 0;
    if (!inputs->search.method->has_posterior) return NAS_OK;
    while (m < job->metrics.names.n &&
           nas_job_transform(job, job->metrics.names.at[m]) == NAS_TRANSFORM_NONE)
        m++;
    if (m == job->metrics.names.n) return NAS_OK;
    return nas_note_add(
        notes,
        nas_string_format(
            err, "metrics.transform has no effect: method %s goes by the ranks of what is measured",
            inputs->search.method->name),
        err);
}

/* -------------------------------------------------------------------------------------- method */

static nas_method_need_t need_of(const nas_inputs_t *inputs, int64_t budget)
{
    nas_method_setup_t setup =
        nas_search_inputs_setup(&inputs->search, &inputs->pool, (uint64_t)inputs->job->seed);
    setup.budget = budget;
    return inputs->search.method->need(&setup);
}

/* Nothing to learn from, by the job; notes_metrics.c has metrics that turn out to be useless. */
static nas_status_t note_nothing_known(const nas_inputs_t *inputs, nas_strings_t *notes,
                                       nas_error_t *err)
{
    const nas_search_inputs_t *search = &inputs->search;
    if (!search->method->has_posterior || search->encoding || inputs->job->metrics.names.n > 0)
        return NAS_OK;
    return nas_note_add(
        notes,
        nas_string_format(err, "no metrics and no pool.encoding: the search draws at random"), err);
}

/* Of a table, results do not depend on seeds, and here nothing else does before the first hedge. */
static nas_status_t note_repeats(const nas_inputs_t *inputs, nas_strings_t *notes, nas_error_t *err)
{
    const nas_search_inputs_t *search = &inputs->search;
    const nas_job_t *job = inputs->job;
    const bool hides = job->search.hidden > 0.0;
    char where[64] = "where search.hidden is 0";
    if (!search->method->has_posterior || job->search.repeats < 2 || !nas_inputs_by_table(inputs) ||
        !nas_search_inputs_tell_apart(search) ||
        (hides && nas_pool_count(&inputs->pool) >= NAS_METHOD_LEAST_HIDING))
        return NAS_OK;
    if (hides) (void)snprintf(where, sizeof where, "of a pool below %d", NAS_METHOD_LEAST_HIDING);
    return nas_note_add(
        notes,
        nas_string_format(
            err,
            "search.repeats: method %s hides nothing %s, so that its repeats go the same way until one draws: their deviation says nothing",
            search->method->name, where),
        err);
}

/* Above an hour or a GiB on a rank. */
static nas_status_t note_method(const nas_inputs_t *inputs, nas_strings_t *notes, nas_error_t *err)
{
    const double hour_s = 3600.0, gibibyte = 1024.0 * 1024.0 * 1024.0;
    const int64_t budget = inputs->job->search.budget;
    const nas_method_need_t need = need_of(inputs, budget), half = need_of(inputs, budget / 2);
    if (need.seconds < hour_s && need.n_bytes < gibibyte) return NAS_OK;
    return nas_note_add(
        notes,
        nas_string_format(
            err,
            "search.budget: method %s with %lld takes about %.2g hours of its own a repeat, besides evaluations, and %.2g GiB on the rank that leads it; with half the budget %.2g hours and %.2g GiB",
            inputs->search.method->name, (long long)budget, need.seconds / hour_s,
            need.n_bytes / gibibyte, half.seconds / hour_s, half.n_bytes / gibibyte),
        err);
}

/* Networks that cannot be read: the run goes on without them. */
static nas_status_t note_files(const nas_inputs_t *inputs, nas_strings_t *notes, nas_error_t *err)
{
    const nas_onnx_seen_t *seen = &inputs->files;
    const long long n_failed = (long long)seen->n_failed, n_looked = (long long)seen->n_looked;
    const bool saw_all = seen->n_looked == 0 || seen->n_looked == nas_pool_count(&inputs->pool);
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && i < seen->n_told; i++)
        status =
            nas_note_add(notes,
                         nas_string_format(err, "pool.table: '%s' will count as failed: %s",
                                           nas_names_at(inputs->pool.names, seen->failure[i].arch),
                                           seen->failure[i].reason.text),
                         err);
    if (!status && seen->n_failed > seen->n_told)
        status =
            nas_note_add(notes,
                         nas_string_format(err, "pool.table: %lld of %lld networks cannot be read",
                                           n_failed, n_looked),
                         err);
    if (status || saw_all) return status;
    return nas_note_add(
        notes,
        nas_string_format(
            err, "pool.table: of %lld networks the first %lld were looked at; a run looks at all",
            (long long)nas_pool_count(&inputs->pool), n_looked),
        err);
}

/* ----------------------------------------------------------------------------------------- all */

nas_status_t nas_inputs_note(const nas_inputs_t *inputs, nas_strings_t *notes, nas_error_t *err)
{
    nas_status_t status = note_images(inputs, notes, err);
    if (!status) status = note_files(inputs, notes, err);
    if (status || !inputs->search.method) return status;
    status = note_method(inputs, notes, err);
    const nas_objective_inputs_t objective = nas_inputs_objective(inputs);
    if (!status) status = nas_objective_note(&objective, notes, err);
    if (!status) status = note_objective(inputs, notes, err);
    if (!status) status = note_told(inputs, notes, err);
    if (!status) status = note_transform(inputs, notes, err);
    if (!status) status = note_nothing_known(inputs, notes, err);
    if (!status) status = note_repeats(inputs, notes, err);
    if (!status) status = nas_search_inputs_note_scores(&inputs->search, &inputs->pool, notes, err);
    return status ? status : nas_search_inputs_note(&inputs->search, &inputs->pool, notes, err);
}
