/* A growing list of owned strings. */
#ifndef NAS_COMMON_BASE_STRINGS_H
#define NAS_COMMON_BASE_STRINGS_H

#include "common/base/error.h"

#include <stddef.h>

/** Zero-initialise; end with nas_strings_fini. */
typedef struct nas_strings {
    char **at;
    size_t n;
} nas_strings_t;

/** Append a copy of text[0..length). */
nas_status_t nas_strings_add(nas_strings_t *list, const char *text, size_t length,
                             nas_error_t *err);

/** Index of `text`, or -1. */
ptrdiff_t nas_strings_find(const nas_strings_t *list, const char *text);

/** Among list, the entry nearest to `text` (Levenshtein distance, at most a third of the length
 *  plus one; none where only ASCII's case differs), or NULL. Borrowed. */
const char *nas_strings_nearest(const nas_strings_t *list, const char *text);

/** Free everything; the list is empty and usable afterwards. */
void nas_strings_fini(nas_strings_t *list);

/** Copy of text, owned by the caller (free), or NULL with err set. */
char *nas_string_copy(const char *text, nas_error_t *err);

/** The parts, one behind the other; owned by the caller (free), or NULL with err set. */
char *nas_string_join(const char *const *part, size_t n, nas_error_t *err);

/** Copy of text as UTF-8, owned by the caller (free), or NULL with err set: what is no part of a
 *  character as RFC 3629 has them becomes U+FFFD, byte by byte. Valid text stays as it is. */
char *nas_string_utf8(const char *text, nas_error_t *err);

/** Copy of text in which every byte of a control character (nas_utf8_control) or of what is no
 *  UTF-8 is \xHH: what can be printed anywhere and still be told apart. Owned by the caller (free),
 *  or NULL with err set. */
char *nas_string_escape(const char *text, nas_error_t *err);

/** printf into a new string, owned by the caller (free), or NULL with err set. */
char *nas_string_format(nas_error_t *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
