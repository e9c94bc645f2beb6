/* What programs compute of random networks of everything that a graph can have: against finite
 * differences on ref. */
#include "any_graph.h"
#include "program_slopes.h"

#include <stdio.h>

static const nas_network_t SMALL = {3, 9, 7, 4, 1, 5, NAS_CONVENTION_TRAIN};

enum { N_ANY = 40, ANY_BATCH = 4 };

static const slope_rule_t RULE = {.step = 1e-7,
                                  .image_step = 0x1p-20,
                                  .along_step = 1e-7,
                                  .relative = 1e-6,
                                  .floor = 1e-9,
                                  .image_floor = 1e-6};

static program_case_t any_case(const nas_backend_t *backend, int number)
{
    program_case_t c = begin_case(backend, ANY_BATCH, number);
    nas_error_t err = {0};
    cr_assert_eq(nas_graph_make(make_any, &number, &SMALL, &c.graph, &err), NAS_OK, "%d: %s", number,
                 err.text);
    draw_case(&c, number);
    return c;
}

typedef void check_slopes_t(program_case_t *c, nas_engine_t **engine, const slope_rule_t *rule,
                            const char *what);

static void check_all(check_slopes_t *check)
{
    for (int number = 0; number < N_ANY; number++) {
        nas_engine_t *engine = NULL;
        program_case_t c = any_case(nas_backend_ref(), number);
        char name[32];
        (void)snprintf(name, sizeof name, "network %d", number);
        check(&c, &engine, &RULE, name);
        free_case(&c);
        nas_engine_destroy(engine);
    }
}

Test(any_program, gradients_equal_finite_differences)
{
    check_all(check_gradients);
}

Test(any_program, jacobian_equals_finite_differences)
{
    check_all(check_jacobian);
}

Test(any_program, curvature_equals_finite_differences)
{
    check_all(check_curvature);
}
