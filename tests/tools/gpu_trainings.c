#include "tests/tools/gpu_trainings.h"

#include "common/base/rng.h"
#include "common/space/subset.h"
#include "tests/tools/gpu_null.h"
#include "worker/engine/gpu/pack/gpu_engine.h"
#include "worker/engine/graph/graph.h"

#include <stdlib.h>
#include <time.h>

enum { BATCH = 256 };

static const nas_network_t NETWORK = {3, 32, 32, 16, 5, 10, NAS_CONVENTION_TRAIN};

typedef struct trained {
    nas_graph_t *graph;
    nas_program_t *program[2]; /* of a step, of a validation */
} trained_t;

static double cpu_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool make_network(nas_engine_t *engine, const nas_arch_t *arch, trained_t *trained)
{
    static const unsigned needs[2] = {NAS_NEED_LOSS | NAS_NEED_GRADIENT, NAS_NEED_INFERENCE};
    bool is_good = nas_graph_create(&NETWORK, arch, &trained->graph, NULL) == NAS_OK;
    for (int i = 0; is_good && i < 2; i++) {
        const nas_program_options_t options = {
            .layout = engine->layout, .graph = trained->graph, .batch = BATCH, .needs = needs[i]};
        is_good = nas_program_create(&options, &trained->program[i], NULL) == NAS_OK;
    }
    return is_good;
}

static bool make_networks(nas_engine_t *engine, int n, trained_t *trained)
{
    const nas_space_t *space = nas_space_find("nas-bench-201");
    const nas_subset_t subset = {.kind = NAS_SUBSET_UNIQUE};
    nas_selection_t unique = {0};
    nas_arch_t arch = {0};
    nas_rng_t rng;
    bool is_good = nas_subset_select(space, &subset, &unique, NULL) == NAS_OK &&
                   nas_arch_init(&arch, space, NULL) == NAS_OK;
    nas_rng_init(&rng, 1, NAS_STREAM_BENCH, 4);
    for (int i = 0; is_good && i < n; i++) {
        nas_arch_set(&arch, unique.index[nas_rng_below(&rng, (uint64_t)unique.n)]);
        is_good = make_network(engine, &arch, &trained[i]);
    }
    nas_arch_fini(&arch);
    nas_selection_fini(&unique);
    return is_good;
}

static bool make_learner(nas_engine_t *engine, int n, const trained_t *trained,
                         nas_learner_t **learner_p)
{
    static const uint8_t bytes[BATCH * 3 * 32 * 32];
    static const float table[3 * 256], black[3];
    static const int32_t labels[BATCH];
    static const nas_learner_images_t images = {.n = BATCH,
                                                .c = 3,
                                                .h = 32,
                                                .w = 32,
                                                .bytes = bytes,
                                                .table = table,
                                                .black = black,
                                                .labels = labels};
    nas_learner_member_t member[NAS_GPU_TRAININGS_MOST];
    for (int i = 0; i < n; i++)
        member[i] = (nas_learner_member_t){.program = trained[i].program[0],
                                           .validate = trained[i].program[1],
                                           .n_values = trained[i].graph->n_values,
                                           .n_statistics = trained[i].graph->n_statistics};
    const nas_learner_options_t options = {
        .member = member, .n_members = n, .n_shards = 1, .momentum = 0.9, .train = &images};
    return engine->learners->create(engine, &options, learner_p, NULL) == NAS_OK;
}

static bool step(nas_engine_t *engine, int n, const trained_t *trained,
                 const nas_gpu_null_t *device, nas_gpu_trainings_took_t *took)
{
    nas_learner_t *learner = NULL;
    nas_learner_step_t steps[NAS_GPU_TRAININGS_MOST];
    const double begin = cpu_s();
    bool is_good = make_learner(engine, n, trained, &learner);
    took->plan_s = (cpu_s() - begin) / n;
    for (int i = 0; i < n; i++) steps[i] = (nas_learner_step_t){.member = i};
    is_good = is_good && engine->learners->step(learner, steps, n, NULL) == NAS_OK;
    took->launches = (double)device->gpu.counts.n_launches / n;
    took->device_bytes = (double)device->taken / n;
    if (learner) engine->learners->destroy(learner);
    return is_good;
}

bool nas_gpu_trainings_step(int n, nas_gpu_trainings_took_t *took)
{
    trained_t trained[NAS_GPU_TRAININGS_MOST] = {0};
    nas_gpu_null_t device;
    nas_engine_t *engine = NULL;
    nas_gpu_null_init(&device, (size_t)1 << 40);
    const nas_gpu_engine_options_t options = {.gpu = &device.gpu};
    const bool is_good = nas_gpu_engine_create(&options, &engine, NULL) == NAS_OK &&
                         make_networks(engine, n, trained) &&
                         step(engine, n, trained, &device, took);
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 2; k++) nas_program_destroy(trained[i].program[k]);
        nas_graph_destroy(trained[i].graph);
    }
    nas_engine_destroy(engine);
    return is_good;
}
