/* The parts of an ONNX file, message by message, for file.c. */
#ifndef NAS_WORKER_ONNX_FILE_DECODE_H
#define NAS_WORKER_ONNX_FILE_DECODE_H

#include "worker/onnx/file/file.h"

/** What is decoded, and the first reason why it cannot be. */
typedef struct nas_decoder {
    nas_onnx_file_t *file;
    nas_status_t status;
    nas_error_t *err;
} nas_decoder_t;

/** Note that bytes at a place are not what they should be: "no ONNX model: byte 12: a node ...".
 *  The first such reason is kept. False. */
bool nas_decode_refuse(nas_decoder_t *d, const void *place, const char *reason);

/** Take the next field of a message, for loops; false at its end, or once something is refused.
 *  what: "a node". */
bool nas_decode_next(nas_decoder_t *d, nas_wire_bytes_t *message, const char *what,
                     nas_wire_field_t *field);

/** Whether a field is of this type, which it has to be; else it is refused. */
bool nas_decode_is(nas_decoder_t *d, const nas_wire_field_t *field, nas_wire_type_t type);

/** A field's text, kept with a NUL; "" once something is refused: it is no UTF-8, or has control
 *  characters. */
const char *nas_decode_text(nas_decoder_t *d, const nas_wire_field_t *field);

/** Number of a field's text among the symbols; -1: it is empty, or something is refused. */
int nas_decode_symbol(nas_decoder_t *d, const nas_wire_field_t *field);

/** Room for one more in a list of the file's; NULL, noted, where memory has run out. */
void *nas_decode_extend(nas_decoder_t *d, void *list, size_t n, size_t size);

/** Append the field's integers, packed or one alone, to a list of at most 4,096. */
void nas_decode_integers(nas_decoder_t *d, const nas_wire_field_t *field, int64_t **list,
                         size_t *n);

/** A TensorProto. NULL once something is refused. */
nas_onnx_array_t *nas_decode_array(nas_decoder_t *d, nas_wire_bytes_t message);

/** A NodeProto, the file's number `index`. */
void nas_decode_op(nas_decoder_t *d, nas_wire_bytes_t message, int index, nas_onnx_op_t *op);

#endif
