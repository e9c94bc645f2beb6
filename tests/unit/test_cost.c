/* Size and work of networks, counted on their graphs. */
#include "common/io/table.h"
#include "common/space/space_nb201.h"
#include "tests/unit/arch_case.h"
#include "worker/engine/graph/networks.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

static nas_cost_t cost_of(const char *text, const nas_network_t *network)
{
    nas_arch_t arch = arch_of(text);
    nas_cost_t cost;
    cr_assert_eq(nas_arch_cost(&arch, network, &cost, NULL, NULL), NAS_OK);
    nas_arch_fini(&arch);
    return cost;
}

static nas_network_t network_of(int channels, int cells, nas_convention_t convention)
{
    return (nas_network_t){.image_channels = 3,
                           .height = 32,
                           .width = 32,
                           .channels = channels,
                           .cells = cells,
                           .classes = 10,
                           .convention = convention};
}

#define ALL_CONV3                                                                                  \
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|"             \
    "nor_conv_3x3~2|"
#define ALL_NONE "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"

/* Rows of the table that NASLib wrote. */
Test(cost, params_and_operations_of_trained_networks)
{
    static const struct {
        const char *arch;
        int64_t params, operations;
    } rows[] = {
        {ALL_NONE, 73306, 7943872},
        {ALL_CONV3, 1531546, 222860992},
        {"|nor_conv_1x1~0|+|nor_conv_1x1~0|nor_conv_1x1~1|+|nor_conv_1x1~0|nor_conv_1x1~1|"
         "nor_conv_1x1~2|",
         241306, 34117312},
        {"|avg_pool_3x3~0|+|avg_pool_3x3~0|avg_pool_3x3~1|+|avg_pool_3x3~0|avg_pool_3x3~1|"
         "avg_pool_3x3~2|",
         73306, 15685312},
        {"|nor_conv_1x1~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_3x3~0|none~1|avg_pool_3x3~2|",
         372346, 53778112},
    };
    const nas_network_t network = network_of(16, 5, NAS_CONVENTION_TRAIN);
    for (size_t i = 0; i < N_OF(rows); i++) {
        const nas_cost_t cost = cost_of(rows[i].arch, &network);
        cr_assert_eq(cost.params, rows[i].params, "%s", rows[i].arch);
        cr_assert_eq(cost.operations, rows[i].operations, "%s", rows[i].arch);
    }
}

/* Counted from PyTorch modules with these parameters. */
Test(cost, params_of_scored_networks)
{
    static const struct {
        const char *arch;
        int channels, cells;
        int64_t params;
    } rows[] = {
        {"|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|skip_connect~0|nor_conv_1x1~1|"
         "nor_conv_3x3~2|",
         16, 5, 585706},
        {"|avg_pool_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_1x1~2|",
         16, 5, 128186},
        {ALL_CONV3, 8, 2, 164562},
        {"|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|none~0|none~1|none~2|", 16, 1, 175786},
        {"|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|"
         "avg_pool_3x3~2|",
         8, 1, 18738},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        const nas_network_t network =
            network_of(rows[i].channels, rows[i].cells, NAS_CONVENTION_SCORE);
        cr_assert_eq(cost_of(rows[i].arch, &network).params, rows[i].params, "%s", rows[i].arch);
    }
}

/* A 3x3 convolution at C channels and H x W pixels is 9 C^2 H W, the same in every stage. */
Test(cost, flops_are_the_multiply_adds_of_convolutions_and_linear)
{
    nas_network_t network = network_of(16, 5, NAS_CONVENTION_TRAIN);
    const int64_t stem = 3 * 16 * 9 * 32 * 32, linear = 64 * 10;
    const int64_t conv3 = 9LL * 16 * 16 * 32 * 32, shortcut = 32 * 16 * 16 * 16;
    const int64_t reductions = 2 * (conv3 / 2 + conv3 + shortcut);
    cr_assert_eq(cost_of(ALL_NONE, &network).flops, stem + reductions + linear);
    cr_assert_eq(cost_of(ALL_CONV3, &network).flops, stem + reductions + linear + 6 * 15 * conv3);
    network.height = network.width = 64;
    cr_assert_eq(cost_of(ALL_CONV3, &network).flops,
                 4 * (stem + reductions + 6 * 15 * conv3) + linear);
}

Test(cost, conventions_differ_in_params_alone)
{
    const nas_network_t score = network_of(16, 5, NAS_CONVENTION_SCORE);
    const nas_network_t train = network_of(16, 5, NAS_CONVENTION_TRAIN);
    const nas_cost_t a = cost_of(ALL_CONV3, &score), b = cost_of(ALL_CONV3, &train);
    cr_assert_eq(b.params - a.params, 6 * 5 * (16 + 32 + 64));
    cr_assert_eq(a.flops, b.flops);
    cr_assert_eq(a.operations, b.operations);
}

static nas_table_t *read_table(const char *path, const char *const *column, size_t n)
{
    nas_error_t err = {0};
    nas_strings_t columns = {0};
    nas_table_t *table = NULL;
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(nas_strings_add(&columns, column[i], strlen(column[i]), &err), NAS_OK);
    const nas_table_options_t options = {.path = path, .arch_column = "arch", .columns = &columns};
    cr_assert_eq(nas_table_read(&options, &table, &err), NAS_OK, "%s", err.text);
    nas_strings_fini(&columns);
    return table;
}

Test(cost, the_published_table_has_the_same_params_and_operations)
{
    static const char *const columns[] = {"params", "flops"};
    const nas_network_t network = network_of(16, 5, NAS_CONVENTION_TRAIN);
    const char *shared = getenv("ROBOTNAS_SHARED");
    char path[4096];
    if (!shared) cr_skip_test("the environment variable ROBOTNAS_SHARED is not set");
    (void)snprintf(path, sizeof path, "%s/data/tables/nb201-cifar10.csv", shared);
    if (access(path, R_OK) != 0) cr_skip_test("%s is not there", path);
    nas_table_t *table = read_table(path, columns, N_OF(columns));
    const double *params = nas_table_column(table, "params");
    const double *flops = nas_table_column(table, "flops");
    for (int64_t i = 0; i < nas_table_rows(table); i++) {
        const char *arch = nas_names_at(nas_table_names(table), i);
        const nas_cost_t cost = cost_of(arch, &network);
        cr_assert_eq(cost.params, llround(1e6 * params[i]), "%s", arch);
        cr_assert_eq(cost.operations, llround(1e6 * flops[i]), "%s", arch);
    }
    nas_table_destroy(table);
}

/* What is live is what is left when every dead edge is none; of all cells. */
Test(cost, live_work_is_that_without_dead_edges)
{
    const nas_network_t network = network_of(4, 2, NAS_CONVENTION_SCORE);
    nas_arch_t arch = arch_at(&nas_space_nb201, 0), alive = arch_at(&nas_space_nb201, 0);
    for (int64_t i = 0; i < arch.space->count; i++) {
        nas_cost_t all, live, expected;
        nas_arch_set(&arch, i);
        const unsigned edges = nas_cell_live_edges(arch.code);
        for (int e = 0; e < NAS_CELL_EDGES; e++)
            alive.code[e] = edges >> e & 1u ? arch.code[e] : NAS_OPERATION_NONE;
        nas_arch_set(&alive, alive.space->index(alive.code));
        cr_assert_eq(nas_arch_cost(&arch, &network, &all, &live, NULL), NAS_OK);
        cr_assert_eq(nas_arch_cost(&alive, &network, &expected, NULL, NULL), NAS_OK);
        cr_assert_eq(memcmp(&live, &expected, sizeof live), 0, "%s", arch.name);
        cr_assert(live.operations <= all.operations && live.n_others <= all.n_others);
    }
    nas_arch_fini(&arch);
    nas_arch_fini(&alive);
}

/* The largest of a pool has the most live convolutions; the mean is that of all. */
Test(cost, of_a_pool)
{
    const nas_network_t network = network_of(4, 1, NAS_CONVENTION_TRAIN);
    nas_pool_t pool;
    nas_pool_cost_t cost;
    nas_networks_t *networks = NULL;
    double sum = 0;
    const nas_subset_t subset = {.kind = NAS_SUBSET_SAMPLE, .n = 50, .seed = 3};
    cr_assert_eq(nas_pool_of_space(&nas_space_nb201, &subset, &pool, NULL), NAS_OK);
    cr_assert_eq(nas_networks_of_space(&nas_space_nb201, NAS_WEIGHTS_BY_NAME, &networks, NULL),
                 NAS_OK);
    cr_assert_eq(nas_pool_cost(&pool, networks, &network, &cost, NULL), NAS_OK);
    nas_networks_destroy(networks);
    nas_arch_t arch = arch_at(&nas_space_nb201, cost.largest);
    nas_cost_t all, live, most;
    cr_assert_eq(nas_arch_cost(&arch, &network, &all, &most, NULL), NAS_OK);
    for (int64_t i = 0; i < nas_pool_count(&pool); i++) {
        nas_arch_set(&arch, nas_pool_index(&pool, i));
        cr_assert_eq(nas_arch_cost(&arch, &network, &all, &live, NULL), NAS_OK);
        cr_assert_leq(live.n_convs, most.n_convs);
        sum += (double)all.flops / 50;
    }
    cr_assert_float_eq(cost.mean_flops, sum, 1e-6 * sum);
    nas_arch_fini(&arch);
    nas_pool_fini(&pool);
}
