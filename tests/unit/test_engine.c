/* The engine of the host: what programs are to it, alone and together. */
#include "program_case.h"
#include "worker/engine/program/op.h"

static const nas_network_t TINY = {3, 8, 8, 4, 1, 5, NAS_CONVENTION_SCORE};

enum { TINY_BATCH = 4, ALL_CONVOLUTIONS = 1 };

typedef struct fixture {
    program_case_t c, of_flow;
    nas_engine_t *engine;
    nas_program_t *all, *flow;
    nas_engine_task_t task[2]; /* of these */
} fixture_t;

static fixture_t setup(void)
{
    fixture_t f = {.c = make_case(nas_backend_ref(), &TINY, TINY_BATCH, ALL_CONVOLUTIONS)};
    f.of_flow = f.c;
    f.of_flow.options.batch = 1;
    f.of_flow.options.needs = NAS_NEED_FLOW;
    cr_assert_eq(nas_host_engine_create(nas_backend_ref(), NULL, &f.engine, NULL), NAS_OK);
    cr_assert_eq(nas_program_create(&f.c.options, &f.all, NULL), NAS_OK);
    cr_assert_eq(nas_program_create(&f.of_flow.options, &f.flow, NULL), NAS_OK);
    const nas_program_t *const program[] = {f.all, f.flow};
    for (int i = 0; i < 2; i++)
        f.task[i] = (nas_engine_task_t){.program = program[i],
                                        .parameters = f.c.parameters,
                                        .images = f.c.images,
                                        .labels = f.c.labels};
    return f;
}

static void teardown(fixture_t *f)
{
    nas_program_destroy(f->all);
    nas_program_destroy(f->flow);
    nas_engine_destroy(f->engine);
    free_case(&f->c);
}

static void check_gradient(const fixture_t *f, const nas_program_values_t *values,
                           const double *expected)
{
    cr_assert_eq(
        memcmp(values->gradient, expected, (size_t)f->c.graph->n_values * sizeof *expected), 0);
}

/* Programs that are started together find what each finds alone, in any order, and all of it is
 * there at the end. */
Test(engine, company_changes_nothing)
{
    fixture_t f = setup();
    const nas_engine_result_t *result = NULL;
    nas_program_values_t values;
    cr_assert_eq(nas_engine_run(f.engine, &f.task[1], &values, NULL), NAS_OK);
    const double mantissa = values.flow_mantissa;
    cr_assert_gt(mantissa, 0);
    cr_assert_eq(nas_engine_run(f.engine, &f.task[0], &values, NULL), NAS_OK);
    double *gradient = copy_of(values.gradient, (size_t)f.c.graph->n_values);
    const nas_engine_task_t task[] = {f.task[0], f.task[1], f.task[0]};
    cr_assert_eq(f.engine->start(f.engine, task, 3, NULL), NAS_OK);
    cr_assert_eq(f.engine->finish(f.engine, &result, NULL), NAS_OK);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(result[i].status, NAS_OK);
        if (i == 1)
            cr_assert_eq(result[i].values.flow_mantissa, mantissa);
        else
            check_gradient(&f, &result[i].values, gradient);
    }
    free(gradient);
    teardown(&f);
}

/* A program that cannot be carried out fails alone, in words of its own. */
Test(engine, a_failure_is_of_one_program)
{
    fixture_t f = setup();
    const nas_engine_result_t *result = NULL;
    nas_program_values_t values;
    nas_error_t err = {0};
    f.flow->conv[0].k = 2;
    cr_assert_eq(f.engine->start(f.engine, (nas_engine_task_t[]){f.task[1], f.task[0]}, 2, NULL),
                 NAS_OK);
    cr_assert_eq(f.engine->finish(f.engine, &result, NULL), NAS_OK);
    cr_assert_eq(result[0].status, NAS_EARG);
    cr_assert_neq(result[0].err.text[0], 0);
    cr_assert_eq(result[1].status, NAS_OK);
    cr_assert(isfinite(result[1].values.loss));
    cr_assert_eq(nas_engine_run(f.engine, &f.task[1], &values, &err), NAS_EARG);
    cr_assert_neq(err.text[0], 0);
    const nas_program_t *const program[] = {f.flow};
    cr_assert_eq(f.engine->reserve(f.engine, program, 1, NULL), NAS_EARG);
    teardown(&f);
}

/* Plain data: the graph may go, and a copy of all arrays elsewhere is the same program. */
Test(engine, programs_are_plain_data)
{
    fixture_t f = setup();
    nas_program_values_t values;
    cr_assert_eq(nas_engine_run(f.engine, &f.task[0], &values, NULL), NAS_OK);
    const size_t n = (size_t)f.c.graph->n_values;
    double *gradient = copy_of(values.gradient, n);
    nas_graph_destroy(f.c.graph);
    f.c.graph = NULL;
    nas_op_t *op = calloc((size_t)f.all->n_ops, sizeof *op);
    cr_assert_not_null(op);
    memcpy(op, f.all->op, (size_t)f.all->n_ops * sizeof *op);
    memset(f.all->op, 0xff, (size_t)f.all->n_ops * sizeof *op);
    free(f.all->op);
    f.all->op = op;
    cr_assert_eq(nas_engine_run(f.engine, &f.task[0], &values, NULL), NAS_OK);
    cr_assert_eq(memcmp(values.gradient, gradient, n * sizeof *gradient), 0);
    free(gradient);
    teardown(&f);
}

/* Allocations that still succeed; negative: all of them. The linker puts these functions before the
 * library's (CMakeLists.txt), so that memory can run out anywhere. */
static int allocations_left = -1;

void *__real_realloc(void *data, size_t n_bytes);
void *__real_calloc(size_t n, size_t size);
void *__wrap_realloc(void *data, size_t n_bytes);
void *__wrap_calloc(size_t n, size_t size);

static bool is_there(void)
{
    if (allocations_left > 0) allocations_left--;
    return allocations_left != 0;
}

void *__wrap_realloc(void *data, size_t n_bytes)
{
    return is_there() ? __real_realloc(data, n_bytes) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return is_there() ? __real_calloc(n, size) : NULL;
}

/* Wherever memory runs out while a program is made, there is none, and nothing else happens. */
Test(engine, a_program_without_memory_is_no_program)
{
    fixture_t f = setup();
    nas_status_t status = NAS_ENOMEM;
    int n = 1;
    for (; status; n++) {
        nas_program_t *program = NULL;
        allocations_left = n;
        status = nas_program_create(&f.c.options, &program, NULL);
        allocations_left = -1;
        cr_assert(status == NAS_OK ? program != NULL : status == NAS_ENOMEM && !program);
        nas_program_destroy(program);
    }
    cr_assert_gt(n, 20); /* arrays that grow, and those that are as large as the graph */
    teardown(&f);
}

/* What was reserved is what a start takes: it comes first, and says so. */
Test(engine, bytes_are_of_the_largest_arena_and_all_vectors)
{
    fixture_t f = setup();
    const nas_program_t *const program[] = {f.all, f.flow};
    const size_t vectors = nas_program_vector_bytes(f.all) + nas_program_vector_bytes(f.flow);
    const size_t a = nas_program_arena_bytes(f.all), b = nas_program_arena_bytes(f.flow);
    cr_assert_eq(f.engine->bytes(f.engine, program, 2), vectors + (a > b ? a : b));
    cr_assert_eq(f.engine->reserve(f.engine, program, 2, NULL), NAS_OK);
    cr_assert_eq(f.engine->width, 1);
    cr_assert_str_eq(f.engine->name, "ref");
    teardown(&f);
}
