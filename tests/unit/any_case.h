/* Random networks as cases of programs, and deep ones whose synflow is known. */
#ifndef NAS_TESTS_UNIT_ANY_CASE_H
#define NAS_TESTS_UNIT_ANY_CASE_H

#include "any_graph.h"
#include "program_case.h"

static const nas_network_t SMALL = {3, 9, 7, 4, 1, 5, NAS_CONVENTION_TRAIN};

enum { ANY_BATCH = 4 };

static inline program_case_t any_case(const nas_backend_t *backend, int number)
{
    program_case_t c = begin_case(backend, ANY_BATCH, number);
    nas_error_t err = {0};
    cr_assert_eq(nas_graph_make(make_any, &number, &SMALL, &c.graph, &err), NAS_OK, "%d: %s",
                 number, err.text);
    draw_case(&c, number);
    return c;
}

enum { DEEP = 100, DEEP_WIDTH = 4, DEEP_SKIP = 7 };

/* Zeros, and what a layer called `nothing` makes of a tensor. */
static inline int put_nothing(nas_builder_t *b, int x, int *kept)
{
    kept[0] = b->sum(b, &(nas_join_spec_t){.name = "zeros"}, b->extents(b, x));
    kept[1] = b->conv(b, x, &(nas_conv_spec_t){.name = "nothing", .c_out = DEEP_WIDTH, .k = 1});
    return 2;
}

/* Convolutions of one pixel, without BN, and every seventh tensor joined again at the end.
 * what: whether nothing is added to them. */
static inline nas_status_t make_deep(const void *what, const nas_network_t *network,
                                     nas_builder_t *b, nas_error_t *err)
{
    char name[32];
    int kept[DEEP / DEEP_SKIP + 3], n = 0, x = b->image(b);
    (void)err;
    for (int i = 0; i < DEEP; i++) {
        (void)snprintf(name, sizeof name, "layer%d", i);
        x = b->conv(b, x, &(nas_conv_spec_t){.name = name, .c_out = DEEP_WIDTH, .k = 1});
        if (i % DEEP_SKIP == DEEP_SKIP - 1) kept[n++] = x;
    }
    kept[n++] = x;
    if (*(const bool *)what) n += put_nothing(b, x, kept + n);
    x = b->sum(b, &(nas_join_spec_t){.name = "all", .source = kept, .n = n}, (nas_extents_t){0});
    x = b->flatten(b, b->pool(b, x, &(nas_pool_spec_t){.name = "mean"}), "features");
    b->output(b, b->linear(b, x, &(nas_linear_spec_t){.name = "end", .n_out = network->classes}));
    return NAS_OK;
}

/* With equal weights a layer multiplies by `gain`, and all of a way's layers have a part in
 * synflow that is the way's flow: log of sum over the ways of (layers) gain^layers, in steps. */
static inline double log_deep_flow(double gain, double first_gain, const nas_network_t *network,
                                   double last_weight)
{
    const double scale = fmax(log(gain) * (DEEP - 1), log(gain) * (DEEP_SKIP - 1));
    double sum = 0;
    for (int i = 1; i <= DEEP; i++)
        if (i % DEEP_SKIP == 0 || i == DEEP) sum += (i + 1) * exp(log(gain) * (i - 1) - scale);
    return log(sum) + scale + log(first_gain * DEEP_WIDTH * last_weight * network->classes);
}

/* engine: of a GPU; NULL: the host's. */
static inline void check_deep_flow(const nas_backend_t *backend, nas_engine_t *engine,
                                   double weight, bool adds_nothing)
{
    program_case_t c = begin_case(backend, 1, 1);
    cr_assert_eq(nas_graph_make(make_deep, &adds_nothing, &SMALL, &c.graph, NULL), NAS_OK);
    draw_case(&c, 1);
    const int nothing = nas_graph_find(c.graph, "nothing/weight");
    const int64_t zeros = nothing < 0 ? -1 : c.graph->parameter[nothing].offset;
    for (int64_t i = 0; i < c.graph->n_values; i++) c.parameters[i] = weight;
    for (int64_t i = 0; zeros >= 0 && i < c.graph->parameter[nothing].n; i++)
        c.parameters[zeros + i] = 0;
    const double expected =
        log_deep_flow(DEEP_WIDTH * weight, SMALL.image_channels * weight, &SMALL, weight);
    const double found = log_flow_on(&c, engine);
    cr_assert(fabs(found - expected) <= 1e-5 * fabs(expected),
              "weights of %g: log synflow is %.12g, expected %.12g", weight, found, expected);
    free_case(&c);
}

#endif
