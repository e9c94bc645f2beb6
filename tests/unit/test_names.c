#include "common/base/name_source.h"
#include "common/base/names.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static nas_names_t *names_of(const char *const *text, size_t n)
{
    nas_error_t err = {0};
    nas_names_t *names = NULL;
    cr_assert_eq(nas_names_create(&names, &err), NAS_OK);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(nas_names_add(names, text[i], strlen(text[i]), &err), NAS_OK);
    return names;
}

Test(names, every_name_is_found_at_its_index)
{
    enum { N = 20000 };
    nas_error_t err = {0};
    nas_names_t *names = names_of(NULL, 0);
    int64_t duplicate = 0, first = 0;
    char text[32];
    for (int i = 0; i < N; i++) {
        const int length = snprintf(text, sizeof text, "%d|%x", i % 7, (unsigned)i * 2654435761u);
        cr_assert_eq(nas_names_add(names, text, (size_t)length, &err), NAS_OK);
    }
    cr_assert_eq(nas_names_index(names, &duplicate, &first, &err), NAS_OK);
    cr_assert_eq(duplicate, -1);
    cr_assert_eq(first, -1);
    cr_assert_eq(nas_names_count(names), N);
    for (int i = 0; i < N; i++) {
        (void)snprintf(text, sizeof text, "%d|%x", i % 7, (unsigned)i * 2654435761u);
        cr_assert_str_eq(nas_names_at(names, i), text);
        cr_assert_eq(nas_names_find(names, text), i);
    }
    nas_names_destroy(names);
}

Test(names, absent_names_are_not_found)
{
    static const char *const text[] = {"ab", "abcd", "|none~0|"};
    static const char *const absent[] = {"", "a", "abc", "abcde", "AB", "|none~0| "};
    nas_error_t err = {0};
    nas_names_t *names = names_of(text, 3);
    int64_t duplicate, first;
    cr_assert_eq(nas_names_index(names, &duplicate, &first, &err), NAS_OK);
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        cr_assert_eq(nas_names_find(names, absent[i]), -1, "'%s'", absent[i]);
    nas_names_destroy(names);
}

Test(names, only_the_given_length_is_kept)
{
    nas_error_t err = {0};
    nas_names_t *names = names_of(NULL, 0);
    cr_assert_eq(nas_names_add(names, "abcdef", 3, &err), NAS_OK);
    cr_assert_eq(nas_names_add(names, "abcdef", 0, &err), NAS_OK);
    cr_assert_str_eq(nas_names_at(names, 0), "abc");
    cr_assert_str_eq(nas_names_at(names, 1), "");
    nas_names_destroy(names);
}

Test(names, the_lowest_duplicate_is_told_with_its_first)
{
    static const char *const text[] = {"e", "b", "c", "d", "c", "e", "c", "b"};
    nas_error_t err = {0};
    nas_names_t *names = names_of(text, sizeof text / sizeof text[0]);
    int64_t duplicate, first;
    cr_assert_eq(nas_names_index(names, &duplicate, &first, &err), NAS_OK);
    cr_assert_eq(duplicate, 4);
    cr_assert_eq(first, 2);
    cr_assert_eq(nas_names_count(names), 8, "nothing is removed");
    cr_assert_eq(nas_names_find(names, "c"), 2, "the first of equals");
    nas_names_destroy(names);
}

Test(names, an_empty_list_holds_nothing)
{
    nas_error_t err = {0};
    nas_names_t *names = names_of(NULL, 0);
    int64_t duplicate, first;
    cr_assert_eq(nas_names_index(names, &duplicate, &first, &err), NAS_OK);
    cr_assert_eq(nas_names_count(names), 0);
    cr_assert_eq(duplicate, -1);
    cr_assert_eq(nas_names_find(names, ""), -1);
    nas_names_destroy(names);
    nas_names_destroy(NULL);
}

Test(names, places_are_file_and_line)
{
    static const int64_t line[] = {2, 3, 4, 7, 8, 20};
    nas_error_t err = {0};
    nas_names_t *names = names_of(NULL, 0);
    char place[NAS_NAMES_PLACE_SIZE];
    cr_assert_eq(nas_names_set_file(names, "t.csv", &err), NAS_OK);
    for (int i = 0; i < 6; i++) {
        cr_assert_eq(nas_names_add(names, "x", 1, &err), NAS_OK);
        cr_assert_eq(nas_names_set_line(names, line[i], &err), NAS_OK);
    }
    for (int i = 0; i < 6; i++) cr_assert_eq(nas_names_line(names, i), line[i]);
    nas_names_place(names, 3, place);
    cr_assert_str_eq(place, "t.csv:7: ");
    cr_assert_str_eq(nas_names_file(names), "t.csv");
    nas_names_destroy(names);
}

Test(names, places_of_files_without_lines_and_of_no_file)
{
    static const char *const text[] = {"a", "b"};
    nas_error_t err = {0};
    char place[NAS_NAMES_PLACE_SIZE] = "?";
    nas_names_t *loose = names_of(text, 2), *names = names_of(NULL, 0);
    nas_names_place(loose, 1, place);
    cr_assert_str_eq(place, "");
    cr_assert_null(nas_names_file(loose));
    cr_assert_eq(nas_names_set_file(names, "s.h5", &err), NAS_OK);
    cr_assert_eq(nas_names_add(names, "x", 1, &err), NAS_OK);
    nas_names_place(names, 0, place);
    cr_assert_str_eq(place, "s.h5: number 1: ");
    cr_assert_eq(nas_names_line(names, 0), 0);
    nas_names_destroy(loose);
    nas_names_destroy(names);
}

Test(names, a_source_of_text_and_one_of_names_say_the_same)
{
    static const char text[] = "a\0\0\0bcd";
    const nas_name_source_t kept = nas_name_source_of_text(text, 4, 2);
    nas_names_t *names = NULL;
    cr_assert_eq(nas_name_source_index(&kept, &names, NULL), NAS_OK);
    cr_assert_eq(nas_names_count(names), 2);
    cr_assert_eq(nas_names_find(names, "a"), 0);
    cr_assert_str_eq(nas_name_source_at(&kept, 0), "a");
    const nas_name_source_t listed = nas_name_source_of_names(names);
    cr_assert(listed.n == 2 && listed.size == strlen(nas_name_source_at(&listed, 1)) + 1);
    cr_assert_str_eq(nas_name_source_at(&listed, 1), nas_name_source_at(&kept, 1));
    nas_names_destroy(names);
}
