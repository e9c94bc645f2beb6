#include "worker/engine/program/program_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Upper bounds of a program's size, by the most that emission makes of one element of the graph. */
enum {
    OPS_PER_ELEMENT = 24,
    TENSORS_PER_NODE = 8,
    TENSORS_PER_GROUP = 14,
    VECTORS_PER_NORM = 19,
    VECTORS_PER_NODE = 5
};

/* ----------------------------------------------------------------------------------- creation */

/* Nodes of the forward pass: those that reach the logits, and for signs those whose ReLU counts,
 * with all that they are made of. */
static void mark_evaluated(nas_program_t *program)
{
    const nas_graph_t *graph = program->graph;
    for (int node = graph->n_nodes - 1; node >= 0; node--) {
        const nas_graph_node_t *n = &graph->node[node];
        const bool counts = (program->needs & NAS_NEED_SIGNS) && n->n_relu > 0;
        program->evaluated[node] |= n->live || counts;
        for (int i = 0; program->evaluated[node] && i < n->n_inputs; i++) {
            const int source = nas_graph_source(graph, node, i);
            if (source >= 0) program->evaluated[source] = true;
        }
    }
}

static size_t count_vectors(const nas_graph_t *graph, int n)
{
    const size_t c = (size_t)graph->node[graph->n_nodes - 1].c, o = (size_t)graph->network.classes;
    const size_t head = (size_t)n * (4 * c + 4 * o + (size_t)n) + 4 * o * c;
    size_t total = head;
    int widest = 0;
    for (int i = 0; i < graph->n_norms; i++) total += VECTORS_PER_NORM * (size_t)graph->norm[i].c;
    for (int i = 0; i < graph->n_nodes; i++) {
        total += VECTORS_PER_NODE * (size_t)graph->node[i].c;
        if (graph->node[i].c > widest) widest = graph->node[i].c;
    }
    return total + 2 * (size_t)n * (size_t)widest;
}

/* Weights of the group that has most. */
static size_t widest_group(const nas_graph_t *graph)
{
    int64_t most = 1;
    for (int g = 0; g < graph->n_groups; g++) {
        const int first = graph->group[g].conv[0];
        const int64_t n = graph->parameter[graph->conv[first].weight].n * graph->group[g].n_convs;
        if (n > most) most = n;
    }
    return (size_t)most;
}

/* An image of ones; the caller frees it. NULL when memory is out. */
static float *make_ones(const nas_graph_t *graph)
{
    const nas_network_t *net = &graph->network;
    const size_t n = (size_t)net->image_channels * (size_t)net->height * (size_t)net->width;
    float *ones = malloc(n * sizeof *ones);
    for (size_t i = 0; ones && i < n; i++) ones[i] = 1;
    return ones;
}

static nas_status_t allocate(nas_program_t *program, nas_error_t *err)
{
    const nas_graph_t *graph = program->graph;
    const size_t n_nodes = (size_t)graph->n_nodes, n_groups = (size_t)graph->n_groups;
    program->max_ops = OPS_PER_ELEMENT * (graph->n_nodes + graph->n_convs);
    program->max_tensors =
        TENSORS_PER_NODE * graph->n_nodes + TENSORS_PER_GROUP * graph->n_groups + 2;
    program->max_vector = count_vectors(graph, program->n);
    program->op = calloc((size_t)program->max_ops, sizeof *program->op);
    program->combination = calloc((size_t)program->max_ops, sizeof *program->combination);
    program->combination_tensors =
        calloc((size_t)program->max_ops, sizeof *program->combination_tensors);
    program->tensor = calloc((size_t)program->max_tensors, sizeof *program->tensor);
    program->vector_pool = calloc(program->max_vector, sizeof *program->vector_pool);
    program->evaluated = calloc(n_nodes, sizeof *program->evaluated);
    program->node = calloc(n_nodes, sizeof *program->node);
    program->norm = calloc((size_t)graph->n_norms, sizeof *program->norm);
    program->group = calloc(n_groups, sizeof *program->group);
    program->layer = calloc((size_t)graph->n_parameters, sizeof *program->layer);
    program->joined = calloc(widest_group(graph), sizeof *program->joined);
    program->ones = make_ones(graph);
    if (program->op && program->combination && program->combination_tensors && program->tensor &&
        program->vector_pool && program->evaluated && program->node && program->norm &&
        program->group && program->layer && program->joined && program->ones)
        return NAS_OK;
    return nas_error_nomem(err, "a network's program");
}

static void make_vectors(nas_program_t *program)
{
    const nas_graph_t *graph = program->graph;
    const size_t n = (size_t)program->n, classes = (size_t)graph->network.classes;
    size_t widest = 0;
    for (int i = 0; i < graph->n_norms; i++) nas_norm_allocate(program, i);
    for (int i = 0; i < graph->n_nodes; i++) {
        const size_t c = (size_t)graph->node[i].c;
        nas_node_tensors_t *t = &program->node[i];
        *t = (nas_node_tensors_t){.x = -1, .r = -1, .d = -1, .tx = -1, .tr = -1, .e = -1};
        double **const all[] = {&t->shift, &t->t_shift, &t->sum_d, &t->sum_e, &t->rescale};
        for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
            *all[k] = nas_emit_vector(program, c);
        if (c > widest) widest = c;
    }
    const size_t n_features = n * (size_t)graph->node[graph->n_nodes - 1].c;
    double **const features[] = {&program->features, &program->d_features, &program->t_features,
                                 &program->e_features};
    double **const logits[] = {&program->logits, &program->d_logits, &program->t_logits,
                               &program->e_logits};
    double **const linear[] = {&program->d_linear, &program->t_linear, &program->e_linear,
                               &program->transposed};
    for (int k = 0; k < 4; k++) *linear[k] = nas_emit_vector(program, n_features / n * classes);
    for (int k = 0; k < 4; k++) {
        *features[k] = nas_emit_vector(program, n_features);
        *logits[k] = nas_emit_vector(program, n * classes);
    }
    for (int k = 0; k < 2; k++) program->image_sum[k] = nas_emit_vector(program, n * widest);
    program->agreement = nas_emit_vector(program, n * n);
}

nas_conv_shape_t nas_group_conv_shape(const nas_program_t *program, int group)
{
    const nas_graph_conv_t *conv = nas_group_conv(program, group);
    const nas_graph_node_t *target = &program->graph->node[conv->target];
    return (nas_conv_shape_t){.n = program->n,
                              .c_in = conv->c_in,
                              .c_out = program->graph->group[group].c_out,
                              .h_in = target->h * conv->stride,
                              .w_in = target->w * conv->stride,
                              .k = conv->k,
                              .stride = conv->stride,
                              .image = conv->feed == NAS_FEED_IMAGE};
}

bool nas_program_sums(const nas_program_t *program)
{
    return (program->needs & (NAS_NEED_SUMS | NAS_NEED_CURVATURE)) != 0;
}

static size_t round_up(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Kernels of all groups that are computed, and room for their weights and gradients. */
static nas_status_t make_groups(nas_program_t *program, nas_error_t *err)
{
    const nas_backend_t *backend = program->backend;
    const unsigned forward_only = NAS_NEED_LOSS | NAS_NEED_SIGNS | NAS_NEED_INFERENCE;
    const bool backward = (program->needs & ~forward_only) != 0;
    size_t n_packed = 0, n_gradients = 0, n_largest = 0, n_scratch = 0;
    for (int g = 0; g < program->graph->n_groups; g++) {
        nas_group_tensors_t *t = &program->group[g];
        *t = (nas_group_tensors_t){
            .p = -1, .y = -1, .dy = -1, .dr = -1, .tp = -1, .ty = -1, .u = -1, .du = -1};
        if (!nas_group_evaluated(program, g)) continue;
        const nas_conv_shape_t shape = nas_group_conv_shape(program, g);
        const nas_status_t status = backend->conv_find(&shape, backward, &t->conv, err);
        if (status) return status;
        t->elements = backend->conv_weight_elements(t->conv);
        t->packed_offset = n_packed;
        t->gradient_offset = n_gradients;
        const size_t n_bytes = round_up(t->elements * backend->element_bytes);
        n_packed += round_up(backend->conv_packed_bytes(t->conv));
        n_gradients += n_bytes;
        n_largest = larger(n_largest, n_bytes);
        n_scratch = larger(n_scratch, backend->conv_scratch_bytes(t->conv));
    }
    program->weights = nas_emit_bytes(program, n_packed);
    program->gradients = nas_emit_bytes(program, backward ? n_gradients : 0);
    program->curvature =
        nas_emit_bytes(program, program->needs & NAS_NEED_CURVATURE ? n_largest : 0);
    program->scratch = nas_emit_bytes(program, n_scratch);
    return NAS_OK;
}

static size_t sign_bytes(const nas_program_t *program)
{
    size_t n_words = 0;
    for (int i = 0; i < program->graph->n_nodes; i++)
        n_words = larger(n_words, program->backend->sign_words(nas_node_shape(program, i)));
    return n_words * (size_t)program->n * sizeof(uint64_t);
}

static void make_tensors(nas_program_t *program)
{
    const nas_network_t *net = &program->graph->network;
    const nas_shape_t image = {program->n, net->image_channels, net->height, net->width};
    const size_t n_values = (size_t)image.n * (size_t)image.c * (size_t)image.h * (size_t)image.w;
    program->image = nas_emit_bytes(program, program->backend->image_bytes(image));
    program->jacobian =
        nas_emit_bytes(program, program->needs & NAS_NEED_JACOBIAN ? n_values * sizeof(double) : 0);
    program->bits =
        nas_emit_bytes(program, program->needs & NAS_NEED_SIGNS ? sign_bytes(program) : 0);
}

static void emit(nas_program_t *program)
{
    const unsigned of_weights = NAS_NEED_GRADIENT | NAS_NEED_SUMS | NAS_NEED_CURVATURE;
    nas_emit_forward(program);
    if (program->flow) nas_emit_backward(program, (nas_backward_t){.weights = true});
    if (program->needs & NAS_NEED_JACOBIAN)
        nas_emit_backward(program, (nas_backward_t){.image = true});
    if (program->needs & (of_weights | NAS_NEED_FISHER))
        nas_emit_backward(program,
                          (nas_backward_t){.of_loss = true,
                                           .weights = (program->needs & of_weights) != 0,
                                           .fisher = (program->needs & NAS_NEED_FISHER) != 0});
    else if (program->needs & NAS_NEED_LOSS)
        nas_emit_scalar(program, nas_head_backward_loss, 0);
    if (program->needs & NAS_NEED_CURVATURE) nas_emit_curvature(program);
}

/* Tensors that are written before the first operation, or read behind the last. */
static void keep_throughout(nas_program_t *program)
{
    const int always[] = {program->image,   program->weights,   program->gradients,
                          program->scratch, program->curvature, program->bits};
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++) {
        program->tensor[always[i]].first_op = 0;
        program->tensor[always[i]].last_op = program->n_ops;
    }
    program->tensor[program->jacobian].last_op = program->n_ops;
}

nas_status_t nas_program_create(const nas_program_options_t *options, nas_arena_t *arena,
                                nas_program_t **program_p, nas_error_t *err)
{
    nas_program_t *program = calloc(1, sizeof *program);
    if (!program) return nas_error_nomem(err, "a network's program");
    *program = (nas_program_t){.backend = options->backend,
                               .graph = options->graph,
                               .n = options->batch,
                               .needs = options->needs,
                               .smoothing = options->smoothing,
                               .flow = (options->needs & NAS_NEED_FLOW) != 0,
                               .arena = arena,
                               .profile = options->profile};
    nas_status_t status = allocate(program, err);
    if (!status) {
        mark_evaluated(program);
        make_vectors(program);
        status = make_groups(program, err);
    }
    if (!status) {
        make_tensors(program);
        emit(program);
        keep_throughout(program);
        status = nas_bind(program, err);
    }
    if (status) {
        nas_program_destroy(program);
        return status;
    }
    *program_p = program;
    return NAS_OK;
}

void nas_program_destroy(nas_program_t *program)
{
    if (!program) return;
    free(program->op);
    free(program->combination);
    free(program->combination_tensors);
    free(program->tensor);
    free(program->vector_pool);
    free(program->evaluated);
    free(program->node);
    free(program->norm);
    free(program->group);
    free(program->layer);
    free(program->joined);
    free(program->ones);
    free(program);
}

size_t nas_program_arena_bytes(const nas_program_t *program)
{
    return program->arena_bytes;
}
