/* A reference's network and what there is of batches. */
#include "worker/verify/reference.h"

#include "common/base/strings.h"
#include "worker/verify/reference_internal.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BATCH = 4096, MOST_CLASSES = 65536 };
enum { MOST_COLOURS = 256, MOST_PIXELS = 1024, MOST_STEPS = 65536 };

typedef enum item {
    ARCH = 0,
    MODEL,
    CHANNELS,
    CELLS,
    CLASSES,
    CONVENTION,
    BATCH,
    IMAGES,
    LABELS, /* behind IMAGES */
    LOSSES,
    N_ITEMS
} item_t;

/* Which of them must be there depends on what the file is of. */
static const nas_untrusted_item_t ITEMS[N_ITEMS] = {
    [ARCH] = {.name = "arch", .types = NAS_UNTRUSTED_TEXT, .attribute = true, .optional = true},
    [MODEL] = {.name = "model", .types = NAS_UNTRUSTED_TEXT, .attribute = true, .optional = true},
    [CHANNELS] = {.name = "channels",
                  .types = NAS_UNTRUSTED_I64,
                  .attribute = true,
                  .optional = true},
    [CELLS] = {.name = "cells", .types = NAS_UNTRUSTED_I64, .attribute = true, .optional = true},
    [CLASSES] = {.name = "classes",
                 .types = NAS_UNTRUSTED_I64,
                 .attribute = true,
                 .optional = true},
    [CONVENTION] = {.name = "convention",
                    .types = NAS_UNTRUSTED_TEXT,
                    .attribute = true,
                    .optional = true},
    [BATCH] = {.name = "batch", .types = NAS_UNTRUSTED_I64, .attribute = true, .optional = true},
    [IMAGES] = {.name = "input/images", .types = NAS_UNTRUSTED_F32, .optional = true},
    [LABELS] = {.name = "input/labels", .types = NAS_UNTRUSTED_I64, .optional = true},
    [LOSSES] = {.name = "expected/losses", .types = NAS_UNTRUSTED_F64, .optional = true},
};

/* ------------------------------------------------------------------------------ network */

/* A whole number from 1 to `most`. */
static nas_status_t take_number(const char *path, const nas_untrusted_array_t *array, item_t item,
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

static nas_status_t take_convention(const char *path, const nas_untrusted_array_t *array,
                                    nas_convention_t *convention, nas_error_t *err)
{
    const char *name = array->data ? array->data : "";
    const bool is_score = strcmp(name, "score") == 0;
    if (!is_score && strcmp(name, "train") != 0)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: attribute 'convention' is neither 'score' nor 'train'", path);
    *convention = is_score ? NAS_CONVENTION_SCORE : NAS_CONVENTION_TRAIN;
    return NAS_OK;
}

static nas_status_t take_arch(const char *path, const nas_untrusted_array_t *array,
                              nas_reference_t *reference, nas_error_t *err)
{
    const nas_space_t *space = nas_space_with_networks();
    nas_status_t status = nas_arch_init(&reference->arch, space, err);
    if (!status) status = nas_arch_parse(&reference->arch, array->data, err);
    if (status != NAS_EINPUT) return status;
    return nas_error_set(err, NAS_EINPUT, "%s: attribute 'arch': '%.100s' is not %s", path,
                         (const char *)array->data, space->forms);
}

/* Steps of a training, if there is one. */
static nas_status_t take_steps(const char *path, const nas_untrusted_array_t *losses,
                               nas_reference_t *reference, nas_error_t *err)
{
    if (!losses->data) return NAS_OK;
    if (losses->rank != 1 || losses->n < 1 || losses->n > MOST_STEPS)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: dataset 'expected/losses' is not a list of 1 to %d, one a step",
                             path, MOST_STEPS);
    reference->n_steps = (int)losses->n;
    return NAS_OK;
}

/* [N, C, H, W] within reason; n: how many there are to be, 0 where the file says. */
static nas_status_t take_extents(const char *path, const nas_untrusted_array_t *images, int n,
                                 nas_network_t *network, nas_error_t *err)
{
    const int most_n = n > 0 ? n : MOST_BATCH;
    const int64_t least[] = {n > 0 ? n : 1, 1, 1, 1};
    const int64_t most[] = {most_n, MOST_COLOURS, MOST_PIXELS, MOST_PIXELS};
    bool good = images->data && images->rank == 4;
    for (int i = 0; good && i < 4; i++)
        good = least[i] <= images->size[i] && images->size[i] <= most[i];
    if (!good)
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: dataset 'input/images' is not there or not [N, C, H, W] of %s %d x %d x %d x %d",
            path, n > 0 ? "N = steps times batch, at most" : "at most", most_n, MOST_COLOURS,
            MOST_PIXELS, MOST_PIXELS);
    network->image_channels = (int)images->size[1];
    network->height = (int)images->size[2];
    network->width = (int)images->size[3];
    return NAS_OK;
}

/* Images of a batch, and how many they are. */
static nas_status_t take_batch(const char *path, const nas_untrusted_array_t *images,
                               nas_network_t *network, nas_reference_t *reference, nas_error_t *err)
{
    const nas_status_t status = take_extents(path, images, 0, network, err);
    if (!status) reference->batch = (int)images->size[0];
    if (!status) reference->input.n = reference->batch;
    return status;
}

/* Of a training alone, its images, which may be elsewhere. */
static nas_status_t take_course(const char *path, const nas_untrusted_array_t *array,
                                nas_network_t *network, nas_reference_t *reference,
                                nas_error_t *err)
{
    if (network->convention != NAS_CONVENTION_TRAIN)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: attribute 'convention' is 'score'; a training has 'train'", path);
    const nas_status_t status = take_number(path, array, BATCH, MOST_BATCH, &reference->batch, err);
    if (status || !array[IMAGES].data) return status;
    return take_extents(path, &array[IMAGES], reference->n_steps * reference->batch, network, err);
}

/* A network of a space. */
static nas_status_t take_cell(const char *path, const nas_untrusted_array_t *array,
                              nas_reference_t *reference, nas_network_t *network, nas_error_t *err)
{
    nas_status_t status = take_arch(path, &array[ARCH], reference, err);
    if (!status)
        status = take_number(path, array, CHANNELS, NAS_REFERENCE_MOST_CHANNELS, &network->channels,
                             err);
    if (!status)
        status = take_number(path, array, CELLS, NAS_REFERENCE_MOST_CELLS, &network->cells, err);
    if (!status) status = take_number(path, array, CLASSES, MOST_CLASSES, &network->classes, err);
    if (!status) status = take_convention(path, &array[CONVENTION], &network->convention, err);
    if (!status) status = take_steps(path, &array[LOSSES], reference, err);
    if (status) return status;
    if (reference->n_steps > 0) return take_course(path, array, network, reference, err);
    return take_batch(path, &array[IMAGES], network, reference, err);
}

/* A network of an ONNX file. */
static nas_status_t take_model(const char *path, const nas_untrusted_array_t *array,
                               nas_reference_t *reference, nas_network_t *network, nas_error_t *err)
{
    if (!array[MODEL].data)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: there is neither an attribute 'arch' nor 'model'; references "
                             "have one of them",
                             path);
    reference->model = nas_string_escape(array[MODEL].data, err);
    nas_status_t status = reference->model ? NAS_OK : NAS_ENOMEM;
    if (!status) status = take_number(path, array, CLASSES, MOST_CLASSES, &network->classes, err);
    if (!status) status = take_steps(path, &array[LOSSES], reference, err);
    if (!status) status = take_batch(path, &array[IMAGES], network, reference, err);
    return status;
}

static bool names_fit(const nas_graph_t *graph)
{
    for (int i = 0; i < graph->n_parameters; i++)
        if (strlen(graph->parameter[i].name) >= NAS_REFERENCE_NAME_SIZE) return false;
    return true;
}

/* The graph's own refusals do not know the file. */
static nas_status_t build_graph(const char *path, const nas_network_t *network,
                                nas_reference_t *reference, nas_error_t *err)
{
    nas_error_t why = {0};
    const nas_status_t status =
        nas_graph_create(network, &reference->arch, &reference->graph, &why);
    if (status == NAS_EARG) return nas_error_set(err, NAS_EINPUT, "%s: %s", path, why.text);
    if (status) return nas_error_set(err, status, "%s", why.text);
    if (names_fit(reference->graph)) return NAS_OK;
    return nas_error_set(err, NAS_EINPUT,
                         "%s: a parameter of the network has a name of more than %d bytes", path,
                         NAS_REFERENCE_NAME_SIZE - 1);
}

static nas_status_t take_network(const char *path, const nas_untrusted_array_t *array,
                                 const nas_space_t *space, nas_reference_t *reference,
                                 nas_error_t *err)
{
    nas_network_t network = {.image_channels = 3, .height = 32, .width = 32}; /* CIFAR's */
    const bool has_arch = array[ARCH].data;
    if (has_arch && space)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: it has no ONNX file beside it whose network %s could build", path,
                             space->name);
    nas_status_t status = has_arch ? take_cell(path, array, reference, &network, err)
                                   : take_model(path, array, reference, &network, err);
    if (!status && has_arch) return build_graph(path, &network, reference, err);
    if (!status) status = nas_reference_read_onnx(path, &network, reference, err);
    if (!status && space) status = nas_reference_build(path, space, reference, err);
    return status;
}

nas_status_t nas_reference_read(const char *path, const char *cifar, const nas_space_t *space,
                                nas_reference_t *reference, nas_error_t *err)
{
    nas_untrusted_array_t array[N_ITEMS] = {0};
    nas_reference_t read = {0};
    nas_status_t status = nas_reference_items(path, ITEMS, N_ITEMS, array, err);
    if (status) return status;
    if ((status = take_network(path, array, space, &read, err))) goto out;
    if ((status = nas_reference_take_images(path, cifar, &array[IMAGES], &read, err))) goto out;
    if ((status = nas_reference_read_values(path, &read, err))) goto out;
    *reference = read;
    read = (nas_reference_t){0};
out:
    nas_reference_fini(&read);
    nas_untrusted_arrays_fini(array, N_ITEMS);
    return status;
}

void nas_reference_fini(nas_reference_t *reference)
{
    nas_arch_fini(&reference->arch);
    free(reference->model);
    nas_graph_destroy(reference->graph);
    nas_images_fini(&reference->input);
    nas_images_fini(&reference->course);
    free(reference->parameters);
    for (char **name = reference->initialiser; name && *name; name++) free(*name);
    free(reference->initialiser);
    nas_reference_values_fini(&reference->expected);
    free(reference->has_metric);
    free(reference->has_gradient);
    *reference = (nas_reference_t){0};
}
