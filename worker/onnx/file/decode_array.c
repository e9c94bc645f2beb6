#include "worker/onnx/file/decode.h"

#include <stdlib.h>
#include <string.h>

/* Fields of TensorProto. */
enum {
    DIMS = 1,
    DATA_TYPE = 2,
    FLOAT_DATA = 4,
    INT32_DATA = 5,
    INT64_DATA = 7,
    NAME = 8,
    RAW_DATA = 9,
    DOUBLE_DATA = 10,
    EXTERNAL_DATA = 13,
    DATA_LOCATION = 14
};

enum { MOST_ARRAYS = 1 << 16, LONGEST_NUMBER = 20 };

/* More elements than bytes in any file. */
static const int64_t MOST_ELEMENTS = INT32_MAX;

/* One list of elements alone, in one piece, as all writers have it. */
static void set_data(nas_decoder_t *d, nas_onnx_array_t *array, const nas_wire_field_t *field)
{
    if (!nas_decode_is(d, field, NAS_WIRE_BYTES)) return;
    if (array->data.n > 0) {
        (void)nas_decode_refuse(d, field->bytes.at, "an array whose elements are in pieces");
        return;
    }
    array->data = field->bytes;
    array->is_packed = field->number == INT32_DATA || field->number == INT64_DATA;
}

static int64_t to_number(nas_decoder_t *d, const char *text, const void *place)
{
    char *end = NULL;
    const size_t n = strlen(text);
    const long long value = n > 0 && n < LONGEST_NUMBER ? strtoll(text, &end, 10) : -1;
    if (value >= 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0') return value;
    (void)nas_decode_refuse(d, place, "offset or length of external data is no number");
    return 0;
}

/* A pair of texts: "location", "offset" or "length", and what it is. */
static void decode_external(nas_decoder_t *d, nas_wire_bytes_t message,
                            nas_onnx_external_t *external)
{
    const void *place = message.at;
    const char *key = "", *value = "";
    nas_wire_field_t field;
    while (nas_decode_next(d, &message, "an entry of external data", &field)) {
        if (field.number == 1) key = nas_decode_text(d, &field);
        if (field.number == 2) value = nas_decode_text(d, &field);
    }
    if (d->status) return;
    if (strcmp(key, "location") == 0) external->location = value;
    if (strcmp(key, "offset") == 0) external->offset = to_number(d, value, place);
    if (strcmp(key, "length") == 0) external->length = to_number(d, value, place);
}

static void decode_field(nas_decoder_t *d, const nas_wire_field_t *field, nas_onnx_array_t *array)
{
    switch (field->number) {
    case DATA_TYPE:
        if (nas_decode_is(d, field, NAS_WIRE_VARINT)) array->type = (int)(int32_t)field->value;
        break;
    case NAME:
        array->name = nas_decode_text(d, field);
        break;
    case FLOAT_DATA:
    case INT32_DATA:
    case INT64_DATA:
    case RAW_DATA:
    case DOUBLE_DATA:
        set_data(d, array, field);
        break;
    case EXTERNAL_DATA:
        if (nas_decode_is(d, field, NAS_WIRE_BYTES))
            decode_external(d, field->bytes, &array->external);
        break;
    default:
        break;
    }
}

/* Elements of a shape. Of one without any, the other dimensions are bounded, too. */
static void count(nas_decoder_t *d, const int64_t *dims, size_t rank, nas_onnx_array_t *array,
                  const void *place)
{
    if (rank > NAS_ONNX_MAX_RANK) {
        (void)nas_decode_refuse(d, place, "an array of more than 8 dimensions");
        return;
    }
    bool is_empty = false;
    array->shape.rank = (int)rank;
    array->n = 1;
    for (size_t i = 0; i < rank; i++) {
        array->shape.dim[i] = dims[i];
        if (dims[i] < 0 || (dims[i] > 0 && array->n > MOST_ELEMENTS / dims[i])) {
            (void)nas_decode_refuse(d, place, "an array of a shape that cannot be");
            return;
        }
        is_empty |= dims[i] == 0;
        if (dims[i] > 0) array->n *= dims[i];
    }
    if (is_empty) array->n = 0;
}

nas_onnx_array_t *nas_decode_array(nas_decoder_t *d, nas_wire_bytes_t message)
{
    const void *place = message.at;
    nas_wire_field_t field;
    int64_t *dims = NULL;
    size_t rank = 0;
    bool is_external = false;
    if (d->file->n_arrays >= MOST_ARRAYS)
        (void)nas_decode_refuse(d, place, "more than 65,536 arrays");
    nas_onnx_array_t *array = nas_decode_extend(d, NULL, 0, sizeof *array);
    if (!array) return NULL;
    *array =
        (nas_onnx_array_t){.index = d->file->n_arrays++, .name = "", .external = {.length = -1}};
    while (nas_decode_next(d, &message, "an array", &field)) {
        if (field.number == DIMS)
            nas_decode_integers(d, &field, &dims, &rank);
        else if (field.number == DATA_LOCATION)
            is_external = nas_decode_is(d, &field, NAS_WIRE_VARINT) && field.value == 1;
        else
            decode_field(d, &field, array);
    }
    if (is_external && !array->external.location)
        (void)nas_decode_refuse(d, place, "external data without a location");
    if (!is_external) array->external.location = NULL;
    if (!d->status) count(d, dims, rank, array, place);
    return d->status ? NULL : array;
}
