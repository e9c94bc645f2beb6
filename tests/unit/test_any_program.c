/* What programs compute of random networks of everything that a graph can have: against finite
 * differences on ref, and on every backend what ref computes. */
#include "any_case.h"
#include "backend_case.h"
#include "program_check.h"
#include "program_slopes.h"

#include <stdio.h>

enum { N_ANY = 40 };

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

/* Far beyond the range of float32, and of float64. */
BACKEND_TEST(any_program, synflow_of_a_deep_network)
{
    static const double weights[] = {1e-6, 0.25, 1e6};
    fixture_t f = setup(*index);
    for (int k = 0; k < 3; k++) check_deep_flow(f.backend, NULL, weights[k], false);
    teardown(&f);
}

BACKEND_TEST(any_program, zeros_say_nothing_of_synflow)
{
    static const double weights[] = {1e-6, 0.25, 1e6};
    fixture_t f = setup(*index);
    for (int k = 0; k < 3; k++) check_deep_flow(f.backend, NULL, weights[k], true);
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
