#include "worker/onnx/file/wire.h"

enum { MOST_VARINT_BYTES = 10 };

static bool take_varint(nas_wire_bytes_t *bytes, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < bytes->n && i < MOST_VARINT_BYTES; i++) {
        const uint8_t byte = bytes->at[i];
        *value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte & 0x80) continue;
        bytes->at += i + 1;
        bytes->n -= i + 1;
        return true;
    }
    return false;
}

/* Little-endian. */
static bool take_fixed(nas_wire_bytes_t *bytes, size_t size, uint64_t *value)
{
    *value = 0;
    if (bytes->n < size) return false;
    for (size_t i = 0; i < size; i++) *value |= (uint64_t)bytes->at[i] << (8 * i);
    bytes->at += size;
    bytes->n -= size;
    return true;
}

static bool take_bytes(nas_wire_bytes_t *from, nas_wire_bytes_t *bytes)
{
    uint64_t size = 0;
    if (!take_varint(from, &size) || size > from->n) return false;
    *bytes = (nas_wire_bytes_t){from->at, (size_t)size};
    from->at += size;
    from->n -= (size_t)size;
    return true;
}

/* Groups, types 3 and 4, are in no message of ONNX. */
static bool take_value(nas_wire_bytes_t *message, nas_wire_field_t *field)
{
    switch (field->type) {
    case NAS_WIRE_VARINT:
        return take_varint(message, &field->value);
    case NAS_WIRE_FIXED64:
        return take_fixed(message, 8, &field->value);
    case NAS_WIRE_FIXED32:
        return take_fixed(message, 4, &field->value);
    case NAS_WIRE_BYTES:
        return take_bytes(message, &field->bytes);
    }
    return false;
}

bool nas_wire_next(nas_wire_bytes_t *message, nas_wire_field_t *field, bool *broken)
{
    uint64_t key = 0;
    if (message->n == 0) return false;
    *field = (nas_wire_field_t){0};
    *broken = !take_varint(message, &key) || key >> 3 == 0 || key >> 3 > UINT32_MAX >> 3;
    if (*broken) return false;
    field->number = (uint32_t)(key >> 3);
    field->type = (nas_wire_type_t)(key & 7);
    *broken = !take_value(message, field);
    return !*broken;
}

bool nas_wire_varint(nas_wire_bytes_t *packed, uint64_t *value, bool *broken)
{
    if (packed->n == 0) return false;
    *broken = !take_varint(packed, value);
    return !*broken;
}
