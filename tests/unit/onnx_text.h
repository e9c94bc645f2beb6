/* ONNX models from a few lines of text, encoded here, for tests of what reads them.
 *
 *   opset 13                         input x 0,3,8,8 (0: free)           output y 0,5
 *   float w 8,3,3,3 0.5              an initialiser, all of one number; or `ramp`: 0, 1, 2 ...
 *   int shape 2 0,-1                 likewise, its numbers
 *   node Conv y x,w,- group=1 pads=[1,1,1,1] epsilon=f1e-5 mode=sconstant value=T2,3:0 value=I2:0,-1
 *
 * "-" is no name; a dimension list "-" is a number alone. T and I are arrays, of floats and integers.
 */
#ifndef NAS_TESTS_UNIT_ONNX_TEXT_H
#define NAS_TESTS_UNIT_ONNX_TEXT_H

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ONNX_TEXT_ROOM = 1 << 18 };

/** A message under construction. */
typedef struct onnx_bytes {
    unsigned char *at;
    size_t n;
} onnx_bytes_t;

static inline void put_byte(onnx_bytes_t *b, uint64_t byte)
{
    if (!b->at) b->at = malloc(ONNX_TEXT_ROOM);
    cr_assert(b->at && b->n < ONNX_TEXT_ROOM);
    b->at[b->n++] = (unsigned char)byte;
}

static inline void put_varint(onnx_bytes_t *b, uint64_t value)
{
    for (; value > 127; value >>= 7) put_byte(b, (value & 127) | 128);
    put_byte(b, value);
}

static inline void put_integer(onnx_bytes_t *b, unsigned field, int64_t value)
{
    put_varint(b, field << 3);
    put_varint(b, (uint64_t)value);
}

static inline void put_data(onnx_bytes_t *b, unsigned field, const void *data, size_t n)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, n);
    for (size_t i = 0; i < n; i++) put_byte(b, ((const unsigned char *)data)[i]);
}

static inline void put_text(onnx_bytes_t *b, unsigned field, const char *text)
{
    put_data(b, field, text, strlen(text));
}

/* The message part becomes a field of b. */
static inline void put_message(onnx_bytes_t *b, unsigned field, onnx_bytes_t *part)
{
    put_data(b, field, part->at, part->n);
    free(part->at);
    *part = (onnx_bytes_t){0};
}

static inline void put_float_bits(onnx_bytes_t *b, float value)
{
    uint32_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 4; i++) put_byte(b, bits >> (8 * i) & 255);
}

/* -------------------------------------------------------------------------------------- arrays */

/* Dimensions of a tensor, which are its field 1; returns the number of elements. */
static inline int64_t put_dims(onnx_bytes_t *b, const char *dims)
{
    int64_t n = 1;
    for (const char *c = dims; *c && *c != '-' && *c != ':'; c += *c == ',') {
        char *end = NULL;
        const int64_t dim = strtoll(c, &end, 10);
        cr_assert(end > c, "%s", dims);
        put_integer(b, 1, dim);
        n = (int64_t)((uint64_t)n * (uint64_t)dim);
        c = end;
    }
    return n;
}

static inline onnx_bytes_t float_array(const char *name, const char *dims, const char *value)
{
    onnx_bytes_t tensor = {0}, raw = {0};
    const int64_t n = put_dims(&tensor, dims);
    const bool ramp = strcmp(value, "ramp") == 0;
    for (int64_t i = 0; i < n; i++) put_float_bits(&raw, ramp ? (float)i : strtof(value, NULL));
    put_integer(&tensor, 2, 1);
    put_message(&tensor, 9, &raw);
    put_text(&tensor, 8, name);
    return tensor;
}

static inline onnx_bytes_t integer_array(const char *name, const char *dims, const char *values)
{
    onnx_bytes_t tensor = {0}, packed = {0};
    (void)put_dims(&tensor, dims);
    for (const char *c = values; *c; c += *c == ',') {
        char *end = NULL;
        put_varint(&packed, (uint64_t)strtoll(c, &end, 10));
        cr_assert(end > c, "%s", values);
        c = end;
    }
    put_integer(&tensor, 2, 7);
    put_message(&tensor, 7, &packed);
    put_text(&tensor, 8, name);
    return tensor;
}

/* --------------------------------------------------------------------------------------- nodes */

static inline void put_names(onnx_bytes_t *b, unsigned field, const char *names)
{
    for (const char *c = names; *c; c += *c == ',') {
        const size_t n = strcspn(c, ",");
        put_data(b, field, c, n == 1 && *c == '-' ? 0 : n);
        c += n;
    }
}

static inline void put_list(onnx_bytes_t *b, const char *list)
{
    for (const char *c = list; *c && *c != ']'; c += *c == ',') {
        char *end = NULL;
        put_integer(b, 8, strtoll(c, &end, 10));
        cr_assert(end > c, "%s", list);
        c = end;
    }
}

/* NAME=VALUE; text is cut. */
static inline void put_attribute(onnx_bytes_t *node, char *text)
{
    onnx_bytes_t a = {0}, array = {0};
    char *value = strchr(text, '=');
    cr_assert_not_null(value, "%s", text);
    *value++ = '\0';
    put_text(&a, 1, text);
    char *values = *value == 'T' || *value == 'I' ? strchr(value, ':') + 1 : NULL;
    if (*value == 'f') {
        put_varint(&a, 2 << 3 | 5);
        put_float_bits(&a, strtof(value + 1, NULL));
    } else if (*value == 's') {
        put_text(&a, 4, value + 1);
    } else if (*value == '[') {
        put_list(&a, value + 1);
    } else if (values) {
        array = *value == 'T' ? float_array("", value + 1, values)
                              : integer_array("", value + 1, values);
        put_message(&a, 5, &array);
    } else {
        put_integer(&a, 3, strtoll(value, NULL, 10));
    }
    put_message(node, 5, &a);
}

/* ---------------------------------------------------------------------------------- the whole */

static inline onnx_bytes_t declaration(const char *name, const char *dims)
{
    onnx_bytes_t info = {0}, type = {0}, tensor = {0}, shape = {0};
    for (const char *c = dims; *c; c += *c == ',') {
        onnx_bytes_t dim = {0};
        char *end = NULL;
        const int64_t value = strtoll(c, &end, 10);
        c = end;
        if (value)
            put_integer(&dim, 1, value);
        else
            put_text(&dim, 2, "n");
        put_message(&shape, 1, &dim);
    }
    put_integer(&tensor, 1, 1);
    put_message(&tensor, 2, &shape);
    put_message(&type, 1, &tensor);
    put_text(&info, 1, name);
    put_message(&info, 2, &type);
    return info;
}

static inline void put_line(onnx_bytes_t *model, onnx_bytes_t *graph, char *line)
{
    enum { MOST = 16 };
    char *word[MOST] = {NULL}, *rest = NULL;
    int n = 0;
    for (char *w = strtok_r(line, " ", &rest); w && n < MOST; w = strtok_r(NULL, " ", &rest))
        word[n++] = w;
    if (n == 0) return;
    onnx_bytes_t part = {0};
    if (strcmp(word[0], "opset") == 0) {
        put_integer(&part, 2, strtoll(word[1], NULL, 10));
        put_message(model, 8, &part);
    } else if (strcmp(word[0], "node") == 0) {
        cr_assert_geq(n, 4);
        put_names(&part, 1, word[3]);
        put_names(&part, 2, word[2]);
        put_text(&part, 4, word[1]);
        for (int i = 4; i < n; i++) put_attribute(&part, word[i]);
        put_message(graph, 1, &part);
    } else if (strcmp(word[0], "float") == 0 || strcmp(word[0], "int") == 0) {
        cr_assert_eq(n, 4);
        part = *word[0] == 'f' ? float_array(word[1], word[2], word[3])
                               : integer_array(word[1], word[2], word[3]);
        put_message(graph, 5, &part);
    } else {
        cr_assert(n == 3 && (*word[0] == 'i' || *word[0] == 'o'), "%s", word[0]);
        part = declaration(word[1], word[2]);
        put_message(graph, *word[0] == 'i' ? 11 : 12, &part);
    }
}

/** The model of lines; the caller's (free). */
static inline onnx_bytes_t onnx_from_text(const char *text)
{
    onnx_bytes_t model = {0}, graph = {0};
    char *copy = strdup(text), *rest = NULL;
    cr_assert_not_null(copy);
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        put_line(&model, &graph, line);
    put_integer(&model, 1, 8);
    put_message(&model, 7, &graph);
    free(copy);
    return model;
}

#endif
