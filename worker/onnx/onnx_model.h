/* An ONNX model under construction: nodes and initialisers are added in order, then it is encoded.
 *
 * Once memory has run out (onnx_memory.h) every function does nothing and returns NULL, and
 * functions take NULL for what was not made. So who builds a model asks once, at the end.
 */
#ifndef NAS_WORKER_ONNX_ONNX_MODEL_H
#define NAS_WORKER_ONNX_ONNX_MODEL_H

#include "onnx.pb-c.h"
#include "worker/onnx/onnx_memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Texts that are passed in are borrowed while the model lives, but for formats. */
typedef struct nas_onnx_model {
    Onnx__ModelProto proto; /**< graph is the one below */
    Onnx__GraphProto graph;
    nas_onnx_memory_t memory; /**< of all that is added */
} nas_onnx_model_t;

/** Name and shape of an initialiser. */
typedef struct nas_onnx_tensor {
    const char *name;
    int n_dims;
    int dims[4];
} nas_onnx_tensor_t;

/** An empty model. All functions here: not collective, deterministic. */
void nas_onnx_model_init(nas_onnx_model_t *model);
void nas_onnx_model_fini(nas_onnx_model_t *model);

/** n elements of 0 that live as long as the model. */
void *nas_onnx_take(nas_onnx_model_t *model, size_t n, size_t size);

/** printf into a text of the model. */
const char *nas_onnx_text(nas_onnx_model_t *model, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Append a node with one output, which has the node's name.
 *  input [in] n_inputs names. Returns the model's node. */
Onnx__NodeProto *nas_onnx_add_node(nas_onnx_model_t *model, const char *op, const char *name,
                                   const char *const *input, size_t n_inputs);

/** Give a node an attribute. name: static. */
void nas_onnx_set_int(nas_onnx_model_t *model, Onnx__NodeProto *node, const char *name,
                      int64_t value);
void nas_onnx_set_float(nas_onnx_model_t *model, Onnx__NodeProto *node, const char *name,
                        float value);
/** value [in] n. */
void nas_onnx_set_ints(nas_onnx_model_t *model, Onnx__NodeProto *node, const char *name,
                       const int64_t *value, size_t n);

/** Append an initialiser of float32 or int64. Returns its elements, 0, to be written. */
float *nas_onnx_add_floats(nas_onnx_model_t *model, const nas_onnx_tensor_t *tensor);
int64_t *nas_onnx_add_integers(nas_onnx_model_t *model, const nas_onnx_tensor_t *tensor);

/** Append a node of no inputs that makes a constant of float32. Returns its elements, as above. */
float *nas_onnx_add_constant(nas_onnx_model_t *model, const nas_onnx_tensor_t *tensor);

/** Declare an input or output of float32: [N, ...], the other extents as in tensor. */
void nas_onnx_add_input(nas_onnx_model_t *model, const nas_onnx_tensor_t *tensor);
void nas_onnx_add_output(nas_onnx_model_t *model, const nas_onnx_tensor_t *tensor);

/** Append a pair to the metadata; of value, what is no UTF-8 becomes U+FFFD. */
void nas_onnx_add_metadata(nas_onnx_model_t *model, const char *key, const char *value);

/** Say which version of the operators the nodes are of. */
void nas_onnx_add_opset(nas_onnx_model_t *model, int64_t version);

#endif
