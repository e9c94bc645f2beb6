/* The networks of `darts` and TransNAS-Bench-101: how they are made. */
#include "tests/unit/network_case.h"

#include <stdlib.h>
#include <string.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

/* Parameters are called the same whatever the order of a text, and come in its order. */
Test(space_networks, names_do_not_depend_on_the_order_of_a_text)
{
    const nas_network_t network = network_of(16, 4, 3, 10);
    nas_graph_t *own = graph_of_arch(MIXED, &network),
                *written = graph_of_text("darts", MIXED, &network);
    cr_assert_eq(own->n_parameters, written->n_parameters);
    for (int i = 0; i < own->n_parameters; i++) {
        const int k = nas_graph_find(written, own->parameter[i].name);
        cr_assert_geq(k, 0, "%s", own->parameter[i].name);
        cr_assert_eq(own->parameter[i].n, written->parameter[k].n, "%s", own->parameter[i].name);
    }
    const char *first = "cell0/node0/from1/conv0/depthwise/weight",
               *last = "cell0/node2/from3/conv0/depthwise/weight",
               *between = "cell0/node2/from1/depthwise/weight";
    cr_assert_geq(nas_graph_find(own, first), 0);
    cr_assert_lt(nas_graph_find(written, last), nas_graph_find(written, between));
    cr_assert_lt(nas_graph_find(own, between), nas_graph_find(own, last));
    nas_graph_destroy(own);
    nas_graph_destroy(written);
}

Test(space_networks, texts_that_are_none_have_no_network)
{
    const nas_network_t network = network_of(32, 4, 3, 10);
    static const char *const texts[] = {"64-41414-1_02_334", "64-5-1_02_333",
                                        "64-0-1_02_333",     "64--1_02_333",
                                        "64-41414-basic",    "64-111111111-1_02_333"};
    for (size_t i = 0; i < N_OF(texts); i++) {
        nas_error_t err = {0};
        nas_graph_t *graph = NULL;
        const made_t micro = {nas_space_find("transnas-micro"), texts[i]},
                     darts = {nas_space_find("darts"), texts[i]};
        cr_assert_eq(nas_graph_make(make_text, &micro, &network, &graph, &err), NAS_EINPUT);
        cr_assert(strstr(err.text, texts[i]), "%s", err.text);
        cr_assert_eq(nas_graph_make(make_text, &darts, &network, &graph, &err), NAS_EINPUT);
    }
}

static void assert_lean(const nas_graph_t *graph, const char *name)
{
    bool *rectified = calloc((size_t)graph->n_nodes, sizeof *rectified);
    cr_assert_not_null(rectified);
    for (int i = 0; i < graph->n_nodes; i++) {
        const nas_node_t *node = &graph->node[i];
        cr_assert(node->live || node->kind == NAS_NODE_IMAGE, "%s: node %d", name, i);
        if (node->kind != NAS_NODE_RECTIFIER) continue;
        const int source = nas_graph_input(graph, i, 0);
        cr_assert_not(rectified[source], "%s: node %d", name, source);
        rectified[source] = true;
    }
    free(rectified);
}

/* No tensor has two ReLUs, and what is built reaches the logits. */
Test(space_networks, nothing_is_built_twice_or_in_vain)
{
    static const char *const spaces[] = {"darts", "transnas-micro", "transnas-macro"};
    const nas_network_t network = network_of(32, 4, 4, 10);
    for (size_t s = 0; s < N_OF(spaces); s++) {
        nas_error_t err = {0};
        nas_arch_t arch = arch_at(nas_space_find(spaces[s]), 0);
        const int64_t count = arch.space->count, n = count < 500 ? count : 500;
        for (int64_t i = 0; i < n; i++) {
            nas_graph_t *graph = NULL;
            nas_arch_set(&arch, i * (count / n) + i % (count / n));
            cr_assert_eq(nas_graph_create(&network, &arch, &graph, &err), NAS_OK, "%s", err.text);
            assert_lean(graph, arch.name);
            nas_graph_destroy(graph);
        }
        nas_arch_fini(&arch);
    }
}

/* All are halved by the two reduction cells, and large ones divided by 8 before. */
Test(space_networks, darts_stems_follow_the_images)
{
    static const struct {
        int size, last;
        const char *stem;
    } cases[] = {{32, 8, "stem/conv/weight"},
                 {127, 32, "stem/conv/weight"},
                 {128, 4, "stem2/conv/weight"},
                 {224, 7, "stem2/conv/weight"}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        const nas_network_t network = network_of(cases[i].size, 4, 3, 10);
        nas_graph_t *graph = graph_of_arch(DARTS_V2, &network);
        int mean = graph->n_nodes - 1;
        while (graph->node[mean].kind != NAS_NODE_POOL) mean--;
        const nas_extents_t e = graph->node[nas_graph_input(graph, mean, 0)].extents;
        cr_assert(e.c == 4 * 4 * 4 && e.h == cases[i].last && e.w == cases[i].last, "%d", e.h);
        cr_assert_geq(nas_graph_find(graph, cases[i].stem), 0, "%s", cases[i].stem);
        nas_graph_destroy(graph);
    }
}

/* A cell whose output is zero leaves the linear layer alone. */
Test(space_networks, cells_of_zero_have_no_layers_but_the_last)
{
    static const char *const texts[] = {"64-41414-0_00_000", "64-41414-3_33_000",
                                        "64-41414-0_30_003"};
    const nas_network_t network = network_of(32, 4, 1, 10);
    for (size_t i = 0; i < 2; i++) {
        nas_graph_t *graph = graph_of_arch(texts[i], &network);
        assert_counts(graph, (counts_t){33 * 10, 32 * 10, 1, 0}, texts[i]);
        nas_graph_destroy(graph);
    }
    nas_graph_t *graph = graph_of_arch(texts[2], &network);
    cr_assert_gt(count(graph, NAS_NODE_CONV), 0);
    nas_graph_destroy(graph);
}

Test(space_networks, bn_at_the_side_of_residual_blocks_has_eps_1)
{
    const nas_network_t network = network_of(32, 4, 1, 10);
    nas_graph_t *graph = graph_of_arch("64-1234-basic", &network);
    int n = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        const nas_node_t *node = &graph->node[i];
        if (node->kind != NAS_NODE_NORM) continue;
        const bool is_side = strstr(node->name, "/side/") != NULL;
        cr_assert_float_eq(node->eps, is_side ? 1.0 : 1e-5, 0.0, "%s", node->name);
        n += is_side;
    }
    cr_assert_eq(n, 3);
    nas_graph_destroy(graph);
}

Test(space_networks, conventions_and_cells_change_nothing_where_they_do_not_count)
{
    static const char *const texts[] = {DARTS_V2, "64-41414-1_02_333", "64-1234-basic"};
    for (size_t i = 0; i < N_OF(texts); i++) {
        nas_network_t network = network_of(32, 4, 3, 10);
        nas_graph_t *score = graph_of_arch(texts[i], &network);
        network.convention = NAS_CONVENTION_TRAIN;
        if (i > 0) network.cells = 7;
        nas_graph_t *train = graph_of_arch(texts[i], &network);
        assert_counts(train, counts_of(score), texts[i]);
        nas_graph_destroy(score);
        nas_graph_destroy(train);
    }
}

Test(space_networks, extents_that_cannot_be_are_refused)
{
    static const struct {
        const char *arch;
        nas_network_t network;
        const char *reason;
    } cases[] = {
        {DARTS_V2, {3, 32, 32, 1, 5, 10, 0}, "at least one cell and class and two channels"},
        {DARTS_V2, {3, 32, 32, 16, 0, 10, 0}, "at least one cell and class and two channels"},
        {DARTS_V2, {3, 2, 32, 16, 5, 10, 0}, "images of 2 x 32 cannot be halved twice"},
        {"64-41414-1_02_333", {3, 16, 16, 16, 5, 10, 0}, "expected 17 x 17 at least"},
        {"64-41414-1_02_333", {3, 32, 32, 1, 5, 10, 0}, "at least one class and two channels"},
        {"64-1234-basic", {3, 32, 32, 16, 5, 0, 0}, "at least one class and two channels"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        nas_error_t err = {0};
        nas_graph_t *graph = NULL;
        nas_arch_t arch = {0};
        cr_assert_eq(nas_arch_find(cases[i].arch, &arch, &err), NAS_OK, "%s", err.text);
        cr_assert_eq(nas_graph_create(&cases[i].network, &arch, &graph, &err), NAS_EARG);
        cr_assert(strstr(err.text, cases[i].reason), "%s", err.text);
        nas_arch_fini(&arch);
    }
}

/* The smallest images, and odd ones. */
Test(space_networks, small_images_have_networks)
{
    static const struct {
        const char *arch;
        int size;
    } cases[] = {{DARTS_V2, 3},
                 {MIXED, 5},
                 {"64-41414-1_11_111", 17},
                 {"64-4333-basic", 1},
                 {"64-41414-3_33_333", 19}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        const nas_network_t network = network_of(cases[i].size, 4, 3, 10);
        nas_graph_t *graph = graph_of_arch(cases[i].arch, &network);
        cr_assert_eq(graph->node[graph->output].extents.c, 10);
        nas_graph_destroy(graph);
    }
}

/* What benchmarks and measures take of a space, of every space that has networks. */
Test(space_networks, spaces_name_their_heaviest)
{
    int n = 0;
    const nas_space_t *const *space = nas_space_list(&n);
    const nas_network_t network = network_of(32, 8, 3, 10);
    for (int s = 0; s < n; s++) {
        nas_cost_t most = {0}, cost = {0};
        nas_error_t err = {0};
        nas_arch_t arch = arch_at(space[s], space[s]->costliest);
        cr_assert_str_eq(arch.name, space[s]->typical[NAS_SPACE_TYPICAL - 1]);
        cr_assert_eq(nas_arch_cost(&arch, &network, &most, NULL, &err), NAS_OK, "%s", err.text);
        for (int64_t i = 0; i < 400; i++) {
            nas_arch_set(&arch, space[s]->count / 400 * i);
            cr_assert_eq(nas_arch_cost(&arch, &network, &cost, NULL, &err), NAS_OK);
            cr_assert_leq(cost.operations, most.operations, "%s", arch.name);
        }
        for (int i = 0; i < NAS_SPACE_TYPICAL; i++) {
            cr_assert_eq(nas_arch_parse(&arch, space[s]->typical[i], &err), NAS_OK, "%s", err.text);
            cr_assert_str_eq(arch.name, space[s]->typical[i]);
        }
        nas_arch_fini(&arch);
    }
}
