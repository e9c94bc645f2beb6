#include "worker/engine/graph/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int edge_source[NAS_CELL_EDGES] = {0, 0, 1, 0, 1, 2};
static const int edge_target[NAS_CELL_EDGES] = {1, 2, 2, 3, 3, 3};

enum { STAGES = 3 };

/* A graph under construction; the arrays have room for the largest architecture. */
typedef struct builder {
    nas_graph_t *graph;
    const uint8_t *operation;
} builder_t;

/* ---------------------------------------------------------------------------- parameters */

static int add_parameter(nas_graph_t *graph, nas_parameter_kind_t kind, const int shape[4],
                         int fan_in, const char *format, ...)
{
    nas_parameter_t *parameter = &graph->parameter[graph->n_parameters];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(parameter->name, sizeof parameter->name, format, args);
    va_end(args);
    parameter->kind = kind;
    parameter->fan_in = fan_in;
    parameter->n = 1;
    for (int i = 0; i < 4; i++) {
        parameter->shape[i] = shape[i] ? shape[i] : 1;
        parameter->n_dims += shape[i] != 0;
        parameter->n *= parameter->shape[i];
    }
    parameter->offset = graph->n_values;
    graph->n_values += parameter->n;
    return graph->n_parameters++;
}

/* ------------------------------------------------------------------------------ elements */

static int add_node(nas_graph_t *graph, int c, int h, int w)
{
    graph->node[graph->n_nodes] = (nas_graph_node_t){.c = c, .h = h, .w = w, .scale_from = -1};
    return graph->n_nodes++;
}

static void add_input(nas_graph_t *graph, int node, nas_input_kind_t kind, int index)
{
    nas_graph_node_t *to = &graph->node[node];
    NAS_ASSERT(to->n_inputs < NAS_NODE_TERMS);
    to->input[to->n_inputs].kind = kind;
    to->input[to->n_inputs].index = index;
    to->n_inputs++;
}

static int add_norm(nas_graph_t *graph, const char *name, int c, bool affine, bool in_reduction)
{
    nas_graph_norm_t *norm = &graph->norm[graph->n_norms];
    *norm = (nas_graph_norm_t){.c = c,
                               .gamma = -1,
                               .beta = -1,
                               .conv = -1,
                               .source = -1,
                               .in_reduction = in_reduction,
                               .statistics = graph->n_statistics};
    graph->n_statistics += 2 * (int64_t)c;
    if (affine) {
        const int shape[4] = {c};
        norm->gamma = add_parameter(graph, NAS_PARAMETER_GAMMA, shape, 0, "%s/gamma", name);
        norm->beta = add_parameter(graph, NAS_PARAMETER_BETA, shape, 0, "%s/beta", name);
    }
    return graph->n_norms++;
}

/* A convolution as it is described: name, kernel, stride, and what it connects. */
typedef struct conv_spec {
    const char *name;
    int source;
    nas_feed_t feed;
    int target;
    int k;
    int stride;
    bool bias;
} conv_spec_t;

static int add_conv(nas_graph_t *graph, const conv_spec_t *spec)
{
    nas_graph_conv_t *conv = &graph->conv[graph->n_convs];
    const int c_in = spec->source < 0 ? graph->network.image_channels : graph->node[spec->source].c;
    const int c_out = graph->node[spec->target].c;
    const int weight_shape[4] = {c_out, c_in, spec->k, spec->k}, bias_shape[4] = {c_out};
    const int fan_in = c_in * spec->k * spec->k;
    *conv = (nas_graph_conv_t){.source = spec->source,
                               .feed = spec->feed,
                               .k = spec->k,
                               .stride = spec->stride,
                               .c_in = c_in,
                               .c_out = c_out,
                               .target = spec->target,
                               .bias = -1,
                               .norm = -1};
    conv->weight =
        add_parameter(graph, NAS_PARAMETER_WEIGHT, weight_shape, fan_in, "%s/weight", spec->name);
    if (spec->bias)
        conv->bias =
            add_parameter(graph, NAS_PARAMETER_BIAS, bias_shape, fan_in, "%s/bias", spec->name);
    if (spec->feed == NAS_FEED_RELU) graph->node[spec->source].n_relu++;
    add_input(graph, spec->target, NAS_INPUT_CONV, graph->n_convs);
    return graph->n_convs++;
}

static void put_norm_behind(nas_graph_t *graph, int conv, int norm)
{
    graph->conv[conv].norm = norm;
    graph->norm[norm].conv = conv;
}

/* -------------------------------------------------------------------------------- blocks */

static int add_stem(nas_graph_t *graph)
{
    const nas_network_t *net = &graph->network;
    const int node = add_node(graph, net->channels, net->height, net->width);
    const conv_spec_t spec = {
        .name = "stem/conv", .source = -1, .target = node, .k = 3, .stride = 1};
    const int conv = add_conv(graph, &spec);
    put_norm_behind(graph, conv, add_norm(graph, "stem/bn", net->channels, true, false));
    return node;
}

static void add_edge(builder_t *b, int cell, int edge, const int node[NAS_CELL_NODES])
{
    nas_graph_t *graph = b->graph;
    const int source = node[edge_source[edge]], target = node[edge_target[edge]];
    const bool train = graph->network.convention == NAS_CONVENTION_TRAIN;
    char name[NAS_NAME_SIZE / 2];
    switch ((nas_operation_t)b->operation[edge]) {
    case NAS_OPERATION_NONE:
        return;
    case NAS_OPERATION_SKIP:
        add_input(graph, target, NAS_INPUT_COPY, source);
        return;
    case NAS_OPERATION_POOL:
        add_input(graph, target, NAS_INPUT_POOL3, source);
        return;
    case NAS_OPERATION_CONV1:
    case NAS_OPERATION_CONV3:
        break;
    }
    (void)snprintf(name, sizeof name, "cell%d/edge%d/conv", cell, edge);
    const conv_spec_t spec = {.name = name,
                              .source = source,
                              .feed = NAS_FEED_RELU,
                              .target = target,
                              .k = b->operation[edge] == NAS_OPERATION_CONV3 ? 3 : 1,
                              .stride = 1,
                              .bias = !train};
    const int conv = add_conv(graph, &spec);
    (void)snprintf(name, sizeof name, "cell%d/edge%d/bn", cell, edge);
    put_norm_behind(graph, conv, add_norm(graph, name, graph->node[target].c, train, false));
}

static int add_cell(builder_t *b, int cell, int input)
{
    nas_graph_t *graph = b->graph;
    int node[NAS_CELL_NODES] = {input};
    for (int i = 1; i < NAS_CELL_NODES; i++) {
        node[i] = add_node(graph, graph->node[input].c, graph->node[input].h, graph->node[input].w);
        graph->node[node[i]].scale_from = input;
    }
    for (int edge = 0; edge < NAS_CELL_EDGES; edge++) add_edge(b, cell, edge, node);
    graph->node[node[NAS_CELL_NODES - 1]].is_output = true;
    return node[NAS_CELL_NODES - 1];
}

static int add_reduction(nas_graph_t *graph, int index, int input)
{
    const nas_graph_node_t from = graph->node[input];
    char name[4][NAS_NAME_SIZE / 2];
    static const char *const part[4] = {"conv_a", "conv_b", "shortcut", "bn_a"};
    for (int i = 0; i < 3; i++)
        (void)snprintf(name[i], sizeof name[i], "reduction%d/%s", index, part[i]);
    const int middle = add_node(graph, 2 * from.c, from.h / 2, from.w / 2);
    const int output = add_node(graph, 2 * from.c, from.h / 2, from.w / 2);
    const conv_spec_t spec[3] = {{.name = name[0],
                                  .source = input,
                                  .feed = NAS_FEED_RELU,
                                  .target = middle,
                                  .k = 3,
                                  .stride = 2},
                                 {.name = name[1],
                                  .source = middle,
                                  .feed = NAS_FEED_RELU,
                                  .target = output,
                                  .k = 3,
                                  .stride = 1},
                                 {.name = name[2],
                                  .source = input,
                                  .feed = NAS_FEED_POOL2,
                                  .target = output,
                                  .k = 1,
                                  .stride = 1}};
    for (int i = 0; i < 3; i++) {
        const int conv = add_conv(graph, &spec[i]);
        if (i == 2) break; /* the shortcut has no BN */
        (void)snprintf(name[3], sizeof name[3], "reduction%d/bn_%c", index, 'a' + i);
        put_norm_behind(graph, conv, add_norm(graph, name[3], 2 * from.c, true, true));
    }
    graph->node[output].scale_from = input;
    graph->node[output].is_output = true;
    return output;
}

static void add_head(nas_graph_t *graph, int input)
{
    const nas_graph_node_t from = graph->node[input];
    const int head = add_node(graph, from.c, from.h, from.w);
    const int norm = add_norm(graph, "head/bn", from.c, true, false);
    const int weight_shape[4] = {graph->network.classes, from.c},
              bias_shape[4] = {graph->network.classes};
    graph->norm[norm].source = input;
    add_input(graph, head, NAS_INPUT_NORM, norm);
    graph->node[head].n_relu = 1;
    graph->node[head].scale_from = input;
    graph->linear_weight =
        add_parameter(graph, NAS_PARAMETER_WEIGHT, weight_shape, from.c, "head/linear/weight");
    graph->linear_bias =
        add_parameter(graph, NAS_PARAMETER_BIAS, bias_shape, from.c, "head/linear/bias");
}

static void build(builder_t *b)
{
    int node = add_stem(b->graph), cell = 0;
    for (int stage = 0; stage < STAGES; stage++) {
        if (stage) node = add_reduction(b->graph, stage, node);
        for (int i = 0; i < b->graph->network.cells; i++) node = add_cell(b, cell++, node);
    }
    add_head(b->graph, node);
}

/* ------------------------------------------------------------------------ what is wanted */

int nas_graph_source(const nas_graph_t *graph, int node, int input)
{
    const int index = graph->node[node].input[input].index;
    switch (graph->node[node].input[input].kind) {
    case NAS_INPUT_CONV:
        return graph->conv[index].source;
    case NAS_INPUT_NORM:
        return graph->norm[index].source;
    case NAS_INPUT_COPY:
    case NAS_INPUT_POOL3:
        break;
    }
    return index;
}

static void mark_live(nas_graph_t *graph)
{
    graph->node[graph->n_nodes - 1].live = true;
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        const nas_graph_node_t *node = &graph->node[i];
        for (int t = 0; node->live && t < node->n_inputs; t++) {
            const int source = nas_graph_source(graph, i, t);
            if (node->input[t].kind == NAS_INPUT_CONV)
                graph->conv[node->input[t].index].live = true;
            if (source >= 0) graph->node[source].live = true;
        }
    }
}

static bool fits(const nas_graph_t *graph, const nas_graph_group_t *group,
                 const nas_graph_conv_t *conv)
{
    const nas_graph_conv_t *first = &graph->conv[group->conv[0]];
    return first->source == conv->source && first->feed == conv->feed && first->k == conv->k &&
           first->stride == conv->stride && first->live == conv->live;
}

static void group_convs(nas_graph_t *graph, int channel_block)
{
    for (int c = 0; c < graph->n_convs; c++) {
        nas_graph_conv_t *conv = &graph->conv[c];
        int g = conv->c_out % channel_block == 0 ? 0 : graph->n_groups;
        while (g < graph->n_groups && !fits(graph, &graph->group[g], conv)) g++;
        nas_graph_group_t *group = &graph->group[g];
        if (g == graph->n_groups) {
            *group = (nas_graph_group_t){.live = conv->live};
            graph->n_groups++;
        }
        conv->group = g;
        conv->c_first = group->c_out;
        group->conv[group->n_convs++] = c;
        group->c_out += conv->c_out;
    }
}

/* ------------------------------------------------------------------------ life and death */

static nas_status_t check(const nas_network_t *net, const uint8_t *operation, nas_error_t *err)
{
    if (net->image_channels < 1 || net->channels < 1 || net->cells < 1 || net->classes < 1)
        return nas_error_set(err, NAS_EARG, "a network needs at least one channel, cell and class");
    if (net->height < 4 || net->width < 4 || net->height % 4 || net->width % 4)
        return nas_error_set(
            err, NAS_EARG,
            "images of %d x %d cannot be halved twice; height and width must be multiples of 4",
            net->height, net->width);
    for (int e = 0; e < NAS_CELL_EDGES; e++)
        if (operation[e] > NAS_OPERATION_POOL)
            return nas_error_set(err, NAS_EARG, "edge %d has no operation %d", e, operation[e]);
    return NAS_OK;
}

nas_status_t nas_graph_create(const nas_network_t *network, const nas_arch_t *arch,
                              int channel_block, nas_graph_t **graph_p, nas_error_t *err)
{
    const nas_status_t status = check(network, arch->code, err);
    if (status) return status;
    const size_t n_cells = STAGES * (size_t)network->cells;
    const size_t n_convs = 1 + NAS_CELL_EDGES * n_cells + 6, n_nodes = 1 + 3 * n_cells + 5;
    nas_graph_t *graph = calloc(1, sizeof *graph);
    if (!graph) return nas_error_nomem(err, "a network");
    *graph = (nas_graph_t){.network = *network,
                           .node = calloc(n_nodes, sizeof *graph->node),
                           .conv = calloc(n_convs, sizeof *graph->conv),
                           .norm = calloc(n_convs + 1, sizeof *graph->norm),
                           .group = calloc(n_convs, sizeof *graph->group),
                           .parameter = calloc(4 * n_convs + 4, sizeof *graph->parameter)};
    if (!graph->node || !graph->conv || !graph->norm || !graph->group || !graph->parameter) {
        nas_graph_destroy(graph);
        return nas_error_nomem(err, "a network");
    }
    builder_t b = {.graph = graph, .operation = arch->code};
    build(&b);
    mark_live(graph);
    group_convs(graph, channel_block);
    *graph_p = graph;
    return NAS_OK;
}

int nas_graph_find(const nas_graph_t *graph, const char *name)
{
    for (int i = 0; i < graph->n_parameters; i++)
        if (strcmp(graph->parameter[i].name, name) == 0) return i;
    return -1;
}

void nas_graph_destroy(nas_graph_t *graph)
{
    if (!graph) return;
    free(graph->node);
    free(graph->conv);
    free(graph->norm);
    free(graph->group);
    free(graph->parameter);
    free(graph);
}
