/* A reference's network and batch. */
#include "worker/reference.h"

#include "worker/reference_internal.h"

#include <stdlib.h>
#include <string.h>

/* Limits of one file; the largest networks of the benchmark take 2 MiB. */
enum { MOST_BYTES = 1 << 30, CPU_S = 60, WALL_S = 300 };
enum { MOST_BATCH = 4096, MOST_CHANNELS = 1024, MOST_CELLS = 64, MOST_CLASSES = 65536 };
enum { MOST_COLOURS = 256, MOST_PIXELS = 1024 };

typedef enum item {
    ARCH = 0,
    CHANNELS,
    CELLS,
    CLASSES,
    CONVENTION,
    IMAGES,
    LABELS,
    LOSSES,
    N_ITEMS
} item_t;

static const nas_foreign_item_t ITEMS[N_ITEMS] = {
    [ARCH] = {.name = "arch", .types = NAS_FOREIGN_TEXT, .attribute = true},
    [CHANNELS] = {.name = "channels", .types = NAS_FOREIGN_I64, .attribute = true},
    [CELLS] = {.name = "cells", .types = NAS_FOREIGN_I64, .attribute = true},
    [CLASSES] = {.name = "classes", .types = NAS_FOREIGN_I64, .attribute = true},
    [CONVENTION] = {.name = "convention", .types = NAS_FOREIGN_TEXT, .attribute = true},
    [IMAGES] = {.name = "input/images", .types = NAS_FOREIGN_F32, .optional = true},
    [LABELS] = {.name = "input/labels", .types = NAS_FOREIGN_I64, .optional = true},
    [LOSSES] = {.name = "expected/losses", .types = NAS_FOREIGN_F64, .optional = true},
};

nas_status_t nas_reference_items(const char *path, const nas_foreign_item_t *item, size_t n,
                                 nas_foreign_array_t *array, nas_error_t *err)
{
    const nas_foreign_request_t request = {.path = path,
                                           .item = item,
                                           .n = n,
                                           .max_bytes = MOST_BYTES,
                                           .cpu_s = CPU_S,
                                           .wall_s = WALL_S};
    return nas_foreign_hdf5_read(&request, array, err);
}

/* ------------------------------------------------------------------------------ network */

/* A whole number from 1 to `most`. */
static nas_status_t take_number(const char *path, const nas_foreign_array_t *array, item_t item,
                                int most, int *number, nas_error_t *err)
{
    const int64_t value = array[item].n == 1 ? *(const int64_t *)array[item].data : 0;
    if (value < 1 || value > most)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: attribute '%s' is not a whole number from 1 to %d", path,
                             ITEMS[item].name, most);
    *number = (int)value;
    return NAS_OK;
}

static nas_status_t take_convention(const char *path, const nas_foreign_array_t *array,
                                    nas_convention_t *convention, nas_error_t *err)
{
    const bool is_score = strcmp(array->data, "score") == 0;
    if (!is_score && strcmp(array->data, "train") != 0)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: attribute 'convention' is neither 'score' nor 'train'", path);
    *convention = is_score ? NAS_CONVENTION_SCORE : NAS_CONVENTION_TRAIN;
    return NAS_OK;
}

static nas_status_t take_arch(const char *path, const nas_foreign_array_t *array,
                              nas_reference_t *reference, nas_error_t *err)
{
    if (!nas_space_nb201.parse(array->data, reference->operation))
        return nas_error_set(err, NAS_EINPUT, "%s: attribute 'arch': '%.100s' is not %s", path,
                             (const char *)array->data, nas_space_nb201.forms);
    nas_space_nb201.print(reference->operation, reference->arch);
    return NAS_OK;
}

/* [N, C, H, W] within reason. */
static nas_status_t take_extents(const char *path, const nas_foreign_array_t *images,
                                 nas_network_t *network, int *batch, nas_error_t *err)
{
    static const int64_t most[] = {MOST_BATCH, MOST_COLOURS, MOST_PIXELS, MOST_PIXELS};
    bool good = images->data && images->rank == 4;
    for (int i = 0; good && i < 4; i++) good = 1 <= images->size[i] && images->size[i] <= most[i];
    if (!good)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: dataset 'input/images' is not there or not [N, C, H, W] of at "
                             "most %d x %d x %d x %d",
                             path, MOST_BATCH, MOST_COLOURS, MOST_PIXELS, MOST_PIXELS);
    *batch = (int)images->size[0];
    network->image_channels = (int)images->size[1];
    network->height = (int)images->size[2];
    network->width = (int)images->size[3];
    return NAS_OK;
}

static nas_status_t take_network(const char *path, const nas_foreign_array_t *array,
                                 nas_reference_t *reference, nas_network_t *network,
                                 nas_error_t *err)
{
    nas_status_t status = take_arch(path, &array[ARCH], reference, err);
    if (!status)
        status = take_number(path, array, CHANNELS, MOST_CHANNELS, &network->channels, err);
    if (!status) status = take_number(path, array, CELLS, MOST_CELLS, &network->cells, err);
    if (!status) status = take_number(path, array, CLASSES, MOST_CLASSES, &network->classes, err);
    if (!status) status = take_convention(path, &array[CONVENTION], &network->convention, err);
    if (!status) status = take_extents(path, &array[IMAGES], network, &reference->batch, err);
    return status;
}

/* -------------------------------------------------------------------------------- batch */

static nas_status_t take_labels(const char *path, const nas_foreign_array_t *array, int classes,
                                nas_reference_t *reference, nas_error_t *err)
{
    const int64_t *label = array->data;
    if (!label || array->rank != 1 || array->size[0] != reference->batch)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: dataset 'input/labels' is not a list of %d, one an image", path,
                             reference->batch);
    reference->labels = malloc((size_t)reference->batch * sizeof *reference->labels);
    if (!reference->labels) return nas_error_nomem(err, "labels");
    for (int i = 0; i < reference->batch; i++) {
        if (label[i] < 0 || label[i] >= classes)
            return nas_error_set(err, NAS_EINPUT,
                                 "%s: dataset 'input/labels': %lld, of image %d, is not a class "
                                 "from 0 to %d",
                                 path, (long long)label[i], i, classes - 1);
        reference->labels[i] = (int32_t)label[i];
    }
    return NAS_OK;
}

/* The graph's own refusals do not know the file. */
static nas_status_t build_graph(const char *path, const nas_network_t *network, int channel_block,
                                nas_reference_t *reference, nas_error_t *err)
{
    nas_error_t why = {0};
    const nas_status_t status =
        nas_graph_create(network, reference->operation, channel_block, &reference->graph, &why);
    if (status == NAS_EARG) return nas_error_set(err, NAS_EINPUT, "%s: %s", path, why.text);
    return status ? nas_error_set(err, status, "%s", why.text) : NAS_OK;
}

nas_status_t nas_reference_read(const char *path, int channel_block, nas_reference_t *reference,
                                nas_error_t *err)
{
    nas_foreign_array_t array[N_ITEMS] = {0};
    nas_network_t network = {0};
    nas_reference_t read = {0};
    nas_status_t status = nas_reference_items(path, ITEMS, N_ITEMS, array, err);
    if (status) return status;
    read.is_training = array[LOSSES].data && !array[IMAGES].data;
    if (!read.is_training) {
        if ((status = take_network(path, array, &read, &network, err))) goto out;
        if ((status = take_labels(path, &array[LABELS], network.classes, &read, err))) goto out;
        if ((status = build_graph(path, &network, channel_block, &read, err))) goto out;
        read.images = array[IMAGES].data;
        array[IMAGES].data = NULL;
        if ((status = nas_reference_read_values(path, &read, err))) goto out;
    }
    *reference = read;
    read = (nas_reference_t){0};
out:
    nas_reference_fini(&read);
    nas_foreign_arrays_fini(array, N_ITEMS);
    return status;
}

size_t nas_reference_n_pixels(const nas_reference_t *reference)
{
    const nas_network_t *net = &reference->graph->network;
    return (size_t)reference->batch * (size_t)net->image_channels * (size_t)net->height *
           (size_t)net->width;
}

void nas_reference_fini(nas_reference_t *reference)
{
    nas_graph_destroy(reference->graph);
    free(reference->images);
    free(reference->labels);
    free(reference->parameters);
    nas_reference_values_fini(&reference->expected);
    free(reference->has_metric);
    free(reference->has_gradient);
    *reference = (nas_reference_t){0};
}
