#include "coordinator/inputs/inputs_search.h"

#include "common/state/statefile.h"
#include "coordinator/inputs/inputs_internal.h"
#include "coordinator/inputs/inputs_ranks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A posterior does with an encoding where there is one. */
static bool takes_encoding(const nas_inputs_t *inputs)
{
    const nas_method_t *method = inputs->search.method;
    const bool has_any =
        !nas_inputs_have_table_pool(inputs) || inputs->job->pool.encoding != NAS_ENCODING_NONE;
    return method && (method->needs_encoding || (method->has_posterior && has_any));
}

nas_status_t nas_inputs_make_encoding(nas_inputs_t *inputs, nas_error_t *err)
{
    if (!takes_encoding(inputs)) return NAS_OK;
    if (!nas_inputs_have_table_pool(inputs))
        return nas_pool_encode(&inputs->pool, &inputs->search.encoding, err);
    return nas_inputs_encode_table(inputs->table, (nas_encoding_kind_t)inputs->job->pool.encoding,
                                   &inputs->search.encoding, err);
}

/* ----------------------------------------------------------------------- scores of another run */

static nas_status_t check_scored_metrics(const nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const nas_state_t *scored = &inputs->search.scored;
    if (scored->scores.n == 0)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: this run scored nothing; it is no file of robotnas score",
                             job->metrics.file);
    if (scored->scores.n_done < scored->scores.n)
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: only %lld of %lld architectures are scored; finish it with robotnas score --resume",
            job->metrics.file, (long long)scored->scores.n_done, (long long)scored->scores.n);
    for (size_t i = 0; i < job->metrics.names.n; i++)
        if (nas_strings_find(&scored->metrics, job->metrics.names.at[i]) < 0)
            return nas_job_error(job, "metrics.names", err, "%s has no metric '%s'",
                                 job->metrics.file, job->metrics.names.at[i]);
    return NAS_OK;
}

static nas_status_t join_scores(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_name_source_t *arch = &inputs->search.scored.scores.arch;
    nas_names_t *names = NULL;
    int64_t duplicate = -1, first = -1;
    nas_status_t status = nas_names_create(&names, err);
    if (!status) status = nas_names_set_file(names, inputs->job->metrics.file, err);
    for (int64_t i = 0; !status && i < arch->n; i++) {
        const char *name = nas_name_source_at(arch, i);
        status = nas_names_add(names, name, strlen(name), err);
    }
    if (!status) status = nas_names_index(names, &duplicate, &first, err);
    if (!status) status = nas_inputs_join(inputs, names, &inputs->search.scored_row, err);
    nas_names_destroy(names);
    return status;
}

static nas_status_t read_scores(nas_inputs_t *inputs, nas_error_t *err)
{
    const char *file = inputs->job->metrics.file;
    nas_status_t status = NAS_OK;
    int64_t size = 0;
    if (!nas_statefile_exists(file))
        status = nas_inputs_check_file(inputs->job, "metrics.file", file, &size, err);
    if (!status)
        status =
            nas_statefile_read(file, &inputs->search.scored, &inputs->search.scored_notice, err);
    if (!status) status = check_scored_metrics(inputs, err);
    if (!status) status = join_scores(inputs, err);
    if (!status) nas_inputs_add_content(inputs, inputs->search.scored.scores.hash);
    return status;
}

nas_status_t nas_inputs_read_metrics(nas_inputs_t *inputs, nas_error_t *err)
{
    nas_search_inputs_t *search = &inputs->search;
    nas_status_t status = NAS_OK;
    if (search->method && !nas_inputs_take_metrics(inputs)) return NAS_OK;
    if (inputs->job->metrics.source == NAS_SOURCE_COMPUTE)
        return nas_inputs_read_batch(inputs, err);
    if (inputs->job->metrics.source == NAS_SOURCE_SCORES) status = read_scores(inputs, err);
    search->table = inputs->table;
    if (status) return status;
    return nas_search_inputs_look(search, &inputs->pool, NULL, inputs->interrupt, err);
}

/* ------------------------------------------------------------------------------ looking at them */

/* Architectures from which on a metric is worth asking whether to stop: before that, a run begins
 * and stops with a state file. */
enum { MANY = 100000 };

static bool is_computed(const nas_job_t *job)
{
    return job->metrics.source == NAS_SOURCE_COMPUTE;
}

/* Where the values stand, for a message. */
static const char *file_of(const nas_job_t *job)
{
    if (is_computed(job)) return "what was computed";
    return job->metrics.source == NAS_SOURCE_SCORES ? job->metrics.file : job->pool.table;
}

/* A posterior leaves out what tells it nothing. */
static nas_status_t check_facts(const nas_search_inputs_t *search, const char *name,
                                const nas_metric_facts_t *facts, nas_error_t *err)
{
    const nas_job_t *job = search->job;
    if (facts->n_left > 0 || search->method->has_posterior) return NAS_OK;
    if (facts->n_given == 0)
        return nas_job_error(
            job, "metrics.names", err,
            "metric '%s' has no value for any architecture; take it out of metrics.names", name);
    return nas_job_error(
        job, "metrics.transform", err,
        "transform log leaves metric '%s' no value: none of the %lld in %s is above 0; take another transform, such as rank, or none",
        name, (long long)facts->n_given, file_of(job));
}

/* Where a metric's values are found: n of them in the scores, through room for a whole column; or
 * in the table, of which each rank looks at what it holds. */
typedef struct values {
    int64_t n;
    const nas_scores_t *scores;
    double *room;
} values_t;

static nas_status_t look_at_metric(nas_search_inputs_t *search, size_t metric,
                                   const values_t *values, nas_error_t *err)
{
    const char *name = search->job->metrics.names.at[metric];
    const nas_transform_t transform = nas_search_inputs_transform(search, name);
    const int column = nas_search_inputs_column(search, (int64_t)metric);
    nas_metric_facts_t *facts = &search->facts[metric];
    nas_status_t status = NAS_OK;
    if (column >= 0) {
        status = nas_inputs_look_at_column(search->table, column, transform, facts, err);
    } else {
        nas_search_inputs_metric(search, values->n, values->scores, (int64_t)metric, values->room);
        *facts = nas_normalise_look(NULL, transform, values->room, values->n);
    }
    return status ? status : check_facts(search, name, facts, err);
}

nas_status_t nas_search_inputs_look(nas_search_inputs_t *search, const nas_pool_t *pool,
                                    const nas_scores_t *scores, const nas_interrupt_t *interrupt,
                                    nas_error_t *err)
{
    const int64_t n = nas_pool_count(pool);
    const size_t n_metric = search->job->metrics.names.n;
    const size_t n_room = nas_search_inputs_column(search, 0) < 0 ? (size_t)n : 0;
    const int64_t large = 1 << 16; /* a column of so many values takes a millisecond */
    nas_status_t status = NAS_OK;
    const values_t values = {
        .n = n, .scores = scores, .room = malloc(n_room * sizeof *values.room + 1)};
    free(search->facts);
    search->facts = calloc(n_metric + 1, sizeof *search->facts);
    if (!values.room || !search->facts) status = nas_error_nomem(err, "a metric column");
    for (size_t m = 0; !status && m < n_metric; m++) {
        if (n >= MANY) status = nas_interrupt_check(interrupt, 0, err);
        if (!status) status = look_at_metric(search, m, &values, err);
        if (!status && n > large)
            status = nas_interrupt_check(interrupt, (double)m / (double)n_metric, err);
    }
    free(values.room);
    return status;
}

nas_status_t nas_search_inputs_mark_constant(const nas_search_inputs_t *search, nas_state_t *state,
                                             nas_error_t *err)
{
    const size_t n_metric = state->metrics.n;
    if (!search->facts) return NAS_OK;
    free(state->metric_is_constant);
    state->metric_is_constant = calloc(n_metric + 1, sizeof *state->metric_is_constant);
    if (!state->metric_is_constant) return nas_error_nomem(err, "constant metrics");
    for (size_t m = 0; m < n_metric; m++)
        state->metric_is_constant[m] = search->facts[m].is_constant || search->facts[m].n_left == 0;
    return NAS_OK;
}

nas_transform_t nas_search_inputs_transform(const nas_search_inputs_t *search, const char *name)
{
    if (search->method && search->method->has_posterior) return NAS_TRANSFORM_NONE;
    return nas_job_transform(search->job, name);
}

int nas_search_inputs_column(const nas_search_inputs_t *search, int64_t metric)
{
    if (search->job->metrics.source != NAS_SOURCE_TABLE) return -1;
    return nas_shared_table_find(search->table, search->job->metrics.names.at[metric]);
}

void nas_search_inputs_metric(const nas_search_inputs_t *search, int64_t n,
                              const nas_scores_t *scores, int64_t metric, double *column)
{
    const nas_state_t *scored = &search->scored;
    const char *name = search->job->metrics.names.at[metric];
    const int64_t n_metric = (int64_t)search->job->metrics.names.n;
    if (is_computed(search->job)) {
        for (int64_t i = 0; i < n; i++) column[i] = scores->value[i * n_metric + metric];
        return;
    }
    const int64_t m = nas_strings_find(&scored->metrics, name);
    for (int64_t i = 0; i < n; i++) {
        const int64_t row = search->scored_row[i];
        column[i] = row < 0 ? NAN : scored->scores.value[row * (int64_t)scored->metrics.n + m];
    }
}

/* ------------------------------------------------------------------------------------ the
 * method */

nas_method_setup_t nas_search_inputs_setup(const nas_search_inputs_t *search,
                                           const nas_pool_t *pool, uint64_t seed)
{
    const nas_job_t *job = search->job;
    const nas_method_t *method = search->method;
    const int64_t n_metric = nas_method_takes_metrics(method) ? (int64_t)job->metrics.names.n : 0;
    const bool compares = method->has_posterior && search->encoding;
    return (nas_method_setup_t){
        .n_metric = n_metric,
        .n_arch = nas_pool_count(pool),
        .budget = job->search.budget,
        .parallel = job->search.parallel,
        .seed = seed,
        .metric =
            method->needs_metric ? nas_strings_find(&job->metrics.names, job->search.metric) : -1,
        .n_kept = method->has_posterior ? n_metric : 0,
        .hidden = job->search.hidden,
        .n_position = compares ? nas_encoding_positions(search->encoding) : 0,
    };
}

void nas_search_inputs_fini(nas_search_inputs_t *search)
{
    nas_state_fini(&search->scored);
    free(search->scored_row);
    free(search->facts);
    nas_encoding_destroy(search->encoding);
    *search = (nas_search_inputs_t){0};
}
