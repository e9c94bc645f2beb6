#include "worker/onnx/onnx_model.h"

#include "common/base/strings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------ memory */

void *nas_onnx_take(nas_onnx_model_t *model, size_t n, size_t size)
{
    return nas_onnx_memory_take(&model->memory, n, size);
}

/* The list of n pointers with room for one more. */
static void *extend(nas_onnx_model_t *model, void *list, size_t n)
{
    return nas_onnx_memory_extend(&model->memory, list, n, sizeof(void *));
}

/* Messages borrow texts and only read them. */
static char *borrow(const char *text)
{
    return (char *)text;
}

const char *nas_onnx_text(nas_onnx_model_t *model, const char *format, ...)
{
    if (model->memory.failed) return NULL;
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : nas_onnx_take(model, (size_t)length + 1, 1);
    if (!text) return NULL;
    va_start(args, format);
    (void)vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

/* ------------------------------------------------------------------------------------- nodes */

Onnx__NodeProto *nas_onnx_add_node(nas_onnx_model_t *model, const char *op, const char *name,
                                   const char *const *input, size_t n_inputs)
{
    Onnx__NodeProto *node = nas_onnx_take(model, 1, sizeof *node);
    char **names = nas_onnx_take(model, n_inputs + 1, sizeof *names);
    Onnx__NodeProto **list = extend(model, model->graph.node, model->graph.n_node);
    if (model->memory.failed) return NULL;
    onnx__node_proto__init(node);
    for (size_t i = 0; i < n_inputs; i++) names[i] = borrow(input[i]);
    names[n_inputs] = borrow(name);
    node->name = borrow(name);
    node->op_type = borrow(op);
    node->input = names;
    node->n_input = n_inputs;
    node->output = names + n_inputs;
    node->n_output = 1;
    model->graph.node = list;
    list[model->graph.n_node++] = node;
    return node;
}

static Onnx__AttributeProto *add_attribute(nas_onnx_model_t *model, Onnx__NodeProto *node,
                                           const char *name,
                                           Onnx__AttributeProto__AttributeType type)
{
    if (model->memory.failed) return NULL;
    Onnx__AttributeProto *attribute = nas_onnx_take(model, 1, sizeof *attribute);
    Onnx__AttributeProto **list = extend(model, node->attribute, node->n_attribute);
    if (model->memory.failed) return NULL;
    onnx__attribute_proto__init(attribute);
    attribute->name = borrow(name);
    attribute->has_type = true;
    attribute->type = type;
    node->attribute = list;
    list[node->n_attribute++] = attribute;
    return attribute;
}

void nas_onnx_set_int(nas_onnx_model_t *model, Onnx__NodeProto *node, const char *name,
                      int64_t value)
{
    Onnx__AttributeProto *attribute =
        add_attribute(model, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    if (!attribute) return;
    attribute->has_i = true;
    attribute->i = value;
}

void nas_onnx_set_float(nas_onnx_model_t *model, Onnx__NodeProto *node, const char *name,
                        float value)
{
    Onnx__AttributeProto *attribute =
        add_attribute(model, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    if (!attribute) return;
    attribute->has_f = true;
    attribute->f = value;
}

void nas_onnx_set_ints(nas_onnx_model_t *model, Onnx__NodeProto *node, const char *name,
                       const int64_t *value, size_t n)
{
    int64_t *copy = nas_onnx_take(model, n, sizeof *copy);
    Onnx__AttributeProto *attribute =
        add_attribute(model, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    if (!attribute) return;
    memcpy(copy, value, n * sizeof *copy);
    attribute->ints = copy;
    attribute->n_ints = n;
}

/* ------------------------------------------------------------------------------ initialisers */

/* Of *n elements, which have no room yet. */
static Onnx__TensorProto *make_tensor(nas_onnx_model_t *model, const nas_onnx_tensor_t *tensor,
                                      Onnx__TensorProto__DataType type, size_t *n)
{
    Onnx__TensorProto *proto = nas_onnx_take(model, 1, sizeof *proto);
    int64_t *dims = nas_onnx_take(model, (size_t)tensor->n_dims, sizeof *dims);
    if (model->memory.failed) return NULL;
    onnx__tensor_proto__init(proto);
    *n = 1;
    for (int i = 0; i < tensor->n_dims; i++) {
        dims[i] = tensor->dims[i];
        *n *= (size_t)dims[i];
    }
    proto->name = borrow(tensor->name);
    proto->dims = dims;
    proto->n_dims = (size_t)tensor->n_dims;
    proto->has_data_type = true;
    proto->data_type = (int32_t)type;
    return proto;
}

static float *make_floats(nas_onnx_model_t *model, Onnx__TensorProto *proto, size_t n)
{
    proto->float_data = nas_onnx_take(model, n, sizeof *proto->float_data);
    proto->n_float_data = proto->float_data ? n : 0;
    return proto->float_data;
}

static Onnx__TensorProto *add_tensor(nas_onnx_model_t *model, const nas_onnx_tensor_t *tensor,
                                     Onnx__TensorProto__DataType type, size_t *n)
{
    Onnx__TensorProto *proto = make_tensor(model, tensor, type, n);
    Onnx__TensorProto **list = extend(model, model->graph.initializer, model->graph.n_initializer);
    if (model->memory.failed) return NULL;
    model->graph.initializer = list;
    list[model->graph.n_initializer++] = proto;
    return proto;
}

float *nas_onnx_add_floats(nas_onnx_model_t *model, const nas_onnx_tensor_t *tensor)
{
    size_t n = 0;
    Onnx__TensorProto *proto = add_tensor(model, tensor, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, &n);
    return proto ? make_floats(model, proto, n) : NULL;
}

float *nas_onnx_add_constant(nas_onnx_model_t *model, const nas_onnx_tensor_t *tensor)
{
    size_t n = 0;
    Onnx__NodeProto *node = nas_onnx_add_node(model, "Constant", tensor->name, NULL, 0);
    Onnx__AttributeProto *attribute =
        add_attribute(model, node, "value", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR);
    Onnx__TensorProto *proto = make_tensor(model, tensor, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, &n);
    if (!attribute || !proto) return NULL;
    attribute->t = proto;
    return make_floats(model, proto, n);
}

int64_t *nas_onnx_add_integers(nas_onnx_model_t *model, const nas_onnx_tensor_t *tensor)
{
    size_t n = 0;
    Onnx__TensorProto *proto = add_tensor(model, tensor, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, &n);
    if (!proto) return NULL;
    proto->int64_data = nas_onnx_take(model, n, sizeof *proto->int64_data);
    proto->n_int64_data = proto->int64_data ? n : 0;
    return proto->int64_data;
}

/* ------------------------------------------------------------------------ inputs and outputs */

static Onnx__TensorShapeProto *make_shape(nas_onnx_model_t *model, const nas_onnx_tensor_t *tensor)
{
    const size_t n = (size_t)tensor->n_dims + 1;
    Onnx__TensorShapeProto *shape = nas_onnx_take(model, 1, sizeof *shape);
    Onnx__TensorShapeProto__Dimension *dim = nas_onnx_take(model, n, sizeof *dim);
    Onnx__TensorShapeProto__Dimension **list = nas_onnx_take(model, n, sizeof(void *));
    if (model->memory.failed) return NULL;
    onnx__tensor_shape_proto__init(shape);
    for (size_t i = 0; i < n; i++) {
        onnx__tensor_shape_proto__dimension__init(&dim[i]);
        dim[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (i) dim[i].dim_value = tensor->dims[i - 1];
        list[i] = &dim[i];
    }
    dim[0].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    dim[0].dim_param = borrow("N");
    shape->dim = list;
    shape->n_dim = n;
    return shape;
}

/* A declaration, as the one element of a list. */
static Onnx__ValueInfoProto **make_value(nas_onnx_model_t *model, const nas_onnx_tensor_t *tensor)
{
    Onnx__ValueInfoProto **list = nas_onnx_take(model, 1, sizeof(void *));
    Onnx__ValueInfoProto *value = nas_onnx_take(model, 1, sizeof *value);
    Onnx__TypeProto *type = nas_onnx_take(model, 1, sizeof *type);
    Onnx__TypeProto__Tensor *inner = nas_onnx_take(model, 1, sizeof *inner);
    Onnx__TensorShapeProto *shape = make_shape(model, tensor);
    if (model->memory.failed) return NULL;
    onnx__value_info_proto__init(value);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(inner);
    inner->has_elem_type = true;
    inner->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    inner->shape = shape;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = inner;
    value->name = borrow(tensor->name);
    value->type = type;
    list[0] = value;
    return list;
}

void nas_onnx_add_input(nas_onnx_model_t *model, const nas_onnx_tensor_t *tensor)
{
    model->graph.input = make_value(model, tensor);
    model->graph.n_input = model->graph.input ? 1 : 0;
}

void nas_onnx_add_output(nas_onnx_model_t *model, const nas_onnx_tensor_t *tensor)
{
    model->graph.output = make_value(model, tensor);
    model->graph.n_output = model->graph.output ? 1 : 0;
}

/* --------------------------------------------------------------------------------- the whole */

/* Protocol buffers have UTF-8 alone. */
static char *copy_as_utf8(nas_onnx_model_t *model, const char *text)
{
    char *valid = model->memory.failed ? NULL : nas_string_utf8(text, NULL);
    const size_t size = valid ? strlen(valid) + 1 : 0;
    char *copy = valid ? nas_onnx_take(model, size, 1) : NULL;
    if (copy) memcpy(copy, valid, size);
    model->memory.failed |= !copy;
    free(valid);
    return copy;
}

void nas_onnx_add_metadata(nas_onnx_model_t *model, const char *key, const char *value)
{
    char *text = copy_as_utf8(model, value);
    Onnx__StringStringEntryProto *entry = nas_onnx_take(model, 1, sizeof *entry);
    Onnx__StringStringEntryProto **list =
        extend(model, model->proto.metadata_props, model->proto.n_metadata_props);
    if (model->memory.failed) return;
    onnx__string_string_entry_proto__init(entry);
    entry->key = borrow(key);
    entry->value = text;
    model->proto.metadata_props = list;
    list[model->proto.n_metadata_props++] = entry;
}

void nas_onnx_add_opset(nas_onnx_model_t *model, int64_t version)
{
    Onnx__OperatorSetIdProto *opset = nas_onnx_take(model, 1, sizeof *opset);
    Onnx__OperatorSetIdProto **list =
        extend(model, model->proto.opset_import, model->proto.n_opset_import);
    if (model->memory.failed) return;
    onnx__operator_set_id_proto__init(opset);
    opset->has_version = true;
    opset->version = version;
    model->proto.opset_import = list;
    list[model->proto.n_opset_import++] = opset;
}

void nas_onnx_model_init(nas_onnx_model_t *model)
{
    *model = (nas_onnx_model_t){0};
    onnx__model_proto__init(&model->proto);
    onnx__graph_proto__init(&model->graph);
    model->proto.graph = &model->graph;
}

void nas_onnx_model_fini(nas_onnx_model_t *model)
{
    nas_onnx_memory_fini(&model->memory);
}
