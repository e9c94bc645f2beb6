/* From the graph to sums of terms.
 *
 * One pass over the graph's nodes, in their order. Sums become nodes; so does any other tensor that
 * is read by what reads nodes (a ReLU, a pool, a second sum): a sum of one term. All else is looked
 * at from its reader: what a sum adds, what a convolution reads. Numbers of nodes, convolutions and
 * BNs are in the order of the graph, and so are the terms of a sum: results depend on it in their
 * last bits.
 *
 * Synflow: a node's inputs have the exponent of the nodes that they are made of, back to the last
 * one that was brought to about 1, or to a BN that is kept. Zeros have that of their block's input,
 * since biases may follow. A sum of different ones has no such form.
 */
#include "worker/engine/program/lower.h"

#include <stdlib.h>

enum { NONE = -1, DESCRIPTION_SIZE = 160 };

/* The end of a network, as nodes of the graph: ReLU, mean over the pixels, flat, linear. */
typedef struct head {
    int rectifier;
    int pool;
    int flatten;
    int linear;
} head_t;

typedef struct lowering {
    const nas_graph_t *graph;
    nas_lowered_t *to;
    head_t head;
    int first_end;  /* of a block, in the graph; NONE: blocks have no ends */
    int begin;      /* node at which the block under way begins; NONE: none ended before */
    int *node_of;   /* [nodes of the graph] node that its tensor is; NONE: not one yet */
    int *number_of; /* [nodes of the graph] of a convolution or BN */
    int *conv_from; /* [convolutions] node of the graph */
    int *norm_from; /* [BNs] likewise */
    nas_status_t status;
    nas_error_t *err;
} lowering_t;

static const nas_node_t *at(const lowering_t *l, int node)
{
    return &l->graph->node[node];
}

static int source_of(const lowering_t *l, int node)
{
    return nas_graph_input(l->graph, node, 0);
}

/* A node of the graph that programs do not compute yet. */
static void refuse(lowering_t *l, int node, const char *what)
{
    char name[DESCRIPTION_SIZE];
    if (l->status) return;
    (void)nas_graph_describe(l->graph, node, name, sizeof name);
    l->status =
        nas_error_set(l->err, NAS_EARG, "network: %s: %s cannot be computed yet", name, what);
}

/* ---------------------------------------------------------------------------------------
 * kernels */

static bool is_square(const nas_window_t *w, int k, int stride, int padding)
{
    const nas_window_t is = {k, k, stride, stride, 1, 1, padding, padding, padding, padding};
    return nas_window_is_same(w, &is);
}

static bool is_mean(const nas_node_t *pool, int k, int stride, int padding)
{
    const nas_window_t *w = &pool->window;
    return pool->kind == NAS_NODE_POOL && pool->pool == NAS_POOL_MEAN && !pool->is_global &&
           is_square(w, k, stride, padding) && !pool->ceil &&
           (padding == 0 || !pool->counts_padding);
}

/* The mean within one pixel, over fewer at the edges: a term. */
static bool is_pool3(const nas_node_t *node)
{
    return is_mean(node, 3, 1, 1);
}

/* The mean that halves the resolution: what a convolution reads. */
static bool is_pool2(const lowering_t *l, int node)
{
    const nas_node_t *n = at(l, node);
    if (!is_mean(n, 2, 2, 0)) return false;
    const nas_extents_t from = at(l, source_of(l, node))->extents;
    return from.h == 2 * n->extents.h && from.w == 2 * n->extents.w;
}

static void check_conv(lowering_t *l, int node)
{
    const nas_node_t *n = at(l, node);
    const nas_extents_t from = at(l, source_of(l, node))->extents;
    const nas_window_t *w = &n->window;
    if (n->groups != 1) refuse(l, node, "a convolution of several groups");
    if (w->dilation_h != 1 || w->dilation_w != 1) refuse(l, node, "a dilated convolution");
    if (w->k_h != w->k_w || (w->k_h != 1 && w->k_h != 3))
        refuse(l, node, "a convolution of a kernel but 1 x 1 and 3 x 3");
    if (!is_square(w, w->k_h, w->stride_h, w->k_h / 2))
        refuse(l, node, "a convolution padded by other than half its kernel");
    if (w->stride_h > 2 || from.h != n->extents.h * w->stride_h ||
        from.w != n->extents.w * w->stride_h)
        refuse(l, node, "a convolution with a stride that neither keeps nor halves the resolution");
}

static void check_pool(lowering_t *l, int node)
{
    const nas_node_t *n = at(l, node);
    if (n->pool == NAS_POOL_MAX)
        refuse(l, node, "a pool by maximum");
    else if (n->is_global && node != l->head.pool)
        refuse(l, node, "a pool of the whole image before the network's end");
    else if (!n->is_global && !is_pool3(n) && !is_pool2(l, node))
        refuse(
            l, node,
            "a pool but 3 x 3 at stride 1, padding not counted, and 2 x 2 that halves the resolution");
}

/* -----------------------------------------------------------------------------------------
 * terms */

/* The node that a term of this kind is made of, or NONE. */
static int source_of_term(const nas_lowered_t *to, nas_input_kind_t kind, int index)
{
    switch (kind) {
    case NAS_INPUT_CONV:
        return to->conv[index].source;
    case NAS_INPUT_NORM:
        return to->norm[index].source;
    case NAS_INPUT_COPY:
    case NAS_INPUT_POOL3:
        break;
    }
    return index;
}

/* The BN that an input of a node went through last, or NONE. */
static int norm_of_input(const nas_lowered_t *to, const nas_lowered_input_t *input)
{
    switch (input->kind) {
    case NAS_INPUT_CONV:
        return to->conv[input->index].norm;
    case NAS_INPUT_NORM:
        return input->index;
    case NAS_INPUT_COPY:
    case NAS_INPUT_POOL3:
        break;
    }
    return NONE;
}

/* The node whose exponent a node's tensor has, NONE: 0. */
static int exponent_of(const nas_lowered_t *to, int node)
{
    if (node < 0) return NONE;
    return to->node[node].is_output ? node : to->node[node].scale_from;
}

/* Where the exponent of a node's inputs comes from; all of them are there. */
static void find_scale(lowering_t *l, int from)
{
    nas_lowered_t *to = l->to;
    const int node = l->node_of[from];
    nas_lowered_node_t *n = &to->node[node];
    bool is_found = false;
    if (n->n_inputs == 0) n->scale_from = exponent_of(to, l->begin);
    for (int i = 0; i < n->n_inputs; i++) {
        const int norm = norm_of_input(to, &n->input[i]);
        if (norm >= 0 && to->norm[norm].in_reduction) continue;
        const int scale = exponent_of(to, n->input[i].source);
        if (is_found && scale != n->scale_from)
            refuse(l, from, "a sum of tensors from before and behind the end of a block");
        n->scale_from = scale;
        is_found = true;
    }
    if (at(l, from)->ends_block) l->begin = node;
}

/* A node that is the tensor of a node of the graph. Its inputs are added before the next is
 * made. */
static int make_node(lowering_t *l, int from)
{
    const nas_node_t *n = at(l, from);
    l->to->node[l->to->n_nodes] =
        (nas_lowered_node_t){.c = n->extents.c,
                             .h = n->extents.h,
                             .w = n->extents.w,
                             .input = l->to->input + l->to->n_inputs,
                             .live = n->live,
                             .is_output = n->ends_block && from != l->first_end,
                             .scale_from = NONE};
    l->node_of[from] = l->to->n_nodes;
    return l->to->n_nodes++;
}

static void add_input(lowering_t *l, int from, nas_input_kind_t kind, int index)
{
    const int node = l->node_of[from];
    nas_lowered_node_t *n = &l->to->node[node];
    n->input[n->n_inputs++] = (nas_lowered_input_t){
        .kind = kind, .index = index, .node = node, .source = source_of_term(l->to, kind, index)};
    l->to->n_inputs++;
    if (kind == NAS_INPUT_CONV) l->to->conv[index].target = node;
}

/* What a BN brings: the convolution before it, or a node. */
static void add_norm_term(lowering_t *l, int from, int term)
{
    const int number = l->number_of[term], conv = l->to->norm[number].conv;
    if (conv >= 0)
        add_input(l, from, NAS_INPUT_CONV, conv);
    else
        add_input(l, from, NAS_INPUT_NORM, number);
}

/* Add to the sum that `from` is a tensor that it alone reads. */
static void add_term(lowering_t *l, int from, int term)
{
    switch (at(l, term)->kind) {
    case NAS_NODE_CONV:
        add_input(l, from, NAS_INPUT_CONV, l->number_of[term]);
        break;
    case NAS_NODE_NORM:
        add_norm_term(l, from, term);
        break;
    case NAS_NODE_POOL:
        if (is_pool3(at(l, term)))
            add_input(l, from, NAS_INPUT_POOL3, l->node_of[source_of(l, term)]);
        else
            refuse(l, term, "a pool that changes the resolution before anything but a convolution");
        break;
    case NAS_NODE_RECTIFIER:
        refuse(l, term, "a rectified tensor that anything but a convolution reads");
        break;
    case NAS_NODE_IMAGE:
        refuse(l, term, "anything but a convolution of them");
        break;
    case NAS_NODE_FLATTEN:
    case NAS_NODE_LINEAR:
        refuse(l, term, "what reads it besides");
        break;
    case NAS_NODE_CONCAT:
    case NAS_NODE_CROP:
    case NAS_NODE_SUM:
        NAS_ASSERT(l->status); /* refused, and a node already */
    }
}

/* Make the tensor of a node of the graph a node, where it is none yet. */
static int read_node(lowering_t *l, int from)
{
    if (l->node_of[from] != NONE) return l->node_of[from];
    (void)make_node(l, from);
    add_term(l, from, from);
    find_scale(l, from);
    return l->node_of[from];
}

/* ------------------------------------------------------------------------------------------
 * nodes */

static void lower_conv(lowering_t *l, int node)
{
    const nas_node_t *n = at(l, node);
    const int source = source_of(l, node);
    const nas_node_kind_t kind = at(l, source)->kind;
    nas_lowered_conv_t conv = {.source = NONE,
                               .k = n->window.k_h,
                               .stride = n->window.stride_h,
                               .c_in = at(l, source)->extents.c,
                               .c_out = n->extents.c,
                               .target = NONE,
                               .weight = n->weight,
                               .bias = n->bias,
                               .norm = NONE,
                               .live = n->live};
    check_conv(l, node);
    if (kind == NAS_NODE_RECTIFIER || (kind == NAS_NODE_POOL && is_pool2(l, source))) {
        conv.feed = kind == NAS_NODE_RECTIFIER ? NAS_FEED_RELU : NAS_FEED_POOL2;
        conv.source = read_node(l, source_of(l, source));
    } else if (kind != NAS_NODE_IMAGE) {
        refuse(l, node, "a convolution of what is neither rectified nor halved by a pool");
    }
    l->number_of[node] = l->to->n_convs;
    l->conv_from[l->to->n_convs] = node;
    l->to->conv[l->to->n_convs++] = conv;
}

static void lower_norm(lowering_t *l, int node)
{
    const nas_node_t *n = at(l, node);
    const int source = source_of(l, node), number = l->to->n_norms;
    const bool is_behind_conv =
        at(l, source)->kind == NAS_NODE_CONV && at(l, source)->n_readers == 1;
    nas_lowered_norm_t norm = {.c = n->extents.c,
                               .gamma = n->weight,
                               .beta = n->bias,
                               .conv = NONE,
                               .source = NONE,
                               .eps = n->eps,
                               .in_reduction = n->is_kept,
                               .statistics = n->statistics};
    if (is_behind_conv) {
        norm.conv = l->number_of[source];
        l->to->conv[norm.conv].norm = number;
    } else {
        norm.source = read_node(l, source);
    }
    l->number_of[node] = number;
    l->norm_from[number] = node;
    l->to->norm[l->to->n_norms++] = norm;
}

/* Whether a sum takes a tensor as a term, not as a node. */
static bool is_term(const lowering_t *l, int node)
{
    return l->node_of[node] == NONE && at(l, node)->n_readers == 1;
}

static void lower_sum(lowering_t *l, int node)
{
    const int n = at(l, node)->n_inputs;
    for (int i = 0; i < n; i++) {
        const int input = nas_graph_input(l->graph, node, i);
        if (!is_term(l, input)) (void)read_node(l, input);
    }
    (void)make_node(l, node);
    for (int i = 0; i < n; i++) {
        const int input = nas_graph_input(l->graph, node, i);
        if (l->node_of[input] != NONE)
            add_input(l, node, NAS_INPUT_COPY, l->node_of[input]);
        else
            add_term(l, node, input);
    }
    find_scale(l, node);
}

static void lower_node(lowering_t *l, int node)
{
    const nas_node_t *n = at(l, node);
    switch (n->kind) {
    case NAS_NODE_CONV:
        lower_conv(l, node);
        break;
    case NAS_NODE_NORM:
        lower_norm(l, node);
        break;
    case NAS_NODE_RECTIFIER:
        if (n->rectifier != NAS_RECTIFIER_RELU) refuse(l, node, "ReLU6");
        l->to->node[read_node(l, source_of(l, node))].n_relu++;
        break;
    case NAS_NODE_POOL:
        check_pool(l, node);
        if (node != l->head.pool) (void)read_node(l, source_of(l, node));
        break;
    case NAS_NODE_SUM:
        lower_sum(l, node);
        break;
    case NAS_NODE_CONCAT:
        refuse(l, node, "a concatenation");
        break;
    case NAS_NODE_CROP:
        refuse(l, node, "a part of a tensor");
        break;
    case NAS_NODE_FLATTEN:
        if (node != l->head.flatten) refuse(l, node, "a flat tensor before the network's end");
        break;
    case NAS_NODE_LINEAR:
        if (node != l->head.linear) refuse(l, node, "a linear layer before the network's end");
        break;
    case NAS_NODE_IMAGE:
        break;
    }
}

/* -------------------------------------------------------------------------------------------
 * head */

/* The only input of a node, where that is of this kind and read by nothing else; or NONE. */
static int only_source(const lowering_t *l, int node, nas_node_kind_t kind)
{
    if (node < 0 || at(l, node)->n_inputs != 1) return NONE;
    const int source = source_of(l, node);
    return at(l, source)->kind == kind && at(l, source)->n_readers == 1 ? source : NONE;
}

static void find_head(lowering_t *l)
{
    const int output = l->graph->output;
    head_t *head = &l->head;
    head->linear = at(l, output)->kind == NAS_NODE_LINEAR ? output : NONE;
    head->flatten = only_source(l, head->linear, NAS_NODE_FLATTEN);
    head->pool = only_source(l, head->flatten, NAS_NODE_POOL);
    head->rectifier = only_source(l, head->pool, NAS_NODE_RECTIFIER);
    if (head->rectifier < 0 || !at(l, head->pool)->is_global || at(l, output)->bias < 0)
        refuse(l, output,
               "an end but ReLU, mean of the whole image and one linear layer with bias");
    l->to->linear_weight = at(l, output)->weight;
    l->to->linear_bias = at(l, output)->bias;
}

/* From the last input on, so that each node's readers are in the order of theirs. */
static void link_readers(nas_lowered_t *to)
{
    for (int i = to->n_inputs - 1; i >= 0; i--) {
        nas_lowered_input_t *input = &to->input[i];
        if (input->source < 0) continue;
        nas_lowered_node_t *source = &to->node[input->source];
        input->next_reader = source->reader;
        source->reader = input;
    }
}

/* What can be seen only when all is there. */
static void check_ends(lowering_t *l)
{
    const nas_lowered_t *to = l->to;
    const int last = to->n_nodes - 1;
    if (!l->status && l->node_of[source_of(l, l->head.rectifier)] != last)
        refuse(l, l->graph->output, "an end that is not of the last tensor");
    for (int i = 0; !l->status && i < to->n_convs; i++) {
        const nas_lowered_conv_t *conv = &to->conv[i];
        if (conv->target < 0) refuse(l, l->conv_from[i], "a convolution that nothing reads");
        if (conv->bias >= 0 && conv->norm < 0)
            refuse(l, l->conv_from[i], "the bias of a convolution without BN");
    }
    for (int i = 0; !l->status && i < to->n_norms; i++) {
        const nas_lowered_node_t *end = &to->node[last];
        const bool is_at_end =
            end->n_inputs == 1 && end->input[0].kind == NAS_INPUT_NORM && end->input[0].index == i;
        if (to->norm[i].conv < 0 && !is_at_end)
            refuse(l, l->norm_from[i],
                   "a BN behind anything but a convolution, before the network's end");
    }
}

/* -------------------------------------------------------------------------------------- life
 * cycle */

/* Every node of the graph may become one of everything. */
static nas_status_t allocate(lowering_t *l)
{
    const size_t n = (size_t)l->graph->n_nodes;
    nas_lowered_t *to = l->to;
    to->node = calloc(n, sizeof *to->node);
    to->conv = calloc(n, sizeof *to->conv);
    to->norm = calloc(n, sizeof *to->norm);
    to->input = calloc(n + (size_t)l->graph->n_inputs, sizeof *to->input);
    l->node_of = malloc(4 * n * sizeof *l->node_of);
    if (!to->node || !to->conv || !to->norm || !to->input || !l->node_of)
        return nas_error_nomem(l->err, "a network's program");
    l->number_of = l->node_of + n;
    l->conv_from = l->number_of + n;
    l->norm_from = l->conv_from + n;
    for (size_t i = 0; i < 4 * n; i++) l->node_of[i] = NONE;
    return NAS_OK;
}

static void lower_all(lowering_t *l)
{
    l->first_end = l->begin = NONE;
    for (int i = l->graph->n_nodes - 1; i >= 0; i--)
        if (at(l, i)->ends_block) l->first_end = i;
    find_head(l);
    for (int i = 0; !l->status && i < l->graph->n_nodes; i++) lower_node(l, i);
    link_readers(l->to);
    if (!l->status) check_ends(l);
}

nas_status_t nas_lower(const nas_graph_t *graph, nas_lowered_t **lowered_p, nas_error_t *err)
{
    nas_lowered_t *to = calloc(1, sizeof *to);
    if (!to) return nas_error_nomem(err, "a network's program");
    *to = (nas_lowered_t){.network = graph->network,
                          .parameter = graph->parameter,
                          .n_parameters = graph->n_parameters,
                          .n_values = graph->n_values,
                          .n_statistics = graph->n_statistics};
    lowering_t l = {.graph = graph, .to = to, .err = err};
    l.status = allocate(&l);
    if (!l.status) lower_all(&l);
    free(l.node_of);
    if (l.status) {
        nas_lowered_destroy(to);
        return l.status;
    }
    *lowered_p = to;
    return NAS_OK;
}

void nas_lowered_destroy(nas_lowered_t *lowered)
{
    if (!lowered) return;
    free(lowered->node);
    free(lowered->conv);
    free(lowered->norm);
    free(lowered->input);
    free(lowered);
}
