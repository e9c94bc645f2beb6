#include "worker/verify/verify_values.h"

#include "worker/engine/metrics/metric.h"
#include "worker/engine/scorer.h"

#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------------------- metrics */

/* The metrics that the file has and the engine computes, with the rank of each in the list of all. */
typedef struct chosen {
    const nas_metric_t **metric;
    int *index;
    double *value;
    int n;
} chosen_t;

static nas_status_t choose_metrics(const nas_reference_t *reference, unsigned lacks,
                                   chosen_t *chosen, nas_error_t *err)
{
    int n_metrics;
    const nas_metric_t *const *list = nas_metric_list(&n_metrics);
    chosen->metric = calloc((size_t)n_metrics, sizeof *chosen->metric);
    chosen->index = calloc((size_t)n_metrics, sizeof *chosen->index);
    chosen->value = calloc((size_t)n_metrics, sizeof *chosen->value);
    if (!chosen->metric || !chosen->index || !chosen->value) return nas_error_nomem(err, "metrics");
    for (int i = 0; i < n_metrics; i++) {
        if (!reference->has_metric[i] || list[i]->needs & lacks) continue;
        chosen->index[chosen->n] = i;
        chosen->metric[chosen->n++] = list[i];
    }
    return NAS_OK;
}

static nas_status_t compute_metrics(nas_engine_t *engine, const nas_reference_t *reference,
                                    const chosen_t *chosen, nas_reference_values_t *values,
                                    nas_error_t *err)
{
    nas_scorer_t *scorer = NULL;
    const nas_scorer_options_t options = {.engine = engine,
                                          .network = reference->graph->network,
                                          .metric = chosen->metric,
                                          .n_metric = chosen->n,
                                          .batch = reference->batch,
                                          .images = reference->input.data,
                                          .labels = reference->input.labels};
    nas_status_t status = nas_scorer_create(&options, &scorer, err);
    if (!status)
        status =
            nas_scorer_measure(scorer, reference->graph, reference->parameters, chosen->value, err);
    for (int i = 0; !status && i < chosen->n; i++)
        values->metric[chosen->index[i]] = chosen->value[i];
    nas_scorer_destroy(scorer);
    return status;
}

/* --------------------------------------------------------------------------------- outputs */

/* What the program must bring besides logits and loss. Signs, where the metrics' program has them:
 * then both evaluate the same nodes. */
static unsigned needs_of(const nas_reference_t *reference, const chosen_t *chosen)
{
    unsigned needs = NAS_NEED_LOSS;
    if (reference->has_input_gradient) needs |= NAS_NEED_JACOBIAN;
    for (int i = 0; i < reference->graph->n_parameters; i++)
        if (reference->has_gradient[i]) needs |= NAS_NEED_GRADIENT;
    for (int i = 0; i < chosen->n; i++) needs |= chosen->metric[i]->needs & NAS_NEED_SIGNS;
    return needs;
}

static nas_status_t compute_outputs(nas_engine_t *engine, const nas_reference_t *reference,
                                    const chosen_t *chosen, nas_reference_values_t *values,
                                    nas_error_t *err)
{
    const nas_program_options_t options = {.layout = engine->layout,
                                           .graph = reference->graph,
                                           .batch = reference->batch,
                                           .needs = needs_of(reference, chosen)};
    const size_t n_logits = (size_t)reference->batch * (size_t)reference->graph->network.classes;
    nas_program_t *program = NULL;
    nas_program_values_t run;
    nas_status_t status = nas_program_create(&options, &program, err);
    const nas_engine_task_t task = {.program = program,
                                    .parameters = reference->parameters,
                                    .images = reference->input.data,
                                    .labels = reference->input.labels};
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

/* ------------------------------------------------------------------------------------ both */

nas_status_t nas_verify_values(nas_engine_t *engine, const nas_reference_t *reference,
                               nas_reference_values_t *values, nas_error_t *err)
{
    chosen_t chosen = {0};
    values->lacks = nas_program_lacks(engine->layout);
    nas_status_t status = choose_metrics(reference, values->lacks, &chosen, err);
    if (!status) status = compute_outputs(engine, reference, &chosen, values, err);
    if (!status) status = compute_metrics(engine, reference, &chosen, values, err);
    free(chosen.metric);
    free(chosen.index);
    free(chosen.value);
    return status;
}
