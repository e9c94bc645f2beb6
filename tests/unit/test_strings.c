#include "common/base/strings.h"
#include "common/base/utf8.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static nas_strings_t list_of(const char *const *text, size_t n)
{
    nas_strings_t list = {0};
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(nas_strings_add(&list, text[i], strlen(text[i]), NULL), NAS_OK);
    return list;
}

Test(strings, add_copies_the_given_length)
{
    nas_strings_t list = {0};
    char text[] = "abcdef";
    cr_assert_eq(nas_strings_add(&list, text, 3, NULL), NAS_OK);
    cr_assert_eq(nas_strings_add(&list, text, 0, NULL), NAS_OK);
    memset(text, 'x', 6);
    cr_assert_eq(list.n, 2);
    cr_assert_str_eq(list.at[0], "abc");
    cr_assert_str_eq(list.at[1], "");
    nas_strings_fini(&list);
}

Test(strings, fini_leaves_a_usable_list)
{
    nas_strings_t list = list_of((const char *const[]){"a"}, 1);
    nas_strings_fini(&list);
    cr_assert(list.n == 0 && !list.at);
    nas_strings_fini(&list);
    cr_assert_eq(nas_strings_add(&list, "b", 1, NULL), NAS_OK);
    nas_strings_fini(&list);
}

Test(strings, find_gives_the_first)
{
    nas_strings_t list = list_of((const char *const[]){"a", "bb", "c", "bb"}, 4);
    cr_assert_eq(nas_strings_find(&list, "bb"), 1);
    cr_assert_eq(nas_strings_find(&list, "b"), -1);
    cr_assert_eq(nas_strings_find(&(nas_strings_t){0}, "a"), -1);
    nas_strings_fini(&list);
}

Test(strings, nearest_forgives_slips)
{
    nas_strings_t list =
        list_of((const char *const[]){"budget", "repeats", "method", "parallel", "metric"}, 5);
    cr_assert_str_eq(nas_strings_nearest(&list, "budjet"), "budget");      /* substituted */
    cr_assert_str_eq(nas_strings_nearest(&list, "repeat"), "repeats");     /* left out */
    cr_assert_str_eq(nas_strings_nearest(&list, "paralllel"), "parallel"); /* put in */
    cr_assert_str_eq(nas_strings_nearest(&list, "metric"), "metric");      /* none */
    cr_assert_str_eq(nas_strings_nearest(&list, "METHOD"), "method");      /* case */
    nas_strings_fini(&list);
}

Test(strings, nearest_is_the_least_distance_and_the_first_of_equals)
{
    nas_strings_t list = list_of((const char *const[]){"abcx", "abcd", "abce"}, 3);
    cr_assert_str_eq(nas_strings_nearest(&list, "abcd"), "abcd");
    cr_assert_str_eq(nas_strings_nearest(&list, "abcf"), "abcx");
    nas_strings_fini(&list);
}

Test(strings, nothing_is_near_what_is_far)
{
    char text[201];
    nas_strings_t list = list_of((const char *const[]){"budget"}, 1);
    memset(text, 'b', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    cr_assert_null(nas_strings_nearest(&list, "zzzzzz"));
    cr_assert_null(nas_strings_nearest(&list, "bud"));
    cr_assert_null(nas_strings_nearest(&list, ""));
    cr_assert_null(nas_strings_nearest(&list, text));
    cr_assert_null(nas_strings_nearest(&(nas_strings_t){0}, "budget"));
    nas_strings_fini(&list);
}

Test(strings, copy_and_format_are_the_callers)
{
    char *copy = nas_string_copy("100 %s", NULL);
    char *text = nas_string_format(NULL, "%s-%04d", "run", 42);
    cr_assert_str_eq(copy, "100 %s");
    cr_assert_str_eq(text, "run-0042");
    free(copy);
    free(text);
}

Test(strings, join_is_one_part_behind_the_other)
{
    const char *const part[] = {"cell3", "/", "", "edge0"};
    char *text = nas_string_join(part, 4, NULL);
    char *empty = nas_string_join(part, 0, NULL);
    cr_assert_str_eq(text, "cell3/edge0");
    cr_assert_str_eq(empty, "");
    free(text);
    free(empty);
}

Test(strings, what_is_no_utf_8_is_replaced_byte_by_byte)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {"a\x7f", "a\x7f"},
        {"\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf"},
        {"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80", "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80"},
        {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {"\xe9l\xe9", "\xef\xbf\xbdl\xef\xbf\xbd"},               /* Latin-1 */
        {"\xc3", "\xef\xbf\xbd"},                                 /* cut */
        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* cut */
        {"\xe2\x82z", "\xef\xbf\xbd\xef\xbf\xbdz"},               /* interrupted */
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* longer than needed */
        {"\xe0\x9f\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* likewise */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* half a pair */
        {"\xf5\x80", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* beyond U+10FFFF */
        {"\xf4\x90", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* likewise */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *copy = nas_string_utf8(cases[i].text, NULL);
        cr_assert_str_eq(copy, cases[i].expected, "case %zu", i);
        free(copy);
    }
}

Test(strings, what_cannot_be_printed_is_escaped)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {{"", ""},
                 {"a b\\\xc3\xa9\xf0\x90\x80\x80", "a b\\\xc3\xa9\xf0\x90\x80\x80"},
                 {"\xe9l\n\x7f", "\\xe9l\\x0a\\x7f"},
                 {"\xc2\x85\xc2\xa0\xc2", "\\xc2\\x85\xc2\xa0\\xc2"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *copy = nas_string_escape(cases[i].text, NULL);
        cr_assert_str_eq(copy, cases[i].expected, "case %zu", i);
        free(copy);
    }
}

Test(strings, control_characters_are_tamed)
{
    char all[] = "a\x1b[2J\n\x7f\t\xc2\x9b\xc2\xa0\xc3\x9b\xc2", line[] = "one\ntwo", none[] = "";
    nas_utf8_tame(all);
    cr_assert_str_eq(all, "a?[2J?????\xc2\xa0\xc3\x9b\xc2");
    nas_utf8_tame(line);
    cr_assert_str_eq(line, "one?two");
    nas_utf8_tame(none);
    cr_assert_str_eq(none, "");
}
