#include "worker/engine/scorer.h"

#include "worker/engine/graph/parameters.h"

#include <stdlib.h>

struct nas_scorer {
    nas_scorer_options_t options;
    unsigned needs; /* of all metrics, but FLOW */
    bool needs_flow;
    nas_arena_t arena;
    double *parameters;
    int64_t n_parameters; /* room for */
};

nas_status_t nas_scorer_create(const nas_scorer_options_t *options, nas_scorer_t **scorer_p,
                               nas_error_t *err)
{
    nas_scorer_t *scorer = calloc(1, sizeof *scorer);
    if (!scorer) return nas_error_nomem(err, "a scorer");
    scorer->options = *options;
    for (int i = 0; i < options->n_metric; i++) scorer->needs |= options->metric[i]->needs;
    scorer->needs_flow = (scorer->needs & NAS_NEED_FLOW) != 0;
    scorer->needs &= ~(unsigned)NAS_NEED_FLOW;
    *scorer_p = scorer;
    return NAS_OK;
}

static nas_program_options_t program_options(const nas_scorer_t *scorer, const nas_graph_t *graph)
{
    return (nas_program_options_t){.backend = scorer->options.backend,
                                   .graph = graph,
                                   .batch = scorer->options.batch,
                                   .needs = scorer->needs,
                                   .profile = scorer->options.profile};
}

/* The flow first: its results are two numbers, while those of the batch stay in the shared arena. */
static nas_status_t run_flow(nas_scorer_t *scorer, const nas_graph_t *graph,
                             const double *parameters, nas_program_values_t *flow, nas_error_t *err)
{
    nas_program_options_t options = program_options(scorer, graph);
    nas_program_t *program = NULL;
    options.batch = 1;
    options.needs = NAS_NEED_FLOW;
    const nas_status_t status = nas_program_create(&options, &scorer->arena, &program, err);
    if (status) return status;
    nas_program_run(program, parameters, NULL, NULL, flow);
    nas_program_destroy(program);
    return NAS_OK;
}

nas_status_t nas_scorer_measure(nas_scorer_t *scorer, const nas_graph_t *graph,
                                const nas_arch_t *arch, const double *parameters, double *value,
                                nas_error_t *err)
{
    const nas_scorer_options_t *o = &scorer->options;
    const nas_program_options_t options = program_options(scorer, graph);
    nas_program_t *program = NULL;
    nas_program_values_t run = {0}, flow = {0};
    nas_status_t status = NAS_OK;
    if (scorer->needs_flow) status = run_flow(scorer, graph, parameters, &flow, err);
    if (!status && scorer->needs) {
        status = nas_program_create(&options, &scorer->arena, &program, err);
        if (!status) nas_program_run(program, parameters, o->images, o->labels, &run);
    }
    const nas_metric_input_t input = {.graph = graph,
                                      .arch = arch,
                                      .parameters = parameters,
                                      .run = &run,
                                      .flow = &flow,
                                      .batch = o->batch};
    for (int i = 0; !status && i < o->n_metric; i++) value[i] = o->metric[i]->value(&input);
    nas_program_destroy(program);
    return status;
}

static nas_status_t reserve_parameters(nas_scorer_t *scorer, int64_t n, nas_error_t *err)
{
    if (n <= scorer->n_parameters) return NAS_OK;
    double *parameters = realloc(scorer->parameters, (size_t)n * sizeof *parameters);
    if (!parameters) return nas_error_nomem(err, "a network's parameters");
    scorer->parameters = parameters;
    scorer->n_parameters = n;
    return NAS_OK;
}

nas_status_t nas_scorer_score(nas_scorer_t *scorer, const nas_arch_t *arch, double *value,
                              nas_error_t *err)
{
    nas_graph_t *graph = NULL;
    nas_status_t status = nas_graph_create(&scorer->options.network, arch,
                                           scorer->options.backend->channel_block, &graph, err);
    if (!status) status = reserve_parameters(scorer, graph->n_values, err);
    if (!status) {
        nas_parameters_init(graph, scorer->options.seed, arch->name, scorer->parameters);
        status = nas_scorer_measure(scorer, graph, arch, scorer->parameters, value, err);
    }
    nas_graph_destroy(graph);
    return status;
}

size_t nas_scorer_arena_bytes(const nas_scorer_t *scorer)
{
    return scorer->arena.size;
}

void nas_scorer_destroy(nas_scorer_t *scorer)
{
    if (!scorer) return;
    nas_arena_fini(&scorer->arena);
    free(scorer->parameters);
    free(scorer);
}
