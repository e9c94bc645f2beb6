/* Genotypes of DARTS: texts, codes, numbers. */
#include "common/base/rng.h"
#include "common/space/pool.h"
#include "common/space/space_darts.h"
#include "tests/unit/arch_case.h"

#include <criterion/criterion.h>
#include <string.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

/* The best genotype of the paper, as the authors print it, and as its text has it here. */
#define PUBLIC_NORMAL                                                                              \
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), "             \
    "('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), "         \
    "('dil_conv_3x3', 2)], normal_concat="
#define PUBLIC_REDUCE                                                                              \
    ", reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), "                    \
    "('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), "         \
    "('max_pool_3x3', 1)], reduce_concat="
#define DARTS_V2                                                                                   \
    "sep_conv_3x3~0,sep_conv_3x3~1;sep_conv_3x3~0,sep_conv_3x3~1;skip_connect~0,sep_conv_3x3~1;"   \
    "skip_connect~0,dil_conv_3x3~2/"                                                               \
    "max_pool_3x3~0,max_pool_3x3~1;max_pool_3x3~1,skip_connect~2;max_pool_3x3~0,skip_connect~2;"   \
    "max_pool_3x3~1,skip_connect~2"

static nas_arch_t parsed(const char *text)
{
    nas_error_t err = {0};
    nas_arch_t arch = arch_at(&nas_space_darts, 0);
    cr_assert_eq(nas_arch_parse(&arch, text, &err), NAS_OK, "%s", err.text);
    return arch;
}

static void assert_named(const char *text, const char *name)
{
    nas_arch_t arch = parsed(text);
    cr_assert_str_eq(arch.name, name);
    nas_arch_fini(&arch);
}

/* Per cell, pairs of states of four nodes, and two operations of seven for each. */
Test(space_darts, is_180_times_7_to_the_8_squared)
{
    int64_t cell = 1 * 3 * 6 * 10;
    for (int i = 0; i < 8; i++) cell *= 7;
    cr_assert_eq(cell, 1037664180);
    cr_assert_eq(nas_space_darts.count, cell * cell);
    cr_assert_eq(nas_space_find("darts"), &nas_space_darts);
}

static void assert_same(nas_arch_t *arch, nas_arch_t *again, int64_t index)
{
    nas_error_t err = {0};
    nas_arch_set(arch, index);
    cr_assert_eq(strlen(arch->name) + 1, nas_space_darts.name_size);
    cr_assert_eq(nas_space_darts.index(arch->code), index, "%s", arch->name);
    cr_assert_eq(nas_arch_parse(again, arch->name, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(again->index, index, "%s", arch->name);
    cr_assert_eq(memcmp(again->code, arch->code, (size_t)nas_space_darts.n_position), 0);
}

Test(space_darts, names_indices_and_codes_are_one_to_one)
{
    nas_rng_t rng;
    nas_arch_t arch = arch_at(&nas_space_darts, 0), again = arch_at(&nas_space_darts, 0);
    const uint64_t count = (uint64_t)nas_space_darts.count;
    nas_rng_init(&rng, 1, NAS_STREAM_SUBSET, 0);
    for (int i = 0; i < 20000; i++) assert_same(&arch, &again, (int64_t)nas_rng_below(&rng, count));
    for (int64_t i = 0; i < 20000; i++) {
        assert_same(&arch, &again, i);
        assert_same(&arch, &again, nas_space_darts.count - 1 - i);
    }
    nas_arch_fini(&arch);
    nas_arch_fini(&again);
}

Test(space_darts, the_first_and_the_last)
{
#define FIRST                                                                                      \
    "max_pool_3x3~0,max_pool_3x3~1;max_pool_3x3~0,max_pool_3x3~1;max_pool_3x3~0,max_pool_3x3~1;"   \
    "max_pool_3x3~0,max_pool_3x3~1"
#define LAST                                                                                       \
    "dil_conv_5x5~0,dil_conv_5x5~1;dil_conv_5x5~1,dil_conv_5x5~2;dil_conv_5x5~2,dil_conv_5x5~3;"   \
    "dil_conv_5x5~3,dil_conv_5x5~4"
    nas_arch_t arch = arch_at(&nas_space_darts, 0);
    cr_assert_str_eq(arch.name, FIRST "/" FIRST);
    nas_arch_set(&arch, nas_space_darts.count - 1);
    cr_assert_str_eq(arch.name, LAST "/" LAST);
    nas_arch_fini(&arch);
}

/* By codes, the first position the most significant; node 0 has no choice of states. */
Test(space_darts, the_order_is_by_codes)
{
    static const int choices[] = {7, 7, 3, 7, 7, 6, 7, 7, 10, 7, 7};
    nas_rng_t rng;
    nas_arch_t arch = arch_at(&nas_space_darts, 0);
    cr_assert_eq(nas_space_darts.n_position, 22);
    nas_rng_init(&rng, 2, NAS_STREAM_SUBSET, 0);
    for (int k = 0; k < 1000; k++) {
        int64_t index = 0;
        for (int i = 0; i < 22; i++) {
            const int n = choices[i % 11];
            arch.code[i] = (uint8_t)nas_rng_below(&rng, (uint64_t)n);
            index = index * n + arch.code[i];
        }
        cr_assert_eq(nas_space_darts.index(arch.code), index);
    }
    nas_arch_fini(&arch);
}

Test(space_darts, both_forms_are_the_same_architecture)
{
    assert_named(DARTS_V2, DARTS_V2);
    assert_named(PUBLIC_NORMAL "range(2, 6)" PUBLIC_REDUCE "range(2, 6))", DARTS_V2);
    assert_named(PUBLIC_NORMAL "[2, 3, 4, 5]" PUBLIC_REDUCE "[2, 3, 4, 5])", DARTS_V2);
}

/* Of the edges into a node either may come first; blanks and kinds of quotes are free. */
Test(space_darts, texts_are_read_as_people_write_them)
{
    assert_named("sep_conv_3x3~1,sep_conv_3x3~0;sep_conv_3x3~1,sep_conv_3x3~0;"
                 "sep_conv_3x3~1,skip_connect~0;dil_conv_3x3~2,skip_connect~0/"
                 "max_pool_3x3~1,max_pool_3x3~0;skip_connect~2,max_pool_3x3~1;"
                 "skip_connect~2,max_pool_3x3~0;skip_connect~2,max_pool_3x3~1",
                 DARTS_V2);
    assert_named(" sep_conv_3x3~0, sep_conv_3x3~1; sep_conv_3x3~0, sep_conv_3x3~1; "
                 "skip_connect~0, sep_conv_3x3~1; skip_connect~0, dil_conv_3x3~2 / "
                 "max_pool_3x3~0,max_pool_3x3~1;max_pool_3x3~1,skip_connect~2;"
                 "max_pool_3x3~0,skip_connect~2;max_pool_3x3~1,skip_connect~2 ",
                 DARTS_V2);
    assert_named("Genotype(normal=[(\"sep_conv_3x3\",0),(\"sep_conv_3x3\",1),(\"sep_conv_3x3\",0),"
                 "(\"sep_conv_3x3\",1),(\"sep_conv_3x3\",1),(\"skip_connect\",0),"
                 "(\"skip_connect\",0),(\"dil_conv_3x3\",2)],normal_concat=range(2,6)" PUBLIC_REDUCE
                 "range( 2, 6 ) )",
                 DARTS_V2);
}

#define NODES "skip_connect~0,skip_connect~1;skip_connect~0,skip_connect~1;"
#define CELL NODES NODES "skip_connect~0,skip_connect~1"
#define CELL4 NODES "skip_connect~0,skip_connect~1;skip_connect~0,skip_connect~1"

Test(space_darts, what_is_no_genotype_is_refused)
{
    static const char *const text[] = {
        "",
        CELL4,
        CELL4 "/",
        CELL4 "/" CELL4 ";",
        CELL4 "/" CELL4 "/" CELL4,
        CELL4 "/" NODES "skip_connect~0,skip_connect~1",
        CELL4 "/" CELL,
        CELL4 "/" NODES "skip_connect~0,skip_connect~1;skip_connect~0",
        CELL4 "/" NODES "skip_connect~0,skip_connect~1;skip_connect~0,skip_connect~0",
        CELL4 "/" NODES "skip_connect~0,skip_connect~1;skip_connect~0,skip_connect~5",
        CELL4 "/" NODES "skip_connect~0,skip_connect~1;skip_connect~0,none~1",
        CELL4 "/" NODES "skip_connect~0,skip_connect~1;skip_connect~0,sep_conv_7x7~1",
        CELL4 "/" NODES "skip_connect~0,skip_connect~1;skip_connect~0,skip_connect~11",
        CELL4 "/" NODES "skip_connect~0,skip_connect~1;skip_connect~0,skip_connect~-1",
        CELL4 "/skip_connect~0,skip_connect~2;" NODES "skip_connect~0,skip_connect~1",
        CELL4 "\n/" CELL4,
        "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
        PUBLIC_NORMAL "range(2, 6)" PUBLIC_REDUCE "range(2, 6)",
        PUBLIC_NORMAL "range(2, 6)" PUBLIC_REDUCE "range(2, 6)))",
        PUBLIC_NORMAL "range(2, 7)" PUBLIC_REDUCE "range(2, 6))",
        PUBLIC_NORMAL "[2, 3, 4]" PUBLIC_REDUCE "range(2, 6))",
        PUBLIC_NORMAL "range(2, 6)" PUBLIC_NORMAL "range(2, 6)",
        "Genotype(normal=[('sep_conv_3x3', 0)], normal_concat=range(2, 6)" PUBLIC_REDUCE
        "range(2, 6))",
        "Genotype",
    };
    for (size_t i = 0; i < N_OF(text); i++) {
        nas_error_t err = {0};
        nas_arch_t arch = arch_at(&nas_space_darts, 77);
        cr_assert_eq(nas_arch_parse(&arch, text[i], &err), NAS_EINPUT, "%s", text[i]);
        cr_assert_eq(nas_space_darts.index(arch.code), 77, "no output on failure");
        cr_assert(strstr(err.text, "no architecture of darts"), "%s", err.text);
        nas_arch_fini(&arch);
    }
}

/* Of the paper's size, from a space that nothing can walk through. */
Test(space_darts, sampled_60000_are_distinct, .timeout = 60)
{
    nas_error_t err = {0};
    const nas_subset_t subset = {.kind = NAS_SUBSET_SAMPLE, .n = 60000, .seed = 1};
    nas_pool_t pool = {0};
    nas_encoding_t *encoding = NULL;
    cr_assert_eq(nas_pool_of_space(&nas_space_darts, &subset, &pool, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(nas_pool_count(&pool), 60000);
    int n_upper = 0;
    for (int64_t i = 0; i < 60000; i++) {
        cr_assert(i == 0 || nas_pool_index(&pool, i) > nas_pool_index(&pool, i - 1));
        n_upper += nas_pool_index(&pool, i) >= nas_space_darts.count / 2;
    }
    cr_assert(n_upper > 29000 && n_upper < 31000, "%d", n_upper);
    cr_assert_eq(nas_pool_encode(&pool, &encoding, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(nas_encoding_positions(encoding), 22);
    cr_assert(nas_encoding_choices(encoding, 0) == 7 && nas_encoding_choices(encoding, 19) == 10);
    nas_encoding_destroy(encoding);
    nas_pool_fini(&pool);
}

Test(space_darts, the_whole_space_is_no_pool)
{
    nas_error_t err = {0};
    nas_pool_t pool = {0};
    cr_assert_eq(
        nas_pool_of_space(&nas_space_darts, &(nas_subset_t){.kind = NAS_SUBSET_ALL}, &pool, &err),
        NAS_EINPUT);
    cr_assert(strstr(err.text, "darts has 1076746950455072400 architectures"), "%s", err.text);
}
