/* Parameters, work and layers of the networks of `darts` and TransNAS-Bench-101, against those of the
 * authors' code. */
#include "common/io/table.h"
#include "tests/unit/network_case.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

/* Counted from PyTorch modules after the authors' code, what the logits do not depend on left out:
 * elements of parameters, multiply-adds of convolutions and the linear layer, these layers, and
 * distinct tensors that a ReLU reads. DARTS_V2 with 36 channels and 20 cells is the paper's 3.3
 * million, with 48 and 14 on ImageNet its 4.7 million. */
Test(space_networks, counts_are_those_of_the_authors_modules)
{
    static const struct {
        const char *arch;
        nas_network_t network;
        counts_t expected;
    } cases[] = {
        {DARTS_V2, {3, 32, 32, 36, 20, 10, 0}, {3349342, 528359040, 440, 164}},
        {DARTS_V2, {3, 32, 32, 16, 5, 10, 0}, {129706, 25401856, 80, 29}},
        {DARTS_V2, {3, 33, 33, 16, 5, 10, 0}, {129706, 28616032, 80, 29}},
        {DARTS_V2, {3, 224, 224, 48, 14, 1000, 0}, {4718752, 529911552, 299, 112}},
        {DARTS_V2, {3, 128, 128, 16, 5, 10, 0}, {130018, 8150528, 83, 31}},
        {MIXED, {3, 32, 32, 9, 1, 7, 0}, {6694, 2792952, 18, 7}},
        {"64-41414-3_33_333", {3, 64, 64, 64, 5, 100, 0}, {41462916, 529418240, 63, 31}},
        {"64-41414-1_02_333", {3, 32, 32, 16, 5, 10, 0}, {1413202, 4521216, 49, 24}},
        {"64-41414-0_10_111", {3, 33, 33, 8, 5, 10, 0}, {6894, 87180, 15, 4}},
        {"64-222113-basic", {3, 32, 32, 8, 5, 10, 0}, {622350, 32355968, 31, 25}},
        {"64-1234-basic", {3, 64, 64, 64, 5, 63, 0}, {3416415, 249937664, 22, 17}},
        {"64-4111-basic", {3, 33, 33, 9, 5, 10, 0}, {46620, 1191636, 20, 17}},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        nas_graph_t *graph = graph_of_arch(cases[i].arch, &cases[i].network);
        assert_counts(graph, cases[i].expected, cases[i].arch);
        nas_graph_destroy(graph);
    }
}

/* What a reference file says of itself. */
typedef struct reference {
    char *model;
    int size;
    double params, flops;
} reference_t;

static double number_at(hid_t file, const char *name)
{
    double value = 0;
    const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    cr_assert(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value) >= 0);
    H5Dclose(set);
    return value;
}

static char *model_of(hid_t file)
{
    char *text = NULL;
    const hid_t attribute = H5Aopen(file, "model", H5P_DEFAULT), type = H5Aget_type(attribute);
    cr_assert(H5Aread(attribute, type, &text) >= 0);
    char *model = strdup(text);
    H5free_memory(text);
    H5Tclose(type);
    H5Aclose(attribute);
    return model;
}

static reference_t read_reference(const char *path)
{
    hsize_t extent[4] = {0};
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    cr_assert(file >= 0, "%s", path);
    const hid_t images = H5Dopen2(file, "input/images", H5P_DEFAULT), space = H5Dget_space(images);
    cr_assert_eq(H5Sget_simple_extent_dims(space, extent, NULL), 4);
    const reference_t reference = {model_of(file), (int)extent[2],
                                   number_at(file, "expected/params"),
                                   number_at(file, "expected/flops")};
    H5Sclose(space);
    H5Dclose(images);
    H5Fclose(file);
    return reference;
}

/* "SPACE:TEXT/CHANNELS", of DARTS "/CELLS" besides. */
static nas_graph_t *graph_of_model(char *model, int size)
{
    char *text = strchr(model, ':');
    *text++ = '\0';
    const bool is_darts = strcmp(model, "darts") == 0;
    char *last = strrchr(text, '/');
    *last++ = '\0';
    nas_network_t network = network_of(size, (int)strtol(last, NULL, 10), 1, 10);
    if (is_darts) {
        network.cells = network.channels;
        last = strrchr(text, '/');
        *last++ = '\0';
        network.channels = (int)strtol(last, NULL, 10);
    }
    return nas_space_find(model)->build_text ? graph_of_text(model, text, &network)
                                             : graph_of_arch(text, &network);
}

Test(space_networks, counts_are_those_of_the_references)
{
    static const struct {
        const char *name;
        int layers, rectifiers; /* of its ONNX file */
    } files[] = {{"darts-1", 80, 29},
                 {"darts-2", 90, 38},
                 {"transnas-macro-1", 22, 17},
                 {"transnas-micro-1", 35, 21},
                 {"transnas-micro-dead", 13, 11},
                 {"transnas-micro-wide", 39, 15}};
    const char *shared = getenv("ROBOTNAS_SHARED");
    if (!shared) cr_skip_test("the environment variable ROBOTNAS_SHARED is not set");
    for (size_t i = 0; i < N_OF(files); i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/oracle/ref-onnx/%s.h5", shared, files[i].name);
        if (access(path, R_OK) != 0) cr_skip_test("%s is not there", path);
        reference_t reference = read_reference(path);
        nas_graph_t *graph = graph_of_model(reference.model, reference.size);
        assert_counts(graph,
                      (counts_t){(int64_t)reference.params, (int64_t)reference.flops,
                                 files[i].layers, files[i].rectifiers},
                      files[i].name);
        nas_graph_destroy(graph);
        free(reference.model);
    }
}

/* -------------------------------------------------------------- parameters of published tables */

/* Two convolutions 1x1 of half the channels each, or one of any kernel; and BN. */
static int64_t conv_norm(int c_in, int c_out, int k)
{
    return (int64_t)c_in * c_out * k * k + 2 * (int64_t)c_out;
}

/* All six edges, dead ones too. */
static int64_t cell_params(const uint8_t *digit, int c_in, int c_out, bool changes)
{
    static const bool from_input[] = {true, true, false, true, false, false};
    int64_t params = 0;
    for (int e = 0; e < 6; e++) {
        const int c = from_input[e] ? c_in : c_out;
        const bool is_conv = digit[e] > 1 || (digit[e] == 1 && from_input[e] && changes);
        if (is_conv) params += conv_norm(c, c_out, digit[e] == 3 ? 3 : 1);
    }
    return params;
}

static int64_t residual_params(int c_in, int c_out, bool changes)
{
    return conv_norm(c_in, c_out, 3) + conv_norm(c_out, c_out, 3) +
           (changes ? conv_norm(c_in, c_out, 1) : 0);
}

/* Of a network as the authors build it, whose cells keep what nothing reads. */
static int64_t network_params(const uint8_t *module, int n_modules, const uint8_t *cell,
                              int n_classes)
{
    int c = 64;
    int64_t params = conv_norm(3, c / 2, 3) + conv_norm(c / 2, c, 3);
    for (int i = 0; i < n_modules; i++) {
        const int c_out = module[i] % 2 == 0 ? 2 * c : c;
        params +=
            cell ? cell_params(cell, c, c_out, module[i] > 1) +
                       cell_params(cell, c_out, c_out, false)
                 : residual_params(c, c_out, module[i] > 1) + residual_params(c_out, c_out, false);
        c = c_out;
    }
    return params + ((int64_t)c + 1) * n_classes;
}

static int64_t params_of_code(const nas_space_t *space, const uint8_t *code, int n_classes)
{
    static const uint8_t micro[] = {4, 1, 4, 1, 4};
    int n = 0;
    if (strcmp(space->name, "transnas-micro") == 0)
        return network_params(micro, 5, code, n_classes);
    while (n < 6 && code[n] > 0) n++;
    return network_params(code, n, NULL, n_classes);
}

/* Without the edges that lie on no way from node 0 to node 3; false: there is no such way. */
static bool without_dead_edges(uint8_t *digit)
{
    static const int source[] = {0, 0, 1, 0, 1, 2}, target[] = {1, 2, 2, 3, 3, 3};
    bool fed[4] = {true}, used[4] = {false, false, false, true};
    for (int e = 0; e < 6; e++) fed[target[e]] |= digit[e] > 0 && fed[source[e]];
    for (int e = 5; e >= 0; e--) used[source[e]] |= digit[e] > 0 && used[target[e]];
    for (int e = 0; e < 6; e++)
        if (!fed[source[e]] || !used[target[e]]) digit[e] = 0;
    return fed[3];
}

static void check_row(nas_arch_t *arch, const char *text, int64_t params, int n_classes)
{
    const bool is_micro = strcmp(arch->space->name, "transnas-micro") == 0;
    const nas_network_t network = network_of(64, 64, 1, n_classes);
    nas_error_t err = {0};
    nas_cost_t cost = {0};
    cr_assert_eq(nas_arch_parse(arch, text, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(params_of_code(arch->space, arch->code, n_classes), params, "%s", text);
    cr_assert_eq(nas_arch_cost(arch, &network, &cost, NULL, &err), NAS_OK, "%s", err.text);
    if (is_micro && !without_dead_edges(arch->code))
        cr_assert_eq(cost.params, (512 + 1) * n_classes, "%s", text);
    else
        cr_assert_eq(cost.params, params_of_code(arch->space, arch->code, n_classes), "%s", text);
}

static void check_table(const char *path, const char *space, int n_classes)
{
    nas_error_t err = {0};
    nas_strings_t columns = {0};
    nas_table_t *table = NULL;
    nas_arch_t arch = arch_at(nas_space_find(space), 0);
    cr_assert_eq(nas_strings_add(&columns, "params", 6, &err), NAS_OK);
    const nas_table_options_t options = {.path = path, .arch_column = "arch", .columns = &columns};
    cr_assert_eq(nas_table_read(&options, &table, &err), NAS_OK, "%s", err.text);
    const double *params = nas_table_column(table, "params");
    for (int64_t i = 0; i < nas_table_rows(table); i++)
        check_row(&arch, nas_names_at(nas_table_names(table), i), llround(1e6 * params[i]),
                  n_classes);
    nas_table_destroy(table);
    nas_strings_fini(&columns);
    nas_arch_fini(&arch);
}

/* The tables' counts have the dead edges, and ours are what is left without them. */
Test(space_networks, published_params_are_reproduced)
{
    static const struct {
        const char *table, *space;
        int n_classes;
    } cases[] = {{"tnb101-micro-class_object.csv", "transnas-micro", 100},
                 {"tnb101-macro-class_scene.csv", "transnas-macro", 63}};
    const char *shared = getenv("ROBOTNAS_SHARED");
    if (!shared) cr_skip_test("the environment variable ROBOTNAS_SHARED is not set");
    for (size_t i = 0; i < N_OF(cases); i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/data/tables/%s", shared, cases[i].table);
        if (access(path, R_OK) != 0) cr_skip_test("%s is not there", path);
        check_table(path, cases[i].space, cases[i].n_classes);
    }
}
