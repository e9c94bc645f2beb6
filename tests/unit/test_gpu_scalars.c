/* scalars.cl against the host's norm.c, head.c and flow.c, one operation after the other on the same
 * numbers. */
#include "common/base/rng.h"
#include "gpu_launch.h"
#include "worker/engine/host/run.h"

#include <math.h>

typedef int64_t i64;
typedef uint32_t u32;
#include "worker/engine/gpu/kernels/work.h"

enum { VECTORS = 1 << 17, PARAMETERS = 100000, N_NORM_VECTORS = 19, TABLE = 4096 };

/* A program of one norm or one head, with the same vectors on the host and on a device. */
typedef struct scalars {
    launch_memory_t m;
    nas_norm_vectors_t norm;
    nas_program_t program;
    nas_engine_task_t task;
    double *host; /* the vectors, parameters and statistics among them */
} scalars_t;

static void fill(double *x, int n, uint64_t seed)
{
    nas_rng_t rng;
    nas_rng_init(&rng, seed, NAS_STREAM_BENCH, 0);
    for (int i = 0; i < n; i++) x[i] = nas_rng_between(&rng, -1, 1);
}

static scalars_t *scalars_create(nas_gpu_t *gpu, int n)
{
    scalars_t *s = calloc(1, sizeof *s);
    cr_assert_not_null(s);
    s->m = launch_create(gpu, 1, VECTORS, sizeof(int32_t) * 512, TABLE);
    s->host = calloc(VECTORS, sizeof *s->host);
    cr_assert_not_null(s->host);
    s->program.n = n;
    s->program.norm = &s->norm;
    s->task.parameters = s->host + PARAMETERS;
    s->task.statistics = s->host + PARAMETERS;
    s->task.labels = (const int32_t *)(const void *)s->m.data;
    return s;
}

static void scalars_destroy(scalars_t *s)
{
    launch_destroy(&s->m);
    free(s->host);
    free(s);
}

/* Both sides do it to the same numbers. `tolerance` is relative to what is of order 1. */
static void compare(scalars_t *s, void (*run)(const nas_run_t *, const nas_scalar_op_t *),
                    const nas_scalar_op_t *op, nas_gpu_scalar_t on_device, double tolerance)
{
    const nas_run_t on_host = {.program = &s->program, .task = &s->task, .vectors = s->host};
    nas_gpu_scalars_t list = {.ops = sizeof list, .n = 1};
    on_device.kind = (int)op->kind;
    memcpy(s->m.table, &list, sizeof list);
    memcpy(s->m.table + sizeof list, &on_device, sizeof on_device);
    memcpy(s->m.vectors, s->host, VECTORS * sizeof *s->host);
    run(&on_host, op);
    launch_run(&s->m, "scalars", "scalars", 1, 1);
    for (int i = 0; i < VECTORS; i++) {
        const double value = s->m.vectors[i], expected = s->host[i];
        if (memcmp(&value, &expected, sizeof value) == 0) continue;
        cr_assert(fabs(value - expected) <= tolerance * (1 + fabs(expected)),
                  "operation %d, vector element %d: %.17g, not %.17g", (int)op->kind, i, value,
                  expected);
    }
}

/* --------------------------------------------------------------------------------------- norms */

enum { SHIFT = 10000, IN = 11000, MORE = 12000, EXPONENT = 13000, FROM_EXPONENT, GIVEN = 14000 };

static void make_norm(scalars_t *s, int c, bool flow, bool affine)
{
    nas_norm_vectors_t *v = &s->norm;
    nas_vector_t *const all[] = {&v->mean,   &v->variance, &v->inv,     &v->scale,  &v->sum_dz,
                                 &v->d_coef, &v->x_coef,   &v->rest,    &v->sum_t,  &v->sum_tz,
                                 &v->sum_td, &v->t_coef,   &v->tx_coef, &v->sum_ez, &v->u_d,
                                 &v->u_e,    &v->u_x,      &v->u_t,     &v->u_rest};
    fill(s->host, VECTORS, (uint64_t)c);
    for (int i = 0; i < N_NORM_VECTORS; i++) *all[i] = 5 + i * c;
    for (int i = 0; i < c; i++) s->host[v->variance + i] = fabs(s->host[v->variance + i]);
    for (int i = 0; i < c; i++) s->host[v->inv + i] = 0.1 + fabs(s->host[v->inv + i]);
    s->host[EXPONENT] = 40;
    s->host[FROM_EXPONENT] = 3;
    s->program.flow = flow;
    v->c = c;
    v->gamma = affine ? 3 : NAS_NOWHERE;
    v->beta = affine ? 1000 : NAS_NOWHERE;
    v->bias = affine ? 2000 : NAS_NOWHERE;
    v->statistics = 3000;
    v->eps = 1e-5;
    v->along = !affine;
}

static i64 place(nas_entry_t entry)
{
    return entry < 0 ? -1 : PARAMETERS + entry;
}

static void compare_norm(scalars_t *s, nas_scalar_kind_t kind)
{
    const nas_norm_vectors_t *v = &s->norm;
    const bool flow = s->program.flow, gradient = kind == NAS_SCALAR_NORM_GRADIENT;
    if (gradient && v->gamma < 0) return;
    const nas_scalar_op_t op = {.kind = kind,
                                .c = v->c,
                                .count = 777,
                                .entry = v->bias,
                                .in = IN,
                                .more = MORE,
                                .out = gradient || kind == NAS_SCALAR_NORM_MOMENTS ? GIVEN : SHIFT,
                                .exponent = flow ? EXPONENT : NAS_NOWHERE,
                                .from_exponent = flow ? FROM_EXPONENT : NAS_NOWHERE};
    const nas_gpu_scalar_t on_device = {
        .in = IN,
        .more = gradient ? GIVEN + v->beta : MORE,
        .out = gradient ? GIVEN + v->gamma : SHIFT,
        .exponent = op.exponent,
        .from_exponent = op.from_exponent,
        .norm = v->mean,
        .gamma = place(v->gamma),
        .beta = place(v->beta),
        .bias = place(v->bias),
        .statistics = (kind == NAS_SCALAR_STATISTICS ? PARAMETERS : GIVEN) + v->statistics,
        .count = 777,
        .eps = v->eps,
        .c = v->c,
        .flow = flow,
        .along = v->along};
    compare(s, nas_run_norm, &op, on_device, 1e-15);
}

static void norms_are_the_hosts(nas_gpu_t *gpu)
{
    const int channels[] = {1, 16, 300};
    scalars_t *s = scalars_create(gpu, 1);
    for (int i = 0; i < 6; i++)
        for (int kind = NAS_SCALAR_STATISTICS; kind <= NAS_SCALAR_NORM_MOMENTS; kind++) {
            make_norm(s, channels[i / 2], i == 1, i % 2 == 1);
            if (kind == NAS_SCALAR_BIAS && s->norm.bias < 0) continue;
            compare_norm(s, (nas_scalar_kind_t)kind);
        }
    scalars_destroy(s);
}
ON_EVERY_LAYER(norms_are_the_hosts)

/* ---------------------------------------------------------------------------------------- head */

/* Vectors of the head one behind the other; returns the next free place. */
static nas_vector_t make_head(scalars_t *s, int c, int o)
{
    nas_head_vectors_t *v = &s->program.head;
    nas_vector_t *const of_features[] = {&v->features, &v->d_features, &v->t_features,
                                         &v->e_features};
    nas_vector_t *const of_logits[] = {&v->logits, &v->d_logits, &v->t_logits, &v->e_logits};
    nas_vector_t *const of_weights[] = {&v->transposed, &v->d_linear, &v->t_linear, &v->e_linear};
    nas_vector_t next = 8;
    *v = (nas_head_vectors_t){.c = c, .o = o, .n_pixels = 49, .smoothing = 0.1, .layer = 1};
    v->weight = 17;
    v->bias = v->weight + c * o;
    for (int i = 0; i < 4; i++) {
        *of_features[i] = next;
        *of_logits[i] = next + s->program.n * c;
        *of_weights[i] = *of_logits[i] + s->program.n * o;
        next = *of_weights[i] + c * o;
    }
    return next;
}

static nas_gpu_head_t head_on_device(const scalars_t *s)
{
    const nas_head_vectors_t *v = &s->program.head;
    return (nas_gpu_head_t){.weight = place(v->weight),
                            .bias = place(v->bias),
                            .features = v->features,
                            .d_features = v->d_features,
                            .t_features = v->t_features,
                            .e_features = v->e_features,
                            .logits = v->logits,
                            .d_logits = v->d_logits,
                            .t_logits = v->t_logits,
                            .e_logits = v->e_logits,
                            .transposed = v->transposed,
                            .d_linear = v->d_linear,
                            .t_linear = v->t_linear,
                            .e_linear = v->e_linear,
                            .layer = v->layer,
                            .loss = v->loss,
                            .labels = 0,
                            .n_pixels = v->n_pixels,
                            .smoothing = v->smoothing,
                            .n = s->program.n,
                            .c = v->c,
                            .o = v->o,
                            .sums = v->sums,
                            .fisher = v->fisher,
                            .flow = s->program.flow};
}

/* The loss of a learner's shard, whose images are the ones from 2 + 3 on in the epoch's order. */
static void losses_follow_the_order(nas_gpu_t *gpu)
{
    enum {
        N = 5,
        CLASSES = 4,
        FIRST = 2,
        PLACE = 3,
        ORDER = 128,
        STEP = VECTORS - NAS_GPU_STEP_SIZE
    };
    scalars_t *s = scalars_create(gpu, N);
    int32_t *labels = (void *)s->m.data, *order = labels + ORDER, own[N];
    fill(s->host, VECTORS, 5);
    (void)make_head(s, 6, CLASSES);
    for (int i = 0; i < ORDER; i++) labels[i] = i * 3 % CLASSES;
    for (int i = 0; i < ORDER; i++) order[i] = (7 * i + 5) % ORDER;
    for (int i = 0; i < N; i++) own[i] = labels[order[PLACE + FIRST + i]];
    s->task.labels = own;
    s->host[STEP + NAS_GPU_STEP_PLACE] = PLACE;
    nas_gpu_head_t head = head_on_device(s);
    head.learns = 1;
    head.first = FIRST;
    head.order = ORDER * (i64)sizeof *order;
    head.step = STEP;
    memcpy(s->m.table + TABLE / 2, &head, sizeof head);
    const nas_scalar_op_t op = {.kind = NAS_SCALAR_HEAD_LOSS};
    compare(s, nas_run_head, &op, (nas_gpu_scalar_t){.head = TABLE / 2}, 1e-12);
    scalars_destroy(s);
}
ON_EVERY_LAYER(losses_follow_the_order)

/* Every number follows from others before it: what one operation computed is what the next reads. */
static void compare_head(scalars_t *s, int c, int o)
{
    static const nas_scalar_kind_t kind[] = {NAS_SCALAR_HEAD_FORWARD, NAS_SCALAR_HEAD_LOSS,
                                             NAS_SCALAR_HEAD_TANGENT, NAS_SCALAR_HEAD_GRADIENT,
                                             NAS_SCALAR_HEAD_SUM};
    const int n = s->program.n;
    int32_t *labels = (void *)s->m.data;
    fill(s->host, VECTORS, (uint64_t)c);
    const nas_vector_t free_place = make_head(s, c, o);
    nas_head_vectors_t *v = &s->program.head;
    v->sums = v->fisher = o != 3;
    memset(s->host, 0, 8 * sizeof *s->host); /* layer, loss */
    for (int i = 0; i < n; i++) labels[i] = i * 7 % o;
    const nas_gpu_head_t head = head_on_device(s);
    for (size_t i = 0; i < sizeof kind / sizeof *kind; i++) {
        const nas_scalar_op_t op = {.kind = kind[i], .out = free_place};
        memcpy(s->m.table + TABLE / 2, &head, sizeof head);
        compare(s, nas_run_head, &op,
                (nas_gpu_scalar_t){
                    .head = TABLE / 2, .out = free_place + v->weight, .more = free_place + v->bias},
                1e-12);
    }
}

static void heads_are_the_hosts(nas_gpu_t *gpu)
{
    static const int shape[][3] = {{6, 64, 10}, {1, 5, 1}, {300, 2, 3}, {3, 60, 101}};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
        scalars_t *s = scalars_create(gpu, shape[i][0]);
        compare_head(s, shape[i][1], shape[i][2]);
        scalars_destroy(s);
    }
}
ON_EVERY_LAYER(heads_are_the_hosts)

/* A network whose numbers are none any more has a loss that says so. */
static void a_loss_is_nan_where_a_logit_is(nas_gpu_t *gpu)
{
    const double none[] = {(double)NAN, (double)INFINITY};
    for (int i = 0; i < 2; i++) {
        scalars_t *s = scalars_create(gpu, 4);
        (void)make_head(s, 3, 5);
        fill(s->m.vectors, VECTORS, 1);
        s->m.vectors[s->program.head.logits + 7] = none[i];
        const nas_gpu_scalars_t list = {.ops = sizeof list, .n = 1};
        const nas_gpu_scalar_t op = {.kind = NAS_GPU_HEAD_LOSS, .head = TABLE / 2};
        const nas_gpu_head_t head = head_on_device(s);
        memcpy(s->m.table, &list, sizeof list);
        memcpy(s->m.table + sizeof list, &op, sizeof op);
        memcpy(s->m.table + TABLE / 2, &head, sizeof head);
        launch_run(&s->m, "scalars", "scalars", 1, 1);
        cr_assert(isnan(s->m.vectors[s->program.head.loss]));
        scalars_destroy(s);
    }
}
ON_EVERY_LAYER(a_loss_is_nan_where_a_logit_is)

/* -------------------------------------------------------------------------------- layers, flow */

static void layers_are_the_hosts(nas_gpu_t *gpu)
{
    scalars_t *s = scalars_create(gpu, 6);
    for (int i = 0; i < 2; i++) {
        const nas_scalar_op_t fisher = {.kind = NAS_SCALAR_FISHER,
                                        .c = 130,
                                        .count = 9,
                                        .entry = i ? 5 : NAS_NOWHERE,
                                        .in = 100,
                                        .more = 2000,
                                        .out = 10};
        const nas_scalar_op_t layer = {
            .kind = NAS_SCALAR_LAYER, .count = i ? 0 : 3, .in = 100, .out = 20};
        fill(s->host, VECTORS, 1);
        compare(s, nas_run_head, &fisher,
                (nas_gpu_scalar_t){.in = 100,
                                   .more = 2000,
                                   .out = 10,
                                   .bias = place(fisher.entry),
                                   .n = 6,
                                   .c = 130,
                                   .count = 9},
                1e-12);
        compare(s, nas_run_head, &layer,
                (nas_gpu_scalar_t){.in = 100, .out = 20, .count = layer.count}, 1e-15);
    }
    scalars_destroy(s);
}
ON_EVERY_LAYER(layers_are_the_hosts)

static void compare_flow(scalars_t *s, nas_scalar_kind_t kind, double tolerance)
{
    const nas_scalar_op_t op = {.kind = kind,
                                .c = 19,
                                .in = IN,
                                .out = SHIFT,
                                .exponent = EXPONENT,
                                .from_exponent = FROM_EXPONENT};
    const nas_gpu_head_t head = head_on_device(s);
    memcpy(s->m.table + TABLE / 2, &head, sizeof head);
    compare(s, nas_run_flow, &op,
            (nas_gpu_scalar_t){.in = IN,
                               .out = SHIFT,
                               .exponent = EXPONENT,
                               .from_exponent = FROM_EXPONENT,
                               .head = TABLE / 2,
                               .c = 19,
                               .n = 1},
            tolerance);
}

/* Shares larger and smaller than what there is, none of one, none of the other. */
static void flows_are_the_hosts(nas_gpu_t *gpu)
{
    static const double share[][4] = {/* so far: value, exponent; added: value, exponent */
                                      {1.5, 30, 0.7, 40}, {1.5, 30, 0.7, -2}, {0, 0, 0.7, -9},
                                      {1.5, 30, 0, 50},   {1, 3, 1, 2000},    {1, 0, 1, 0}};
    static const double largest[] = {0, 5e-310, 0.5, 1, 3e38, (double)INFINITY, (double)NAN};
    scalars_t *s = scalars_create(gpu, 1);
    s->program.flow = true;
    fill(s->host, VECTORS, 2);
    (void)make_head(s, 70, 11);
    for (size_t i = 0; i < sizeof share / sizeof *share; i++) {
        memcpy(s->host + SHIFT, share[i], 2 * sizeof(double));
        s->host[IN + 1] = share[i][2];
        s->host[EXPONENT] = share[i][3] - 7;
        s->host[FROM_EXPONENT] = 7;
        compare_flow(s, NAS_SCALAR_FLOW_ADD, 0);
    }
    for (size_t i = 0; i < sizeof largest / sizeof *largest; i++) {
        s->host[IN] = largest[i];
        s->host[EXPONENT] = -3;
        compare_flow(s, NAS_SCALAR_RESCALE, 0);
    }
    s->host[IN] = 1;
    compare_flow(s, NAS_SCALAR_FLOW_LINEAR, 1e-13);
    compare_flow(s, NAS_SCALAR_COPY, 0);
    compare_flow(s, NAS_SCALAR_ADD, 0);
    scalars_destroy(s);
}
ON_EVERY_LAYER(flows_are_the_hosts)
