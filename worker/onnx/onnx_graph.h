/* A network's graph as nodes and initialisers of an ONNX model. */
#ifndef NAS_WORKER_ONNX_ONNX_GRAPH_H
#define NAS_WORKER_ONNX_ONNX_GRAPH_H

#include "worker/onnx/onnx.h"
#include "worker/onnx/onnx_model.h"

/** Version of ONNX's operators that the nodes are of. */
enum { NAS_ONNX_OPSET = 13 };

/** Add all nodes and initialisers of the network, from the value `images` to `logits`.  Not
 *  collective, deterministic. */
void nas_onnx_add_network(nas_onnx_model_t *model, const nas_onnx_options_t *options);

#endif
