#include "common/text.h"

#include "common/strings.h"

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

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

const char *nas_text_trim(const char *text, size_t *length)
{
    static const char no_break_space[] = "\xc2\xa0";
    for (bool more = true; more;) {
        const size_t blank = is_blank(*text) ? 1 : strncmp(text, no_break_space, 2) == 0 ? 2 : 0;
        text += blank;
        more = blank > 0;
    }
    size_t n = strlen(text);
    for (bool more = true; more;) {
        const bool wide = n >= 2 && memcmp(text + n - 2, no_break_space, 2) == 0;
        more = wide || (n >= 1 && is_blank(text[n - 1]));
        n -= wide ? 2 : more;
    }
    *length = n;
    return text;
}

char *nas_text_copy_trimmed(const char *text, nas_error_t *err)
{
    size_t length = 0;
    const char *trimmed = nas_text_trim(text, &length);
    return nas_string_format(err, "%.*s", (int)length, trimmed);
}
