#include "worker/onnx/onnx.h"

#include "common/base/version.h"
#include "worker/onnx/onnx_graph.h"
#include "worker/onnx/onnx_model.h"

#include <stdlib.h>

/* Of the file format; version 8 goes with the operators' version here, and later ones. */
enum { IR_VERSION = 8 };

/* Readers of protocol buffers refuse more. */
static const size_t max_size = INT32_MAX;

static void add_interface(nas_onnx_model_t *model, const nas_network_t *network)
{
    const nas_onnx_tensor_t images = {
        .name = "images",
        .n_dims = 3,
        .dims = {network->image_channels, network->height, network->width}};
    const nas_onnx_tensor_t logits = {.name = "logits", .n_dims = 1, .dims = {network->classes}};
    nas_onnx_add_input(model, &images);
    nas_onnx_add_output(model, &logits);
}

static void add_origin(nas_onnx_model_t *model, const nas_onnx_options_t *options)
{
    model->proto.has_ir_version = true;
    model->proto.ir_version = IR_VERSION;
    model->proto.producer_name = (char *)"robotnas";
    model->proto.producer_version = (char *)nas_version();
    model->graph.name = (char *)"network";
    nas_onnx_add_opset(model, NAS_ONNX_OPSET);
    for (size_t i = 0; i < options->n_provenance; i++)
        nas_onnx_add_metadata(model, options->provenance[i].key, options->provenance[i].value);
}

static nas_status_t pack(const Onnx__ModelProto *proto, unsigned char **data_p, size_t *size,
                         nas_error_t *err)
{
    const size_t n = onnx__model_proto__get_packed_size(proto);
    if (n > max_size)
        return nas_error_set(err, NAS_EINPUT,
                             "as an ONNX model the network has %zu bytes; ONNX files end at 2 GiB",
                             n);
    unsigned char *data = malloc(n);
    if (!data) return nas_error_nomem(err, "an ONNX model");
    (void)onnx__model_proto__pack(proto, data);
    *data_p = data;
    *size = n;
    return NAS_OK;
}

nas_status_t nas_onnx_encode(const nas_onnx_options_t *options, unsigned char **data_p,
                             size_t *size, nas_error_t *err)
{
    nas_onnx_model_t model;
    nas_onnx_model_init(&model);
    add_origin(&model, options);
    add_interface(&model, &options->graph->network);
    nas_onnx_add_network(&model, options);
    const nas_status_t status = model.memory.failed ? nas_error_nomem(err, "an ONNX model")
                                                    : pack(&model.proto, data_p, size, err);
    nas_onnx_model_fini(&model);
    return status;
}
