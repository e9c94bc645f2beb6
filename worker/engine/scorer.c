#include "worker/engine/scorer.h"

#include "worker/engine/graph/parameters.h"

#include <stdlib.h>

struct nas_scorer {
    nas_scorer_options_t options;
    unsigned needs; /* of all metrics, but FLOW */
    bool needs_flow;
    double *parameters;
    int64_t n_parameters; /* room for */
    size_t most_bytes;
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

/* The programs of an architecture: of the batch, of the flow, or both. */
enum { MAX_PROGRAMS = 2 };

typedef struct programs {
    nas_program_t *program[MAX_PROGRAMS];
    int n;
} programs_t;

static nas_status_t add_program(const nas_scorer_t *scorer, const nas_graph_t *graph,
                                unsigned needs, programs_t *programs, nas_error_t *err)
{
    const nas_program_options_t options = {.layout = scorer->options.engine->layout,
                                           .graph = graph,
                                           .batch =
                                               needs & NAS_NEED_FLOW ? 1 : scorer->options.batch,
                                           .needs = needs};
    nas_program_t **program = &programs->program[programs->n];
    const nas_status_t status = nas_program_create(&options, program, err);
    programs->n += status == NAS_OK;
    return status;
}

static nas_status_t make_programs(nas_scorer_t *scorer, const nas_graph_t *graph,
                                  programs_t *programs, nas_error_t *err)
{
    nas_engine_t *engine = scorer->options.engine;
    nas_status_t status = NAS_OK;
    if (scorer->needs) status = add_program(scorer, graph, scorer->needs, programs, err);
    if (!status && scorer->needs_flow)
        status = add_program(scorer, graph, NAS_NEED_FLOW, programs, err);
    if (status) return status;
    const nas_program_t *const list[] = {programs->program[0], programs->program[1]};
    const size_t bytes = engine->bytes(engine, list, programs->n);
    if (bytes > scorer->most_bytes) scorer->most_bytes = bytes;
    return NAS_OK;
}

/* result [out]: of each program, the engine's. The first that failed fails all. */
static nas_status_t run(nas_scorer_t *scorer, const programs_t *programs, const double *parameters,
                        const nas_engine_result_t **result, nas_error_t *err)
{
    const nas_scorer_options_t *o = &scorer->options;
    nas_engine_task_t task[MAX_PROGRAMS];
    for (int i = 0; i < programs->n; i++)
        task[i] = (nas_engine_task_t){.program = programs->program[i],
                                      .parameters = parameters,
                                      .images = o->images,
                                      .labels = o->labels};
    nas_status_t status = o->engine->start(o->engine, task, programs->n, err);
    if (!status) status = o->engine->finish(o->engine, result, err);
    for (int i = 0; !status && i < programs->n; i++)
        if ((*result)[i].status)
            status = nas_error_set(err, (*result)[i].status, "%s", (*result)[i].err.text);
    return status;
}

nas_status_t nas_scorer_measure(nas_scorer_t *scorer, const nas_graph_t *graph,
                                const double *parameters, double *value, nas_error_t *err)
{
    const nas_scorer_options_t *o = &scorer->options;
    const nas_engine_result_t *result = NULL;
    programs_t programs = {0};
    nas_status_t status = make_programs(scorer, graph, &programs, err);
    if (!status && programs.n > 0) status = run(scorer, &programs, parameters, &result, err);
    if (!status) {
        const nas_metric_input_t input = {
            .graph = graph,
            .parameters = parameters,
            .run = scorer->needs ? &result[0].values : NULL,
            .flow = scorer->needs_flow ? &result[programs.n - 1].values : NULL,
            .batch = o->batch,
            .is_portable = o->engine->is_portable};
        for (int i = 0; i < o->n_metric; i++) value[i] = o->metric[i]->value(&input);
    }
    for (int i = 0; i < programs.n; i++) nas_program_destroy(programs.program[i]);
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
    nas_status_t status = nas_graph_create(&scorer->options.network, arch, &graph, err);
    if (!status) status = reserve_parameters(scorer, graph->n_values, err);
    if (!status) {
        nas_parameters_init(graph, scorer->options.seed, arch->name, scorer->parameters);
        status = nas_scorer_measure(scorer, graph, scorer->parameters, value, err);
    }
    nas_graph_destroy(graph);
    return status;
}

size_t nas_scorer_bytes(const nas_scorer_t *scorer)
{
    return scorer->most_bytes;
}

void nas_scorer_destroy(nas_scorer_t *scorer)
{
    if (!scorer) return;
    free(scorer->parameters);
    free(scorer);
}
