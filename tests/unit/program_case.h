/* Small networks of random cells with random parameters and a random batch, and everything that
 * programs compute of them. */
#ifndef NAS_TESTS_UNIT_PROGRAM_CASE_H
#define NAS_TESTS_UNIT_PROGRAM_CASE_H

#include "common/base/rng.h"
#include "tests/unit/arch_case.h"
#include "tests/unit/graph_case.h"
#include "worker/engine/graph/parameters.h"
#include "worker/engine/host/host.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EVERYTHING = 2 * NAS_NEED_SIGNS - 1 }; /* all that one program computes: not FLOW */

/* Cells of which random ones are not likely: no way through; all convolutions; no parameters; dead
 * edges on either side. Then random ones. */
static const char *const SPECIAL_CELLS[] = {
    "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|none~0|none~1|none~2|",
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|nor_conv_3x3~0|nor_conv_1x1~1|nor_conv_3x3~"
    "2|",
    "|skip_connect~0|+|avg_pool_3x3~0|skip_connect~1|+|skip_connect~0|avg_pool_3x3~1|skip_connect~"
    "2|",
    "|nor_conv_3x3~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2|",
};

enum { N_SPECIAL = sizeof SPECIAL_CELLS / sizeof *SPECIAL_CELLS, N_CELLS = 14 };

/* Cells, then the networks of graph_case.h. */
enum { N_CASES = N_CELLS + N_OTHERS };

typedef struct program_case {
    nas_program_options_t options; /* graph is the case's */
    nas_profile_t *profile;        /* of an engine that is made for it; NULL: none */
    nas_arch_t arch;
    nas_graph_t *graph;
    double *parameters;
    float *images;
    int32_t *labels;
    size_t n_pixels;
    nas_rng_t rng;
} program_case_t;

/* What was computed; arrays are owned. */
typedef struct results {
    double loss;
    double *logits;
    double *jacobian;
    double *agreement;
    double *gradient;          /* [n_values] */
    nas_layer_values_t *layer; /* [n_parameters] */
} results_t;

/* Parameters, images and labels of a case that has its graph. Images are multiples of 2^-8, so that
 * steps of 2^-20 are exact in float32; gammas and betas are random, too. */
static inline void draw_case(program_case_t *c, int number)
{
    const nas_network_t *network = &c->graph->network;
    const int batch = c->options.batch;
    c->options.graph = c->graph;
    c->n_pixels = (size_t)batch * (size_t)network->image_channels * (size_t)network->height *
                  (size_t)network->width;
    c->parameters = calloc((size_t)c->graph->n_values, sizeof *c->parameters);
    c->images = calloc(c->n_pixels, sizeof *c->images);
    c->labels = calloc((size_t)batch, sizeof *c->labels);
    cr_assert(c->parameters && c->images && c->labels);
    nas_parameters_init(c->graph, (uint64_t)number, "", c->parameters);
    for (int p = 0; p < c->graph->n_parameters; p++) {
        const nas_parameter_t *parameter = &c->graph->parameter[p];
        if (parameter->kind != NAS_PARAMETER_GAMMA && parameter->kind != NAS_PARAMETER_BETA)
            continue;
        for (int64_t i = 0; i < parameter->n; i++)
            c->parameters[parameter->offset + i] +=
                (double)(float)nas_rng_between(&c->rng, -0.5, 0.5);
    }
    for (size_t i = 0; i < c->n_pixels; i++)
        c->images[i] = (float)(rint(256.0 * nas_rng_normal(&c->rng)) / 256.0);
    for (int n = 0; n < batch; n++)
        c->labels[n] = (int32_t)nas_rng_below(&c->rng, (uint64_t)network->classes);
}

static inline program_case_t begin_case(const nas_backend_t *backend, int batch, int number)
{
    program_case_t c = {.options = {.layout = backend, .batch = batch, .needs = EVERYTHING}};
    nas_rng_init(&c.rng, 7, NAS_STREAM_BENCH, (uint64_t)number);
    return c;
}

/* number: which cell, and seed of everything else. */
static inline program_case_t make_case(const nas_backend_t *backend, const nas_network_t *network,
                                       int batch, int number)
{
    program_case_t c = begin_case(backend, batch, number);
    const nas_space_t *space = nas_space_with_networks();
    c.arch = arch_at(space, (int64_t)nas_rng_below(&c.rng, (uint64_t)space->count));
    if (number < N_SPECIAL)
        cr_assert_eq(nas_arch_parse(&c.arch, SPECIAL_CELLS[number], NULL), NAS_OK);
    const int other = number - N_CELLS;
    if (other < 0)
        cr_assert_eq(nas_graph_create(network, &c.arch, &c.graph, NULL), NAS_OK);
    else
        cr_assert_eq(nas_graph_make(make_other, &other, network, &c.graph, NULL), NAS_OK);
    draw_case(&c, number);
    return c;
}

static inline void free_case(program_case_t *c)
{
    nas_graph_destroy(c->graph);
    nas_arch_fini(&c->arch);
    free(c->parameters);
    free(c->images);
    free(c->labels);
}

static inline double *copy_of(const double *values, size_t n)
{
    double *copy = calloc(n, sizeof *copy);
    cr_assert_not_null(copy);
    if (values) memcpy(copy, values, n * sizeof *copy);
    return copy;
}

/* Compile, run in the engine, which is made here where there is none yet, and see to what came. */
static inline void run_case(const program_case_t *c, const double *statistics,
                            nas_engine_t **engine, nas_program_values_t *values)
{
    nas_program_t *program = NULL;
    nas_error_t err = {0};
    if (!*engine)
        cr_assert_eq(nas_host_engine_create(c->options.layout, c->profile, engine, NULL), NAS_OK);
    cr_assert_eq(nas_program_create(&c->options, &program, &err), NAS_OK, "%s", err.text);
    const nas_engine_task_t task = {.program = program,
                                    .parameters = c->parameters,
                                    .images = c->images,
                                    .labels = c->labels,
                                    .statistics = statistics};
    cr_assert_eq(nas_engine_run(*engine, &task, values, NULL), NAS_OK);
    nas_program_destroy(program);
}

/* Natural logarithm of a synflow; of a case, computed. */
static inline double log_flow_of(const nas_program_values_t *values)
{
    return log(values->flow_mantissa) + values->flow_exponent * log(2.0);
}

/* engine: NULL: the host's. */
static inline double log_flow_on(const program_case_t *c, nas_engine_t *engine)
{
    nas_engine_t *own = engine;
    nas_program_values_t values;
    program_case_t of_flow = *c;
    of_flow.options.batch = 1;
    of_flow.options.needs = NAS_NEED_FLOW;
    run_case(&of_flow, NULL, &own, &values);
    const double found = log_flow_of(&values);
    if (own != engine) nas_engine_destroy(own);
    return found;
}

static inline double log_flow(const program_case_t *c)
{
    return log_flow_on(c, NULL);
}

static inline results_t copy_results(const program_case_t *c, const nas_program_values_t *values)
{
    const nas_graph_t *graph = c->graph;
    const size_t batch = (size_t)c->options.batch, n_parameters = (size_t)graph->n_parameters;
    results_t results = {
        .loss = values->loss,
        .logits = copy_of(values->logits, batch * (size_t)graph->network.classes),
        .jacobian = copy_of(values->jacobian, c->n_pixels),
        .agreement = copy_of(values->agreement, batch * batch),
        .gradient = copy_of(values->gradient, (size_t)graph->n_values),
        .layer = calloc(n_parameters, sizeof *results.layer),
    };
    cr_assert_not_null(results.layer);
    memcpy(results.layer, values->layer, n_parameters * sizeof *results.layer);
    return results;
}

/* What is not there (a Jacobian where no way leads to the images) is 0. */
static inline results_t compute(const program_case_t *c, nas_engine_t **engine)
{
    nas_program_values_t values;
    run_case(c, NULL, engine, &values);
    return copy_results(c, &values);
}

static inline void free_results(results_t *results)
{
    free(results->logits);
    free(results->jacobian);
    free(results->agreement);
    free(results->gradient);
    free(results->layer);
}

static inline double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static inline double norm(const double *a, size_t n)
{
    return sqrt(dot(a, a, n));
}

static inline void check_array(const char *what, const double *found, const double *expected,
                               size_t n, double tolerance)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++) squares += (found[i] - expected[i]) * (found[i] - expected[i]);
    cr_assert(sqrt(squares) <= tolerance, "%s differs by %g, norm %g, tolerance %g", what,
              sqrt(squares), norm(expected, n), tolerance);
}

static inline void check_same_bits(const program_case_t *c, const results_t *a, const results_t *b)
{
    const nas_graph_t *graph = c->graph;
    const size_t batch = (size_t)c->options.batch;
    const size_t n_logits = batch * (size_t)graph->network.classes;
    const size_t n_layers = (size_t)graph->n_parameters;
    cr_assert_eq(memcmp(&a->loss, &b->loss, sizeof a->loss), 0);
    cr_assert_eq(memcmp(a->logits, b->logits, n_logits * sizeof *a->logits), 0);
    cr_assert_eq(memcmp(a->jacobian, b->jacobian, c->n_pixels * sizeof *a->jacobian), 0);
    cr_assert_eq(memcmp(a->agreement, b->agreement, batch * batch * sizeof *a->agreement), 0);
    cr_assert_eq(memcmp(a->gradient, b->gradient, (size_t)graph->n_values * sizeof *a->gradient),
                 0);
    cr_assert_eq(memcmp(a->layer, b->layer, n_layers * sizeof *a->layer), 0);
}

#endif
