/* References of networks in ONNX files, and the same networks as a space builds them. */
#include "network_case.h"
#include "temp_folder.h"
#include "worker/engine/graph/parameters.h"
#include "worker/engine/host/host.h"
#include "worker/engine/metrics/metric.h"
#include "worker/onnx/onnx.h"
#include "worker/verify/comparison.h"
#include "worker/verify/reference.h"
#include "worker/verify/verify_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 3, SIZE = 16, CLASSES = 5 };

/* A network of a space and how a reference names it. */
typedef struct named {
    const char *space, *text, *model;
    int channels, cells;
} named_t;

static const named_t NAMED[] = {
    {"darts", MIXED, "darts:" MIXED "/4/3", 4, 3},
    {"transnas-micro", "64-41-1_12_321", "transnas-micro:64-41-1_12_321/8", 8, 1},
    {"transnas-macro", "64-1411-basic", "transnas-macro:64-1411-basic/6", 6, 1}};

static nas_graph_t *graph_of(const named_t *named)
{
    const nas_network_t network = network_of(SIZE, named->channels, named->cells, CLASSES);
    return nas_space_find(named->space)->build_text
               ? graph_of_text(named->space, named->text, &network)
               : graph_of_arch(named->text, &network);
}

static void write_onnx(const char *path, const nas_graph_t *graph, const double *parameters)
{
    static const double zero[3] = {0}, one[3] = {1, 1, 1};
    double *statistics = malloc((size_t)graph->n_statistics * sizeof *statistics);
    nas_onnx_options_t options = {
        .graph = graph, .parameters = parameters, .mean = zero, .std = one};
    unsigned char *data = NULL;
    size_t size = 0;
    cr_assert_not_null(statistics);
    for (int64_t i = 0; i < graph->n_statistics; i++) statistics[i] = 1;
    options.statistics = statistics;
    cr_assert_eq(nas_onnx_encode(&options, &data, &size, NULL), NAS_OK);
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(data, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
    free(statistics);
    free(data);
}

static void draw_images(nas_images_t *images)
{
    nas_rng_t rng;
    nas_rng_init(&rng, 1, NAS_STREAM_BENCH, 0);
    *images = (nas_images_t){.pixel = NAS_PIXEL_F32, .n = BATCH, .c = 3, .h = SIZE, .w = SIZE};
    cr_assert_eq(nas_images_allocate(images, NULL), NAS_OK);
    for (size_t i = 0; i < BATCH * nas_images_values(images); i++)
        ((float *)images->data)[i] = (float)nas_rng_normal(&rng);
    for (int i = 0; i < BATCH; i++) images->labels[i] = i;
}

static nas_reference_values_t compute(const nas_reference_t *reference)
{
    nas_engine_t *engine = NULL;
    nas_reference_values_t values = {0};
    cr_assert_eq(nas_reference_values_init(reference, &values, NULL), NAS_OK);
    cr_assert_eq(nas_host_engine_create(nas_backend_ref(), NULL, &engine, NULL), NAS_OK);
    cr_assert_eq(nas_verify_values(engine, reference, &values, NULL), NAS_OK);
    nas_engine_destroy(engine);
    return values;
}

/* X.h5 of a network with all values of the graph that the space builds, and X.onnx beside it. */
static void write_reference(const temp_path_t *folder, const named_t *named, const char *model)
{
    int n_metrics = 0;
    const nas_metric_t *const *metrics = nas_metric_list(&n_metrics);
    nas_reference_t reference = {.graph = graph_of(named), .batch = BATCH};
    const size_t n = (size_t)reference.graph->n_values,
                 n_parameters = (size_t)reference.graph->n_parameters;
    reference.model = strdup(model);
    reference.parameters = malloc(n * sizeof(double));
    reference.has_metric = malloc((size_t)n_metrics * sizeof(bool));
    reference.has_gradient = calloc(n_parameters, sizeof(bool));
    reference.has_input_gradient = true;
    cr_assert(reference.model && reference.parameters && reference.has_metric);
    for (int i = 0; i < n_metrics; i++) /* a file says nothing of blocks, by which those are */
        reference.has_metric[i] = strncmp(metrics[i]->name, "az_", 3) != 0;
    nas_parameters_init(reference.graph, 1, named->text, reference.parameters);
    draw_images(&reference.input);
    reference.expected = compute(&reference);
    cr_assert_eq(
        nas_reference_write(temp_file(folder, "x.h5").text, &reference, &reference.expected, NULL),
        NAS_OK);
    write_onnx(temp_file(folder, "x.onnx").text, reference.graph, reference.parameters);
    nas_reference_fini(&reference);
}

static nas_status_t read_reference(const temp_path_t *folder, const char *space,
                                   nas_reference_t *reference, nas_error_t *err)
{
    return nas_reference_read(temp_file(folder, "x.h5").text, NULL,
                              space ? nas_space_find(space) : NULL, reference, err);
}

static void expect_agreement(const nas_reference_t *reference, const char *name)
{
    nas_reference_values_t found = compute(reference);
    nas_comparison_t *row = NULL;
    size_t n = 0;
    cr_assert_eq(nas_compare(reference, &found, true, &row, &n, NULL), NAS_OK);
    cr_assert_gt(n, 10);
    for (size_t i = 0; i < n; i++) cr_assert(row[i].agrees, "%s: %s", name, row[i].name);
    free(row);
    nas_reference_values_fini(&found);
}

/* The graph is the space's, its values those of the file, whichever builds it. */
Test(reference_space, a_space_builds_the_network_of_the_file)
{
    const temp_path_t folder = temp_folder_make();
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++) {
        nas_error_t err = {0};
        write_reference(&folder, &NAMED[i], NAMED[i].model);
        for (int built = 0; built < 2; built++) {
            nas_reference_t reference = {0};
            cr_assert_eq(read_reference(&folder, built ? NAMED[i].space : NULL, &reference, &err),
                         NAS_OK, "%s", err.text);
            cr_assert_eq(reference.graph->network.channels, built ? NAMED[i].channels : 0);
            expect_agreement(&reference, NAMED[i].model);
            nas_reference_fini(&reference);
        }
    }
    temp_folder_remove(&folder);
}

Test(reference_space, what_the_space_does_not_build_is_refused)
{
    static const struct {
        const char *space, *model, *message;
    } cases[] = {
        {"transnas-micro", "transnas-micro:64-41-1_12_321/10", "has not the shape of"},
        {"transnas-micro", "transnas-micro:64-41-1_12_331/8", "has not the shape of"},
        {"transnas-micro", "transnas-micro:64-41-1_12_320/8", "parameters, the space's has"},
        {"transnas-micro", "transnas-micro:64-41-1_12_324/8", "'64-41-1_12_324' is no network"},
        {"transnas-micro", "transnas-micro:64-41-1_12_321/1", "channels"},
        {"transnas-micro", "transnas-micro:64-41-1_12_321/2000", "is not transnas-micro:ARCH"},
        {"transnas-micro", "transnas-micro:64-41-1_12_321", "is not transnas-micro:ARCH"},
        {"transnas-micro", "transnas-micro:64-41-1_12_321/8x", "is not transnas-micro:ARCH"},
        {"transnas-micro", "64-41-1_12_321/8", "is not transnas-micro:ARCH"},
        {"transnas-macro", "transnas-micro:64-41-1_12_321/8", "is not transnas-macro:ARCH"},
        {"transnas-macro", "transnas-macro:64-41-basic/8", "64-41-basic"},
        {"darts", "darts:" MIXED "/8", "is not darts:ARCHITECTURE/CHANNELS/CELLS"}};
    const temp_path_t folder = temp_folder_make();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nas_error_t err = {0};
        nas_reference_t reference = {0};
        if (i == 0 || strcmp(cases[i].model, cases[i - 1].model) != 0)
            write_reference(&folder, &NAMED[1], cases[i].model);
        cr_assert_eq(read_reference(&folder, cases[i].space, &reference, &err), NAS_EINPUT, "%s",
                     cases[i].model);
        cr_assert(strstr(err.text, cases[i].message), "%s", err.text);
        cr_assert(strstr(err.text, "x.h5: "), "%s", err.text);
    }
    temp_folder_remove(&folder);
}
