/* Steps of training through the engine's learners: of one network, and of several at once. */
#include "common/base/clock.h"
#include "common/base/rng.h"
#include "worker/engine/gpu/pack/gpu_engine.h"
#include "worker/engine/graph/parameters.h"
#include "worker/gpu_bench/network.h"
#include "worker/gpu_bench/timing.h"

#include <stdlib.h>

enum {
    MOST = 4, /* networks at once */
    N_IMAGES = 256,
    N_QUICK_IMAGES = 8,
    N_SAMPLES = 5,
    N_STEPS = 10, /* of a sample */
    N_BYTES = 256,
    N_COLOURS = 3
};

typedef struct trainings {
    const nas_gpu_bench_t *bench;
    nas_engine_t *engine;
    nas_learner_images_t images; /* of these arrays */
    uint8_t *bytes;
    float *table, *black;
    int32_t *labels;
    nas_bench_member_t member;
    nas_learner_norm_t *norm;
    double *state; /* parameters, velocity, statistics */
    nas_learner_t *learner;
    int n;           /* networks of the learner */
    int64_t n_steps; /* so far */
    int batch;
} trainings_t;

/* --------------------------------------------------------------------------------------- inputs */

/* Images of noise, twice as many as a step takes. */
static nas_status_t make_images(trainings_t *t, const nas_network_t *net, nas_error_t *err)
{
    const int64_t n = 2 * (int64_t)t->batch, n_pixels = (int64_t)net->height * net->width;
    t->bytes = malloc((size_t)(n * N_COLOURS * n_pixels));
    t->table = malloc(sizeof *t->table * N_COLOURS * N_BYTES);
    t->black = calloc(N_COLOURS, sizeof *t->black);
    t->labels = malloc((size_t)n * sizeof *t->labels);
    nas_rng_t rng;
    t->images = (nas_learner_images_t){.n = n,
                                       .c = N_COLOURS,
                                       .h = net->height,
                                       .w = net->width,
                                       .bytes = t->bytes,
                                       .table = t->table,
                                       .black = t->black,
                                       .labels = t->labels};
    if (!t->bytes || !t->table || !t->black || !t->labels)
        return nas_error_nomem(err, "the bench's images");
    nas_rng_init(&rng, 0, NAS_STREAM_BENCH, 3);
    for (int64_t i = 0; i < n * N_COLOURS * n_pixels; i++)
        t->bytes[i] = (uint8_t)nas_rng_below(&rng, N_BYTES);
    for (int i = 0; i < N_COLOURS * N_BYTES; i++) t->table[i] = (float)(i % N_BYTES - 128) / 64;
    for (int64_t i = 0; i < n; i++)
        t->labels[i] = (int32_t)nas_rng_below(&rng, (uint64_t)net->classes);
    return NAS_OK;
}

/* Those that reach the logits; returns how many. */
static int list_norms(const nas_graph_t *graph, int batch, nas_learner_norm_t *norm)
{
    int n = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        const nas_node_t *node = &graph->node[i];
        const double m = (double)batch * node->extents.h * node->extents.w;
        if (node->kind == NAS_NODE_NORM && node->live)
            norm[n++] = (nas_learner_norm_t){.statistics = node->statistics,
                                             .c = node->extents.c,
                                             .unbiased = m / (m - 1),
                                             .share = node->momentum};
    }
    return n;
}

static nas_status_t make_network(trainings_t *t, const nas_network_t *net, const char *name,
                                 nas_error_t *err)
{
    nas_arch_t arch = {0};
    nas_status_t status = nas_arch_init(&arch, nas_space_with_networks(), err);
    if (!status) status = nas_arch_parse(&arch, name, err);
    if (!status) status = nas_bench_member_init(&t->member, net, &arch, err);
    if (!status)
        status = nas_bench_member_add(&t->member, t->batch, NAS_NEED_LOSS | NAS_NEED_GRADIENT, err);
    if (!status) status = nas_bench_member_add(&t->member, t->batch, NAS_NEED_INFERENCE, err);
    nas_arch_fini(&arch);
    return status;
}

/* Where all begin. */
static nas_status_t make_state(trainings_t *t, nas_error_t *err)
{
    const nas_graph_t *graph = t->member.graph;
    const size_t n_values = (size_t)graph->n_values, n_all = (size_t)graph->n_statistics;
    t->norm = malloc((size_t)graph->n_nodes * sizeof *t->norm);
    t->state = calloc(2 * n_values + n_all, sizeof *t->state);
    if (!t->norm || !t->state) return nas_error_nomem(err, "the bench's training");
    nas_parameters_init(graph, 0, t->member.name, t->state);
    return NAS_OK;
}

/* Where its members stand: at the beginning, in the order of the images as they are. */
static nas_status_t begin(trainings_t *t, nas_error_t *err)
{
    const nas_learner_functions_t *learners = t->engine->learners;
    const nas_graph_t *graph = t->member.graph;
    const nas_learner_state_t state = {.parameter = t->state,
                                       .velocity = t->state + graph->n_values,
                                       .statistics = t->state + 2 * graph->n_values,
                                       .bad_step = -1};
    nas_status_t status = NAS_OK;
    int64_t *index = malloc((size_t)t->images.n * sizeof *index);
    if (!index) return nas_error_nomem(err, "the bench's images");
    for (int64_t i = 0; i < t->images.n; i++) index[i] = i;
    for (int i = 0; !status && i < t->n; i++) {
        status = learners->write(t->learner, i, &state, err);
        if (!status) status = learners->order(t->learner, i, index, t->images.n, err);
    }
    free(index);
    return status;
}

/* Of n of the same network. */
static nas_status_t make_learner(trainings_t *t, int n, nas_error_t *err)
{
    const nas_graph_t *graph = t->member.graph;
    nas_learner_member_t member[MOST];
    for (int i = 0; i < n; i++)
        member[i] = (nas_learner_member_t){.program = t->member.program[0],
                                           .validate = t->member.program[1],
                                           .norm = t->norm,
                                           .n_norms = list_norms(graph, t->batch, t->norm),
                                           .n_values = graph->n_values,
                                           .n_statistics = graph->n_statistics};
    const nas_learner_options_t options = {.member = member,
                                           .n_members = n,
                                           .n_shards = 1,
                                           .momentum = 0.9,
                                           .weight_decay = 5e-4,
                                           .nesterov = true,
                                           .crop = 4,
                                           .flip = true,
                                           .train = &t->images};
    const nas_status_t status = t->engine->learners->create(t->engine, &options, &t->learner, err);
    if (status) return status;
    t->n = n;
    t->n_steps = 0;
    return begin(t, err);
}

static void drop_learner(trainings_t *t)
{
    if (t->learner) t->engine->learners->destroy(t->learner);
    t->learner = NULL;
}

/* ------------------------------------------------------------------------------------- measuring */

/* Seconds of steps of all networks; the last is waited for by reading where one of them stands. */
static nas_status_t run(trainings_t *t, int n_steps, double *seconds, nas_error_t *err)
{
    const nas_graph_t *graph = t->member.graph;
    nas_learner_state_t state = {.parameter = t->state,
                                 .velocity = t->state + graph->n_values,
                                 .statistics = t->state + 2 * graph->n_values};
    const double begin_s = nas_clock_monotonic_s();
    nas_status_t status = NAS_OK;
    for (int k = 0; !status && k < n_steps; k++, t->n_steps++) {
        nas_learner_step_t step[MOST];
        for (int i = 0; i < t->n; i++)
            step[i] = (nas_learner_step_t){.member = i,
                                           .number = t->n_steps,
                                           .place = t->n_steps % 2 * t->batch,
                                           .rate = 1e-3};
        status = t->engine->learners->step(t->learner, step, t->n, err);
    }
    if (!status) status = t->engine->learners->read(t->learner, 0, &state, err);
    *seconds = nas_clock_monotonic_s() - begin_s;
    return status;
}

static void print(const trainings_t *t, const char *name, double seconds, double launches)
{
    const nas_sheet_cell_t cell[] = {
        {.number = t->n},          {.number = t->batch},
        {.number = 1e3 * seconds}, {.number = t->n * t->batch / seconds},
        {.number = launches},      {.text = name}};
    nas_sheet_row(t->bench->sheet, cell);
}

/* A step of all networks: the median of samples, after one that is not timed. */
static nas_status_t time_steps(trainings_t *t, const char *name, nas_error_t *err)
{
    const bool is_short = t->bench->is_quick || t->bench->is_once;
    const int n_samples = is_short ? 1 : N_SAMPLES, n_steps = is_short ? 1 : N_STEPS;
    const nas_gpu_counts_t *counts = &t->bench->gpu->counts;
    double sample[N_SAMPLES];
    nas_status_t status = t->bench->is_once ? NAS_OK : run(t, 1, sample, err);
    const int64_t before = counts->n_launches;
    for (int i = 0; !status && i < n_samples; i++) status = run(t, n_steps, &sample[i], err);
    if (status) return status;
    print(t, name, nas_median(sample, n_samples) / n_steps,
          (double)(counts->n_launches - before) / (n_samples * n_steps));
    return NAS_OK;
}

static void clear(trainings_t *t)
{
    drop_learner(t);
    nas_bench_member_fini(&t->member);
    free(t->norm);
    free(t->state);
    t->norm = NULL;
    t->state = NULL;
}

/* One, and then as many as are measured together. */
static nas_status_t measure(trainings_t *t, const nas_network_t *net, const char *name,
                            nas_error_t *err)
{
    nas_status_t status = make_network(t, net, name, err);
    if (!status) status = make_state(t, err);
    for (int n = 1; !status && n <= MOST; n *= MOST) {
        status = make_learner(t, n, err);
        if (!status) status = time_steps(t, name, err);
        drop_learner(t);
    }
    clear(t);
    return status;
}

static nas_status_t measure_all(trainings_t *t, nas_error_t *err)
{
    const bool is_quick = t->bench->is_quick;
    const nas_network_t net = nas_bench_network(is_quick, NAS_CONVENTION_TRAIN);
    const int n = is_quick ? 1 : NAS_SPACE_TYPICAL;
    nas_status_t status = make_images(t, &net, err);
    for (int i = 0; !status && i < n; i++)
        status = measure(t, &net, nas_space_with_networks()->typical[i], err);
    return status;
}

nas_status_t nas_gpu_bench_training(const nas_gpu_bench_t *bench, nas_error_t *err)
{
    static const nas_sheet_column_t column[] = {
        {"at_once", "at once", 7, 0},   {"images", "images", 6, 0},
        {"milliseconds", "ms", 9, 2},   {"images_per_s", "images/s", 9, 0},
        {"launches", "launches", 8, 1}, {"arch", "architecture", -1, 0}};
    const nas_gpu_engine_options_t options = {.gpu = bench->gpu};
    trainings_t t = {.bench = bench, .batch = bench->is_quick ? N_QUICK_IMAGES : N_IMAGES};
    nas_status_t status = nas_gpu_engine_create(&options, &t.engine, err);
    nas_sheet_table(bench->sheet, "training", "A step of training", column,
                    sizeof column / sizeof *column);
    if (!status) status = measure_all(&t, err);
    nas_sheet_end_table(bench->sheet);
    nas_engine_destroy(t.engine);
    free(t.bytes);
    free(t.table);
    free(t.black);
    free(t.labels);
    return status;
}
