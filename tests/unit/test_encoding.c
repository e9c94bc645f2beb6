#include "common/space/encoding.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

static nas_names_t *indexed_names(const char *const *text, size_t n)
{
    nas_error_t err = {0};
    nas_names_t *names = NULL;
    int64_t duplicate, first;
    cr_assert_eq(nas_names_create(&names, &err), NAS_OK);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(nas_names_add(names, text[i], strlen(text[i]), &err), NAS_OK);
    cr_assert_eq(nas_names_index(names, &duplicate, &first, &err), NAS_OK);
    return names;
}

static void print_nb201(const int *op, char *text, size_t size)
{
    static const char *const name[] = {"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3",
                                       "avg_pool_3x3"};
    (void)snprintf(text, size, "|%s~0|+|%s~0|%s~1|+|%s~0|%s~1|%s~2|", name[op[0]], name[op[1]],
                   name[op[2]], name[op[3]], name[op[4]], name[op[5]]);
}

/* The number-th of all 15,625 cells. */
static void nb201_cell(int number, int op[6])
{
    for (int edge = 0; edge < 6; edge++, number /= 5) op[edge] = number % 5;
}

Test(encoding, nb201_edges_stand_in_the_order_printed)
{
    uint8_t code[NAS_ENCODING_MAX_POSITIONS];
    nas_error_t err = {0};
    char text[160];
    for (int number = 0; number < 15625; number++) {
        int op[6], n = 0;
        nb201_cell(number, op);
        print_nb201(op, text, sizeof text);
        cr_assert_eq(nas_encode(NAS_ENCODING_NB201, text, code, &n, &err), NAS_OK, "%s", err.text);
        cr_assert_eq(n, 6);
        for (int edge = 0; edge < 6; edge++) cr_assert_eq(code[edge], op[edge], "%s", text);
    }
}

Test(encoding, digits_take_any_spacing)
{
    static const struct {
        const char *text;
        int n;
        uint8_t code[6];
    } cases[] = {
        {"(1, 0, 0, 2, 1, 0)", 6, {1, 0, 0, 2, 1, 0}},
        {"(4,3,2,1)", 4, {4, 3, 2, 1}},
        {"  ( 12 ,\t63,0 )  ", 3, {12, 63, 0}},
        {"(007)", 1, {7}},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        uint8_t code[NAS_ENCODING_MAX_POSITIONS];
        nas_error_t err = {0};
        int n = 0;
        cr_assert_eq(nas_encode(NAS_ENCODING_DIGITS, cases[i].text, code, &n, &err), NAS_OK, "%s",
                     err.text);
        cr_assert_eq(n, cases[i].n);
        cr_assert_eq(memcmp(code, cases[i].code, (size_t)n), 0, "%s", cases[i].text);
    }
}

static void print_tuple(int n, char *text)
{
    *text++ = '(';
    for (int i = 0; i < n; i++) text += sprintf(text, i ? ",%d" : "%d", i % 10);
    text[0] = ')';
    text[1] = '\0';
}

Test(encoding, digits_have_at_most_64_positions)
{
    uint8_t code[NAS_ENCODING_MAX_POSITIONS];
    nas_error_t err = {0};
    char text[256];
    int n = 0;
    print_tuple(64, text);
    cr_assert_eq(nas_encode(NAS_ENCODING_DIGITS, text, code, &n, &err), NAS_OK);
    cr_assert_eq(n, 64);
    print_tuple(65, text);
    cr_assert_eq(nas_encode(NAS_ENCODING_DIGITS, text, code, &n, &err), NAS_EINPUT);
}

Test(encoding, other_forms_are_refused_and_quoted)
{
    static const struct {
        nas_encoding_kind_t kind;
        const char *text;
    } cases[] = {
        {NAS_ENCODING_NB201, ""},
        {NAS_ENCODING_NB201, "(1, 0, 0, 2, 1, 0)"},
        {NAS_ENCODING_NB201, "|none~0|"},
        {NAS_ENCODING_NB201, "|none~0|+|none~0|none~1|+|none~0|none~1|"},
        {NAS_ENCODING_NB201, "|none~0|+|none~0|none~1|+|none~0|none~1|none~2"},
        {NAS_ENCODING_NB201, "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|+"},
        {NAS_ENCODING_NB201, "|none~0|+|none~0|none~1|+|none~0|none~1|none~2| "},
        {NAS_ENCODING_NB201, " |none~0|+|none~0|none~1|+|none~0|none~1|none~2|"},
        {NAS_ENCODING_NB201, "|none~1|+|none~0|none~1|+|none~0|none~1|none~2|"},
        {NAS_ENCODING_NB201, "|none~0|+|none~0|none~1|+|none~0|none~1|none~3|"},
        {NAS_ENCODING_NB201, "|none~0||none~0|none~1|+|none~0|none~1|none~2|"},
        {NAS_ENCODING_NB201, "|conv~0|+|none~0|none~1|+|none~0|none~1|none~2|"},
        {NAS_ENCODING_NB201, "|None~0|+|none~0|none~1|+|none~0|none~1|none~2|"},
        {NAS_ENCODING_DIGITS, ""},
        {NAS_ENCODING_DIGITS, "()"},
        {NAS_ENCODING_DIGITS, "1, 2"},
        {NAS_ENCODING_DIGITS, "(1, 2"},
        {NAS_ENCODING_DIGITS, "(1, 2,)"},
        {NAS_ENCODING_DIGITS, "(1 2)"},
        {NAS_ENCODING_DIGITS, "(1, 2))"},
        {NAS_ENCODING_DIGITS, "(1, -2)"},
        {NAS_ENCODING_DIGITS, "(1, 2.0)"},
        {NAS_ENCODING_DIGITS, "(1, 64)"},
        {NAS_ENCODING_DIGITS, "(1, 99999999999999999999)"},
        {NAS_ENCODING_DIGITS, "(1, a)"},
        {NAS_ENCODING_DIGITS, "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        uint8_t code[NAS_ENCODING_MAX_POSITIONS];
        nas_error_t err = {0};
        int n = 77;
        cr_assert_eq(nas_encode(cases[i].kind, cases[i].text, code, &n, &err), NAS_EINPUT, "'%s'",
                     cases[i].text);
        cr_assert_eq(n, 77, "no output on failure");
        cr_assert(strstr(err.text, cases[i].text), "%s", err.text);
        cr_assert(strstr(err.text, "expected"), "%s", err.text);
    }
}

Test(encoding, a_pool_is_found_by_its_codes)
{
    static const char *const text[] = {"(1, 0, 3)", "(0, 0, 1)", "(2, 0, 0)"};
    static const uint8_t absent[] = {0, 0, 0};
    static const int n_choice[] = {3, 1, 4};
    nas_error_t err = {0};
    nas_names_t *names = indexed_names(text, N_OF(text));
    nas_encoding_t *encoding = NULL;
    cr_assert_eq(nas_encoding_create(NAS_ENCODING_DIGITS, names, &encoding, &err), NAS_OK);
    cr_assert_eq(nas_encoding_count(encoding), 3);
    cr_assert_eq(nas_encoding_positions(encoding), 3);
    for (int p = 0; p < 3; p++) cr_assert_eq(nas_encoding_choices(encoding, p), n_choice[p]);
    for (int64_t i = 0; i < 3; i++)
        cr_assert_eq(nas_encoding_find(encoding, nas_encoding_at(encoding, i)), i);
    cr_assert_eq(nas_encoding_at(encoding, 0)[2], 3);
    cr_assert_eq(nas_encoding_find(encoding, absent), -1);
    nas_encoding_destroy(encoding);
    nas_encoding_destroy(NULL);
    nas_names_destroy(names);
}

Test(encoding, codes_sent_elsewhere_give_the_same_encoding)
{
    nas_error_t err = {0};
    nas_names_t *names = NULL;
    nas_encoding_t *here = NULL, *there = NULL;
    int64_t duplicate, first;
    char text[160];
    cr_assert_eq(nas_names_create(&names, &err), NAS_OK);
    for (int number = 0; number < 15625; number++) {
        int op[6];
        nb201_cell(number, op);
        print_nb201(op, text, sizeof text);
        cr_assert_eq(nas_names_add(names, text, strlen(text), &err), NAS_OK);
    }
    cr_assert_eq(nas_names_index(names, &duplicate, &first, &err), NAS_OK);
    cr_assert_eq(nas_encoding_create(NAS_ENCODING_NB201, names, &here, &err), NAS_OK);
    const nas_codes_t codes = {.code = nas_encoding_at(here, 0), .n = 15625, .n_position = 6};
    cr_assert_eq(nas_encoding_from_codes(&codes, NULL, &there, &err), NAS_OK);
    cr_assert_eq(nas_encoding_count(there), 15625);
    for (int p = 0; p < 6; p++) {
        cr_assert_eq(nas_encoding_choices(here, p), 5);
        cr_assert_eq(nas_encoding_choices(there, p), 5);
    }
    for (int64_t i = 0; i < 15625; i++) {
        const uint8_t *code = nas_encoding_at(there, i);
        cr_assert_eq(memcmp(code, nas_encoding_at(here, i), 6), 0);
        cr_assert_eq(nas_encoding_find(here, code), i);
        cr_assert_eq(nas_encoding_find(there, code), i);
    }
    nas_encoding_destroy(there);
    nas_encoding_destroy(here);
    nas_names_destroy(names);
}

Test(encoding, pools_that_cannot_be_encoded_are_refused_by_name)
{
    static const struct {
        const char *text[3];
        const char *named[2];
    } cases[] = {
        {{"(1, 0)", "(1, 1)", "bad"}, {"'bad'", "expected"}},
        {{"bad", "(1, 0)", "(1, 1)"}, {"'bad'", "expected"}},
        {{"(1, 0)", "(1, 1)", "(1, 1, 1)"}, {"'(1, 1, 1)' has 3 positions", "'(1, 0)', has 2"}},
        {{"(1, 0)", "(1, 1)", "(1,0)"}, {"'(1,0)' is the same as '(1, 0)'", "architecture"}},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        nas_error_t err = {0};
        nas_encoding_t *encoding = NULL;
        nas_names_t *names = indexed_names(cases[i].text, 3);
        cr_assert_eq(nas_encoding_create(NAS_ENCODING_DIGITS, names, &encoding, &err), NAS_EINPUT);
        cr_assert_null(encoding);
        for (int k = 0; k < 2; k++) cr_assert(strstr(err.text, cases[i].named[k]), "%s", err.text);
        nas_names_destroy(names);
    }
}

Test(encoding, names_of_a_file_are_refused_by_line)
{
    static const struct {
        const char *text[3], *expected;
    } cases[] = {
        {{"(1, 0)", "(1, 1)", "bad"}, "t.csv:6: architecture 'bad' is no tuple of digits"},
        {{"bad", "(1, 0)", "(1, 1)"}, "t.csv:2: architecture 'bad' is no tuple of digits"},
        {{"(1, 0)", "(1, 1)", "(1)"}, "t.csv:6: architecture '(1)' has 1 positions where"},
        {{"(1, 0)", "(1, 1)", "(1,0)"},
         "t.csv:6: architecture '(1,0)' is the same as line 2, '(1, 0)'"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        nas_error_t err = {0};
        nas_encoding_t *encoding = NULL;
        nas_names_t *names = NULL;
        int64_t duplicate, first;
        cr_assert_eq(nas_names_create(&names, &err), NAS_OK);
        cr_assert_eq(nas_names_set_file(names, "t.csv", &err), NAS_OK);
        for (int k = 0; k < 3; k++) {
            const char *text = cases[i].text[k];
            cr_assert_eq(nas_names_add(names, text, strlen(text), &err), NAS_OK);
            cr_assert_eq(nas_names_set_line(names, 2 + 2 * k, &err), NAS_OK);
        }
        cr_assert_eq(nas_names_index(names, &duplicate, &first, &err), NAS_OK);
        cr_assert_eq(nas_encoding_create(NAS_ENCODING_DIGITS, names, &encoding, &err), NAS_EINPUT);
        cr_assert_eq(strncmp(err.text, cases[i].expected, strlen(cases[i].expected)), 0, "%s",
                     err.text);
        nas_names_destroy(names);
    }
}
