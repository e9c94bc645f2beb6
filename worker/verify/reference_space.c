/* The network of a reference as a space builds it, with the parameters of the ONNX file beside it. */
#include "common/base/strings.h"
#include "worker/verify/reference_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An architecture as a file writes it. */
typedef struct written {
    const nas_space_t *space;
    const char *text;
} written_t;

/* Cut a whole number from 1 to `most` and the slash before it from the end of a text; 0: there is
 * none. */
static int cut_number(char *text, int most)
{
    char *slash = strrchr(text, '/'), *end;
    if (!slash || slash[1] < '0' || slash[1] > '9') return 0;
    errno = 0;
    const long number = strtol(slash + 1, &end, 10);
    if (errno || *end != '\0' || number < 1 || number > most) return 0;
    *slash = '\0';
    return (int)number;
}

/* Cut "SPACE:ARCHITECTURE/CHANNELS", or "/CHANNELS/CELLS". */
static bool cut_model(const nas_space_t *space, char *model, const char **text,
                      nas_network_t *network)
{
    const size_t length = strlen(space->name);
    if (strncmp(model, space->name, length) != 0 || model[length] != ':') return false;
    network->cells = space->has_depth ? cut_number(model, NAS_REFERENCE_MOST_CELLS) : 1;
    network->channels = network->cells > 0 ? cut_number(model, NAS_REFERENCE_MOST_CHANNELS) : 0;
    *text = model + length + 1;
    return network->channels > 0;
}

/* By the text's own order where the space has a choice of such. */
static nas_status_t make(const void *what, const nas_network_t *network, nas_builder_t *builder,
                         nas_error_t *err)
{
    const written_t *written = what;
    const nas_space_t *space = written->space;
    nas_arch_t arch = {0};
    if (space->build_text) return space->build_text(written->text, network, builder, err);
    nas_status_t status = nas_arch_init(&arch, space, err);
    if (!status) status = nas_arch_parse(&arch, written->text, err);
    if (!status) status = space->build(&arch, network, builder, err);
    nas_arch_fini(&arch);
    return status;
}

static nas_status_t build(const char *path, const written_t *written, const nas_network_t *network,
                          nas_graph_t **graph_p, nas_error_t *err)
{
    nas_error_t why = {0};
    const nas_status_t status = nas_graph_make(make, written, network, graph_p, &why);
    if (status == NAS_EARG || status == NAS_EINPUT)
        return nas_error_set(err, NAS_EINPUT, "%s: attribute 'model': %s", path, why.text);
    return status ? nas_error_set(err, status, "%s", why.text) : NAS_OK;
}

static bool have_same_shape(const nas_parameter_t *a, const nas_parameter_t *b)
{
    bool same = a->n_dims == b->n_dims;
    for (int i = 0; same && i < a->n_dims; i++) same = a->shape[i] == b->shape[i];
    return same;
}

/* Both lists are in the order of their nodes. */
static nas_status_t check_parameters(const char *path, const nas_graph_t *built,
                                     const nas_reference_t *reference, nas_error_t *err)
{
    const nas_graph_t *file = reference->graph;
    if (built->n_parameters != file->n_parameters)
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: the network in the ONNX file has %d parameters, the space's has %d", path,
            file->n_parameters, built->n_parameters);
    for (int i = 0; i < file->n_parameters; i++)
        if (!have_same_shape(&file->parameter[i], &built->parameter[i]))
            return nas_error_set(
                err, NAS_EINPUT,
                "%s: parameter %d of the ONNX file, '%.100s', has not the shape of the space's '%s'",
                path, i + 1, nas_reference_parameter_name(reference, i), built->parameter[i].name);
    return NAS_OK;
}

nas_status_t nas_reference_build(const char *path, const nas_space_t *space,
                                 nas_reference_t *reference, nas_error_t *err)
{
    nas_network_t network = reference->graph->network;
    written_t written = {.space = space};
    nas_graph_t *built = NULL;
    nas_status_t status = NAS_OK;
    char *model = nas_string_copy(reference->model, err);
    if (!model) return NAS_ENOMEM;
    if (!cut_model(space, model, &written.text, &network))
        status = nas_error_set(
            err, NAS_EINPUT, "%s: attribute 'model': '%.120s' is not %s:ARCHITECTURE/CHANNELS%s",
            path, reference->model, space->name, space->has_depth ? "/CELLS" : "");
    if (!status) status = build(path, &written, &network, &built, err);
    if (!status) status = check_parameters(path, built, reference, err);
    if (!status) {
        nas_graph_destroy(reference->graph);
        reference->graph = built;
        reference->space = space;
        built = NULL;
    }
    nas_graph_destroy(built);
    free(model);
    return status;
}
