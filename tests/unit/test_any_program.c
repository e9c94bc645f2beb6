/* What programs compute of random networks of everything that a graph can have: against finite
 * differences on ref, and on every backend what ref computes. */
#include "any_graph.h"
#include "backend_case.h"
#include "program_check.h"
#include "program_slopes.h"

#include <stdio.h>

static const nas_network_t SMALL = {3, 9, 7, 4, 1, 5, NAS_CONVENTION_TRAIN};

enum { N_ANY = 40, ANY_BATCH = 4 };

static program_case_t any_case(const nas_backend_t *backend, int number)
{
    program_case_t c = begin_case(backend, ANY_BATCH, number);
    nas_error_t err = {0};
    cr_assert_eq(nas_graph_make(make_any, &number, &SMALL, &c.graph, &err), NAS_OK, "%d: %s",
                 number, err.text);
    draw_case(&c, number);
    return c;
}

static program_case_t any_case_on_ref(int number)
{
    return any_case(nas_backend_ref(), number);
}

Test(any_program, gradients_equal_finite_differences)
{
    check_slopes(check_gradients, any_case_on_ref, N_ANY);
}

Test(any_program, jacobian_equals_finite_differences)
{
    check_slopes(check_jacobian, any_case_on_ref, N_ANY);
}

Test(any_program, curvature_equals_finite_differences)
{
    check_slopes(check_curvature, any_case_on_ref, N_ANY);
}

BACKEND_TEST(any_program, backends_agree)
{
    fixture_t f = setup(*index);
    for (int number = 0; number < N_ANY; number++) {
        program_case_t c = any_case(f.backend, number);
        program_case_t yardstick = any_case(nas_backend_ref(), number);
        check_agreement(&c, &yardstick);
    }
    teardown(&f);
}

/* ------------------------------------------------------------------------------------- synflow */

BACKEND_TEST(any_program, backends_agree_on_synflow)
{
    fixture_t f = setup(*index);
    for (int number = 0; number < N_ANY; number++) {
        program_case_t c = any_case(f.backend, number);
        program_case_t yardstick = any_case(nas_backend_ref(), number);
        const double expected = log_flow(&yardstick), found = log_flow(&c);
        cr_assert(found == expected || fabs(found - expected) <= 1e-5,
                  "network %d: log synflow is %.12g, expected %.12g", number, found, expected);
        free_case(&c);
        free_case(&yardstick);
    }
    teardown(&f);
}

enum { DEEP = 100, DEEP_WIDTH = 4, DEEP_SKIP = 7 };

/* Zeros, and what a layer called `nothing` makes of a tensor. */
static int put_nothing(nas_builder_t *b, int x, int *kept)
{
    kept[0] = b->sum(b, &(nas_join_spec_t){.name = "zeros"}, b->extents(b, x));
    kept[1] = b->conv(b, x, &(nas_conv_spec_t){.name = "nothing", .c_out = DEEP_WIDTH, .k = 1});
    return 2;
}

/* Convolutions of one pixel, without BN, and every seventh tensor joined again at the end.
 * what: whether nothing is added to them. */
static nas_status_t make_deep(const void *what, const nas_network_t *network, nas_builder_t *b,
                              nas_error_t *err)
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
static double log_deep_flow(double gain, double first_gain, const nas_network_t *network,
                            double last_weight)
{
    const double scale = fmax(log(gain) * (DEEP - 1), log(gain) * (DEEP_SKIP - 1));
    double sum = 0;
    for (int i = 1; i <= DEEP; i++)
        if (i % DEEP_SKIP == 0 || i == DEEP) sum += (i + 1) * exp(log(gain) * (i - 1) - scale);
    return log(sum) + scale + log(first_gain * DEEP_WIDTH * last_weight * network->classes);
}

static void check_deep_flow(const nas_backend_t *backend, double weight, bool adds_nothing)
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
    const double found = log_flow(&c);
    cr_assert(fabs(found - expected) <= 1e-5 * fabs(expected),
              "weights of %g: log synflow is %.12g, expected %.12g", weight, found, expected);
    free_case(&c);
}

/* Far beyond the range of float32, and of float64. */
BACKEND_TEST(any_program, synflow_of_a_deep_network)
{
    static const double weights[] = {1e-6, 0.25, 1e6};
    fixture_t f = setup(*index);
    for (int k = 0; k < 3; k++) check_deep_flow(f.backend, weights[k], false);
    teardown(&f);
}

BACKEND_TEST(any_program, zeros_say_nothing_of_synflow)
{
    static const double weights[] = {1e-6, 0.25, 1e6};
    fixture_t f = setup(*index);
    for (int k = 0; k < 3; k++) check_deep_flow(f.backend, weights[k], true);
    teardown(&f);
}

/* ------------------------------------------------------------------------------------ the output */

/* A pool that halves the resolution, which is fused with convolutions that read it: none do. */
static nas_status_t make_pooled(const void *what, const nas_network_t *network, nas_builder_t *b,
                                nas_error_t *err)
{
    (void)what;
    (void)err;
    const int x = b->conv(b, b->image(b),
                          &(nas_conv_spec_t){.name = "conv", .c_out = network->classes, .k = 1});
    b->output(b, b->pool(b, x, &(nas_pool_spec_t){.name = "pool", .k = 2, .stride = 2}));
    return NAS_OK;
}

Test(any_program, a_pool_is_the_output)
{
    const nas_network_t network = {3, 2, 2, 4, 1, 5, NAS_CONVENTION_TRAIN};
    nas_engine_t *engine = NULL;
    program_case_t c = begin_case(nas_backend_ref(), ANY_BATCH, 0);
    cr_assert_eq(nas_graph_make(make_pooled, NULL, &network, &c.graph, NULL), NAS_OK);
    draw_case(&c, 0);
    check_gradients(&c, &engine, &FLOAT64_SLOPES, "pool");
    free_case(&c);
    nas_engine_destroy(engine);
}
