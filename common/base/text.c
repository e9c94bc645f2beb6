#include "common/base/text.h"

#include "common/base/strings.h"

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

/* What else users hand over as text, by how it begins; NULL: none of it. */
static const char *no_text(const char *text, size_t size)
{
    static const struct {
        const char *head, *what;
    } kinds[] = {{"PK\x03\x04", "a zip archive, as spreadsheets are; export it as text in UTF-8"},
                 {"\xd0\xcf\x11\xe0", "an old spreadsheet or document; export it as text in UTF-8"},
                 {"\x1f\x8b", "compressed by gzip; unpack it"},
                 {"\x89HDF", "an HDF5 file, no text"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const size_t length = strlen(kinds[i].head);
        if (size >= length && memcmp(text, kinds[i].head, length) == 0) return kinds[i].what;
    }
    return NULL;
}

nas_status_t nas_text_begin(const char *path, const char *text, size_t size, size_t *skip,
                            nas_error_t *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    const char *wide = wide_encoding(text, size), *what = no_text(text, size);
    if (what) return nas_error_set(err, NAS_EINPUT, "%s: this is %s", path, what);
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

char *nas_text_strip(char *text)
{
    size_t length = 0;
    const ptrdiff_t begin = nas_text_trim(text, &length) - text;
    text[begin + (ptrdiff_t)length] = '\0';
    return text + begin;
}

char *nas_text_copy_trimmed(const char *text, nas_error_t *err)
{
    size_t length = 0;
    const char *trimmed = nas_text_trim(text, &length);
    return nas_string_format(err, "%.*s", (int)length, trimmed);
}
