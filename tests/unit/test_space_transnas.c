#include "common/io/table.h"
#include "tests/unit/arch_case.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

static const nas_space_t *space_of(const char *name)
{
    const nas_space_t *space = nas_space_find(name);
    cr_assert_not_null(space, "%s", name);
    return space;
}

static int64_t index_of(const nas_space_t *space, const char *text)
{
    nas_error_t err = {0};
    nas_arch_t arch = arch_at(space, 0);
    cr_assert_eq(nas_arch_parse(&arch, text, &err), NAS_OK, "%s", err.text);
    const int64_t index = arch.index;
    nas_arch_fini(&arch);
    return index;
}

static void assert_refused(const nas_space_t *space, const char *text)
{
    nas_error_t err = {0};
    nas_arch_t arch = arch_at(space, 77);
    cr_assert_eq(nas_arch_parse(&arch, text, &err), NAS_EINPUT, "%s", text);
    cr_assert_eq(arch.index, 77, "no output on failure");
    cr_assert_eq(space->index(arch.code), 77, "no output on failure");
    cr_assert(strstr(err.text, text) && strstr(err.text, space->forms), "%s", err.text);
    nas_arch_fini(&arch);
}

/* Names, indices and codes are one to one, and a NASLib tuple of the code is the same one. */
static void assert_one_to_one(const nas_space_t *space)
{
    nas_arch_t arch = arch_at(space, 0);
    for (int64_t i = 0; i < space->count; i++) {
        char tuple[64];
        const uint8_t *code = arch.code;
        nas_arch_set(&arch, i);
        cr_assert_lt(strlen(arch.name), space->name_size);
        cr_assert_eq(index_of(space, arch.name), i, "%s", arch.name);
        cr_assert_eq(space->index(code), i, "%s", arch.name);
        (void)snprintf(tuple, sizeof tuple, "(%d, %d, %d, %d, %d, %d)", code[0], code[1], code[2],
                       code[3], code[4], code[5]);
        cr_assert_eq(index_of(space, tuple), i, "%s", tuple);
    }
    nas_arch_fini(&arch);
}

Test(space_transnas, micro_has_4096_cells)
{
    const nas_space_t *space = space_of("transnas-micro");
    cr_assert_eq(space->count, 4096);
    assert_one_to_one(space);
}

Test(space_transnas, micro_is_printed_as_its_own_tool_does)
{
    const nas_space_t *space = space_of("transnas-micro");
    nas_arch_t arch = arch_at(space, 0);
    cr_assert_str_eq(arch.name, "64-41414-0_00_000");
    nas_arch_set(&arch, index_of(space, "(1, 0, 2, 3, 3, 3)"));
    cr_assert_str_eq(arch.name, "64-41414-1_02_333");
    nas_arch_set(&arch, space->count - 1);
    cr_assert_str_eq(arch.name, "64-41414-3_33_333");
    nas_arch_fini(&arch);
}

Test(space_transnas, micro_refuses_what_it_has_not)
{
    static const char *const text[] = {
        "",
        "64-41414-1_02_334",
        "64-41414-1_02_33",
        "64-41414-1_02_3333",
        "64-41414-102333",
        "32-41414-1_02_333",
        "64-1234-basic",
        "64-41414-._.._...",
        "(1, 0, 2, 3, 3)",
        "(1, 0, 2, 3, 3, 4)",
        "(1, 0, 2, 3, 3, 3, 0)",
    };
    for (size_t i = 0; i < N_OF(text); i++) assert_refused(space_of("transnas-micro"), text[i]);
}

Test(space_transnas, macro_has_3256_skeletons)
{
    const nas_space_t *space = space_of("transnas-macro");
    cr_assert_eq(space->count, 3256);
    assert_one_to_one(space);
}

/* All strings of 4, 5 and 6 digits 1 ..= 4, shorter first, in the order of digits: those that halve
 * 1 to 4 times and double 1 to 3 times are the space, in its order; the others are refused. */
static void check_skeletons_of(const nas_space_t *space, int n_modules, int64_t *next)
{
    for (int number = 0; number < 1 << 2 * n_modules; number++) {
        char modules[8] = "", text[32];
        int n_halving = 0, n_doubling = 0;
        for (int i = 0; i < n_modules; i++) {
            const int module = 1 + (number >> 2 * (n_modules - 1 - i) & 3);
            modules[i] = (char)('0' + module);
            n_halving += module == 3 || module == 4;
            n_doubling += module == 2 || module == 4;
        }
        (void)snprintf(text, sizeof text, "64-%s-basic", modules);
        if (n_halving >= 1 && n_halving <= 4 && n_doubling >= 1 && n_doubling <= 3)
            cr_assert_eq(index_of(space, text), (*next)++, "%s", text);
        else
            assert_refused(space, text);
    }
}

Test(space_transnas, macro_halves_1_to_4_times_and_doubles_1_to_3_times)
{
    const nas_space_t *space = space_of("transnas-macro");
    int64_t next = 0;
    for (int n_modules = 4; n_modules <= 6; n_modules++)
        check_skeletons_of(space, n_modules, &next);
    cr_assert_eq(next, space->count);
}

Test(space_transnas, macro_tuples_may_end_in_zeros)
{
    const nas_space_t *space = space_of("transnas-macro");
    cr_assert_eq(index_of(space, "(1, 2, 3, 4, 0, 0)"), index_of(space, "64-1234-basic"));
    cr_assert_eq(index_of(space, "(1, 2, 3, 4)"), index_of(space, "64-1234-basic"));
    cr_assert_eq(index_of(space, "(1, 2, 3, 4, 1, 0)"), index_of(space, "64-12341-basic"));
    cr_assert_eq(index_of(space, "(1,1,2,4,3,3)"), index_of(space, "64-112433-basic"));
}

Test(space_transnas, macro_refuses_what_it_has_not)
{
    static const char *const text[] = {
        "",
        "64-1234",
        "64-123-basic",
        "64-1234123-basic",
        "64-1230-basic",
        "64-1235-basic",
        "64-1234-basic2",
        "32-1234-basic",
        "64-41414-1_02_333",
        "(1, 2, 3, 0, 0, 0)",
        "(1, 2, 0, 3, 4, 0)",
        "(1, 2, 3, 4, 0, 1)",
        "(1, 2, 3, 4, 0, 0, 0)",
        "(1, 1, 1, 1, 0, 0)",
        "(0, 0, 1, 2, 3, 4)",
        "(0, 0, 0, 0, 0, 0)",
    };
    for (size_t i = 0; i < N_OF(text); i++) assert_refused(space_of("transnas-macro"), text[i]);
}

Test(space_transnas, neither_has_classes_of_equal_architectures)
{
    cr_assert_null(space_of("transnas-micro")->unique);
    cr_assert_null(space_of("transnas-micro")->equivalent);
    cr_assert_null(space_of("transnas-macro")->unique);
    cr_assert_null(space_of("transnas-macro")->equivalent);
}

/* Every tuple is one of the space, and no two are the same. */
static void check_published(const nas_space_t *space, const char *path)
{
    nas_error_t err = {0};
    const nas_strings_t columns = {0};
    const nas_table_options_t options = {.path = path, .arch_column = "arch", .columns = &columns};
    nas_table_t *table = NULL;
    bool *seen = calloc((size_t)space->count, sizeof *seen);
    cr_assert_not_null(seen);
    cr_assert_eq(nas_table_read(&options, &table, &err), NAS_OK, "%s", err.text);
    for (int64_t i = 0; i < nas_table_rows(table); i++) {
        const char *arch = nas_names_at(nas_table_names(table), i);
        const int64_t index = index_of(space, arch);
        cr_assert_not(seen[index], "%s", arch);
        seen[index] = true;
    }
    nas_table_destroy(table);
    free(seen);
}

Test(space_transnas, the_published_tables_are_of_these_spaces)
{
    static const char *const table[][2] = {
        {"transnas-macro", "tnb101-macro-class_scene.csv"},
        {"transnas-macro", "tnb101-macro-jigsaw.csv"},
        {"transnas-micro", "tnb101-micro-class_object.csv"},
        {"transnas-micro", "tnb101-micro-jigsaw.csv"},
    };
    const char *shared = getenv("ROBOTNAS_SHARED");
    if (!shared) cr_skip_test("the environment variable ROBOTNAS_SHARED is not set");
    for (size_t i = 0; i < N_OF(table); i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/data/tables/%s", shared, table[i][1]);
        if (access(path, R_OK) != 0) cr_skip_test("%s is not there", path);
        check_published(space_of(table[i][0]), path);
    }
}
