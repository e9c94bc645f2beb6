/* A graph from a space's calls: every call is checked and becomes a node.
 *
 * Of what fails, the first reason is kept, and the calls that follow come to nothing: the tensors
 * that they are given, or give, are -1. nas_graph_make tells it at the end.
 */
#include "worker/engine/graph/build.h"

#include "common/base/strings.h"
#include "worker/engine/graph/window.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More values than this are in no tensor of one image, and no array of parameters. */
static const int64_t MOST_VALUES = INT32_MAX;

/* More multiply-adds than this are in no layer, so that those of all layers can be counted. */
static const int64_t MOST_WORK = INT64_C(1) << 45;

static nas_graph_builder_t *of(nas_builder_t *table)
{
    return (nas_graph_builder_t *)(void *)table;
}

static void out_of_memory(nas_graph_builder_t *b)
{
    if (!b->status) b->status = nas_error_nomem(&b->err, "a network");
}

/* ----------------------------------------------------------------------------------------
 * arrays */

/* Room for one more entry of an array that doubles. */
static bool reserve(nas_graph_builder_t *b, void *array_p, int n, int *room, size_t size)
{
    void **array = array_p;
    if (n < *room) return true;
    const int larger = *room > 0 ? 2 * *room : 64;
    void *grown = realloc(*array, (size_t)larger * size);
    if (!grown) {
        out_of_memory(b);
        return false;
    }
    *array = grown;
    *room = larger;
    return true;
}

/* Take over a text, so that it lives as long as the graph. */
static const char *keep(nas_graph_builder_t *b, char *text)
{
    nas_graph_t *graph = b->graph;
    if (!text || !reserve(b, &graph->text, graph->n_texts, &b->text_room, sizeof *graph->text)) {
        free(text);
        out_of_memory(b);
        return NULL;
    }
    return graph->text[graph->n_texts++] = text;
}

/* -----------------------------------------------------------------------------------------
 * names */

static const char *scope(const nas_graph_builder_t *b)
{
    return b->scope ? b->scope : "";
}

static void enter(nas_builder_t *table, const char *name, int number)
{
    nas_graph_builder_t *b = of(table);
    if (b->is_nameless || b->status) return;
    char digits[16] = "";
    if (number >= 0) (void)snprintf(digits, sizeof digits, "%d", number);
    const char *const part[] = {scope(b), b->scope ? "/" : "", name, digits};
    char *text = nas_string_join(part, sizeof part / sizeof *part, &b->err);
    free(b->scope);
    b->scope = text;
    if (!text) out_of_memory(b);
}

static void leave(nas_builder_t *table)
{
    nas_graph_builder_t *b = of(table);
    if (!b->scope) return;
    char *slash = strrchr(b->scope, '/');
    if (slash) {
        *slash = '\0';
        return;
    }
    free(b->scope);
    b->scope = NULL;
}

/* The full name of what is called so in the open scopes. NULL: of the innermost scope itself. */
static const char *full_name(nas_graph_builder_t *b, const char *name)
{
    if (b->is_nameless || b->status) return NULL;
    const char *slash = name && b->scope ? "/" : "";
    const char *const part[] = {scope(b), slash, name ? name : ""};
    return keep(b, nas_string_join(part, sizeof part / sizeof *part, &b->err));
}

/* -----------------------------------------------------------------------------------------
 * nodes */

static nas_extents_t extents(const nas_builder_t *table, int tensor)
{
    const nas_graph_builder_t *b = (const nas_graph_builder_t *)(const void *)table;
    const bool exists = tensor >= 0 && tensor < b->graph->n_nodes;
    return exists ? b->graph->node[tensor].extents : (nas_extents_t){0};
}

static bool are_equal(nas_extents_t a, nas_extents_t b)
{
    return a.c == b.c && a.h == b.h && a.w == b.w;
}

static int refuse(nas_graph_builder_t *b, const char *name, const char *reason)
{
    const bool is_named = name && !b->is_nameless;
    if (!b->status)
        b->status = nas_error_set(&b->err, NAS_EARG, "network: %s%s%s%s%s", scope(b),
                                  is_named && b->scope ? "/" : "", is_named ? name : "",
                                  is_named || b->scope ? ": " : "", reason);
    return -1;
}

/* By the node's name, where it has one. */
static int refuse_node(nas_graph_builder_t *b, const nas_node_t *node, const char *reason)
{
    if (!node->name) return refuse(b, NULL, reason);
    b->status = nas_error_set(&b->err, NAS_EARG, "network: %s: %s", node->name, reason);
    return -1;
}

static int add_input(nas_graph_builder_t *b, int source)
{
    nas_graph_t *graph = b->graph;
    if (!reserve(b, &graph->input, graph->n_inputs, &b->input_room, sizeof *graph->input))
        return -1;
    graph->input[graph->n_inputs] = source;
    graph->node[source].n_readers++;
    return graph->n_inputs++;
}

/* Multiply-adds of a node, or what a pool looks at; of one whose tensor is none too large. */
static int64_t work_of(const nas_builder_t *table, const nas_node_t *node, int source)
{
    const int64_t window = (int64_t)node->window.k_h * node->window.k_w;
    const int64_t c_in = extents(table, source).c;
    const int64_t n_values = (int64_t)node->extents.c * node->extents.h * node->extents.w;
    if (node->kind == NAS_NODE_LINEAR) return c_in * n_values;
    return window * (node->kind == NAS_NODE_CONV ? c_in / node->groups : 1) * n_values;
}

/* Append a node that reads n tensors. Its extents are those of a tensor, or it is refused. */
static int add_node(nas_graph_builder_t *b, nas_node_t node, const int *source, int n)
{
    nas_graph_t *graph = b->graph;
    const nas_extents_t e = node.extents;
    if (b->status) return -1;
    if (e.c < 1 || e.h < 1 || e.w < 1) return refuse_node(b, &node, "nothing is left of its image");
    if ((int64_t)e.h * e.w > MOST_VALUES / e.c)
        return refuse_node(b, &node, "its tensor is too large");
    if (n == 1 && work_of(&b->table, &node, source[0]) > MOST_WORK)
        return refuse_node(b, &node, "too many multiply-adds");
    if (!reserve(b, &graph->node, graph->n_nodes, &b->node_room, sizeof *graph->node)) return -1;
    node.input = graph->n_inputs;
    node.n_inputs = n;
    for (int i = 0; i < n; i++)
        if (add_input(b, source[i]) < 0) return -1;
    graph->node[graph->n_nodes] = node;
    return graph->n_nodes++;
}

/* Whether a call can go on with this tensor. */
static bool is_tensor(const nas_graph_builder_t *b, int tensor)
{
    return !b->status && tensor >= 0 && tensor < b->graph->n_nodes;
}

/* ------------------------------------------------------------------------------------
 * parameters */

static int add_parameter(nas_graph_builder_t *b, const char *layer, const char *what,
                         nas_parameter_t parameter)
{
    nas_graph_t *graph = b->graph;
    if (b->status || !reserve(b, &graph->parameter, graph->n_parameters, &b->parameter_room,
                              sizeof *graph->parameter))
        return -1;
    parameter.n = 1;
    for (int i = 0; i < 4; i++) {
        if (i >= parameter.n_dims) parameter.shape[i] = 1;
        if (parameter.n > MOST_VALUES / parameter.shape[i])
            return refuse(b, layer, "too many parameters");
        parameter.n *= parameter.shape[i];
    }
    if (!b->is_nameless) {
        const char *const part[] = {scope(b), b->scope ? "/" : "", layer, "/", what};
        parameter.name = keep(b, nas_string_join(part, sizeof part / sizeof *part, &b->err));
    }
    parameter.offset = graph->n_values;
    graph->n_values += parameter.n;
    graph->parameter[graph->n_parameters] = parameter;
    return graph->n_parameters++;
}

static int add_vector(nas_graph_builder_t *b, const char *layer, const char *what,
                      nas_parameter_t parameter)
{
    parameter.n_dims = 1;
    return add_parameter(b, layer, what, parameter);
}

/* -----------------------------------------------------------------------------------------
 * calls */

static int image(nas_builder_t *table)
{
    nas_graph_builder_t *b = of(table);
    const nas_network_t *net = &b->graph->network;
    return add_node(b,
                    (nas_node_t){.kind = NAS_NODE_IMAGE,
                                 .name = b->is_nameless ? NULL : "images",
                                 .extents = {net->image_channels, net->height, net->width}},
                    NULL, 0);
}

static int one_for_zero(int x)
{
    return x == 0 ? 1 : x;
}

static nas_window_t square(int k, int stride, int padding, int dilation)
{
    const int s = one_for_zero(stride), d = one_for_zero(dilation), p = padding;
    return (nas_window_t){k, k, s, s, d, d, p, p, p, p};
}

/* The weight of a layer before that this one shares, or its own. */
static int weight_of(nas_graph_builder_t *b, const char *layer, int shares, nas_parameter_t own)
{
    own.kind = NAS_PARAMETER_WEIGHT;
    if (shares == 0) return add_parameter(b, layer, "weight", own);
    const bool is_node = shares > 0 && shares <= b->graph->n_nodes;
    const nas_node_t *node = is_node ? &b->graph->node[shares - 1] : NULL;
    if (!node || (node->kind != NAS_NODE_CONV && node->kind != NAS_NODE_LINEAR))
        return refuse(b, layer, "a share of the weight of what has none");
    const nas_parameter_t *weight = &b->graph->parameter[node->weight];
    for (int i = 0; i < 4; i++)
        if (weight->shape[i] != (i < own.n_dims ? own.shape[i] : 1))
            return refuse(b, layer, "a share of a weight of another shape");
    return node->weight;
}

static int conv(nas_builder_t *table, int source, const nas_conv_spec_t *spec)
{
    nas_graph_builder_t *b = of(table);
    const nas_extents_t from = extents(table, source);
    const nas_window_t window =
        spec->window ? *spec->window : square(spec->k, spec->stride, spec->padding, spec->dilation);
    const int groups = one_for_zero(spec->groups);
    if (!is_tensor(b, source)) return -1;
    if (!nas_window_is_known(&window) || spec->c_out < 1)
        return refuse(b, spec->name, "no such convolution");
    if (groups < 1 || from.c % groups != 0 || spec->c_out % groups != 0)
        return refuse(b, spec->name, "its channels are no multiples of its groups");
    const int c_in = from.c / groups;
    if ((int64_t)c_in * window.k_h * window.k_w > MOST_VALUES)
        return refuse(b, spec->name, "too many parameters");
    const int fan_in = c_in * window.k_h * window.k_w;
    nas_node_t node = {.kind = NAS_NODE_CONV,
                       .name = full_name(b, spec->name),
                       .extents = nas_window_slide(from, spec->c_out, &window, false),
                       .window = window,
                       .groups = groups,
                       .shares_weight = spec->shares != 0,
                       .bias = -1};
    node.weight = weight_of(b, spec->name, spec->shares,
                            (nas_parameter_t){.shape = {spec->c_out, c_in, window.k_h, window.k_w},
                                              .n_dims = 4,
                                              .fan_in = fan_in});
    if (spec->bias)
        node.bias =
            add_vector(b, spec->name, "bias",
                       (nas_parameter_t){
                           .kind = NAS_PARAMETER_BIAS, .shape = {spec->c_out}, .fan_in = fan_in});
    return add_node(b, node, &source, 1);
}

static int norm(nas_builder_t *table, int source, const nas_norm_spec_t *spec)
{
    nas_graph_builder_t *b = of(table);
    if (!is_tensor(b, source)) return -1;
    if (!(spec->eps > 0 && spec->momentum >= 0 && spec->momentum <= 1))
        return refuse(b, spec->name, "no such BN");
    nas_node_t node = {.kind = NAS_NODE_NORM,
                       .name = full_name(b, spec->name),
                       .extents = extents(table, source),
                       .weight = -1,
                       .bias = -1,
                       .eps = spec->eps,
                       .momentum = spec->momentum > 0 ? spec->momentum : NAS_DEFAULT_MOMENTUM,
                       .is_kept = spec->is_kept,
                       .statistics = b->graph->n_statistics};
    if (spec->affine) {
        node.weight =
            add_vector(b, spec->name, "gamma",
                       (nas_parameter_t){.kind = NAS_PARAMETER_GAMMA, .shape = {node.extents.c}});
        node.bias =
            add_vector(b, spec->name, "beta",
                       (nas_parameter_t){.kind = NAS_PARAMETER_BETA, .shape = {node.extents.c}});
    }
    b->graph->n_statistics += 2 * (int64_t)node.extents.c;
    return add_node(b, node, &source, 1);
}

static int rectify(nas_builder_t *table, int source, nas_rectifier_t kind)
{
    nas_graph_builder_t *b = of(table);
    if (!is_tensor(b, source)) return -1;
    const nas_node_t node = {
        .kind = NAS_NODE_RECTIFIER, .extents = extents(table, source), .rectifier = kind};
    return add_node(b, node, &source, 1);
}

static int pool(nas_builder_t *table, int source, const nas_pool_spec_t *spec)
{
    nas_graph_builder_t *b = of(table);
    const nas_extents_t from = extents(table, source);
    const nas_window_t window = spec->window
                                    ? *spec->window
                                    : square(one_for_zero(spec->k), spec->stride, spec->padding, 1);
    const bool is_global = !spec->window && spec->k == 0;
    if (!is_tensor(b, source)) return -1;
    if (!nas_window_is_known(&window) || !nas_window_is_pool(&window) ||
        (is_global && window.top > 0))
        return refuse(b, spec->name, "no such pool");
    const nas_node_t node = {.kind = NAS_NODE_POOL,
                             .name = spec->name ? full_name(b, spec->name) : NULL,
                             .extents = is_global
                                            ? (nas_extents_t){from.c, 1, 1}
                                            : nas_window_slide(from, from.c, &window, spec->ceil),
                             .window = window,
                             .pool = spec->kind,
                             .is_global = is_global,
                             .counts_padding = spec->counts_padding,
                             .ceil = spec->ceil};
    return add_node(b, node, &source, 1);
}

/* Whether all tensors of a sum or concatenation are there. */
static bool are_tensors(const nas_graph_builder_t *b, const nas_join_spec_t *spec)
{
    for (int i = 0; i < spec->n; i++)
        if (!is_tensor(b, spec->source[i])) return false;
    return !b->status;
}

static int sum(nas_builder_t *table, const nas_join_spec_t *spec, nas_extents_t like)
{
    nas_graph_builder_t *b = of(table);
    if (!are_tensors(b, spec)) return -1;
    const nas_extents_t e = spec->n > 0 ? extents(table, spec->source[0]) : like;
    for (int i = 1; i < spec->n; i++)
        if (!are_equal(e, extents(table, spec->source[i])))
            return refuse(b, spec->name, "a sum of tensors of different extents");
    const nas_node_t node = {.kind = NAS_NODE_SUM, .name = full_name(b, spec->name), .extents = e};
    return add_node(b, node, spec->source, spec->n);
}

static int concat(nas_builder_t *table, const nas_join_spec_t *spec)
{
    nas_graph_builder_t *b = of(table);
    if (!are_tensors(b, spec)) return -1;
    if (spec->n < 1) return refuse(b, spec->name, "a concatenation of nothing");
    nas_extents_t all = extents(table, spec->source[0]);
    for (int i = 1; i < spec->n; i++) {
        const nas_extents_t e = extents(table, spec->source[i]);
        if (e.h != all.h || e.w != all.w)
            return refuse(b, spec->name, "a concatenation of images of different extents");
        if (e.c > INT_MAX - all.c) return refuse(b, spec->name, "too many channels");
        all.c += e.c;
    }
    const nas_node_t node = {
        .kind = NAS_NODE_CONCAT, .name = full_name(b, spec->name), .extents = all};
    return add_node(b, node, spec->source, spec->n);
}

/* Something is left of it, so that offsets are small too. */
static int crop(nas_builder_t *table, int source, const nas_crop_spec_t *spec)
{
    nas_graph_builder_t *b = of(table);
    const nas_extents_t from = extents(table, source);
    if (!is_tensor(b, source)) return -1;
    if (spec->h < 1 || spec->w < 1 || spec->top >= from.h || spec->left >= from.w ||
        spec->top <= -spec->h || spec->left <= -spec->w)
        return refuse(b, spec->name, "no such part of its tensor");
    const nas_node_t node = {.kind = NAS_NODE_CROP,
                             .name = spec->name ? full_name(b, spec->name) : NULL,
                             .extents = {from.c, spec->h, spec->w},
                             .top = spec->top,
                             .left = spec->left};
    return add_node(b, node, &source, 1);
}

static int flatten(nas_builder_t *table, int source, const char *name)
{
    nas_graph_builder_t *b = of(table);
    const nas_extents_t e = extents(table, source);
    if (!is_tensor(b, source)) return -1;
    const nas_node_t node = {
        .kind = NAS_NODE_FLATTEN, .name = full_name(b, name), .extents = {e.c * e.h * e.w, 1, 1}};
    return add_node(b, node, &source, 1);
}

static int linear(nas_builder_t *table, int source, const nas_linear_spec_t *spec)
{
    nas_graph_builder_t *b = of(table);
    const nas_extents_t from = extents(table, source);
    if (!is_tensor(b, source)) return -1;
    if (from.h != 1 || from.w != 1)
        return refuse(b, spec->name, "a linear layer of a tensor that is not flat");
    if (spec->n_out < 1) return refuse(b, spec->name, "no such linear layer");
    nas_node_t node = {.kind = NAS_NODE_LINEAR,
                       .name = full_name(b, spec->name),
                       .extents = {spec->n_out, 1, 1},
                       .shares_weight = spec->shares != 0,
                       .bias = -1};
    node.weight =
        weight_of(b, spec->name, spec->shares,
                  (nas_parameter_t){.shape = {spec->n_out, from.c}, .n_dims = 2, .fan_in = from.c});
    if (spec->bias)
        node.bias =
            add_vector(b, spec->name, "bias",
                       (nas_parameter_t){
                           .kind = NAS_PARAMETER_BIAS, .shape = {spec->n_out}, .fan_in = from.c});
    return add_node(b, node, &source, 1);
}

static void end_block(nas_builder_t *table, int tensor)
{
    nas_graph_builder_t *b = of(table);
    if (is_tensor(b, tensor)) b->graph->node[tensor].ends_block = true;
}

static void output(nas_builder_t *table, int tensor)
{
    nas_graph_builder_t *b = of(table);
    const nas_extents_t e = extents(table, tensor);
    if (!is_tensor(b, tensor)) return;
    if (e.h != 1 || e.w != 1 || e.c != b->graph->network.classes)
        (void)refuse(b, NULL, "its output is not one number a class");
    b->graph->output = tensor;
}

nas_graph_builder_t nas_graph_builder(nas_graph_t *graph, bool is_nameless)
{
    graph->output = -1;
    return (nas_graph_builder_t){.table = {.enter = enter,
                                           .leave = leave,
                                           .extents = extents,
                                           .image = image,
                                           .conv = conv,
                                           .norm = norm,
                                           .rectify = rectify,
                                           .pool = pool,
                                           .sum = sum,
                                           .concat = concat,
                                           .crop = crop,
                                           .flatten = flatten,
                                           .linear = linear,
                                           .end_block = end_block,
                                           .output = output},
                                 .graph = graph,
                                 .is_nameless = is_nameless};
}
