/* What is said to be needed is what is taken. */
#include "common/base/isa.h"
#include "tests/unit/program_case.h"
#include "worker/engine/host/backends.h"
#include "worker/engine/program/footprint.h"

#include <math.h>

static const nas_network_t NETWORK = {.image_channels = 3,
                                      .height = 8,
                                      .width = 8,
                                      .channels = 8,
                                      .cells = 1,
                                      .classes = 10,
                                      .convention = NAS_CONVENTION_SCORE};

/* Bytes that all programs take in an engine. */
static size_t taken(const nas_backend_t *backend, const program_case_t *c,
                    const nas_footprint_program_t *of, int n)
{
    nas_engine_t *engine = NULL;
    nas_program_t *program[2] = {NULL};
    cr_assert_eq(nas_host_engine_create(backend, NULL, &engine, NULL), NAS_OK);
    for (int i = 0; i < n; i++) {
        nas_program_options_t options = c->options;
        options.layout = backend;
        options.batch = of[i].batch;
        options.needs = of[i].needs;
        cr_assert_eq(nas_program_create(&options, &program[i], NULL), NAS_OK);
    }
    const nas_program_t *const list[] = {program[0], program[1]};
    const size_t bytes = engine->bytes(engine, list, n);
    cr_assert_eq(engine->reserve(engine, list, n, NULL), NAS_OK);
    for (int i = 0; i < n; i++) nas_program_destroy(program[i]);
    nas_engine_destroy(engine);
    return bytes;
}

static void expect_footprint(const nas_backend_t *backend)
{
    static const unsigned needs[][2] = {
        {NAS_NEED_LOSS, 0},
        {NAS_NEED_LOSS | NAS_NEED_GRADIENT, NAS_NEED_INFERENCE},
        {NAS_NEED_FLOW, 0},
        {EVERYTHING, NAS_NEED_FLOW},
    };
    for (int number = 0; number < N_CELLS; number++)
        for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
            for (int batch = 3; batch <= 9; batch += 6) {
                program_case_t c = make_case(backend, &NETWORK, batch, number);
                size_t bytes = 0;
                const nas_footprint_program_t program[] = {
                    {needs[i][0], needs[i][0] & NAS_NEED_FLOW ? 1 : batch},
                    {needs[i][1], needs[i][1] & NAS_NEED_FLOW ? 1 : batch}};
                const nas_footprint_options_t options = {
                    .backend = backend, .program = program, .n_programs = needs[i][1] ? 2 : 1};
                cr_assert_eq(nas_footprint_of_graph(&options, c.options.graph, &bytes, NULL),
                             NAS_OK);
                cr_assert_gt(bytes, 0);
                cr_assert_eq(bytes, taken(backend, &c, program, options.n_programs));
                free_case(&c);
            }
}

Test(footprint, is_what_programs_take)
{
    expect_footprint(nas_backend_named("ref")->of(NAS_ISA_PLAIN));
    const nas_backend_t *cpu = nas_backend_named("cpu")->of(nas_isa_best());
    if (cpu) expect_footprint(cpu);
}

/* Of an architecture, by its code. */
static nas_status_t find_footprint(const nas_footprint_options_t *options, const char *code,
                                   double *n_bytes)
{
    nas_arch_t arch = arch_of(code);
    nas_networks_t *networks = NULL;
    cr_assert_eq(nas_networks_of_space(arch.space, NAS_WEIGHTS_BY_NAME, &networks, NULL), NAS_OK);
    const nas_status_t status = nas_footprint_of(options, networks, arch.index, n_bytes, NULL);
    nas_networks_destroy(networks);
    nas_arch_fini(&arch);
    return status;
}

Test(footprint, grows_with_the_batch_and_the_network)
{
    static const char conv[] = "(2, 2, 2, 2, 2, 2)"; /* 3 x 3 */
    nas_footprint_program_t program = {NAS_NEED_LOSS | NAS_NEED_GRADIENT, 4};
    nas_network_t large = NETWORK;
    large.cells = 3;
    double small_bytes = 0, batch_bytes = 0, large_bytes = 0;
    nas_footprint_options_t options = {.backend = nas_backend_named("ref")->of(NAS_ISA_PLAIN),
                                       .network = &NETWORK,
                                       .program = &program,
                                       .n_programs = 1};
    cr_assert_eq(find_footprint(&options, conv, &small_bytes), NAS_OK);
    program.batch = 16;
    cr_assert_eq(find_footprint(&options, conv, &batch_bytes), NAS_OK);
    options.network = &large;
    cr_assert_eq(find_footprint(&options, conv, &large_bytes), NAS_OK);
    cr_assert_gt(batch_bytes, small_bytes);
    cr_assert_gt(large_bytes, batch_bytes);
}

Test(footprint, a_network_that_cannot_be_is_refused)
{
    static const nas_footprint_program_t program = {NAS_NEED_LOSS, 4};
    nas_network_t wrong = NETWORK;
    wrong.height = 7;
    double n_bytes = 77;
    const nas_footprint_options_t options = {.backend = nas_backend_named("ref")->of(NAS_ISA_PLAIN),
                                             .network = &wrong,
                                             .program = &program,
                                             .n_programs = 1};
    cr_assert_eq(find_footprint(&options, "(1, 1, 1, 1, 1, 1)", &n_bytes), NAS_EARG);
    cr_assert(isnan(n_bytes));
}
