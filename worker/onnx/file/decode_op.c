#include "worker/onnx/file/decode.h"

#include <stdio.h>
#include <string.h>

enum { MOST_REFERENCES = 1 << 18, MOST_ATTRIBUTES = 64, MOST_FLOATS = 4096 };

/* Fields of AttributeProto. Graphs, in fields 6 and 11, are looked at by nobody: no operation that
 * has one can be computed. */
enum { A_NAME = 1, A_F = 2, A_I = 3, A_S = 4, A_T = 5, A_FLOATS = 7, A_INTS = 8 };

static float to_float(uint64_t bits)
{
    const uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return value;
}

static void append_float(nas_decoder_t *d, uint64_t bits, nas_onnx_attribute_t *a)
{
    if (a->n_floats >= MOST_FLOATS) {
        (void)nas_decode_refuse(d, d->file->bytes, "a list of more than 4,096 floats");
        return;
    }
    float *longer = nas_decode_extend(d, a->floats, a->n_floats, sizeof *longer);
    if (!longer) return;
    a->floats = longer;
    longer[a->n_floats++] = to_float(bits);
}

/* Packed, or one alone. */
static void decode_floats(nas_decoder_t *d, const nas_wire_field_t *field, nas_onnx_attribute_t *a)
{
    if (field->type == NAS_WIRE_FIXED32) {
        append_float(d, field->value, a);
        return;
    }
    if (!nas_decode_is(d, field, NAS_WIRE_BYTES)) return;
    for (size_t i = 0; i + 4 <= field->bytes.n && !d->status; i += 4) {
        const uint8_t *at = field->bytes.at + i;
        append_float(d,
                     (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 |
                         (uint64_t)at[3] << 24,
                     a);
    }
}

static void decode_attribute_field(nas_decoder_t *d, const nas_wire_field_t *field,
                                   nas_onnx_attribute_t *a)
{
    switch (field->number) {
    case A_NAME:
        a->name = nas_decode_text(d, field);
        break;
    case A_F:
        a->has_f = nas_decode_is(d, field, NAS_WIRE_FIXED32);
        a->f = to_float(field->value);
        break;
    case A_I:
        a->has_i = nas_decode_is(d, field, NAS_WIRE_VARINT);
        a->i = (int64_t)field->value;
        break;
    case A_S:
        a->has_s = nas_decode_is(d, field, NAS_WIRE_BYTES);
        a->s = field->bytes;
        break;
    case A_T:
        if (nas_decode_is(d, field, NAS_WIRE_BYTES)) a->t = nas_decode_array(d, field->bytes);
        a->has_t = a->t != NULL;
        break;
    case A_FLOATS:
        decode_floats(d, field, a);
        break;
    case A_INTS:
        nas_decode_integers(d, field, &a->ints, &a->n_ints);
        break;
    default:
        break;
    }
}

static void add_attribute(nas_decoder_t *d, const nas_wire_field_t *node, nas_onnx_op_t *op)
{
    nas_wire_field_t field;
    if (!nas_decode_is(d, node, NAS_WIRE_BYTES)) return;
    if (op->n_attributes >= MOST_ATTRIBUTES) {
        (void)nas_decode_refuse(d, node->bytes.at, "a node of more than 64 attributes");
        return;
    }
    nas_onnx_attribute_t *list =
        nas_decode_extend(d, op->attribute, (size_t)op->n_attributes, sizeof *list);
    if (!list) return;
    op->attribute = list;
    nas_onnx_attribute_t *a = &list[op->n_attributes++];
    *a = (nas_onnx_attribute_t){.name = ""};
    nas_wire_bytes_t message = node->bytes;
    while (nas_decode_next(d, &message, "an attribute", &field))
        decode_attribute_field(d, &field, a);
}

static void add_reference(nas_decoder_t *d, const nas_wire_field_t *field, int **list, int *n)
{
    if (d->file->n_references++ >= MOST_REFERENCES) {
        (void)nas_decode_refuse(d, field->bytes.at,
                                "nodes of more than 262,144 inputs and outputs");
        return;
    }
    int *longer = nas_decode_extend(d, *list, (size_t)*n, sizeof **list);
    if (!longer) return;
    *list = longer;
    longer[(*n)++] = nas_decode_symbol(d, field);
}

/* A node without a name has that of its first output. */
static const char *choose_name(nas_decoder_t *d, const nas_onnx_op_t *op, int index)
{
    char number[32];
    if (op->n_outputs > 0 && op->output[0] >= 0) return d->file->symbols.text[op->output[0]];
    const int n = snprintf(number, sizeof number, "node%d", index);
    const int symbol = nas_symbols_add(&d->file->symbols, number, (size_t)n);
    return symbol < 0 ? "" : d->file->symbols.text[symbol];
}

void nas_decode_op(nas_decoder_t *d, nas_wire_bytes_t message, int index, nas_onnx_op_t *op)
{
    enum { INPUT = 1, OUTPUT = 2, NAME = 3, OP_TYPE = 4, ATTRIBUTE = 5, DOMAIN = 7 };
    nas_wire_field_t field;
    *op = (nas_onnx_op_t){.name = "", .type = "", .domain = ""};
    while (nas_decode_next(d, &message, "a node", &field)) {
        if (field.number == INPUT) add_reference(d, &field, &op->input, &op->n_inputs);
        if (field.number == OUTPUT) add_reference(d, &field, &op->output, &op->n_outputs);
        if (field.number == NAME) op->name = nas_decode_text(d, &field);
        if (field.number == OP_TYPE) op->type = nas_decode_text(d, &field);
        if (field.number == DOMAIN) op->domain = nas_decode_text(d, &field);
        if (field.number == ATTRIBUTE) add_attribute(d, &field, op);
    }
    if (!d->status && !*op->name) op->name = choose_name(d, op, index);
}
