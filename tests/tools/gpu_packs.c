#include "tests/tools/gpu_packs.h"

#include "common/base/rng.h"
#include "common/space/subset.h"
#include "tests/tools/gpu_null.h"
#include "worker/engine/gpu/pack/gpu_engine.h"
#include "worker/engine/scorer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 64, N_PIXELS = 3 * 32 * 32, N_METRICS = 6 };

static const nas_network_t NETWORK = {3, 32, 32, 16, 5, 10, NAS_CONVENTION_SCORE};

static const char *const METRICS[N_METRICS] = {"grad_norm", "snip",    "grasp",
                                               "fisher",    "synflow", "jacob_cov"};

static double cpu_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Places of a pack among the unique cells. */
static void draw(nas_rng_t *rng, bool neighbours, int64_t n, int64_t *place)
{
    const int64_t first = (int64_t)nas_rng_below(rng, (uint64_t)(n - NAS_GPU_PACK_WIDTH));
    for (int i = 0; i < NAS_GPU_PACK_WIDTH; i++)
        place[i] = neighbours ? first + i : (int64_t)nas_rng_below(rng, (uint64_t)n);
}

static bool score_pack(nas_scorer_t *scorer, const nas_selection_t *unique, const int64_t *place)
{
    double value[NAS_GPU_PACK_WIDTH][N_METRICS];
    double *at[NAS_GPU_PACK_WIDTH];
    nas_scorer_result_t result[NAS_GPU_PACK_WIDTH];
    for (int i = 0; i < NAS_GPU_PACK_WIDTH; i++) {
        at[i] = value[i];
        nas_scorer_add(scorer, unique->index[place[i]]);
    }
    nas_scorer_start(scorer);
    bool is_good = nas_scorer_finish(scorer, at, result, NULL) == NAS_OK;
    for (int i = 0; is_good && i < NAS_GPU_PACK_WIDTH; i++) is_good = !result[i].status;
    return is_good;
}

static bool score(nas_scorer_t *scorer, const nas_gpu_null_t *device, bool neighbours,
                  nas_gpu_packs_took_t *took)
{
    const nas_space_t *space = nas_space_find("nas-bench-201");
    const nas_subset_t subset = {.kind = NAS_SUBSET_UNIQUE};
    const double n_cells = (double)took->n_packs * NAS_GPU_PACK_WIDTH;
    nas_selection_t unique = {0};
    nas_rng_t rng;
    bool is_good = nas_subset_select(space, &subset, &unique, NULL) == NAS_OK;
    nas_rng_init(&rng, 1, NAS_STREAM_BENCH, neighbours);
    const double begin = cpu_s();
    for (int i = 0; is_good && i < took->n_packs; i++) {
        int64_t place[NAS_GPU_PACK_WIDTH];
        draw(&rng, neighbours, unique.n, place);
        is_good = score_pack(scorer, &unique, place);
    }
    took->host_s = (cpu_s() - begin) / n_cells;
    took->launches = (double)device->gpu.counts.n_launches / n_cells;
    took->bytes_written = (double)device->gpu.counts.bytes_written / n_cells;
    took->n_reads = device->gpu.counts.n_reads;
    nas_selection_fini(&unique);
    return is_good;
}

bool nas_gpu_packs_score(bool neighbours, int n_packs, nas_gpu_packs_took_t *took)
{
    static float images[BATCH * N_PIXELS];
    static const int32_t labels[BATCH];
    const nas_metric_t *metric[N_METRICS];
    nas_gpu_null_t device;
    nas_engine_t *engine = NULL;
    nas_scorer_t *scorer = NULL;
    nas_networks_t *networks = NULL;
    nas_gpu_null_init(&device, (size_t)128 << 30);
    *took = (nas_gpu_packs_took_t){.n_packs = n_packs};
    for (int i = 0; i < N_METRICS; i++) metric[i] = nas_metric_find(METRICS[i]);
    const nas_gpu_engine_options_t of_engine = {.gpu = &device.gpu, .width = NAS_GPU_PACK_WIDTH};
    bool is_good = nas_gpu_engine_create(&of_engine, &engine, NULL) == NAS_OK &&
                   nas_networks_of_space(nas_space_find("nas-bench-201"), NAS_WEIGHTS_BY_NAME,
                                         &networks, NULL) == NAS_OK;
    const nas_scorer_options_t options = {.engine = engine,
                                          .networks = networks,
                                          .network = NETWORK,
                                          .metric = metric,
                                          .n_metric = N_METRICS,
                                          .batch = BATCH,
                                          .images = images,
                                          .labels = labels};
    is_good = is_good && nas_scorer_create(&options, &scorer, NULL) == NAS_OK &&
              score(scorer, &device, neighbours, took);
    nas_scorer_destroy(scorer);
    nas_networks_destroy(networks);
    nas_engine_destroy(engine);
    return is_good;
}
