/* Graphs that are exported and read again, and the reference networks, which PyTorch exported. */
#include "program_case.h"
#include "worker/data/untrusted/untrusted_hdf5.h"
#include "worker/engine/graph/cost.h"
#include "worker/onnx/onnx.h"
#include "worker/onnx/read/read.h"

#include <stdio.h>
#include <unistd.h>

static const nas_network_t NETWORK = {3, 20, 24, 8, 1, 5, NAS_CONVENTION_TRAIN};
static const double ZERO[3] = {0}, ONE[3] = {1, 1, 1};

/* A graph with its numbers, which are float32. */
typedef struct numbers {
    nas_graph_t *graph;
    double *parameters;
    double *statistics;
    const bool *is_exchanged; /* may be NULL */
} numbers_t;

static double *draw(nas_rng_t *rng, int64_t n)
{
    double *value = calloc((size_t)n + 1, sizeof *value);
    cr_assert_not_null(value);
    for (int64_t i = 0; i < n; i++) value[i] = (double)(float)nas_rng_between(rng, 0.5, 1.5);
    return value;
}

static numbers_t make_numbers(nas_graph_maker_t *maker, const void *what)
{
    nas_rng_t rng;
    nas_error_t err = {0};
    numbers_t g = {0};
    nas_rng_init(&rng, 5, NAS_STREAM_BENCH, 0);
    cr_assert_eq(nas_graph_make(maker, what, &NETWORK, &g.graph, &err), NAS_OK, "%s", err.text);
    g.parameters = draw(&rng, g.graph->n_values);
    g.statistics = draw(&rng, g.graph->n_statistics);
    return g;
}

static void encode(const numbers_t *g, unsigned char **data, size_t *size)
{
    const nas_onnx_options_t options = {.graph = g->graph,
                                        .parameters = g->parameters,
                                        .statistics = g->statistics,
                                        .is_exchanged = g->is_exchanged,
                                        .mean = ZERO,
                                        .std = ONE};
    nas_error_t err = {0};
    cr_assert_eq(nas_onnx_encode(&options, data, size, &err), NAS_OK, "%s", err.text);
}

/* Export and read; the bytes of the export are the caller's. */
static nas_onnx_network_t exchange(const numbers_t *g, unsigned char **data, size_t *size)
{
    const nas_onnx_expected_t expected = {.with_values = true};
    nas_onnx_network_t network = {0};
    nas_error_t err = {0};
    encode(g, data, size);
    char *copy = malloc(*size);
    cr_assert_not_null(copy);
    memcpy(copy, *data, *size);
    cr_assert_eq(nas_onnx_read_bytes("model.onnx", copy, *size, &expected, &network, &err), NAS_OK,
                 "%s", err.text);
    return network;
}

static void free_numbers(numbers_t *g)
{
    nas_graph_destroy(g->graph);
    free(g->parameters);
    free(g->statistics);
}

/* What is read of an export is exported as the same again, but for names: a sum of one tensor is
 * gone, and with it the names that were derived of it. So from then on the bytes are the same. */
static void expect_same_export(nas_graph_maker_t *maker, const void *what)
{
    numbers_t g = make_numbers(maker, what);
    unsigned char *data[3] = {NULL};
    size_t size[3] = {0};
    nas_onnx_network_t first = exchange(&g, &data[0], &size[0]);
    nas_onnx_network_t second = exchange(
        &(numbers_t){first.graph, first.parameters, first.statistics, NULL}, &data[1], &size[1]);
    encode(&(numbers_t){second.graph, second.parameters, second.statistics, NULL}, &data[2],
           &size[2]);
    cr_assert_eq(size[1], size[2]);
    cr_assert_eq(memcmp(data[1], data[2], size[1]), 0);
    cr_assert_eq(first.graph->n_nodes, second.graph->n_nodes);
    cr_assert_eq(first.graph->n_values, second.graph->n_values);
    cr_assert_eq(memcmp(first.parameters, second.parameters,
                        (size_t)first.graph->n_values * sizeof *first.parameters),
                 0);
    nas_onnx_network_fini(&first);
    nas_onnx_network_fini(&second);
    for (int i = 0; i < 3; i++) free(data[i]);
    free_numbers(&g);
}

/* -------------------------------------------------------------------- a graph of all operations */

static int all_windows(nas_builder_t *b, int x)
{
    static const nas_window_t uneven = {3, 4, 2, 1, 1, 2, 1, 0, 2, 3},
                              flat = {1, 5, 1, 1, 1, 1, 0, 2, 0, 2},
                              pool = {3, 2, 2, 2, 1, 1, 1, 0, 0, 1};
    x = b->conv(b, x, &(nas_conv_spec_t){.name = "a", .c_out = 8, .window = &uneven, .bias = true});
    x = b->norm(b, x,
                &(nas_norm_spec_t){.name = "n", .eps = 1e-3, .affine = true, .momentum = 0.01});
    x = b->rectify(b, x, NAS_RECTIFIER_RELU6);
    x = b->conv(b, x, &(nas_conv_spec_t){.name = "b", .c_out = 16, .window = &flat, .groups = 8});
    x = b->norm(b, x, &(nas_norm_spec_t){.name = "m", .eps = 1, .momentum = 1}); /* no gamma */
    x = b->pool(
        b, x, &(nas_pool_spec_t){.name = "p", .kind = NAS_POOL_MAX, .window = &pool, .ceil = true});
    return b->pool(b, x,
                   &(nas_pool_spec_t){.name = "q", .k = 3, .padding = 1, .counts_padding = true});
}

static int all_parts(nas_builder_t *b, int x)
{
    const nas_extents_t e = b->extents(b, x);
    const int y = b->crop(b, x, &(nas_crop_spec_t){"c", 1, 1, e.h, e.w});
    const nas_conv_spec_t own = {.name = "e", .c_out = 16, .k = 3, .padding = 1, .bias = true};
    const int first = b->conv(b, y, &own);
    const nas_conv_spec_t shared = {
        .name = "f", .c_out = 16, .k = 3, .padding = 2, .dilation = 2, .shares = 1 + first};
    const int second = b->conv(b, first, &shared);
    const int z = b->crop(b, b->rectify(b, x, NAS_RECTIFIER_RELU),
                          &(nas_crop_spec_t){"d", -1, 2, e.h, e.w - 2});
    const int padded = b->crop(b, z, &(nas_crop_spec_t){"g", 0, -1, e.h, e.w});
    const int all[] = {first, second, padded};
    const int sum = b->sum(b, &(nas_join_spec_t){"s", all, 3}, (nas_extents_t){0});
    const int both[] = {sum, x, sum};
    return b->concat(b, &(nas_join_spec_t){"t", both, 3});
}

static nas_status_t make_all(const void *what, const nas_network_t *network, nas_builder_t *b,
                             nas_error_t *err)
{
    (void)what;
    (void)err;
    int x = all_parts(b, all_windows(b, b->image(b)));
    const int pool[] = {b->pool(b, x, &(nas_pool_spec_t){.name = "u"}),
                        b->pool(b, x, &(nas_pool_spec_t){.name = "v", .kind = NAS_POOL_MAX})};
    x = b->sum(b, &(nas_join_spec_t){"w", pool, 2}, (nas_extents_t){0});
    x = b->flatten(b, x, "h");
    const nas_linear_spec_t hidden = {.name = "i", .n_out = b->extents(b, x).c, .bias = true};
    x = b->linear(b, x, &hidden);
    const nas_linear_spec_t again = {.name = "j", .n_out = hidden.n_out, .shares = 1 + x};
    x = b->linear(b, b->rectify(b, x, NAS_RECTIFIER_RELU), &again);
    b->output(b, b->linear(b, x, &(nas_linear_spec_t){.name = "k", .n_out = network->classes}));
    return NAS_OK;
}

static void expect_same_node(const nas_graph_t *a, const nas_graph_t *b, int i)
{
    const nas_node_t *x = &a->node[i], *y = &b->node[i];
    cr_assert_eq(x->kind, y->kind, "node %d", i);
    cr_assert(!x->name || strcmp(x->name, y->name) == 0, "node %d", i);
    cr_assert_eq(memcmp(&x->extents, &y->extents, sizeof x->extents), 0, "node %d", i);
    cr_assert(nas_window_is_same(&x->window, &y->window), "node %d", i);
    cr_assert_eq(x->n_inputs, y->n_inputs, "node %d", i);
    for (int k = 0; k < x->n_inputs; k++)
        cr_assert_eq(nas_graph_input(a, i, k), nas_graph_input(b, i, k), "node %d", i);
    cr_assert(x->groups == y->groups && x->pool == y->pool && x->is_global == y->is_global);
    cr_assert(x->counts_padding == y->counts_padding && x->ceil == y->ceil, "node %d", i);
    cr_assert(x->top == y->top && x->left == y->left && x->rectifier == y->rectifier);
    cr_assert(x->weight == y->weight && x->bias == y->bias, "node %d", i);
    cr_assert_eq(x->shares_weight, y->shares_weight, "node %d", i);
    cr_assert(x->eps == y->eps && x->momentum == y->momentum, "node %d: %.17g", i, y->momentum);
}

Test(onnx_exchange, every_operation_is_read_as_it_was)
{
    numbers_t g = make_numbers(make_all, NULL);
    unsigned char *data = NULL;
    size_t size = 0;
    nas_onnx_network_t network = exchange(&g, &data, &size);
    cr_assert_eq(network.graph->n_nodes, g.graph->n_nodes);
    for (int i = 0; i < g.graph->n_nodes; i++) expect_same_node(g.graph, network.graph, i);
    cr_assert_eq(network.graph->n_values, g.graph->n_values);
    cr_assert_eq(
        memcmp(network.parameters, g.parameters, (size_t)g.graph->n_values * sizeof *g.parameters),
        0);
    cr_assert_eq(memcmp(network.statistics, g.statistics,
                        (size_t)g.graph->n_statistics * sizeof *g.statistics),
                 0);
    for (int i = 0; i < g.graph->n_parameters; i++)
        cr_assert_str_eq(network.parameter[i], g.graph->parameter[i].name);
    nas_onnx_network_fini(&network);
    free_numbers(&g);
    free(data);
}

/* Layers that multiply by their weight as it is, as MatMul does, square ones among them. */
Test(onnx_exchange, a_weight_keeps_the_order_of_its_axes)
{
    enum { MOST = 64 };
    numbers_t g = make_numbers(make_all, NULL);
    unsigned char *data = NULL;
    size_t size = 0;
    bool is_exchanged[MOST] = {false};
    cr_assert_leq(g.graph->n_parameters, MOST);
    for (int i = 0; i < g.graph->n_parameters; i++)
        is_exchanged[i] = g.graph->parameter[i].n_dims == 2;
    nas_onnx_network_t plain = exchange(&g, &data, &size);
    for (int i = 0; i < g.graph->n_parameters; i++) cr_assert(!plain.is_exchanged[i]);
    free(data);
    g.is_exchanged = is_exchanged;
    nas_onnx_network_t network = exchange(&g, &data, &size);
    cr_assert_eq(network.graph->n_values, g.graph->n_values);
    cr_assert_eq(
        memcmp(network.parameters, g.parameters, (size_t)g.graph->n_values * sizeof *g.parameters),
        0);
    cr_assert_eq(memcmp(network.is_exchanged, is_exchanged,
                        (size_t)g.graph->n_parameters * sizeof *is_exchanged),
                 0);
    nas_onnx_network_fini(&plain);
    nas_onnx_network_fini(&network);
    free_numbers(&g);
    free(data);
}

/* Logits that no linear layer makes. */
static nas_status_t make_flat(const void *what, const nas_network_t *network, nas_builder_t *b,
                              nas_error_t *err)
{
    const nas_conv_spec_t conv = {.name = "a", .c_out = network->classes, .k = 3};
    (void)what;
    (void)err;
    const int x = b->pool(b, b->conv(b, b->image(b), &conv), &(nas_pool_spec_t){.name = "p"});
    b->output(b, b->rectify(b, b->flatten(b, x, "f"), NAS_RECTIFIER_RELU));
    return NAS_OK;
}

Test(onnx_exchange, what_is_read_is_exported_as_the_same)
{
    expect_same_export(make_all, NULL);
    expect_same_export(make_flat, NULL);
    for (int number = 0; number < N_OTHERS; number++) expect_same_export(make_other, &number);
}

static nas_status_t make_cell(const void *what, const nas_network_t *network, nas_builder_t *b,
                              nas_error_t *err)
{
    const nas_arch_t *arch = what;
    return arch->space->build(arch, network, b, err);
}

Test(onnx_exchange, cells_are_read_and_exported_as_the_same)
{
    nas_arch_t arch = arch_at(nas_space_with_networks(), 0);
    for (int64_t i = 0; i < 40; i++) {
        nas_arch_set(&arch, i * 389 % arch.space->count);
        expect_same_export(make_cell, &arch);
    }
    nas_arch_fini(&arch);
}

/* ---------------------------------------------------------------------------------- references */

static void read_expected(const char *path, double *params, double *flops)
{
    const nas_untrusted_item_t item[] = {{"expected/params", NAS_UNTRUSTED_F64, false, false},
                                         {"expected/flops", NAS_UNTRUSTED_F64, false, false}};
    const nas_untrusted_request_t request = {
        .path = path, .item = item, .n = 2, .max_bytes = 64, .cpu_s = 10, .wall_s = 60};
    nas_untrusted_array_t array[2] = {{0}};
    nas_error_t err = {0};
    cr_assert_eq(nas_untrusted_hdf5_read(&request, array, &err), NAS_OK, "%s", err.text);
    *params = *(const double *)array[0].data;
    *flops = *(const double *)array[1].data;
    nas_untrusted_arrays_fini(array, 2);
}

Test(onnx_exchange, reference_networks_have_the_same_params_and_flops)
{
    static const char *const name[] = {"darts-1",          "darts-2",
                                       "transnas-macro-1", "transnas-micro-1",
                                       "user-dense",       "user-functional",
                                       "user-mobile",      "transnas-micro-dead",
                                       "user-vgg",         "transnas-micro-wide"};
    const char *shared = getenv("ROBOTNAS_SHARED");
    if (!shared) cr_skip_test("the environment variable ROBOTNAS_SHARED is not set");
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char path[4096], values[4096];
        double params = 0, flops = 0;
        nas_onnx_network_t network = {0};
        nas_cost_t cost;
        nas_error_t err = {0};
        (void)snprintf(path, sizeof path, "%s/oracle/ref-onnx/%s.onnx", shared, name[i]);
        (void)snprintf(values, sizeof values, "%s/oracle/ref-onnx/%s.h5", shared, name[i]);
        if (access(path, R_OK) != 0) cr_skip_test("%s is not there", path);
        read_expected(values, &params, &flops);
        cr_assert_eq(nas_onnx_read(path, &(nas_onnx_expected_t){.classes = 10}, &network, &err),
                     NAS_OK, "%s", err.text);
        cr_assert_eq(nas_graph_cost(network.graph, &cost, NULL, NULL), NAS_OK);
        cr_assert(network.graph->n_values == (int64_t)params && cost.params == (int64_t)params);
        cr_assert_eq(cost.flops, (int64_t)flops, "%s", name[i]);
        nas_onnx_network_fini(&network);
    }
}
