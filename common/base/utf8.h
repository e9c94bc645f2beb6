/* Characters of UTF-8. */
#ifndef NAS_COMMON_BASE_UTF8_H
#define NAS_COMMON_BASE_UTF8_H

#include <stddef.h>

/** Bytes of the UTF-8 character (RFC 3629) that text begins with; 0 where it begins with none. */
size_t nas_utf8_length(const char *text);

/** Bytes of the control character that text begins with: ASCII's, or U+0080 to U+009F; 0 where it
 *  begins with none. */
size_t nas_utf8_control(const char *text);

/** Replace control characters of text by '?', in place: what a file holds is neither to command a
 *  terminal nor to pass for several lines. */
void nas_utf8_tame(char *text);

#endif
