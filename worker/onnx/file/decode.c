#include "worker/onnx/file/decode.h"

#include "common/base/utf8.h"

#include <stdlib.h>
#include <string.h>

static const size_t MOST_INTEGERS = 4096;

bool nas_decode_refuse(nas_decoder_t *d, const void *place, const char *reason)
{
    const nas_onnx_file_t *file = d->file;
    if (!d->status)
        d->status = nas_error_set(d->err, NAS_EINPUT, "%s: no ONNX model: byte %td: %s", file->path,
                                  (const char *)place - file->bytes, reason);
    return false;
}

static void out_of_memory(nas_decoder_t *d)
{
    if (!d->status) d->status = nas_error_nomem(d->err, "an ONNX model");
}

bool nas_decode_next(nas_decoder_t *d, nas_wire_bytes_t *message, const char *what,
                     nas_wire_field_t *field)
{
    bool broken = false;
    if (d->status) return false;
    const uint8_t *place = message->at;
    if (nas_wire_next(message, field, &broken)) return true;
    if (!broken) return false;
    nas_error_t reason = {0};
    (void)nas_error_set(&reason, NAS_EINPUT, "%s is cut short or damaged", what);
    return nas_decode_refuse(d, place, reason.text);
}

bool nas_decode_is(nas_decoder_t *d, const nas_wire_field_t *field, nas_wire_type_t type)
{
    if (d->status) return false;
    if (field->type == type) return true;
    nas_error_t reason = {0};
    (void)nas_error_set(&reason, NAS_EINPUT, "field %u is of another type", field->number);
    const void *place = field->bytes.at ? (const void *)field->bytes.at : d->file->bytes;
    return nas_decode_refuse(d, place, reason.text);
}

/* What the program prints and keeps as a name. */
static bool is_text(const char *text, size_t n)
{
    if (strlen(text) != n) return false;
    for (size_t length = 0; *text; text += length) {
        length = nas_utf8_length(text);
        if (length == 0 || nas_utf8_control(text)) return false;
    }
    return true;
}

/* Number of a text among the symbols, or -1. */
static int intern(nas_decoder_t *d, const nas_wire_field_t *field)
{
    if (!nas_decode_is(d, field, NAS_WIRE_BYTES)) return -1;
    const nas_wire_bytes_t bytes = field->bytes;
    char *copy = malloc(bytes.n + 1);
    if (!copy) {
        out_of_memory(d);
        return -1;
    }
    if (bytes.n > 0) memcpy(copy, bytes.at, bytes.n);
    copy[bytes.n] = '\0';
    int symbol = -1;
    if (!is_text(copy, bytes.n))
        (void)nas_decode_refuse(d, bytes.at, "a name that is no text in UTF-8");
    else if ((symbol = nas_symbols_add(&d->file->symbols, copy, bytes.n)) < 0)
        out_of_memory(d);
    free(copy);
    return symbol;
}

const char *nas_decode_text(nas_decoder_t *d, const nas_wire_field_t *field)
{
    const int symbol = intern(d, field);
    return symbol < 0 ? "" : d->file->symbols.text[symbol];
}

int nas_decode_symbol(nas_decoder_t *d, const nas_wire_field_t *field)
{
    if (field->type == NAS_WIRE_BYTES && field->bytes.n == 0) return -1;
    return intern(d, field);
}

void *nas_decode_extend(nas_decoder_t *d, void *list, size_t n, size_t size)
{
    void *longer = d->status ? NULL : nas_onnx_memory_extend(&d->file->memory, list, n, size);
    if (!longer) out_of_memory(d);
    return longer;
}

static void append(nas_decoder_t *d, uint64_t value, int64_t **list, size_t *n)
{
    if (*n >= MOST_INTEGERS) {
        (void)nas_decode_refuse(d, d->file->bytes, "a list of more than 4,096 integers");
        return;
    }
    int64_t *longer = nas_decode_extend(d, *list, *n, sizeof **list);
    if (!longer) return;
    *list = longer;
    longer[(*n)++] = (int64_t)value;
}

void nas_decode_integers(nas_decoder_t *d, const nas_wire_field_t *field, int64_t **list, size_t *n)
{
    bool broken = false;
    uint64_t value = 0;
    if (field->type == NAS_WIRE_VARINT) {
        append(d, field->value, list, n);
        return;
    }
    if (!nas_decode_is(d, field, NAS_WIRE_BYTES)) return;
    nas_wire_bytes_t packed = field->bytes;
    while (!d->status && nas_wire_varint(&packed, &value, &broken)) append(d, value, list, n);
    if (broken) (void)nas_decode_refuse(d, packed.at, "a list of integers is cut short");
}
