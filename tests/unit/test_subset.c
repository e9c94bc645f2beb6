#include "common/space/pool.h"
#include "common/space/subset.h"
#include "tests/unit/arch_case.h"
#include "tests/unit/temp_folder.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

enum { KEY_SIZE = 128 };

static const nas_space_t *nb201(void)
{
    return nas_space_find("nas-bench-201");
}

static nas_selection_t selected(const nas_space_t *space, nas_subset_t subset)
{
    nas_error_t err = {0};
    nas_selection_t selection = {0};
    cr_assert_eq(nas_subset_select(space, &subset, &selection, &err), NAS_OK, "%s", err.text);
    return selection;
}

/* Names are those of the indices. */
static void assert_named(const nas_space_t *space, const nas_selection_t *selection)
{
    nas_arch_t arch = arch_at(space, 0);
    for (int64_t i = 0; i < nas_names_count(selection->names); i++) {
        nas_arch_set(&arch, selection->index ? selection->index[i] : i);
        cr_assert_str_eq(nas_names_at(selection->names, i), arch.name);
        cr_assert_eq(nas_names_find(selection->names, arch.name), i);
    }
    nas_arch_fini(&arch);
}

static void assert_ascending(const nas_selection_t *selection)
{
    for (int64_t i = 1; i < nas_names_count(selection->names); i++)
        cr_assert_lt(selection->index[i - 1], selection->index[i]);
}

static void assert_refused(const nas_space_t *space, nas_subset_t subset, const char *reason)
{
    nas_error_t err = {0};
    nas_selection_t selection = {0};
    cr_assert_eq(nas_subset_select(space, &subset, &selection, &err), NAS_EINPUT);
    cr_assert(strstr(err.text, reason), "%s", err.text);
    cr_assert_null(selection.names);
    cr_assert_null(selection.index);
}

Test(subset, all_is_the_space_in_its_order)
{
    int n = 0;
    const nas_space_t *const *space = nas_space_list(&n);
    for (int s = 0; s < n; s++) {
        if (space[s]->count > 1 << 24) continue;
        nas_selection_t all = selected(space[s], (nas_subset_t){.kind = NAS_SUBSET_ALL});
        cr_assert_eq(all.n, space[s]->count);
        cr_assert(!all.index && !all.names, "neither is listed");
        cr_assert_eq(nas_selection_name(space[s], &all, NULL), NAS_OK);
        cr_assert_eq(nas_names_count(all.names), all.n);
        assert_named(space[s], &all);
        nas_selection_fini(&all);
    }
}

/* Of every space of the list: index, code and name are one thing, and texts lead back to it. */
Test(subset, faces_of_sampled_architectures_belong_together)
{
    int n = 0;
    const nas_space_t *const *space = nas_space_list(&n);
    for (int s = 0; s < n; s++) {
        const nas_subset_t some = {.kind = NAS_SUBSET_SAMPLE, .n = 500, .seed = 4};
        nas_selection_t sample = selected(space[s], some);
        nas_arch_t arch = arch_at(space[s], 0), found = {0};
        for (int64_t i = 0; i < some.n; i++) {
            nas_arch_set(&arch, sample.index[i]);
            cr_assert_eq(space[s]->index(arch.code), sample.index[i]);
            cr_assert_lt(strlen(arch.name), space[s]->name_size);
            cr_assert_eq(nas_arch_find(arch.name, &found, NULL), NAS_OK);
            cr_assert(found.space == space[s] && found.index == arch.index, "%s", arch.name);
            nas_arch_fini(&found);
        }
        nas_arch_fini(&arch);
        nas_selection_fini(&sample);
    }
}

/* Each class once, by its first; all other cells have a smaller one with their key. */
static void check_classes(nas_subset_kind_t kind, int64_t n,
                          void (*write_key)(const uint8_t *, char *))
{
    nas_error_t err = {0};
    nas_names_t *keys = NULL;
    int64_t duplicate = 0, first = 0;
    nas_arch_t arch = arch_at(nb201(), 0);
    nas_selection_t subset = selected(nb201(), (nas_subset_t){.kind = kind});
    cr_assert_eq(nas_names_count(subset.names), n);
    assert_ascending(&subset);
    assert_named(nb201(), &subset);
    cr_assert_eq(nas_names_create(&keys, &err), NAS_OK);
    for (int64_t i = 0; i < n; i++) {
        char key[KEY_SIZE];
        nas_arch_set(&arch, subset.index[i]);
        write_key(arch.code, key);
        cr_assert_eq(nas_names_add(keys, key, strlen(key), &err), NAS_OK);
    }
    cr_assert_eq(nas_names_index(keys, &duplicate, &first, &err), NAS_OK);
    cr_assert_eq(duplicate, -1);
    for (int64_t i = 0; i < nb201()->count; i++) {
        char key[KEY_SIZE];
        nas_arch_set(&arch, i);
        write_key(arch.code, key);
        const int64_t class = nas_names_find(keys, key);
        cr_assert(class >= 0 && subset.index[class] <= i);
    }
    nas_arch_fini(&arch);
    nas_names_destroy(keys);
    nas_selection_fini(&subset);
}

Test(subset, unique_and_equivalent_keep_the_first_of_every_class)
{
    check_classes(NAS_SUBSET_UNIQUE, 6466, nb201()->unique);
    check_classes(NAS_SUBSET_EQUIVALENT, 4930, nb201()->equivalent);
}

Test(subset, spaces_without_classes_say_so)
{
    const nas_space_t *micro = nas_space_find("transnas-micro");
    assert_refused(micro, (nas_subset_t){.kind = NAS_SUBSET_UNIQUE},
                   "transnas-micro has no classes of equal architectures for subset 'unique'");
    assert_refused(micro, (nas_subset_t){.kind = NAS_SUBSET_EQUIVALENT}, "'equivalent'");
}

static nas_subset_t sample_of(int64_t n, uint64_t seed)
{
    return (nas_subset_t){.kind = NAS_SUBSET_SAMPLE, .n = n, .seed = seed};
}

Test(subset, a_sample_is_ascending_and_belongs_to_its_seed)
{
    nas_selection_t a = selected(nb201(), sample_of(300, 7));
    nas_selection_t again = selected(nb201(), sample_of(300, 7));
    nas_selection_t other = selected(nb201(), sample_of(300, 8));
    cr_assert_eq(nas_names_count(a.names), 300);
    assert_ascending(&a);
    assert_named(nb201(), &a);
    cr_assert_eq(memcmp(a.index, again.index, 300 * sizeof *a.index), 0);
    cr_assert_neq(memcmp(a.index, other.index, 300 * sizeof *a.index), 0);
    nas_selection_fini(&other);
    nas_selection_fini(&again);
    nas_selection_fini(&a);
}

/* Part of the reproducibility contract: a change of these changes every sampled pool. */
Test(subset, pinned_sample)
{
    static const int64_t pinned[] = {8253, 9736, 10094, 10454, 10581};
    nas_selection_t sample = selected(nb201(), sample_of(N_OF(pinned), 10));
    for (size_t i = 0; i < N_OF(pinned); i++)
        cr_assert_eq(sample.index[i], pinned[i], "%zu: %" PRId64, i, sample.index[i]);
    nas_selection_fini(&sample);
}

/* Over 2,000 seeds each of 4,096 cells is drawn 500 times on average, with a standard deviation of
 * 19.4; none is off by six of them. */
Test(subset, every_architecture_is_equally_likely)
{
    enum { SEEDS = 2000, N = 1024, CELLS = 4096, MEAN = SEEDS * N / CELLS, BOUND = 117 };
    static int n_drawn[CELLS];
    const nas_space_t *micro = nas_space_find("transnas-micro");
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        nas_selection_t sample = selected(micro, sample_of(N, seed));
        for (int64_t i = 0; i < N; i++) n_drawn[sample.index[i]]++;
        nas_selection_fini(&sample);
    }
    for (int i = 0; i < CELLS; i++)
        cr_assert(abs(n_drawn[i] - MEAN) <= BOUND, "%d: %d", i, n_drawn[i]);
}

Test(subset, a_sample_of_everything_is_everything_and_of_more_is_refused)
{
    const nas_space_t *macro = nas_space_find("transnas-macro");
    nas_selection_t all = selected(macro, sample_of(macro->count, 3));
    for (int64_t i = 0; i < macro->count; i++) cr_assert_eq(all.index[i], i);
    nas_selection_fini(&all);
    assert_refused(macro, sample_of(macro->count + 1, 3), "expected 1 to 3256");
    assert_refused(macro, sample_of(0, 3), "a sample of 0 architectures");
    assert_refused(macro, sample_of(-1, 3), "a sample of -1 architectures");
}

/* A space of 10^18: 18 digits, in names longer than those of the built-in spaces. */
enum { VAST_DIGITS = 18, VAST_DIGIT_SIZE = 12 };

static bool vast_parse(const char *text, uint8_t *code)
{
    uint8_t digit[VAST_DIGITS];
    for (int i = 0; i < VAST_DIGITS; i++, text += VAST_DIGIT_SIZE) {
        if (strncmp(text, "/operation-", VAST_DIGIT_SIZE - 1) != 0) return false;
        digit[i] = (uint8_t)(text[VAST_DIGIT_SIZE - 1] - '0');
        if (digit[i] > 9) return false;
    }
    memcpy(code, digit, sizeof digit);
    return *text == '\0';
}

static void vast_print(const uint8_t *code, char *name)
{
    for (int i = 0; i < VAST_DIGITS; i++, name += VAST_DIGIT_SIZE)
        (void)snprintf(name, VAST_DIGIT_SIZE + 1, "/operation-%d", code[i] % 10);
}

static int64_t vast_index(const uint8_t *code)
{
    int64_t index = 0;
    for (int i = 0; i < VAST_DIGITS; i++) index = 10 * index + code[i];
    return index;
}

static void vast_code(int64_t index, uint8_t *code)
{
    for (int i = VAST_DIGITS - 1; i >= 0; i--, index /= 10) code[i] = (uint8_t)(index % 10);
}

static const nas_space_t VAST = {.name = "vast",
                                 .forms = "/operation-0 and so on, 18 times",
                                 .count = 1000000000000000000,
                                 .n_position = VAST_DIGITS,
                                 .name_size = VAST_DIGITS * VAST_DIGIT_SIZE + 1,
                                 .parse = vast_parse,
                                 .print = vast_print,
                                 .index = vast_index,
                                 .code = vast_code};

/* Pinned, as the samples of small spaces are. */
Test(subset, a_vast_space_is_sampled_without_walking_through_it)
{
    static const int64_t pinned[] = {183298970049111911, 433441526431519751, 838235438117991904};
    enum { N = 10000, TENTHS = 10 };
    int n_of_tenth[TENTHS] = {0};
    nas_selection_t few = selected(&VAST, sample_of(N_OF(pinned), 10));
    for (size_t i = 0; i < N_OF(pinned); i++)
        cr_assert_eq(few.index[i], pinned[i], "%zu: %" PRId64, i, few.index[i]);
    nas_selection_t sample = selected(&VAST, sample_of(N, 7));
    cr_assert_eq(nas_names_count(sample.names), N);
    assert_ascending(&sample);
    assert_named(&VAST, &sample);
    for (int i = 0; i < N; i++) n_of_tenth[sample.index[i] / (VAST.count / TENTHS)]++;
    for (int t = 0; t < TENTHS; t++) cr_assert(abs(n_of_tenth[t] - N / TENTHS) < 180);
    nas_selection_fini(&few);
    nas_selection_fini(&sample);
}

Test(subset, all_of_a_vast_space_is_refused)
{
    assert_refused(&VAST, (nas_subset_t){.kind = NAS_SUBSET_ALL},
                   "vast has 1000000000000000000 architectures, and a pool at most 4294967294; "
                   "expected subset {sample: N} or {file: F}");
}

#define ALL_NONE "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
#define LAST_SKIP "|none~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|"

typedef struct file_case {
    const char *text;
    size_t size; /**< 0: up to the text's NUL */
    const char *reason;
} file_case_t;

static temp_path_t write_list(const temp_path_t *folder, const file_case_t *file)
{
    const temp_path_t path = temp_file(folder, "cells.txt");
    FILE *out = fopen(path.text, "wb");
    cr_assert_not_null(out);
    const size_t size = file->size ? file->size : strlen(file->text);
    cr_assert_eq(fwrite(file->text, 1, size, out), size);
    cr_assert_eq(fclose(out), 0);
    return path;
}

Test(subset, a_file_lists_architectures_in_either_form)
{
    static const file_case_t file = {.text = "# two forms\n\n  " LAST_SKIP
                                             "  # the second\r\n\t\n(1, 1, 1, 1, 1, 1)\r\n"
                                             "   # the last has no line end\n(1, 1, 1, 1, 1, 2)"};
    static const int64_t index[] = {1, 0, 3};
    const temp_path_t folder = temp_folder_make();
    const temp_path_t path = write_list(&folder, &file);
    nas_selection_t listed =
        selected(nb201(), (nas_subset_t){.kind = NAS_SUBSET_FILE, .path = path.text});
    cr_assert_eq(nas_names_count(listed.names), 3);
    for (size_t i = 0; i < N_OF(index); i++) cr_assert_eq(listed.index[i], index[i]);
    assert_named(nb201(), &listed);
    nas_selection_fini(&listed);
    temp_folder_remove(&folder);
}

Test(subset, a_file_lists_architectures_of_a_vast_space)
{
    static const int64_t index[] = {999999999999999999, 0, 123456789123456789};
    const temp_path_t folder = temp_folder_make();
    char text[1024] = "";
    nas_arch_t arch = arch_at(&VAST, 0);
    for (size_t i = 0; i < N_OF(index); i++) {
        nas_arch_set(&arch, index[i]);
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s\n", arch.name);
    }
    const temp_path_t path = write_list(&folder, &(file_case_t){.text = text});
    nas_selection_t listed =
        selected(&VAST, (nas_subset_t){.kind = NAS_SUBSET_FILE, .path = path.text});
    cr_assert_eq(nas_names_count(listed.names), N_OF(index));
    for (size_t i = 0; i < N_OF(index); i++) cr_assert_eq(listed.index[i], index[i]);
    assert_named(&VAST, &listed);
    nas_arch_fini(&arch);
    nas_selection_fini(&listed);
    temp_folder_remove(&folder);
}

/* As Windows, an old Mac and a careless copy write it. */
Test(subset, marks_line_ends_and_blanks_of_other_systems_do_not_count)
{
    static const file_case_t files[] = {
        {.text = "\xef\xbb\xbf" LAST_SKIP "\r\n" ALL_NONE "\t \r\n"},
        {.text = LAST_SKIP "\r" ALL_NONE "\r"},
        {.text = "\xc2\xa0" LAST_SKIP "\xc2\xa0\n" ALL_NONE},
    };
    const temp_path_t folder = temp_folder_make();
    for (size_t i = 0; i < N_OF(files); i++) {
        const temp_path_t path = write_list(&folder, &files[i]);
        nas_selection_t listed =
            selected(nb201(), (nas_subset_t){.kind = NAS_SUBSET_FILE, .path = path.text});
        cr_assert_eq(nas_names_count(listed.names), 2);
        cr_assert_eq(listed.index[0], 1);
        cr_assert_eq(listed.index[1], 0);
        nas_selection_fini(&listed);
    }
    temp_folder_remove(&folder);
}

Test(subset, files_that_are_no_list_are_refused_by_line)
{
    static const file_case_t files[] = {
        {.text = "", .reason = "cells.txt: no architecture in it"},
        {.text = "# nothing\n\n", .reason = "cells.txt: no architecture in it"},
        {.text = ALL_NONE "\n\nconv\n", .reason = "cells.txt:3: 'conv' is no architecture of"},
        {.text = ALL_NONE "\n" ALL_NONE "\n", .reason = "cells.txt:2: '" ALL_NONE "' is on line 1"},
        {.text = "#\n" LAST_SKIP "\n" ALL_NONE "\n(1, 1, 1, 1, 1, 0)\n",
         .reason = "cells.txt:4: '(1, 1, 1, 1, 1, 0)' is on line 2 already"},
        {.text = ALL_NONE " " ALL_NONE "\n", .reason = "cells.txt:1: "},
        {.text = ALL_NONE "\n\0" LAST_SKIP, .size = sizeof ALL_NONE + 5, .reason = "a NUL byte"},
        {.text = "\xff\xfe(\0", .size = 4, .reason = "cells.txt:1: this text is in UTF-16; save"},
        {.text = ALL_NONE "\r\rconv\r", .reason = "cells.txt:3: 'conv' is no architecture of"},
    };
    const temp_path_t folder = temp_folder_make();
    for (size_t i = 0; i < N_OF(files); i++) {
        const temp_path_t path = write_list(&folder, &files[i]);
        assert_refused(nb201(), (nas_subset_t){.kind = NAS_SUBSET_FILE, .path = path.text},
                       files[i].reason);
    }
    assert_refused(nb201(), (nas_subset_t){.kind = NAS_SUBSET_FILE, .path = folder.text},
                   folder.text);
    const temp_path_t missing = temp_file(&folder, "missing.txt");
    assert_refused(nb201(), (nas_subset_t){.kind = NAS_SUBSET_FILE, .path = missing.text},
                   "missing.txt");
    temp_folder_remove(&folder);
}

/* A pool says the same with and without a list of its names. */
Test(subset, a_pool_of_a_whole_space_is_named_without_a_list)
{
    static const char text[] = "(0, 0, 0, 0, 0, 1)\0(0, 0, 0, 0, 0, 0)";
    const nas_name_source_t source = nas_name_source_of_text(text, sizeof text / 2, 2);
    const nas_subset_t all = {.kind = NAS_SUBSET_ALL};
    nas_pool_t pool = {0};
    nas_names_t *wanted = NULL;
    int64_t *row = calloc((size_t)nb201()->count, sizeof *row);
    cr_assert_eq(nas_pool_of_space(nb201(), &all, &pool, NULL), NAS_OK);
    cr_assert(!pool.names && nas_pool_is_whole(&pool));
    const nas_name_source_t made = nas_pool_names(&pool);
    cr_assert_eq(nas_name_source_index(&source, &wanted, NULL), NAS_OK);
    cr_assert_eq(nas_pool_join(&pool, wanted, row, NULL), NAS_OK);
    cr_assert_eq(nas_pool_list_names(&pool, NULL), NAS_OK);
    const nas_name_source_t listed = nas_pool_names(&pool);
    cr_assert(made.n == listed.n && made.n == nas_pool_count(&pool));
    for (int64_t i = 0; i < made.n; i++) {
        cr_assert_str_eq(nas_name_source_at(&made, i), nas_names_at(pool.names, i));
        cr_assert_lt(strlen(nas_name_source_at(&made, i)), made.size);
        cr_assert_eq(nas_pool_index(&pool, i), i);
        if (row[i] < 0) continue;
        nas_arch_t arch = arch_at(nb201(), 0);
        cr_assert_eq(nas_arch_parse(&arch, nas_names_at(wanted, row[i]), NULL), NAS_OK);
        cr_assert_eq(arch.index, i);
        nas_arch_fini(&arch);
    }
    free(row);
    nas_names_destroy(wanted);
    nas_pool_fini(&pool);
}
