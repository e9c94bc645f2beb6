#include "worker/engine/graph/cost.h"

#include <stdlib.h>

static int64_t elements(nas_extents_t e)
{
    return (int64_t)e.c * e.h * e.w;
}

/* Inputs that an element of a convolution or linear layer is a sum over, times the elements. */
static int64_t multiply_adds(const nas_graph_t *graph, const nas_node_t *node)
{
    return graph->parameter[node->weight].fan_in * elements(node->extents);
}

static int64_t pool_operations(const nas_graph_t *graph, int node)
{
    const nas_node_t *n = &graph->node[node];
    const nas_extents_t from = graph->node[nas_graph_input(graph, node, 0)].extents;
    if (n->is_global) return from.c * (from.h + (int64_t)1) * (from.w + (int64_t)1);
    return (int64_t)n->window.k_h * n->window.k_w * elements(n->extents);
}

/* Terms that are tensors as they stand, or pooled. */
static int other_terms(const nas_graph_t *graph, int node, const bool *counted)
{
    int n = 0;
    for (int i = 0; i < graph->node[node].n_inputs; i++) {
        const int term = nas_graph_input(graph, node, i);
        const nas_node_kind_t kind = graph->node[term].kind;
        n += counted[term] && (kind == NAS_NODE_SUM || kind == NAS_NODE_POOL);
    }
    return n;
}

static int64_t elements_of(const nas_graph_t *graph, int parameter)
{
    return parameter < 0 ? 0 : graph->parameter[parameter].n;
}

static void add(const nas_graph_t *graph, int node, const bool *counted, nas_cost_t *cost)
{
    const nas_node_t *n = &graph->node[node];
    const bool has_parameters =
        n->kind == NAS_NODE_CONV || n->kind == NAS_NODE_NORM || n->kind == NAS_NODE_LINEAR;
    if (has_parameters) cost->params += elements_of(graph, n->bias);
    if (has_parameters && !n->shares_weight) cost->params += elements_of(graph, n->weight);
    switch (n->kind) {
    case NAS_NODE_CONV:
    case NAS_NODE_LINEAR:
        cost->n_convs += n->kind == NAS_NODE_CONV;
        cost->flops += multiply_adds(graph, n);
        cost->operations += multiply_adds(graph, n);
        break;
    case NAS_NODE_NORM:
        cost->operations += 2 * elements(n->extents);
        break;
    case NAS_NODE_RECTIFIER:
        cost->operations += elements(n->extents);
        break;
    case NAS_NODE_POOL:
        cost->operations += pool_operations(graph, node);
        break;
    case NAS_NODE_SUM:
        cost->n_others += other_terms(graph, node, counted);
        break;
    case NAS_NODE_IMAGE:
    case NAS_NODE_CONCAT:
    case NAS_NODE_CROP:
    case NAS_NODE_FLATTEN:
        break;
    }
}

static nas_cost_t count(const nas_graph_t *graph, const bool *counted)
{
    nas_cost_t cost = {0};
    for (int i = 0; i < graph->n_nodes; i++)
        if (counted[i]) add(graph, i, counted, &cost);
    return cost;
}

/* Nodes that something leads to from the input of their block: from the images, or the output of
 * one before. */
static void mark_fed(const nas_graph_t *graph, bool *fed)
{
    for (int i = 0; i < graph->n_nodes; i++) {
        fed[i] = graph->node[i].ends_block || graph->node[i].kind == NAS_NODE_IMAGE;
        for (int k = 0; k < graph->node[i].n_inputs; k++)
            fed[i] |= fed[nas_graph_input(graph, i, k)];
    }
}

/* Nodes that lead to the output of their block. */
static void mark_used(const nas_graph_t *graph, bool *used)
{
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        used[i] |= graph->node[i].ends_block || i == graph->output;
        for (int k = 0; used[i] && k < graph->node[i].n_inputs; k++)
            used[nas_graph_input(graph, i, k)] = true;
    }
}

nas_status_t nas_graph_cost(const nas_graph_t *graph, nas_cost_t *cost, nas_cost_t *live,
                            nas_error_t *err)
{
    const size_t n = (size_t)graph->n_nodes;
    bool *counted = calloc(2 * n, sizeof *counted), *used = counted + n;
    if (!counted) return nas_error_nomem(err, "the work of a network");
    for (size_t i = 0; i < n; i++) counted[i] = true;
    *cost = count(graph, counted);
    if (live) {
        mark_fed(graph, counted);
        mark_used(graph, used);
        for (size_t i = 0; i < n; i++) counted[i] &= used[i];
        *live = count(graph, counted);
    }
    free(counted);
    return NAS_OK;
}

nas_status_t nas_arch_cost(const nas_arch_t *arch, const nas_network_t *network, nas_cost_t *cost,
                           nas_cost_t *live, nas_error_t *err)
{
    nas_graph_t *graph = NULL;
    nas_status_t status = nas_graph_create_nameless(network, arch, &graph, err);
    if (!status) status = nas_graph_cost(graph, cost, live, err);
    nas_graph_destroy(graph);
    return status;
}
