/* From the graph to sums of terms.
 *
 * One pass over the graph's nodes, in their order. Sums become nodes; so does any other tensor that
 * is read by what reads nodes (lower_nodes.c). Convolutions and whatever else has a tensor of its own
 * become links (lower_links.c). All else is looked at from its reader: what a sum adds, what a link
 * reads. Numbers of nodes, links and BNs are in the order of the graph, and so are the terms of a
 * sum: results depend on it in their last bits.
 *
 * The end of the network is found first: whatever of ReLU, mean over the pixels, flat tensor and
 * linear layer it has is the head, which is computed in float64.
 */
#include "worker/engine/program/lower.h"

#include "worker/engine/program/lowering.h"

#include <stdlib.h>

enum { NONE = NAS_LOWERING_NONE };

/* ----------------------------------------------------------------------------------------- head */

/* What a node reads, where the node is of this kind and nothing else reads it; or NONE. */
static int pass(const nas_lowering_t *l, int node, nas_node_kind_t kind)
{
    const nas_node_t *n = nas_lowering_at(l, node);
    const bool is_read_once = n->n_readers == (node == l->graph->output ? 0 : 1);
    return n->kind == kind && is_read_once ? nas_lowering_source(l, node) : NONE;
}

static bool is_pixel(nas_extents_t e)
{
    return e.h == 1 && e.w == 1;
}

/* Follow the end of the network to what the head reads. A layer that shares its weight with others
 * is none of the head's. */
static void find_head(nas_lowering_t *l)
{
    nas_lowering_head_t *head = &l->head;
    const nas_node_t *output = nas_lowering_at(l, l->graph->output);
    int at = l->graph->output, before = NONE;
    *head = (nas_lowering_head_t){at, at, NONE, NONE, NONE};
    bool is_own = output->kind == NAS_NODE_LINEAR && !output->shares_weight;
    for (int i = 0; is_own && i < l->graph->n_nodes; i++) {
        const nas_node_t *n = nas_lowering_at(l, i);
        is_own = !n->shares_weight || n->weight != output->weight;
    }
    if (is_own && (before = pass(l, at, NAS_NODE_LINEAR)) != NONE) {
        head->linear = at;
        at = before;
    }
    before = pass(l, at, NAS_NODE_FLATTEN);
    if (before != NONE && is_pixel(nas_lowering_at(l, before)->extents)) {
        head->flatten = at;
        at = before;
    }
    before = pass(l, at, NAS_NODE_POOL);
    if (before != NONE && nas_lowering_at(l, at)->is_global &&
        nas_lowering_at(l, at)->pool == NAS_POOL_MEAN) {
        head->pool = at;
        at = before;
    }
    const bool is_rectified = nas_lowering_at(l, at)->kind == NAS_NODE_RECTIFIER;
    head->value = at;
    head->term = is_rectified ? nas_lowering_source(l, at) : at;
    if (nas_lowering_at(l, head->term)->kind == NAS_NODE_SUM &&
        nas_lowering_at(l, head->term)->n_inputs == 1)
        head->term = nas_lowering_source(l, head->term);
    l->to->linear_weight = head->linear == NONE ? NONE : output->weight;
    l->to->linear_bias = head->linear == NONE ? NONE : output->bias;
}

static void lower_head(nas_lowering_t *l)
{
    const nas_lowering_value_t value = nas_lowering_read(l, l->head.value);
    l->to->head = value.node;
    l->to->head_rectified = value.rectified;
}

/* ------------------------------------------------------------------------------------------ all */

static bool reads_images(const nas_lowering_t *l, int node)
{
    bool reads = false;
    for (int i = 0; i < nas_lowering_at(l, node)->n_inputs; i++)
        reads |= nas_lowering_at(l, nas_graph_input(l->graph, node, i))->kind == NAS_NODE_IMAGE;
    return reads;
}

static void lower_node(nas_lowering_t *l, int node)
{
    if (nas_lowering_at(l, node)->kind != NAS_NODE_CONV && reads_images(l, node)) {
        nas_lowering_refuse(l, node, "anything but a convolution of the images");
        return;
    }
    switch (nas_lowering_at(l, node)->kind) {
    case NAS_NODE_CONV:
        nas_lower_conv(l, node);
        break;
    case NAS_NODE_NORM:
        nas_lower_norm(l, node);
        break;
    case NAS_NODE_RECTIFIER:
        nas_lower_rectifier(l, node);
        break;
    case NAS_NODE_POOL:
        nas_lower_pool(l, node);
        break;
    case NAS_NODE_SUM:
        nas_lower_sum(l, node);
        break;
    case NAS_NODE_CONCAT:
        nas_lower_concat(l, node);
        break;
    case NAS_NODE_CROP:
        nas_lower_crop(l, node);
        break;
    case NAS_NODE_FLATTEN:
        nas_lower_flatten(l, node);
        break;
    case NAS_NODE_LINEAR:
        nas_lower_linear(l, node);
        break;
    case NAS_NODE_IMAGE:
        break;
    }
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

/* Links that have the weight of another. */
static void find_shared(nas_lowering_t *l)
{
    for (int i = 0; i < l->graph->n_nodes; i++) {
        if (!nas_lowering_at(l, i)->shares_weight) continue;
        for (int k = 0; k < l->to->n_links; k++)
            l->to->link[k].is_shared |= l->to->link[k].weight == nas_lowering_at(l, i)->weight;
    }
}

/* What can be seen only when all is there. */
static void check_ends(nas_lowering_t *l)
{
    const nas_lowered_t *to = l->to;
    find_shared(l);
    for (int i = 0; !l->status && i < to->n_links; i++) {
        const nas_lowered_link_t *link = &to->link[i];
        if (link->target < 0) nas_lowering_refuse(l, l->link_from[i], "what nothing reads");
    }
}

/* --------------------------------------------------------------------------------- life cycle */

static void find_readers(nas_lowering_t *l)
{
    for (int i = 0; i < l->graph->n_nodes; i++) l->feeds_convs[i] = i != l->graph->output;
    for (int i = 0; i < l->graph->n_nodes; i++)
        for (int k = 0; k < nas_lowering_at(l, i)->n_inputs; k++)
            if (nas_lowering_at(l, i)->kind != NAS_NODE_CONV)
                l->feeds_convs[nas_graph_input(l->graph, i, k)] = false;
}

/* Every node of the graph may become one of everything. */
static nas_status_t allocate(nas_lowering_t *l)
{
    const size_t n = (size_t)l->graph->n_nodes;
    nas_lowered_t *to = l->to;
    to->node = calloc(n, sizeof *to->node);
    to->link = calloc(n, sizeof *to->link);
    to->norm = calloc(n, sizeof *to->norm);
    to->input = calloc(n + (size_t)l->graph->n_inputs, sizeof *to->input);
    l->node_of = malloc(3 * n * sizeof *l->node_of);
    l->rectified = calloc(2 * n, sizeof *l->rectified);
    if (!to->node || !to->link || !to->norm || !to->input || !l->node_of || !l->rectified)
        return nas_error_nomem(l->err, "a network's program");
    l->number_of = l->node_of + n;
    l->link_from = l->number_of + n;
    l->feeds_convs = l->rectified + n;
    for (size_t i = 0; i < 3 * n; i++) l->node_of[i] = NONE;
    find_readers(l);
    return NAS_OK;
}

static void lower_all(nas_lowering_t *l)
{
    l->first_end = l->begin = NONE;
    for (int i = l->graph->n_nodes - 1; i >= 0; i--)
        if (nas_lowering_at(l, i)->ends_block) l->first_end = i;
    l->to->has_blocks = l->first_end != NONE;
    find_head(l);
    for (int i = 0; !l->status && i < l->graph->n_nodes; i++) lower_node(l, i);
    if (!l->status) lower_head(l);
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
    nas_lowering_t l = {.graph = graph, .to = to, .err = err};
    l.status = allocate(&l);
    if (!l.status) lower_all(&l);
    free(l.node_of);
    free(l.rectified);
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
    free(lowered->link);
    free(lowered->norm);
    free(lowered->input);
    free(lowered);
}
