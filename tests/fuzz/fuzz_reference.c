/* Reference files of `robotnas verify`: edits (h5_edit.h) of a good one. The first byte says
 * whether it is of one batch or of a training. What is accepted is written again. HDF5
 * reads it in a child process, so that a try takes milliseconds. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/h5_edit.h"
#include "worker/engine/metrics/metric.h"
#include "worker/verify/reference.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 2, N_STEPS = 2, CLASSES = 2 };

static void *zeros(size_t n, size_t size)
{
    void *array = calloc(n + 1, size);
    NAS_ASSERT(array);
    return array;
}

static const char CELL[] = "|skip_connect~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|";

/* The least network, and values of 0. */
static nas_reference_t make_reference(bool is_training)
{
    const nas_network_t network = {.image_channels = 1,
                                   .height = 4,
                                   .width = 4,
                                   .channels = 1,
                                   .cells = 1,
                                   .classes = CLASSES,
                                   .convention = NAS_CONVENTION_TRAIN};
    nas_reference_t r = {
        .batch = BATCH, .n_steps = is_training ? N_STEPS : 0, .has_input_gradient = !is_training};
    nas_images_t *images = is_training ? &r.course : &r.input;
    int n_metrics = 0;
    (void)nas_metric_list(&n_metrics);
    NAS_ASSERT(nas_arch_init(&r.arch, nas_space_with_networks(), NULL) == NAS_OK);
    NAS_ASSERT(nas_arch_parse(&r.arch, CELL, NULL) == NAS_OK);
    NAS_ASSERT(nas_graph_create(&network, &r.arch, &r.graph, NULL) == NAS_OK);
    *images = (nas_images_t){.pixel = NAS_PIXEL_F32,
                             .n = is_training ? N_STEPS * BATCH : BATCH,
                             .c = network.image_channels,
                             .h = network.height,
                             .w = network.width};
    NAS_ASSERT(nas_images_allocate(images, NULL) == NAS_OK);
    memset(images->data, 0, (size_t)images->n * nas_images_values(images) * sizeof(float));
    memset(images->labels, 0, (size_t)images->n * sizeof *images->labels);
    r.parameters = zeros((size_t)r.graph->n_values, sizeof *r.parameters);
    r.has_metric = zeros((size_t)n_metrics, sizeof *r.has_metric);
    r.has_gradient = zeros((size_t)r.graph->n_parameters, sizeof *r.has_gradient);
    r.has_metric[0] = r.has_gradient[0] = true;
    NAS_ASSERT(nas_reference_values_init(&r, &r.expected, NULL) == NAS_OK);
    return r;
}

/* The good file of a kind, made once. */
static fuzz_bytes_t good_file(const char *path, bool is_training)
{
    static fuzz_bytes_t good[2];
    if (good[is_training].n > 0) return good[is_training];
    nas_reference_t reference = make_reference(is_training);
    NAS_ASSERT(nas_reference_write(path, &reference, &reference.expected, NULL) == NAS_OK);
    nas_reference_fini(&reference);
    good[is_training] = fuzz_read(path);
    return good[is_training];
}

static void check_reference(const char *path, const nas_reference_t *reference)
{
    const nas_network_t *network = &reference->graph->network;
    const nas_images_t *input = &reference->input, *course = &reference->course;
    NAS_ASSERT(reference->batch > 0 && (input->n == 0 || input->n == reference->batch));
    NAS_ASSERT(course->n == (int64_t)reference->n_steps * reference->batch);
    NAS_ASSERT(input->n + course->n > 0);
    for (int64_t i = 0; i < input->n; i++)
        NAS_ASSERT(input->labels[i] >= 0 && input->labels[i] < network->classes);
    for (int64_t i = 0; i < course->n; i++)
        NAS_ASSERT(course->labels[i] >= 0 && course->labels[i] < network->classes);
    NAS_ASSERT(nas_reference_write(path, reference, &reference->expected, NULL) == NAS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes_t input = {data, size};
    char *path = fuzz_path("reference.h5");
    const fuzz_bytes_t good = good_file(path, fuzz_byte(&input) % 2);
    const fuzz_bytes_t file = fuzz_h5_edit(good, input);
    nas_reference_t reference = {0};
    nas_error_t err = {0};
    fuzz_write(path, file);
    const nas_status_t status = nas_reference_read(path, NULL, NULL, &reference, &err);
    if (status)
        fuzz_check_error(status, &err);
    else
        check_reference(path, &reference);
    nas_reference_fini(&reference);
    free(path);
    free((void *)(uintptr_t)file.at);
    return 0;
}
