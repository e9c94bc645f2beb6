#include "worker/onnx/file/file.h"

#include "common/io/file.h"
#include "worker/onnx/file/decode.h"

#include <stdlib.h>
#include <string.h>

/* What protocol buffers can hold. */
static const size_t MOST_BYTES = INT32_MAX;

enum { MOST_NODES = 1 << 16, MOST_DECLARED = 1 << 16 };

/* A size that no file says: free. */
static const int64_t FREE = -1;

static void decode_dimension(nas_decoder_t *d, nas_wire_bytes_t message, nas_onnx_shape_t *shape)
{
    nas_wire_field_t field;
    int64_t dim = FREE;
    const void *place = message.at;
    while (nas_decode_next(d, &message, "a shape", &field))
        if (field.number == 1 && nas_decode_is(d, &field, NAS_WIRE_VARINT) && field.value > 0 &&
            field.value <= INT32_MAX)
            dim = (int64_t)field.value;
    if (shape->rank < NAS_ONNX_MAX_RANK)
        shape->dim[shape->rank++] = dim;
    else
        (void)nas_decode_refuse(d, place, "a value of more than 8 dimensions");
}

/* TypeProto: of a tensor, field 1: the type of its elements, 1, and its shape, 2. */
static void decode_type(nas_decoder_t *d, nas_wire_bytes_t message, nas_onnx_declared_t *declared)
{
    nas_wire_field_t field, part, dimension;
    while (nas_decode_next(d, &message, "a type", &field)) {
        if (field.number != 1 || !nas_decode_is(d, &field, NAS_WIRE_BYTES)) continue;
        nas_wire_bytes_t tensor = field.bytes;
        while (nas_decode_next(d, &tensor, "a type", &part)) {
            if (part.number == 1 && nas_decode_is(d, &part, NAS_WIRE_VARINT))
                declared->type = (int)(int32_t)part.value;
            if (part.number != 2 || !nas_decode_is(d, &part, NAS_WIRE_BYTES)) continue;
            nas_wire_bytes_t shape = part.bytes;
            declared->has_shape = true;
            while (nas_decode_next(d, &shape, "a shape", &dimension))
                if (dimension.number == 1 && nas_decode_is(d, &dimension, NAS_WIRE_BYTES))
                    decode_dimension(d, dimension.bytes, &declared->shape);
        }
    }
}

/* ValueInfoProto: name, 1, and type, 2. */
static void add_declared(nas_decoder_t *d, nas_wire_bytes_t message, nas_onnx_declared_t **list,
                         int *n)
{
    nas_wire_field_t field;
    if (*n >= MOST_DECLARED) {
        (void)nas_decode_refuse(d, message.at, "more than 65,536 inputs or outputs");
        return;
    }
    nas_onnx_declared_t *longer = nas_decode_extend(d, *list, (size_t)*n, sizeof *longer);
    if (!longer) return;
    *list = longer;
    nas_onnx_declared_t *declared = &longer[(*n)++];
    *declared = (nas_onnx_declared_t){.value = -1};
    while (nas_decode_next(d, &message, "an input or output", &field)) {
        if (field.number == 1) declared->value = nas_decode_symbol(d, &field);
        if (field.number == 2 && nas_decode_is(d, &field, NAS_WIRE_BYTES))
            decode_type(d, field.bytes, declared);
    }
}

static void add_op(nas_decoder_t *d, nas_wire_bytes_t message)
{
    nas_onnx_file_t *file = d->file;
    if (file->n_ops >= MOST_NODES) {
        (void)nas_decode_refuse(d, message.at, "more than 65,536 nodes");
        return;
    }
    nas_onnx_op_t *list = nas_decode_extend(d, file->op, (size_t)file->n_ops, sizeof *list);
    if (!list) return;
    file->op = list;
    nas_decode_op(d, message, file->n_ops, &list[file->n_ops]);
    file->n_ops++;
}

static void add_initialiser(nas_decoder_t *d, nas_wire_bytes_t message)
{
    nas_onnx_file_t *file = d->file;
    nas_onnx_array_t *array = nas_decode_array(d, message);
    if (!array) return;
    nas_onnx_array_t **list =
        nas_decode_extend(d, (void *)file->initialiser, (size_t)file->n_initialisers, sizeof *list);
    if (!list) return;
    file->initialiser = list;
    list[file->n_initialisers++] = array;
}

static void decode_graph(nas_decoder_t *d, nas_wire_bytes_t message)
{
    enum { NODE = 1, INITIALISER = 5, INPUT = 11, OUTPUT = 12 };
    nas_onnx_file_t *file = d->file;
    nas_wire_field_t field;
    while (nas_decode_next(d, &message, "the graph", &field)) {
        const bool is_part = field.number == NODE || field.number == INITIALISER ||
                             field.number == INPUT || field.number == OUTPUT;
        if (!is_part || !nas_decode_is(d, &field, NAS_WIRE_BYTES)) continue;
        if (field.number == NODE) add_op(d, field.bytes);
        if (field.number == INITIALISER) add_initialiser(d, field.bytes);
        if (field.number == INPUT) add_declared(d, field.bytes, &file->input, &file->n_inputs);
        if (field.number == OUTPUT) add_declared(d, field.bytes, &file->output, &file->n_outputs);
    }
}

/* OperatorSetIdProto: domain, 1, and version, 2. */
static void decode_opset(nas_decoder_t *d, nas_wire_bytes_t message)
{
    nas_wire_field_t field;
    const char *domain = "";
    int64_t version = 0;
    while (nas_decode_next(d, &message, "an operator set", &field)) {
        if (field.number == 1) domain = nas_decode_text(d, &field);
        if (field.number == 2 && nas_decode_is(d, &field, NAS_WIRE_VARINT))
            version = (int64_t)field.value;
    }
    if (!*domain || strcmp(domain, "ai.onnx") == 0) d->file->opset = version;
}

nas_status_t nas_onnx_file_decode(nas_onnx_file_t *file, char *bytes, size_t size, nas_error_t *err)
{
    enum { GRAPH = 7, OPSET = 8 };
    nas_decoder_t d = {.file = file, .err = err};
    nas_wire_bytes_t message = {(const uint8_t *)bytes, size};
    nas_wire_field_t field;
    bool has_graph = false;
    file->bytes = bytes;
    file->size = size;
    file->symbols.memory = &file->memory;
    while (nas_decode_next(&d, &message, "the model", &field)) {
        if (field.number != GRAPH && field.number != OPSET) continue;
        if (!nas_decode_is(&d, &field, NAS_WIRE_BYTES)) break;
        has_graph |= field.number == GRAPH;
        if (field.number == GRAPH) decode_graph(&d, field.bytes);
        if (field.number == OPSET) decode_opset(&d, field.bytes);
    }
    if (!d.status && !has_graph) (void)nas_decode_refuse(&d, bytes, "it has no graph");
    return d.status;
}

nas_status_t nas_onnx_file_read(nas_onnx_file_t *file, const char *path, nas_error_t *err)
{
    char *bytes = NULL;
    size_t size = 0;
    file->path = path;
    const nas_status_t status = nas_file_read(path, MOST_BYTES, &bytes, &size, err);
    return status ? status : nas_onnx_file_decode(file, bytes, size, err);
}

void nas_onnx_file_fini(nas_onnx_file_t *file)
{
    nas_onnx_memory_fini(&file->memory);
    free(file->bytes);
    *file = (nas_onnx_file_t){0};
}
