/* Operations on scalars, whose fields become places. What each reads and writes is what host/norm.c,
 * head.c and flow.c do with it. */
#include "worker/engine/gpu/plan/planner.h"

/* -------------------------------------------------------------------------------------- accesses */

static void read_all(nas_gpu_planner_t *p, const nas_vector_t *vector, int n)
{
    for (int i = 0; i < n; i++) nas_gpu_reads(p, vector[i]);
}

static void write_all(nas_gpu_planner_t *p, const nas_vector_t *vector, int n)
{
    for (int i = 0; i < n; i++) nas_gpu_writes(p, vector[i]);
}

#define READ(...)                                                                                  \
    read_all(p, (const nas_vector_t[]){__VA_ARGS__},                                               \
             sizeof((const nas_vector_t[]){__VA_ARGS__}) / sizeof(nas_vector_t))
#define WRITE(...)                                                                                 \
    write_all(p, (const nas_vector_t[]){__VA_ARGS__},                                              \
              sizeof((const nas_vector_t[]){__VA_ARGS__}) / sizeof(nas_vector_t))

static void use_norm(nas_gpu_planner_t *p, const nas_scalar_op_t *op, const nas_norm_vectors_t *v)
{
    READ(op->in, op->more, op->exponent, op->from_exponent);
    switch (op->kind) {
    case NAS_SCALAR_STATISTICS:
        WRITE(v->mean, v->variance);
        break;
    case NAS_SCALAR_NORM_FORWARD:
        READ(v->mean, v->variance);
        WRITE(v->inv, v->scale, op->out);
        break;
    case NAS_SCALAR_NORM_BACKWARD:
        READ(v->inv, v->mean, v->sum_dz);
        WRITE(v->d_coef, v->x_coef, v->rest);
        break;
    case NAS_SCALAR_NORM_TANGENT:
        READ(v->inv, v->mean, v->sum_t, v->sum_tz);
        WRITE(v->t_coef, v->tx_coef, op->out);
        break;
    case NAS_SCALAR_NORM_CURVATURE:
        READ(v->inv, v->mean, v->sum_t, v->sum_tz, v->sum_td, v->sum_dz, v->sum_ez, v->d_coef);
        WRITE(v->u_d, v->u_e, v->u_x, v->u_t, v->u_rest);
        break;
    case NAS_SCALAR_NORM_GRADIENT:
        READ(v->inv, v->sum_dz);
        break;
    default: /* NORM_MOMENTS; what these two write is nobody else's */
        READ(v->mean, v->variance);
        break;
    }
}

static void use_head(nas_gpu_planner_t *p, nas_scalar_kind_t kind, const nas_head_vectors_t *v)
{
    switch (kind) {
    case NAS_SCALAR_HEAD_FORWARD:
        WRITE(v->features, v->logits, v->transposed);
        break;
    case NAS_SCALAR_HEAD_LOSS:
        READ(v->features, v->logits);
        WRITE(v->d_logits, v->d_linear, v->d_features, v->layer, v->loss);
        break;
    case NAS_SCALAR_HEAD_SUM:
        WRITE(v->d_features);
        break;
    case NAS_SCALAR_HEAD_TANGENT:
        READ(v->features, v->logits, v->d_logits, v->d_linear, v->transposed);
        WRITE(v->t_features, v->t_logits, v->e_logits, v->e_linear, v->t_linear, v->e_features,
              v->layer);
        break;
    case NAS_SCALAR_FLOW_LINEAR:
        READ(v->features);
        break;
    default: /* HEAD_GRADIENT */
        READ(v->d_linear, v->d_logits);
        break;
    }
}

/* Which of a layer's values is written tells those apart who write others. */
enum { OF_SQUARES = 2, OF_FISHER = 3 };

static bool is_sum(const nas_gpu_planner_t *p, nas_vector_t vector, int which)
{
    return vector >= 0 && vector == p->image_sum[which].vector;
}

static void use_plain(nas_gpu_planner_t *p, const nas_scalar_op_t *op)
{
    READ(op->exponent, op->from_exponent);
    switch (op->kind) {
    case NAS_SCALAR_RESCALE:
        READ(op->in);
        WRITE(op->out, op->exponent);
        break;
    case NAS_SCALAR_FISHER:
        for (int i = 0; i < 2; i++)
            if (is_sum(p, op->in, i) || is_sum(p, op->more, i))
                nas_gpu_waits(p, p->image_sum[i].step);
        WRITE(op->out + OF_FISHER);
        break;
    case NAS_SCALAR_DOTS:
    case NAS_SCALAR_BOUND:
    case NAS_SCALAR_ALIGN:
        READ(op->in, op->more);
        WRITE(op->out);
        break;
    case NAS_SCALAR_SCALE:
        READ(op->in);
        WRITE(op->exponent);
        break;
    case NAS_SCALAR_LAYER:
        for (int i = 0; i <= (int)op->count; i++) READ(op->in + 2 * i);
        WRITE(op->out + OF_SQUARES);
        break;
    default:
        READ(op->in);
        WRITE(op->out);
        break;
    }
}

/* ------------------------------------------------------------------------------------------ head */

static int64_t head_of(nas_gpu_planner_t *p)
{
    const nas_head_vectors_t *v = &p->program->head;
    if (p->head >= 0) return p->head;
    nas_gpu_head_t *head = nas_gpu_table_add(p, sizeof *head, &p->head);
    *head = (nas_gpu_head_t){.weight = nas_gpu_parameter_place(p, v->weight),
                             .bias = nas_gpu_parameter_place(p, v->bias),
                             .features = nas_gpu_vector_place(p, v->features),
                             .d_features = nas_gpu_vector_place(p, v->d_features),
                             .t_features = nas_gpu_vector_place(p, v->t_features),
                             .e_features = nas_gpu_vector_place(p, v->e_features),
                             .logits = nas_gpu_vector_place(p, v->logits),
                             .d_logits = nas_gpu_vector_place(p, v->d_logits),
                             .t_logits = nas_gpu_vector_place(p, v->t_logits),
                             .e_logits = nas_gpu_vector_place(p, v->e_logits),
                             .transposed = nas_gpu_vector_place(p, v->transposed),
                             .d_linear = nas_gpu_vector_place(p, v->d_linear),
                             .t_linear = nas_gpu_vector_place(p, v->t_linear),
                             .e_linear = nas_gpu_vector_place(p, v->e_linear),
                             .layer = nas_gpu_vector_place(p, v->layer),
                             .loss = nas_gpu_vector_place(p, v->loss),
                             .labels = p->places->labels,
                             .learns = p->places->learns,
                             .order = p->places->order,
                             .step = p->places->step,
                             .first = p->places->first,
                             .n_pixels = v->n_pixels,
                             .smoothing = v->smoothing,
                             .n = p->program->n,
                             .c = v->c,
                             .o = v->o,
                             .sums = v->sums,
                             .fisher = v->fisher,
                             .flow = p->program->flow};
    return p->head;
}

/* ---------------------------------------------------------------------------------------- fields */

static int64_t image_sums_of(const nas_gpu_planner_t *p, nas_vector_t vector)
{
    for (int i = 0; i < 2; i++)
        if (is_sum(p, vector, i)) return p->image_sum[i].to;
    return -1;
}

static void describe_norm(nas_gpu_planner_t *p, const nas_scalar_op_t *op,
                          const nas_norm_vectors_t *v, nas_gpu_scalar_t *to)
{
    to->c = v->c;
    to->norm = nas_gpu_vector_place(p, v->mean);
    to->gamma = nas_gpu_parameter_place(p, v->gamma);
    to->beta = nas_gpu_parameter_place(p, v->beta);
    to->bias = nas_gpu_parameter_place(p, v->bias);
    to->eps = v->eps;
    to->along = v->along;
    if (op->kind == NAS_SCALAR_STATISTICS) to->statistics = p->places->statistics + v->statistics;
    if (op->kind == NAS_SCALAR_NORM_MOMENTS)
        to->statistics = nas_gpu_vector_place(p, op->out) + v->statistics;
    if (op->kind == NAS_SCALAR_NORM_GRADIENT) {
        to->out = nas_gpu_vector_place(p, op->out) + v->gamma;
        to->more = nas_gpu_vector_place(p, op->out) + v->beta;
    }
}

static void describe_fields(nas_gpu_planner_t *p, const nas_scalar_op_t *op, nas_gpu_scalar_t *to)
{
    const nas_head_vectors_t *head = &p->program->head;
    to->c = (int)op->c;
    to->in = nas_gpu_vector_place(p, op->in);
    to->more = nas_gpu_vector_place(p, op->more);
    to->out = nas_gpu_vector_place(p, op->out);
    to->exponent = nas_gpu_vector_place(p, op->exponent);
    to->from_exponent = nas_gpu_vector_place(p, op->from_exponent);
    to->count = op->count;
    to->bias = nas_gpu_parameter_place(p, op->entry);
    if (op->kind == NAS_SCALAR_FISHER) {
        to->in = image_sums_of(p, op->in);
        to->more = image_sums_of(p, op->more);
    }
    if (op->kind == NAS_SCALAR_HEAD_GRADIENT) {
        to->out = nas_gpu_vector_place(p, op->out) + head->weight;
        to->more = head->bias < 0 ? -1 : nas_gpu_vector_place(p, op->out) + head->bias;
    }
    if (op->norm >= 0) describe_norm(p, op, &p->program->norm[op->norm], to);
}

static bool is_of_head(nas_scalar_kind_t kind)
{
    return kind == NAS_SCALAR_HEAD_FORWARD || kind == NAS_SCALAR_HEAD_LOSS ||
           kind == NAS_SCALAR_HEAD_SUM || kind == NAS_SCALAR_HEAD_TANGENT ||
           kind == NAS_SCALAR_HEAD_GRADIENT || kind == NAS_SCALAR_FLOW_LINEAR;
}

/* ----------------------------------------------------------------------------------- correlation */

/* Two kernels: rows, then products of them. */
static void describe_correlation(nas_gpu_planner_t *p, const nas_scalar_op_t *op)
{
    const nas_gpu_correlation_t work = {.rows = nas_gpu_vector_place(p, op->in),
                                        .out = nas_gpu_vector_place(p, op->out),
                                        .d = op->c,
                                        .n = p->program->n};
    nas_gpu_step_t step = {.variant = NAS_GPU_PLAIN_STANDARDISE,
                           .groups_x = p->program->n,
                           .n = 1,
                           .n_bytes = sizeof work};
    nas_gpu_writes(p, op->in);
    (void)nas_gpu_step(p, &step);
    *(nas_gpu_correlation_t *)nas_gpu_work(p, sizeof work) = work;
    step.variant = NAS_GPU_PLAIN_CORRELATE;
    nas_gpu_reads(p, op->in);
    nas_gpu_writes(p, op->out);
    (void)nas_gpu_step(p, &step);
    *(nas_gpu_correlation_t *)nas_gpu_work(p, sizeof work) = work;
}

void nas_gpu_describe_scalar(nas_gpu_planner_t *p, const nas_scalar_op_t *op)
{
    if (op->kind == NAS_SCALAR_CORRELATION) {
        describe_correlation(p, op);
        return;
    }
    const int64_t head = is_of_head(op->kind) ? head_of(p) : -1;
    if (op->norm >= 0)
        use_norm(p, op, &p->program->norm[op->norm]);
    else if (is_of_head(op->kind))
        use_head(p, op->kind, &p->program->head);
    if (op->norm < 0) use_plain(p, op);
    nas_gpu_scalar_t *to = nas_gpu_scalar(p, (int)op->kind);
    describe_fields(p, op, to);
    to->head = head;
}
