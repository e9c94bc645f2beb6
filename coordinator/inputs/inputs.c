#include "coordinator/inputs/inputs.h"

#include "worker/engine/metrics/metric.h"

#include <string.h>

/* ------------------------------------------------------------------------------ job and method */

/* Append a name to a list of known ones, cut where it is full. */
static void append_known(char *known, size_t size, const char *name)
{
    if (*known) strncat(known, ", ", size - strlen(known) - 1);
    strncat(known, name, size - strlen(known) - 1);
}

static nas_status_t unknown_method(const nas_job_t *job, nas_error_t *err)
{
    int n = 0;
    const nas_method_t *const *list = nas_method_list(&n);
    char known[NAS_ERROR_SIZE / 2] = "";
    for (int i = 0; i < n; i++) append_known(known, sizeof known, list[i]->name);
    return nas_job_error(job, "search.method", err, "there is no method '%s'; the methods are %s",
                         job->search.method, known);
}

static nas_status_t unknown_metric(const nas_job_t *job, const char *name, nas_error_t *err)
{
    int n = 0;
    const nas_metric_t *const *list = nas_metric_list(&n);
    char known[NAS_ERROR_SIZE / 2] = "";
    for (int i = 0; i < n; i++) append_known(known, sizeof known, list[i]->name);
    return nas_job_error(job, "metrics.names", err,
                         "there is no metric '%s' to compute; the metrics are %s", name, known);
}

static int64_t index_of(const nas_method_t *method)
{
    int n = 0;
    const nas_method_t *const *list = nas_method_list(&n);
    int64_t index = 0;
    while (list[index] != method) index++;
    return index;
}

/* Keys that a method needs, or has no use for. */
static nas_status_t check_method(const nas_job_t *job, const nas_method_t *method, nas_error_t *err)
{
    if (method->needs_metrics && job->metrics.names.n == 0)
        return nas_job_error(job, "metrics.names", err,
                             "method %s weighs metrics; name at least one", method->name);
    if (method->needs_encoding && !nas_job_space(job) && job->pool.encoding == NAS_ENCODING_NONE)
        return nas_job_error(
            job, "pool.encoding", err,
            "method %s changes one position of an architecture at a time and needs to know the positions; set nas-bench-201 or digits",
            method->name);
    if (method->needs_metric && !job->search.metric)
        return nas_job_error(job, "search.metric", err, "method %s needs the name of a metric",
                             method->name);
    if (!method->needs_metric && job->search.metric)
        return nas_job_error(job, "search.metric", err, "method %s has no use for it; remove it",
                             method->name);
    if (method->needs_metric && nas_strings_find(&job->metrics.names, job->search.metric) < 0)
        return nas_job_error(job, "search.metric", err, "'%s' is not one of metrics.names",
                             job->search.metric);
    return NAS_OK;
}

static int64_t metric_place(const char *name)
{
    int n = 0;
    const nas_metric_t *const *list = nas_metric_list(&n);
    for (int i = 0; i < n; i++)
        if (strcmp(list[i]->name, name) == 0) return i;
    return -1;
}

static nas_status_t check_metrics(const nas_job_t *job, nas_error_t *err)
{
    if (job->metrics.source != NAS_SOURCE_COMPUTE) return NAS_OK;
    if (job->metrics.names.n > NAS_SCORING_MAX_METRICS)
        return nas_job_error(job, "metrics.names", err,
                             "at most %d metrics can be computed at once", NAS_SCORING_MAX_METRICS);
    for (size_t i = 0; i < job->metrics.names.n; i++)
        if (metric_place(job->metrics.names.at[i]) < 0)
            return unknown_metric(job, job->metrics.names.at[i], err);
    return NAS_OK;
}

nas_status_t nas_inputs_read_job(nas_inputs_t *inputs, const nas_job_source_t *source,
                                 nas_error_t *err)
{
    nas_status_t status = nas_job_read(source, &inputs->job, err);
    if (!status) status = nas_inputs_check_output(inputs->job, source->path, err);
    if (!status) status = check_metrics(inputs->job, err);
    if (status || source->purpose == NAS_JOB_SCORE) return status;
    inputs->method = nas_method_find(inputs->job->search.method);
    if (!inputs->method) return unknown_method(inputs->job, err);
    return check_method(inputs->job, inputs->method, err);
}

/* --------------------------------------------------------------------------------------- plans */

static void plan_search(nas_inputs_t *inputs)
{
    const nas_job_t *job = inputs->job;
    const nas_method_t *method = inputs->method;
    inputs->plan = (nas_plan_t){
        .n_arch = nas_pool_count(&inputs->pool),
        .n_metric = method->needs_metrics ? (int64_t)job->metrics.names.n : 0,
        .budget = job->search.budget,
        .parallel = job->search.parallel,
        .n_repeat = job->search.repeats,
        .n_groups = 1,
        .metric =
            method->needs_metric ? nas_strings_find(&job->metrics.names, job->search.metric) : -1,
        .method = index_of(method),
        .encoding = inputs->encoding ? nas_encoding_positions(inputs->encoding) : 0,
        .seed = (uint64_t)job->seed,
        .silence_s = job->silence_s,
    };
}

static void plan_scoring(nas_inputs_t *inputs)
{
    const nas_job_t *job = inputs->job;
    const nas_batch_t *batch = &inputs->batch;
    inputs->scoring = (nas_scoring_plan_t){
        .n_arch = nas_pool_count(&inputs->pool),
        .n_metric = (int64_t)job->metrics.names.n,
        .space = nas_space_place(inputs->pool.space),
        .network = {.image_channels = batch->c,
                    .height = batch->h,
                    .width = batch->w,
                    .channels = (int)job->network.channels,
                    .cells = (int)job->network.cells,
                    .classes = inputs->n_classes,
                    .convention = (nas_convention_t)job->network.convention},
        .batch = batch->n,
        .seed = (uint64_t)job->seed,
        .backend = job->backend,
        .first_worker = job->coordinator == NAS_COORDINATOR_DEDICATED,
        .silence_s = job->silence_s,
    };
    for (size_t i = 0; i < job->metrics.names.n; i++)
        inputs->scoring.metric[i] = metric_place(job->metrics.names.at[i]);
}

nas_recipe_t nas_job_recipe(const nas_job_t *job)
{
    return (nas_recipe_t){
        .epochs = job->objective.epochs,
        .batch = job->objective.batch,
        .shards = job->objective.shards,
        .rate = job->objective.rate,
        .cosine = job->objective.schedule == NAS_RATE_COSINE,
        .momentum = job->objective.momentum,
        .nesterov = job->objective.nesterov,
        .weight_decay = job->objective.weight_decay,
        .smoothing = job->objective.smoothing,
        .clip = job->objective.clip,
        .validation = job->objective.validation,
        .flip = job->objective.flip,
        .crop = job->objective.crop,
        .cutout = job->objective.cutout,
    };
}

static nas_network_t trained_network(const nas_inputs_t *inputs)
{
    const nas_job_t *job = inputs->job;
    const nas_images_t *images = &inputs->dataset.train;
    return (nas_network_t){.image_channels = images->c,
                           .height = images->h,
                           .width = images->w,
                           .channels = (int)job->network.channels,
                           .cells = (int)job->network.cells,
                           .classes = inputs->dataset.n_classes,
                           .convention = NAS_CONVENTION_TRAIN};
}

static void plan_judging(nas_inputs_t *inputs)
{
    const nas_job_t *job = inputs->job;
    inputs->judging = (nas_evaluator_plan_t){
        .kind = job->objective.kind,
        .first_worker = job->coordinator == NAS_COORDINATOR_DEDICATED,
        .interval_s = job->checkpoint.interval_s,
        .timeout_s = job->objective.timeout_s,
        .retries = job->objective.retries,
        .n_arguments = (int64_t)job->objective.command.n,
    };
    if (job->objective.kind != NAS_OBJECTIVE_TRAIN) return;
    inputs->judging.size.n_epochs = job->objective.epochs;
    inputs->judging.backend = job->backend;
    inputs->judging.space = nas_space_place(inputs->pool.space);
    inputs->judging.network = trained_network(inputs);
    inputs->judging.recipe = nas_job_recipe(job);
}

void nas_inputs_plan(nas_inputs_t *inputs)
{
    if (inputs->method) plan_judging(inputs);
    if (inputs->job->metrics.source == NAS_SOURCE_COMPUTE) plan_scoring(inputs);
    if (inputs->method) plan_search(inputs);
}
