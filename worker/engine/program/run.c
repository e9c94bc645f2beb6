#include "common/base/clock.h"
#include "worker/engine/program/program_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static nas_channels_t channels_of(const nas_program_t *program, nas_slice_t slice)
{
    return (nas_channels_t){.data = nas_tensor_data(program, slice.tensor),
                            .c_total = slice.c_total,
                            .c_first = slice.c_first};
}

/* ------------------------------------------------------------------------------------ weights */

/* Weights of a group's convolutions, side by side in the output channels, into packed form. */
static void pack_group(nas_program_t *program, int group, double *joined)
{
    const nas_graph_t *graph = program->graph;
    const nas_graph_group_t *g = &graph->group[group];
    const nas_group_tensors_t *t = &program->group[group];
    double *end = joined;
    for (int i = 0; i < g->n_convs; i++) {
        const nas_parameter_t *weight = &graph->parameter[graph->conv[g->conv[i]].weight];
        const double *value = program->parameters + weight->offset;
        for (int64_t k = 0; k < weight->n; k++) *end++ = program->flow ? fabs(value[k]) : value[k];
    }
    program->backend->conv_pack(t->conv, joined, t->packed);
}

static void pack_weights(nas_program_t *program)
{
    char *packed = nas_tensor_data(program, program->weights);
    char *gradients = nas_tensor_data(program, program->gradients);
    for (int g = 0; g < program->graph->n_groups; g++) {
        nas_group_tensors_t *t = &program->group[g];
        if (!t->conv) continue;
        t->packed = packed + t->packed_offset;
        t->gradient = gradients + t->gradient_offset;
        pack_group(program, g, program->joined);
    }
}

/* --------------------------------------------------------------------------------- operations */

/* Sums of each layer of a group, out of weights or gradients that lie behind one another. */
static void sum_layers(nas_program_t *program, int group)
{
    const nas_graph_group_t *g = &program->graph->group[group];
    const nas_group_tensors_t *t = &program->group[group];
    const size_t n = t->elements / (size_t)g->n_convs, stride = n * program->backend->element_bytes;
    for (int i = 0; i < g->n_convs; i++) {
        nas_layer_values_t *layer = &program->layer[program->graph->conv[g->conv[i]].weight];
        const char *weight = (const char *)t->packed + (size_t)i * stride;
        const char *gradient = (const char *)t->gradient + (size_t)i * stride;
        double with_weight[2] = {0}, squares[2] = {0};
        program->backend->weight_dots(weight, gradient, n, with_weight);
        program->backend->weight_dots(gradient, gradient, n, squares);
        layer->dot = with_weight[0];
        layer->abs_dot = with_weight[1];
        layer->gradient_squares = squares[0];
        layer->curvature = -squares[0]; /* emit_curvature.c: "- g" */
    }
}

static void add_curvature(nas_program_t *program, int group, const char *adjoint)
{
    const nas_graph_group_t *g = &program->graph->group[group];
    const nas_group_tensors_t *t = &program->group[group];
    const size_t n = t->elements / (size_t)g->n_convs, stride = n * program->backend->element_bytes;
    for (int i = 0; i < g->n_convs; i++) {
        double sums[2] = {0};
        program->backend->weight_dots(adjoint + (size_t)i * stride,
                                      (const char *)t->gradient + (size_t)i * stride, n, sums);
        program->layer[program->graph->conv[g->conv[i]].weight].curvature += sums[0];
    }
}

static void run_conv(nas_program_t *program, const nas_op_t *op)
{
    const nas_backend_t *backend = program->backend;
    const nas_group_tensors_t *t = &program->group[op->index];
    void *scratch = nas_tensor_data(program, program->scratch);
    const void *in = nas_tensor_data(program, op->in);
    void *out = nas_tensor_data(program, op->out);
    void *curvature = nas_tensor_data(program, program->curvature);
    switch (op->kind) {
    case NAS_OP_CONV_FORWARD:
        backend->conv_forward(t->conv, t->packed, in, out, scratch);
        break;
    case NAS_OP_CONV_BACKWARD_DATA:
        backend->conv_backward_data(t->conv, t->packed, in, out, scratch);
        break;
    case NAS_OP_CONV_BACKWARD_WEIGHTS:
        backend->conv_backward_weights(t->conv, in, out, t->gradient, scratch);
        if (nas_program_sums(program)) sum_layers(program, op->index);
        break;
    default:
        backend->conv_backward_weights(t->conv, in, out, curvature, scratch);
        add_curvature(program, op->index, curvature);
        break;
    }
}

/* For every pair of images, the positions where the signs of a node agree, once for each ReLU. */
static void add_agreements(nas_program_t *program, const nas_op_t *op)
{
    uint64_t *bits = nas_tensor_data(program, program->bits);
    const size_t n_words = program->backend->sign_words(op->shape);
    const double n_values = (double)op->shape.c * op->shape.h * op->shape.w;
    const int n_relu = program->graph->node[op->index].n_relu;
    program->backend->signs(op->shape, channels_of(program, op->a), bits);
    for (int i = 0; i < program->n; i++)
        for (int j = 0; j <= i; j++) {
            const uint64_t *x = bits + (size_t)i * n_words, *y = bits + (size_t)j * n_words;
            int64_t n_differ = 0;
            for (size_t k = 0; k < n_words; k++) n_differ += __builtin_popcountll(x[k] ^ y[k]);
            const double agree = n_relu * (n_values - (double)n_differ);
            program->agreement[i * program->n + j] += agree;
            if (i != j) program->agreement[j * program->n + i] += agree;
        }
}

static void run_op(nas_program_t *program, nas_op_t *op)
{
    const nas_backend_t *backend = program->backend;
    switch (op->kind) {
    case NAS_OP_CONV_FORWARD:
    case NAS_OP_CONV_BACKWARD_DATA:
    case NAS_OP_CONV_BACKWARD_WEIGHTS:
    case NAS_OP_CONV_CURVATURE:
        run_conv(program, op);
        break;
    case NAS_OP_MOMENTS:
        backend->moments(op->shape, channels_of(program, op->a), op->vector[0], op->vector[1]);
        break;
    case NAS_OP_COMBINE:
        if (op->combination->shape.n == 0) break;
        nas_bind_combination(program, op);
        backend->combine(op->combination);
        break;
    case NAS_OP_IMAGE_DOTS:
        backend->image_dots(op->shape, channels_of(program, op->a), channels_of(program, op->b),
                            op->vector[0]);
        break;
    case NAS_OP_SIGNS:
        add_agreements(program, op);
        break;
    case NAS_OP_MAX_ABS:
        program->node[op->index].max_abs = backend->max_abs(op->shape, channels_of(program, op->a));
        break;
    case NAS_OP_SCALAR:
        op->scalar(program, op->index);
        break;
    }
}

/* ---------------------------------------------------------------------------------------- run */

/* Flow's input is one image of ones. */
static void load_images(nas_program_t *program, const float *images)
{
    const nas_network_t *net = &program->graph->network;
    const nas_shape_t shape = {program->n, net->image_channels, net->height, net->width};
    program->backend->load_images(shape, program->flow ? program->ones : images,
                                  nas_tensor_data(program, program->image));
}

static void load(nas_program_t *program, const float *images)
{
    load_images(program, images);
    pack_weights(program);
}

/* The clock is read between operations only. */
static void run_timed(nas_program_t *program, const float *images)
{
    double begin = nas_clock_monotonic_s();
    load(program, images);
    nas_profile_load(program, nas_clock_monotonic_s() - begin);
    for (int i = 0; i < program->n_ops; i++) {
        begin = nas_clock_monotonic_s();
        run_op(program, &program->op[i]);
        nas_profile_op(program, &program->op[i], nas_clock_monotonic_s() - begin);
    }
}

static void compute(nas_program_t *program, const float *images)
{
    if (program->profile) {
        run_timed(program, images);
        return;
    }
    load(program, images);
    for (int i = 0; i < program->n_ops; i++) run_op(program, &program->op[i]);
}

void nas_program_run(nas_program_t *program, const double *parameters, const float *images,
                     const int32_t *labels, nas_program_values_t *values)
{
    const nas_graph_t *graph = program->graph;
    NAS_ASSERT(!(program->needs & NAS_NEED_INFERENCE));
    program->parameters = parameters;
    program->labels = labels;
    program->loss = NAN;
    memset(program->layer, 0, (size_t)graph->n_parameters * sizeof *program->layer);
    memset(program->agreement, 0,
           (size_t)program->n * (size_t)program->n * sizeof *program->agreement);
    compute(program, images);
    const bool has_jacobian = program->tensor[program->jacobian].first_op >= 0;
    *values = (nas_program_values_t){
        .logits = program->logits,
        .loss = program->loss,
        .layer = program->layer,
        .jacobian = has_jacobian ? nas_tensor_data(program, program->jacobian) : NULL,
        .agreement = program->agreement,
    };
    if (program->flow) nas_flow_sum(program, &values->flow_mantissa, &values->flow_exponent);
}

const double *nas_program_infer(nas_program_t *program, const double *parameters,
                                const double *statistics, const float *images)
{
    NAS_ASSERT(program->needs == NAS_NEED_INFERENCE);
    program->parameters = parameters;
    nas_norm_take_statistics(program, statistics);
    compute(program, images);
    return program->logits;
}
