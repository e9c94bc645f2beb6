#include "worker/engine/graph/graph.h"

#include "worker/engine/graph/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int nas_graph_input(const nas_graph_t *graph, int node, int i)
{
    return graph->input[graph->node[node].input + i];
}

/* Every node comes after those that it reads. */
static void mark_live(nas_graph_t *graph)
{
    graph->node[graph->output].live = true;
    for (int i = graph->output; i >= 0; i--)
        for (int k = 0; graph->node[i].live && k < graph->node[i].n_inputs; k++)
            graph->node[nas_graph_input(graph, i, k)].live = true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Weights are keyed by names and found by them, so that no two things may have one. */
static nas_status_t check_names(const nas_graph_t *graph, nas_error_t *err)
{
    const size_t n = (size_t)graph->n_texts;
    const char **name = malloc((n + 1) * sizeof *name);
    nas_status_t status = NAS_OK;
    if (!name) return nas_error_nomem(err, "a network");
    for (size_t i = 0; i < n; i++) name[i] = graph->text[i];
    qsort(name, n, sizeof *name, by_text);
    for (size_t i = 1; i < n && !status; i++)
        if (strcmp(name[i - 1], name[i]) == 0)
            status = nas_error_set(err, NAS_EARG, "network: %s: the name is given twice", name[i]);
    free(name);
    return status;
}

/* What a space, or another maker, builds. */
typedef struct made {
    nas_graph_maker_t *maker;
    const void *what;
    bool is_nameless;
} made_t;

static nas_status_t make(made_t made, const nas_network_t *network, nas_graph_t **graph_p,
                         nas_error_t *err)
{
    nas_graph_t *graph = calloc(1, sizeof *graph);
    if (!graph) return nas_error_nomem(err, "a network");
    graph->network = *network;
    nas_graph_builder_t builder = nas_graph_builder(graph, made.is_nameless);
    nas_status_t status = made.maker(made.what, network, &builder.table, err);
    if (!status && builder.status)
        status = nas_error_set(err, builder.status, "%s", builder.err.text);
    if (!status && graph->output < 0)
        status = nas_error_set(err, NAS_EARG, "network: it has no output");
    if (!status) status = check_names(graph, err);
    free(builder.scope);
    if (status) {
        nas_graph_destroy(graph);
        return status;
    }
    mark_live(graph);
    *graph_p = graph;
    return NAS_OK;
}

static nas_status_t make_arch(const void *what, const nas_network_t *network,
                              nas_builder_t *builder, nas_error_t *err)
{
    const nas_arch_t *arch = what;
    if (!arch->space->build)
        return nas_error_set(err, NAS_EARG, "%s has no networks", arch->space->name);
    return arch->space->build(arch, network, builder, err);
}

nas_status_t nas_graph_make(nas_graph_maker_t *maker, const void *what,
                            const nas_network_t *network, nas_graph_t **graph_p, nas_error_t *err)
{
    return make((made_t){.maker = maker, .what = what}, network, graph_p, err);
}

nas_status_t nas_graph_create(const nas_network_t *network, const nas_arch_t *arch,
                              nas_graph_t **graph_p, nas_error_t *err)
{
    return make((made_t){.maker = make_arch, .what = arch}, network, graph_p, err);
}

nas_status_t nas_graph_create_nameless(const nas_network_t *network, const nas_arch_t *arch,
                                       nas_graph_t **graph_p, nas_error_t *err)
{
    return make((made_t){.maker = make_arch, .what = arch, .is_nameless = true}, network, graph_p,
                err);
}

int nas_graph_find(const nas_graph_t *graph, const char *name)
{
    for (int i = 0; i < graph->n_parameters; i++)
        if (strcmp(graph->parameter[i].name, name) == 0) return i;
    return -1;
}

const char *nas_graph_describe(const nas_graph_t *graph, int node, char *text, size_t size)
{
    static const char *const kind[] = {[NAS_NODE_IMAGE] = "the images",
                                       [NAS_NODE_CONV] = "a convolution",
                                       [NAS_NODE_NORM] = "a BN",
                                       [NAS_NODE_RECTIFIER] = "the ReLU",
                                       [NAS_NODE_POOL] = "the pool",
                                       [NAS_NODE_SUM] = "a sum",
                                       [NAS_NODE_CONCAT] = "a join",
                                       [NAS_NODE_CROP] = "the part",
                                       [NAS_NODE_FLATTEN] = "the features",
                                       [NAS_NODE_LINEAR] = "a layer"};
    const nas_node_t *n = &graph->node[node];
    const int source = n->n_inputs > 0 ? nas_graph_input(graph, node, 0) : -1;
    const char *of = source >= 0 ? graph->node[source].name : NULL;
    if (n->name)
        (void)snprintf(text, size, "%s", n->name);
    else
        (void)snprintf(text, size, "%s%s%s", kind[n->kind], of ? " of " : "", of ? of : "");
    return text;
}

void nas_graph_destroy(nas_graph_t *graph)
{
    if (!graph) return;
    for (int i = 0; i < graph->n_texts; i++) free(graph->text[i]);
    free(graph->text);
    free(graph->node);
    free(graph->input);
    free(graph->parameter);
    free(graph);
}
