#include "worker/engine/host/run.h"

#include "common/base/clock.h"

#include <math.h>
#include <string.h>

/* -------------------------------------------------------------------------------------- weights */

/* Weights of a group's convolutions, side by side in the output channels, into packed form. */
static void pack(const nas_run_t *run, int group)
{
    const nas_program_group_t *g = &run->program->group[group];
    const nas_program_layer_t *layer = run->program->layer + g->layer;
    double *to = run->joined;
    for (int i = 0; i < g->n_layers; i++) {
        const double *value = nas_run_parameter(run, layer[i].weight);
        for (int64_t k = 0; k < layer[i].n; k++)
            *to++ = run->program->flow ? fabs(value[k]) : value[k];
    }
    run->backend->conv_pack(run->conv[g->conv], run->joined, nas_run_tensor(run, g->weights));
}

static void unpack(const nas_run_t *run, int group)
{
    const nas_program_group_t *g = &run->program->group[group];
    const nas_program_layer_t *layer = run->program->layer + g->layer;
    double *gradient = nas_run_vector(run, run->program->results.gradient);
    const double *from = run->joined;
    run->backend->conv_unpack(run->conv[g->conv], nas_run_tensor(run, g->gradient), run->joined);
    for (int i = 0; i < g->n_layers; from += layer[i++].n)
        memcpy(gradient + layer[i].weight, from, (size_t)layer[i].n * sizeof *from);
}

/* Of a group of one layer. */
static void add_gradient(const nas_run_t *run, const nas_gradient_op_t *op)
{
    const nas_program_group_t *g = &run->program->group[op->group];
    const int64_t n = run->program->layer[g->layer].n;
    double *to = nas_run_vector(run, op->to);
    run->backend->conv_unpack(run->conv[g->conv], nas_run_tensor(run, op->from), run->joined);
    for (int64_t i = 0; i < n; i++) to[i] += run->joined[i];
}

static void dot_weights(const nas_run_t *run)
{
    const nas_program_t *program = run->program;
    for (int i = 0; i < program->n_weight_dots; i++) {
        const nas_weight_dot_t *dot = &program->weight_dot[i];
        run->backend->weight_dots(nas_run_tensor(run, dot->a), nas_run_tensor(run, dot->b), dot->n,
                                  nas_run_vector(run, dot->sums));
    }
}

/* -------------------------------------------------------------------------------------- tensors */

static void run_conv(const nas_run_t *run, nas_op_kind_t kind, const nas_conv_op_t *op)
{
    const nas_backend_t *backend = run->backend;
    const nas_conv_t *conv = run->conv[op->conv];
    const void *weights = nas_run_tensor(run, op->weights), *in = nas_run_tensor(run, op->in);
    void *scratch = nas_run_tensor(run, run->program->scratch);
    void *out =
        op->jacobian >= 0 ? nas_run_vector(run, op->jacobian) : nas_run_tensor(run, op->out);
    if (kind == NAS_OP_CONV_FORWARD)
        backend->conv_forward(conv, weights, in, out, scratch);
    else if (kind == NAS_OP_CONV_BACKWARD_DATA)
        backend->conv_backward_data(conv, weights, in, out, scratch);
    else
        backend->conv_backward_weights(conv, in, nas_run_tensor(run, op->other), out, scratch);
}

static void run_pool(const nas_run_t *run, nas_op_kind_t kind, const nas_pool_op_t *op)
{
    const nas_pool_shape_t *pool = &run->program->pool[op->pool];
    const nas_channels_t x = {.data = nas_run_tensor(run, op->x), .c_total = pool->c};
    const nas_channels_t in = {.data = nas_run_tensor(run, op->in), .c_total = pool->c};
    const nas_channels_t out = {.data = nas_run_tensor(run, op->out), .c_total = pool->c};
    if (kind == NAS_OP_POOL_FORWARD)
        run->backend->pool_forward(pool, x, out);
    else if (kind == NAS_OP_POOL_BACKWARD)
        run->backend->pool_backward(pool, x, in, out);
    else
        run->backend->pool_tangent(pool, x, in, out);
}

static void run_copy(const nas_run_t *run, const nas_copy_op_t *op)
{
    run->backend->copy(&(nas_copy_t){.shape = op->shape,
                                     .h_from = op->h_from,
                                     .w_from = op->w_from,
                                     .top = op->top,
                                     .left = op->left,
                                     .from = nas_run_channels(run, op->from),
                                     .to = nas_run_channels(run, op->to)});
}

static void bind_term(const nas_run_t *run, const nas_program_term_t *from, nas_term_t *term)
{
    *term = (nas_term_t){.kind = from->kind,
                         .tensor = nas_run_channels(run, from->tensor),
                         .coefficient = nas_run_vector(run, from->coefficient),
                         .masked = from->masked};
}

static void bind_dot(const nas_run_t *run, const nas_program_dot_t *from, nas_dot_t *dot)
{
    *dot = (nas_dot_t){.tensor = nas_run_channels(run, from->tensor),
                       .center = nas_run_vector(run, from->center),
                       .sum = nas_run_vector(run, from->sum)};
}

static void bind(const nas_run_t *run, int index, nas_combination_t *combination)
{
    const nas_program_combination_t *from = &run->program->combination[index];
    combination->shape = from->shape;
    combination->n_terms = from->n_terms;
    combination->n_dots = from->n_dots;
    combination->shift = nas_run_vector(run, from->shift);
    combination->mask = nas_run_channels(run, from->mask);
    combination->out = nas_run_channels(run, from->out);
    combination->relu = nas_run_channels(run, from->relu);
    combination->ceiling = from->ceiling;
    for (int i = 0; i < from->n_terms; i++)
        bind_term(run, &run->program->term[from->term + i], &combination->term[i]);
    for (int i = 0; i < from->n_dots; i++)
        bind_dot(run, &run->program->dot[from->dot + i], &combination->dot[i]);
}

static void combine(const nas_run_t *run, int index)
{
    nas_combination_t combination;
    bind(run, index, &combination);
    run->backend->combine(&combination);
}

static void run_tensor(const nas_run_t *run, nas_op_kind_t kind, const nas_tensor_op_t *op)
{
    const nas_backend_t *backend = run->backend;
    const nas_channels_t a = nas_run_channels(run, op->a);
    double *out = nas_run_vector(run, op->out[0]);
    if (kind == NAS_OP_MOMENTS)
        backend->moments(op->shape, a, out, nas_run_vector(run, op->out[1]));
    else if (kind == NAS_OP_IMAGE_DOTS)
        backend->image_dots(op->shape, a, nas_run_channels(run, op->b), out);
    else if (kind == NAS_OP_MAX_ABS)
        *out = backend->max_abs(op->shape, a);
    else if (kind == NAS_OP_AGREEMENT)
        nas_run_agreement(run, op);
    else if (kind == NAS_OP_PATTERNS)
        nas_run_patterns(run, op);
    else if (kind == NAS_OP_STORE)
        backend->store(op->shape, a.data, out);
    else if (kind == NAS_OP_FLATTEN)
        backend->flatten(op->shape, a.data, nas_run_tensor(run, op->b.at));
    else if (kind == NAS_OP_UNFLATTEN)
        backend->unflatten(op->shape, nas_run_tensor(run, op->b.at), a.data);
    else
        backend->load_images(op->shape, run->program->flow ? run->ones : run->task->images, a.data);
}

/* -------------------------------------------------------------------------------------- scalars */

static void run_scalar(const nas_run_t *run, const nas_scalar_op_t *op)
{
    switch (op->kind) {
    case NAS_SCALAR_STATISTICS:
    case NAS_SCALAR_NORM_FORWARD:
    case NAS_SCALAR_BIAS:
    case NAS_SCALAR_NORM_BACKWARD:
    case NAS_SCALAR_NORM_TANGENT:
    case NAS_SCALAR_NORM_CURVATURE:
    case NAS_SCALAR_NORM_GRADIENT:
    case NAS_SCALAR_NORM_MOMENTS:
        nas_run_norm(run, op);
        break;
    case NAS_SCALAR_FISHER:
    case NAS_SCALAR_LAYER:
    case NAS_SCALAR_HEAD_FORWARD:
    case NAS_SCALAR_HEAD_LOSS:
    case NAS_SCALAR_HEAD_SUM:
    case NAS_SCALAR_HEAD_IMAGE:
    case NAS_SCALAR_HEAD_KERNEL:
    case NAS_SCALAR_HEAD_TANGENT:
    case NAS_SCALAR_HEAD_GRADIENT:
        nas_run_head(run, op);
        break;
    case NAS_SCALAR_COPY:
    case NAS_SCALAR_ADD:
    case NAS_SCALAR_RESCALE:
    case NAS_SCALAR_FLOW_LINEAR:
    case NAS_SCALAR_FLOW_ADD:
        nas_run_flow(run, op);
        break;
    case NAS_SCALAR_DOTS:
    case NAS_SCALAR_GAIN:
    case NAS_SCALAR_BOUND:
    case NAS_SCALAR_SCALE:
    case NAS_SCALAR_ALIGN:
        nas_run_scale(run, op);
        break;
    case NAS_SCALAR_CORRELATION:
        nas_run_jacobian(run, op);
        break;
    case NAS_SCALAR_COVARIANCE:
        nas_run_covariance(run, op);
        break;
    }
}

/* ------------------------------------------------------------------------------------------ run */

static void run_op(const nas_run_t *run, const nas_op_t *op)
{
    switch (op->kind) {
    case NAS_OP_PACK:
        pack(run, op->index);
        break;
    case NAS_OP_CONV_FORWARD:
    case NAS_OP_CONV_BACKWARD_DATA:
    case NAS_OP_CONV_BACKWARD_WEIGHTS:
        run_conv(run, op->kind, &op->conv);
        break;
    case NAS_OP_COMBINE:
        combine(run, op->index);
        break;
    case NAS_OP_LOAD_IMAGES:
    case NAS_OP_MOMENTS:
    case NAS_OP_IMAGE_DOTS:
    case NAS_OP_AGREEMENT:
    case NAS_OP_PATTERNS:
    case NAS_OP_STORE:
    case NAS_OP_MAX_ABS:
    case NAS_OP_FLATTEN:
    case NAS_OP_UNFLATTEN:
        run_tensor(run, op->kind, &op->tensor);
        break;
    case NAS_OP_ADD_GRADIENT:
        add_gradient(run, &op->gradient);
        break;
    case NAS_OP_POOL_FORWARD:
    case NAS_OP_POOL_BACKWARD:
    case NAS_OP_POOL_TANGENT:
        run_pool(run, op->kind, &op->pool);
        break;
    case NAS_OP_COPY:
        run_copy(run, &op->copy);
        break;
    case NAS_OP_WEIGHT_DOTS:
        dot_weights(run);
        break;
    case NAS_OP_UNPACK:
        unpack(run, op->index);
        break;
    case NAS_OP_SCALAR:
        run_scalar(run, &op->scalar);
        break;
    }
}

/* The clock is read between operations only. */
static void run_timed(const nas_run_t *run, const nas_op_t *op, nas_profile_t *profile)
{
    const double begin = nas_clock_processor_s();
    run_op(run, op);
    nas_profile_op(run->program, run->backend, op, nas_clock_processor_s() - begin, profile);
}

void nas_run(const nas_run_t *run, nas_profile_t *profile)
{
    const nas_program_t *program = run->program;
    memset(run->vectors, 0, program->n_vectors * sizeof *run->vectors);
    for (int i = 0; i < program->n_ops; i++)
        if (profile)
            run_timed(run, &program->op[i], profile);
        else
            run_op(run, &program->op[i]);
}

nas_program_values_t nas_run_values(const nas_run_t *run)
{
    const nas_program_results_t *r = &run->program->results;
    const double *loss = nas_run_vector(run, r->loss), *flow = nas_run_vector(run, r->flow);
    const double *patterns = nas_run_vector(run, r->patterns);
    return (nas_program_values_t){
        .logits = nas_run_vector(run, r->logits),
        .loss = loss ? *loss : (double)NAN,
        .layer = (const nas_layer_values_t *)(const void *)nas_run_vector(run, r->layer),
        .jacobian = nas_run_vector(run, r->jacobian),
        .agreement = nas_run_vector(run, r->agreement),
        .correlation = nas_run_vector(run, r->correlation),
        .gradient = nas_run_vector(run, r->gradient),
        .moments = nas_run_vector(run, r->moments),
        .features = nas_run_vector(run, r->features),
        .n_features = run->program->n_features,
        .covariance = nas_run_vector(run, r->covariance),
        .kernel = nas_run_vector(run, r->kernel),
        .patterns = patterns ? *patterns : (double)NAN,
        .flow_mantissa = flow ? flow[0] : 0,
        .flow_exponent = flow ? (int)flow[1] : 0,
    };
}
