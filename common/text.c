#include "common/text.h"

#include <stdbool.h>
#include <string.h>

/* A mark, or what plain letters look like without one. UTF-32's are longer and come first. */
static const char *wide_encoding(const char *text, size_t size)
{
    static const struct {
        const char *head, *name;
        size_t length;
    } marks[] = {{"\xff\xfe\0\0", "UTF-32", 4},
                 {"\0\0\xfe\xff", "UTF-32", 4},
                 {"\xff\xfe", "UTF-16", 2},
                 {"\xfe\xff", "UTF-16", 2}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (size >= marks[i].length && memcmp(text, marks[i].head, marks[i].length) == 0)
            return marks[i].name;
    const bool alternates =
        size >= 4 && !text[0] == !text[2] && !text[1] == !text[3] && !text[0] != !text[1];
    return alternates ? "UTF-16" : NULL;
}

nas_status_t nas_text_begin(const char *path, const char *text, size_t size, size_t *skip,
                            nas_error_t *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    const char *wide = wide_encoding(text, size);
    if (wide)
        return nas_error_set(err, NAS_EINPUT, "%s:1: this text is in %s; save it as UTF-8", path,
                             wide);
    *skip = size >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
    return NAS_OK;
}

/* Bytes of the blank that text begins with, 0 where it begins with none. */
static size_t blank_at(const char *text)
{
    if (text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r')) return 1;
    return text[0] == '\xc2' && text[1] == '\xa0' ? 2 : 0;
}

const char *nas_text_trim(const char *text, size_t *length)
{
    for (size_t blank; (blank = blank_at(text)) > 0;) text += blank;
    size_t n = 0;
    for (size_t i = 0; text[i];) {
        const size_t blank = blank_at(text + i);
        i += blank ? blank : 1;
        if (!blank) n = i;
    }
    *length = n;
    return text;
}
