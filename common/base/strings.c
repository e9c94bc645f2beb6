#include "common/base/strings.h"

#include "common/base/utf8.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

nas_status_t nas_strings_add(nas_strings_t *list, const char *text, size_t length, nas_error_t *err)
{
    char **at = realloc(list->at, (list->n + 1) * sizeof *at);
    if (!at) return nas_error_nomem(err, "a list of strings");
    list->at = at;
    at[list->n] = malloc(length + 1);
    if (!at[list->n]) return nas_error_nomem(err, "a list of strings");
    memcpy(at[list->n], text, length);
    at[list->n][length] = '\0';
    list->n++;
    return NAS_OK;
}

ptrdiff_t nas_strings_find(const nas_strings_t *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->at[i], text) == 0) return (ptrdiff_t)i;
    return -1;
}

enum { MAX_DISTANCE_LENGTH = 63 };

/* Levenshtein distance by one rolling row; long texts count as far apart. */
static size_t edit_distance(const char *a, const char *b)
{
    const size_t n = strlen(a), m = strlen(b);
    if (n > MAX_DISTANCE_LENGTH || m > MAX_DISTANCE_LENGTH) return n + m;
    size_t row[MAX_DISTANCE_LENGTH + 1];
    for (size_t j = 0; j <= m; j++) row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            const size_t substitute = diagonal + (a[i - 1] != b[j - 1]);
            const size_t insert = row[j - 1] + 1, delete = row[j] + 1;
            diagonal = row[j];
            row[j] = substitute < insert ? substitute : insert;
            if (delete < row[j]) row[j] = delete;
        }
    }
    return row[m];
}

const char *nas_strings_nearest(const nas_strings_t *list, const char *text)
{
    const char *nearest = NULL;
    size_t least = strlen(text) / 3 + 1;
    for (size_t i = 0; i < list->n; i++) {
        const bool same = strcasecmp(text, list->at[i]) == 0;
        const size_t distance = same ? 0 : edit_distance(text, list->at[i]);
        if (distance <= least && (!nearest || distance < least)) {
            least = distance;
            nearest = list->at[i];
        }
    }
    return nearest;
}

void nas_strings_fini(nas_strings_t *list)
{
    for (size_t i = 0; i < list->n; i++) free(list->at[i]);
    free(list->at);
    *list = (nas_strings_t){0};
}

char *nas_string_copy(const char *text, nas_error_t *err)
{
    return nas_string_format(err, "%s", text);
}

char *nas_string_join(const char *const *part, size_t n, nas_error_t *err)
{
    size_t length = 0;
    for (size_t i = 0; i < n; i++) length += strlen(part[i]);
    char *text = malloc(length + 1), *end = text;
    if (!text) {
        (void)nas_error_nomem(err, "a string");
        return NULL;
    }
    for (size_t i = 0; i < n; i++) end = stpcpy(end, part[i]);
    *end = '\0';
    return text;
}

char *nas_string_utf8(const char *text, nas_error_t *err)
{
    static const char replacement[] = "\xef\xbf\xbd";
    const size_t width = sizeof replacement - 1;
    char *copy = malloc(width * strlen(text) + 1), *out = copy;
    if (!copy) {
        (void)nas_error_nomem(err, "a string");
        return NULL;
    }
    while (*text) {
        const size_t length = nas_utf8_length(text);
        memcpy(out, length ? text : replacement, length ? length : width);
        out += length ? length : width;
        text += length ? length : 1;
    }
    *out = '\0';
    return copy;
}

char *nas_string_escape(const char *text, nas_error_t *err)
{
    enum { ESCAPE = 4 }; /* bytes of one */
    char *copy = malloc(ESCAPE * strlen(text) + 1), *out = copy;
    if (!copy) {
        (void)nas_error_nomem(err, "a string");
        return NULL;
    }
    while (*text) {
        const size_t control = nas_utf8_control(text);
        size_t length = control ? control : nas_utf8_length(text);
        const bool plain = control == 0 && length > 0;
        for (length = length ? length : 1; length > 0; length--, text++)
            if (plain)
                *out++ = *text;
            else
                out += sprintf(out, "\\x%02x", (unsigned char)*text);
    }
    *out = '\0';
    return copy;
}

char *nas_string_format(nas_error_t *err, const char *format, ...)
{
    char near[256], *text = NULL; /* most are short: formatted once */
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(near, sizeof near, format, args);
    va_end(args);
    if (length >= 0) text = malloc((size_t)length + 1);
    if (!text) {
        (void)nas_error_nomem(err, "a string");
        return NULL;
    }
    if ((size_t)length < sizeof near) return memcpy(text, near, (size_t)length + 1);
    va_start(args, format);
    (void)vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}
