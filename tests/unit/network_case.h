/* Networks of spaces by their texts, and what they have. */
#ifndef NAS_TESTS_UNIT_NETWORK_CASE_H
#define NAS_TESTS_UNIT_NETWORK_CASE_H

#include "tests/unit/arch_case.h"
#include "worker/engine/graph/cost.h"
#include "worker/engine/graph/graph.h"

#include <criterion/criterion.h>

/* The best genotype of DARTS's paper, its edges in the authors' order. */
#define DARTS_V2                                                                                   \
    "sep_conv_3x3~0,sep_conv_3x3~1;sep_conv_3x3~0,sep_conv_3x3~1;sep_conv_3x3~1,skip_connect~0;"   \
    "skip_connect~0,dil_conv_3x3~2/"                                                               \
    "max_pool_3x3~0,max_pool_3x3~1;skip_connect~2,max_pool_3x3~1;max_pool_3x3~0,skip_connect~2;"   \
    "skip_connect~2,max_pool_3x3~1"
#define MIXED                                                                                      \
    "sep_conv_5x5~1,avg_pool_3x3~0;dil_conv_5x5~2,skip_connect~0;sep_conv_3x3~3,dil_conv_3x3~1;"   \
    "max_pool_3x3~0,sep_conv_5x5~4/"                                                               \
    "dil_conv_5x5~0,skip_connect~1;avg_pool_3x3~0,sep_conv_3x3~2;max_pool_3x3~1,skip_connect~3;"   \
    "sep_conv_5x5~0,dil_conv_3x3~4"

/* A space's network by a text. */
typedef struct made {
    const nas_space_t *space;
    const char *text;
} made_t;

static inline nas_status_t make_text(const void *what, const nas_network_t *network,
                                     nas_builder_t *b, nas_error_t *err)
{
    const made_t *made = what;
    return made->space->build_text(made->text, network, b, err);
}

static inline nas_graph_t *graph_of_text(const char *space, const char *text,
                                         const nas_network_t *network)
{
    nas_error_t err = {0};
    nas_graph_t *graph = NULL;
    const made_t made = {nas_space_find(space), text};
    cr_assert_eq(nas_graph_make(make_text, &made, network, &graph, &err), NAS_OK, "%s", err.text);
    return graph;
}

static inline nas_graph_t *graph_of_arch(const char *text, const nas_network_t *network)
{
    nas_error_t err = {0};
    nas_graph_t *graph = NULL;
    nas_arch_t arch = {0};
    cr_assert_eq(nas_arch_find(text, &arch, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(nas_graph_create(network, &arch, &graph, &err), NAS_OK, "%s", err.text);
    nas_arch_fini(&arch);
    return graph;
}

static inline nas_network_t network_of(int size, int channels, int cells, int classes)
{
    return (nas_network_t){3, size, size, channels, cells, classes, NAS_CONVENTION_SCORE};
}

/* Live nodes of a kind. */
static inline int count(const nas_graph_t *graph, nas_node_kind_t kind)
{
    int n = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        n += graph->node[i].live && graph->node[i].kind == kind;
    return n;
}

typedef struct counts {
    int64_t params, flops;
    int layers, rectifiers;
} counts_t;

static inline counts_t counts_of(const nas_graph_t *graph)
{
    nas_cost_t cost = {0};
    cr_assert_eq(nas_graph_cost(graph, &cost, NULL, NULL), NAS_OK);
    cr_assert_eq(cost.params, graph->n_values);
    return (counts_t){cost.params, cost.flops,
                      count(graph, NAS_NODE_CONV) + count(graph, NAS_NODE_LINEAR),
                      count(graph, NAS_NODE_RECTIFIER)};
}

static inline void assert_counts(const nas_graph_t *graph, counts_t expected, const char *what)
{
    const counts_t found = counts_of(graph);
    cr_assert_eq(found.params, expected.params, "%s: %lld", what, (long long)found.params);
    cr_assert_eq(found.flops, expected.flops, "%s: %lld", what, (long long)found.flops);
    cr_assert_eq(found.layers, expected.layers, "%s: %d", what, found.layers);
    cr_assert_eq(found.rectifiers, expected.rectifiers, "%s: %d", what, found.rectifiers);
}

#endif
