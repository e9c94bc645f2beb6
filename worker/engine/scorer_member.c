#include "worker/engine/scorer_member.h"

#include "common/base/strings.h"
#include "worker/engine/program/op.h"

#include <stdlib.h>
#include <string.h>

nas_scorer_needs_t nas_scorer_needs(const nas_scorer_options_t *options)
{
    nas_scorer_needs_t needs = {0};
    for (int i = 0; i < options->n_metric; i++) {
        needs.of_batch |= options->metric[i]->needs;
        needs.of_parameters |= options->metric[i]->reads_parameters;
    }
    needs.of_flow = (needs.of_batch & NAS_NEED_FLOW) != 0;
    needs.of_batch &= ~(unsigned)NAS_NEED_FLOW;
    return needs;
}

/* ------------------------------------------------------------------------------------- making it */

static nas_status_t add_program(nas_scorer_member_t *member, const nas_scorer_options_t *o,
                                unsigned needs, nas_error_t *err)
{
    const nas_program_options_t options = {.layout = o->engine->layout,
                                           .graph = member->graph,
                                           .batch = needs & NAS_NEED_FLOW ? 1 : o->batch,
                                           .needs = needs};
    nas_program_t **program = &member->program[member->n_programs];
    const nas_status_t status = nas_program_create(&options, program, err);
    member->n_programs += status == NAS_OK;
    return status;
}

static nas_status_t make_programs(nas_scorer_member_t *member, const nas_scorer_options_t *o,
                                  nas_error_t *err)
{
    const nas_scorer_needs_t needs = nas_scorer_needs(o);
    nas_status_t status = NAS_OK;
    if (needs.of_batch) status = add_program(member, o, needs.of_batch, err);
    if (!status && needs.of_flow) status = add_program(member, o, NAS_NEED_FLOW, err);
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

void nas_scorer_member_build(nas_scorer_member_t *member, const nas_scorer_options_t *options,
                             int64_t number)
{
    nas_networks_t *networks = options->networks;
    nas_error_t *err = &member->result.err;
    nas_status_t status = networks->make(networks, number, &options->network, &member->own, err);
    member->graph = member->own.graph;
    if (!status) status = begin_parameters(member, options, err);
    if (!status) status = make_programs(member, options, err);
    member->result.status = status;
}

void nas_scorer_member_take(nas_scorer_member_t *member, const nas_scorer_options_t *options,
                            const nas_graph_t *graph, const double *parameters)
{
    member->graph = graph;
    member->parameters = parameters;
    member->result.status = make_programs(member, options, &member->result.err);
}

/* ------------------------------------------------------------------------------ carrying it out */

int nas_scorer_member_tasks(const nas_scorer_member_t *member, const nas_scorer_options_t *options,
                            nas_engine_task_t *task)
{
    if (member->result.status) return 0;
    for (int i = 0; i < member->n_programs; i++)
        task[i] = (nas_engine_task_t){.program = member->program[i],
                                      .parameters = member->parameters,
                                      .draw = member->name ? &member->draw : NULL,
                                      .images = options->images,
                                      .labels = options->labels};
    return member->n_programs;
}

void nas_scorer_member_settle(nas_scorer_member_t *member, const nas_engine_result_t *result)
{
    for (int i = 0; i < member->n_programs; i++) {
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

enum { N_ARRAYS = 6 };

/* All but the sums of layers, which are no plain numbers. */
static void list_arrays(nas_scorer_member_t *member, int program, array_t array[N_ARRAYS])
{
    nas_program_values_t *values = &member->values[program];
    const nas_network_t *net = &member->graph->network;
    const size_t batch = (size_t)member->program[program]->n;
    const size_t pixels = (size_t)net->image_channels * (size_t)net->height * (size_t)net->width;
    const array_t all[N_ARRAYS] = {
        {&values->logits, batch * (size_t)net->classes},
        {&values->jacobian, batch * pixels},
        {&values->agreement, batch * batch},
        {&values->correlation, batch * batch},
        {&values->gradient, (size_t)member->graph->n_values},
        {&values->moments, (size_t)member->graph->n_statistics},
    };
    memcpy(array, all, sizeof all);
}

/* Numbers that copies of all its values take; with `to`, they are made there. */
static size_t copy_values(nas_scorer_member_t *member, double *to)
{
    const size_t n_layer = (size_t)member->graph->n_parameters;
    const size_t layer_numbers = sizeof *member->values->layer / sizeof(double);
    size_t n = 0;
    for (int p = 0; p < member->n_programs; p++) {
        array_t array[N_ARRAYS];
        const nas_layer_values_t **layer = &member->values[p].layer;
        list_arrays(member, p, array);
        for (int i = 0; i < N_ARRAYS; i++) {
            if (!*array[i].at) continue;
            if (to) *array[i].at = memcpy(to + n, *array[i].at, array[i].n * sizeof *to);
            n += array[i].n;
        }
        if (!*layer) continue;
        if (to) *layer = memcpy(to + n, *layer, n_layer * sizeof **layer);
        n += n_layer * layer_numbers;
    }
    return n;
}

nas_status_t nas_scorer_member_keep(nas_scorer_member_t *member)
{
    if (member->result.status || member->n_programs == 0) return NAS_OK;
    member->kept = malloc((copy_values(member, NULL) + 1) * sizeof *member->kept);
    if (!member->kept) return NAS_ENOMEM;
    (void)copy_values(member, member->kept);
    return NAS_OK;
}

void nas_scorer_member_evaluate(nas_scorer_member_t *member, const nas_scorer_options_t *options,
                                double *value)
{
    const nas_scorer_needs_t needs = nas_scorer_needs(options);
    const bool lacks_parameters = needs.of_parameters && !member->parameters;
    nas_scorer_result_t *result = &member->result;
    if (!result->status && lacks_parameters)
        result->status = draw_here(member, options, &result->err);
    if (result->status) return;
    const nas_metric_input_t input = {
        .graph = member->graph,
        .parameters = member->parameters,
        .run = needs.of_batch ? &member->values[0] : NULL,
        .flow = needs.of_flow ? &member->values[member->n_programs - 1] : NULL,
        .batch = options->batch,
        .is_portable = options->engine->is_portable};
    for (int i = 0; i < options->n_metric; i++) value[i] = options->metric[i]->value(&input);
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
    *member = (nas_scorer_member_t){.room = member->room, .n_room = member->n_room};
}

void nas_scorer_member_fini(nas_scorer_member_t *member)
{
    nas_scorer_member_clear(member);
    free(member->room);
    *member = (nas_scorer_member_t){0};
}
