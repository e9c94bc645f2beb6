/* Random networks of everything that a graph can have, on GPUs: what ref computes, but for rounding;
 * alone and in company. PoCL, which takes seconds for a kernel, is given one. */
#include "any_case.h"
#include "gpu_engine_case.h"
#include "program_check.h"

/* With AddressSanitizer, which takes ten times as long, fewer. Company is of the same networks, whose
 * kernels are built then. */
enum { N_ANY = WITH_ASAN ? 1 : 40, EVERY = WITH_ASAN ? 3 : 4, MEMBERS = WITH_ASAN ? 2 : 5 };

static void check_any(nas_engine_t *engine, int number)
{
    nas_engine_t *ref = NULL;
    program_case_t c = any_case(nas_gpu_layout(), number);
    program_case_t yardstick = any_case(nas_backend_ref(), number);
    results_t found = compute(&c, &engine), expected = compute(&yardstick, &ref);
    check_results(&c, &found, &expected);
    const double flow = log_flow_on(&c, engine), of_ref = log_flow(&yardstick);
    cr_assert(flow == of_ref || fabs(flow - of_ref) <= 1e-5,
              "network %d: log synflow is %.12g, expected %.12g", number, flow, of_ref);
    free_results(&found);
    free_results(&expected);
    free_case(&c);
    free_case(&yardstick);
    nas_engine_destroy(ref);
}

static void any_networks_agree_with_ref(nas_gpu_t *gpu)
{
    nas_engine_t *engine = make_gpu_engine(gpu, 0);
    if (is_slow(gpu)) check_any(engine, 1);
    for (int number = 0; !is_slow(gpu) && number < N_ANY; number += EVERY)
        check_any(engine, number);
    nas_engine_destroy(engine);
}
ON_EVERY_LAYER(any_networks_agree_with_ref)

/* Far beyond the range of float32, and of float64, with what is zero and without. */
static void synflow_of_a_deep_network(nas_gpu_t *gpu)
{
    static const double weights[] = {1e-6, 0.25, 1e6};
    nas_engine_t *engine = make_gpu_engine(gpu, 0);
    for (int k = 0; k < (WITH_ASAN ? 1 : 3); k++) {
        if (!WITH_ASAN) check_deep_flow(nas_gpu_layout(), engine, weights[k], false);
        check_deep_flow(nas_gpu_layout(), engine, weights[k], true);
    }
    nas_engine_destroy(engine);
}
ON_LAYER(synflow_of_a_deep_network, threads)

/* ---------------------------------------------------------------------------------------- company */

typedef struct member {
    program_case_t c;
    nas_program_t *program;
    nas_engine_task_t task;
    double *alone;
} member_t;

static size_t n_values(const member_t *member)
{
    return (size_t)member->c.graph->n_values;
}

static const nas_engine_result_t *run_all(nas_engine_t *engine, const nas_engine_task_t *task,
                                          int n)
{
    const nas_engine_result_t *result = NULL;
    cr_assert_eq(engine->start(engine, task, n, NULL), NAS_OK);
    cr_assert_eq(engine->finish(engine, &result, NULL), NAS_OK);
    for (int i = 0; i < n; i++) cr_assert_eq(result[i].status, NAS_OK, "%s", result[i].err.text);
    return result;
}

/* In one pack, first to last and last to first, they have the bits that they have alone. */
static void company_changes_nothing(nas_gpu_t *gpu)
{
    nas_engine_t *engine = make_gpu_engine(gpu, 0);
    member_t member[MEMBERS];
    nas_engine_task_t task[MEMBERS];
    for (int i = 0; i < MEMBERS; i++) {
        member_t *m = &member[i];
        m->c = any_case(nas_gpu_layout(), EVERY * i);
        m->program = compile(&m->c);
        m->task = task_of(&m->c, m->program);
        const nas_engine_result_t *result = run_all(engine, &m->task, 1);
        m->alone = copy_of(result->values.gradient, n_values(m));
    }
    for (int turn = WITH_ASAN ? 1 : 0; turn < 2; turn++) {
        for (int i = 0; i < MEMBERS; i++) task[i] = member[turn ? MEMBERS - 1 - i : i].task;
        const nas_engine_result_t *result = run_all(engine, task, MEMBERS);
        for (int i = 0; i < MEMBERS; i++) {
            const member_t *m = &member[turn ? MEMBERS - 1 - i : i];
            cr_assert_eq(memcmp(result[i].values.gradient, m->alone, n_values(m) * sizeof(double)),
                         0);
        }
    }
    for (int i = 0; i < MEMBERS; i++) {
        free(member[i].alone);
        nas_program_destroy(member[i].program);
        free_case(&member[i].c);
    }
    nas_engine_destroy(engine);
}
ON_LAYER(company_changes_nothing, threads)
