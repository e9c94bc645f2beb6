#include "coordinator/inputs/inputs_metrics.h"

#include <stdlib.h>

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

static nas_status_t check_facts(const nas_job_t *job, const char *name,
                                const nas_metric_facts_t *facts, nas_error_t *err)
{
    if (facts->n_left > 0) return NAS_OK;
    if (facts->n_given == 0)
        return nas_job_error(job, "metrics.names", err,
                             "metric '%s' has no value for any architecture", name);
    return nas_job_error(
        job, "metrics.transform", err,
        "transform log leaves metric '%s' no value: none of the %lld in %s is above 0; take another transform, such as rank, or none",
        name, (long long)facts->n_given, file_of(job));
}

nas_status_t nas_inputs_look_at_metrics(nas_inputs_t *inputs, const nas_scores_t *scores,
                                        nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const int64_t n = nas_pool_count(&inputs->pool);
    const size_t n_metric = job->metrics.names.n;
    const int64_t large = 1 << 16; /* a column of so many values takes a millisecond */
    nas_status_t status = NAS_OK;
    double *column = malloc((size_t)n * sizeof *column + 1);
    free(inputs->metric_facts);
    inputs->metric_facts = calloc(n_metric + 1, sizeof *inputs->metric_facts);
    if (!column || !inputs->metric_facts) status = nas_error_nomem(err, "a metric column");
    for (size_t m = 0; !status && m < n_metric; m++) {
        const char *name = job->metrics.names.at[m];
        if (n >= MANY) status = nas_interrupt_check(inputs->interrupt, 0, err);
        if (status) break;
        nas_inputs_metric(inputs, scores, (int64_t)m, column);
        inputs->metric_facts[m] = nas_normalise_look(nas_job_transform(job, name), column, n);
        status = check_facts(job, name, &inputs->metric_facts[m], err);
        if (!status && n > large)
            status = nas_interrupt_check(inputs->interrupt, (double)m / (double)n_metric, err);
    }
    free(column);
    return status;
}

nas_status_t nas_inputs_mark_constant(const nas_inputs_t *inputs, nas_state_t *state,
                                      nas_error_t *err)
{
    const size_t n_metric = state->metrics.n;
    if (!inputs->metric_facts) return NAS_OK;
    free(state->metric_is_constant);
    state->metric_is_constant = calloc(n_metric + 1, sizeof *state->metric_is_constant);
    if (!state->metric_is_constant) return nas_error_nomem(err, "constant metrics");
    for (size_t m = 0; m < n_metric; m++)
        state->metric_is_constant[m] = inputs->metric_facts[m].is_constant;
    return NAS_OK;
}
