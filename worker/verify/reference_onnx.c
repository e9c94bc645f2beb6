/* The network of a reference in the ONNX file beside it. */
#include "common/base/strings.h"
#include "common/io/file.h"
#include "worker/onnx/read/read.h"
#include "worker/verify/reference_internal.h"

#include <stdlib.h>
#include <string.h>

/* X.onnx beside X.h5; the caller's. NULL: NAS_ENOMEM. */
static char *onnx_path(const char *path, nas_error_t *err)
{
    const size_t length = strlen(path);
    const bool has_ending = length > 3 && strcmp(path + length - 3, ".h5") == 0;
    return nas_string_format(err, "%.*s.onnx", (int)(has_ending ? length - 3 : length), path);
}

static nas_status_t read_file(const char *path, const char *onnx, const nas_network_t *network,
                              nas_reference_t *reference, nas_error_t *err)
{
    nas_onnx_network_t read = {0};
    const nas_onnx_expected_t expected = {.image_channels = network->image_channels,
                                          .height = network->height,
                                          .width = network->width,
                                          .classes = network->classes,
                                          .with_values = true};
    if (!nas_file_exists(onnx))
        return nas_error_set(err, NAS_EINPUT,
                             "%s: it is of a network in an ONNX file, but there is no %s", path,
                             onnx);
    const nas_status_t status = nas_onnx_read(onnx, &expected, &read, err);
    if (status) return status;
    reference->graph = read.graph;
    reference->parameters = read.parameters;
    reference->initialiser = read.parameter;
    read.graph = NULL;
    read.parameters = NULL;
    read.parameter = NULL;
    nas_onnx_network_fini(&read);
    return NAS_OK;
}

nas_status_t nas_reference_read_onnx(const char *path, const nas_network_t *network,
                                     nas_reference_t *reference, nas_error_t *err)
{
    char *onnx = onnx_path(path, err);
    const nas_status_t status = onnx ? read_file(path, onnx, network, reference, err) : NAS_ENOMEM;
    free(onnx);
    return status;
}
