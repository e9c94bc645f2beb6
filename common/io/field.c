#include "common/io/field.h"

#include "common/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool nas_field_number(const char *text, double *value)
{
    char *end;
    const double x = strtod(text, &end);
    if (end == text || *end || strpbrk(text, "xX")) return false; /* strtod takes hexadecimal */
    *value = x;
    return true;
}

bool nas_field_is_missing(const nas_strings_t *missing, const char *text)
{
    const size_t length = strlen(text);
    if (length == 0) return true;
    for (size_t i = 0; missing && i < missing->n; i++) {
        size_t n = 0;
        const char *entry = nas_text_trim(missing->at[i], &n);
        if (n == length && memcmp(entry, text, length) == 0) return true;
    }
    return false;
}

bool nas_field_looks_missing(const char *text)
{
    static const char *const words[] = {
        "na",      "n/a",          "n.a.",        "#n/a",      "<na>",    "null",
        "nil",     "none",         "nat",         "undefined", "missing", "unknown",
        "-",       "--",           "---",         "?",         "??",      ".",
        "..",      "...",          "*",           "/",         "1.#qnan", "1.#ind",
        "-1.#ind", "1.#inf",       "#num!",       "#value!",   "#ref!",   "#div/0!",
        "#name?",  "\xe2\x80\x93", "\xe2\x80\x94"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0) return true;
    return false;
}

/* Bytes of what people and programs put into numbers besides, that text begins with: commas,
 * apostrophes, percent and currency signs, spaces of all widths, the minus of typesetting; 0: none.
 */
static size_t decoration_at(const char *text)
{
    static const char *const signs[] = {",",
                                        "'",
                                        "%",
                                        "$",
                                        " ",
                                        "_",
                                        "\xc2\xa0",
                                        "\xe2\x80\xaf",
                                        "\xe2\x80\x89",
                                        "\xe2\x80\x99",
                                        "\xe2\x82\xac",
                                        "\xe2\x88\x92"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strncmp(text, signs[i], strlen(signs[i])) == 0) return strlen(signs[i]);
    return 0;
}

/* A number but for its decoration. */
static bool is_decorated_number(const char *text)
{
    bool has_digit = false, is_decorated = false;
    while (*text) {
        const size_t decoration = decoration_at(text);
        if (!decoration && !strchr("+-.0123456789eE", *text)) return false;
        has_digit |= *text >= '0' && *text <= '9';
        is_decorated |= decoration > 0;
        text += decoration ? decoration : 1;
    }
    return has_digit && is_decorated;
}

void nas_field_hint(const char *text, const char *missing_key, char hint[NAS_FIELD_HINT_SIZE])
{
    hint[0] = '\0';
    if (missing_key && nas_field_looks_missing(text))
        (void)snprintf(hint, NAS_FIELD_HINT_SIZE,
                       "; where it means a missing value, set %s: ['%s']", missing_key, text);
    else if (is_decorated_number(text))
        (void)snprintf(hint, NAS_FIELD_HINT_SIZE,
                       "; write numbers such as 1234.5, with a decimal point and no other signs");
}
