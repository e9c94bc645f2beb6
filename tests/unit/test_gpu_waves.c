/* How many launches packs are, and what is known of steps before they are made. */
#include "gpu_engine_case.h"
#include "tests/tools/gpu_packs.h"
#include "worker/engine/gpu/pack/waves.h"
#include "worker/engine/gpu/plan/size.h"

enum { N_DRAWS = 5 };

/* Means of five packs of 32, six metrics, full size; nothing is read but their results. */
Test(gpu_waves, launches_an_architecture)
{
    nas_gpu_packs_took_t random, neighbours;
    cr_assert(nas_gpu_packs_score(false, N_DRAWS, &random));
    cr_assert(nas_gpu_packs_score(true, N_DRAWS, &neighbours));
    cr_assert_leq(random.launches, 140);
    cr_assert_leq(neighbours.launches, 100);
    cr_assert_eq(random.n_reads, N_DRAWS);
    cr_assert_eq(neighbours.n_reads, N_DRAWS);
}

static const nas_network_t NETWORK = {3, 8, 8, 5, 1, 10, NAS_CONVENTION_SCORE};

enum { BATCH = 20 };

/* Steps of one program more. */
static void add_steps(nas_gpu_steps_t *steps, nas_gpu_planner_t *planner,
                      nas_gpu_variants_t *variants, int number)
{
    const nas_gpu_places_t places = {0};
    program_case_t c = make_case(nas_gpu_layout(), &NETWORK, BATCH, number);
    nas_program_t *program = compile(&c);
    const int64_t before = steps->n_parts;
    cr_assert_eq(nas_gpu_steps_add(steps, planner, program, &places, NULL), NAS_OK);
    cr_assert_eq(steps->n_parts - before, nas_gpu_program_parts(variants, program));
    nas_program_destroy(program);
    free_case(&c);
}

/* Parts are as many as was said, and every step is in a wave behind those it waits for. */
Test(gpu_waves, waves_heed_the_edges)
{
    nas_gpu_variants_t *variants = nas_gpu_variants_create();
    nas_gpu_planner_t *planner = nas_gpu_planner_create(variants);
    nas_gpu_steps_t steps = {0};
    nas_gpu_waves_t waves = {0};
    nas_gpu_scratch_t scratch = {.floats = 1};
    for (int number = 0; number < N_CASES; number++) add_steps(&steps, planner, variants, number);
    nas_gpu_waves_clear(&waves);
    cr_assert_eq(nas_gpu_waves_make(&waves, &steps, &scratch, NULL), NAS_OK);
    const nas_gpu_edge_t *edge = (const nas_gpu_edge_t *)(const void *)steps.edge.data;
    const int n_edges = (int)(steps.edge.n / sizeof *edge);
    int64_t n_works = 0, n_launched = 0, most_floats = 0;
    for (int i = 0; i < n_edges; i++)
        cr_assert_lt(nas_gpu_step_at(&steps, edge[i].from)->depth,
                     nas_gpu_step_at(&steps, edge[i].to)->depth);
    for (int i = 0; i < nas_gpu_steps_count(&steps); i++) {
        const nas_gpu_step_t *step = nas_gpu_step_at(&steps, i);
        n_works += step->n + (step->floats > 0);
        if (step->floats > most_floats) most_floats = step->floats;
    }
    for (int i = 0; i < nas_gpu_waves_count(&waves); i++)
        n_launched += nas_gpu_wave_at(&waves, i)->groups_y;
    cr_assert_eq(n_launched, n_works);
    cr_assert_eq(waves.most_floats, most_floats); /* each alone */
    const int n_waves = nas_gpu_waves_count(&waves);
    scratch.floats = 2 * most_floats;
    nas_gpu_waves_clear(&waves);
    cr_assert_eq(nas_gpu_waves_make(&waves, &steps, &scratch, NULL), NAS_OK);
    cr_assert_lt(nas_gpu_waves_count(&waves), n_waves);
    cr_assert_leq(waves.most_floats, scratch.floats);
    nas_gpu_waves_fini(&waves);
    nas_gpu_steps_fini(&steps);
    nas_gpu_planner_destroy(planner);
    nas_gpu_variants_destroy(variants);
}
