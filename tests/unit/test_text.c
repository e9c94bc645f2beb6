#include "common/base/strings.h"
#include "common/base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

Test(text, a_mark_of_utf8_is_skipped_and_nothing_else)
{
    static const struct {
        const char *text;
        size_t skip;
    } cases[] = {
        {"\xef\xbb\xbfname: a", 3}, {"\xef\xbb\xbf", 3}, {"name: a", 0}, {"", 0}, {"\xef\xbb", 0},
        {" \xef\xbb\xbf", 0}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        nas_error_t err = {0};
        size_t skip = 9;
        const size_t size = strlen(cases[i].text);
        cr_assert_eq(nas_text_begin("f", cases[i].text, size, &skip, &err), NAS_OK);
        cr_assert_eq(skip, cases[i].skip, "case %zu: %zu", i, skip);
    }
}

Test(text, wide_characters_are_named)
{
    static const struct {
        const char *text;
        size_t size;
        const char *name;
    } cases[] = {{"\xff\xfen\0", 4, "UTF-16"}, {"\xfe\xff\0n", 4, "UTF-16"},
                 {"\xff\xfe", 2, "UTF-16"},    {"n\0a\0", 4, "UTF-16"},
                 {"\0n\0a", 4, "UTF-16"},      {"\xff\xfe\0\0n\0\0\0", 8, "UTF-32"},
                 {"\0\0\xfe\xff", 4, "UTF-32"}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        nas_error_t err = {0};
        size_t skip = 9;
        char expected[80];
        cr_assert_eq(nas_text_begin("t.csv", cases[i].text, cases[i].size, &skip, &err), NAS_EINPUT,
                     "case %zu", i);
        (void)snprintf(expected, sizeof expected, "t.csv:1: this text is in %s; save it as UTF-8",
                       cases[i].name);
        cr_assert_str_eq(err.text, expected);
    }
    size_t skip = 9;
    cr_assert_eq(nas_text_begin("f", "\0\0\0\0", 4, &skip, NULL), NAS_OK, "no text at all");
    cr_assert_eq(nas_text_begin("f", "a\0bc", 4, &skip, NULL), NAS_OK, "one NUL");
}

Test(text, what_is_no_text_is_named)
{
    static const char *const heads[] = {"PK\x03\x04xx", "\xd0\xcf\x11\xe0", "\x1f\x8b\x08",
                                        "\x89HDF"};
    static const char *const names[] = {"a zip archive, as spreadsheets are; export it", "an old",
                                        "compressed by gzip; unpack it", "an HDF5 file"};
    for (size_t i = 0; i < N_OF(heads); i++) {
        nas_error_t err = {0};
        size_t skip = 9;
        cr_assert_eq(nas_text_begin("t.csv", heads[i], strlen(heads[i]), &skip, &err), NAS_EINPUT);
        cr_assert(strstr(err.text, names[i]), "%s", err.text);
    }
}

Test(text, blanks_around_are_cut)
{
    static const struct {
        const char *text, *trimmed;
    } cases[] = {{"a", "a"},
                 {"", ""},
                 {"  \t", ""},
                 {" a  b\t\r\n", "a  b"},
                 {"\xc2\xa0 a\xc2\xa0", "a"},
                 {"\xc2\xa1", "\xc2\xa1"},
                 {"a\xc2", "a\xc2"}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        size_t length = 99;
        const char *trimmed = nas_text_trim(cases[i].text, &length);
        cr_assert_eq(length, strlen(cases[i].trimmed), "case %zu", i);
        cr_assert_eq(memcmp(trimmed, cases[i].trimmed, length), 0, "case %zu", i);
        char *copy = nas_string_copy(cases[i].text, NULL);
        cr_assert_str_eq(nas_text_strip(copy), cases[i].trimmed, "case %zu", i);
        free(copy);
    }
}
