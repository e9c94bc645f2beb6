/* A JSON text that is written piece by piece, the bytes being those that jansson writes of it as
 * one value with JSON_INDENT(2). As one value, a report of 10^6 evaluations takes gigabytes and
 * most of its time. */
#ifndef NAS_COORDINATOR_REPORT_JSON_STREAM_H
#define NAS_COORDINATOR_REPORT_JSON_STREAM_H

#include "common/base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum { NAS_JSON_STREAM_BUFFER = 1 << 16 };

/** Zero-initialise with `out`, borrowed. */
typedef struct nas_json_stream {
    FILE *out;
    int depth;       /**< objects and arrays that are open */
    bool has_member; /**< the innermost of them */
    bool no_memory;  /**< a value was NULL, or could not be written for lack of memory */
    size_t n;        /**< bytes in the buffer */
    char buffer[NAS_JSON_STREAM_BUFFER];
} nas_json_stream_t;

/** Open an object '{' or array '['. key: its name in an object; NULL in an array, and for the
 *  outermost. Keys are printable ASCII without quotes and backslashes. */
void nas_json_begin(nas_json_stream_t *stream, const char *key, char bracket);

/** Close it: '}' or ']'. */
void nas_json_end(nas_json_stream_t *stream, char bracket);

/** A value of any kind, which is taken over; likewise. Reals have 15 significant digits. NULL is a
 *  lack of memory, as in jansson. */
void nas_json_put(nas_json_stream_t *stream, const char *key, json_t *value);

/** End the text with a line feed, when all is closed.
 *  NAS_ENOMEM: at any time before; out has a part of it. NAS_EIO: out cannot be written. */
nas_status_t nas_json_finish(nas_json_stream_t *stream, nas_error_t *err);

#endif
