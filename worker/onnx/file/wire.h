/* Protocol buffers on the wire, read in place: a message is a row of fields, each a number and a
 * value. Nothing is copied, nothing is nested but by whoever reads a field's bytes as a message, and
 * no byte beyond the message is looked at.
 *
 * ONNX files come from anywhere. protobuf-c would unpack a file of 4 MB of empty nodes into 300 MB,
 * and runs out of stack where messages are nested deeply; so it writes files, and this reads them.
 */
#ifndef NAS_WORKER_ONNX_FILE_WIRE_H
#define NAS_WORKER_ONNX_FILE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Borrowed bytes. */
typedef struct nas_wire_bytes {
    const uint8_t *at;
    size_t n;
} nas_wire_bytes_t;

typedef enum nas_wire_type {
    NAS_WIRE_VARINT = 0,
    NAS_WIRE_FIXED64 = 1,
    NAS_WIRE_BYTES = 2, /**< a text, a message, or packed numbers */
    NAS_WIRE_FIXED32 = 5
} nas_wire_type_t;

/** A field of a message. */
typedef struct nas_wire_field {
    uint32_t number;
    nas_wire_type_t type;
    uint64_t value;         /**< VARINT, FIXED64, FIXED32 */
    nas_wire_bytes_t bytes; /**< BYTES */
} nas_wire_field_t;

/** Take the next field off a message.  Not collective.
 *  message [in,out] what is left; field [out]. False, with *broken as it is: the message is at its
 *  end. False, with *broken true: what is left is no field. */
bool nas_wire_next(nas_wire_bytes_t *message, nas_wire_field_t *field, bool *broken);

/** Take a varint off packed ones; false: none is left, or *broken. */
bool nas_wire_varint(nas_wire_bytes_t *packed, uint64_t *value, bool *broken);

#endif
