#include "worker/onnx/file/elements.h"

#include "worker/onnx/file/external.h"

#include <string.h>

bool nas_onnx_type_is_real(int type)
{
    return type == NAS_ONNX_FLOAT || type == NAS_ONNX_DOUBLE;
}

bool nas_onnx_type_is_whole(int type)
{
    return type == NAS_ONNX_INT64 || type == NAS_ONNX_INT32 || type == NAS_ONNX_BOOL;
}

/* Bytes of an element, 0: of a type that is not read. */
static size_t size_of(int type)
{
    switch (type) {
    case NAS_ONNX_FLOAT:
    case NAS_ONNX_INT32:
        return 4;
    case NAS_ONNX_DOUBLE:
    case NAS_ONNX_INT64:
        return 8;
    case NAS_ONNX_BOOL:
        return 1;
    default:
        return 0;
    }
}

static nas_status_t refuse(const nas_onnx_file_t *file, const nas_onnx_array_t *array,
                           const char *reason, nas_error_t *err)
{
    return nas_error_set(err, NAS_EINPUT, "%s: %s%s: %s", file->path,
                         *array->name ? "initialiser " : "a constant", array->name, reason);
}

nas_status_t nas_onnx_elements_find(nas_onnx_file_t *file, nas_onnx_array_t *array,
                                    nas_error_t *err)
{
    const size_t size = size_of(array->type);
    if (size == 0)
        return refuse(file, array,
                      "its elements are of a type that is not read: float, double and integers are",
                      err);
    const size_t n_bytes = (size_t)array->n * size;
    if (array->external.location && array->data.n == 0 && n_bytes > 0) {
        const nas_status_t status = nas_onnx_external_read(file, array, n_bytes, err);
        if (status) return status;
    }
    const bool fits =
        array->is_packed ? array->data.n >= (size_t)array->n : array->data.n == n_bytes;
    if (fits && !(array->is_packed && nas_onnx_type_is_real(array->type))) return NAS_OK;
    return nas_error_set(err, NAS_EINPUT, "%s: %s%s: it has %zu bytes of elements, its shape %zu",
                         file->path, *array->name ? "initialiser " : "a constant", array->name,
                         array->data.n, n_bytes);
}

static uint64_t bits_at(const uint8_t *at, size_t size)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++) bits |= (uint64_t)at[i] << (8 * i);
    return bits;
}

double nas_onnx_element(const nas_onnx_array_t *array, int64_t i)
{
    const size_t size = size_of(array->type);
    const uint64_t bits = bits_at(array->data.at + (size_t)i * size, size);
    if (array->type == NAS_ONNX_DOUBLE) {
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    const uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return (double)value;
}

static int64_t whole(int type, uint64_t bits)
{
    return type == NAS_ONNX_INT32 ? (int64_t)(int32_t)(uint32_t)bits : (int64_t)bits;
}

nas_status_t nas_onnx_elements_whole(const nas_onnx_file_t *file, const nas_onnx_array_t *array,
                                     int64_t *value, nas_error_t *err)
{
    const size_t size = size_of(array->type);
    nas_wire_bytes_t packed = array->data;
    uint64_t bits = 0;
    bool broken = false;
    for (int64_t i = 0; i < array->n; i++) {
        if (!array->is_packed)
            bits = bits_at(array->data.at + (size_t)i * size, size);
        else if (!nas_wire_varint(&packed, &bits, &broken))
            return refuse(file, array, "it has fewer elements than its shape", err);
        value[i] = whole(array->type, bits);
    }
    if (array->is_packed && packed.n > 0)
        return refuse(file, array, "it has more elements than its shape", err);
    return NAS_OK;
}
