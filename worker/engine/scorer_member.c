#include "worker/engine/scorer_member.h"

#include "common/base/strings.h"
#include "worker/engine/program/op.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------ plan */

nas_status_t nas_scorer_plan_init(nas_scorer_plan_t *plan, const nas_scorer_options_t *options,
                                  nas_error_t *err)
{
    const nas_network_t *net = &options->network;
    const nas_runs_source_t source = {.images = options->images,
                                      .labels = options->labels,
                                      .batch = options->batch,
                                      .seed = options->seed,
                                      .image = (size_t)net->image_channels * (size_t)net->height *
                                               (size_t)net->width};
    nas_status_t status = NAS_OK;
    *plan = (nas_scorer_plan_t){.options = *options};
    plan->n_runs = nas_runs_list(options->metric, options->n_metric, options->batch, plan->runs);
    for (int i = 0; !status && i < plan->n_runs; i++)
        status = nas_runs_images_init(&plan->runs[i], &source, &plan->images[i], err);
    for (int i = 0; i < options->n_metric; i++)
        plan->reads_parameters |= options->metric[i]->reads_parameters;
    return status;
}

void nas_scorer_plan_fini(nas_scorer_plan_t *plan)
{
    for (int i = 0; i < NAS_N_RUNS; i++) nas_runs_images_fini(&plan->images[i]);
}

/* ------------------------------------------------------------------------------------- making it */

static nas_status_t add_program(nas_scorer_member_t *member, const nas_scorer_plan_t *plan,
                                const nas_runs_t *runs, nas_error_t *err)
{
    const nas_program_options_t options = {.layout = plan->options.engine->layout,
                                           .graph = member->graph,
                                           .batch = runs->batch,
                                           .needs = runs->needs};
    const nas_status_t status =
        nas_program_create(&options, &member->program[member->n_programs], err);
    if (status) return status;
    member->n_programs++;
    member->n_tasks += runs->n;
    return NAS_OK;
}

static nas_status_t make_programs(nas_scorer_member_t *member, const nas_scorer_plan_t *plan,
                                  nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && i < plan->n_runs; i++)
        status = add_program(member, plan, &plan->runs[i], err);
    return status;
}

static nas_status_t reserve_parameters(nas_scorer_member_t *member, nas_error_t *err)
{
    const int64_t n = member->graph->n_values;
    if (n <= member->n_room) return NAS_OK;
    double *room = realloc(member->room, (size_t)n * sizeof *room);
    if (!room) return nas_error_nomem(err, "a network's parameters");
    member->room = room;
    member->n_room = n;
    return NAS_OK;
}

/* With the engine's own draw they are drawn once more, for a metric that reads them. */
static nas_status_t draw_here(nas_scorer_member_t *member, const nas_scorer_options_t *o,
                              nas_error_t *err)
{
    const nas_status_t status = reserve_parameters(member, err);
    if (status) return status;
    if (member->name) member->own.name = member->name;
    nas_fresh_network_fill(&member->own, o->seed, member->room);
    member->parameters = member->room;
    return NAS_OK;
}

static bool has_kind(const nas_scorer_plan_t *plan, nas_runs_kind_t kind)
{
    bool has = false;
    for (int i = 0; i < plan->n_runs; i++) has |= plan->runs[i].kind == kind;
    return has;
}

static nas_status_t make_scaled(nas_scorer_member_t *member, const nas_scorer_plan_t *plan,
                                nas_error_t *err)
{
    const size_t n = (size_t)member->graph->n_values;
    if (!has_kind(plan, NAS_RUNS_CHANGE)) return NAS_OK;
    member->scaled = malloc((n + 1) * sizeof *member->scaled);
    if (!member->scaled) return nas_error_nomem(err, "a network's scaled parameters");
    if (member->parameters)
        memcpy(member->scaled, member->parameters, n * sizeof *member->scaled);
    else
        nas_parameters_init(member->graph, plan->options.seed, member->name, member->scaled);
    nas_runs_scale(member->graph, member->scaled);
    return NAS_OK;
}

static nas_status_t leave_to_engine(nas_scorer_member_t *member, const nas_scorer_options_t *o,
                                    nas_error_t *err)
{
    member->name = nas_string_copy(member->own.name, err);
    if (!member->name) return NAS_ENOMEM;
    member->draw = (nas_engine_draw_t){.parameter = member->graph->parameter,
                                       .n_parameters = member->graph->n_parameters,
                                       .seed = o->seed,
                                       .arch = member->name};
    return NAS_OK;
}

/* Engines that draw have the draw of spaces alone. */
static nas_status_t begin_parameters(nas_scorer_member_t *member, const nas_scorer_options_t *o,
                                     nas_error_t *err)
{
    const nas_fresh_network_t *own = &member->own;
    member->parameters = own->parameters;
    if (own->parameters) return NAS_OK;
    return o->engine->draws && own->weights == NAS_WEIGHTS_BY_NAME ? leave_to_engine(member, o, err)
                                                                   : draw_here(member, o, err);
}

void nas_scorer_member_build(nas_scorer_member_t *member, const nas_scorer_plan_t *plan,
                             int64_t number)
{
    const nas_scorer_options_t *options = &plan->options;
    nas_networks_t *networks = options->networks;
    nas_error_t *err = &member->result.err;
    nas_status_t status = networks->make(networks, number, &options->network, &member->own, err);
    member->graph = member->own.graph;
    if (!status) status = begin_parameters(member, options, err);
    if (!status) status = make_scaled(member, plan, err);
    if (!status) status = make_programs(member, plan, err);
    member->result.status = status;
}

void nas_scorer_member_take(nas_scorer_member_t *member, const nas_scorer_plan_t *plan,
                            const nas_graph_t *graph, const double *parameters)
{
    member->graph = graph;
    member->parameters = parameters;
    nas_error_t *err = &member->result.err;
    const nas_status_t status = make_scaled(member, plan, err);
    member->result.status = status ? status : make_programs(member, plan, err);
}

/* ------------------------------------------------------------------------------ carrying it out */

static nas_engine_task_t task_of(const nas_scorer_member_t *member, const nas_scorer_plan_t *plan,
                                 int program, int run)
{
    const nas_runs_images_t *images = &plan->images[program];
    const bool is_scaled = plan->runs[program].kind == NAS_RUNS_CHANGE;
    return (nas_engine_task_t){.program = member->program[program],
                               .parameters = is_scaled ? member->scaled : member->parameters,
                               .draw = member->name && !is_scaled ? &member->draw : NULL,
                               .images = images->images[run],
                               .labels = images->labels[run]};
}

int nas_scorer_member_tasks(const nas_scorer_member_t *member, const nas_scorer_plan_t *plan,
                            nas_engine_task_t *task)
{
    if (member->result.status) return 0;
    for (int i = 0; i < member->n_programs; i++)
        for (int k = 0; k < plan->runs[i].n; k++) *task++ = task_of(member, plan, i, k);
    return member->n_tasks;
}

void nas_scorer_member_settle(nas_scorer_member_t *member, const nas_engine_result_t *result)
{
    for (int i = 0; i < member->n_tasks; i++) {
        member->values[i] = result[i].values;
        if (result[i].status && !member->result.status)
            member->result =
                (nas_scorer_result_t){.status = result[i].status, .err = result[i].err};
    }
}

/* Where an array of a program's values is, and how many numbers it has. */
typedef struct array {
    const double **at;
    size_t n;
} array_t;

enum { N_ARRAYS = 9 };

/* All but the sums of layers, which are no plain numbers. */
static void list_arrays(const nas_scorer_member_t *member, const nas_program_t *program,
                        nas_program_values_t *values, array_t array[N_ARRAYS])
{
    const nas_network_t *net = &member->graph->network;
    const size_t batch = (size_t)program->n;
    const size_t pixels = (size_t)net->image_channels * (size_t)net->height * (size_t)net->width;
    const array_t all[N_ARRAYS] = {
        {&values->logits, batch * (size_t)net->classes},
        {&values->jacobian, batch * pixels},
        {&values->agreement, batch * batch},
        {&values->correlation, batch * batch},
        {&values->gradient, (size_t)member->graph->n_values},
        {&values->moments, (size_t)member->graph->n_statistics},
        {&values->features, (size_t)program->n_features},
        {&values->covariance, (size_t)program->n_covariance},
        {&values->kernel, 2 * batch * batch},
    };
    memcpy(array, all, sizeof all);
}

/* Numbers that copies of a run's values take; with `to`, they are made there. */
static size_t copy_run(const nas_scorer_member_t *member, const nas_program_t *program,
                       nas_program_values_t *values, double *to)
{
    const size_t n_layer = (size_t)member->graph->n_parameters;
    const size_t layer_numbers = sizeof *values->layer / sizeof(double);
    size_t n = 0;
    array_t array[N_ARRAYS];
    list_arrays(member, program, values, array);
    for (int i = 0; i < N_ARRAYS; i++) {
        if (!*array[i].at) continue;
        if (to) *array[i].at = memcpy(to + n, *array[i].at, array[i].n * sizeof *to);
        n += array[i].n;
    }
    if (!values->layer) return n;
    if (to) values->layer = memcpy(to + n, values->layer, n_layer * sizeof *values->layer);
    return n + n_layer * layer_numbers;
}

/* Likewise of all its values. */
static size_t copy_values(nas_scorer_member_t *member, const nas_scorer_plan_t *plan, double *to)
{
    nas_program_values_t *values = member->values;
    size_t n = 0;
    for (int p = 0; p < member->n_programs; p++)
        for (int k = 0; k < plan->runs[p].n; k++)
            n += copy_run(member, member->program[p], values++, to ? to + n : NULL);
    return n;
}

nas_status_t nas_scorer_member_keep(nas_scorer_member_t *member, const nas_scorer_plan_t *plan)
{
    if (member->result.status || member->n_programs == 0) return NAS_OK;
    member->kept = malloc((copy_values(member, plan, NULL) + 1) * sizeof *member->kept);
    if (!member->kept) return NAS_ENOMEM;
    (void)copy_values(member, plan, member->kept);
    return NAS_OK;
}

/* The metrics that are computed on these runs, `values` of which are what came of them; NULL: those
 * that need none. */
static void evaluate_on(const nas_scorer_member_t *member, const nas_scorer_plan_t *plan,
                        const nas_runs_t *runs, const nas_program_values_t *values, double *value)
{
    const nas_scorer_options_t *options = &plan->options;
    const nas_metric_input_t input = {.graph = member->graph,
                                      .parameters = member->parameters,
                                      .run = values,
                                      .batch = runs ? runs->batch : options->batch,
                                      .is_portable = options->engine->is_portable};
    for (int i = 0; i < options->n_metric; i++) {
        const nas_metric_t *metric = options->metric[i];
        const bool is_of_these = runs ? metric->needs && metric->on == runs->kind : !metric->needs;
        if (is_of_these) value[i] = metric->value(&input);
    }
}

static void evaluate_all(const nas_scorer_member_t *member, const nas_scorer_plan_t *plan,
                         double *value)
{
    const nas_program_values_t *values = member->values;
    evaluate_on(member, plan, NULL, NULL, value);
    for (int i = 0; i < plan->n_runs; values += plan->runs[i++].n)
        evaluate_on(member, plan, &plan->runs[i], values, value);
}

void nas_scorer_member_evaluate(nas_scorer_member_t *member, const nas_scorer_plan_t *plan,
                                double *value)
{
    const bool lacks_parameters = plan->reads_parameters && !member->parameters;
    nas_scorer_result_t *result = &member->result;
    if (!result->status && lacks_parameters)
        result->status = draw_here(member, &plan->options, &result->err);
    if (result->status) return;
    evaluate_all(member, plan, value);
    if (!lacks_parameters) return;
    free(member->room); /* a pack's would be much to keep */
    member->room = NULL;
    member->n_room = 0;
}

/* ------------------------------------------------------------------------------------------ end */

void nas_scorer_member_clear(nas_scorer_member_t *member)
{
    for (int i = 0; i < member->n_programs; i++) nas_program_destroy(member->program[i]);
    nas_fresh_network_fini(&member->own);
    free(member->name);
    free(member->kept);
    free(member->scaled);
    *member = (nas_scorer_member_t){.room = member->room, .n_room = member->n_room};
}

void nas_scorer_member_fini(nas_scorer_member_t *member)
{
    nas_scorer_member_clear(member);
    free(member->room);
    *member = (nas_scorer_member_t){0};
}
