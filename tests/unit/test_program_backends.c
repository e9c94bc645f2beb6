/* Programs on every backend: what ref computes, whatever the memory held and whatever else is
 * asked. */
#include "backend_case.h"
#include "program_check.h"
#include "worker/engine/graph/cost.h"
#include "worker/engine/host/run.h"

/* Channels around a block, 16 in part 1. */
static const nas_network_t NETWORKS[] = {{3, 8, 8, 8, 1, 10, NAS_CONVENTION_SCORE},
                                         {1, 12, 16, 16, 1, 5, NAS_CONVENTION_TRAIN}};

enum { N_NETWORKS = sizeof NETWORKS / sizeof *NETWORKS, BATCH = 8 };

/* Every backend computes what ref does, but for rounding. */
BACKEND_TEST(program_backends, backends_agree)
{
    fixture_t f = setup(*index);
    for (int number = 0; number < N_CASES; number++) {
        const nas_network_t *network = &NETWORKS[number % N_NETWORKS];
        program_case_t c = make_case(f.backend, network, BATCH, number);
        program_case_t yardstick = make_case(nas_backend_ref(), network, BATCH, number);
        check_agreement(&c, &yardstick);
    }
    teardown(&f);
}

/* Carry a program out in memory of the test's own, full of garbage at the beginning. */
static void run_in_garbage(const program_case_t *c, const nas_program_t *program,
                           const results_t *expected)
{
    const size_t n_bytes = nas_program_arena_bytes(program) + 64;
    char *arena = aligned_alloc(64, (n_bytes + 63) / 64 * 64);
    double *vectors = malloc(nas_program_vector_bytes(program));
    double *joined = malloc((size_t)program->n_joined * sizeof *joined);
    const nas_conv_t **conv = calloc((size_t)program->n_convs, sizeof *conv);
    cr_assert(arena && vectors && joined && conv);
    memset(arena, 0xff, n_bytes);
    memset(vectors, 0xff, nas_program_vector_bytes(program));
    memset(joined, 0xff, (size_t)program->n_joined * sizeof *joined);
    for (int i = 0; i < program->n_convs; i++)
        cr_assert_eq(c->options.layout->conv_find(&program->conv[i], true, &conv[i], NULL), NAS_OK);
    const nas_engine_task_t task = {
        .program = program, .parameters = c->parameters, .images = c->images, .labels = c->labels};
    const nas_run_t run = {.backend = c->options.layout,
                           .program = program,
                           .task = &task,
                           .conv = conv,
                           .arena = arena,
                           .vectors = vectors,
                           .joined = joined};
    nas_run(&run, NULL);
    const nas_program_values_t values = nas_run_values(&run);
    results_t results = copy_results(c, &values);
    check_same_bits(c, expected, &results);
    free_results(&results);
    free(arena);
    free(vectors);
    free(joined);
    free(conv);
}

/* Results do not depend on what the memory held: on the cell before, or on garbage. */
BACKEND_TEST(program_backends, results_do_not_depend_on_the_memory)
{
    fixture_t f = setup(*index);
    nas_engine_t *shared = NULL;
    for (int number = 0; number < N_CASES; number++) {
        nas_engine_t *fresh = NULL;
        nas_program_t *program = NULL;
        program_case_t c = make_case(f.backend, &NETWORKS[number / 2 % N_NETWORKS], BATCH, number);
        results_t first = compute(&c, &fresh), second = compute(&c, &shared);
        check_same_bits(&c, &first, &second);
        cr_assert_eq(nas_program_create(&c.options, &program, NULL), NAS_OK);
        run_in_garbage(&c, program, &first);
        nas_program_destroy(program);
        free_results(&first);
        free_results(&second);
        free_case(&c);
        nas_engine_destroy(fresh);
    }
    nas_engine_destroy(shared);
    teardown(&f);
}

/* A program computes the same whether more is asked of it or less. */
BACKEND_TEST(program_backends, results_do_not_depend_on_other_needs)
{
    static const unsigned parts[] = {NAS_NEED_LOSS | NAS_NEED_GRADIENT,
                                     NAS_NEED_SUMS,
                                     NAS_NEED_JACOBIAN,
                                     NAS_NEED_SIGNS,
                                     NAS_NEED_CURVATURE,
                                     NAS_NEED_FISHER};
    fixture_t f = setup(*index);
    nas_engine_t *engine = NULL;
    program_case_t c = make_case(f.backend, &NETWORKS[0], BATCH, 1);
    const size_t n_values = (size_t)c.graph->n_values, n = (size_t)c.options.batch;
    results_t all = compute(&c, &engine);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        c.options.needs = parts[i];
        results_t part = compute(&c, &engine);
        if (parts[i] & NAS_NEED_GRADIENT)
            cr_assert_eq(memcmp(part.gradient, all.gradient, n_values * sizeof(double)), 0);
        if (parts[i] & NAS_NEED_JACOBIAN)
            cr_assert_eq(memcmp(part.jacobian, all.jacobian, c.n_pixels * sizeof(double)), 0);
        if (parts[i] & NAS_NEED_SIGNS)
            cr_assert_eq(memcmp(part.agreement, all.agreement, n * n * sizeof(double)), 0);
        for (int p = 0; p < c.graph->n_parameters; p++) {
            if (parts[i] & (NAS_NEED_SUMS | NAS_NEED_CURVATURE)) {
                cr_assert_eq(part.layer[p].gradient_squares, all.layer[p].gradient_squares);
                cr_assert_eq(part.layer[p].dot, all.layer[p].dot);
                cr_assert_eq(part.layer[p].abs_dot, all.layer[p].abs_dot);
            }
            if (parts[i] & NAS_NEED_CURVATURE)
                cr_assert_eq(part.layer[p].curvature, all.layer[p].curvature);
            if (parts[i] & NAS_NEED_FISHER) cr_assert_eq(part.layer[p].fisher, all.layer[p].fisher);
        }
        free_results(&part);
    }
    free_results(&all);
    free_case(&c);
    nas_engine_destroy(engine);
    teardown(&f);
}

/* A profile leaves the bits as they are, and counts the multiply-adds that the architecture has:
 * where no edge is dead, forward passes are all its convolutions, the linear layer is none. */
BACKEND_TEST(program_backends, profile_counts_the_convolutions)
{
    fixture_t f = setup(*index);
    nas_engine_t *engine = NULL;
    nas_profile_t profile = {0};
    nas_cost_t cost;
    const nas_network_t *network = &NETWORKS[0];
    const int all_convolutions = 1;
    program_case_t c = make_case(f.backend, network, BATCH, all_convolutions);
    results_t untimed = compute(&c, &engine);
    nas_engine_destroy(engine);
    engine = NULL;
    c.profile = &profile;
    results_t timed = compute(&c, &engine);
    check_same_bits(&c, &untimed, &timed);

    profile.n = 0;
    c.options.needs = NAS_NEED_LOSS;
    results_t forward = compute(&c, &engine);
    double flops = 0;
    for (int i = 0; i < profile.n; i++) {
        cr_assert_geq(profile.entry[i].seconds, 0.0);
        cr_assert_gt(profile.entry[i].n_calls, 0);
        flops += profile.entry[i].flops;
    }
    cr_assert_eq(nas_graph_cost(c.graph, &cost, NULL, NULL), NAS_OK);
    const double linear = 4.0 * network->channels * network->classes;
    cr_assert_float_eq(flops, 2.0 * BATCH * ((double)cost.flops - linear), 0.5);
    free_results(&untimed);
    free_results(&timed);
    free_results(&forward);
    free_case(&c);
    nas_engine_destroy(engine);
    teardown(&f);
}
