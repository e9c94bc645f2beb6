/* What float32 computes of a program, against ref. */
#ifndef NAS_TESTS_UNIT_PROGRAM_CHECK_H
#define NAS_TESTS_UNIT_PROGRAM_CHECK_H

#include "program_case.h"

/* As robotnas verify does for float32 (worker/verify/comparison.h). */
static inline void check_results(const program_case_t *c, const results_t *found,
                                 const results_t *expected)
{
    const nas_graph_t *graph = c->graph;
    const size_t batch = (size_t)c->options.batch,
                 n_logits = batch * (size_t)graph->network.classes;
    const double all = norm(expected->gradient, (size_t)graph->n_values);
    double curvature = 0, magnitude = 0;
    check_array("logits", found->logits, expected->logits, n_logits,
                5e-5 * norm(expected->logits, n_logits));
    check_array("jacobian", found->jacobian, expected->jacobian, c->n_pixels,
                1e-3 * norm(expected->jacobian, c->n_pixels));
    check_array("agreement", found->agreement, expected->agreement, batch * batch,
                1e-3 * norm(expected->agreement, batch * batch));
    for (int p = 0; p < graph->n_parameters; p++) {
        const nas_parameter_t *parameter = &graph->parameter[p];
        const double *e = expected->gradient + parameter->offset;
        const size_t n = (size_t)parameter->n;
        check_array(parameter->name, found->gradient + parameter->offset, e, n,
                    1e-3 * fmax(norm(e, n), 1e-4 * all));
        curvature += found->layer[p].curvature - expected->layer[p].curvature;
        magnitude += fabs(expected->layer[p].curvature);
        const double fisher = expected->layer[p].fisher;
        cr_assert_float_eq(found->layer[p].fisher, fisher, 1e-3 * fisher + 1e-12);
    }
    cr_assert(fabs(curvature) <= 5e-4 * magnitude, "curvature differs by %g of %g", curvature,
              magnitude);
}

/* A case on a backend of float32 computes what it does on ref, but for rounding. Both are ended. */
static inline void check_agreement(program_case_t *c, program_case_t *yardstick)
{
    nas_engine_t *engine = NULL, *ref = NULL;
    results_t found = compute(c, &engine), expected = compute(yardstick, &ref);
    check_results(c, &found, &expected);
    free_results(&found);
    free_results(&expected);
    free_case(c);
    free_case(yardstick);
    nas_engine_destroy(engine);
    nas_engine_destroy(ref);
}

#endif
