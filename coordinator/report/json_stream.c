#include "coordinator/report/json_stream.h"

#include <string.h>

enum { INDENT = 2, N_DIGITS = 15 };

static const size_t dump_flags =
    JSON_INDENT(INDENT) | JSON_REAL_PRECISION(N_DIGITS) | JSON_ENCODE_ANY;

/* Errors of the stream show in ferror at the end. */
static void flush(nas_json_stream_t *stream)
{
    (void)fwrite(stream->buffer, 1, stream->n, stream->out);
    stream->n = 0;
}

static void append(nas_json_stream_t *stream, const char *text, size_t n)
{
    if (n > sizeof stream->buffer - stream->n) flush(stream);
    if (n > sizeof stream->buffer) {
        (void)fwrite(text, 1, n, stream->out);
        return;
    }
    memcpy(stream->buffer + stream->n, text, n);
    stream->n += n;
}

static void new_line(nas_json_stream_t *stream)
{
    append(stream, "\n", 1);
    for (int i = 0; i < stream->depth; i++) append(stream, "  ", INDENT);
}

/* What stands before a value: what ends the one before it, and its name. */
static void precede(nas_json_stream_t *stream, const char *key)
{
    if (stream->has_member) append(stream, ",", 1);
    if (stream->depth > 0) new_line(stream);
    stream->has_member = true;
    if (!key) return;
    append(stream, "\"", 1);
    append(stream, key, strlen(key));
    append(stream, "\": ", 3);
}

void nas_json_begin(nas_json_stream_t *stream, const char *key, char bracket)
{
    precede(stream, key);
    append(stream, &bracket, 1);
    stream->depth++;
    stream->has_member = false;
}

void nas_json_end(nas_json_stream_t *stream, char bracket)
{
    NAS_ASSERT(stream->depth > 0);
    stream->depth--;
    if (stream->has_member) new_line(stream);
    append(stream, &bracket, 1);
    stream->has_member = true;
}

/* Part of an object or array, whose lines are indented from 0 on. */
static int append_lines(const char *text, size_t n, void *context)
{
    nas_json_stream_t *stream = context;
    for (const char *end = text + n; text < end;) {
        const char *line = memchr(text, '\n', (size_t)(end - text));
        append(stream, text, (size_t)((line ? line : end) - text));
        if (line) new_line(stream);
        text = line ? line + 1 : end;
    }
    return 0;
}

void nas_json_put(nas_json_stream_t *stream, const char *key, json_t *value)
{
    precede(stream, key);
    const size_t room = sizeof stream->buffer - stream->n;
    const bool is_scalar = !json_is_object(value) && !json_is_array(value);
    const size_t n =
        value && is_scalar ? json_dumpb(value, stream->buffer + stream->n, room, dump_flags) : 0;
    if (n > 0 && n <= room)
        stream->n += n;
    else if (!value || json_dump_callback(value, append_lines, stream, dump_flags))
        stream->no_memory = true;
    json_decref(value);
}

nas_status_t nas_json_finish(nas_json_stream_t *stream, nas_error_t *err)
{
    NAS_ASSERT(stream->depth == 0);
    append(stream, "\n", 1);
    flush(stream);
    if (stream->no_memory) return nas_error_nomem(err, "the report");
    if (fflush(stream->out) || ferror(stream->out))
        return nas_error_set(err, NAS_EIO, "the report cannot be written");
    return NAS_OK;
}
