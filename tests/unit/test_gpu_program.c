/* Programs on GPUs: what ref computes, but for rounding. PoCL takes seconds for a kernel, so that it
 * is given one cell that has few, once; `verify` has it compute the rest. */
#include "gpu_engine_case.h"
#include "program_check.h"

/* Odd channels and planes that are padded; both conventions. */
static const nas_network_t NETWORKS[] = {{3, 8, 8, 5, 1, 10, NAS_CONVENTION_SCORE},
                                         {1, 12, 4, 3, 1, 5, NAS_CONVENTION_TRAIN}};

/* With AddressSanitizer, which takes ten times as long, fewer. */
enum { EVERY = WITH_ASAN ? 3 : 1 };

enum { N_NETWORKS = sizeof NETWORKS / sizeof *NETWORKS, BATCH = 5, WITHOUT_CONVOLUTIONS = 2 };

static void check_case(nas_engine_t *engine, int number)
{
    nas_engine_t *ref = NULL;
    const nas_network_t *network = &NETWORKS[number / 2 % N_NETWORKS];
    program_case_t c = make_case(nas_gpu_layout(), network, BATCH, number);
    program_case_t yardstick = make_case(nas_backend_ref(), network, BATCH, number);
    results_t found = compute(&c, &engine), expected = compute(&yardstick, &ref);
    check_results(&c, &found, &expected);
    cr_assert_float_eq(found.loss, expected.loss, 1e-5 * expected.loss);
    for (int p = 0; p < c.graph->n_parameters; p++) {
        const nas_layer_values_t *a = &found.layer[p], *b = &expected.layer[p];
        cr_assert_float_eq(a->gradient_squares, b->gradient_squares, 1e-4 * b->gradient_squares);
        cr_assert_float_eq(a->abs_dot, b->abs_dot, 1e-4 * b->abs_dot);
        cr_assert_float_eq(a->dot, b->dot, 1e-4 * b->abs_dot);
    }
    free_results(&found);
    free_results(&expected);
    free_case(&c);
    free_case(&yardstick);
    nas_engine_destroy(ref);
}

static void agree_with_ref(nas_gpu_t *gpu)
{
    nas_engine_t *engine = make_gpu_engine(gpu, 0);
    if (is_slow(gpu)) check_case(engine, WITHOUT_CONVOLUTIONS);
    for (int number = 1; !is_slow(gpu) && number < N_CASES; number += 2 * EVERY)
        check_case(engine, number);
    nas_engine_destroy(engine);
}
ON_EVERY_LAYER(agree_with_ref)

/* --------------------------------------------------------------------------- what is left of them */

static void check_first(const program_case_t *c, const nas_program_values_t *found,
                        const nas_program_values_t *expected)
{
    const size_t n = (size_t)c->graph->n_statistics;
    check_array("moments", found->moments, expected->moments, n, 1e-5 * norm(expected->moments, n));
    cr_assert_eq(found->correlation == NULL, expected->correlation == NULL);
    if (expected->correlation)
        check_array("correlation", found->correlation, expected->correlation, BATCH * BATCH, 1e-4);
}

/* Correlations and moments beside synflow, in one pack. */
static void check_pack(nas_engine_t *engine, int number)
{
    const nas_network_t *network = &NETWORKS[number / 2 % N_NETWORKS];
    const nas_engine_result_t *result = NULL;
    nas_program_t *program[2];
    nas_engine_task_t task[2];
    program_case_t c = make_case(nas_gpu_layout(), network, BATCH, number), of_flow = c;
    c.options.needs = NAS_NEED_LOSS | NAS_NEED_GRADIENT | NAS_NEED_CORRELATION;
    of_flow.options.needs = NAS_NEED_FLOW;
    of_flow.options.batch = 1;
    const program_case_t *both[] = {&c, &of_flow};
    for (int i = 0; i < 2; i++) task[i] = task_of(&c, program[i] = compile(both[i]));
    cr_assert_eq(engine->start(engine, task, 2, NULL), NAS_OK);
    cr_assert_eq(engine->finish(engine, &result, NULL), NAS_OK);
    for (int i = 0; i < 2; i++) {
        nas_engine_t *ref = NULL;
        nas_program_values_t expected;
        program_case_t yardstick = *both[i];
        yardstick.options.layout = nas_backend_ref();
        run_case(&yardstick, NULL, &ref, &expected);
        const double flow = log_flow_of(&result[1].values);
        if (i == 0)
            check_first(&c, &result[0].values, &expected);
        else
            cr_assert(flow == log_flow_of(&expected) || fabs(flow - log_flow_of(&expected)) <= 1e-5,
                      "%.9g, expected %.9g", flow, log_flow_of(&expected));
        nas_engine_destroy(ref);
        nas_program_destroy(program[i]);
    }
    free_case(&c);
}

static void find_the_rest(nas_gpu_t *gpu)
{
    nas_engine_t *engine = make_gpu_engine(gpu, 0);
    for (int number = 1; number < N_CASES; number += 3 * EVERY) check_pack(engine, number);
    nas_engine_destroy(engine);
}
ON_LAYER(find_the_rest, threads)

/* With a batch's own moments as statistics its logits are those of training, image by image. */
static void infer(nas_gpu_t *gpu)
{
    nas_engine_t *engine = make_gpu_engine(gpu, 0);
    for (int number = 0; number < N_CASES; number += 3 * EVERY) {
        nas_program_values_t values;
        program_case_t c = make_case(nas_gpu_layout(), &NETWORKS[0], BATCH, number);
        const size_t n = BATCH * (size_t)c.graph->network.classes;
        c.options.needs = NAS_NEED_LOSS | NAS_NEED_GRADIENT;
        run_case(&c, NULL, &engine, &values);
        double *logits = copy_of(values.logits, n);
        double *moments = copy_of(values.moments, (size_t)c.graph->n_statistics);
        c.options.needs = NAS_NEED_INFERENCE;
        run_case(&c, moments, &engine, &values);
        check_array("logits", values.logits, logits, n, 1e-4 * norm(logits, n));
        free(logits);
        free(moments);
        free_case(&c);
    }
    nas_engine_destroy(engine);
}
ON_LAYER(infer, threads)
