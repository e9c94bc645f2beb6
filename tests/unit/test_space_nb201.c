#include "common/space/encoding.h"
#include "common/space/space_nb201.h"
#include "tests/unit/arch_case.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

enum { N_CELLS = 15625, KEY_SIZE = 128 };

static const nas_space_t *const space = &nas_space_nb201;

static int64_t index_of(const char *text)
{
    nas_error_t err = {0};
    nas_arch_t arch = arch_at(space, 0);
    cr_assert_eq(nas_arch_parse(&arch, text, &err), NAS_OK, "%s", err.text);
    const int64_t index = arch.index;
    nas_arch_fini(&arch);
    return index;
}

Test(space_nb201, it_is_found_by_its_name)
{
    int n = 0;
    const nas_space_t *const *list = nas_space_list(&n);
    cr_assert_eq(nas_space_find("nas-bench-201"), space);
    cr_assert_null(nas_space_find("nas-bench-202"));
    for (int i = 0; i < n; i++) cr_assert_eq(nas_space_find(list[i]->name), list[i]);
}

Test(space_nb201, names_indices_and_codes_are_one_to_one_in_the_order_of_codes)
{
    uint8_t before[NAS_CELL_EDGES];
    nas_arch_t arch = arch_at(space, 0);
    cr_assert_eq(space->count, N_CELLS);
    for (int64_t i = 0; i < N_CELLS; i++) {
        nas_arch_set(&arch, i);
        cr_assert_lt(strlen(arch.name), space->name_size);
        cr_assert_eq(index_of(arch.name), i, "%s", arch.name);
        cr_assert_eq(space->index(arch.code), i);
        cr_assert(i == 0 || memcmp(before, arch.code, sizeof before) < 0, "%s", arch.name);
        memcpy(before, arch.code, sizeof before);
    }
    nas_arch_fini(&arch);
}

Test(space_nb201, codes_are_those_of_the_encoding)
{
    nas_arch_t arch = arch_at(space, 0);
    for (int64_t i = 0; i < N_CELLS; i++) {
        uint8_t encoded[NAS_ENCODING_MAX_POSITIONS];
        int n = 0;
        nas_arch_set(&arch, i);
        cr_assert_eq(nas_encode(NAS_ENCODING_NB201, arch.name, encoded, &n, NULL), NAS_OK);
        cr_assert_eq(memcmp(arch.code, encoded, NAS_CELL_EDGES), 0, "%s", arch.name);
    }
    nas_arch_fini(&arch);
}

/* NASLib's edges by source, and its operations: Identity, Zero, conv 3x3, conv 1x1, pool. */
Test(space_nb201, naslib_tuples_are_the_same_cells)
{
    static const char *const cells[][2] = {
        {"(1, 1, 1, 1, 1, 1)", "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"},
        {"(1, 0, 0, 2, 1, 0)", "|none~0|+|skip_connect~0|nor_conv_3x3~1|"
                               "+|skip_connect~0|none~1|skip_connect~2|"},
        {"(0,1,2,3,4,0)", "|skip_connect~0|+|none~0|nor_conv_1x1~1|"
                          "+|nor_conv_3x3~0|avg_pool_3x3~1|skip_connect~2|"},
    };
    for (size_t i = 0; i < N_OF(cells); i++)
        cr_assert_eq(index_of(cells[i][0]), index_of(cells[i][1]), "%s", cells[i][0]);
}

Test(space_nb201, every_naslib_tuple_is_another_cell)
{
    static bool seen[N_CELLS];
    for (int number = 0; number < N_CELLS; number++) {
        char text[64] = "(";
        for (int i = 0, rest = number; i < NAS_CELL_EDGES; i++, rest /= 5)
            (void)sprintf(text + strlen(text), i ? ", %d" : "%d", rest % 5);
        const int64_t index = index_of(strcat(text, ")"));
        cr_assert_not(seen[index], "%s", text);
        seen[index] = true;
    }
}

Test(space_nb201, blanks_around_are_free_and_other_texts_are_refused_and_quoted)
{
    static const char *const refused[] = {
        "",
        "none",
        "(1, 0, 0, 2, 1)",
        "(1, 0, 0, 2, 1, 0, 0)",
        "(1, 0, 0, 2, 1, 5)",
        "(1, 0, 0, 2, 1, 0",
        "64-41414-1_02_333",
        "|none~0|+|none~0|none~1|+|none~0|none~1|",
        "|none~0|+|none~0|none~1|+|none~0|none~1|nor_conv_5x5~2|",
    };
    cr_assert_eq(index_of(" \t|none~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|\r\n"), 1);
    cr_assert_eq(index_of("  (1, 1, 1, 1, 1, 0) "), 1);
    for (size_t i = 0; i < N_OF(refused); i++) {
        nas_error_t err = {0};
        nas_arch_t arch = arch_at(space, 77);
        cr_assert_eq(nas_arch_parse(&arch, refused[i], &err), NAS_EINPUT);
        cr_assert_eq(space->index(arch.code), 77, "no output on failure");
        cr_assert(strstr(err.text, refused[i]) && strstr(err.text, space->forms), "%s", err.text);
        nas_arch_fini(&arch);
    }
}

/* The four ways through a cell, as sets of edges. */
static unsigned edges_of_ways(const uint8_t *code)
{
    static const unsigned ways[] = {1u << 3, 1u << 0 | 1u << 4, 1u << 1 | 1u << 5,
                                    1u << 0 | 1u << 2 | 1u << 5};
    unsigned open = 0, live = 0;
    for (int e = 0; e < NAS_CELL_EDGES; e++) open |= (code[e] != NAS_OPERATION_NONE) * (1u << e);
    for (size_t i = 0; i < N_OF(ways); i++)
        if ((ways[i] & open) == ways[i]) live |= ways[i];
    return live;
}

Test(space_nb201, live_edges_are_those_of_the_ways_through_the_cell)
{
    int n_without = 0;
    for (int64_t i = 0; i < N_CELLS; i++) {
        uint8_t code[NAS_CELL_EDGES];
        space->code(i, code);
        cr_assert_eq(nas_cell_live_edges(code), edges_of_ways(code));
        n_without += nas_cell_live_edges(code) == 0;
    }
    cr_assert_gt(n_without, 0);
}

Test(space_nb201, an_edge_may_be_fed_and_unused_or_used_and_not_fed)
{
    const uint8_t code[] = {NAS_OPERATION_CONV3, NAS_OPERATION_NONE, NAS_OPERATION_NONE,
                            NAS_OPERATION_SKIP,  NAS_OPERATION_NONE, NAS_OPERATION_POOL};
    cr_assert_eq(nas_cell_fed_edges(code), 1u << 0 | 1u << 3);
    cr_assert_eq(nas_cell_used_edges(code), 1u << 3 | 1u << 5);
    cr_assert_eq(nas_cell_live_edges(code), 1u << 3);
}

typedef void key_function(const uint8_t *code, char *key);

/* Keys of all cells, indexed, so that a key's index is the first cell of its class. */
static nas_names_t *all_keys(key_function *write_key)
{
    nas_error_t err = {0};
    nas_names_t *keys = NULL;
    int64_t duplicate, first;
    cr_assert_leq(space->key_size, KEY_SIZE);
    cr_assert_eq(nas_names_create(&keys, &err), NAS_OK);
    for (int64_t i = 0; i < N_CELLS; i++) {
        uint8_t code[NAS_CELL_EDGES];
        char key[KEY_SIZE];
        space->code(i, code);
        write_key(code, key);
        cr_assert_eq(nas_names_add(keys, key, strlen(key), &err), NAS_OK);
    }
    cr_assert_eq(nas_names_index(keys, &duplicate, &first, &err), NAS_OK);
    return keys;
}

static int64_t first_of_class(const nas_names_t *keys, int64_t index)
{
    return nas_names_find(keys, nas_names_at(keys, index));
}

static int count_classes(const nas_names_t *keys)
{
    int n = 0;
    for (int64_t i = 0; i < N_CELLS; i++) n += first_of_class(keys, i) == i;
    return n;
}

/* The value of a cell's expression, with arbitrary functions modulo 2^64 in place of the operations.
 * None of them is linear, and all keep 0. */
static uint64_t apply(uint8_t operation, uint64_t x)
{
    static const uint64_t square[] = {0, 0, 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9,
                                      0x94d049bb133111eb};
    static const uint64_t linear[] = {0, 1, 0xd6e8feb86659fd93, 0xa0761d6478bd642f,
                                      0xe7037ed1a0b428db};
    return (square[operation] * x + linear[operation]) * x;
}

static uint64_t compute(const uint8_t *code)
{
    uint64_t node[NAS_CELL_NODES] = {0x2545f4914f6cdd1d};
    for (int target = 1, e = 0; target < NAS_CELL_NODES; target++)
        for (int source = 0; source < target; source++)
            node[target] += apply(code[e++], node[source]);
    return node[NAS_CELL_NODES - 1];
}

static void write_computed(const uint8_t *code, char *key)
{
    (void)snprintf(key, KEY_SIZE, "%016llx", (unsigned long long)compute(code));
}

Test(space_nb201, equivalent_cells_are_those_with_the_same_expression)
{
    nas_names_t *keys = all_keys(space->equivalent), *computed = all_keys(write_computed);
    cr_assert_eq(count_classes(keys), 4930);
    for (int64_t i = 0; i < N_CELLS; i++)
        cr_assert_eq(first_of_class(keys, i), first_of_class(computed, i));
    nas_names_destroy(computed);
    nas_names_destroy(keys);
}

Test(space_nb201, the_first_of_equivalent_cells_has_no_dead_operation)
{
    nas_names_t *keys = all_keys(space->equivalent);
    for (int64_t i = 0; i < N_CELLS; i++) {
        uint8_t code[NAS_CELL_EDGES];
        if (first_of_class(keys, i) != i) continue;
        space->code(i, code);
        const unsigned live = nas_cell_live_edges(code);
        for (int e = 0; e < NAS_CELL_EDGES; e++)
            cr_assert(live >> e & 1u || code[e] == NAS_OPERATION_NONE);
    }
    nas_names_destroy(keys);
}

Test(space_nb201, the_authors_count_6466_unique_cells_and_split_no_further_than_equivalence)
{
    nas_names_t *unique = all_keys(space->unique), *equivalent = all_keys(space->equivalent);
    cr_assert_eq(count_classes(unique), 6466);
    for (int64_t i = 0; i < N_CELLS; i++)
        cr_assert_eq(first_of_class(equivalent, first_of_class(unique, i)),
                     first_of_class(equivalent, i));
    nas_names_destroy(equivalent);
    nas_names_destroy(unique);
}

Test(space_nb201, keys_of_known_cells)
{
    static const struct {
        const char *arch, *unique, *equivalent;
    } cells[] = {
        {"|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", "#+#+#", ""},
        {"|none~0|+|none~0|none~1|+|skip_connect~0|nor_conv_3x3~1|none~2|", "#+#+0", "0"},
        {"|skip_connect~0|+|none~0|none~1|+|skip_connect~0|avg_pool_3x3~1|none~2|",
         "#+(0)@avg_pool_3x3+0", "(0)@avg_pool_3x3+0"},
        {"|nor_conv_1x1~0|+|skip_connect~0|skip_connect~1|+|none~0|none~1|nor_conv_3x3~2|",
         "#+#+((0)@nor_conv_1x1+0)@nor_conv_3x3", "((0)@nor_conv_1x1+0)@nor_conv_3x3"},
        {"|skip_connect~0|+|skip_connect~0|skip_connect~1|+|none~0|skip_connect~1|skip_connect~2|",
         "#+0+0+0", "0+0+0"},
    };
    for (size_t i = 0; i < N_OF(cells); i++) {
        uint8_t code[NAS_CELL_EDGES];
        char key[KEY_SIZE];
        space->code(index_of(cells[i].arch), code);
        space->unique(code, key);
        cr_assert_str_eq(key, cells[i].unique);
        space->equivalent(code, key);
        cr_assert_str_eq(key, cells[i].equivalent);
    }
}
